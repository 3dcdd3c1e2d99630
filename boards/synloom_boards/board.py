"""The description of a board: its FPGA, pins, clock and default array."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from synloom.base.errors import ParameterError
from synloom.base.wording import one_line
from synloom.contract import ArrayParams
from synloom_boards.fpga.families import FAMILIES, Family
from synloom_boards.fpga.pinout import Pinout, import_platform
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
    pins : str, type or Pinout
        An Amaranth platform with the resources `uart` and `led`, as "module:class" or as its class; or the
        pins themselves; or a platform and the pins that it lacks.
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
        Options of the program that loads bitstreams, which select the board or its cable.
    loader_tool : str
        That program: a key of `synloom_boards.loaders.LOADERS`.
    usb : str
        USB identity of its programmer, "vendor:product".
    volatile : bool
        Whether a bitstream can be loaded without writing it to flash.
    bridge_baud : int or None
        The highest line rate that the data sheet of the board's USB bridge promises, if there is one.
    high : sequence of str
        Resources to drive high, such as the enable of another chip on the board.
    distributed_bits : int or None
        The largest memory that becomes look-up tables instead of block memory, in bits; by default what suits
        a part whose blocks are scarce. Fewer fill the blocks that the weights leave.
    source : str
        The file or the package that describes the board, for messages; empty for Synloom's own.
    """

    name: str
    title: str
    chip: str
    family_name: str
    pins: str | Callable[[], Any] | Pinout
    clock: str
    input_hz: int
    pll: str
    params: ArrayParams
    leds: int
    placer: Sequence[str]
    packer: Sequence[str] = ()
    loader: Sequence[str] = ()
    loader_tool: str = "openFPGALoader"
    usb: str
    volatile: bool = True
    bridge_baud: int | None = None
    high: Sequence[str] = ()
    distributed_bits: int | None = None
    source: str = field(default="", compare=False)

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
        """Return a new Amaranth platform; `fpga_family` and `distributed_bits` of it are for the gateware.

        Raises
        ------
        ModuleNotFoundError
            If Amaranth or the platform's module is not installed.
        ParameterError
            If there is no such platform, or it lacks a resource that the design needs.
        """
        try:
            platform = self._new_platform()
            self._check_resources(platform)
            self._check_pins(self._new_platform())
        except ModuleNotFoundError:
            raise
        except Exception as error:
            # A user's platform may raise anything; Amaranth's words about wrong pins are clear.
            what = str(error) if isinstance(error, ParameterError) else f"{type(error).__name__}: {error}"
            raise ParameterError(f"{self.where}: {one_line(what)}") from error
        platform.fpga_family = self.family_name
        platform.distributed_bits = self.distributed_bits
        return platform

    def _new_platform(self) -> Any:
        if isinstance(self.pins, Pinout):
            return self.pins.platform(self.family_name, self.clock, self.input_hz)
        return import_platform(self.pins)

    @property
    def where(self) -> str:
        """What a message about the board begins with: where it is described, and its name."""
        return f"{self.source}: {self.name}" if self.source else self.name

    def _check_resources(self, platform: Any) -> None:
        """Check that a platform has the clock, the serial port, the LEDs and what is driven high."""
        there = {name for name, number in platform.resources if number == 0}
        if self.clock not in there:
            clocks = sorted(name for (name, _), r in platform.resources.items() if r.clock is not None)
            raise ParameterError(
                f"the platform has no clock {self.clock!r} (clocks are: {', '.join(clocks) or 'none'}); "
                f"correct the board's clock, or say its pin: pins=Pinout(..., clock=PIN)"
            )
        has = {subsignal.name for subsignal in _parts(platform, "uart")}
        if not {"rx", "tx"} <= has:
            raise ParameterError(
                "the platform has no serial port 'uart' with rx and tx; "
                "say its pins: pins=Pinout(base=PLATFORM, rx=PIN, tx=PIN)"
            )
        lit = 0
        while ("led", lit) in platform.resources:
            lit += 1
        if lit < self.leds:
            raise ParameterError(
                f"the platform has {lit} of {self.leds} LEDs 'led'; say their pins: "
                f"pins=Pinout(base=PLATFORM, leds='PIN PIN'), or set leds={lit or 1}"
            )
        for name in self.high:
            resource, _, part = name.partition(".")
            if resource not in there or (part and part not in {s.name for s in _parts(platform, resource)}):
                raise ParameterError(f"the platform has no {name!r} to drive high")

    def _check_pins(self, platform: Any) -> None:
        """Request all that the design requests: pins may be named wrongly, or used twice."""
        for name in (self.clock, "uart", *(part.partition(".")[0] for part in self.high)):
            platform.request(name, 0, dir="-")
        for number in range(self.leds):
            platform.request("led", number, dir="-")


def _parts(platform: Any, resource: str) -> Sequence[Any]:
    """Return the subsignals of resource 0 of a name; none if there is no such resource, or it has none."""
    found = platform.resources.get((resource, 0))
    return [part for part in found.ios if hasattr(part, "name")] if found is not None else []
