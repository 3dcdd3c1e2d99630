from random import Random

import pytest
from core_benches import simulate
from naive_array import dither

from synloom.contract import ArrayParams
from synloom_hdl.core.dither import Dither


@pytest.mark.parametrize(("clock_hz", "clocks"), [(48_000_000, 2), (20_000_000, 1)])
def test_the_dither_follows_the_number_of_the_step(clock_hz, clocks):
    params = ArrayParams(neuron_lanes=1, single_port=True, serial_neurons=True, clock_hz=clock_hz)
    rng, dut = Random(1), Dither(params)
    steps = [0, 1, 2, 0xFFFF, 0x10000, 0xFFFFFFFF, *(rng.getrandbits(32) for _ in range(200))]
    words = []

    async def main(ctx):
        for now in [*steps, 0, 0]:
            ctx.set(dut.now, now)
            words.append(ctx.get(dut.word))
            await ctx.tick()

    simulate(dut, main)
    assert words[clocks : clocks + len(steps)] == [dither(now, 0) for now in steps]
