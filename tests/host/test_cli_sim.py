"""`synloom sim` and `synloom info`, as a user runs them."""

import json
import re
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from synloom.base.errors import ParameterError
from synloom.cli.main import main
from synloom.cli.options import read_params
from synloom.contract import ArrayParams
from synloom.contract.frames import ControlAction
from synloom.device.loader import read_register
from synloom.device.targets import open_port
from synloom.selftest.comparison import agreement, play
from synloom.selftest.random_network import random_network
from synloom_sim.model_port import ModelPort

# The array of test_targets.py, so that its boards are built once.
PARAMS = ArrayParams(
    inputs=20, neurons=24, lanes=4, segments=32, record_words=512, event_words=64, baud=12_000_000
)
OPTIONS = [
    text
    for name, value in PARAMS.to_dict().items()
    if not isinstance(value, bool)
    for text in (f"--{name.replace('_', '-')}", str(value))
]


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    captured = capsys.readouterr()
    assert ended.value.code in (0, None), captured.err
    return captured.out


@contextmanager
def serving(tmp_path, *more):
    # Whoever runs the tests may ignore these signals (nohup, a shell's background), which a child inherits.
    command = [
        sys.executable,
        "-c",
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL); "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from synloom.cli.main import main; main()",
    ]
    arguments = ["sim", "--pty", "--link", str(tmp_path / "board"), *more, *OPTIONS]
    process = subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process, process.stdout.readline().strip(), tmp_path / "board"
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def served(tmp_path):
    with serving(tmp_path) as parts:
        yield parts


def test_a_served_board_tells_what_it_is_and_ends_by_interrupt(served, capsys):
    process, device, link = served
    assert str(link.readlink()) == device
    for target in (device, str(link)):
        report = json.loads(run(capsys, "info", target, "--json"))
        assert report["parameters"] == PARAMS.to_dict()
        assert report["array"]["state"] == "stopped"
        assert report["link"]["host: retries"] == 0
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert not link.is_symlink()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_served_board_leaves_no_link_behind(served, number):
    process, device, link = served
    assert str(link.readlink()) == device
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert "Traceback" not in err
    assert not link.is_symlink()


def test_a_board_on_a_bad_line_gives_the_models_bits_and_counts_its_faults(tmp_path):
    array = random_network(PARAMS, 3, 50)
    with serving(tmp_path, "--faults", "damage=0.05&delays=0.02&stalls=0.02&seed=2") as (process, device, _):
        port = open_port(device, timeout=0.05)
        got = play(port, array)
        port.close()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert agreement(array, play(ModelPort(PARAMS), array), got).differing == {}
    counts = dict(re.findall(r"([a-z]+): ([\d,]+)", err))
    assert {"damage", "delays", "stalls", "frames", "bytes"} <= counts.keys()
    assert process.returncode == 130


def test_bytes_that_are_late_arrive_while_the_board_runs(tmp_path):
    with serving(tmp_path, "--faults", "delays=1&seed=1") as (_, device, _):
        port = open_port(device)
        port.run(0xFFFFFFFF)
        steps = [read_register(port, "now") for _ in range(3)]
        assert 0 < steps[0] < steps[1] < steps[2]
        port.control(ControlAction.ABORT)
        port.close()


def test_faults_need_a_served_board_and_are_checked_before_it_is_built(capsys):
    for arguments, message in (
        (["--speed", "--faults", "light"], "--faults needs --pty"),
        (["--pty", "--faults", "flip=1"], "there is no fault 'flip'"),
        (["--pty", "--faults", "skew=0.01", *OPTIONS], "add --pins"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["sim", *arguments])
        assert ended.value.code in (1, 2)
        assert message in capsys.readouterr().err


def test_info_of_a_simulated_board_equals_the_models(capsys):
    reports = [json.loads(run(capsys, "info", target, *OPTIONS, "--json")) for target in ("model", "sim")]
    for part in ("parameters", "counters"):
        assert reports[0][part] == reports[1][part]
    assert reports[0]["link"] == {}


def test_info_as_tables(capsys):
    out = run(capsys, "info", "model")
    assert f"digest                {ArrayParams().digest()}" in out
    assert "  neurons              256\n" in out


def test_boards_do_not_take_array_options(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["info", "/dev/no-such-board", "--neurons", "4"])
    assert ended.value.code == 2
    assert "has its own parameters" in capsys.readouterr().err


def test_speed_is_printed(capsys):
    report = json.loads(run(capsys, "sim", "--speed", "--seconds", "0.1", *OPTIONS, "--json"))
    assert report["clocks_per_second"] > 1000
    assert report["share_of_real_time"] == pytest.approx(report["clocks_per_second"] / 48e6, rel=0.01)


def test_parameter_file_is_overridden_by_options(tmp_path):
    file = tmp_path / "array.toml"
    file.write_text("neurons = 40\nlanes = 8\nreward = false\n")
    params = read_params(file, {"lanes": 2, "inputs": None, "neuron_lanes": 2})
    assert params == ArrayParams(neurons=40, lanes=2, neuron_lanes=2, reward=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("neurons = ", "not a TOML file"),
        ("neuron = 4", "unknown array parameter 'neuron'"),
        ("lanes = 2.0", "lanes"),
    ],
)
def test_wrong_parameter_file_is_a_clear_error(text, message, tmp_path):
    file = tmp_path / "array.toml"
    file.write_text(text)
    with pytest.raises(ParameterError, match=message):
        read_params(file, {})
