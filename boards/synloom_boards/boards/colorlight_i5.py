"""Colorlight i5 (V7.0) on its extension board: an LED panel controller with an ECP5."""

from synloom_boards.arrays import LFE5U_25F
from synloom_boards.board import Board
from synloom_boards.fpga.pinout import Pinout

__all__ = ["BOARDS"]

BOARDS = [
    Board(
        name="colorlight-i5",
        title="Colorlight i5",
        chip="LFE5U-25F-6BG381C",
        family_name="ecp5",
        # The extension board's CMSIS-DAP has the serial port.
        pins=Pinout(
            part={"device": "LFE5U-25F", "package": "BG381", "speed": "6"},
            clock="P3",
            rx="H18",
            tx="J17",
            leds="U16",
            leds_low=True,
            attributes={"IO_TYPE": "LVCMOS33"},
        ),
        clock="clk25",
        input_hz=25_000_000,
        pll="ecp5",
        params=LFE5U_25F,
        leds=1,
        placer=("--25k", "--package", "CABGA381", "--speed", "6"),
        loader=("-b", "colorlight-i5"),
        usb="0d28:0204",
    )
]
