from random import Random

import pytest
from core_benches import simulate, ticks
from link_benches import receive, send

from synloom_hdl.core.scanner import BitScanner


class Bench:
    """A scanner over a bitmap; `ids` and `taken` are what came out."""

    def __init__(self, words, seed=0, pause=0.0):
        self.dut = BitScanner(words)
        self.rng = Random(seed)
        self.pause = pause
        self.bitmap = [0] * words
        self.ids, self.taken = [], []

    async def memory(self, ctx):
        """Give a word in the clock after it is asked for, and keep it."""
        dut = self.dut
        while True:
            *_, en, index = await ctx.tick().sample(dut.read_en, dut.read_index)
            if en:
                ctx.set(dut.word, self.bitmap[index])

    async def watch(self, ctx):
        dut = self.dut
        while True:
            ctx.set(dut.hold, self.rng.random() < self.pause)
            *_, taken, hold, index, word = await ctx.tick().sample(
                dut.taken, dut.hold, dut.taken_index, dut.taken_word
            )
            if taken:
                assert not hold
                self.taken.append((index, word))
                # Whoever clears a word that was taken must not disturb the scan.
                self.bitmap[index] = 0

    async def take(self, ctx):
        await receive(ctx, self.dut.ids, self.ids.append, self.rng, self.pause)

    async def scan(self, ctx, extra=()):
        """Scan once; return the clocks that it took."""
        dut = self.dut
        self.ids.clear()
        self.taken.clear()
        ctx.set(dut.extra_words, len(extra))
        ctx.set(dut.start, 1)
        await ctx.tick()
        ctx.set(dut.start, 0)
        await send(ctx, dut.extra, extra, self.rng, self.pause)
        clocks, busy = 0, 1
        while busy:
            *_, busy = await ctx.tick().sample(dut.busy)
            clocks += busy
        return clocks

    def run(self, main):
        simulate(self.dut, main, background=[self.memory, self.watch, self.take])


def ids_of(words):
    return [16 * index + bit for index, word in enumerate(words) for bit in range(16) if word >> bit & 1]


@pytest.mark.parametrize("words", [1, 2, 5])
@pytest.mark.parametrize("pause", [0.0, 0.5])
def test_streams_every_one_in_order_whatever_waits(words, pause):
    bench = Bench(words, seed=words, pause=pause)
    rng = Random(words)

    def word():
        return rng.choice(
            [0, 0xFFFF, 1, 0x8000, rng.getrandbits(16), rng.getrandbits(16) & rng.getrandbits(16)]
        )

    async def main(ctx):
        for _ in range(25):
            bench.bitmap = [word() for _ in range(words)]
            extra = [word() for _ in range(rng.randint(0, words))]
            merged = [a | b for a, b in zip(bench.bitmap, extra + [0] * words, strict=False)]
            await bench.scan(ctx, extra)
            assert bench.taken == list(enumerate(merged))
            assert bench.ids == ids_of(merged)
            await ticks(ctx, rng.randrange(3))
            assert bench.ids == ids_of(merged)

    bench.run(main)


def test_a_word_costs_a_clock_and_another_one_for_each_one():
    bench = Bench(4)

    async def main(ctx):
        empty = await bench.scan(ctx)
        for bitmap in ([1, 0, 0, 0], [0, 0, 0, 0x8001], [7, 0xFFFF, 0, 1], [0xFFFF] * 4):
            bench.bitmap = list(bitmap)
            ones = [word.bit_count() for word in bitmap]
            clocks = await bench.scan(ctx)
            assert clocks - empty == sum(ones)

    bench.run(main)
