"""Targets by name: the model, simulated boards, serial ports, and what is said when they are not there."""

import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
from serial.tools import list_ports

from synloom import LIF, AllToAll, InputPopulation, Network, Population, Projection, compile, connect
from synloom.base.errors import LinkError, MismatchError, ParameterError, TargetError
from synloom.contract import ArrayParams
from synloom.device import targets
from synloom.device.targets import open_port
from synloom.selftest.comparison import agreement, play
from synloom.selftest.random_array import random_array
from synloom_sim.board import Design, SimTransport
from synloom_sim.board.pty import PtyBoard
from synloom_sim.model_port import ModelPort

PARAMS = ArrayParams(
    inputs=20, neurons=24, lanes=4, segments=32, record_words=512, event_words=64, baud=12_000_000
)


@pytest.fixture(scope="module")
def device_path():
    """A simulated board at a pseudo-terminal."""
    transport = SimTransport.build(Design(PARAMS))
    with PtyBoard(transport.board) as pty:
        server = threading.Thread(target=pty.serve)
        server.start()
        yield pty.device
        pty.stop()
        server.join(10)
    transport.close()


def small_network():
    network = Network(seed=3)
    source = network.add(InputPopulation(20, label="in"))
    target = network.add(Population(24, LIF(), label="out"))
    network.add(Projection(source, target, AllToAll(), weight=0.5))
    return network


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("target", ["fast", "sim", "sim-pins", "path"])
def test_every_target_gives_the_models_bits(target, seed, device_path):
    array = random_array(PARAMS, seed)
    expected = play(open_port("model", PARAMS), array)
    port = open_port(device_path if target == "path" else target, PARAMS)
    try:
        assert agreement(array, expected, play(port, array)).differing == {}
    finally:
        port.close()


def test_an_image_decides_the_array_and_is_loaded():
    image = compile(small_network(), PARAMS)
    for target in ("model", "fast", "software", "sim"):
        with connect(target, image) as device:
            assert device.params == PARAMS
            assert device.image is image
            device.run(5.0)


def test_progress_is_silent_for_a_board_of_the_cache():
    with connect("sim", PARAMS):
        pass
    reports = []
    with connect("sim", PARAMS, progress=lambda what, share: reports.append(what)):
        pass
    assert reports == []


def test_another_array_than_asked_for_is_a_clear_error(device_path):
    with pytest.raises(MismatchError, match="neurons is 24, not 25"):
        connect(device_path, PARAMS.replace(neurons=25))
    connect(device_path, PARAMS.replace(lanes=8)).close()  # lanes change no bit


def test_closed_target_is_a_clear_error():
    port = open_port("sim", PARAMS)
    port.close()
    with pytest.raises(LinkError, match="closed"):
        port.run(1)


def test_missing_device_is_a_clear_error():
    with pytest.raises(TargetError, match="no serial port /dev/no-such-board"):
        connect("/dev/no-such-board")


def test_silent_device_is_a_clear_error():
    with PtyBoard(SimTransport.build(Design(PARAMS)).board) as pty:  # nobody serves it
        with pytest.raises(TargetError, match="nothing answers"):
            connect(pty.device)


@pytest.mark.parametrize("target", ["", None, 3])
def test_target_must_be_a_name(target):
    with pytest.raises(ParameterError, match="target must be"):
        connect(target)


def test_software_is_the_best_that_is_installed(monkeypatch):
    assert targets.resolved("software") == "fast"
    monkeypatch.setattr(targets, "find_spec", lambda name: None)
    assert targets.resolved("software") == "model"
    with connect("software", PARAMS) as device:
        assert isinstance(device.port, ModelPort)
    with pytest.raises(TargetError, match=r"pip install 'synloom\[fast\]'"):
        connect("fast", PARAMS)


def test_params_must_be_params():
    with pytest.raises(ParameterError, match="ArrayParams"):
        connect("model", {"neurons": 3})


def test_unknown_option_names_the_known():
    with pytest.raises(ParameterError, match="no option 'baud'; it has: timeout"):
        connect("sim", PARAMS, baud=9600)
    with pytest.raises(ParameterError, match="it has: none"):
        connect("model", PARAMS, speed=2)


@pytest.mark.parametrize(
    "options", [{"baud": -1}, {"baud": "fast"}, {"timeout": 0}, {"timeout": float("nan")}]
)
def test_option_of_a_wrong_value_is_named(options):
    with pytest.raises(ParameterError, match=next(iter(options))):
        connect("/dev/no-such-board", **options)


@pytest.mark.parametrize("name", ["nul\0", "\ud800", "x" * 5_000, "a/" * 5_000, "\n" * 1_000])
def test_a_name_that_no_port_has_is_refused_in_one_line(name):
    with pytest.raises(TargetError) as error:
        connect("/dev/" + name)
    assert len(str(error.value)) < 1_000
    assert str(error.value).isprintable()


def test_a_link_to_itself_is_no_port(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(TargetError, match="cannot be opened"):
        connect(str(loop))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": 10**400}, "timeout must be a number of seconds"),
        ({"timeout": 1e308}, "timeout must be a number of seconds above 0, at most 3600, not 1e"),
        ({"timeout": 3601}, "at most 3600, not 3601"),
        ({"baud": 10**5000}, "baud must be a whole number in 1..2147483647"),
        ({"baud": 1 << 31}, "not 2147483648"),
    ],
)
def test_an_option_is_small_enough_for_a_port(options, message, device_path):
    with pytest.raises(ParameterError, match=message):
        connect(device_path, **options)


def ports(monkeypatch, *devices):
    found = [SimpleNamespace(device=device, vid=None, serial_number=None) for device in devices]
    monkeypatch.setattr(list_ports, "comports", lambda: found)


def test_auto_finds_the_port_with_an_array(monkeypatch, device_path):
    ports(monkeypatch, "/dev/no-such-board", device_path)
    with connect("auto") as device:
        assert device.params == PARAMS


def test_auto_lists_what_it_tried(monkeypatch):
    ports(monkeypatch, "/dev/no-such-board", "/dev/nor-this")
    with pytest.raises(TargetError, match=r"(?s)/dev/no-such-board: .*/dev/nor-this: "):
        connect("auto")


def test_auto_without_ports_says_so(monkeypatch):
    ports(monkeypatch)
    with pytest.raises(TargetError, match="there is no serial port; plug in a board"):
        connect("auto")


BROKEN_NUMBA = """
import sys
sys.path.insert(0, {folder!r})
import synloom as sl
for target in ("software", "fast"):
    try:
        sl.connect(target)
    except sl.TargetError as error:
        print(error)
"""


def test_a_numba_that_does_not_work_is_told(tmp_path):
    """As when NumPy is newer than Numba allows, of which the import of Numba says so."""
    (tmp_path / "numba").mkdir()
    (tmp_path / "numba" / "__init__.py").write_text("raise ImportError('Numba needs NumPy 2.2 or less')")
    script = BROKEN_NUMBA.format(folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    for line in lines:
        assert "installed but does not work: Numba needs NumPy 2.2 or less; try: pip install" in line


def test_a_numba_that_an_import_hook_hides_is_missing(monkeypatch):
    class Hides:
        def find_spec(self, name, path=None, target=None):
            if name == "numba":
                raise ModuleNotFoundError(name)

    monkeypatch.delitem(sys.modules, "numba", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Hides(), *sys.meta_path])
    assert targets.resolved("software") == "model"
    with pytest.raises(TargetError, match="the fast engine needs Numba; install it"):
        connect("fast")
