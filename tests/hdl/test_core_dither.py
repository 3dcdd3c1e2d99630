from random import Random

import pytest
from core_benches import simulate
from naive_array import dither

from synloom.contract import ArrayParams
from synloom_hdl.core.dither import Dither


@pytest.mark.parametrize("clock_hz", [48_000_000, 20_000_000])
def test_the_dither_is_that_of_the_step_two_clocks_after_its_number_has_come(clock_hz):
    params = ArrayParams(neuron_lanes=1, single_port=True, serial_neurons=True, clock_hz=clock_hz)
    rng, dut = Random(1), Dither(params)
    steps = [0, 1, 2, 0xFFFF, 0x10000, 0xFFFFFFFF, *(rng.getrandbits(32) for _ in range(200))]
    words = []

    async def main(ctx):
        for now in steps:
            ctx.set(dut.now, now)
            await ctx.tick().repeat(2)
            words.append(ctx.get(dut.word))
            await ctx.tick().repeat(rng.randrange(1, 4))
            words.append(ctx.get(dut.word))

    simulate(dut, main)
    assert words == [dither(now, 0) for now in steps for _ in range(2)]
