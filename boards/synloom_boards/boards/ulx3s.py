"""ULX3S, with a small or a large ECP5."""

from synloom.contract import ArrayParams
from synloom_boards.arrays import LFE5U_25F
from synloom_boards.board import Board

__all__ = ["BOARDS"]


def _ulx3s(size: str, option: str, identity: str, params: ArrayParams) -> Board:
    return Board(
        name=f"ulx3s-{size}",
        title=f"ULX3S {size.upper()}",
        chip=f"LFE5U-{size.upper()}-6BG381C",
        family_name="ecp5",
        pins=f"amaranth_boards.ulx3s:ULX3S_{size.upper()}_Platform",
        clock="clk25",
        input_hz=25_000_000,
        pll="ecp5",
        params=params,
        leds=3,
        placer=(option, "--package", "CABGA381", "--speed", "6"),
        packer=("--idcode", f"0x{identity}"),
        loader=("-b", "ulx3s"),
        usb="0403:6015",
        bridge_baud=3_000_000,  # FT231X data sheet, FT_000565
        # While it is low, the ESP32 restarts, and may load a design of its own.
        high=("esp32.gpio0",),
    )


BOARDS = [
    _ulx3s("25f", "--25k", "41111043", LFE5U_25F),
    _ulx3s(
        "85f",
        "--85k",
        "41113043",
        ArrayParams(
            neurons=512, lanes=16, neuron_lanes=2, state_bits=18, soft_bounds=False, clock_hz=65_000_000
        ),
    ),
]
