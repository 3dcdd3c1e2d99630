from collections import deque
from itertools import pairwise
from random import Random

import pytest
from core_benches import simulate, ticks
from link_benches import send

from synloom.contract import ArrayParams
from synloom_hdl.core.issue import make_issuer
from synloom_hdl.core.payloads import PassKind
from synloom_hdl.core.timing import PassTiming

SLOTS = {"single_port": True, "serial_neurons": True, "neuron_lanes": 1}
REUSE = 4


def chunks(params, segment):
    """Return (kind, chunk, mask, high, learns, groups) of each chunk of a segment."""
    step = 1 if segment["address"]["column"] else -(-params.sources // params.lanes)
    every = (1 << params.lanes) - 1
    for k, chunk in enumerate(range(segment["first"], segment["end"] + 1)):
        mask = every if segment["low"] <= chunk <= segment["last"] else 0
        mask &= segment["mask_low"] if chunk == segment["low"] else every
        mask &= segment["mask_high"] if chunk == segment["last"] else every
        high = segment["address"]["high"] + k * step
        late = segment.get("starts_late", 0) and chunk == segment["low"]
        early = segment.get("ends_early", 0) and chunk == segment["last"]
        groups = (0 if late else 1) + (0 if early else 2) if params.lanes > 16 else None
        yield segment["kind"], chunk, mask, high, segment["learns"], groups


def draw(params, rng):
    """Return a random segment, a pass over all of its chunks but perhaps the first."""
    kind = rng.choice(list(PassKind))
    row = kind == PassKind.ROW
    chunks = -(-(16 * params.neuron_words if row else params.sources) // params.lanes)
    last = rng.randrange(chunks)
    first = rng.randint(0, last)
    return {
        "kind": kind,
        "first": first,
        "low": rng.randint(first, last),
        "last": last,
        "end": rng.choice([last, rng.randrange(last, chunks)]),
        "mask_low": rng.getrandbits(params.lanes),
        "mask_high": rng.getrandbits(params.lanes),
        "address": {"column": int(not row), "rotate": 0, "high": 0},
        "learns": rng.getrandbits(1),
        "rule": {"a": rng.getrandbits(16)},
        **({n: rng.getrandbits(1) for n in ("starts_late", "ends_early")} if params.lanes > 16 else {}),
    }


def play(params, segments, pause):
    """Return (clock, chunk) of all that the issuer issues, and how many segments and chunks it counts."""
    dut, rng = make_issuer(params, REUSE), Random(5)
    issued, counted = [], [0, 0, 0]

    async def watch(ctx):
        clock, idle = 0, 0
        while True:
            ctx.set(dut.drained, idle > 3)
            *_, valid, chunk, done, going = await ctx.tick().sample(
                dut.valid, dut.chunk, dut.segment_done, dut.chunk_done
            )
            clock, idle = clock + 1, 0 if valid else idle + 1
            if valid:
                groups = chunk.groups if params.lanes > 16 else None
                fields = chunk.kind, chunk.chunk, chunk.mask, chunk.address.high, chunk.learns, groups
                issued.append((clock, fields, chunk.rule.a))
            for k, one in enumerate((done & 1, done >> 1, going)):
                counted[k] += one

    async def main(ctx):
        await send(ctx, dut.segments, segments, rng, pause)
        while ctx.get(dut.active):
            await ctx.tick()
        await ticks(ctx, 3)

    simulate(dut, main, background=[watch])
    return issued, counted


@pytest.mark.parametrize("pause", [0.0, 0.7])
@pytest.mark.parametrize("sizes", [{"lanes": 4}, {"lanes": 16}, {"lanes": 32}, SLOTS | {"lanes": 4}])
def test_issues_the_chunks_of_all_segments_in_order(sizes, pause):
    params = ArrayParams(**{"inputs": 20, "neurons": 40, "neuron_lanes": 1} | sizes)
    rng = Random(len(sizes))
    segments = [draw(params, rng) for _ in range(40)]
    issued, counted = play(params, segments, pause)
    expected = [(chunk, s["rule"]["a"]) for s in segments for chunk in chunks(params, s)]
    assert [(chunk, a) for _, chunk, a in issued] == expected
    rows, columns = ([s for s in segments if s["kind"] == kind] for kind in (PassKind.ROW, PassKind.COLUMN))
    lengths = sum(s["last"] - s["first"] + 1 for s in rows + columns)
    assert counted == [len(rows), len(columns), lengths]


def test_a_chunk_waits_only_for_its_own_accumulators():
    params = ArrayParams(inputs=20, neurons=40, lanes=4, neuron_lanes=1)
    rng = Random(2)
    segments = [draw(params, rng) for _ in range(60)]
    issued, _ = play(params, segments, 0)
    clocks = [(clock, kind == PassKind.ROW, chunk) for clock, (kind, chunk, *_), _ in issued]
    due = {}
    for (before, *_), (clock, row, chunk) in pairwise(clocks):
        earliest = max(before + 1, due.get(chunk, 0) if row else 0)
        assert clock == earliest
        if row:
            due[chunk] = clock + REUSE


@pytest.mark.parametrize("clock_hz", [20_000_000, 48_000_000])
def test_it_tells_where_a_chunk_is_written_when_it_comes_out_of_the_pipeline(clock_hz):
    params = ArrayParams(inputs=20, neurons=40, lanes=4, clock_hz=clock_hz, **SLOTS)
    dut, rng, depth = make_issuer(params, REUSE), Random(4), PassTiming.of(params).depth
    on_their_way = deque([None] * depth)
    seen = 0

    async def watch(ctx):
        nonlocal seen
        while True:
            ctx.set(dut.drained, all(high is None for high in on_their_way))
            *_, valid, high, written = await ctx.tick().sample(dut.valid, dut.chunk.address.high, dut.written)
            on_their_way.append(high if valid else None)
            due = on_their_way.popleft()
            if due is not None:
                assert written == due
                seen += 1

    async def main(ctx):
        await send(ctx, dut.segments, [draw(params, rng) for _ in range(40)], rng, 0.3)
        while ctx.get(dut.active):
            await ctx.tick()

    simulate(dut, main, background=[watch])
    assert seen > 100


def test_single_ported_weights_get_a_chunk_every_two_clocks():
    params = ArrayParams(inputs=20, neurons=40, lanes=4, **SLOTS)
    rng = Random(3)
    issued, _ = play(params, [draw(params, rng) for _ in range(20)], 0)
    assert {clock % 2 for clock, *_ in issued} in ({0}, {1})
