"""Where the spikes of one step add up: an excitatory and an inhibitory sum for each neuron."""

from __future__ import annotations

from itertools import pairwise

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom_hdl.arithmetic import popcount
from synloom_hdl.core.shared_memory import block_ram

__all__ = ["Accumulators", "groups", "make_accumulators", "sums_layout"]

_ADDS_BITS = 14
"""The largest weight, shifted by 7; accumulators may be narrower."""


def groups(params: ArrayParams) -> range:
    """Return the addresses that a sweep goes through.

    One for each group of `neuron_lanes` neurons; serial neurons ask for the excitatory sum of a neuron
    (even) and for the inhibitory one (odd).
    """
    count = 16 * params.neuron_words // params.neuron_lanes
    return range(2 * count if params.serial_neurons else max(2, count))


def sums_layout(params: ArrayParams) -> data.ArrayLayout:
    """Return what a sweep reads at once: one sum for serial neurons, else pairs of them."""
    if params.serial_neurons:
        return data.ArrayLayout(params.accumulator_bits, 1)
    pair = data.StructLayout({"e": params.accumulator_bits, "i": params.accumulator_bits})
    return data.ArrayLayout(pair, params.neuron_lanes)


def make_accumulators(params: ArrayParams) -> Accumulators:
    """Return the accumulators that fit the array's passes."""
    return SlotAccumulators(params) if params.single_port else Accumulators(params)


class Accumulators(wiring.Component):
    """Saturating sums of synaptic input, B targets a clock.

    ``acc_e += |w| << shift`` for w > 0, ``acc_i += |w| << shift`` for w < 0, clipped at AMAX. The sweep
    reads one of `groups` a clock and clears what it read.

    Members
    -------
    chunk : In
        A clock before the chunk's weights. A chunk may come again `reuse_clocks` later, not earlier.
    valid : In(1), mask : In(B), shift : In(3), weights : In(B x signed(weight_bits))
        The present synapses of the chunk.
    saturations : Out
        Number of sums clipped, two clocks after `valid`.
    sweep_en : In(1), sweep_group : In
        Reads (and clears, in the next clock) one of `groups`; never together with `valid`.
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
        params, lanes, bits = self.params, self.params.lanes, self.params.accumulator_bits
        sweep = _Sweep(m, self)

        # Clock 0: the sums are read. Clock 1: what each lane adds, to which sum. Clock 2: the sum. Clock 3:
        # the write.
        valid2, valid3 = Signal(), Signal()
        chunks = [self.chunk, *(Signal.like(self.chunk, name=f"chunk{n}") for n in (1, 2, 3))]
        clipped = Signal(lanes)
        m.d.sync += [b.eq(a) for a, b in pairwise(chunks)]
        m.d.sync += [valid2.eq(self.valid), valid3.eq(valid2)]
        m.d.sync += self.saturations.eq(Mux(valid2, popcount(clipped), 0))
        swept = []
        for n in range(lanes):
            reads, sides = [], []
            for side in ("e", "i"):
                m.submodules[f"{side}{n}"] = sums = memory.Memory(
                    shape=unsigned(bits), depth=max(2, params.target_chunks), init=[]
                )
                reads.append(sums.read_port())
                sides.append(sums.write_port())
            adds, negative = self._adds(m, n)
            old, new = Signal(bits, name=f"old{n}"), Signal(bits, name=f"new{n}")
            negative3 = Signal(name=f"negative3_{n}")
            total = Signal(max(bits, _ADDS_BITS) + 1, name=f"total{n}")
            m.d.comb += [total.eq(old + adds), clipped[n].eq(total[bits:].any())]
            m.d.sync += [
                old.eq(Mux(self.weights[n] < 0, reads[1].data, reads[0].data)),
                new.eq(Mux(clipped[n], params.accumulator_max, total)),
                negative3.eq(negative),
            ]
            for k, (read, write) in enumerate(zip(reads, sides, strict=True)):
                m.d.comb += [
                    read.addr.eq(Mux(self.sweep_en, sweep.row, self.chunk)),
                    write.addr.eq(Mux(sweep.clears, sweep.cleared, chunks[3])),
                    write.data.eq(Mux(sweep.clears, 0, new)),
                    write.en.eq(
                        Mux(
                            sweep.clears,
                            sweep.lane_is(n) & sweep.side_is(k),
                            valid3 & (negative3 if k else ~negative3),
                        )
                    ),
                ]
            swept.append(
                Mux(sweep.side, reads[1].data, reads[0].data)
                if params.serial_neurons
                else Cat(reads[0].data, reads[1].data)
            )
        sweep.answer(m, swept)
        return m

    def _adds(self, m: Module, n: int) -> tuple[Signal, Signal]:
        """Return what a lane adds, and whether to the inhibitory sum, a clock after its weight."""
        weight = self.weights[n]
        adds, negative = Signal(_ADDS_BITS, name=f"adds{n}"), Signal(name=f"negative{n}")
        size = Mux(weight < 0, -weight, weight)[: self.params.weight_bits]
        m.d.sync += [adds.eq(Mux(self.mask[n], size << self.shift, 0)), negative.eq(weight < 0)]
        return adds, negative


class SlotAccumulators(Accumulators):
    """The same for passes with a chunk every two clocks, at half the memory.

    A lane's excitatory and inhibitory sums lie behind one another in one memory, since a weight only needs
    one of them; `chunk` comes with its weights.
    """

    reuse_clocks = 2

    def elaborate(self, platform):
        m = Module()
        params, lanes, bits = self.params, self.params.lanes, self.params.accumulator_bits
        sweep = _Sweep(m, self)
        valid1 = Signal()
        chunk1 = Signal.like(self.chunk)
        clipped = Signal(lanes)
        m.d.sync += [valid1.eq(self.valid), chunk1.eq(self.chunk)]
        m.d.sync += self.saturations.eq(Mux(valid1, popcount(clipped), 0))
        swept = []
        for n in range(lanes):
            m.submodules[f"sums{n}"] = sums = memory.Memory(
                shape=unsigned(bits),
                depth=2 << len(self.chunk),
                init=[],
                attrs=block_ram(platform, bits * (2 << len(self.chunk))),
            )
            read, write = sums.read_port(), sums.write_port()
            adds, negative = self._adds(m, n)
            total = Signal(max(bits, _ADDS_BITS) + 1, name=f"total{n}")
            m.d.comb += [
                read.addr.eq(
                    Mux(
                        self.sweep_en,
                        Cat(sweep.row, sweep.side_now),
                        Cat(self.chunk, self.weights[n] < 0),
                    )
                ),
                total.eq(read.data + adds),
                clipped[n].eq(total[bits:].any()),
                write.addr.eq(Mux(sweep.clears, Cat(sweep.cleared, sweep.side), Cat(chunk1, negative))),
                write.data.eq(Mux(sweep.clears, 0, Mux(clipped[n], params.accumulator_max, total))),
                write.en.eq(Mux(sweep.clears, sweep.lane_is(n), valid1)),
            ]
            swept.append(read.data)
        sweep.answer(m, swept)
        return m


class _Sweep:
    """A sweep's address, taken apart: its row of lanes, its part of that row, its side if serial."""

    def __init__(self, m: Module, of: Accumulators):
        params = of.params
        self._of, self._serial = of, params.serial_neurons
        group = of.sweep_group[1:] if self._serial else of.sweep_group
        bits = ceil_log2(params.lanes // params.neuron_lanes)
        self.row = Signal.like(of.chunk)
        self.cleared = Signal.like(of.chunk)
        self.part = Signal(bits)
        self.side_now = of.sweep_group[0] if self._serial else 0
        self.side = Signal()
        self.clears = Signal()
        m.d.comb += self.row.eq(group >> bits)
        m.d.sync += [
            self.part.eq(group[:bits]),
            self.side.eq(self.side_now),
            self.clears.eq(of.sweep_en),
            self.cleared.eq(self.row),
        ]

    def lane_is(self, lane: int):
        """Return whether what was read a clock ago is of this lane."""
        return self.part == lane // self._of.params.neuron_lanes

    def side_is(self, side: int):
        """Return whether what was read a clock ago is of this side; both are if not serial."""
        return self.side == side if self._serial else 1

    def answer(self, m: Module, swept: list):
        """Choose the part that was asked for from the lanes' outputs."""
        step = self._of.params.neuron_lanes
        for n in range(step):
            m.d.comb += Value.cast(self._of.sums[n]).eq(Array(swept[n::step])[self.part])
