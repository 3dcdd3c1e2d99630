"""iCEBreaker: iCE40UP5K, with all weights in its SPRAM."""

from synloom_boards.arrays import UP5K
from synloom_boards.board import Board

__all__ = ["BOARDS"]

BOARDS = [
    Board(
        name="icebreaker",
        title="iCEBreaker",
        chip="iCE40UP5K-SG48",
        family_name="ice40",
        pins="amaranth_boards.icebreaker:ICEBreakerPlatform",
        clock="clk12",
        input_hz=12_000_000,
        pll="ice40",
        params=UP5K,
        leds=2,
        placer=("--up5k", "--package", "sg48"),
        loader=("-b", "ice40_generic"),
        usb="0403:6010",
        bridge_baud=12_000_000,  # FT2232H data sheet, FT_000061
        volatile=False,
    )
]
