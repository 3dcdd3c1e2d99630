"""Load a bitstream into a board with openFPGALoader or another program, and explain what can go wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from synloom.base.errors import BuildError, MismatchError, TargetError
from synloom.base.progress import Progress
from synloom.base.requirements import install_command
from synloom.base.wording import one_line
from synloom_boards.board import Board
from synloom_boards.loaders import LOADERS
from synloom_boards.toolchain.tools import TOOLS, run_program
from synloom_boards.toolchain.usb import usb_devices

__all__ = ["check_loader", "flash_bitstream", "udev_rule"]

_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
_SHARE: Final = re.compile(r"\]\s*(\d+(?:\.\d+)?)%")
_PERMISSION: Final = re.compile(
    r"-4 \((?:lib)?usb_open\(\) failed\)|LIBUSB_ERROR_ACCESS|Check permissions|Access denied|"
    r"insufficient permissions",
    re.I,
)
_ABSENT: Final = re.compile(
    r"-3 \(device not found\)|No cable found|no device found|No CMSIS-DAP|"
    r"failed to find compatible CMSIS-DAP|No DFU (?:compatible|capable)|Can't find iCE FTDI|icelink open",
    re.I,
)
_MISMATCH: Final = re.compile(r"mismatch between target's idcode and (?:bitstream|fs) idcode", re.I)
_IDENTITIES: Final = re.compile(r"bitstream has (0x[0-9a-f]+) hardware requires (0x[0-9a-f]+)", re.I)
_UNKNOWN: Final = re.compile(r"Unknown device with IDCODE:? (0x[0-9a-f]+)", re.I)
_FAILURE: Final = re.compile(r"^Error|^(?!CRC check).*\bFAIL\b|\b[Aa]borting\b|^[Tt]imeout", re.M)
"""Some failures have exit code 0. Gowin's read-back of a check sum fails for good bitstreams, too."""
_DISABLED: Final = re.compile(r"support for (\S+) was not enabled at compile time", re.I)
_LIBRARY: Final = re.compile(r"error while loading shared libraries: (\S+):")


def check_loader(board: Board, *, persistent: bool = False) -> None:
    """Check, before a bitstream is built, that it could be loaded: the program starts, the board is there.

    A system that does not tell which USB devices it has passes for one with the board.

    Raises
    ------
    BuildError
        If the program is missing, or does not start.
    ParameterError
        If it cannot load the bitstream where it is wanted.
    TargetError
        If no programmer with the board's USB identity is plugged in.
    """
    loader = LOADERS[board.loader_tool]
    loader.arguments(board.loader, Path("top"), into_flash=persistent or not board.volatile)
    lines: list[str] = []
    status = run_program([*TOOLS[loader.name].command(), *loader.trial], Path.cwd(), lines.append)
    if status:
        text = "".join(lines)
        if found := _LIBRARY.search(text):
            raise _no_library(board, found, text)
        said = one_line(" ".join(line.strip() for line in lines[-2:])) or "nothing"
        raise BuildError(f"{loader.name} does not start: it ends with exit code {status} and says: {said}")
    devices = usb_devices()
    if devices is not None and board.usb not in {device.identity for device in devices}:
        raise TargetError(_not_found(board))


def flash_bitstream(
    board: Board, bitstream: Path, *, persistent: bool = False, progress: Progress | None = None
) -> bool:
    """Load a bitstream into a board; return whether it was written to the flash.

    Parameters
    ----------
    board : Board
    bitstream : Path
        The bitstream's file.
    persistent : bool
        Write it to the flash, where it survives power-off. Boards that are not `volatile` always do.
    progress : callable, optional
        Called with the current stage and the share of it that is done.

    Raises
    ------
    TargetError
        If the board is not found, the user has no permission to use it, or loading fails.
    MismatchError
        If the board's FPGA is not the one that the bitstream was built for.
    BuildError
        If the program that loads it is missing or cannot run.
    """
    into_flash = persistent or not board.volatile
    what = "writing the flash" if into_flash else "loading the FPGA"
    report = progress or _silent
    lines: list[str] = []

    def see(text: str) -> None:
        # It redraws its progress bar with carriage returns.
        for part in _COLOURS.sub("", text).replace("\r", "\n").splitlines():
            lines.append(part)
            if share := _SHARE.search(part):
                report(what, float(share[1]) / 100)

    loader = LOADERS[board.loader_tool]
    arguments = loader.arguments(board.loader, bitstream, into_flash=into_flash)
    command = [*TOOLS[loader.name].command(), *arguments]
    report(what, 0.0)
    status = run_program(command, bitstream.parent, see)
    text = "\n".join(lines)
    if status or _FAILURE.search(text):
        raise _explain(board, text, status)
    return into_flash


def udev_rule(board: Board) -> str:
    """Return the udev rule that lets local users use the board's programmer."""
    vendor, _, product = board.usb.partition(":")
    return f'ATTRS{{idVendor}}=="{vendor}", ATTRS{{idProduct}}=="{product}", MODE="0660", TAG+="uaccess"'


def _explain(board: Board, text: str, status: int) -> Exception:
    """Return the error that explains what the program wrote."""
    for pattern, make in _EXPLANATIONS:
        if found := pattern.search(text):
            return make(board, found, text)
    last = [line.strip() for line in text.splitlines() if line.strip()][-2:]
    said = " ".join(last) or "nothing"
    return TargetError(
        f"{board.loader_tool} failed with exit code {status} and said: {said}; check the cable and try again"
    )


def _no_library(board: Board, found: re.Match[str], text: str) -> Exception:
    package = "libhidapi-hidraw0" if "hidapi" in found[1] else "libusb-1.0-0 libftdi1-2"
    return BuildError(f"{board.loader_tool} needs {found[1]}; try: sudo apt install {package}")


def _no_permission(board: Board, found: re.Match[str], text: str) -> Exception:
    return TargetError(
        f"you have no permission to use the programmer of {board.title} (USB {board.usb}); try:\n"
        f"  echo '{udev_rule(board)}' | sudo tee -a /etc/udev/rules.d/70-synloom.rules\n"
        f"  sudo udevadm control --reload && sudo udevadm trigger\n"
        f"then plug the board in again"
    )


def _absent(board: Board, found: re.Match[str], text: str) -> Exception:
    return TargetError(_not_found(board))


def _not_found(board: Board) -> str:
    return (
        f"no {board.title} was found: there is no programmer with USB identity {board.usb}; check that the "
        f"board has power and the cable carries data (`synloom devices` must show {board.usb})"
    )


def _mismatch(board: Board, found: re.Match[str], text: str) -> Exception:
    identities = _IDENTITIES.search(text)
    detail = f" (it says {identities[2]}, the bitstream is for {identities[1]})" if identities else ""
    return MismatchError(
        f"the board's FPGA is not the {board.chip} of {board.title}{detail}; "
        f"`synloom boards` lists the boards"
    )


def _unknown(board: Board, found: re.Match[str], text: str) -> Exception:
    return TargetError(
        f"openFPGALoader does not know the device that answers ({found[1]}); check that the board is "
        f"{board.title}, try another USB port, or a newer openFPGALoader: {install_command('openfpgaloader')}"
    )


def _disabled(board: Board, found: re.Match[str], text: str) -> Exception:
    return BuildError(
        f"this openFPGALoader was built without {found[1]}, which the programmer of {board.title} needs; "
        f"try the one of your system: sudo apt install openfpgaloader; export OPENFPGALOADER=openFPGALoader"
    )


_EXPLANATIONS: Final[Sequence[tuple[re.Pattern[str], Callable[[Board, re.Match[str], str], Exception]]]] = (
    (_LIBRARY, _no_library),
    (_DISABLED, _disabled),
    (_PERMISSION, _no_permission),
    (_ABSENT, _absent),
    (_MISMATCH, _mismatch),
    (_UNKNOWN, _unknown),
)


def _silent(what: str, share: float) -> None:
    """Ignore the progress."""
