"""Exact-time events: a queue from the host into the delay wheel."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom_hdl.core.wheel import spike_layout

__all__ = ["EventQueue"]


class EventQueue(wiring.Component):
    """Holds event words (docs/protocol.md) and moves them to the wheel when their step is near.

    A word takes two clocks at least.

    Members
    -------
    words : In(stream of 16 bits)
    room : Out(16)
        Free words.
    now : In(32), restart : In(1)
        The step about to run. It changes by one, except when `restart` is high: that empties the queue and
        sets the cursor to `now`.
    enable : In(1)
        Events may be moved to the wheel.
    spikes : Out(stream of spike_layout)
    settled : Out(1)
        Every event due by `now` has been moved, and none is on its way.
    reaches : Out(1)
        The cursor is beyond `now`: the host has said all there is about this step.
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
                "settled": Out(1),
                "reaches": Out(1),
                "late": Out(1),
                "invalid": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params = self.params
        address_bits = ceil_log2(params.event_words)
        m.submodules.queue = queue = memory.Memory(shape=16, depth=1 << address_bits, init=[])
        write, read = queue.write_port(), queue.read_port(transparent_for=())

        # One bit more than an address, so that full and empty differ.
        head, tail, room = (Signal(address_bits + 1, name=name) for name in ("head", "tail", "room"))
        fetched, taken = Signal(), Signal()
        m.d.comb += [
            room.eq(tail - head + params.event_words),
            self.room.eq(room),
            self.words.ready.eq((room != 0) & ~self.restart),
            write.addr.eq(head),
            write.data.eq(self.words.payload),
            write.en.eq(self.words.valid & self.words.ready),
            read.addr.eq(tail),
            read.en.eq(~fetched),
        ]
        m.d.sync += [
            head.eq(head + write.en),
            tail.eq(tail + taken),
            fetched.eq((room < params.event_words) & ~taken),
        ]

        # The cursor is kept by its distance from `now`, which is late by a clock after each step.
        ahead = Signal(signed(32))
        was_odd, steps = Signal(), Signal()
        word = read.data
        advances = word[15]
        near = Signal()
        m.d.comb += [
            steps.eq(self.now[0] ^ was_odd),
            self.reaches.eq((ahead > 0) & ~steps & ~self.restart),
            self.settled.eq(~self.restart & ~steps & ((room >= params.event_words) | (ahead > 0))),
            near.eq((ahead >= 0) & (ahead < params.delay_slots)),
            self.spikes.payload.slot.eq(self.now + ahead),
            self.spikes.payload.bit.eq(word[:4]),
            self.spikes.payload.word.eq(word[4:]),
        ]
        m.d.sync += [
            was_odd.eq(self.now[0]),
            ahead.eq(ahead + Mux(steps, -1, Mux(taken & advances, word[:15], 0)).as_signed()),
        ]
        with m.If(fetched & ~steps & ~self.restart):
            with m.If(advances):
                m.d.comb += taken.eq(1)
            with m.Elif(word[:15] >= params.inputs):
                m.d.comb += [taken.eq(1), self.invalid.eq(1)]
            with m.Elif(ahead < 0):
                m.d.comb += [taken.eq(1), self.late.eq(1)]
            with m.Elif(near & self.enable):
                m.d.comb += [self.spikes.valid.eq(1), taken.eq(self.spikes.ready)]
        with m.If(self.restart):
            m.d.sync += [head.eq(0), tail.eq(0), fetched.eq(0), ahead.eq(0)]
        return m
