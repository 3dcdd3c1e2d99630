"""The programs that load bitstreams into boards, and their arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from synloom.base.errors import ParameterError

__all__ = ["LOADERS", "Loader"]


@dataclass(frozen=True, slots=True)
class Loader:
    """One program that loads bitstreams.

    Parameters
    ----------
    name : str
        Its name, which is its key in `LOADERS` and in `synloom_boards.toolchain.tools.TOOLS`.
    flash : tuple of str or None
        Arguments that write the flash, between the board's and the file; None if it cannot.
    fpga : tuple of str or None
        Arguments that load the FPGA itself; None if it cannot.
    trial : tuple of str
        Arguments with which it starts, does nothing and ends.
    """

    name: str
    flash: tuple[str, ...] | None
    fpga: tuple[str, ...] | None
    trial: tuple[str, ...]

    def arguments(self, options: Sequence[str], file: Path, *, into_flash: bool) -> list[str]:
        """Return the arguments that load a file.

        Raises
        ------
        ParameterError
            If the program cannot load it there.
        """
        ways = self.flash if into_flash else self.fpga
        if ways is None:
            what = "write the flash" if into_flash else "load the FPGA without its flash"
            raise ParameterError(f"{self.name} cannot {what}")
        return [*options, *ways, str(file)]


LOADERS: Final[dict[str, Loader]] = {
    loader.name: loader
    for loader in (
        Loader("openFPGALoader", ("-f",), ("-m",), ("--Version",)),
        Loader("icesprog", ("-w",), None, ("--help",)),
        Loader("iceprog", (), ("-S",), ("--help",)),
        Loader("dfu-util", ("-R", "-D"), None, ("--version",)),
    )
}
"""Programs by name."""
