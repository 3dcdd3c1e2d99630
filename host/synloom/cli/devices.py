"""`synloom devices`: serial ports, and the boards that may be at them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synloom.cli.options import board_file_option, json_option
from synloom.cli.output import show_json
from synloom.cli.port_users import port_users
from synloom.cli.tables import show_grid

if TYPE_CHECKING:
    from synloom_boards.board import Board

__all__ = ["devices"]


@click.command(short_help="List serial ports, and the boards that may be at them.")
@board_file_option
@json_option
def devices(board_files: tuple[Path, ...], as_json: bool) -> None:
    """List the serial ports and the boards' programmers that are plugged in; nothing is opened.

    Boards are recognised by the USB identity of their programmer. Several boards may have the same one:
    `synloom info PORT` asks the array itself.
    """
    from synloom_boards.catalogue import read_catalogue

    catalogue = read_catalogue(board_files)
    for problem in catalogue.problems:
        click.echo(f"warning: left out: {problem}", err=True)
    ports = _ports(catalogue.boards)
    programmers = _programmers(catalogue.boards, ports)
    if as_json:
        show_json({"ports": ports, "programmers": programmers})
        return
    if ports:
        heads = ("port", "USB", "what it says", "may be", "state")
        show_grid(heads, [[row[key] if key != "boards" else _names(row) for key in _PORT] for row in ports])
    else:
        click.echo("there is no serial port")
    if programmers:
        click.echo("programmers without a serial port:")
        show_grid(
            ("USB", "what it says", "may be"), [[r["usb"], r["description"], _names(r)] for r in programmers]
        )
    if any(row["boards"] for row in [*ports, *programmers]):
        click.echo("try: synloom info PORT, or synloom flash BOARD")
    else:
        click.echo(
            "no known board is plugged in; check its power, and that the cable carries data. "
            "Without a board: synloom sim --pty"
        )


_PORT = ("port", "usb", "description", "boards", "state")


def _names(row: dict[str, Any]) -> str:
    return ", ".join(row["boards"]) or "-"


def _ports(boards: Sequence[Board]) -> list[dict[str, Any]]:
    """Return a row for each serial port, those on USB first."""
    from serial.tools import list_ports

    ports = sorted(list_ports.comports(), key=lambda port: (port.vid is None, port.device))
    rows = []
    for port in ports:
        usb = "" if port.vid is None else f"{port.vid:04x}:{port.pid or 0:04x}"
        # pyserial says "n/a" if it knows nothing.
        said = "" if port.description in (None, "n/a") else str(port.description)
        rows.append(
            {
                "port": str(port.device),
                "usb": usb or "-",
                "description": said or "-",
                "serial": port.serial_number or "",
                "boards": [board.name for board in boards if usb and board.usb == usb],
                "state": _state(str(port.device)),
            }
        )
    return rows


def _state(device: str) -> str:
    users = port_users(device)
    if users:
        return f"in use by {', '.join(users)}"
    if not os.access(device, os.R_OK | os.W_OK):
        return "no permission (synloom doctor says what to do)"
    return "free"


def _programmers(boards: Sequence[Board], ports: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each USB device that is a known programmer, but has no serial port."""
    from synloom_boards.toolchain.usb import usb_devices

    shown = {row["usb"] for row in ports}
    rows = []
    for device in usb_devices() or []:
        names = [board.name for board in boards if board.usb == device.identity]
        if names and device.identity not in shown:
            rows.append({"usb": device.identity, "description": device.title or "-", "boards": names})
    return rows
