"""The event counters: a few bits of each in registers, the rest in one small memory."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In
from amaranth.utils import bits_for, ceil_log2

from synloom.contract import ArrayParams
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom.contract.registers import COUNTERS
from synloom.contract.serial_program import serial_program
from synloom_hdl.arithmetic import choose
from synloom_hdl.core.registers import KEPT_BITS, words_at_first
from synloom_hdl.core.shared_memory import AccessSignature
from synloom_hdl.ram_style import block_ram

__all__ = ["ROUND_CLOCKS", "Counters", "apart", "most"]

_MEMORY = memory_of(ArrayParams(), Region.COUNTERS)

_KEPT = _MEMORY.count
"""The visit after those of the counters, which serves the kept words of CTRL."""

_WORD_BITS = ceil_log2(_MEMORY.offset(1))
_OFFSET_BITS = _WORD_BITS + ceil_log2(_KEPT + 1)
"""Bits of an offset: those of a counter's word, and all of them."""

ROUND_CLOCKS = _MEMORY.places + 3
"""Clocks from one visit of a counter to the next: 63, so that six bits hold any count of single events."""

_FIRST_KEPT = _MEMORY.offset(_KEPT + 1)
"""Where the kept words lie in the memory."""


def most(params: ArrayParams, name: str) -> int:
    """Return the largest number of events of a counter in one clock.

    A spike raises the trace of its side, so that only one trace is clipped in a clock. Serial neurons clip
    one value a clock.
    """
    return {
        "spikes": params.neuron_lanes,
        "acc_saturations": params.lanes,
        "state_saturations": 1 if params.serial_neurons else 5 * params.neuron_lanes,
        "weight_clips": params.lanes,
    }.get(name, 1)


def apart(params: ArrayParams, name: str) -> int:
    """Return the fewest clocks from one clock with events of a counter to the next.

    A step passes at least the sequencer's states Finish, Settle and Rest. The event queue takes a word, looks
    whether there is another, and judges it, which are three clocks; a lesson is merged a clock earlier than a
    spike in the wheel. Traces are raised three clocks apart at least (`Traces`). With single-ported weights a
    chunk takes two clocks, and a segment waits for the last write of the one before.
    """
    chunk = params.chunk_clocks
    segment = 3 if params.single_port else 1
    return {
        "steps": 3,
        "late_steps": 3,
        "row_passes": segment,
        "column_passes": segment,
        "chunks": chunk,
        "spikes": serial_program(params).clocks if params.serial_neurons else 1,
        "acc_saturations": chunk,
        "trace_saturations": 3,
        "weight_clips": chunk,
        "events_late": 3,
        "events_merged": 2 if params.teaching else 3,
        "events_invalid": 3,
    }.get(name, 1)


def _sum(a: Value, b: Value, carry: Value) -> Value:
    """Return ``a + b + carry``, in one adder."""
    return (Cat(Const(1, 1), a) + Cat(carry, b))[1:]


class Counters(wiring.Component):
    """The COUNTERS region: saturating; a write to any word of a counter clears it.

    Each counter has a small register, which wraps around and is wide enough for the events of `ROUND_CLOCKS`
    clocks. The counters are visited in turn. A visit reads the counter's four words from the memory. The last
    word has the complement of the small register at the previous visit and, in bit 15, whether the counter is
    full. The difference is added to the first word, and carries are added to the next ones. An access waits
    for the next visit of its counter, and reads what that visit writes.

    The memory also holds the words of CTRL that only the host changes; they have a visit of their own.

    Members
    -------
    NAME : In
        Events of each of the contract's counters in this clock, at most `most`, in clocks `apart`.
    host : In(AccessSignature)
        COUNTERS.
    kept : In(AccessSignature)
        Words of CTRL.
    """

    def __init__(self, params: ArrayParams):
        self.params = params
        super().__init__(
            {
                **{name: In(range(most(params, name) + 1)) for name in COUNTERS},
                "host": In(AccessSignature()),
                "kept": In(AccessSignature()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        init = [0, 0, 0, (1 << max(self._widths())) - 1] * (_KEPT + 1) + words_at_first()
        m.submodules.words = self.words = words = memory.Memory(
            shape=unsigned(16), depth=len(init), init=init, attrs=block_ram(platform, 16 * len(init))
        )
        read, write = words.read_port(), words.write_port()
        phase, visit, written = self._visits(m)
        mine = self._serve(m, phase, visit)
        clears = Signal()
        m.d.comb += clears.eq(mine & self.host.write)

        seen = self._seen(m, visit, phase)
        seen_before = Signal.like(seen)
        total, newest = Signal(17), Signal(16)
        delta = Signal.like(seen)
        carry = Signal()
        m.d.comb += total.eq(_sum(read.data, delta, carry))
        with m.If(phase == 0):
            m.d.sync += delta.eq(_sum(seen, read.data[: len(seen)], Const(1, 1)) & self._mask(visit))
        with m.Else():
            m.d.sync += delta.eq(0)
        with m.If(phase == 3):
            m.d.sync += seen_before.eq(seen)
        with m.If(clears):
            m.d.sync += newest.eq(0)
        with m.Else():
            m.d.sync += newest.eq(total)
        is_full = self._full(m, visit, phase, total, carry, read.data[15], clears)
        self._answer(m, phase, newest, mine, is_full)

        kept = self.kept
        kept_place = Cat(kept.offset[:KEPT_BITS], Const(_FIRST_KEPT >> KEPT_BITS))
        m.d.comb += [
            read.addr.eq(Mux(visit == _KEPT, kept_place, Cat(phase, visit))),
            write.addr.eq(Mux(written == _KEPT, kept_place, Cat(phase ^ 2, written))),
            write.en.eq((written != _KEPT) | (mine & kept.write)),
            write.data.eq(newest),
        ]
        with m.If(written == _KEPT):
            m.d.comb += write.data.eq(kept.data)
        with m.Elif(phase == 1):
            m.d.comb += write.data.eq(Cat(~seen_before, Const(0, 15 - len(seen)), is_full))
        return m

    def _visits(self, m: Module) -> tuple[Signal, Signal, Signal]:
        """Visit the counters in turn; return the visit's clock, what is visited, and what is written.

        In each clock of a visit one word is read: the last, then the others from the first. Each is written
        three clocks later, when the next visit may have begun.
        """
        phase = Signal(2, init=3)
        visit = Signal(range(_KEPT + 1))
        written = Signal(range(_KEPT + 1), init=_KEPT)
        m.d.sync += phase.eq(phase + 1)
        with m.If((phase == 2) | ((phase == 1) & (visit == _KEPT))):
            m.d.sync += [visit.eq(visit + 1), phase.eq(3)]
        with m.If(phase == 1):
            m.d.sync += written.eq(visit)
        return phase, visit, written

    def _serve(self, m: Module, phase: Signal, visit: Signal) -> Signal:
        """Hold an access until its visit; return whether a visit serves an access."""
        host, kept = self.host, self.kept
        # A visit serves an access only if it begins while the access waits.
        asked, mine, answered = Signal(), Signal(), Signal()
        counter = Mux(host.select, host.offset[_WORD_BITS:_OFFSET_BITS], _KEPT)
        m.d.comb += [
            asked.eq((host.due & ~host.offset[_WORD_BITS:_OFFSET_BITS].all()) | kept.due),
            host.hold.eq(asked & ~answered),
            kept.hold.eq(asked & ~answered),
        ]
        with m.If(phase == 0):
            m.d.sync += [mine.eq(asked & (visit == counter)), answered.eq(mine)]
        with m.If(~asked):
            m.d.sync += answered.eq(0)
        return mine

    def _widths(self) -> list[int]:
        """Return the width of each counter's small register."""
        params = self.params
        return [bits_for(most(params, name) * -(-ROUND_CLOCKS // apart(params, name))) for name in COUNTERS]

    def _seen(self, m: Module, visit, phase) -> Signal:
        """Count events; return the small register of the visited counter, from phase 0 of the visit on."""
        numbers = []
        for name, width in zip(COUNTERS, self._widths(), strict=True):
            number = Signal(width, name=name)
            m.d.sync += number.eq(number + getattr(self, name))
            numbers.append(number)
        seen = Signal(max(self._widths()))
        with m.If(phase == 3):
            m.d.sync += seen.eq(choose(numbers, visit))
        return seen

    def _mask(self, visit):
        """Return a mask as wide as the visited counter's small register."""
        return Array([Const((1 << width) - 1) for width in [*self._widths(), 0]])[visit]

    def _full(self, m: Module, visit, phase, total, carry, was_full, clears) -> Signal:
        """Carry up to the counter's width; return whether it is full, when that is written."""
        bits = self.params.counter_bits
        wide, wide_before = Signal(), Signal()
        full, overflows, is_full, written = Signal(), Signal(), Signal(), Signal()
        m.d.comb += wide.eq(Array([*(counter.wide for counter in COUNTERS.values()), False])[visit])
        m.d.sync += wide_before.eq(wide)
        with m.Switch(phase):
            with m.Case(1):
                m.d.sync += carry.eq(total[16] & (wide | ((visit != _KEPT) & (bits > 16))))
                m.d.comb += overflows.eq(~wide & total[16] & (bits == 16))
            with m.Case(2):
                m.d.sync += carry.eq(total[16] & wide)
                m.d.comb += overflows.eq(~wide & total[bits - 16] & (bits > 16))
            with m.Case(3):
                m.d.sync += [carry.eq(0), written.eq(is_full)]
                m.d.comb += overflows.eq(wide_before & total[16])
            with m.Default():
                m.d.sync += carry.eq(0)
        m.d.comb += is_full.eq((full | overflows) & ~clears)
        m.d.sync += full.eq(Mux(phase == 0, was_full, is_full))
        return written

    def _answer(self, m: Module, phase, newest, mine, is_full):
        """Keep the word of the access when the visit writes it; all ones if the counter is full."""
        host, bits = self.host, self.params.counter_bits
        q = Signal(16)
        fills, takes = Signal(), Signal()
        wide = Array([*(counter.wide for counter in COUNTERS.values()), False])[
            host.offset[_WORD_BITS:_OFFSET_BITS]
        ]
        word = host.offset[:_WORD_BITS]
        m.d.comb += [
            # A kept word is read in the phase of a counter's third word.
            takes.eq(mine & (phase == Mux(host.select, word ^ 2, 0))),
            fills.eq(mine & (phase == 0) & is_full & host.select),
            self.host.q.eq(q),
            self.kept.q.eq(q),
        ]
        m.d.sync += q.eq(Mux(takes, newest, q) | fills.replicate(16))
        narrow = host.select & ~wide
        with m.If(narrow & (word == 1)):
            m.d.sync += q[bits - 16 :].eq(0)
        with m.If((~host.select & ~self.kept.select) | (word.all() & host.select) | (narrow & word[1])):
            m.d.sync += q.eq(0)
