from random import Random

import pytest
from core_benches import simulate, ticks

from synloom.contract import ArrayParams
from synloom_hdl.core.accumulators import REUSE_CLOCKS, Accumulators

SHAPES = [(1, 1), (2, 1), (4, 4), (8, 2), (16, 1), (16, 16)]


class Bench:
    """Accumulators and the sums that they should hold."""

    def __init__(self, lanes, neuron_lanes, **sizes):
        self.params = ArrayParams(neurons=40, lanes=lanes, neuron_lanes=neuron_lanes, **sizes)
        self.dut = Accumulators(self.params)
        self.sums = [[0, 0] for _ in range(16 * self.params.neuron_words)]
        self.clipped = [0, 0]

    async def clock(self, ctx, chunk=None, mask=0, shift=0, weights=None):
        """Add a chunk, or nothing, in one clock; check the count of what was clipped two clocks ago."""
        dut, lanes, top = self.dut, self.params.lanes, self.params.accumulator_max
        ctx.set(dut.valid, chunk is not None)
        clipped = 0
        if chunk is not None:
            ctx.set(dut.chunk, chunk)
            ctx.set(dut.mask, mask)
            ctx.set(dut.shift, shift)
            ctx.set(dut.weights, weights)
            for lane in range(lanes):
                if mask >> lane & 1:
                    pair = self.sums[chunk * lanes + lane]
                    side = weights[lane] < 0
                    total = pair[side] + (abs(weights[lane]) << shift)
                    pair[side] = min(total, top)
                    clipped += total > top
        self.clipped.append(clipped)
        *_, counted = await ctx.tick().sample(dut.saturations)
        assert counted == self.clipped.pop(0)

    async def sweep(self, ctx):
        """Return the sums of all neurons."""
        dut, wide = self.dut, self.params.neuron_lanes
        await ticks(ctx, REUSE_CLOCKS)
        ctx.set(dut.valid, 0)
        ctx.set(dut.sweep_en, 1)
        sums = []
        for group in range(len(self.sums) // wide):
            ctx.set(dut.sweep_group, group)
            await ctx.tick()
            got = ctx.get(dut.sums)
            sums += [[got[n].e, got[n].i] for n in range(wide)]
        ctx.set(dut.sweep_en, 0)
        await ctx.tick()
        return sums

    def chunk(self, rng, chunk):
        lanes, high = self.params.lanes, self.params.weight_max
        return {
            "chunk": chunk,
            "mask": rng.choice([rng.getrandbits(lanes), (1 << lanes) - 1]),
            "shift": rng.randrange(8),
            "weights": [rng.choice([0, high, -high, rng.randint(-high, high)]) for _ in range(lanes)],
        }


@pytest.mark.parametrize("sizes", [{}, {"accumulator_bits": 10}, {"weight_bits": 4, "accumulator_bits": 12}])
@pytest.mark.parametrize(("lanes", "neuron_lanes"), SHAPES)
def test_adds_clips_and_clears(lanes, neuron_lanes, sizes):
    rng = Random(lanes)
    bench = Bench(lanes, neuron_lanes, **sizes)

    async def main(ctx):
        for _ in range(2):
            last = {}
            for clock in range(150):
                chunk = rng.randrange(min(6, bench.params.target_chunks))
                if rng.random() < 0.8 and clock - last.get(chunk, -9) >= REUSE_CLOCKS:
                    last[chunk] = clock
                    await bench.clock(ctx, **bench.chunk(rng, chunk))
                else:
                    await bench.clock(ctx)
            await bench.clock(ctx)
            await bench.clock(ctx)
            assert await bench.sweep(ctx) == bench.sums
            bench.sums = [[0, 0] for _ in bench.sums]
            assert await bench.sweep(ctx) == bench.sums

    simulate(bench.dut, main)


def test_one_chunk_again_and_again_at_the_shortest_distance():
    rng = Random(4)
    bench = Bench(4, 2)

    async def main(ctx):
        for _ in range(30):
            await bench.clock(ctx, **bench.chunk(rng, 3))
            for _ in range(REUSE_CLOCKS - 1):
                await bench.clock(ctx)
        assert await bench.sweep(ctx) == bench.sums

    simulate(bench.dut, main)


def test_a_sum_may_be_full_but_not_more():
    bench = Bench(1, 1, accumulator_bits=10)
    weights = [(127, 3), (7, 0), (1, 0), (127, 7)]

    async def main(ctx):
        for n, (weight, shift) in enumerate(weights):
            for sign in (1, -1):
                await bench.clock(ctx, 0, 1, shift, [sign * weight])
                for _ in range(REUSE_CLOCKS - 1):
                    await bench.clock(ctx)
            assert bench.sums[0] == [min(1016 + 7 * n, 1023)] * 2
        assert (await bench.sweep(ctx))[0] == [1023, 1023]

    simulate(bench.dut, main)
