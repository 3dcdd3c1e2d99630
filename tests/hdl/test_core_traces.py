from random import Random

import pytest
from core_benches import access, dump, load, simulate, ticks

from synloom.contract import ArrayParams
from synloom_hdl.core.timing import PassTiming
from synloom_hdl.core.traces import Traces

COUNT = 21


class Bench:
    """Traces and what they should be."""

    def __init__(self, lanes, trace_bits, **changes):
        self.params = ArrayParams(lanes=lanes, neuron_lanes=1, trace_bits=trace_bits, **changes)
        self.dut = Traces(self.params, COUNT)
        self.traces = [0] * 32
        timing = PassTiming.of(self.params)
        self.latency = timing.traces_row - timing.traces_read
        self.saturates = [0] * (3 * self.latency // 2 + 1)

    async def clock(self, ctx):
        *_, saturates = await ctx.tick().sample(self.dut.saturates)
        assert saturates == self.saturates.pop(0)
        ctx.set(self.dut.raise_en, 0)
        ctx.set(self.dut.chunk_en, 0)
        ctx.set(self.dut.decayed_en, 0)

    async def raised(self, ctx, index, one, nearest):
        top = self.params.trace_max
        total = one + (0 if nearest else self.traces[index])
        self.traces[index] = min(total, top)
        self.saturates.append(total > top)
        # All but the strobe stand still while a spike is on its way.
        ctx.set(self.dut.one, one)
        ctx.set(self.dut.raise_en, 1)
        ctx.set(self.dut.raise_index, index)
        ctx.set(self.dut.raise_nearest, nearest)
        await self.clock(ctx)
        await self.rest(ctx, 2)

    async def rest(self, ctx, clocks=1):
        for _ in range(clocks):
            self.saturates.append(0)
            await self.clock(ctx)

    async def decay(self, ctx, chunk, mask, values):
        lanes, bits = self.params.lanes, self.params.trace_bits
        for lane, value in enumerate(values):
            if mask >> lane & 1:
                self.traces[chunk * lanes + lane] = value
        ctx.set(self.dut.decayed_chunk, chunk)
        ctx.set(self.dut.decayed_en, mask)
        ctx.set(self.dut.decayed, sum(value << bits * lane for lane, value in enumerate(values)))
        await self.rest(ctx)

    async def read(self, ctx, chunk):
        lanes, bits = self.params.lanes, self.params.trace_bits
        ctx.set(self.dut.chunk, chunk)
        ctx.set(self.dut.chunk_en, 1)
        await self.rest(ctx, self.latency)
        row = ctx.get(self.dut.traces)
        return [row >> bits * lane & self.params.trace_max for lane in range(lanes)]


@pytest.mark.parametrize("trace_bits", [8, 16])
@pytest.mark.parametrize("lanes", [1, 2, 8, 16])
@pytest.mark.parametrize("slow", [False, True])
def test_raises_decays_and_reads_as_a_table(lanes, trace_bits, slow):
    rng = Random(lanes)
    bench = Bench(lanes, trace_bits, single_port=slow, serial_neurons=slow)
    top = bench.params.trace_max

    async def main(ctx):
        for _ in range(200):
            match rng.randrange(4):
                case 0:
                    # A train of spikes: ids ascend, so none returns.
                    one = rng.choice([0, top // 3, top])
                    for index in sorted(rng.sample(range(COUNT), rng.randrange(8))):
                        await bench.raised(ctx, index, one, rng.randrange(2))
                        await bench.rest(ctx, rng.randrange(2))
                    await bench.rest(ctx, 2)
                case 1:
                    chunk = rng.randrange(-(-COUNT // lanes))
                    values = [rng.randint(0, top) for _ in range(lanes)]
                    await bench.decay(ctx, chunk, rng.getrandbits(lanes), values)
                case _:
                    chunk = rng.randrange(-(-COUNT // lanes))
                    assert await bench.read(ctx, chunk) == bench.traces[chunk * lanes :][:lanes]
        bench.saturates = [0] * 10000
        assert await dump(ctx, bench.dut.host, 0, COUNT) == bench.traces[:COUNT]

    simulate(bench.dut, main)


def test_a_trace_may_be_raised_again_five_clocks_later():
    bench = Bench(4, 8)

    async def main(ctx):
        for _ in range(6):
            await bench.raised(ctx, 5, 50, 0)
            await bench.rest(ctx, 2)
        assert (await bench.read(ctx, 1))[1] == 255

    simulate(bench.dut, main)


def test_nearest_forgets_what_was_there():
    bench = Bench(2, 16)

    async def main(ctx):
        await load(ctx, bench.dut.host, 0, [0xFFFF, 0xFFFF])
        bench.traces[:2] = [0xFFFF, 0xFFFF]
        await bench.raised(ctx, 0, 1000, 1)
        await bench.raised(ctx, 1, 1000, 0)
        assert await bench.read(ctx, 0) == [1000, 0xFFFF]

    simulate(bench.dut, main)


def test_traces_beyond_the_count_do_not_exist():
    bench = Bench(8, 16)

    async def main(ctx):
        await access(ctx, bench.dut.host, COUNT, 5)
        assert await access(ctx, bench.dut.host, COUNT) == 0
        await ticks(ctx, 1)
        assert ctx.get(bench.dut.saturates) == 0
        assert await bench.read(ctx, COUNT // 8) == [0] * 8

    simulate(bench.dut, main)
