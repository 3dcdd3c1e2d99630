"""Boards of users' files and packages: they work, and every mistake is one line that names the file."""

import json
from importlib import metadata
from pathlib import Path

import pytest
from board_files import HEAD, board_file
from small_boards import SMALL

from synloom.base.errors import ParameterError
from synloom.cli.main import main
from synloom_boards.bitstreams.elaboration import make_plan
from synloom_boards.boards import board_names
from synloom_boards.catalogue import GROUP, find_board, read_board_file, read_catalogue
from synloom_boards.netlist.__main__ import design_of

SINGLE = {**SMALL, "single_port": True, "serial_neurons": True, "soft_bounds": False, "clock_hz": 24_000_000}
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "winner_take_all.toml"


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def test_a_board_of_a_file_is_one_of_the_boards(capsys, tmp_path):
    file = board_file(tmp_path)
    code, out, _ = run(capsys, "boards", "--board-file", file, "--json")
    assert code == 0
    row = json.loads(out)[-1]
    assert (row["name"], row["title"], row["source"], row["fmax"]) == ("mine", "My board", str(file), None)
    code, out, _ = run(capsys, "boards", "--board-file", file)
    assert code == 0
    assert f"mine            My board, LFE5U-25F-6BG256C\n  from      {file}\n" in out
    assert "50 MHz (not built yet)" in out


def test_an_estimate_counts_it(capsys, tmp_path):
    file = board_file(tmp_path, params="ArrayParams(neurons=256, clock_hz=50_000_000)")
    found = json.loads(run(capsys, "estimate", EXAMPLE, "--board-file", file, "--json")[1])["boards"]
    assert [entry["board"] for entry in found] == [*board_names(), "mine"]
    assert found[-1]["fits"]


def test_its_design_has_its_pins(tmp_path):
    board = find_board("mine", [board_file(tmp_path)])
    plan = make_plan(board, board.array.replace(**SMALL))
    lines = plan.constraints["top.lpf"]
    assert 'LOCATE COMP "uart_0__rx__io" SITE "A9";' in lines
    assert 'LOCATE COMP "led_1__io" SITE "A11";' in lines


def test_its_verilog_has_its_array(capsys, tmp_path):
    file = board_file(tmp_path, params=f"ArrayParams(**{SMALL})")
    code, out, _ = run(capsys, "verilog", "--board-file", file)
    assert code == 0
    assert "// board: My board (LFE5U-25F-6BG256C)\n" in out
    assert "//   neurons = 16\n" in out


def test_its_netlist_depends_on_the_file(tmp_path):
    def design():
        return design_of("mine", small=True, board_files=[board_file(tmp_path, before=before)])

    before = ""
    key = design().key()
    assert (design().board, design().key()) == ("mine", key)
    before = "X = 1"
    assert design().key() != key


@pytest.mark.parametrize(
    ("name", "base", "pins", "lacks"),
    [
        (
            "orangecrab",
            "orangecrab_r0_2:OrangeCrabR0_2Platform",
            {"rx": "io_0:0", "tx": "io_0:1", "leds": "K4"},
            "uart",
        ),
        ("fomu", "fomu_pvt:FomuPVTPlatform", {"rx": "E4", "tx": "D5"}, "uart"),
    ],
)
def test_a_platform_without_a_serial_port_works_if_the_board_says_its_pins(tmp_path, name, base, pins, lacks):
    ecp5 = name == "orangecrab"
    fields = {
        "clock": "'clk'" if ecp5 else "'clk48'",
        "input_hz": "48_000_000",
        "leds": "1",
        "family_name": "'ecp5'" if ecp5 else "'ice40'",
        "pll": "'ecp5'" if ecp5 else "'ice40'",
        "params": f"ArrayParams(**{SINGLE})",
    }
    platform = f"amaranth_boards.{base}"
    with pytest.raises(
        ParameterError, match=rf"mine\.py: mine: the platform has no .*'{lacks}' .*Pinout\(base"
    ):
        read_board_file(board_file(tmp_path, pins=repr(platform), **fields))
    said = ", ".join(f"{key}={value!r}" for key, value in pins.items())
    board = find_board("mine", [board_file(tmp_path, pins=f"Pinout(base={platform!r}, {said})", **fields)])
    plan = make_plan(board, board.array.replace(**SINGLE))
    assert "uart_0__rx__io" in "".join(plan.constraints.values())


def test_a_platform_may_be_a_class_of_the_file_or_of_a_module_beside_it(tmp_path):
    (tmp_path / "pins_of_mine.py").write_text(
        "from amaranth_boards.ulx3s import ULX3S_25F_Platform\nclass Mine(ULX3S_25F_Platform):\n    pass\n"
    )
    before = "from pins_of_mine import Mine"
    board = find_board("mine", [board_file(tmp_path, before=before, pins="Mine")])
    assert type(board.platform()).__name__ == "Mine"
    board = find_board("mine", [board_file(tmp_path, pins="'pins_of_mine:Mine'")])
    assert type(board.platform()).__name__ == "Mine"


FIELD_MISTAKES = {
    "name": ("'My Board'", "name must be small letters and digits .*, not 'My Board'"),
    "title": ("3", "title must be a text of one line, not 3"),
    "family_name": (
        "'epc5'",
        r"family_name must be one of ice40, ecp5, gowin, not 'epc5' \(did you mean ecp5\?\)",
    ),
    "pins": ("7", "pins must be a Pinout, or an Amaranth platform: .*, not 7"),
    "clock": ("None", r"missing 1 required keyword-only argument: 'clock'|clock must be the name"),
    "input_hz": ("25e6", "input_hz must be a whole number of Hz .*, not 25000000.0"),
    "pll": ("'ecp6'", r"pll must be one of .*, not 'ecp6' \(did you mean ecp5\?\)"),
    "params": ("{'neurons': 3}", r"params must be ArrayParams\(...\), not \{'neurons': 3\}"),
    "leds": ("0", r"leds must be a whole number in 1\.\.64, not 0"),
    "placer": ("'--25k'", "placer must be a list of texts, .*, not '--25k'"),
    "loader": ("[1]", r"loader must be a list of texts, .*, not \[1\]"),
    "loader_tool": ("'hammer'", "loader_tool must be one of openFPGALoader, .*, not 'hammer'"),
    "usb": ("'1D50:602B'", "usb must be 'vendor:product', each four small hex digits.*, not '1D50:602B'"),
    "volatile": ("'no'", "volatile must be True or False, not 'no'"),
    "high": ("'en'", "high must be a list of names of resources, not 'en'"),
}


@pytest.mark.parametrize("field", FIELD_MISTAKES)
def test_a_wrong_field_is_one_line(capsys, tmp_path, field):
    value, message = FIELD_MISTAKES[field]
    file = board_file(tmp_path, **{field: value})
    refused(capsys, file, message)


PINOUT = (
    "Pinout(part={'device': 'LFE5U-25F', 'package': 'BG256', 'speed': '6'}, clock='P6', rx='A9', tx='B9', "
    "leds='B11 A11')"
)
ULX3S = "'amaranth_boards.ulx3s:ULX3S_25F_Platform'"

FILES = {
    "syntax": ("BOARDS = [\n", "line 1: this is no Python: "),
    "no text": ("BOARDS = []\0", "this is no Python"),
    "empty": ("", r"there is no BOARDS; give it BOARDS = \[Board\(...\), ...\]"),
    "no list": ("BOARDS = 5\n", "BOARDS must be a list of boards, not 5"),
    "no boards": ("BOARDS = []\n", r"BOARDS must be a list of boards, not \[\]"),
    "no Board": ("BOARDS = ['mine']\n", r"BOARDS\[0\] must be a Board, not 'mine'"),
    "exception": ("x = 1\nraise KeyError('boo')\n", r"line 2: KeyError: 'boo'"),
    "lines": ("raise ValueError('one\\ntwo')\n", r"line 1: ValueError: one\\ntwo"),
    "exit": ("import sys\nsys.exit('bye')\n", r"line 2: it ends the program \(bye\)"),
    "import": ("import no_such_module\n", "line 1: ModuleNotFoundError: No module named 'no_such_module'"),
    "parameter": (f"{HEAD}ArrayParams(lanes=3)\n", "line 4: lanes must be one of 1, 2, 4, 8, 16, 32, not 3"),
    "field": (f"{HEAD}Board(nam='x')\n", "line 4: TypeError: .*unexpected keyword argument 'nam'"),
}


def refused(capsys, file, message):
    """Check that each command refuses a file with one line, and that other boards are still there."""
    code, out, err = run(capsys, "boards", "--board-file", file, "--json")
    assert [row["name"] for row in json.loads(out)] == list(board_names())
    assert code == 1
    assert err.startswith(f"warning: left out: {file}")
    assert err.count("\n") == 1
    for arguments in (["build", "mine"], ["build"], ["flash", "mine"], ["verilog", "--board", "mine"]):
        code, out, err = run(capsys, *arguments, "--board-file", file)
        assert (code, out, err.count("\n")) == (1, "", 1), err
        assert err.startswith(f"error: {file}")
    with pytest.raises(ParameterError, match=message) as caught:
        read_board_file(file)
    assert str(caught.value).startswith(str(file))
    code, _, err = run(capsys, "estimate", EXAMPLE, "--board-file", file, "--json")
    assert code == 0
    assert err.startswith(f"warning: left out: {file}")


@pytest.mark.parametrize("mistake", FILES)
def test_a_wrong_file_is_one_line(capsys, tmp_path, mistake):
    text, message = FILES[mistake]
    file = tmp_path / "mine.py"
    file.write_text(text)
    refused(capsys, file, message)


PLATFORMS = {
    "no module": (
        {"pins": "'no_such_module:X'"},
        "the platform cannot be imported: No module named 'no_such_module'",
    ),
    "no class": (
        {"pins": "'amaranth_boards.ulx3s:X'"},
        "the module 'amaranth_boards.ulx3s' has no platform 'X'",
    ),
    "no board": (
        {"pins": "'amaranth_boards.ulx4s:X'"},
        "the platform cannot be imported: No module named 'amaranth_boards.ulx4s'",
    ),
    "no platform": ({"pins": "'json:JSONDecoder'"}, "'json:JSONDecoder' is no Amaranth platform"),
    "clock": ({"pins": ULX3S, "clock": "'clk26'"}, r"has no clock 'clk26' \(clocks are: clk25\)"),
    "leds": ({"pins": ULX3S, "leds": "9"}, "has 8 of 9 LEDs 'led'; say their pins: .*, or set leds=8"),
    "high": ({"pins": ULX3S, "high": "['esp32.gpio7']"}, "has no 'esp32.gpio7' to drive high"),
    "pins": ({"pins": PINOUT.replace("tx='B9', ", "")}, "a Pinout has both rx and tx"),
    "all pins": (
        {"pins": PINOUT.replace("clock='P6', ", "")},
        "a Pinout with part has all pins; it lacks clock",
    ),
    "part": ({"pins": "Pinout(rx='A', tx='B')"}, "a Pinout has either part, .*, or base"),
    "clock out of reach": ({"input_hz": "1_000_000"}, "the PLL cannot work with a clock of 1 MHz"),
    "connector": ({"pins": f"Pinout(base={ULX3S}, rx='gpoi_0:0', tx='gpio_0:1')"}, "mine: .*gpoi"),
    "twice": ({"pins": PINOUT.replace("A9", "B9")}, "mine: .*B9"),
}


@pytest.mark.parametrize("mistake", PLATFORMS)
def test_a_wrong_platform_is_one_line(capsys, tmp_path, mistake):
    fields, message = PLATFORMS[mistake]
    file = board_file(tmp_path, **fields)
    refused(capsys, file, message)


def test_two_boards_with_one_name_are_refused(capsys, tmp_path):
    file = board_file(tmp_path, name="'icebreaker'")
    told = f"{file}: there is a board 'icebreaker' in Synloom, too; give it another name"
    assert read_catalogue([file]).problems == (told,)
    with pytest.raises(ParameterError) as caught:
        find_board("icebreaker", [file])
    assert str(caught.value) == told
    both = [board_file(tmp_path, "a.py"), board_file(tmp_path, "b.py")]
    assert read_catalogue(both).problems == (
        f"{both[1]}: there is a board 'mine' in {both[0]}, too; give it another name",
    )
    twice = tmp_path / "twice.py"
    twice.write_text(board_file(tmp_path).read_text() + "BOARDS *= 2\n")
    with pytest.raises(ParameterError, match=r"twice\.py: there is a board 'mine' twice"):
        read_board_file(twice)


def test_a_missing_file_is_told(capsys, tmp_path):
    code, _, err = run(capsys, "build", "mine", "--board-file", tmp_path / "nowhere.py")
    assert (code, err) == (
        1,
        f"error: {tmp_path}/nowhere.py: the file cannot be read: No such file or directory\n",
    )
    code, _, err = run(capsys, "build", "mine", "--board-file", tmp_path)
    assert (code, err) == (1, f"error: {tmp_path}: the file cannot be read: Is a directory\n")


def test_a_name_may_be_left_out_with_one_board_only(capsys, tmp_path):
    code, _, err = run(capsys, "build")
    assert code == 2
    assert "Missing argument 'BOARD'" in err
    files = [
        "--board-file",
        board_file(tmp_path),
        "--board-file",
        board_file(tmp_path, "b.py", name="'other'"),
    ]
    code, _, err = run(capsys, "build", *files)
    assert code == 1
    assert "2 boards are there; name one of them: mine, other" in err


def test_a_file_is_built_with_stand_ins(capsys, tmp_path, flow):
    file = board_file(
        tmp_path,
        chip="'iCE40UP5K-SG48'",
        family_name="'ice40'",
        pins="'amaranth_boards.icebreaker:ICEBreakerPlatform'",
        clock="'clk12'",
        input_hz="12_000_000",
        pll="'ice40'",
        params=f"ArrayParams(**{SINGLE})",
    )
    flow()
    code, out, err = run(capsys, "build", "--board-file", file, "--seed", 1)
    assert code == 0, err
    assert "top.bin" in out


class Package:
    """An installed package with an entry point."""

    def __init__(self, monkeypatch, *entries):
        found = [metadata.EntryPoint(name, value, GROUP) for name, value in entries]
        monkeypatch.setattr("importlib.metadata.entry_points", lambda group: found if group == GROUP else [])


def test_boards_of_packages_are_found_and_a_bad_one_keeps_none_out(capsys, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    board_file(tmp_path, "good_boards.py", name="'good'")
    (tmp_path / "bad_boards.py").write_text("1 / 0\n")
    Package(
        monkeypatch,
        ("bad", "bad_boards"),
        ("gone", "no_such_package"),
        ("good", "good_boards"),
        ("good", "good_boards"),
    )
    code, out, err = run(capsys, "boards", "--json")
    assert code == 0
    assert [row["name"] for row in json.loads(out)] == [*board_names(), "good"]
    first, second = err.splitlines()
    assert first.startswith("warning: left out: bad_boards (boards 'bad' of an unknown package)")
    assert first.endswith("ZeroDivisionError: division by zero")
    assert "ModuleNotFoundError: No module named 'no_such_package'" in second
    assert find_board("good").source.startswith("good_boards")
    with pytest.raises(
        ParameterError, match=r"no board 'goud' \(did you mean good\?\); .*; left out: bad_boards"
    ):
        find_board("goud")


def test_synlooms_own_boards_load_no_package(monkeypatch):
    def fail(group):
        raise AssertionError("entry points were read")

    monkeypatch.setattr("importlib.metadata.entry_points", fail)
    assert find_board("icebreaker").name == "icebreaker"
