"""Line rates that a self-test has found for boards: kept for later connections, port by port."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from synloom.base.atomic_files import write_whole
from synloom.base.errors import DeviceError, LinkError, ParameterError, SynloomError
from synloom.base.user_cache import cache_folder
from synloom.base.warning import warn
from synloom.link.baud import RATES
from synloom.link.client import LinkPort
from synloom.link.discovery import answers
from synloom.link.transport import RatedTransport

__all__ = ["forget_rate", "keep_rate", "kept_rate", "meet", "raise_rate"]

_FILE: Final = "line-rates.json"
_MOST: Final = 1 << 16
"""Most bytes of the file that are read."""


def kept_rate(path: str) -> int | None:
    """Return the rate that was kept for the board at a serial port; None if there is none.

    A file that cannot be read or is damaged is as good as none: the rate is only a matter of speed.
    """
    return _rates().get(_board_at(path))


def keep_rate(path: str, baud: int) -> bool:
    """Keep a rate for the board at a serial port; return whether that was possible."""
    return _write({**_rates(), _board_at(path): baud})


def forget_rate(path: str) -> None:
    """Forget the rate of the board at a serial port, if one was kept."""
    rates = _rates()
    if rates.pop(_board_at(path), None) is not None:
        _write(rates)


def meet(transport: RatedTransport, kept: int) -> None:
    """Set the host's end to the kept rate if the array answers there, as it does until it is powered off.

    If it does not, or the adapter does not have the rate, the host's end keeps its own. After other errors
    the transport is closed.
    """
    before = transport.baud
    if before is None:
        return
    try:
        transport.set_baud(kept)
        if not answers(transport):
            transport.set_baud(before)
    except ParameterError:
        # Another adapter, which has kept its rate.
        return
    except BaseException:
        transport.close()
        raise


def raise_rate(port: LinkPort, kept: int) -> None:
    """Go to the kept rate with an array that has its first one; warn if the line does not carry it.

    Raises
    ------
    LinkError
        If the array is lost; the port is closed.
    """
    if port.baud in (None, kept):
        return
    try:
        port.set_baud(kept)
    except LinkError:
        port.close()
        raise
    except (ParameterError, DeviceError) as error:
        warn(f"the line stays at {port.baud:,} baud: {error}; synloom selftest --keep-rate finds a rate anew")
    except BaseException:
        port.close()
        raise


def _rates() -> dict[str, int]:
    try:
        with _file().open("rb") as file:
            found = json.loads(file.read(_MOST))
    except (OSError, ValueError, RecursionError, SynloomError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {board: rate for board, rate in found.items() if type(rate) is int and rate in RATES}


def _write(rates: dict[str, int]) -> bool:
    try:
        file = _file()
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, json.dumps(rates, indent=1, sort_keys=True).encode())
    except (OSError, SynloomError):
        return False
    return True


def _file() -> Path:
    return cache_folder() / _FILE


def _board_at(path: str) -> str:
    """Return what a board is known by: its adapter's serial number, or its port if it has none."""
    from serial.tools import list_ports

    try:
        real = str(Path(path).resolve())
    except (OSError, ValueError, RuntimeError):  # no file can have this name, or it is a link to itself
        return path
    for port in list_ports.comports():
        if port.device in (path, real) and port.serial_number and port.vid is not None:
            return f"{port.vid:04x}:{port.pid:04x}:{port.serial_number}:{port.location or ''}"
    return real
