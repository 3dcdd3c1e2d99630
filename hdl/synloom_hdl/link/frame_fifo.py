"""Received frames wait here: a byte memory with commit and rollback."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from synloom_hdl.link.layouts import CommandByte

__all__ = ["FrameFifo"]


class FrameFifo(wiring.Component):
    """Queue of whole frames in one block RAM.

    In memory a frame is its length (payload bytes less one) and then the payload. The bytes are written
    behind the place of the length; `commits` fills that in and makes the frame visible, `drops` forgets it,
    and so does `commits` if the frame did not fit. The check sum's bytes are overwritten by the next frame.
    A byte leaves every two clocks.

    Parameters
    ----------
    depth : int
        Bytes; a power of two. A frame of n payload bytes takes n + 1, and 2 more until it is committed.

    Members
    -------
    puts, data, commits, length, drops
        From the Deframer.
    overflows : Out(1)
        High for a clock when a frame is forgotten because it did not fit.
    o : Out(stream of CommandByte)
        The payloads, byte after byte.
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
                "o": Out(stream.Signature(CommandByte)),
                "empty": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.bytes = storage = memory.Memory(shape=8, depth=self.depth, init=[])
        write, read = storage.write_port(), storage.read_port(transparent_for=())

        # One bit more than an address, so that full and empty differ.
        pointer = range(2 * self.depth)
        head, cursor, tail = Signal(pointer), Signal(pointer, init=1), Signal(pointer)
        used = Signal(pointer)
        full, spilled = Signal(), Signal()
        commits, moves = Signal(), Signal()

        # Where a frame ends two bytes of check sum were put, and one byte of the next is its length: to begin
        # the next frame the cursor takes one step back.
        m.d.comb += [
            used.eq(cursor - tail),
            full.eq(used[-1]),
            commits.eq(self.commits & ~spilled),
            moves.eq((self.puts & ~full) | self.commits | self.drops),
            self.overflows.eq(self.commits & spilled),
            write.addr.eq(Mux(self.puts, cursor, head)),
            write.data.eq(Mux(self.puts, self.data, self.length)),
            write.en.eq((self.puts & ~full) | commits),
        ]
        with m.If(moves):
            m.d.sync += cursor.eq(Mux(self.puts | commits, cursor, head) + Mux(commits, -1, 1))
        with m.If(self.puts):
            m.d.sync += spilled.eq(spilled | full)
        with m.Elif(self.commits | self.drops):
            m.d.sync += spilled.eq(0)
        with m.If(commits):
            m.d.sync += head.eq(cursor - 2)

        left = Signal(8)
        m.d.comb += read.addr.eq(tail)
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.FSM():
            with m.State("Empty"):
                m.d.comb += self.empty.eq((head == tail) & ~self.o.valid)
                with m.If(head != tail):
                    m.d.sync += tail.eq(tail + 1)
                    m.next = "Length"
            with m.State("Length"):
                m.d.sync += left.eq(read.data)
                m.next = "Fetch"
            with m.State("Fetch"):
                m.d.sync += tail.eq(tail + 1)
                m.next = "Load"
            with m.State("Load"):
                m.d.comb += read.en.eq(0)
                with m.If(~self.o.valid | self.o.ready):
                    m.d.sync += [
                        self.o.payload.data.eq(read.data),
                        self.o.payload.more.eq(left),
                        self.o.valid.eq(1),
                        left.eq(left - 1),
                    ]
                    with m.If(left == 0):
                        m.next = "Empty"
                    with m.Else():
                        m.next = "Fetch"
        return m
