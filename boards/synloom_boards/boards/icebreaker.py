"""iCEBreaker: iCE40UP5K, with all weights in its SPRAM."""

from synloom_boards.arrays import SMALL_PART
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
        params=SMALL_PART.replace(
            inputs=256, neurons=256, delay_slots=8, record_words=256, clock_hz=24_000_000
        ),
        leds=2,
        placer=("--up5k", "--package", "sg48"),
        loader=("-b", "ice40_generic"),
        usb="0403:6010",
        volatile=False,
    )
]
