"""The commands about boards that build nothing."""

import json
import re
from importlib import metadata
from pathlib import Path

import pytest

from synloom.cli.main import main
from synloom.contract import ArrayParams
from synloom_boards.boards import board_names

ROOT = Path(__file__).parents[2]

EXPERIMENT = """
[run]
duration = 10.0

[inputs.in]
n = {inputs}
rate = 20.0

[populations.out]
n = {neurons}
cell = "lif"
tau_m = 10.0

[projections.up]
pre = "in"
post = "out"
weight = 0.5
"""


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_boards_are_shown_one_after_the_other(capsys):
    printed = run(capsys, "boards")
    assert [name for name in board_names() if f"\n{name} " in f"\n{printed}"] == list(board_names())
    assert "steps/s at 5 % activity" in printed


def test_boards_as_json(capsys):
    rows = json.loads(run(capsys, "boards", "--json"))
    assert [row["name"] for row in rows] == list(board_names())
    assert all(row["synapses"] == (row["inputs"] + row["neurons"]) * row["neurons"] for row in rows)


def test_an_estimate_says_who_holds_it_and_who_does_not(capsys):
    example = ROOT / "docs" / "examples" / "winner_take_all.toml"
    found = json.loads(run(capsys, "estimate", example, "--json"))
    boards = {entry["board"]: entry for entry in found["boards"]}
    assert set(boards) == set(board_names())
    large = boards["ulx3s-85f"]
    assert large["fits"]
    assert large["steps_per_second"] > 10_000
    assert large["real_time"] == pytest.approx(large["steps_per_second"] / 1000)
    assert found["needs"]["neurons"] >= 1
    assert 1e-9 < large["step_joules"][0] < large["step_joules"][1] < 1e-3
    assert 1e-12 < large["operation_joules"][0] < large["operation_joules"][1] < 1e-6
    assert "J a synaptic operation" in run(capsys, "estimate", example)


def test_an_estimate_counts_the_probes(capsys, tmp_path):
    text = """
        [run]
        duration = 10.0
        [populations.cells]
        n = 12
        [[record.state]]
        of = "cells"
        variable = "v"
    """
    file = tmp_path / "many.toml"
    file.write_text("\n".join(line.strip() for line in text.splitlines()))
    found = json.loads(run(capsys, "estimate", str(file), "--json"))
    assert found["needs"]["probes"] == 12
    assert not any(entry["fits"] for entry in found["boards"])
    assert all("12 probes are wanted" in entry["reason"] for entry in found["boards"])


def test_an_estimate_depends_on_the_activity(capsys):
    example = ROOT / "docs" / "examples" / "winner_take_all.toml"

    def speed(percent):
        found = json.loads(run(capsys, "estimate", example, "--activity", percent, "--json"))
        return {entry["board"]: entry["steps_per_second"] for entry in found["boards"]}["ulx3s-85f"]

    assert speed(0) > speed(5) > speed(50)


def refuse(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert ended.value.code
    return capsys.readouterr().err


@pytest.mark.parametrize("percent", ["nan", "-1", "101", "inf"])
def test_an_activity_is_a_share(capsys, percent):
    example = ROOT / "docs" / "examples" / "winner_take_all.toml"
    told = refuse(capsys, "estimate", example, "--activity", percent)
    assert f"must be a percentage in 0..100, not {percent}" in told


@pytest.mark.parametrize("command", [["verilog"], ["build", "icebreaker"]])
def test_a_file_that_cannot_be_written_is_refused_before_the_work(capsys, tmp_path, command):
    out = tmp_path / "nowhere" / "x"
    assert f"{out} cannot be written" in refuse(capsys, *command, "--out", out)
    assert f"'{tmp_path}' is a directory" in refuse(capsys, *command, "--out", tmp_path)


def test_options_and_settings_are_one(capsys):
    told = refuse(capsys, "build", "icebreaker", "--clock-hz", 1_000_000, "--set", "baud=500000")
    assert "baud must be at most clock_hz / 4 (250000), not 500000" in told
    assert "unknown array parameter 'neurones'" in refuse(
        capsys, "build", "icebreaker", "--set", "neurones=3"
    )


def test_two_ported_weights_are_refused_where_traces_would_be_lost(capsys):
    told = refuse(capsys, "build", "icebreaker", "--no-single-port")
    assert "iCEBreaker needs single_port" in told


def test_verilog_has_the_ports_that_the_help_names(capsys, tmp_path):
    out = tmp_path / "array.v"
    small = ["--inputs", 16, "--neurons", 16, "--lanes", 1, "--neuron-lanes", 1, "--record-words", 256]
    run(capsys, "verilog", *small, "--out", out)
    text = out.read_text()
    for port in ("clk", "rst", "rx", "tx", "idle", "running", "paused", "error"):
        assert f"{port}" in text.partition("module top(")[2].partition(")")[0].replace(" ", "").split(",")


SMALL_ARRAY = ["--inputs", 16, "--neurons", 16, "--lanes", 1, "--neuron-lanes", 1, "--record-words", 256]


def test_verilog_says_what_it_is_and_all_its_modules_begin_with_its_name(capsys, tmp_path):
    out = tmp_path / "array.v"
    run(capsys, "verilog", *SMALL_ARRAY, "--name", "nn_a", "--baud", 500_000, "--out", out)
    text = out.read_text()
    header = text.partition("\n\n")[0].splitlines()
    assert all(line.startswith("// ") for line in header)
    told = "\n".join(header)
    assert f"// nn_a: an array of Synloom {metadata.version('synloom')} (" in told
    assert "clock: clk at 48 MHz (48000000 Hz)" in told
    assert "line: rx and tx, 8N1 at 500000 baud: 96 clocks a bit" in told
    params = ArrayParams(inputs=16, neurons=16, lanes=1, neuron_lanes=1, record_words=256, baud=500_000)
    assert [f"//   {name} = {value}" for name, value in params.to_dict().items()] == header[
        -len(params.to_dict()) :
    ]
    assert params.digest() in told
    names = re.findall(r"^module (\S+?)\s*\(", text, re.M)
    assert len(names) > 30
    assert [name for name in names if not name.lstrip("\\").startswith("nn_a")] == []
    assert names.count("nn_a") == 1


def test_verilog_of_a_board_has_its_array_and_its_clock(capsys):
    text = run(capsys, "verilog", "--board", "ulx3s-25f", *SMALL_ARRAY)
    assert "// board: ULX3S 25F (LFE5U-25F-6BG381C)\n// clock: clk at 72.5 MHz (72500000 Hz)\n" in text
    assert "72 clocks a bit" in text
    assert "//   neurons = 16\n" in text
    assert "//   state_bits = 18\n" in text


def test_verilog_refuses_what_contradicts(capsys):
    told = refuse(capsys, "verilog", "--board", "ulx3s-25f", "--board-family", "ice40")
    assert "ulx3s-25f is of family ecp5; leave out --board-family" in told
    for name in ("1x", "a-b", "", "a b"):
        assert "must be letters, digits and _" in refuse(capsys, "verilog", "--name", name)
    assert "did you mean ulx3s-25f?" in refuse(capsys, "verilog", "--board", "ulx3s-25")
