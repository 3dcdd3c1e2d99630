"""The record ring: it keeps record words until the host acknowledges them."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract.frames import BRIEF_FRAME_WORDS, RECORD_FRAME_WORDS, Kind
from synloom_hdl.arithmetic import below
from synloom_hdl.counting import up_or_load
from synloom_hdl.link.layouts import FrameByte

__all__ = ["RecordRing", "StreamRequest"]

StreamRequest = data.StructLayout({"acked": 16, "rewind": 1, "flush": 1, "discard": 1, "brief": 1})
"""Arguments of STREAM (docs/protocol.md)."""


class RecordRing(wiring.Component):
    """Keep record words until they are acknowledged, and send them in frames.

    The ring holds the words of offsets ``first .. end - 1`` (modulo 65536); those from `place` on have not
    been sent. A frame begins when there are enough unsent words for it, or any words if the core does
    not run, a flush is pending, or the ring is half full (the core might wait for room). It ends after
    RECORD_FRAME_WORDS words (BRIEF_FRAME_WORDS if the host's last request said so), or when there are no
    more. Requests of the host are served between frames; an acknowledgement of words that the ring does not
    hold changes nothing. A byte leaves every clock.

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
        The core does not run or is paused: send all words.
    flushes : In(1)
        Send all words that are there now.
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
        write, self._read = words.write_port(), words.read_port(transparent_for=())

        # Offsets: of the next word to come, and of the next one to be sent. All distances are from `end`.
        self._end, self._place = Signal(16, name="end"), Signal(16, name="place")
        self._free = Signal(len(write.addr), name="free")
        # What the states want.
        self._measures, self._rewinds, self._next_word, self._flush_asked = (
            Signal(name=name) for name in ("measures", "rewinds", "next_word", "flush_asked")
        )
        self._receive(m, write)
        self._measure(m)
        self._judge(m)
        m.d.comb += self._read.addr.eq(self._place)
        with m.If(self._rewinds | self._next_word):
            m.d.sync += self._place.eq(up_or_load(self._place, self._rewinds, self.first))
        with m.FSM() as fsm:
            comes = self.requests.valid | self.records.valid | self.flushes
            m.d.comb += self.busy.eq(~fsm.ongoing("Wait") | self._starts | comes)
            self._obey(m)
            self._frame(m)
        return m

    def _receive(self, m: Module, write):
        """Take words from the core while there is room."""
        taken, has_room = Signal(), Signal()
        m.d.comb += [
            self._free.eq(self.first - self._end - 1),
            self.room.eq(self._free),
            self.records.ready.eq(has_room),
            taken.eq(self.records.valid & self.records.ready),
            write.addr.eq(self._end),
            write.data.eq(self.records.payload),
            write.en.eq(taken),
        ]
        # Only a word that is taken makes the room smaller.
        m.d.sync += has_room.eq(self._free[1:].any() | (self._free[0] & ~taken))
        with m.If(taken):
            m.d.sync += self._end.eq(self._end + 1)

    def _measure(self, m: Module):
        """Count the words from `place` on, or from an offset that the host acknowledges."""
        acked, bits = self.requests.p.acked, len(self._free)
        is_held, beyond = Signal(), Signal()
        self._verdict = Signal(name="verdict")
        self._left = Signal(bits, name="left")
        asked = Mux(self._measures, acked[:bits], self._place[:bits])
        less = Signal(bits + 1)
        m.d.comb += [
            less.eq(asked + (~self._end)[:bits]),
            self._left.eq(~less),
            # More than are held.
            beyond.eq((self._left + self._free)[bits]),
            # If its low bits are above those of the end, it has the high bits of the first word.
            is_held.eq(~beyond & (acked[bits:] == Mux(less[bits], self.first[bits:], self._end[bits:]))),
        ]
        # Whether the acknowledged offset is held, or whether `place` is not held any more.
        m.d.sync += self._verdict.eq(Mux(self._measures, is_held, beyond))

    def _judge(self, m: Module):
        """Decide whether a frame begins, and which word is its last."""
        fills, flushing = Signal(), Signal()
        self._brief, enough = Signal(name="brief"), Signal()
        self._any_left, self._starts, self._last = (
            Signal(name=name) for name in ("any_left", "starts", "last")
        )
        self._count = Signal(range(RECORD_FRAME_WORDS + 1), name="count")
        m.d.comb += [
            self._any_left.eq(self._left != 0),
            fills.eq(
                ~below(self._left, RECORD_FRAME_WORDS) | (self._brief & ~below(self._left, BRIEF_FRAME_WORDS))
            ),
            self._starts.eq(fills | (self._any_left & (self.drains | flushing | ~self._free[-1]))),
            enough.eq(self._brief & (self._count == BRIEF_FRAME_WORDS)),
            self._last.eq((self._count == RECORD_FRAME_WORDS) | enough | ~self._any_left),
        ]
        goes_on = flushing & (self._any_left | self._measures)
        m.d.sync += flushing.eq(self.flushes | self._flush_asked | goes_on)

    def _obey(self, m: Module):
        """Wait, and serve the host's requests."""
        request = self.requests.p
        with m.State("Wait"):
            m.d.sync += self._count.eq(0)
            with m.If(self.requests.valid):
                m.next = "Measure"
            with m.Elif(self._starts):
                m.next = "Kind"
        with m.State("Measure"):
            m.d.comb += self._measures.eq(1)
            m.next = "Free"
        with m.State("Free"):
            with m.If(request.discard | self._verdict):
                m.d.sync += self.first.eq(Mux(request.discard, self._end, request.acked))
            m.next = "Look"
        with m.State("Look"):
            m.next = "Rewind"
        with m.State("Rewind"):
            m.d.comb += [
                self.requests.ready.eq(1),
                self._rewinds.eq(request.rewind | self._verdict),
                self._flush_asked.eq(request.flush),
            ]
            m.d.sync += self._brief.eq(request.brief)
            m.next = "Wait"

    def _frame(self, m: Module):
        """Send a frame: its kind, its offset, its words."""
        high = Signal(8)
        with m.State("Kind"):
            self._send(m, Kind.RECORDS, "Offset low")
        with m.State("Offset low"):
            self._send(m, self._place[:8], "Offset high")
        with m.State("Offset high"):
            self._send(m, self._place[8:], "Low")
        with m.State("Low"):
            self._send(m, self._read.data[:8], "High")
            m.d.comb += self._next_word.eq(self.o.ready)
            with m.If(self.o.ready):
                # The next word is read while the second byte of this one is sent.
                m.d.sync += [self._count.eq(self._count + 1), high.eq(self._read.data[8:])]
        with m.State("High"):
            self._send(m, high, "Low")
            m.d.comb += self.o.p.last.eq(self._last)
            with m.If(self.o.ready & self._last):
                m.next = "Wait"

    def _send(self, m, byte, following):
        """Offer a byte of a frame, then go on."""
        m.d.comb += [self.o.valid.eq(1), self.o.p.data.eq(byte)]
        with m.If(self.o.ready):
            m.next = following
