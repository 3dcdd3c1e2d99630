"""iCEBreaker: iCE40UP5K, with all weights in its SPRAM."""

from synloom.contract import ArrayParams
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
        params=ArrayParams(
            inputs=256,
            neurons=256,
            lanes=1,
            neuron_lanes=1,
            state_bits=16,
            trace_bits=8,
            accumulator_bits=16,
            delay_slots=8,
            segments=32,
            probes=1,
            record_words=256,
            event_words=256,
            counter_bits=16,
            soft_bounds=False,
            reward=False,
            adaptation=False,
            generators=False,
            single_port=True,
            serial_neurons=True,
            clock_hz=24_000_000,
        ),
        leds=2,
        placer=("--up5k", "--package", "sg48"),
        loader=("-b", "ice40_generic"),
        usb="0403:6010",
        volatile=False,
    )
]
