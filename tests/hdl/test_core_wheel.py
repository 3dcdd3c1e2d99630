from random import Random

import pytest
from core_benches import access, simulate
from link_benches import send

from places import wheel_offset
from synloom.contract import ArrayParams
from synloom_hdl.core.wheel import Wheel

SHAPES = {
    "default": ArrayParams(),
    "two slots": ArrayParams(inputs=3, neurons=5, delay_slots=2),
    "odd words": ArrayParams(inputs=40, neurons=20, delay_slots=8),
}


class Bench:
    """A wheel, and the same as lists of words."""

    def __init__(self, params):
        self.params = params
        self.dut = Wheel(params)
        self.words = [[0] * params.source_words for _ in range(params.delay_slots)]
        self.merged = self.expected_merges = 0
        self.rng = Random(1)

    async def watch(self, ctx):
        while True:
            *_, merges = await ctx.tick().sample(self.dut.merges)
            self.merged += merges

    def random_spike(self):
        p, rng = self.params, self.rng
        return rng.randrange(p.delay_slots), rng.randrange(p.source_words), rng.randrange(16)

    async def put(self, ctx, spikes, pause=0.0):
        for slot, word, bit in spikes:
            self.expected_merges += self.words[slot][word] >> bit & 1
            self.words[slot][word] |= 1 << bit
            spike = {"slot": slot, "word": word, "bit": bit}
            await send(ctx, self.dut.spikes, [spike], self.rng, pause)
        await self.settle(ctx)

    async def settle(self, ctx):
        while not ctx.get(self.dut.idle):
            await ctx.tick()
        await ctx.tick()

    async def scan(self, ctx, slot):
        """Read and clear a slot, a word a clock."""
        dut, words = self.dut, []
        ctx.set(dut.slot, slot)
        for k in range(self.params.source_words + 1):
            ctx.set(dut.read_en, k < self.params.source_words)
            ctx.set(dut.read_index, k % self.params.source_words)
            ctx.set(dut.clear_en, k > 0)
            ctx.set(dut.clear_index, max(0, k - 1))
            if k:
                words.append(ctx.get(dut.word))
            await ctx.tick()
        ctx.set(dut.clear_en, 0)
        return words

    def run(self, main):
        simulate(self.dut, main, background=[self.watch])


@pytest.mark.parametrize("name", SHAPES)
def test_keeps_spikes_until_their_slot_is_scanned(name):
    bench = Bench(SHAPES[name])

    async def main(ctx):
        for _ in range(8):
            few = [bench.random_spike() for _ in range(12)]
            spikes = bench.rng.choices(few, k=16)
            await bench.put(ctx, spikes, pause=bench.rng.choice([0, 0.5]))
            slot = bench.rng.randrange(bench.params.delay_slots)
            assert await bench.scan(ctx, slot) == bench.words[slot]
            bench.words[slot] = [0] * bench.params.source_words
        for slot, words in enumerate(bench.words):
            assert await bench.scan(ctx, slot) == words
            assert not any(await bench.scan(ctx, slot))
        assert bench.merged == bench.expected_merges > 0

    bench.run(main)


def test_takes_a_spike_every_three_clocks():
    bench = Bench(SHAPES["default"])
    clocks = []

    async def main(ctx):
        ctx.set(bench.dut.spikes.valid, 1)
        for clock in range(12):
            *_, ready = await ctx.tick().sample(bench.dut.spikes.ready)
            clocks.extend([clock] * ready)

    bench.run(main)
    assert clocks == [0, 3, 6, 9]


@pytest.mark.parametrize("name", SHAPES)
def test_the_host_sees_slots_and_words(name):
    bench = Bench(SHAPES[name])
    p = bench.params

    async def main(ctx):
        await bench.put(ctx, [(p.delay_slots - 1, p.source_words - 1, 15), (0, 0, 3)])
        last = wheel_offset(p.delay_slots - 1, p.source_words - 1)
        assert await access(ctx, bench.dut.host, last) == 0x8000
        assert await access(ctx, bench.dut.host, 0) == 8
        await access(ctx, bench.dut.host, last, 0x4001)
        for offset in (wheel_offset(p.delay_slots - 1, 255), wheel_offset(0, 255), wheel_offset(0, 32)):
            await access(ctx, bench.dut.host, offset, 0xFFFF)
            assert await access(ctx, bench.dut.host, offset) == 0
        await bench.put(ctx, [(p.delay_slots - 1, p.source_words - 1, 1)])
        assert (await bench.scan(ctx, p.delay_slots - 1))[-1] == 0x4003

    bench.run(main)
