from random import Random

from core_benches import simulate
from naive_array import dither

from synloom_hdl.core.dither import Dither


def test_the_dither_follows_the_number_of_the_step_two_clocks_later():
    rng, dut = Random(1), Dither()
    steps = [0, 1, 2, 0xFFFF, 0x10000, 0xFFFFFFFF, *(rng.getrandbits(32) for _ in range(200))]
    words = []

    async def main(ctx):
        for now in [*steps, 0, 0]:
            ctx.set(dut.now, now)
            words.append(ctx.get(dut.word))
            await ctx.tick()

    simulate(dut, main)
    assert words[2:] == [dither(now, 0) for now in steps]
