from random import Random

import pytest
from core_benches import simulate

from synloom.contract import ArrayParams
from synloom_hdl.core.accumulators import make_accumulators

SHAPES = [(1, 1), (2, 1), (4, 4), (8, 2), (16, 1), (16, 16)]


class Bench:
    """Accumulators and the sums that they should hold."""

    def __init__(self, lanes, neuron_lanes, **sizes):
        self.params = ArrayParams(neurons=40, lanes=lanes, neuron_lanes=neuron_lanes, **sizes)
        self.dut = make_accumulators(self.params)
        self.reuse = self.dut.reuse_clocks
        # Where both sums of a neuron are in one memory, weights come with their chunk, else a clock later.
        self.delayed = None if self.params.serial_neurons else (False, 0, 0, [0] * lanes)
        self.sums = [[0, 0] for _ in range(16 * self.params.neuron_words)]
        self.clipped = [0, 0] if self.params.serial_neurons else [0, 0, 0]

    async def clock(self, ctx, chunk=None, mask=0, shift=0, weights=None):
        """Add a chunk, or nothing, in one clock; check the count of what was clipped two clocks ago."""
        dut, lanes, top = self.dut, self.params.lanes, self.params.accumulator_max
        now = (chunk is not None, mask, shift, weights or [0] * lanes)
        if self.delayed is not None:
            now, self.delayed = self.delayed, now
        for name, value in zip(("valid", "mask", "shift", "weights"), now, strict=True):
            ctx.set(getattr(dut, name), value)
        clipped = 0
        if chunk is not None:
            ctx.set(dut.chunk, chunk)
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
        for _ in range(self.reuse):
            await self.clock(ctx)
        ctx.set(dut.sweep_en, 1)
        sums = []
        for group in range(len(self.sums) // wide):
            if self.params.serial_neurons:
                sums.append([await self.read(ctx, 2 * group + side) for side in (0, 1)])
            else:
                got = await self.read(ctx, group)
                sums += [[got.e, got.i]] if wide == 1 else [[g.e, g.i] for g in ctx.get(dut.sums)]
        ctx.set(dut.sweep_en, 0)
        await ctx.tick()
        return sums

    async def read(self, ctx, group):
        """Read a group; return its first sums."""
        ctx.set(self.dut.sweep_group, group)
        await ctx.tick()
        return ctx.get(self.dut.sums)[0]

    def chunk(self, rng, chunk):
        lanes, high = self.params.lanes, self.params.weight_max
        return {
            "chunk": chunk,
            "mask": rng.choice([rng.getrandbits(lanes), (1 << lanes) - 1]),
            "shift": rng.randrange(8),
            "weights": [rng.choice([0, high, -high, rng.randint(-high, high)]) for _ in range(lanes)],
        }


SERIAL = {"serial_neurons": True}
SLOTS = {"serial_neurons": True, "single_port": True}


@pytest.mark.parametrize(
    ("lanes", "neuron_lanes", "sizes"),
    [
        *((*shape, sizes) for shape in SHAPES for sizes in ({}, {"accumulator_bits": 10})),
        (8, 2, {"weight_bits": 4, "accumulator_bits": 12}),
        (1, 1, SLOTS),
        (4, 1, SLOTS | {"accumulator_bits": 11}),
        (4, 1, SERIAL),
    ],
)
def test_adds_clips_and_clears(lanes, neuron_lanes, sizes):
    rng = Random(lanes)
    bench = Bench(lanes, neuron_lanes, **sizes)

    async def main(ctx):
        for _ in range(2):
            last = {}
            for clock in range(150):
                chunk = rng.randrange(min(6, bench.params.target_chunks))
                if rng.random() < 0.8 and clock - last.get(chunk, -9) >= bench.reuse:
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


@pytest.mark.parametrize(("neuron_lanes", "structure"), [(2, {}), (1, SERIAL), (1, SLOTS)])
def test_one_chunk_again_and_again_at_the_shortest_distance(neuron_lanes, structure):
    rng = Random(4)
    bench = Bench(4, neuron_lanes, **structure)

    async def main(ctx):
        for _ in range(30):
            await bench.clock(ctx, **bench.chunk(rng, 3))
            for _ in range(bench.reuse - 1):
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
                for _ in range(bench.reuse - 1):
                    await bench.clock(ctx)
            assert bench.sums[0] == [min(1016 + 7 * n, 1023)] * 2
        assert (await bench.sweep(ctx))[0] == [1023, 1023]

    simulate(bench.dut, main)
