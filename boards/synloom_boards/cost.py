"""The cost of each block in look-up tables, flip-flops, memories and multipliers, as yosys maps it.

``python -m synloom_boards.cost`` prints a table; ``pip install -e '.[boards]'`` installs the tools.
``--board`` takes the family and the default array of a board, and so the structure of each block that is
used there. ``--place`` adds the clock that place and route reaches. It places each block alone (out of
context, one seed): the figure is a bound for the block, not a promise for an array.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Final

from amaranth.back import rtlil
from amaranth.lib import wiring

from synloom.base.errors import BuildError, ParameterError, SynloomError
from synloom.base.wording import did_you_mean
from synloom.contract import ArrayParams
from synloom_boards.catalogue import find_board, only_board
from synloom_boards.fpga.families import FAMILIES, Family, count_cells
from synloom_boards.settings import parse_settings
from synloom_boards.toolchain.synthesis import synthesise
from synloom_boards.toolchain.tools import run_tool
from synloom_hdl.core.accumulators import make_accumulators
from synloom_hdl.core.core import Core
from synloom_hdl.core.counters import Counters
from synloom_hdl.core.dispatch import FiredDispatcher, SourceDispatcher
from synloom_hdl.core.events import EventQueue
from synloom_hdl.core.generators import Generators
from synloom_hdl.core.lane import Lane
from synloom_hdl.core.loom import Loom
from synloom_hdl.core.neuron_lane import NeuronLane
from synloom_hdl.core.neuron_sweep import Neurons
from synloom_hdl.core.passes import PassEngine
from synloom_hdl.core.probes import Probes
from synloom_hdl.core.program import SegmentFetcher
from synloom_hdl.core.recorder import Recorder
from synloom_hdl.core.registers import ControlRegisters
from synloom_hdl.core.scanner import BitScanner
from synloom_hdl.core.sequencer import Sequencer
from synloom_hdl.core.serial_neurons import SerialNeurons
from synloom_hdl.core.stillness import Stillness
from synloom_hdl.core.traces import Traces
from synloom_hdl.core.wheel import Wheel
from synloom_hdl.link.link import Link
from synloom_hdl.top import UartTop

__all__ = [
    "BLOCKS",
    "SMALL",
    "Cost",
    "main",
    "measure",
]


BLOCKS: Final[dict[str, Callable[[ArrayParams], wiring.Component]]] = {
    "Loom": Loom,
    "Lane": Lane,
    "Accumulators": make_accumulators,
    "SegmentFetcher": SegmentFetcher,
    "Traces (source)": lambda params: Traces(params, params.sources),
    "Traces (target)": lambda params: Traces(params, params.neurons),
    "PassEngine": PassEngine,
    "NeuronLane": NeuronLane,
    "Neurons": lambda params: (SerialNeurons if params.serial_neurons else Neurons)(params),
    "Wheel": Wheel,
    "Stillness": Stillness,
    "BitScanner": lambda params: BitScanner(params.source_words),
    "EventQueue": EventQueue,
    "Generators": Generators,
    "SourceDispatcher": SourceDispatcher,
    "FiredDispatcher": FiredDispatcher,
    "Recorder": lambda params: Recorder(),
    "Probes": Probes,
    "ControlRegisters": ControlRegisters,
    "Counters": Counters,
    "Sequencer": Sequencer,
    "Core": Core,
    "Link": Link,
    "UartTop": UartTop,
}
"""Blocks by name of their class. PassEngine contains the blocks above it, Core all but the link."""

_ONLY_WITH: Final[dict[str, tuple[Callable[[ArrayParams], bool], str]]] = {
    "NeuronLane": (lambda params: not params.serial_neurons, "neurons that are not serial"),
    "Generators": (lambda params: params.generators, "generators"),
}
"""Blocks that not every array has: whether it has one, and in words when."""


SMALL: Final = ArrayParams(
    inputs=64, neurons=64, lanes=4, neuron_lanes=1, state_bits=16, record_words=512, event_words=256
)
"""An array for small devices."""


@dataclass(frozen=True)
class Cost:
    """Cells of one block by column, and the clock that it reaches in MHz (0 if it was not placed)."""

    block: str
    cells: Mapping[str, int]
    fmax: float = 0.0


def measure(block: str, family: Family, params: ArrayParams, *, place: bool = False) -> Cost:
    """Synthesise one block; place and route it, too, if `place` is set.

    Raises
    ------
    BuildError
        If a tool is missing or fails.
    """
    with tempfile.TemporaryDirectory() as place_of_build:
        folder = Path(place_of_build)
        # Hidden names cannot collide with names that the technology mapper makes.
        design = rtlil.convert(
            BLOCKS[block](params), name="top", platform=SimpleNamespace(fpga_family=family.name)
        )
        netlist = synthesise(design, folder, family, names=False)
        fmax = _place(family, folder) if place else 0.0
    return Cost(block, count_cells(family, netlist.cells), fmax)


def _place(family: Family, folder: Path) -> float:
    if not family.alone:
        raise BuildError("only blocks of ecp5 can be placed alone; leave out --place")
    files = ["--json", "top.json", "--report", "report.json"]
    goal = ["--freq", "100", "--timing-allow-fail", "--seed", "1"]
    run_tool(f"nextpnr-{family.placer}", ["-q", *family.alone, *files, *goal], folder)
    clocks = json.loads((folder / "report.json").read_text(encoding="utf-8"))["fmax"]
    return min((clock["achieved"] for clock in clocks.values()), default=0.0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return an exit code."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m synloom_boards.cost")
    parser.add_argument("blocks", nargs="*", metavar="BLOCK", help=f"of {', '.join(BLOCKS)} (default: all)")
    parser.add_argument("--family", choices=FAMILIES, help="FPGA family (default: ecp5)")
    parser.add_argument("--board", metavar="NAME", help="the family and the default array of a board")
    parser.add_argument(
        "--board-file", action="append", default=[], type=Path, metavar="FILE", help="a file with boards"
    )
    parser.add_argument("--small", action="store_true", help="a small array instead of the default one")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="set an array parameter"
    )
    parser.add_argument("--place", action="store_true", help="place and route each block (takes minutes)")
    options = parser.parse_args(arguments)
    try:
        family, params = _structure(options)
        blocks = _blocks(options.blocks, params)
        columns = ["block", *family.cells, *(["Fmax / MHz"] if options.place else [])]
        print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
        for block in blocks:
            cost = measure(block, family, params, place=options.place)
            row = [block, *(f"{count:,}" for count in cost.cells.values())]
            row += [f"{cost.fmax:.0f}"] if options.place else []
            print(f"| {' | '.join(row)} |", flush=True)
    except SynloomError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _blocks(wanted: Sequence[str], params: ArrayParams) -> list[str]:
    """Return the wanted blocks, or all that an array has.

    Raises
    ------
    ParameterError
        If there is no such block, or the array does not have it.
    """
    absent = {block: why for block, (has, why) in _ONLY_WITH.items() if not has(params)}
    for block in wanted:
        if block not in BLOCKS:
            raise ParameterError(
                f"there is no block {block!r}{did_you_mean(block, BLOCKS)}; blocks are: {', '.join(BLOCKS)}"
            )
        if block in absent:
            raise ParameterError(f"this array has no {block}: only arrays with {absent[block]} have it")
    return list(wanted) or [block for block in BLOCKS if block not in absent]


def _structure(options: argparse.Namespace) -> tuple[Family, ArrayParams]:
    """Return the family and the array that the options ask for.

    Raises
    ------
    ParameterError
        If there is no such board, it is of another family, or a parameter is wrong.
    """
    if options.board is None and not options.board_file:
        base = SMALL if options.small else None
        return FAMILIES[options.family or "ecp5"], parse_settings(options.set, base)
    files = options.board_file
    board = only_board(files) if options.board is None else find_board(options.board, files)
    if options.small or options.family not in (None, board.family_name):
        raise ParameterError(
            f"{board.name} has its own array and is of family {board.family_name}; "
            f"leave out --small and --family, and change the array with --set"
        )
    return board.family, board.fit(parse_settings(options.set, board.array))


if __name__ == "__main__":
    sys.exit(main())
