"""The design of a board: clock and reset, the array behind its serial port, the LEDs."""

from __future__ import annotations

from amaranth.hdl import ClockDomain, Const, Elaboratable, Module
from amaranth.lib import io

from synloom.contract import ArrayParams
from synloom_boards.board import Board
from synloom_boards.gateware.clocking import Clocking
from synloom_boards.gateware.lights import TICKS_PER_SECOND, Lights
from synloom_hdl.top import UartTop

__all__ = ["BoardTop"]


class BoardTop(Elaboratable):
    """The array on a board's pins.

    Parameters
    ----------
    board : Board
    params : ArrayParams
        As `board.fit` returns them.
    """

    def __init__(self, board: Board, params: ArrayParams):
        self.board, self.params = board, params

    def elaborate(self, platform):
        m = Module()
        board, params = self.board, self.params
        m.submodules.clocking = clocking = Clocking(board.clock, board.pll_setting(params))
        m.domains.sync = sync = ClockDomain("sync")
        m.submodules.array = array = UartTop(params)
        m.submodules.lights = lights = Lights(board.leds, params.clock_hz // TICKS_PER_SECOND)

        uart = platform.request("uart", 0, dir="-")
        m.submodules.rx = rx = io.Buffer("i", uart.rx)
        m.submodules.tx = tx = io.Buffer("o", uart.tx)
        m.d.comb += [
            sync.clk.eq(clocking.clk),
            sync.rst.eq(clocking.rst),
            array.rx.eq(rx.i),
            tx.o.eq(array.tx),
            lights.active.eq(~array.idle | (array.running & ~array.paused)),
            lights.error.eq(array.error),
        ]
        for number in range(board.leds):
            m.submodules[f"led{number}"] = led = io.Buffer("o", platform.request("led", number, dir="-"))
            m.d.comb += led.o.eq(lights.leds[number])
        for number, name in enumerate(board.high):
            resource, _, subsignal = name.partition(".")
            port = platform.request(resource, 0, dir="-")
            m.submodules[f"high{number}"] = high = io.Buffer(
                "o", getattr(port, subsignal) if subsignal else port
            )
            m.d.comb += high.o.eq(Const(1))
        return m
