"""An asynchronous serial port: 8 data bits, no parity, one stop bit."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from synloom_hdl.counting import down_or_load, up_or_load

__all__ = ["UartReceiver", "UartTransmitter"]


class UartReceiver(wiring.Component):
    """Receive characters, least significant bit first.

    A falling edge starts a character, unless the line is high again half a bit later; every bit is sampled
    in its middle.

    Members
    -------
    rx : In(1)
        The pin, asynchronous; high when idle.
    divisor : In(16)
        Clocks per bit, at least 4.
    o : Out(stream of 8 bits)
        Characters, each for one clock: a serial line cannot wait, so a character that is not taken at once is
        lost.
    error : Out(1)
        High for a clock when a character was lost, or came without a stop bit.
    """

    rx: In(1, init=1)
    divisor: In(16)
    o: Out(stream.Signature(8))
    error: Out(1)

    def elaborate(self, platform):
        m = Module()
        level = Signal(init=1)
        m.submodules.synchronizer = FFSynchronizer(self.rx, level, init=1)

        clocks = Signal(16, init=1)
        # A one marks the end: it reaches bit 0 when eight bits have been received.
        bits = Signal(9, init=1 << 8)
        due, waits, broken = Signal(), Signal(), Signal()

        m.d.comb += [
            due.eq(clocks == self.divisor),
            self.o.payload.eq(bits[1:]),
            self.error.eq(broken | (self.o.valid & ~self.o.ready)),
        ]
        m.d.sync += [
            clocks.eq(up_or_load(clocks, waits, self.divisor[1:])),
            self.o.valid.eq(0),
        ]
        with m.If(due & ~waits):
            m.d.sync += clocks.eq(clocks.init)
        with m.FSM():
            with m.State("Idle"):
                # The count is loaded before the edge, and the clock in which that is seen is the first.
                m.d.comb += waits.eq(level)
                with m.If(~level):
                    m.d.sync += bits.eq(bits.init)
                    m.next = "Start"
            with m.State("Start"):
                with m.If(due):
                    m.next = "Bits"
                    with m.If(level):
                        m.d.comb += waits.eq(1)
                        m.next = "Idle"
            with m.State("Bits"):
                with m.If(due & ~bits[0]):
                    m.d.sync += bits.eq(Cat(bits[1:], level))
                with m.If(due & bits[0]):
                    m.d.comb += waits.eq(1)
                    m.d.sync += self.o.valid.eq(level)
                    m.next = "Idle"
                    with m.If(~level):
                        m.d.comb += broken.eq(1)
                        m.next = "Recover"
            with m.State("Recover"):
                # A break is one error, not one for every ten bits of it.
                m.d.comb += waits.eq(1)
                with m.If(level):
                    m.next = "Idle"
        return m


class UartTransmitter(wiring.Component):
    """Send characters, least significant bit first, back to back if there are more.

    Members
    -------
    i : In(stream of 8 bits)
        Characters; `ready` while the line is idle, and in the last clock of a character.
    divisor : In(16)
        Clocks per bit, at least 2.
    tx : Out(1)
        The pin; high when idle.
    """

    i: In(stream.Signature(8))
    divisor: In(16)
    tx: Out(1, init=1)

    def elaborate(self, platform):
        m = Module()
        clocks = Signal(16, init=1)
        # The bits that are still to be sent, the stop bit last, then zeros.
        bits = Signal(10, init=1)
        due, last = Signal(), Signal()

        m.d.comb += [
            due.eq(~clocks[1:].any()),
            last.eq(~bits[1:].any()),
            self.i.ready.eq(due & last),
            self.tx.eq(bits[0]),
        ]
        # They count down, so that a comparison with the divisor is not needed.
        with m.If(~due | ~last | self.i.valid):
            m.d.sync += clocks.eq(down_or_load(clocks, due, self.divisor))
        with m.If(due & ~last):
            m.d.sync += bits.eq(bits >> 1)
        with m.If(due & last & self.i.valid):
            m.d.sync += bits.eq(Cat(Const(0, 1), self.i.payload, Const(1, 1)))
        return m
