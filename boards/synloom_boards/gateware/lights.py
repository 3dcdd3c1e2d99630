"""The LEDs: heartbeat, activity, errors."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["BLINKS_PER_SECOND", "TICKS_PER_SECOND", "Lights"]

TICKS_PER_SECOND = 16
"""The LEDs change at these ticks only."""
BLINKS_PER_SECOND = 1
"""Rate of the heartbeat."""

_ERROR_TICKS = 15


class Lights(wiring.Component):
    """Show a heartbeat, and stretch strobes until they can be seen.

    The heartbeat blinks once a second. Activity is lit for one or two sixteenths of a second after its
    strobe, an error for about a second. Three LEDs or more: LED 0 is the heartbeat, LED 1 activity, LED 2
    errors. Two: LED 0 is the heartbeat, inverted by activity, and LED 1 errors. One: the heartbeat, inverted
    by activity; an error makes it flicker.

    Parameters
    ----------
    count : int
        Number of LEDs, at least 1.
    tick_clocks : int
        Clocks in a tick, which is a sixteenth of a second.

    Members
    -------
    active, error : In(1)
        Strobes, high in each clock in which the array works or loses something.
    leds : Out(count)
        A high bit lights its LED.
    """

    def __init__(self, count: int, tick_clocks: int):
        self._count, self._tick_clocks = count, tick_clocks
        super().__init__({"active": In(1), "error": In(1), "leds": Out(count)})

    def elaborate(self, platform):
        m = Module()
        clocks = Signal(range(self._tick_clocks))
        ticks = Signal(range(TICKS_PER_SECOND // BLINKS_PER_SECOND))
        tick = Signal()
        activity = Signal(2)
        error = Signal(range(_ERROR_TICKS + 1))
        beat, acts, errs, flicker = Signal(), Signal(), Signal(), Signal()

        m.d.comb += [
            tick.eq(clocks == self._tick_clocks - 1),
            beat.eq(ticks[-1]),
            acts.eq(activity.any()),
            errs.eq(error.any()),
            flicker.eq(ticks[0]),
        ]
        m.d.sync += clocks.eq(Mux(tick, 0, clocks + 1))
        with m.If(tick):
            m.d.sync += [ticks.eq(ticks + 1), activity.eq(activity[1:])]
            with m.If(errs):
                m.d.sync += error.eq(error - 1)
        with m.If(self.active):
            m.d.sync += activity.eq(0b11)
        with m.If(self.error):
            m.d.sync += error.eq(_ERROR_TICKS)

        match self._count:
            case 1:
                m.d.comb += self.leds.eq(Mux(errs, flicker, beat ^ acts))
            case 2:
                m.d.comb += self.leds.eq(Cat(beat ^ acts, errs))
            case _:
                m.d.comb += self.leds.eq(Cat(beat, acts, errs))
        return m
