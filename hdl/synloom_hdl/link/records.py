"""The record ring: what the core recorded waits here until the host has it."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract.frames import RECORD_FRAME_WORDS, Kind
from synloom_hdl.link.layouts import FrameByte

__all__ = ["RecordRing", "StreamRequest"]

StreamRequest = data.StructLayout({"acked": 16, "rewind": 1, "flush": 1, "discard": 1})
"""Arguments of STREAM (docs/protocol.md)."""


class RecordRing(wiring.Component):
    """Keep record words until they are acknowledged, and send them in frames.

    The ring holds the words of offsets ``first .. first + held - 1`` (modulo 65536), of which the first
    `sent` have been sent. A frame is begun when RECORD_FRAME_WORDS unsent words are there; or any, if the
    core does not run, a flush was asked for, or the ring is half full (the core might wait for room). A
    request of the host is taken between two frames; an acknowledgement of words that the ring does not hold
    changes nothing. A byte leaves every clock.

    Parameters
    ----------
    depth : int
        Words; a power of two, 256 to 32768.

    Members
    -------
    records : In(stream of 16 bits)
        Words from the core.
    room : Out(16)
        Free words.
    drains : In(1)
        The core does not run or is paused: send whatever there is.
    flushes : In(1)
        Send what is there now, even if the core goes on.
    requests : In(stream of StreamRequest)
        From the host.
    first : Out(16)
        Offset of the first word held.
    o : Out(stream of FrameByte)
        The frames.
    busy : Out(1)
        The ring has something to do.
    """

    def __init__(self, depth):
        if not 256 <= depth <= 32768 or depth.bit_count() != 1:
            raise ValueError(f"depth must be a power of two in 256..32768, not {depth}")
        self.depth = depth
        super().__init__(
            {
                "records": In(stream.Signature(16)),
                "room": Out(16),
                "drains": In(1),
                "flushes": In(1),
                "requests": In(stream.Signature(StreamRequest)),
                "first": Out(16),
                "o": Out(stream.Signature(FrameByte)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.words = words = memory.Memory(shape=16, depth=self.depth, init=[])
        write, read = words.write_port(), words.read_port(transparent_for=())

        amount = range(self.depth + 1)
        held, sent, unsent = Signal(amount), Signal(amount), Signal(amount)
        last = Signal(range(self.depth))
        taken = Signal()

        # `unsent` is a clock behind: a word just written is not read before it is in the memory.
        m.d.sync += unsent.eq(held - sent)
        m.d.comb += [
            taken.eq(self.records.valid & self.records.ready),
            self.records.ready.eq(~held[-1]),
            self.room.eq(self.depth - held),
            write.addr.eq(last),
            write.data.eq(self.records.payload),
            write.en.eq(taken),
        ]
        m.d.sync += [held.eq(held + taken), last.eq(last + taken)]

        flush_arrived, flushing, unsettled = Signal(), Signal(), Signal(2)
        fills, partial, starts = Signal(), Signal(), Signal()
        m.d.sync += [
            flush_arrived.eq(self.flushes),
            unsettled.eq((unsettled << 1) | taken | self.flushes),
        ]
        m.d.comb += [
            fills.eq(unsent >= RECORD_FRAME_WORDS),
            partial.eq((self.drains & ~taken) | flushing | held[-2:].any()),
            starts.eq(fills | (partial & unsent.any())),
        ]

        request = self.requests.p
        freed = Signal(16)
        still_sent = Signal(signed(len(sent) + 1))
        offset, count = Signal(16), Signal(range(RECORD_FRAME_WORDS + 1))
        place = offset[: len(read.addr)]
        word = Signal(16)
        m.d.comb += [
            read.addr.eq(place),
            still_sent.eq(sent - freed[: len(held)]),
        ]

        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(
                ~fsm.ongoing("Wait") | starts | self.requests.valid | self.records.valid | unsettled.any()
            )

            with m.State("Wait"):
                m.d.sync += [
                    offset.eq(self.first + sent),
                    count.eq(Mux(fills, RECORD_FRAME_WORDS, unsent)),
                ]
                with m.If(self.requests.valid):
                    m.next = "Measure"
                with m.Elif(starts):
                    with m.If(~fills):
                        m.d.sync += flushing.eq(0)
                    m.next = "Kind"

            with m.State("Measure"):
                m.d.sync += freed.eq(Mux(request.discard, held, request.acked - self.first))
                m.next = "Free"
            with m.State("Free"):
                with m.If(freed <= held):
                    m.d.sync += [
                        self.first.eq(self.first + freed),
                        held.eq(held + taken - freed[: len(held)]),
                        sent.eq(Mux(still_sent < 0, 0, still_sent)),
                    ]
                m.next = "Rewind"
            with m.State("Rewind"):
                m.d.comb += self.requests.ready.eq(1)
                with m.If(request.rewind):
                    m.d.sync += sent.eq(0)
                with m.If(request.flush):
                    m.d.sync += flush_arrived.eq(1)
                m.next = "Settle"
            with m.State("Settle"):
                m.next = "Wait"

            with m.State("Kind"):
                self._send(m, Kind.RECORDS, "Offset low")
                with m.If(self.o.ready):
                    m.d.sync += sent.eq(sent + count)
            with m.State("Offset low"):
                self._send(m, offset[:8], "Offset high")
            with m.State("Offset high"):
                self._send(m, offset[8:], "Low")
                with m.If(self.o.ready):
                    m.d.sync += [word.eq(read.data), place.eq(place + 1)]
            with m.State("Low"):
                self._send(m, word[:8], "High")
                with m.If(self.o.ready):
                    m.d.sync += count.eq(count - 1)
            with m.State("High"):
                self._send(m, word[8:], None)
                m.d.comb += self.o.p.last.eq(count == 0)
                with m.If(self.o.ready):
                    m.d.sync += [word.eq(read.data), place.eq(place + 1)]
                    with m.If(count == 0):
                        m.next = "Wait"
                    with m.Else():
                        m.next = "Low"

        with m.If(flush_arrived):
            m.d.sync += flushing.eq(1)
        return m

    def _send(self, m, byte, following):
        m.d.comb += [self.o.valid.eq(1), self.o.p.data.eq(byte)]
        if following is not None:
            with m.If(self.o.ready):
                m.next = following
