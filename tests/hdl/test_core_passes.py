from itertools import pairwise
from random import Random

import pytest
from core_benches import dump, load, simulate, ticks
from link_benches import send
from naive_array import NaiveArray, decay, dither

from places import fields_of, record_offset
from synloom.contract import ArrayParams
from synloom.contract.regions import Region
from synloom.contract.traces import TRACES, Side
from synloom_hdl.core.passes import PassEngine
from synloom_hdl.core.payloads import PassKind, decay_of

COUNTED = ("row_passes", "column_passes", "chunks", "acc_saturations", "trace_saturations", "weight_clips")


SLOTS = {"serial_neurons": True, "single_port": True}


def array(lanes, **sizes):
    sizes = {"inputs": 3, "neurons": 18, "segments": 16, "state_bits": 12, "accumulator_bits": 16} | sizes
    return ArrayParams(lanes=lanes, neuron_lanes=1, **sizes)


class Bench:
    """A pass engine, and naive Python with the same contents."""

    def __init__(self, params, seed):
        self.params, self.rng = params, Random(seed)
        self.dut = PassEngine(params)
        self.naive = naive = NaiveArray(params)
        self.counted = dict.fromkeys(COUNTED, 0)
        self.chunk_clocks = []
        rng, top = self.rng, params.weight_max
        pick = rng.choice
        for row in naive.w:
            row[:] = [pick([rng.randint(-top, top), top, -top, params.weight_absent]) for _ in row]
        for trace in TRACES:
            count = len(getattr(naive, trace.name))
            setattr(naive, trace.name, [rng.randint(0, params.trace_max) for _ in range(count)])
            setattr(naive.reg, trace.increment, 0)
        naive.reg.learn_rng, naive.reg.mode, naive.reg.reward = rng.getrandbits(64) | 1, 1, 256
        naive.reg.now = rng.getrandbits(32)

    def segment(self, lo, hi, last=1, **fields):
        """Append a segment with a random rule to the program."""
        rng, top = self.rng, self.params.weight_max
        low, high = sorted(rng.choices([-top, top, 0, rng.randint(-top, top)], k=2))
        rule = {f.name: rng.randint(f.low, f.high) for f in fields_of(Region.PROGRAM).fields.values()} | {
            "plastic": int(rng.random() < 0.8),
            "t0": rng.choice([0, rng.randint(0, self.params.trace_max)]),
            "a": rng.choice([rng.randint(0, 500), rng.randint(0, 0xFFFF), 0xFFFF]),
            "reserved": 0,
        }
        bounds = {"w_min": low, "w_max": high}
        self.naive.segments.append(rule | bounds | {"lo": lo, "hi": hi, "last": last} | fields)
        return len(self.naive.segments) - 1

    def weight(self, i, j):
        """Return the place of a weight in the loom's banks: quicker than the host's way there."""
        lanes = self.params.lanes
        padded = -(-self.params.sources // lanes) * lanes
        return self.dut.loom.banks[(i + j) % lanes].words.data[j // lanes * padded + i]

    async def fill(self, ctx):
        naive, dut = self.naive, self.dut
        layout = fields_of(Region.PROGRAM)
        words = layout.pack({name: [s[name] for s in naive.segments] for name in layout.fields})
        for k, row in enumerate(words):
            await load(ctx, dut.program, record_offset(Region.PROGRAM, k), row)
        for i, row in enumerate(naive.w):
            for j, w in enumerate(row):
                ctx.set(self.weight(i, j), w & (1 << self.params.weight_bits) - 1)
        for trace in TRACES:
            await load(ctx, getattr(dut, f"{trace.name}_traces"), 0, getattr(naive, trace.name))
        ctx.set(dut.rng, naive.reg.learn_rng)
        ctx.set(dut.learn, naive.reg.mode & 1)
        ctx.set(dut.reward, naive.reg.reward)
        ctx.set(dut.dither, dither(naive.reg.now, 0))

    async def watch(self, ctx):
        """Count, and keep the generator's register."""
        dut, counted, clock = self.dut, self.counted, 0
        while True:
            *_, segments, chunk, sums, clips, raised, advances, following = await ctx.tick().sample(
                dut.segment_done, dut.chunk_done, dut.acc_saturations, dut.weight_clips,
                dut.trace_saturates, dut.rng_en, dut.rng_next,
            )  # fmt: skip
            clock += 1
            self.chunk_clocks += [clock] * chunk
            counted["row_passes"] += segments & 1
            counted["column_passes"] += segments >> 1
            counted["chunks"] += chunk
            counted["acc_saturations"] += sums
            counted["weight_clips"] += clips
            counted["trace_saturations"] += raised.bit_count()
            if advances:
                ctx.set(dut.rng, following)

    async def play(self, ctx, kind, jobs, pause=0.0):
        """Run jobs of one kind (index, first segment), one behind the other, to their end."""
        payloads = [{"kind": kind, "index": index, "list": first} for index, first in jobs]
        await send(ctx, self.dut.jobs, payloads, self.rng, pause)
        busy = 1
        while busy:
            *_, busy = await ctx.tick().sample(self.dut.busy)

    def rows(self, jobs):
        for index, first in jobs:
            self.naive.sources = {index: {"list": first, "connected": 1, "nearest": 0}}
            self.naive.rows([index])

    def columns(self, jobs):
        for index, first in jobs:
            target = {"list": first, "learns": 1, "nearest": 0, "delay": 0}
            self.naive.targets = {index: target}
            self.naive.columns(0, [index])

    async def compare(self, ctx):
        """Compare the sums (which clears them), weights, traces, counters and random numbers."""
        dut, naive = self.dut, self.naive
        await ticks(ctx, 3)
        ctx.set(dut.sweep_en, 1)
        for n in range(self.params.neurons):
            if self.params.serial_neurons:
                sums = []
                for side in (0, 1):
                    ctx.set(dut.sweep_group, 2 * n + side)
                    await ctx.tick()
                    sums.append(ctx.get(dut.sums)[0])
            else:
                ctx.set(dut.sweep_group, n)
                await ctx.tick()
                sums = [ctx.get(dut.sums)[0].e, ctx.get(dut.sums)[0].i]
            assert sums == [naive.acc[0][n], naive.acc[1][n]], n
        ctx.set(dut.sweep_en, 0)
        await ticks(ctx, 2)
        for i, row in enumerate(naive.w):
            for j, w in enumerate(row):
                assert ctx.get(self.weight(i, j)) == w & (1 << self.params.weight_bits) - 1, (i, j)
        for trace in TRACES:
            port, values = getattr(dut, f"{trace.name}_traces"), getattr(naive, trace.name)
            assert await dump(ctx, port, 0, len(values)) == values, trace.name
        assert self.counted == {name: naive.counters[name] for name in COUNTED}
        assert ctx.get(dut.rng) == naive.reg.learn_rng

    def run(self, main):
        simulate(self.dut, main, background=[self.watch])


@pytest.mark.parametrize(
    ("lanes", "sizes"),
    [
        (1, {"neurons": 5}),
        (2, {"weight_bits": 4, "trace_bits": 8, "neurons": 9}),
        (4, {"accumulator_bits": 10}),
        (8, {"stochastic_rounding": False}),
        (16, {}),
        (32, {"neurons": 40}),
        (32, SLOTS | {"neurons": 40, "trace_bits": 9}),
        (4, {"serial_neurons": True}),
        (4, SLOTS),
        (4, SLOTS | {"clock_hz": 20_000_000}),
        (1, SLOTS | {"neurons": 5, "trace_bits": 9}),
    ],
)
def test_rows_columns_and_decays_as_the_naive_array(lanes, sizes):
    bench = Bench(array(lanes, **sizes), lanes)
    rng, naive, params = bench.rng, bench.naive, bench.params
    n, s, top = params.neurons, params.sources, params.weight_max
    # Changes of about a weight's unit, where each random bit may count.
    gentle = {"plastic": 1, "stochastic": 1, "a": 400, "t0": 0, "w_min": -top, "w_max": top, "soft": 0}
    row_lists = [
        bench.segment(0, n, **gentle),
        bench.segment(1, n // 2, last=0),
        bench.segment(n // 2, n),
        bench.segment(n - 1, n),
    ]
    column_lists = [
        bench.segment(0, s, **gentle),
        bench.segment(2, 17, last=0),
        bench.segment(20, s - 1),
        bench.segment(16, 17, plastic=0),
    ]
    decays = {
        Side.SOURCE: [bench.segment(3, s, last=0), bench.segment(0, 2)],
        Side.TARGET: [bench.segment(1, n, a=0xFFFF, exponent=0)],
    }
    naive.reg.reward = rng.choice([-300, 700])

    async def main(ctx):
        await bench.fill(ctx)
        rows = [(i, rng.choice(row_lists)) for i in sorted(rng.sample(range(s), 12))]
        await bench.play(ctx, PassKind.ROW, rows, pause=rng.choice([0, 0.8]))
        bench.rows(rows)
        columns = [(j, rng.choice(column_lists)) for j in sorted(rng.sample(range(n), n // 2 + 1))]
        await bench.play(ctx, PassKind.COLUMN, columns)
        bench.columns(columns)
        for trace in TRACES:
            segments, values = decays[trace.side], getattr(naive, trace.name)
            await bench.play(ctx, decay_of(trace), [(0, segments[0])])
            for g in (naive.segments[k] for k in segments):
                for k in range(g["lo"], g["hi"]):
                    values[k] = decay(values[k], g["a"], g["exponent"], dither(naive.reg.now, 0))
        await bench.compare(ctx)
        for name in ("row_passes", "column_passes", "chunks"):
            assert bench.counted[name]

    bench.run(main)


@pytest.mark.parametrize("structure", [{}, SLOTS])
def test_nothing_is_learnt_while_learning_is_off(structure):
    bench = Bench(array(4, neurons=6, **structure), 9)
    first = bench.segment(0, 6, plastic=1)
    bench.naive.reg.mode = 0

    async def main(ctx):
        await bench.fill(ctx)
        rows = [(i, first) for i in (0, 2, 16)]
        await bench.play(ctx, PassKind.ROW, rows)
        bench.rows(rows)
        await bench.compare(ctx)

    bench.run(main)


@pytest.mark.parametrize("structure", [{}, SLOTS])
def test_an_empty_segment_does_nothing(structure):
    bench = Bench(array(4, **structure), 3)
    ranges = [(0, 0), (3, 3), (16, 16), (17, 3), (5, 0)]
    passes = [(k, bench.segment(lo, hi, plastic=1)) for k, (lo, hi) in enumerate(ranges)]

    async def main(ctx):
        await bench.fill(ctx)
        before = [row[:] for row in bench.naive.w]
        await bench.play(ctx, PassKind.ROW, passes)
        await bench.play(ctx, PassKind.COLUMN, passes)
        bench.rows(passes)
        bench.columns(passes)
        assert bench.naive.w == before
        bench.counted["chunks"] = bench.naive.counters["chunks"]
        await bench.compare(ctx)

    bench.run(main)


def test_short_rows_wait_for_their_accumulators_and_longer_ones_do_not():
    for width, gaps in ((1, {4}), (2, {1, 3}), (3, {1, 2}), (4, {1})):
        bench = Bench(array(4), 5)
        first = bench.segment(0, min(18, 4 * width), plastic=0)
        rows = [(i, first) for i in range(16)]

        async def main(ctx, bench=bench, rows=rows):
            await bench.fill(ctx)
            await bench.play(ctx, PassKind.ROW, rows)
            bench.rows(rows)
            await bench.compare(ctx)

        bench.run(main)
        clocks = bench.chunk_clocks
        assert {b - a for a, b in pairwise(clocks)} == gaps


def test_a_segment_that_begins_where_the_last_one_ended_waits_for_its_sums():
    bench = Bench(array(1, neurons=20), 8)
    # Back at the chunk before, at the one before that, and at one that is old enough.
    ends = (17, 18, 19)
    firsts = []
    for end in ends:
        firsts.append(bench.segment(0, end, last=0, plastic=0))
        bench.segment(end, end + 1, plastic=0)
    rows = list(enumerate(firsts))

    async def main(ctx):
        await bench.fill(ctx)
        await bench.play(ctx, PassKind.ROW, rows)
        bench.rows(rows)
        await bench.compare(ctx)

    bench.run(main)


@pytest.mark.parametrize("structure", [{}, SLOTS])
def test_spikes_raise_traces_while_passes_run(structure):
    bench = Bench(array(4, **structure), 6)
    naive = bench.naive
    first = bench.segment(0, 18, plastic=1)
    for trace in TRACES:
        setattr(naive.reg, trace.increment, 0x9000 if trace.side is Side.SOURCE else 3)

    async def main(ctx):
        await bench.fill(ctx)
        for trace in TRACES:
            ctx.set(getattr(bench.dut, trace.increment), getattr(naive.reg, trace.increment))
        rows = [(i, first) for i in range(6)]
        for i, _ in rows:
            ctx.set(bench.dut.raise_en, 1)
            ctx.set(bench.dut.raise_index, i)
            await ctx.tick()
            ctx.set(bench.dut.raise_en, 0)
            await ticks(ctx, 2)
            await send(ctx, bench.dut.jobs, [{"kind": PassKind.ROW, "index": i, "list": first}], bench.rng)
        await bench.play(ctx, PassKind.ROW, [])
        bench.rows(rows)
        await bench.compare(ctx)

    bench.run(main)
