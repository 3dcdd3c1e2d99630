from itertools import groupby
from random import Random

import pytest
from core_benches import access, load, simulate, ticks
from link_benches import receive

from places import record_offset
from synloom.contract import ArrayParams
from synloom.contract.regions import Region
from synloom_hdl.core.probes import Probes

PROBES = 5
WIDE = 1 << 15


class Bench:
    """Probes into a memory that is a function of the address."""

    def __init__(self, pause=0.0):
        self.dut = Probes(ArrayParams(probes=PROBES))
        self.rng = Random(4)
        self.pause = pause
        self.words, self.asked = [], []
        self.table = [
            (self.rng.randrange(17) | WIDE * self.rng.randrange(2), self.rng.randrange((1 << 24) - 1))
            for _ in range(PROBES)
        ]

    @staticmethod
    def word(region, offset):
        return (offset * 31 + region * 7) & 0xFFFF

    async def bridge(self, ctx):
        dut = self.dut
        while True:
            *_, starts, request = await ctx.tick().sample(dut.access, dut.request)
            if starts:
                assert not request.write
                self.asked.append((request.region, request.offset))
                await ticks(ctx, self.rng.randrange(1, 7))
                ctx.set(dut.data, self.word(*self.asked[-1]))
                ctx.set(dut.done, 1)
                await ctx.tick()
                ctx.set(dut.done, 0)
                ctx.set(dut.data, 0)

    async def take(self, ctx):
        await receive(ctx, self.dut.words, self.words.append, self.rng, self.pause)

    async def fill(self, ctx):
        words = [w for head, offset in self.table for w in (head, offset & 0xFFFF, offset >> 16, 0)]
        await load(ctx, self.dut.table, 0, words)

    async def read(self, ctx, count):
        self.words.clear()
        self.asked.clear()
        ctx.set(self.dut.count, count)
        ctx.set(self.dut.start, 1)
        assert ctx.get(self.dut.busy)
        await ctx.tick()
        ctx.set(self.dut.start, 0)
        while ctx.get(self.dut.busy):
            await ctx.tick()

    def expected(self, count):
        """Return the words, and the accesses that make them."""
        words, asked = [], []
        for head, offset in self.table[:count]:
            region = head & 31
            asked.append((region, offset))
            words.append(self.word(region, offset))
            if head & WIDE:
                asked.append((region, offset + 1))
                words.append(self.word(region, offset + 1))
            else:
                words.append(0)
        return words, asked

    def run(self, main):
        simulate(self.dut, main, background=[self.bridge, self.take])


@pytest.mark.parametrize("pause", [0.0, 0.6])
def test_reads_the_first_probes_in_order_two_words_each(pause):
    bench = Bench(pause)

    async def main(ctx):
        await bench.fill(ctx)
        for count in (PROBES, 1, 2, PROBES, 3):
            await bench.read(ctx, count)
            # What could not be given away at once was read again.
            asked = [k for k, _ in groupby(bench.asked)]
            assert (bench.words, asked) == bench.expected(count)
            assert pause or asked == bench.asked
            await ticks(ctx, bench.rng.randrange(4))

    bench.run(main)
    assert {head >> 15 for head, _ in bench.table} == {0, 1}


def test_the_table_has_an_entry_for_each_probe():
    bench = Bench()
    last = record_offset(Region.PROBES, PROBES) - 1

    async def main(ctx):
        await access(ctx, bench.dut.table, last, 5)
        await access(ctx, bench.dut.table, last + 1, 6)
        assert await access(ctx, bench.dut.table, last) == 5
        assert await access(ctx, bench.dut.table, last + 1) == 0

    bench.run(main)
