from itertools import count
from random import Random

import pytest
from core_benches import dump, load, simulate, ticks
from link_benches import receive
from naive_array import field_word, xorshift32

from synloom.contract import ArrayParams
from synloom_hdl.core.generators import Generators

INPUTS = 40
WORDS = 3
REGULAR = 1 << 15


class Bench:
    """Generators, and the same in integers."""

    def __init__(self, seed=1, pause=0.0):
        self.params = ArrayParams(inputs=INPUTS, neurons=3)
        self.dut = Generators(self.params)
        self.rng = Random(seed)
        self.pause = pause
        self.rates = [0] * 16 * WORDS
        self.phases = [0] * 16 * WORDS
        self.state = 0x12345678
        self.words = []

    async def take(self, ctx):
        await receive(ctx, self.dut.bits, self.words.append, self.rng, self.pause)

    async def fill(self, ctx):
        await load(ctx, self.dut.rates, 0, self.rates)
        await load(ctx, self.dut.phases, 0, self.phases)

    async def draw(self, ctx, words):
        """Make the spikes of one step; returns the ids."""
        dut = self.dut
        self.words.clear()
        ctx.set(dut.words, words)
        ctx.set(dut.rng, self.state)
        ctx.set(dut.start, 1)
        await ctx.tick()
        ctx.set(dut.start, 0)
        *_, advances, following = await ctx.tick().sample(dut.rng_en, dut.rng_next)
        if advances:
            self.state = following
            ctx.set(dut.rng, following)
        while len(self.words) < words:
            await ctx.tick()
        await ticks(ctx, 15)
        assert len(self.words) == words
        return [16 * k + bit for k, word in enumerate(self.words) for bit in range(16) if word >> bit & 1]

    def expected(self, state, words):
        """Return the next state and the ids that spike; the phases advance."""
        if not words:
            return state, []
        state = xorshift32(state)
        ids = []
        for i in range(16 * words):
            rate = self.rates[i] & 0x7FFF
            if self.rates[i] & REGULAR:
                phase = self.phases[i] + rate
                self.phases[i] = phase & 0x7FFF
                spikes = phase >> 15
            else:
                spikes = rate == 0x7FFF or field_word(state, 15 * i, 15) < rate
            ids += [i] * spikes
        return state, ids

    def run(self, main):
        simulate(self.dut, main, background=[self.take])


@pytest.mark.parametrize("pause", [0.0, 0.7])
def test_both_kinds_spike_as_the_naive_array(pause):
    bench = Bench(pause=pause)
    rng = bench.rng
    corners = [0, 1, 0x3FFF, 0x4000, 0x7FFE, 0x7FFF]
    bench.rates = [rng.choice([*corners, rng.getrandbits(15)]) | rng.randrange(2) << 15 for _ in bench.rates]
    bench.phases = [rng.choice([0, 0x7FFF, rng.getrandbits(15)]) for _ in bench.phases]

    async def main(ctx):
        await bench.fill(ctx)
        for words in [WORDS, 0, 1, 2, *[WORDS] * 12]:
            state, ids = bench.expected(bench.state, words)
            assert await bench.draw(ctx, words) == ids
            assert bench.state == state
        assert await dump(ctx, bench.dut.phases, 0, len(bench.phases)) == bench.phases

    bench.run(main)


def test_a_regular_generator_keeps_its_rate_exactly():
    bench = Bench()
    rates = {0: 0x2000, 17: 0x5555, 39: 0x7FFF, 5: 1}
    for i, rate in rates.items():
        bench.rates[i] = rate | REGULAR
    spikes = dict.fromkeys(rates, 0)

    async def main(ctx):
        await bench.fill(ctx)
        for _ in range(32):
            for i in await bench.draw(ctx, WORDS):
                spikes[i] += 1

    bench.run(main)
    assert spikes == {i: 32 * rate >> 15 for i, rate in rates.items()}


def test_a_full_rate_always_spikes_and_none_never():
    bench = Bench()
    bench.rates = [0x7FFF * (i % 3 == 0) for i in range(16 * WORDS)]
    # Input 0 draws the largest number that there is.
    bench.state = next(state for state in count(1) if xorshift32(state) & 0x7FFF == 0x7FFF)

    async def main(ctx):
        await bench.fill(ctx)
        for _ in range(10):
            assert await bench.draw(ctx, WORDS) == list(range(0, 16 * WORDS, 3))

    bench.run(main)
