"""A queue of received frames: a byte memory with commit and rollback."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from synloom_hdl.counting import up_or_load

__all__ = ["FrameFifo"]


class FrameFifo(wiring.Component):
    """Queue of whole frames in one block RAM.

    A frame is stored as its length and its payload. The bytes are written behind a place for the length;
    `commits` writes the length there and makes the frame visible. `drops` discards the frame, and so does
    `commits` if it did not fit. Of the checksum all bytes but one stay, and the next length overwrites that
    one: a frame with n payload bytes takes n + CHECK_BYTES. A byte leaves every two clocks, when there is no
    `puts`.

    Parameters
    ----------
    depth : int
        Bytes; a power of two, 512 at least.

    Members
    -------
    puts, data, commits, length, drops
        From the Deframer.
    overflows : Out(1)
        High for a clock when a frame is discarded because it did not fit.
    o : Out(stream of 8 bits)
        For each frame its length, then its bytes and those of its checksum but one.
    empty : Out(1)
        There is no committed frame.
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

        # The open frame's first byte belongs at `first`, its length before that, its next byte at `cursor`;
        # `tail` is read next.
        place = range(self.depth)
        first, cursor, tail = Signal(place, init=1), Signal(place, init=1), Signal(place)
        is_tail, spilled = Signal(), Signal()
        keeps, drops, fetches = Signal(), Signal(), Signal()

        m.d.comb += [
            keeps.eq(self.commits & ~spilled),
            drops.eq((self.commits & spilled) | self.drops),
            self.overflows.eq(self.commits & spilled),
            write.addr.eq(Mux(self.puts, cursor, first - 1)),
            # Then the memory is full, for a byte, or empty, for a length.
            is_tail.eq(write.addr == tail),
            write.data.eq(Mux(self.puts, self.data, self.length)),
            write.en.eq((self.puts & ~is_tail & ~spilled) | keeps),
        ]
        with m.If(self.puts | drops):
            m.d.sync += cursor.eq(up_or_load(cursor, drops, first))
        with m.If(self.puts):
            m.d.sync += spilled.eq(spilled | is_tail)
        with m.Elif(drops):
            m.d.sync += spilled.eq(0)
        with m.If(keeps):
            m.d.sync += first.eq(cursor)

        m.d.comb += [
            fetches.eq(~is_tail & ~self.puts & ~self.o.valid),
            read.addr.eq(tail),
            read.en.eq(fetches),
            self.o.payload.eq(read.data),
            self.empty.eq(is_tail & ~self.puts & ~self.o.valid),
        ]
        m.d.sync += self.o.valid.eq(fetches | (self.o.valid & ~self.o.ready))
        with m.If(fetches):
            m.d.sync += tail.eq(tail + 1)
        return m
