"""What a board is: everything that its file says."""

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
"""How far a line rate may be off: both ends of 8N1 share about twice that."""


@dataclass(frozen=True, kw_only=True)
class Board:
    """One FPGA board. Nothing of Amaranth is imported until `platform` is made.

    Parameters
    ----------
    name : str
        What the command line calls it.
    title : str
        What people call it.
    chip : str
        The FPGA, as its vendor calls it.
    family_name : str
        Name in `FAMILIES`.
    pins : str or Pinout
        "module:class" of an Amaranth platform whose resources `uart` and `led` are used, or the pins.
    clock : str
        Resource of the clock that the PLL takes.
    input_hz : int
        Its frequency, in Hz.
    pll : str
        Kind of PLL: a name of `synloom_boards.fpga.pll.SOLVERS`.
    params : ArrayParams
        The array by default; `clock_hz` is the frequency that is wanted.
    leds : int
        How many of the platform's LEDs show the state: see `synloom_boards.gateware.lights`.
    placer, packer : sequence of str
        Options of nextpnr and of the packer that name the device.
    loader : sequence of str
        Options of openFPGALoader that name the board, or its cable.
    usb : str
        "vendor:product" of its programmer.
    volatile : bool
        Whether a bitstream can be loaded without writing it to flash.
    high : sequence of str
        Resources that are driven high, such as an enable of something else on the board.
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
        """The array by default, with the clock that the PLL really makes."""
        return self.fit(self.params)

    def fit(self, params: ArrayParams) -> ArrayParams:
        """Return parameters with the clock that the PLL really makes.

        Raises
        ------
        ParameterError
            If the PLL cannot come near to `clock_hz`, or that clock does not make `baud`.
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
        """Return how the PLL makes the clock of some parameters."""
        return solve(self.pll, self.input_hz, params.clock_hz)

    def platform(self) -> Any:
        """Return a new Amaranth platform; it carries `fpga_family` for the gateware."""
        if isinstance(self.pins, Pinout):
            platform = self.pins.platform(self.family_name, self.clock, self.input_hz)
        else:
            module, _, name = self.pins.partition(":")
            platform = getattr(importlib.import_module(module), name)()
        platform.fpga_family = self.family_name
        return platform
