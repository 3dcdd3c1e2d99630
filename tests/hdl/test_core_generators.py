from random import Random

import pytest
from core_benches import dump, load, simulate, ticks
from link_benches import receive
from naive_array import bernoulli, later, regular

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
        self.state = 0x0123456789ABCDEF
        self.now = 0
        self.words = []

    async def take(self, ctx):
        await receive(ctx, self.dut.bits, self.words.append, self.rng, self.pause)

    async def fill(self, ctx):
        await load(ctx, self.dut.rates, 0, self.rates)
        await load(ctx, self.dut.phases, 0, self.phases)
        ctx.set(self.dut.rng, self.state)

    async def draw(self, ctx, words):
        """Make the spikes of one step; returns the ids."""
        dut = self.dut
        self.words.clear()
        ctx.set(dut.words, words)
        ctx.set(dut.now, self.now)
        ctx.set(dut.start, 1)
        await ctx.tick()
        ctx.set(dut.start, 0)
        while len(self.words) < words:
            await ctx.tick()
        await ticks(ctx, 15)
        assert len(self.words) == words
        return [16 * k + bit for k, word in enumerate(self.words) for bit in range(16) if word >> bit & 1]

    async def keep(self, ctx):
        """Keep the generator's register."""
        while True:
            *_, advances, following = await ctx.tick().sample(self.dut.rng_en, self.dut.rng_next)
            if advances:
                self.state = following
                ctx.set(self.dut.rng, following)

    def expected(self, words):
        """Return the next state and the ids that spike; the phases advance, and so does the step."""
        state, ids = self.state, []
        for i in range(16 * words):
            if self.rates[i] & REGULAR:
                spikes, self.phases[i] = regular(self.rates[i], self.phases[i], self.now)
            else:
                spikes = bernoulli(self.rates[i], state & 0x3FFFFFFF)
            ids += [i] * spikes
            state = later(state, 30)
        return state, ids

    def run(self, main):
        simulate(self.dut, main, background=[self.take, self.keep])


@pytest.mark.parametrize("pause", [0.0, 0.7])
def test_both_kinds_spike_as_the_naive_array(pause):
    bench = Bench(pause=pause)
    rng = bench.rng
    corners = [0, 1, 0xFFE, 0xFFF, 0x7FFE, 0x7FFF, 0x6FFF, 0x5FFF, 0x0FFF, 0x1FFF]
    bench.rates = [rng.choice([*corners, rng.getrandbits(15)]) | rng.randrange(2) << 15 for _ in bench.rates]
    near = [(rate & 0xFFF) - rng.randrange(3) & 0x1FFF for rate in bench.rates]
    bench.phases = [rng.choice([0, 0x1FFF, rng.getrandbits(13), phase]) for phase in near]
    spikes = 0

    async def main(ctx):
        nonlocal spikes
        await bench.fill(ctx)
        for now in (0, 7, 63, 0x1FF, 0xFFF, 0xFFFFFFFF, 8, 0x1000FFF):
            for words in (WORDS, 0, 1, 2, WORDS):
                bench.now = now
                state, ids = bench.expected(words)
                assert await bench.draw(ctx, words) == ids
                assert bench.state == state
                spikes += len(ids)
        assert await dump(ctx, bench.dut.phases, 0, len(bench.phases)) == bench.phases

    bench.run(main)
    assert spikes > 100


@pytest.mark.parametrize("exponent", range(1, 8))
def test_rates_of_every_exponent_spike_as_the_naive_array(exponent):
    bench = Bench()
    bench.rates = [exponent << 12 | bench.rng.randint(2048, 4094) for _ in bench.rates]
    # A state with the spikes that are too rare to wait for: a number that begins with zeros.
    bits = 12 + 3 * min(7 - exponent, 6)
    bench.state = bench.rng.getrandbits(64 - 30) << 30 | bench.rng.getrandbits(30 - bits) << bits | 0x7FF

    async def main(ctx):
        await bench.fill(ctx)
        for n in range(6):
            state, ids = bench.expected(WORDS)
            assert await bench.draw(ctx, WORDS) == ids
            assert bench.state == state
            assert n or 0 in ids

    bench.run(main)


def test_a_regular_generator_spikes_once_in_each_period():
    bench = Bench()
    periods = {0: 1, 17: 2, 39: 5, 5: 7.5}
    for i, period in periods.items():
        bench.rates[i] = REGULAR | 7 << 12 | int(512 * period)
    steps = {i: [] for i in periods}

    async def main(ctx):
        await bench.fill(ctx)
        for bench.now in range(32):
            for i in await bench.draw(ctx, WORDS):
                steps[i].append(bench.now)

    bench.run(main)
    assert steps == {i: [t for t in range(1, 32) if t % p < 1] for i, p in periods.items()}


def test_a_full_rate_always_spikes_and_none_never():
    bench = Bench()
    bench.rates = [0x7FFF * (i % 3 == 0) for i in range(16 * WORDS)]
    # Input 0 draws the largest number that there is.
    bench.state = 0x3FFFFFFF

    async def main(ctx):
        await bench.fill(ctx)
        for _ in range(10):
            assert await bench.draw(ctx, WORDS) == list(range(0, 16 * WORDS, 3))

    bench.run(main)


@pytest.mark.parametrize("words", [1, WORDS])
def test_after_a_step_without_rates_numbers_are_used_up_but_no_word_is_offered(words):
    bench = Bench()
    # An exponent alone is no rate.
    bench.rates = [bench.rng.randrange(8) << 12 for _ in bench.rates]

    async def rest(ctx):
        """Return the clocks of a silent step, from its start to its end."""
        dut, clocks = bench.dut, 0
        state, ids = bench.expected(words)
        assert ids == []
        bench.words.clear()
        ctx.set(dut.start, 1)
        await ctx.tick()
        ctx.set(dut.start, 0)
        await ticks(ctx, 1)
        while ctx.get(dut.busy):
            clocks += 1
            assert ctx.get(dut.silent)
            assert ctx.get(dut.bits.payload) == 0
            await ctx.tick()
        await ticks(ctx, 10)
        assert bench.words == []
        assert bench.state == state
        return clocks

    async def main(ctx):
        await bench.fill(ctx)
        for rate in (0x7FFF, 0x0001, REGULAR, REGULAR | 0x7000):
            for _ in range(2):
                # The host has written; so the rates are read.
                ctx.set(bench.dut.written, 1)
                await ctx.tick()
                ctx.set(bench.dut.written, 0)
                for _ in range(2 if bench.rates[15] & ~0x7000 else 1):
                    state, ids = bench.expected(words)
                    assert await bench.draw(ctx, words) == ids
                    assert (bench.state, ctx.get(bench.dut.silent)) == (state, 0)
                if bench.rates[15] & ~0x7000:
                    bench.rates[15] = 0
                    await load(ctx, bench.dut.rates, 15, [0])
                else:
                    for _ in range(3):
                        assert await rest(ctx) == 4 * words
                    bench.rates[15] = rate
                    await load(ctx, bench.dut.rates, 15, [rate])

    bench.run(main)
