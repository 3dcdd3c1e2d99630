"""Tang Nano 9K: Gowin GW1NR-9C."""

from synloom_boards.arrays import SMALL_PART
from synloom_boards.board import Board
from synloom_boards.fpga.pinout import Pinout

__all__ = ["BOARDS"]

BOARDS = [
    Board(
        name="tang-nano-9k",
        title="Tang Nano 9K",
        chip="GW1NR-LV9QN88PC6/I5",
        family_name="gowin",
        # The platform has the LEDs at 3.3 V, but their bank has 1.8 V.
        pins=Pinout(
            base="amaranth_boards.tang_nano_9k:TangNano9kPlatform",
            leds="10 11 13",
            leds_low=True,
            attributes={"IO_TYPE": "LVCMOS18"},
        ),
        clock="clk27",
        input_hz=27_000_000,
        pll="gw1nr-9",
        params=SMALL_PART.replace(
            neurons=128,
            lanes=2,
            record_words=512,
            spike_counters=False,
            single_port=False,
            clock_hz=63_000_000,
        ),
        leds=3,
        distributed_bits=1535,
        placer=("--device", "GW1NR-LV9QN88PC6/I5", "--vopt", "family=GW1N-9C"),
        packer=("-d", "GW1N-9C"),
        loader=("-b", "tangnano9k"),
        usb="0403:6010",
    )
]
