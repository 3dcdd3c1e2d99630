"""Exact-time events: a queue from the host into the delay wheel."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract import ArrayParams
from synloom_hdl.core.wheel import spike_layout

__all__ = ["EventQueue"]


class EventQueue(wiring.Component):
    """Holds event words (docs/protocol.md) and moves them to the wheel when their step is near.

    Members
    -------
    words : In(stream of 16 bits)
    room : Out(16)
        Free words.
    now : In(32), restart : In(1)
        The step about to run; `restart` empties the queue and sets the cursor to `now`.
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
        m.submodules.queue = queue = fifo.SyncFIFOBuffered(width=16, depth=params.event_words)
        # The queue is emptied by reading it out: block RAM cannot be reset.
        cursor = Signal(32)
        ahead = Signal(signed(32))
        draining = Signal()
        word = queue.r_data
        is_event = ~word[15]
        m.d.comb += [
            queue.w_data.eq(self.words.payload),
            queue.w_en.eq(self.words.valid & ~draining),
            self.words.ready.eq(queue.w_rdy & ~draining),
            self.room.eq(Mux(draining, 0, params.event_words - queue.level)),
            ahead.eq(cursor - self.now),
            self.reaches.eq(ahead > 0),
            self.spikes.payload.slot.eq(cursor),
            self.spikes.payload.bit.eq(word[:4]),
            self.spikes.payload.word.eq(word[4:]),
        ]
        waits = queue.r_rdy & is_event & (ahead > 0)
        m.d.comb += self.settled.eq(~draining & ~self.restart & ((queue.level == 0) | waits))
        with m.If(self.restart):
            m.d.sync += [cursor.eq(self.now), draining.eq(1)]
        with m.Elif(draining):
            m.d.comb += queue.r_en.eq(1)
            with m.If(queue.level == 0):
                m.d.sync += draining.eq(0)
            m.d.sync += cursor.eq(self.now)
        with m.Elif(queue.r_rdy & ~is_event):
            m.d.comb += queue.r_en.eq(1)
            m.d.sync += cursor.eq(cursor + word[:15])
        with m.Elif(queue.r_rdy & (word[:15] >= params.inputs)):
            m.d.comb += [queue.r_en.eq(1), self.invalid.eq(1)]
        with m.Elif(queue.r_rdy & (ahead < 0)):
            m.d.comb += [queue.r_en.eq(1), self.late.eq(1)]
        with m.Elif(queue.r_rdy & (ahead < params.delay_slots) & self.enable):
            m.d.comb += [
                self.spikes.valid.eq(1),
                queue.r_en.eq(self.spikes.ready),
            ]
        return m
