from random import Random

import pytest
from core_benches import access, load, simulate, ticks
from link_benches import receive, send

from places import fields_of, record_offset
from synloom.contract import ArrayParams
from synloom.contract.regions import Region
from synloom_hdl.core.payloads import PassKind
from synloom_hdl.core.program import SegmentFetcher

SEGMENTS = 10
RULE = ("a", "a_negative", "t0", "w_min", "w_max", "shift", "soft", "stochastic", "exponent")


def array(lanes, **features):
    return ArrayParams(inputs=20, neurons=40, lanes=lanes, neuron_lanes=1, segments=SEGMENTS, **features)


def program(params, rng):
    """Return random segments in lists of one to three."""
    segments = []
    for k in range(SEGMENTS):
        values = {f.name: rng.randint(f.low, f.high) for f in fields_of(Region.PROGRAM).fields.values()}
        lo, hi = sorted(rng.sample(range(params.neurons + 1), 2))
        segments.append(values | {"lo": lo, "hi": hi, "last": int(rng.random() < 0.6 or k == SEGMENTS - 1)})
    return segments


def ready(params, job, segment, learn, reward):
    """Return a segment as the passes want it."""
    lanes, (kind, index, _) = params.lanes, job
    lo, hi = segment["lo"], segment["hi"]
    first, last = 16 * (lo // 16) // lanes, (hi - 1) // lanes
    per_column = -(-params.sources // lanes)
    row, learnable = kind == PassKind.ROW, kind in (PassKind.ROW, PassKind.COLUMN)
    every = (1 << lanes) - 1
    a, a_negative = segment["a"], segment["a_negative"]
    if params.reward and segment["reward"] and learnable:
        a, a_negative = min(a * abs(reward) >> 8, 0xFFFF), a_negative ^ (reward < 0)
    learns = bool(segment["plastic"] and learn and learnable and params.plasticity)
    draws = learns and segment["stochastic"] and params.stochastic_rounding
    return {
        "kind": kind,
        "first": first,
        "end": max(16 * -(-hi // 16) // lanes - 1, last) if draws else last,
        "low": lo // lanes,
        "last": last,
        "mask_low": every << lo % lanes & every,
        "mask_high": (2 << (hi - 1) % lanes) - 1,
        "column": not row,
        "rotate": index % lanes,
        "high": first * per_column + index // lanes if row else index // lanes * per_column + first,
        "learns": learns,
        **{name: segment[name] for name in RULE},
        "a": a,
        "a_negative": a_negative,
        "t0": segment["t0"] if learnable else 0,
        # A chunk may be two groups of 16.
        **({"starts_late": lo // 16 % 2, "ends_early": 1 - (hi - 1) // 16 % 2} if lanes > 16 else {}),
    }


def found(run, names):
    """Return the fields of a segment that came out, by name."""
    parts = {"column": run.address.column, "rotate": run.address.rotate, "high": run.address.high}
    return {n: parts[n] if n in parts else getattr(run.rule if n in RULE else run, n) for n in names}


class Bench:
    """A fetcher with a random program; `runs` are the segments that came."""

    def __init__(self, params, rng, pause=0.0):
        self.params = params
        self.segments = program(params, rng)
        self.dut = SegmentFetcher(params)
        self.runs = []
        self.pause = pause
        self.rng = rng

    async def take(self, ctx):
        await receive(ctx, self.dut.segments, self.runs.append, self.rng, self.pause)

    async def fill(self, ctx):
        layout = fields_of(Region.PROGRAM)
        words = layout.pack({name: [s[name] for s in self.segments] for name in layout.fields})
        for k, row in enumerate(words):
            await load(ctx, self.dut.host, record_offset(Region.PROGRAM, k), row)

    async def fetch(self, ctx, *jobs):
        jobs = [{"kind": kind, "index": index, "list": first} for kind, index, first in jobs]
        await send(ctx, self.dut.jobs, jobs, self.rng, self.pause)
        while not ctx.get(self.dut.idle):
            await ctx.tick()

    def run(self, main):
        simulate(self.dut, main, background=[self.take])


@pytest.mark.parametrize(
    ("lanes", "features"),
    [
        (1, {}),
        (2, {"reward": False}),
        (4, {}),
        (8, {"plasticity": False, "soft_bounds": False, "stochastic_rounding": False, "reward": False}),
        (16, {}),
        (32, {}),
    ],
)
def test_makes_each_job_into_its_segments_in_order(lanes, features):
    rng = Random(lanes)
    params = array(lanes, **features)
    bench = Bench(params, rng, pause=0.4)
    expected = []

    async def main(ctx):
        await bench.fill(ctx)
        for _ in range(60):
            kind = rng.choice(list(PassKind))
            rows = {PassKind.ROW: params.sources, PassKind.COLUMN: params.neurons}.get(kind, 1)
            index = rng.randrange(rows)
            job = kind, index, rng.randrange(SEGMENTS)
            learn = rng.randrange(2)
            reward = rng.choice([0, 256, -256, 32767, -32768, rng.randint(-999, 999)])
            ctx.set(bench.dut.learn, learn)
            ctx.set(bench.dut.reward, reward)
            for segment in bench.segments[job[2] :]:
                expected.append(ready(params, job, segment, learn, reward))
                if segment["last"]:
                    break
            await bench.fetch(ctx, job)
            await ticks(ctx, rng.randrange(3))

    bench.run(main)
    assert len(bench.runs) == len(expected)
    for run, want in zip(bench.runs, expected, strict=True):
        assert found(run, want) == want


def test_a_list_of_one_segment_is_kept_until_the_program_may_have_changed():
    rng = Random(1)
    bench = Bench(array(4), rng)
    for segment in bench.segments:
        segment |= {"last": 1, "t0": 7}
    place = record_offset(Region.PROGRAM, 3, "t0")
    job = PassKind.ROW, 0, 3

    async def main(ctx):
        await bench.fill(ctx)
        await bench.fetch(ctx, job)
        await access(ctx, bench.dut.host, place, 8)
        await bench.fetch(ctx, job, job)
        ctx.set(bench.dut.forget, 1)
        await ctx.tick()
        ctx.set(bench.dut.forget, 0)
        await bench.fetch(ctx, job)
        await bench.fetch(ctx, (PassKind.ROW, 0, 4), job)

    bench.run(main)
    assert [run.rule.t0 for run in bench.runs] == [7, 7, 7, 8, 7, 8]


def test_a_longer_list_is_fetched_each_time():
    bench = Bench(array(4), Random(2))
    for k, segment in enumerate(bench.segments):
        segment |= {"last": k % 2, "t0": k}
    jobs = [(PassKind.ROW, 0, first) for first in (0, 0, 2, 3, 3, 2)]

    async def main(ctx):
        await bench.fill(ctx)
        await bench.fetch(ctx, *jobs)

    bench.run(main)
    assert [run.rule.t0 for run in bench.runs] == [0, 1, 0, 1, 2, 3, 3, 3, 2, 3]


def test_a_list_ends_at_the_programs_end():
    bench = Bench(array(4), Random(3))
    for k, segment in enumerate(bench.segments):
        segment |= {"last": 0, "t0": k}

    async def main(ctx):
        await bench.fill(ctx)
        await bench.fetch(ctx, (PassKind.ROW, 0, SEGMENTS - 2))

    bench.run(main)
    assert [run.rule.t0 for run in bench.runs] == [SEGMENTS - 2, SEGMENTS - 1]
