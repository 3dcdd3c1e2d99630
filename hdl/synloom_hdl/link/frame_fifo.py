"""Received frames wait here: a byte memory with commit and rollback."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["FrameFifo"]


class FrameFifo(wiring.Component):
    """Queue of whole frames in one block RAM.

    In memory a frame is its length and then the payload. The bytes are written behind the place of the
    length; `commits` fills that in and makes the frame visible, `drops` forgets it, and so does `commits` if
    the frame did not fit. Of the check sum one byte stays, and the next length takes the place of the other:
    a frame of n payload bytes takes n + 2. A byte leaves every two clocks.

    Parameters
    ----------
    depth : int
        Bytes; a power of two, 512 at least.

    Members
    -------
    puts, data, commits, length, drops
        From the Deframer.
    overflows : Out(1)
        High for a clock when a frame is forgotten because it did not fit.
    o : Out(stream of 8 bits)
        For each frame its length as given, then its bytes, those of the check sum included.
    empty : Out(1)
        No byte of a committed frame is left.
    """

    def __init__(self, depth):
        if depth < 512 or depth.bit_count() != 1:
            raise ValueError(f"depth must be a power of two of at least 512, not {depth}")
        self.depth = depth
        super().__init__(
            {
                "puts": In(1),
                "data": In(8),
                "commits": In(1),
                "length": In(8),
                "drops": In(1),
                "overflows": Out(1),
                "o": Out(stream.Signature(8)),
                "empty": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.bytes = storage = memory.Memory(shape=8, depth=self.depth, init=[])
        write, read = storage.write_port(), storage.read_port(transparent_for=())

        # The open frame's length belongs at `head`, its last byte is at `cursor`, `tail` is read next.
        head, cursor, tail = (Signal(range(self.depth), name=name) for name in ("head", "cursor", "tail"))
        place = Signal(range(self.depth))
        full, spilled = Signal(), Signal()
        keeps, fetches = Signal(), Signal()

        m.d.comb += [
            place.eq(Mux(self.puts, cursor + 1, head)),
            full.eq(place == tail),
            keeps.eq(self.commits & ~spilled),
            self.overflows.eq(self.commits & spilled),
            write.addr.eq(place),
            write.data.eq(Mux(self.puts, self.data, self.length)),
            write.en.eq((self.puts & ~full & ~spilled) | keeps),
        ]
        with m.If(self.puts):
            m.d.sync += [cursor.eq(place), spilled.eq(spilled | full)]
        with m.Elif(keeps):
            m.d.sync += head.eq(cursor)
        with m.Elif(self.commits | self.drops):
            m.d.sync += [cursor.eq(place), spilled.eq(0)]

        m.d.comb += [
            fetches.eq((head != tail) & ~self.o.valid),
            read.addr.eq(tail),
            read.en.eq(fetches),
            self.o.payload.eq(read.data),
            self.empty.eq((head == tail) & ~self.o.valid),
        ]
        m.d.sync += [tail.eq(tail + fetches), self.o.valid.eq(fetches | (self.o.valid & ~self.o.ready))]
        return m
