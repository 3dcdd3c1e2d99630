"""Icepi Zero (v1.3): ECP5 in the shape of a Raspberry Pi Zero."""

from synloom_boards.arrays import LFE5U_25F
from synloom_boards.board import Board

__all__ = ["BOARDS"]

BOARDS = [
    Board(
        name="icepi-zero",
        title="Icepi Zero",
        chip="LFE5U-25F-6BG256C",
        family_name="ecp5",
        pins="amaranth_boards.icepi_zero:IcepiZero1_3Platform",
        clock="clk50",
        input_hz=50_000_000,
        pll="ecp5",
        params=LFE5U_25F,
        leds=3,
        placer=("--25k", "--package", "CABGA256", "--speed", "6"),
        loader=("-b", "icepi-zero"),
        usb="0403:6015",
        bridge_baud=3_000_000,  # FT231X data sheet, FT_000565
    )
]
