"""The description of a board: its FPGA, pins, clock and default array."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from synloom.base.errors import ParameterError
from synloom.contract import ArrayParams
from synloom_boards.fpga.families import FAMILIES, Family
from synloom_boards.fpga.pinout import Pinout
from synloom_boards.fpga.pll import PllSetting, solve

__all__ = ["Board"]

_BAUD_TOLERANCE: Final = 0.02
"""Largest relative error of the line rate; 8N1 bears about twice that between its two ends."""


@dataclass(frozen=True, kw_only=True)
class Board:
    """One FPGA board. Amaranth is imported only when `platform` is called.

    Parameters
    ----------
    name : str
        Its name on the command line.
    title : str
        Its name in tables and messages.
    chip : str
        The vendor's name of the FPGA.
    family_name : str
        Key in `FAMILIES`.
    pins : str or Pinout
        "module:class" of an Amaranth platform with the resources `uart` and `led`, or the pins themselves.
    clock : str
        Resource of the clock that feeds the PLL.
    input_hz : int
        Its frequency, in Hz.
    pll : str
        Kind of PLL: a key of `synloom_boards.fpga.pll.SOLVERS`.
    params : ArrayParams
        The default array; `clock_hz` is the frequency wanted.
    leds : int
        Number of LEDs that show the state: see `synloom_boards.gateware.lights`.
    placer, packer : sequence of str
        Options of nextpnr and of the packer that select the device.
    loader : sequence of str
        Options of openFPGALoader that select the board or its cable.
    usb : str
        USB identity of its programmer, "vendor:product".
    volatile : bool
        Whether a bitstream can be loaded without writing it to flash.
    high : sequence of str
        Resources to drive high, such as the enable of another chip on the board.
    """

    name: str
    title: str
    chip: str
    family_name: str
    pins: str | Pinout
    clock: str
    input_hz: int
    pll: str
    params: ArrayParams
    leds: int
    placer: Sequence[str]
    packer: Sequence[str] = ()
    loader: Sequence[str]
    usb: str
    volatile: bool = True
    high: Sequence[str] = ()

    @property
    def family(self) -> Family:
        """The FPGA's family."""
        return FAMILIES[self.family_name]

    @cached_property
    def array(self) -> ArrayParams:
        """The default array, with the clock that the PLL makes."""
        return self.fit(self.params)

    def fit(self, params: ArrayParams) -> ArrayParams:
        """Return the parameters with the clock that the PLL makes.

        Raises
        ------
        ParameterError
            If the PLL cannot make a clock near `clock_hz`, or no whole divisor of it comes near `baud`.
        """
        params = params.replace(clock_hz=self.pll_setting(params).hz)
        made = params.clock_hz / round(params.clock_hz / params.baud)
        if abs(made - params.baud) > _BAUD_TOLERANCE * params.baud:
            raise ParameterError(
                f"a clock of {params.clock_hz / 1e6:g} MHz cannot make {params.baud:,} baud: the nearest is "
                f"{made:,.0f}; try another baud or clock_hz"
            )
        return params

    def pll_setting(self, params: ArrayParams) -> PllSetting:
        """Return the setting of the PLL for the clock of some parameters."""
        return solve(self.pll, self.input_hz, params.clock_hz)

    def platform(self) -> Any:
        """Return a new Amaranth platform; its attribute `fpga_family` is for the gateware."""
        if isinstance(self.pins, Pinout):
            platform = self.pins.platform(self.family_name, self.clock, self.input_hz)
        else:
            module, _, name = self.pins.partition(":")
            platform = getattr(importlib.import_module(module), name)()
        platform.fpga_family = self.family_name
        return platform
