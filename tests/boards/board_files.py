"""Files that describe boards, as users write them."""

__all__ = ["board_file"]

FIELDS = {
    "name": "'mine'",
    "title": "'My board'",
    "chip": "'LFE5U-25F-6BG256C'",
    "family_name": "'ecp5'",
    "pins": (
        "Pinout(part={'device': 'LFE5U-25F', 'package': 'BG256', 'speed': '6'}, clock='P6', rx='A9', "
        "tx='B9', leds='B11 A11', attributes={'IO_TYPE': 'LVCMOS33'})"
    ),
    "clock": "'clk25'",
    "input_hz": "25_000_000",
    "pll": "'ecp5'",
    "params": "ArrayParams(neurons=16, clock_hz=50_000_000)",
    "leds": "2",
    "placer": "('--25k',)",
    "loader": "('-b', 'ulx3s')",
    "usb": "'1d50:602b'",
}

HEAD = """\
from synloom.contract import ArrayParams
from synloom_boards.board import Board
from synloom_boards.fpga.pinout import Pinout
"""


def board_file(folder, file="mine.py", *, before="", **fields):
    """Write a file with one board; fields are Python, or None to leave one out. Return its path."""
    values = {**FIELDS, **fields}
    listed = ", ".join(f"{name}={value}" for name, value in values.items() if value is not None)
    path = folder / file
    path.write_text(f"{HEAD}{before}\nBOARDS = [\n    Board({listed})\n]\n", encoding="utf-8")
    return path
