"""`synloom info`: a target's parameters, counters and link statistics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from synloom.cli.options import array_options, json_option, target_name, target_options
from synloom.cli.output import progress_line, show_json
from synloom.cli.tables import show_table
from synloom.contract.array_port import Port
from synloom.contract.info import PROTOCOL_VERSION
from synloom.contract.params import SEMANTICS_VERSION, ArrayParams
from synloom.contract.regions import Region
from synloom.contract.registers import LINK_REGISTERS

__all__ = ["info"]

_LINK_COUNTERS = ("divisor", "crc_errors", "overflows", "framing_errors", "resends")


@click.command(short_help="Show the parameters, counters and link statistics of a target.")
@click.argument("target", callback=target_name)
@array_options
@json_option
def info(target: str, params_file: Path | None, as_json: bool, **fields: int | bool | None) -> None:
    """Show parameters, digests, counters and link statistics of TARGET.

    TARGET is software, fast, model, sim, sim-pins, the path of a serial port such as /dev/ttyUSB1, or auto
    (the first port with an array). The array options set the parameters of a model or a simulated board; a
    board reports its own, and takes only --baud, the line rate. The network in the array is not changed.
    """
    from synloom.device.targets import open_port

    params, options = target_options(target, params_file, fields)
    with progress_line() as progress:
        port = open_port(target, params, progress=progress, **options)
    try:
        report = _report(target, port)
    finally:
        port.close()
    if as_json:
        show_json(report)
        return
    for title in ("array", "parameters", "counters", "link"):
        if report[title]:
            show_table(title, report[title].items())


def _report(target: str, port: Port) -> dict[str, dict[str, Any]]:
    from synloom.device.counters import read_counters

    return {
        "array": dict(_array(target, port)),
        "parameters": port.params.to_dict(),
        "counters": dict(read_counters(port)),
        "link": dict(_link(port)),
    }


def _array(target: str, port: Port) -> Iterator[tuple[str, Any]]:
    from synloom.device.loader import read_register

    params: ArrayParams = port.params
    status = read_register(port, "status")
    yield "target", target
    yield "digest", params.digest()
    yield "semantics digest", params.semantics_digest()
    yield "semantics version", SEMANTICS_VERSION
    yield "protocol version", PROTOCOL_VERSION
    yield "synapses", params.synapses
    yield "longest delay, steps", params.max_delay
    yield "state", "paused" if status & 2 else "running" if status & 1 else "stopped"
    yield "next step", read_register(port, "now")


def _link(port: Port) -> Iterator[tuple[str, int]]:
    """Yield the counters of both ends of the line; none if there is no line."""
    statistics = getattr(port, "statistics", None)
    if statistics is None:
        return
    for name in _LINK_COUNTERS:
        yield f"array: {name}", int(port.read(Region.LINK, LINK_REGISTERS[name].offset, 1)[0])
    for name, value in asdict(statistics).items():
        yield f"host: {name}", value
