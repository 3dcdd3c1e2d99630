"""Small tops with the array's face, quick to build: what the board's tests simulate."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

GO = 0x47
"""The byte that starts a run of EchoTop."""
RUN_CLOCKS = 5000
"""Its length, after which GO comes back."""


class EchoTop(wiring.Component):
    """Sends back each byte; GO only after a run of RUN_CLOCKS clocks, and 'P' pauses for ever."""

    i: In(stream.Signature(8))
    o: Out(stream.Signature(8))
    idle: Out(1)
    running: Out(1)
    paused: Out(1)

    def __init__(self, params):
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.submodules.queue = queue = SyncFIFOBuffered(width=8, depth=16)
        left = Signal(range(RUN_CLOCKS + 1))
        go = Signal()
        m.d.comb += [
            go.eq(queue.r_data == GO),
            queue.w_data.eq(self.i.payload),
            queue.w_en.eq(self.i.valid),
            self.i.ready.eq(queue.w_rdy),
            self.o.payload.eq(queue.r_data),
            self.o.valid.eq(queue.r_rdy & (~go | (self.running & (left == 0)))),
            queue.r_en.eq(self.o.valid & self.o.ready),
            self.idle.eq(~self.o.valid),
        ]
        with m.If(queue.r_rdy & go & ~self.running):
            m.d.sync += [self.running.eq(1), left.eq(RUN_CLOCKS)]
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        with m.Elif(queue.r_en):
            m.d.sync += [self.running.eq(0), self.paused.eq(queue.r_data == ord("P"))]
        return m


class BrokenTop(EchoTop):
    """Cannot be elaborated by Verilator: its name for a signal is kept from it."""


class PinsTop(wiring.Component):
    """Joins the pins, one clock late."""

    rx: In(1)
    tx: Out(1, init=1)
    idle: Out(1)
    running: Out(1)
    paused: Out(1)

    def __init__(self, params):
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.tx.eq(self.rx)
        m.d.comb += self.idle.eq(1)
        return m
