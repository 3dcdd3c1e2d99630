"""The accumulators: an excitatory and an inhibitory sum of a step's spikes for each neuron."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom_hdl.arithmetic import popcount
from synloom_hdl.core.timing import PassTiming
from synloom_hdl.pipeline import Pipeline, Staged, cat, mux
from synloom_hdl.ram_style import block_ram

__all__ = ["Accumulators", "SlotAccumulators", "groups", "make_accumulators", "sums_layout"]

_ADDS_BITS = 14
"""The largest weight, shifted by 7; accumulators may be narrower."""


def groups(params: ArrayParams) -> range:
    """Return the addresses of a sweep.

    There is one for each group of `neuron_lanes` neurons. Serial neurons have two for each neuron: its
    excitatory sum (even) and its inhibitory one (odd).
    """
    count = 16 * params.neuron_words // params.neuron_lanes
    return range(2 * count if params.serial_neurons else max(2, count))


def sums_layout(params: ArrayParams) -> data.ArrayLayout:
    """Return what a sweep reads at an address: one sum for serial neurons, else pairs of them."""
    if params.serial_neurons:
        return data.ArrayLayout(params.accumulator_bits, 1)
    pair = data.StructLayout({"e": params.accumulator_bits, "i": params.accumulator_bits})
    return data.ArrayLayout(pair, params.neuron_lanes)


def make_accumulators(params: ArrayParams) -> Accumulators:
    """Return the accumulators that fit the array's passes."""
    return (Accumulators if PassTiming.of(params).sums_apart else SlotAccumulators)(params)


class Accumulators(wiring.Component):
    """Saturating sums of synaptic input, B targets a clock.

    ``acc_e += |w| << shift`` for w > 0, ``acc_i += |w| << shift`` for w < 0, clipped at AMAX. The sweep
    reads one of `groups` a clock and clears what it read.

    Members
    -------
    chunk : In
        A clock before the chunk's weights. A chunk must not come again before `reuse_clocks`.
    valid : In(1), mask : In(B), shift : In(3), weights : In(B x signed(weight_bits))
        The present synapses of the chunk.
    saturations : Out
        How many sums were clipped, two clocks after `valid`.
    sweep_en : In(1), sweep_group : In
        Read one of `groups`, and clear it in the next clock; never together with `valid`.
    sums : Out(sums_layout)
        What was read, valid in the clock after `sweep_en`.
    """

    reuse_clocks = 4

    def __init__(self, params: ArrayParams):
        self.params = params
        super().__init__(
            {
                "valid": In(1),
                "chunk": In(range(max(2, params.target_chunks))),
                "mask": In(params.lanes),
                "shift": In(3),
                "weights": In(data.ArrayLayout(signed(params.weight_bits), params.lanes)),
                "saturations": Out(range(params.lanes + 1)),
                "sweep_en": In(1),
                "sweep_group": In(groups(params)),
                "sums": Out(sums_layout(params)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        sweep = _Sweep(m, self)
        # Stage 0 reads the sums, stage 1 scales the weights, stage 2 adds, stage 3 writes.
        pipe = Pipeline(m, [True] * 3)
        chunk, valid = pipe.enter("chunk", self.chunk), pipe.enter("valid", self.valid, 1)
        clipped = Signal(self.params.lanes)
        m.d.sync += self.saturations.eq(Mux(valid.at(2), popcount(clipped), 0))
        swept = []
        for n in range(self.params.lanes):
            reads, writes = self._memories(m, n)
            adds, negative = self._adds(pipe, n, 1)
            e, i = (pipe.enter("read", read.data, 1) for read in reads)
            old = pipe.next(f"old{n}", mux(negative, i, e))
            new, clips = self._sum(pipe, n, old, adds)
            m.d.comb += clipped[n].eq(clips)
            new = pipe.next(f"new{n}", new, self.params.accumulator_bits)
            negative = negative.at(3)
            for inhibitory, (read, write) in enumerate(zip(reads, writes, strict=True)):
                mine = valid.at(3) & (negative if inhibitory else ~negative)
                m.d.comb += [
                    read.addr.eq(Mux(self.sweep_en, sweep.row, self.chunk)),
                    write.addr.eq(Mux(sweep.clears, sweep.cleared, chunk.at(3))),
                    write.data.eq(Mux(sweep.clears, 0, new)),
                    write.en.eq(Mux(sweep.clears, sweep.lane_is(n), mine)),
                ]
            e, i = (read.data for read in reads)
            swept.append(Cat(e, i))
        sweep.answer(m, swept)
        return m

    def _memories(self, m: Module, n: int) -> tuple[list, list]:
        """Make the memories of a lane; return read ports and write ports, excitatory before inhibitory."""
        reads, writes = [], []
        for sign in ("e", "i"):
            m.submodules[f"{sign}{n}"] = sums = memory.Memory(
                shape=unsigned(self.params.accumulator_bits),
                depth=max(2, self.params.target_chunks),
                init=[],
            )
            reads.append(sums.read_port())
            writes.append(sums.write_port())
        return reads, writes

    def _adds(self, pipe: Pipeline, n: int, stage: int) -> tuple[Staged, Staged]:
        """Return what a lane adds, in the stage after its weight, and whether to the inhibitory sum."""
        weight, mask, shift = (
            pipe.enter(name, value, stage)
            for name, value in (("weight", self.weights[n]), ("mask", self.mask[n]), ("shift", self.shift))
        )
        negative = pipe.wire(f"negative{n}", weight[-1])
        size = mux(negative, -weight, weight)[: self.params.weight_bits]
        return pipe.next(f"adds{n}", mux(mask, size << shift, 0), _ADDS_BITS), negative

    def _sum(self, pipe: Pipeline, n: int, old: Staged, adds: Staged) -> tuple[Staged, Staged]:
        """Return a sum within its limits, and whether it was clipped."""
        bits = self.params.accumulator_bits
        total = pipe.wire(f"total{n}", old + adds, max(bits, _ADDS_BITS) + 1)
        clips = pipe.wire(f"clips{n}", total[bits:].any())
        return mux(clips, self.params.accumulator_max, total), clips


class SlotAccumulators(Accumulators):
    """The same for serial neurons, which sweep one sum at a time, with half the memories.

    A lane's excitatory and inhibitory sums are in one memory, as a weight needs only one of them. `chunk`
    comes with its weights.
    """

    reuse_clocks = 2

    def elaborate(self, platform):
        m = Module()
        params, bits = self.params, self.params.accumulator_bits
        sweep = _Sweep(m, self)
        # Stage 0 reads the sums and scales the weights, stage 1 adds and writes.
        pipe = Pipeline(m, [True])
        chunk, valid = pipe.enter("chunk", self.chunk), pipe.enter("valid", self.valid)
        clipped = Signal(params.lanes)
        m.d.sync += self.saturations.eq(Mux(valid.at(1), popcount(clipped), 0))
        swept = []
        for n in range(params.lanes):
            m.submodules[f"sums{n}"] = sums = memory.Memory(
                shape=unsigned(bits),
                depth=2 << len(self.chunk),
                init=[],
                attrs=block_ram(platform, bits * (2 << len(self.chunk))),
            )
            read, write = sums.read_port(), sums.write_port()
            adds, negative = self._adds(pipe, n, 0)
            new, clips = self._sum(pipe, n, pipe.enter("read", read.data, 1), adds)
            swept_place = Cat(sweep.row, sweep.sign_now), Cat(sweep.cleared, sweep.sign)
            place = cat(chunk, negative), cat(chunk.at(1), negative.at(1))
            m.d.comb += [
                read.addr.eq(Mux(self.sweep_en, swept_place[0], place[0])),
                clipped[n].eq(clips),
                write.addr.eq(
                    Mux(sweep.clears, Cat(sweep.cleared, sweep.sign), cat(chunk.at(1), negative.at(1)))
                ),
                write.data.eq(Mux(sweep.clears, 0, new)),
                write.en.eq(Mux(sweep.clears, sweep.lane_is(n), valid.at(1))),
            ]
            swept.append(read.data)
        sweep.answer(m, swept)
        return m


class _Sweep:
    """The parts of a sweep's address: a row of lanes, a part of it and, if neurons are serial, a sign."""

    def __init__(self, m: Module, of: Accumulators):
        params = of.params
        self._of = of
        group = of.sweep_group[1:] if params.serial_neurons else of.sweep_group
        bits = ceil_log2(params.lanes // params.neuron_lanes)
        self.row = Signal.like(of.chunk)
        self.cleared = Signal.like(of.chunk)
        self.part = Signal(bits)
        self.sign_now = of.sweep_group[0] if params.serial_neurons else 0
        self.sign = Signal()
        self.clears = Signal()
        m.d.comb += self.row.eq(group >> bits)
        m.d.sync += [
            self.part.eq(group[:bits]),
            self.sign.eq(self.sign_now),
            self.clears.eq(of.sweep_en),
            self.cleared.eq(self.row),
        ]

    def lane_is(self, lane: int):
        """Return whether the sums of the clock before are this lane's."""
        return self.part == lane // self._of.params.neuron_lanes

    def answer(self, m: Module, swept: list):
        """Give the part of the row that was addressed."""
        step = self._of.params.neuron_lanes
        for n in range(step):
            m.d.comb += Value.cast(self._of.sums[n]).eq(Array(swept[n::step])[self.part])
