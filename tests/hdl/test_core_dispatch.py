from random import Random

import numpy as np
import pytest
from core_benches import dump, load, simulate, ticks
from link_benches import receive, send

from places import fields_of
from synloom.contract import ArrayParams
from synloom.contract.memory_map import layout_of
from synloom.contract.regions import Region
from synloom_hdl.core.dispatch import FiredDispatcher, SourceDispatcher
from synloom_hdl.core.payloads import PassKind


def table(rng, layout, count):
    """Return random records as a list of field dictionaries, and their words."""
    records = [{f.name: rng.randint(f.low, f.high) for f in layout.fields.values()} for _ in range(count)]
    words = layout.pack({name: [r[name] for r in records] for name in layout.fields})
    return records, words[:, 0].tolist()


class Bench:
    """A dispatcher whose outputs are collected in order."""

    def __init__(self, dut, seed, pause):
        self.dut, self.rng, self.pause = dut, Random(seed), pause
        self.jobs, self.raised, self.spikes = [], [], []

    async def take_jobs(self, ctx):
        def job(payload):
            self.jobs.append((payload.kind, payload.index, payload.list))

        await receive(ctx, self.dut.jobs, job, self.rng, self.pause)

    async def take_spikes(self, ctx):
        def spike(payload):
            self.spikes.append((payload.slot, 16 * payload.word + payload.bit))

        await receive(ctx, self.dut.spikes, spike, self.rng, self.pause)

    async def watch(self, ctx):
        dut = self.dut
        while True:
            *_, raises, index, nearest = await ctx.tick().sample(
                dut.raise_en, dut.raise_index, dut.raise_nearest
            )
            if raises:
                self.raised.append((index, nearest))

    async def play(self, ctx, ids):
        await send(ctx, self.dut.ids, ids, self.rng, self.pause)
        while ctx.get(self.dut.busy):
            await ctx.tick()

    def run(self, main):
        background = [self.take_jobs, self.watch]
        if hasattr(self.dut, "spikes"):
            background.append(self.take_spikes)
        simulate(self.dut, main, background=background)


@pytest.mark.parametrize("pause", [0.0, 0.6])
def test_each_source_raises_its_trace_and_makes_its_pass_if_connected(pause):
    params = ArrayParams(inputs=20, neurons=9)
    bench = Bench(SourceDispatcher(params), 1, pause)
    records, words = table(bench.rng, fields_of(Region.SOURCE), params.sources)
    ids = sorted(bench.rng.sample(range(params.sources), 30))

    async def main(ctx):
        await load(ctx, bench.dut.sources, 0, words)
        await bench.play(ctx, ids)
        assert await dump(ctx, bench.dut.sources, 0, params.sources + 1) == [*words, 0]

    bench.run(main)
    assert bench.raised == [(i, records[i]["nearest"]) for i in ids]
    assert bench.jobs == [(PassKind.ROW, i, records[i]["list"]) for i in ids if records[i]["connected"]]


def play_fired(params, pause=0.0, learn=1, slot=0, counts=0):
    """Let some neurons fire; returns the bench, their ids, their records, and the counts afterwards."""
    bench = Bench(FiredDispatcher(params), 2, pause)
    records, words = table(bench.rng, fields_of(Region.TARGET), params.neurons)
    for record in records:
        record["delay"] = record["delay"] * bench.rng.randrange(2) % params.delay_slots
    words = fields_of(Region.TARGET).pack({k: [r[k] for r in records] for k in records[0]})[:, 0].tolist()
    ids = sorted(bench.rng.sample(range(params.neurons), 2 * params.neurons // 3))
    after = []

    async def main(ctx):
        dut = bench.dut
        ctx.set(dut.learn, learn)
        ctx.set(dut.slot, slot)
        await load(ctx, dut.targets, 0, words)
        await load(ctx, dut.counts, 0, [counts] * params.neurons)
        await bench.play(ctx, ids)
        await ticks(ctx, 2)
        after.extend(await dump(ctx, dut.counts, 0, params.neurons))
        assert await dump(ctx, dut.targets, 0, len(words) + 1) == [*words, 0]

    bench.run(main)
    return bench, ids, records, after


@pytest.mark.parametrize("learn", [0, 1])
@pytest.mark.parametrize("pause", [0.0, 0.6])
def test_each_neuron_that_fired_learns_raises_its_trace_and_sends_its_spike(pause, learn):
    params = ArrayParams(inputs=20, neurons=30, delay_slots=8)
    bench, ids, records, counts = play_fired(params, pause, learn, slot=5, counts=3)
    learns = [i for i in ids if records[i]["learns"] and learn]
    assert bench.jobs == [(PassKind.COLUMN, i, records[i]["list"]) for i in learns]
    assert bench.raised == [(i, records[i]["nearest"]) for i in ids]
    assert bench.spikes == [
        ((5 + records[i]["delay"]) % 8, params.first_neuron_source + i) for i in ids if records[i]["delay"]
    ]
    assert counts == [3 + (n in ids) for n in range(30)]


def test_a_full_spike_count_stays_full():
    _, ids, _, counts = play_fired(ArrayParams(neurons=6), counts=0xFFFE)
    assert counts == [0xFFFE + (n in ids) for n in range(6)]
    assert set(play_fired(ArrayParams(neurons=6), counts=0xFFFF)[3]) == {0xFFFF}


def test_without_its_features_it_neither_counts_nor_learns():
    params = ArrayParams(
        neurons=6,
        plasticity=False,
        soft_bounds=False,
        stochastic_rounding=False,
        reward=False,
        spike_counters=False,
    )
    bench, ids, _, counts = play_fired(params, counts=9)
    assert (bench.jobs, len(bench.raised), set(counts)) == ([], len(ids), {0})


@pytest.mark.parametrize("pause", [0.0, 0.6])
def test_rows_are_followed_by_their_chain_later_or_at_once(pause):
    params = ArrayParams(inputs=4, neurons=4, axons=8, delay_slots=8)
    bench, layout = Bench(SourceDispatcher(params), 3, pause), layout_of(params, Region.SOURCE)
    first = params.first_axon_source
    chains = {0: (3, first), 1: (0, first + 1), first + 1: (0, first + 4), first + 4: (5, first + 5)}
    # A hop of 0 to an id that is not above its own is not followed.
    chains |= {2: (0, 2), 3: (0, 1)}
    fields = {name: np.zeros(params.sources, dtype=int) for name in layout.fields}
    fields["connected"][:] = 1
    fields["list"][:] = np.arange(params.sources)
    for row, (hop, following) in chains.items():
        fields["chained"][row], fields["hop"][row], fields["next"][row] = 1, hop, following
    words = layout.pack(fields).reshape(-1).tolist()

    async def main(ctx):
        ctx.set(bench.dut.slot, 6)
        await load(ctx, bench.dut.sources, 0, words)
        await bench.play(ctx, [0, 1, 2, 3])
        assert await dump(ctx, bench.dut.sources, 0, len(words)) == words

    bench.run(main)
    served = [0, 1, first + 1, first + 4, 2, 3]
    assert [index for _, index, _ in bench.jobs] == served
    assert [index for index, _ in bench.raised] == served
    assert bench.spikes == [((6 + 3) % 8, first), ((6 + 5) % 8, first + 5)]


def test_with_dendritic_delays_columns_wait_until_they_are_due():
    params = ArrayParams(inputs=4, neurons=20, delay_slots=16, dendritic_delays=True)
    bench, layout = Bench(FiredDispatcher(params), 4, 0.3), layout_of(params, Region.TARGET)
    n = np.arange(params.neurons)
    words = layout.pack({"list": n, "learns": n % 2, "nearest": n % 3 == 0, "delay": n % 4, "back": n % 5})

    async def main(ctx):
        ctx.set(bench.dut.learn, 1)
        ctx.set(bench.dut.slot, 14)
        await load(ctx, bench.dut.targets, 0, words.reshape(-1).tolist())
        await bench.play(ctx, [3, 4, 9])
        ctx.set(bench.dut.due, 1)
        await bench.play(ctx, [1, 2])

    bench.run(main)
    first, column = params.first_neuron_source, params.sources
    sent = [(1, first + 3), (1, column + 3), (2, column + 4), (15, first + 9), (2, column + 9)]
    assert bench.spikes == sent
    assert bench.raised == [(1, 0), (2, 0)]
    assert [index for _, index, _ in bench.jobs] == [1]
