"""Clock and reset: a PLL, and a reset that ends some time after the PLL locks."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import ClockDomain, Instance, Module, Signal
from amaranth.lib import io, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from synloom_boards.fpga.pll import PllSetting

__all__ = ["Clocking", "PowerOnReset"]

_RESET_S: Final = 50e-6
"""Length of the reset: block memories of an iCE40 read zeros for some microseconds after configuration."""


class PowerOnReset(wiring.Component):
    """Hold the reset until the PLL has been locked for some time, and again whenever it loses lock.

    Runs in domain `por`, which has the PLL's clock and no reset.

    Parameters
    ----------
    clocks : int
        Length of the reset after the PLL locks, in clocks.

    Members
    -------
    locked : In(1)
        The PLL's lock signal; asynchronous.
    reset : Out(1)
        Comes from a register; high after configuration.
    """

    def __init__(self, clocks: int):
        self._clocks = clocks
        super().__init__({"locked": In(1), "reset": Out(1, init=1)})

    def elaborate(self, platform):
        m = Module()
        locked = Signal()
        count = Signal(range(self._clocks + 1))
        m.submodules.synchronizer = FFSynchronizer(self.locked, locked, o_domain="por")
        m.d.por += self.reset.eq(count != self._clocks)
        with m.If(~locked):
            m.d.por += count.eq(0)
        with m.Elif(count != self._clocks):
            m.d.por += count.eq(count + 1)
        return m


class Clocking(wiring.Component):
    """Make the clock and the reset of domain `sync` from a board's clock.

    Parameters
    ----------
    clock : str
        Resource of the clock input.
    setting : PllSetting
        How the PLL is set.

    Members
    -------
    clk : Out(1)
        The PLL's clock.
    rst : Out(1)
        Synchronous to `clk`.
    """

    def __init__(self, clock: str, setting: PllSetting):
        self._clock, self._setting = clock, setting
        super().__init__({"clk": Out(1), "rst": Out(1)})

    def elaborate(self, platform):
        m = Module()
        locked = Signal(name="pll_locked")
        port = platform.request(self._clock, dir="-")
        parameters = {f"p_{name}": value for name, value in self._setting.parameters.items()}
        match self._setting.primitive:
            case "SB_PLL40_PAD":
                connections = {
                    "i_PACKAGEPIN": port.io,
                    "i_RESETB": 1,
                    "i_BYPASS": 0,
                    "o_PLLOUTGLOBAL": self.clk,
                    "o_LOCK": locked,
                }
            case "EHXPLLL":
                m.submodules.buffer = buffer = io.Buffer("i", port)
                feedback = Signal(name="pll_feedback")
                connections = {
                    "i_CLKI": buffer.i,
                    "i_CLKFB": feedback,
                    "o_CLKOP": feedback,
                    "o_CLKOS": self.clk,
                    "o_LOCK": locked,
                    **{f"i_{name}": 0 for name in ("RST", "STDBY", "PHASESEL0", "PHASESEL1", "PHASEDIR")},
                    **{f"i_{name}": 0 for name in ("PHASESTEP", "PHASELOADREG", "PLLWAKESYNC", "ENCLKOP")},
                }
                attributes = {"ICP_CURRENT": "12", "LPF_RESISTOR": "8", "MFG_ENABLE_FILTEROPAMP": "1"}
                attributes |= {"MFG_GMCREF_SEL": "2"}
                connections |= {f"a_{name}": value for name, value in attributes.items()}
            case "rPLL":
                m.submodules.buffer = buffer = io.Buffer("i", port)
                connections = {
                    "i_CLKIN": buffer.i,
                    "o_CLKOUT": self.clk,
                    "o_LOCK": locked,
                    "i_RESET": 0,
                    "i_RESET_P": 0,
                    "i_CLKFB": 0,
                    **{f"i_{name}": 0 for name in ("FBDSEL", "IDSEL", "ODSEL", "PSDA", "DUTYDA", "FDLY")},
                }
        m.submodules.pll = Instance(self._setting.primitive, **parameters, **connections)

        m.domains.por = por = ClockDomain("por", reset_less=True, local=True)
        clocks = round(_RESET_S * self._setting.hz)
        m.submodules.reset = reset = PowerOnReset(clocks)
        m.d.comb += [por.clk.eq(self.clk), reset.locked.eq(locked), self.rst.eq(reset.reset)]
        return m
