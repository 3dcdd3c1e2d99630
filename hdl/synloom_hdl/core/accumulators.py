"""Where the spikes of one step add up: an excitatory and an inhibitory sum for each neuron."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom_hdl.arithmetic import population

__all__ = ["REUSE_CLOCKS", "Accumulators", "groups", "sums_layout"]

REUSE_CLOCKS = 3
"""A chunk may be added to again this many clocks later, not earlier."""

_ADDS_BITS = 14
"""The largest weight, shifted by 7; accumulators may be narrower."""


def groups(params: ArrayParams) -> range:
    """Return the groups of `neuron_lanes` neurons that a sweep goes through."""
    return range(max(2, 16 * params.neuron_words // params.neuron_lanes))


def sums_layout(params: ArrayParams) -> data.ArrayLayout:
    """Return one group's sums."""
    pair = data.StructLayout({"e": params.accumulator_bits, "i": params.accumulator_bits})
    return data.ArrayLayout(pair, params.neuron_lanes)


class Accumulators(wiring.Component):
    """Saturating sums of synaptic input, B targets a clock.

    ``acc_e += |w| << shift`` for w > 0, ``acc_i += |w| << shift`` for w < 0, clipped at AMAX. The sweep
    reads `neuron_lanes` neurons a clock and clears what it read.

    Members
    -------
    valid : In(1), chunk : In, mask : In(B), shift : In(3), weights : In(B x signed(weight_bits))
        A chunk of present synapses to add.
    saturations : Out
        Number of sums clipped, two clocks after `valid`.
    sweep_en : In(1), sweep_group : In
        Reads (and clears, in the next clock) group `sweep_group` of `neuron_lanes` neurons; never together
        with `valid`.
    sums : Out(neuron_lanes x {e, i})
        The group read, valid in the clock after `sweep_en`.
    """

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
        params, lanes = self.params, self.params.lanes
        bits, top = params.accumulator_bits, params.accumulator_max
        part_bits = ceil_log2(lanes // params.neuron_lanes)

        reads, writes = [], []
        for n in range(lanes):
            m.submodules[f"sums{n}"] = sums = memory.Memory(
                shape=unsigned(2 * bits), depth=max(2, params.target_chunks), init=[]
            )
            reads.append(sums.read_port())
            writes.append(sums.write_port())

        # Clock 0: what each lane adds. Clock 1: the sum. Clock 2: the write.
        valid1, valid2 = Signal(), Signal()
        chunk1, chunk2 = Signal.like(self.chunk), Signal.like(self.chunk)
        clipped = Signal(lanes)
        sums2 = [Signal(2 * bits, name=f"sum{n}") for n in range(lanes)]
        m.d.sync += [valid1.eq(self.valid), valid2.eq(valid1), chunk1.eq(self.chunk), chunk2.eq(chunk1)]
        for n in range(lanes):
            weight = self.weights[n]
            adds = Signal(_ADDS_BITS, name=f"adds{n}")
            negative = Signal(name=f"negative{n}")
            size = Mux(weight < 0, -weight, weight)[: params.weight_bits]
            m.d.sync += [
                adds.eq(Mux(self.mask[n], size << self.shift, 0)),
                negative.eq(weight < 0),
            ]
            old = reads[n].data
            side = Signal(bits, name=f"side{n}")
            total = Signal(max(bits, _ADDS_BITS) + 1, name=f"total{n}")
            new = Signal(bits, name=f"new{n}")
            m.d.comb += [
                side.eq(Mux(negative, old[bits:], old[:bits])),
                total.eq(side + adds),
                clipped[n].eq(total[bits:].any()),
                new.eq(Mux(clipped[n], top, total)),
            ]
            m.d.sync += sums2[n].eq(Mux(negative, Cat(old[:bits], new), Cat(new, old[bits:])))
        m.d.sync += self.saturations.eq(Mux(valid1, population(clipped), 0))

        # The sweep's group is part of a row of lanes.
        part = Signal(part_bits)
        row, part_now = self.sweep_group >> part_bits, self.sweep_group[:part_bits]
        cleared = Signal.like(self.chunk)
        clears = Signal()
        m.d.sync += [part.eq(part_now), clears.eq(self.sweep_en), cleared.eq(row)]
        for n, (read, write) in enumerate(zip(reads, writes, strict=True)):
            m.d.comb += [
                read.addr.eq(Mux(self.sweep_en, row, self.chunk)),
                write.addr.eq(Mux(clears, cleared, chunk2)),
                write.data.eq(Mux(clears, 0, sums2[n])),
                write.en.eq(Mux(clears, part == n // params.neuron_lanes, valid2)),
            ]
        for n in range(params.neuron_lanes):
            parts = [read.data for read in reads[n :: params.neuron_lanes]]
            m.d.comb += self.sums[n].as_value().eq(Array(parts)[part])
        return m
