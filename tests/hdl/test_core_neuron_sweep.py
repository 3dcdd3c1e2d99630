import pytest
from core_benches import access, dump, load, simulate, ticks
from core_neurons import NeuronTwin

from places import record_offset
from synloom.contract import ArrayParams
from synloom.contract.memory_map import layout_of
from synloom.contract.regions import Region
from synloom.contract.serial_program import serial_program
from synloom_hdl.core.neuron_sweep import Neurons
from synloom_hdl.core.serial_neurons import SerialNeurons

SIZES = {1: 35, 2: 19, 4: 19, 8: 9, 16: 5}
"""Neurons by neuron lanes: the more lanes, the slower the simulation."""

SERIAL = [
    (1, {"serial_neurons": True}),
    (1, {"serial_neurons": True, "adaptation": False, "state_bits": 16, "accumulator_bits": 16}),
    *(
        (1, {"serial_neurons": True, "state_bits": bits, "accumulator_bits": 36 - bits})
        for bits in range(12, 24)
    ),
    *(
        (1, {"serial_neurons": True, "state_bits": bits, "adaptation": False})
        for bits in (12, 15, 17, 20, 24)
    ),
]


class Bench:
    """Neurons between a host and accumulators that the test fills."""

    def __init__(self, lanes, neurons=0, **sizes):
        neurons = neurons or SIZES[lanes]
        self.params = ArrayParams(neurons=neurons, lanes=16, neuron_lanes=lanes, **sizes)
        self.dut = (SerialNeurons if self.params.serial_neurons else Neurons)(self.params)
        self.twin = NeuronTwin(self.params, seed=lanes)
        self.sums = [[0, 0] for _ in range(16 * self.params.neuron_words)]
        self.layouts = (
            layout_of(self.params, Region.NEURON_PARAMS),
            layout_of(self.params, Region.NEURON_STATE),
        )

    async def accumulators(self, ctx):
        """Answer the sweep port; what is in no sweep's reach is never asked for."""
        dut, lanes = self.dut, self.params.neuron_lanes
        while True:
            *_, en, group = await ctx.tick().sample(dut.sweep_en, dut.sweep_group)
            if en and self.params.serial_neurons:
                ctx.set(dut.sums[0], self.sums[group >> 1][group & 1])
            elif en:
                sums = self.sums[group * lanes : group * lanes + lanes]
                ctx.set(dut.sums, [{"e": e, "i": i} for e, i in sums])

    async def fill(self, ctx):
        parameters = self.twin.words(self.layouts[0], self.twin.parameters)
        state = self.twin.words(self.layouts[1], self.twin.fields)
        for n in range(self.params.neurons):
            await load(ctx, self.dut.parameters, record_offset(Region.NEURON_PARAMS, n), parameters[n])
            await load(ctx, self.dut.state, record_offset(Region.NEURON_STATE, n), state[n])

    async def sweep(self, ctx, count, adapt):
        """Sweep; return the neurons that fired, the words by index, and what was counted."""
        dut = self.dut
        for n, pair in enumerate(self.twin.draw_sums().T.tolist()):
            self.sums[n] = pair
        ctx.set(dut.sweep_count, count)
        ctx.set(dut.adapt, adapt)
        ctx.set(dut.dither, self.twin.dither())
        ctx.set(dut.start, 1)
        words, spikes, clips, busy, clocks = [], 0, 0, 1, 0
        while busy:
            *_, busy, en, index, word, fired, saturated = await ctx.tick().sample(
                dut.busy, dut.word_en, dut.word_index, dut.word, dut.spikes, dut.saturations
            )
            ctx.set(dut.start, 0)
            words += [(index, word)] * en
            spikes, clips, clocks = spikes + fired, clips + saturated, clocks + busy
        return words, spikes, clips, clocks

    def run(self, main):
        simulate(self.dut, main, background=[self.accumulators])


@pytest.mark.parametrize(("lanes", "structure"), [*((lanes, {}) for lanes in SIZES), *SERIAL])
def test_sweeps_any_number_of_neurons_as_the_model(lanes, structure):
    bench = Bench(lanes, **{"adaptation": lanes != 2, "state_bits": 24 if lanes < 8 else 13} | structure)
    twin, n = bench.twin, bench.params.neurons

    async def main(ctx):
        await bench.fill(ctx)
        for k, count in enumerate([n, min(16, n), 0, 1, min(17, n), n // 2, n, n - 1]):
            words, spikes, clips, _ = await bench.sweep(ctx, count, k % 2)
            fired, clipped = twin.sweep(count, bool(k % 2))
            twin.state.registers.now = (twin.state.registers.now + 1) & 0xFFFFFFFF
            assert [index for index, _ in words] == list(range(-(-count // 16)))
            ids = [16 * index + bit for index, word in words for bit in range(16) if word >> bit & 1]
            assert (ids, spikes, clips) == (fired, len(fired), clipped)
        for k, words in enumerate(twin.words(bench.layouts[1], twin.fields)):
            got = await dump(ctx, bench.dut.state, record_offset(Region.NEURON_STATE, k), len(words))
            assert got == words.tolist(), k

    bench.run(main)


def test_a_sweep_takes_a_clock_for_each_group_and_the_way_through_a_lane():
    clocks = {}
    for lanes in (1, 4):
        bench = Bench(lanes, neurons=64)

        async def main(ctx, bench=bench, lanes=lanes):
            for count in (1, 33, 64):
                clocks[lanes, count] = (await bench.sweep(ctx, count, 0))[3]

        bench.run(main)
    assert {clocks[lanes, count] - -(-count // 16) * 16 // lanes for lanes, count in clocks} == {12}


@pytest.mark.parametrize("adaptation", [False, True])
def test_a_serial_sweep_takes_the_clocks_of_its_program(adaptation):
    bench = Bench(1, neurons=33, serial_neurons=True, adaptation=adaptation)
    clocks = []

    async def main(ctx):
        for count in (1, 33):
            clocks.append((await bench.sweep(ctx, count, 0))[3])

    bench.run(main)
    # A clock for the start, and those in which the last neuron is written.
    program = serial_program(bench.params)
    ends = 1 + len(program.state_writes)
    assert clocks == [16 * program.clocks + ends, 48 * program.clocks + ends]


def test_words_beyond_a_record_and_neurons_beyond_the_array_do_not_exist():
    bench = Bench(4, neurons=3)
    dut, (parameters, state) = bench.dut, bench.layouts

    async def main(ctx):
        for port, step, words in (
            (dut.parameters, record_offset(Region.NEURON_PARAMS, 1), parameters.words),
            (dut.state, record_offset(Region.NEURON_STATE, 1), state.words),
        ):
            for offset in (words, step * 3, step * 4 - 1):
                await access(ctx, port, offset, 0xFFFF)
                assert await access(ctx, port, offset) == 0
            await access(ctx, port, step * 2 + words - 1, 0x1234)
            assert await access(ctx, port, step * 2 + words - 1) == 0x1234
            assert await access(ctx, port, step * 2) == 0

    bench.run(main)


def test_nothing_happens_without_a_start():
    bench = Bench(2)

    async def main(ctx):
        ctx.set(bench.dut.sweep_count, 19)
        await ticks(ctx, 5)
        assert not ctx.get(bench.dut.busy)
        assert not ctx.get(bench.dut.sweep_en)

    bench.run(main)
