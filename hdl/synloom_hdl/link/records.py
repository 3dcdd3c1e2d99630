"""The record ring: what the core recorded waits here until the host has it."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract.frames import RECORD_FRAME_WORDS, Kind
from synloom_hdl.counting import up_or_load
from synloom_hdl.link.layouts import FrameByte

__all__ = ["RecordRing", "StreamRequest"]

StreamRequest = data.StructLayout({"acked": 16, "rewind": 1, "flush": 1, "discard": 1})
"""Arguments of STREAM (docs/protocol.md)."""


class RecordRing(wiring.Component):
    """Keep record words until they are acknowledged, and send them in frames.

    The ring holds the words of offsets ``first .. end - 1`` (modulo 65536); those from `place` on have not
    been sent. A frame is begun when RECORD_FRAME_WORDS unsent words are there; or any, if the core does not
    run, a flush was asked for, or the ring is half full (the core might wait for room); it ends when it
    has RECORD_FRAME_WORDS or no more are there. A request of the host is taken between two frames; an
    acknowledgement of words that the ring does not hold changes nothing. A byte leaves every clock.

    Parameters
    ----------
    depth : int
        Words, of which one stays free; a power of two, 256 to 32768.

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

        # Offsets: of the next word to come, and of the next one to be sent. All distances are from `end`.
        end, place = Signal(16), Signal(16)
        bits = len(write.addr)
        room = Signal(bits)
        taken, has_room = Signal(), Signal()
        m.d.comb += [
            room.eq(self.first - end - 1),
            self.room.eq(room),
            self.records.ready.eq(has_room),
            taken.eq(self.records.valid & self.records.ready),
            write.addr.eq(end),
            write.data.eq(self.records.payload),
            write.en.eq(taken),
            read.addr.eq(place),
        ]
        # Room never shrinks but by what is taken.
        m.d.sync += has_room.eq(room[1:].any() | (room[0] & ~taken))
        with m.If(taken):
            m.d.sync += end.eq(end + 1)

        # Words from `place` on, or from an offset that the host acknowledges; beyond are more than are held.
        request = self.requests.p
        measures, is_held, verdict = Signal(), Signal(), Signal()
        left, beyond = Signal(bits), Signal()
        asked = Mux(measures, request.acked[:bits], place[:bits])
        below = Signal(bits + 1)
        m.d.comb += [
            below.eq(asked + (~end)[:bits]),
            left.eq(~below),
            beyond.eq((left + room)[bits]),
            # An offset above the end's lower part is from the page before, that of the first word.
            is_held.eq(~beyond & (request.acked[bits:] == Mux(below[bits], self.first[bits:], end[bits:]))),
        ]

        # What was looked at: is it held, or, for `place`, is it not held any more?
        m.d.sync += verdict.eq(Mux(measures, is_held, beyond))

        any_left, fills, starts = Signal(), Signal(), Signal()
        flushing, flush_asked = Signal(), Signal()
        m.d.comb += [
            any_left.eq(left != 0),
            fills.eq(left >= RECORD_FRAME_WORDS),
            starts.eq(fills | (any_left & (self.drains | flushing | ~room[-1]))),
        ]
        m.d.sync += flushing.eq(self.flushes | flush_asked | (flushing & (any_left | measures)))

        count = Signal(range(RECORD_FRAME_WORDS + 1))
        high = Signal(8)
        rewinds, next_word, last = Signal(), Signal(), Signal()
        m.d.comb += last.eq((count == RECORD_FRAME_WORDS) | ~any_left)
        with m.If(rewinds | next_word):
            m.d.sync += place.eq(up_or_load(place, rewinds, self.first))
        with m.FSM() as fsm:
            comes = self.requests.valid | self.records.valid | self.flushes
            m.d.comb += [
                self.busy.eq(~fsm.ongoing("Wait") | starts | comes),
            ]
            with m.State("Wait"):
                m.d.sync += count.eq(0)
                with m.If(self.requests.valid):
                    m.next = "Measure"
                with m.Elif(starts):
                    m.next = "Kind"
            with m.State("Measure"):
                m.d.comb += measures.eq(1)
                m.next = "Free"
            with m.State("Free"):
                with m.If(request.discard | verdict):
                    m.d.sync += self.first.eq(Mux(request.discard, end, request.acked))
                m.next = "Look"
            with m.State("Look"):
                m.next = "Rewind"
            with m.State("Rewind"):
                m.d.comb += [
                    self.requests.ready.eq(1),
                    rewinds.eq(request.rewind | verdict),
                    flush_asked.eq(request.flush),
                ]
                m.next = "Wait"

            with m.State("Kind"):
                self._send(m, Kind.RECORDS, "Offset low")
            with m.State("Offset low"):
                self._send(m, place[:8], "Offset high")
            with m.State("Offset high"):
                self._send(m, place[8:], "Low")
            with m.State("Low"):
                self._send(m, read.data[:8], "High")
                m.d.comb += next_word.eq(self.o.ready)
                with m.If(self.o.ready):
                    # The next word is read while the second byte of this one is sent.
                    m.d.sync += [count.eq(count + 1), high.eq(read.data[8:])]
            with m.State("High"):
                self._send(m, high, "Low")
                m.d.comb += self.o.p.last.eq(last)
                with m.If(self.o.ready & last):
                    m.next = "Wait"
        return m

    def _send(self, m, byte, following):
        m.d.comb += [self.o.valid.eq(1), self.o.p.data.eq(byte)]
        with m.If(self.o.ready):
            m.next = following
