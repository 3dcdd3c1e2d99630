"""A misspelt command, board or target gets the one that was meant."""

import click
import pytest

from synloom.base.wording import did_you_mean
from synloom.cli.main import main
from synloom.cli.options import target_name


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    captured = capsys.readouterr()
    assert captured.out == ""
    return ended.value.code, captured.err


def test_the_nearest_word_is_named_and_none_if_none_is_near():
    assert did_you_mean("Icebraker", ["icebreaker", "icesugar"]) == " (did you mean icebreaker?)"
    assert did_you_mean("zzz", ["icebreaker"]) == ""
    assert did_you_mean("", []) == ""


@pytest.mark.parametrize(
    ("wrong", "meant"), [(["biuld"], "build"), (["device"], "devices"), (["demo", "digit"], "digits")]
)
def test_a_command(capsys, wrong, meant):
    code, err = run(capsys, *wrong)
    assert code == 2
    assert f"Error: No such command '{wrong[-1]}' (did you mean {meant}?)." in err


def test_a_command_that_is_near_none(capsys):
    assert "Error: No such command 'xyzzy'.\n" in run(capsys, "xyzzy")[1]


@pytest.mark.parametrize("command", ["build", "flash"])
def test_a_board(capsys, command):
    code, err = run(capsys, command, "ulx3s_25f")
    assert code == 1
    assert "there is no board 'ulx3s_25f' (did you mean ulx3s-25f?); boards are: " in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("info", "modle"),
        ("selftest", "modle"),
        *((*command, "--target", "modle") for command in (("run", "x.toml"), ("sweep", "x.toml"))),
        ("demo", "digits", "--target", "modle"),
    ],
)
def test_a_target(capsys, arguments):
    code, err = run(capsys, *arguments)
    assert code == 1
    assert err == (
        "error: there is no target 'modle' (did you mean model?); "
        "targets are software, fast, model, sim, sim-pins, auto and paths of serial ports\n"
    )


def test_a_path_is_no_misspelt_target(capsys):
    assert "there is no serial port ./modle" in run(capsys, "info", "./modle")[1]
    assert "there is no serial port COM9" in run(capsys, "info", "COM9")[1]


def test_a_line_with_faults_is_no_misspelt_target(capsys):
    context, parameter = click.Context(click.Command("info")), click.Argument(["target"])
    for target in ("sim", "sim?flips=1e-4&seed=3", "sim-pins?faults=light", "auto?drops=1e-4", None):
        assert target_name(context, parameter, target) == target
    assert "there is no target 'simm' (did you mean sim?)" in run(capsys, "info", "simm?flips=1e-4")[1]
