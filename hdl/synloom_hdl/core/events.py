"""Events: a queue of spikes from the host, each for an exact step."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom.contract.records import SETTING
from synloom_hdl.arithmetic import below
from synloom_hdl.core.neuron_lane import record_layout
from synloom_hdl.core.wheel import spike_layout
from synloom_hdl.ram_style import block_ram

__all__ = ["EventQueue"]

_NO_SETTING = 3
"""The kind that does not exist."""


class EventQueue(wiring.Component):
    """Holds event words (docs/protocol.md), and moves events to the wheel when their step is near.

    A word takes at least three clocks.

    Members
    -------
    words : In(stream of 16 bits)
    room : Out(16)
        Free words in the clock before.
    now : In(32), restart : In(1)
        The next step. It changes by one, except with `restart`, which empties the queue and sets the cursor
        to `now`.
    enable : In(1)
        Events may be moved to the wheel.
    spikes : Out(stream of spike_layout)
    sweep_count : In(16), lesson_enable : In(1), lessons : Out(stream of 16 bits)
        Events that fire neurons or change settings: they stay at the head of the queue until their step has
        begun and `lesson_enable` is high (only with `teaching`).
    lesson_waits : Out(1)
        Such an event is at the head, and due.
    settled : Out(1)
        Every event due by `now` has been moved, and none is pending.
    reaches : Out(1)
        The cursor is beyond `now`: the host has sent all events of this step.
    late : Out(1), invalid : Out(1)
        An event was dropped.
    """

    def __init__(self, params: ArrayParams):
        self.params = params
        super().__init__(
            {
                "words": In(stream.Signature(16)),
                "room": Out(16),
                "now": In(32),
                "restart": In(1),
                "enable": In(1),
                "spikes": Out(stream.Signature(spike_layout(params))),
                "sweep_count": In(16),
                "lesson_enable": In(1),
                "lessons": Out(stream.Signature(16)),
                "lesson_waits": Out(1),
                "settled": Out(1),
                "reaches": Out(1),
                "late": Out(1),
                "invalid": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        self._taken = Signal(name="taken")
        word, judged, is_empty = self._queue(m, platform)
        ahead, right, adds = self._cursor(m, word)
        # Bits tell these without the carry of a comparison.
        is_near, is_ahead = Signal(), Signal()
        slot_bits = ceil_log2(self.params.delay_slots)
        m.d.comb += [
            is_near.eq(~ahead[slot_bits:].any()),
            is_ahead.eq(~ahead[-1] & (~is_near | ahead[:slot_bits].any())),
            self.reaches.eq(is_ahead & right),
            self.settled.eq(right & (is_empty | is_ahead)),
        ]
        self._judge(m, word, judged & right, ahead, is_near, adds)
        return m

    def _queue(self, m: Module, platform) -> tuple[Value, Signal, Value]:
        """Keep the words; return the oldest, whether it is judged by now, and whether there is none."""
        params, taken = self.params, self._taken
        address_bits = ceil_log2(params.event_words)
        m.submodules.queue = queue = memory.Memory(
            shape=16, depth=1 << address_bits, init=[], attrs=block_ram(platform, 16 << address_bits)
        )
        write, read = queue.write_port(), queue.read_port(transparent_for=())
        # One bit more than an address, so that full and empty differ.
        head, tail, room = (Signal(address_bits + 1, name=name) for name in ("head", "tail", "room"))
        fetched, judged = Signal(), Signal()
        m.d.comb += [
            room.eq(tail - head + params.event_words),
            self.words.ready.eq((room != 0) & ~self.restart),
            write.addr.eq(head),
            write.data.eq(self.words.payload),
            write.en.eq(self.words.valid & self.words.ready),
            read.addr.eq(tail),
            read.en.eq(~fetched),
        ]
        # A register where they are many: the link compares this sum in the same clock.
        domain = m.d.comb if params.single_port else m.d.sync
        domain += self.room.eq(room)
        m.d.sync += [
            head.eq(head + write.en),
            tail.eq(tail + taken),
            judged.eq(fetched & ~taken),
            fetched.eq(below(room, params.event_words) & ~taken),
        ]
        with m.If(self.restart):
            m.d.sync += [part.eq(0) for part in (head, tail, fetched, judged)]
        return read.data, judged, ~below(room, params.event_words)

    def _cursor(self, m: Module, word: Value) -> tuple[Signal, Signal, Signal]:
        """Keep how far the cursor is ahead of `now`; return it, whether it is right, and what advances it."""
        ahead, change = Signal(signed(32)), Signal(signed(16))
        was_odd, steps, adds, changes = Signal(), Signal(), Signal(), Signal()
        right = Signal()
        m.d.comb += [
            steps.eq(self.now[0] ^ was_odd),
            # It is late by two clocks after each step.
            right.eq(~steps & ~changes & ~self.restart),
        ]
        m.d.sync += [
            was_odd.eq(self.now[0]),
            changes.eq(steps | adds),
            change.eq(Mux(steps, -1, Mux(adds, word[:15], 0)).as_signed()),
            ahead.eq(ahead + change),
        ]
        with m.If(self.restart):
            m.d.sync += [part.eq(0) for part in (ahead, change, changes)]
        return ahead, right, adds

    def _judge(self, m: Module, word: Value, judged: Value, ahead: Signal, near: Signal, adds: Signal):
        """Take a word: it advances the cursor, or is an event that is dropped or moves to the wheel."""
        advances, bad, teaches = Signal(), Signal(), Signal()
        is_input = below(word[:15], self.params.inputs)
        m.d.sync += [advances.eq(word[15]), bad.eq(~is_input)]
        if self.params.teaching:
            is_lesson = Signal()
            m.d.comb += is_lesson.eq(self._is_lesson(m, word))
            m.d.sync += [bad.eq(~is_input & ~is_lesson), teaches.eq(is_lesson)]
        m.d.comb += [
            self.spikes.payload.slot.eq(self.now + ahead),
            self.spikes.payload.bit.eq(word[:4]),
            self.spikes.payload.word.eq(word[4:]),
        ]
        with m.If(judged):
            with m.If(advances):
                m.d.comb += [self._taken.eq(1), adds.eq(1)]
            with m.Elif(bad):
                m.d.comb += [self._taken.eq(1), self.invalid.eq(1)]
            with m.Elif(ahead[-1]):
                m.d.comb += [self._taken.eq(1), self.late.eq(1)]
            with m.Elif(teaches):
                m.d.comb += [
                    self.lesson_waits.eq(ahead == 0),
                    self.lessons.valid.eq((ahead == 0) & self.lesson_enable),
                    self.lessons.payload.eq(word),
                    self._taken.eq(self.lessons.valid & self.lessons.ready),
                ]
            with m.Elif(near & self.enable):
                m.d.comb += [self.spikes.valid.eq(1), self._taken.eq(self.spikes.ready)]

    def _is_lesson(self, m: Module, word: Value) -> Value:
        """Return whether an event fires a neuron in use, or changes a setting that exists."""
        first = self.params.first_neuron_source
        neuron = Signal(signed(16))
        m.d.comb += neuron.eq(word[:14] - first)
        fires = (neuron >= 0) & (neuron < self.sweep_count)
        setting = data.View(record_layout(SETTING), word)
        return Mux(setting.is_setting, setting.kind != _NO_SETTING, fires)
