"""Tang Nano 20K: Gowin GW2AR-18C."""

from synloom.contract import ArrayParams
from synloom_boards.board import Board
from synloom_boards.fpga.pinout import Pinout

__all__ = ["BOARDS"]

BOARDS = [
    Board(
        name="tang-nano-20k",
        title="Tang Nano 20K",
        chip="GW2AR-LV18QN88C8/I7",
        family_name="gowin",
        pins=Pinout(
            part={"part": "GW2AR-LV18QN88C8/I7", "family": "GW2AR-18C"},
            clock="4",
            rx="70",
            tx="69",
            leds="15 16 17",
            leds_low=True,
            attributes={"IO_TYPE": "LVCMOS33"},
        ),
        clock="clk27",
        input_hz=27_000_000,
        pll="gw2ar-18",
        params=ArrayParams(
            neurons=224,
            lanes=4,
            neuron_lanes=1,
            state_bits=16,
            trace_bits=12,
            accumulator_bits=16,
            record_words=1024,
            event_words=512,
            counter_bits=24,
            soft_bounds=False,
            adaptation=False,
            clock_hz=108_000_000,
        ),
        leds=3,
        placer=("--device", "GW2AR-LV18QN88C8/I7", "--vopt", "family=GW2A-18C"),
        packer=("-d", "GW2A-18C"),
        loader=("-b", "tangnano20k"),
        usb="0403:6010",
    )
]
