"""Components that hold a netlist in place of the design that it was made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from amaranth.hdl import ClockSignal, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["NETLIST", "Placed", "PlacedBoard", "PlacedComponent"]

NETLIST: Final = "netlist"
"""Name of the netlist's module."""
_RESET_CLOCKS: Final = 8
_RX: Final = "uart_0__rx__io"


class Placed(wiring.Component):
    """Takes the place of a component whose netlist is simulated.

    Attributes
    ----------
    inputs : sequence of str
        Bidirectional ports of the netlist that are used as inputs.
    """

    inputs: Sequence[str]


class PlacedComponent(Placed):
    """A component's netlist, reset after power-up.

    Parameters
    ----------
    signature : wiring.Signature
        The component's; its members are the netlist's ports, as Amaranth names them.
    """

    def __init__(self, signature: wiring.Signature):
        self.inputs = ()
        super().__init__(signature)

    def elaborate(self, platform: Any) -> Module:
        """Return the netlist with its ports connected to the members."""
        m = Module()
        waited = Signal(range(_RESET_CLOCKS + 1))
        with m.If(waited != _RESET_CLOCKS):
            m.d.sync += waited.eq(waited + 1)
        ports = {"i_clk": ClockSignal(), "i_rst": waited != _RESET_CLOCKS}
        for path, member, value in self.signature.flatten(self):
            ports[f"{'o' if member.flow is Out else 'i'}_{'__'.join(path)}"] = value
        m.submodules.netlist = Instance(NETLIST, **ports)
        return m


class PlacedBoard(Placed):
    """A board's netlist, which resets itself once its PLL has locked.

    No pin tells whether the array is idle, so it counts as running all the time.

    Parameters
    ----------
    clock : str
        Resource of the clock input.

    Members
    -------
    rx : In(1), tx : Out(1)
        The serial port.
    idle, running, paused : Out(1)
        Constants: low, high, low.
    """

    def __init__(self, clock: str):
        self._clock = clock
        self.inputs = (_RX,)
        super().__init__(
            {
                "rx": In(1, init=1),
                "tx": Out(1, init=1),
                "idle": Out(1),
                "running": Out(1, init=1),
                "paused": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """Return the netlist with its pins connected to the members."""
        m = Module()
        ports = {
            f"i_{self._clock}_0__io": ClockSignal(),
            f"i_{_RX}": self.rx,
            "o_uart_0__tx__io": self.tx,
        }
        m.submodules.netlist = Instance(NETLIST, **ports)
        return m
