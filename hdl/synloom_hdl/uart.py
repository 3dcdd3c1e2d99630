"""An asynchronous serial port: 8 data bits, no parity, one stop bit."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

__all__ = ["UartReceiver", "UartTransmitter"]


class UartReceiver(wiring.Component):
    """Receive characters, least significant bit first.

    A falling edge starts a character, unless the line is high again half a bit later; every bit is sampled
    in its middle. Nothing can hold a serial line back: a character that comes while the last one still
    waits in `o` is lost, which is an error like a missing stop bit.

    Members
    -------
    rx : In(1)
        The pin, asynchronous; high when idle.
    divisor : In(16)
        Clocks per bit, at least 4.
    o : Out(stream of 8 bits)
        Characters.
    error : Out(1)
        High for a clock when a character was lost.
    """

    rx: In(1, init=1)
    divisor: In(16)
    o: Out(stream.Signature(8))
    error: Out(1)

    def elaborate(self, platform):
        m = Module()
        level = Signal(init=1)
        m.submodules.synchronizer = FFSynchronizer(self.rx, level, init=1)

        clocks = Signal(16)
        bits = Signal(range(10))
        character = Signal(8)
        due = Signal()

        m.d.comb += due.eq(clocks == 0)
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.FSM():
            with m.State("Idle"):
                m.d.sync += [clocks.eq(self.divisor[1:]), bits.eq(0)]
                with m.If(~level):
                    m.next = "Bits"
            with m.State("Bits"):
                m.d.sync += clocks.eq(clocks - 1)
                with m.If(due):
                    m.d.sync += [clocks.eq(self.divisor - 1), bits.eq(bits + 1)]
                    with m.If((bits == 0) & level):
                        m.next = "Idle"
                    with m.Elif(bits != 9):
                        m.d.sync += character.eq(Cat(character[1:], level))
                    with m.Elif(level & (~self.o.valid | self.o.ready)):
                        m.d.sync += [self.o.payload.eq(character), self.o.valid.eq(1)]
                        m.next = "Idle"
                    with m.Else():
                        m.d.comb += self.error.eq(1)
                        m.next = "Recover"
            with m.State("Recover"):
                # A break is one error, not one for every ten bits of it.
                with m.If(level):
                    m.next = "Idle"
        return m


class UartTransmitter(wiring.Component):
    """Send characters, least significant bit first, without pause if there are more.

    Members
    -------
    i : In(stream of 8 bits)
        Characters.
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
        clocks = Signal(16)
        bits = Signal(range(11))
        character = Signal(9, init=0x1FF)
        due = Signal()

        m.d.comb += [
            due.eq(clocks == 0),
            self.i.ready.eq((bits == 0) & due),
        ]
        m.d.sync += self.tx.eq(character[0])
        with m.If(~due):
            m.d.sync += clocks.eq(clocks - 1)
        with m.Elif(bits != 0):
            m.d.sync += [clocks.eq(self.divisor - 1), bits.eq(bits - 1), character.eq(Cat(character[1:], 1))]
        with m.Elif(self.i.valid):
            m.d.sync += [clocks.eq(self.divisor - 1), bits.eq(9), character.eq(Cat(0, self.i.payload))]
        return m
