"""``python -m synloom_boards.netlist``: compare netlists with the model, bit by bit."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from synloom.base.errors import SynloomError
from synloom.contract import ArrayParams
from synloom.link.client import LinkPort
from synloom_boards.boards import board_names
from synloom_boards.catalogue import find_board
from synloom_boards.netlist.agreement import compare
from synloom_boards.netlist.arrays import SMALL_ARRAYS, family_of, small_array
from synloom_boards.netlist.design import BoardNetlist, NetlistDesign
from synloom_boards.netlist.transport import connect

__all__ = ["design_of", "main"]

_FASTEST: Final = 4
"""Clocks per serial bit. Each is simulated, so this is the fewest that the receiver can do with."""


def design_of(name: str, *, small: bool = False, board_files: Sequence[Path] = ()) -> NetlistDesign:
    """Return the design that a name on the command line stands for.

    Parameters
    ----------
    name : str
        A key of `SMALL_ARRAYS`, for that array behind a serial port; or a board, for its whole design.
    small : bool
        Put a small array of the board's structure on the board instead of the board's own.
    board_files : sequence of Path
        Files in which the board may be described.

    Raises
    ------
    ParameterError
        If there is no such board.
    """
    if name in SMALL_ARRAYS:
        return NetlistDesign(SMALL_ARRAYS[name], family=family_of(name))
    board = find_board(name, board_files)
    params: ArrayParams = board.array
    if small:
        params = board.fit(small_array(params))
    return BoardNetlist(params, family=board.family_name, board=name, board_files=tuple(board_files))


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare each netlist with the model and print a line for it; return an exit code."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m synloom_boards.netlist")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"families: {', '.join(SMALL_ARRAYS)} (default: these); boards: {', '.join(board_names())}",
    )
    parser.add_argument(
        "--board-file", action="append", default=[], type=Path, metavar="FILE", help="a file with boards"
    )
    parser.add_argument("--small", action="store_true", help="a small array on the board: minutes, not hours")
    parser.add_argument("--steps", type=int, default=256, help="steps to run (default: 256)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random network (default: 1)")
    options = parser.parse_args(arguments)
    if options.steps < 1:
        parser.error(f"--steps must be at least 1, not {options.steps}")
    print(
        "| netlist | clocks | seconds | steps | spikes | weights learned | bits compared | bits that differ |"
    )
    print("|---|---|---|---|---|---|---|---|", flush=True)
    differing = 0
    try:
        for name in options.names or SMALL_ARRAYS:
            differing += _compare(
                name, design_of(name, small=options.small, board_files=options.board_file), options
            )
    except SynloomError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 1 if differing else 0


def _compare(name: str, design: NetlistDesign, options: argparse.Namespace) -> int:
    """Compare one netlist; return how many bits differ, and one more if the run proves nothing."""
    transport = connect(design, progress=_tell)
    port = LinkPort(transport)
    try:
        port.set_baud(design.params.clock_hz // _FASTEST)
        _tell("running", 1.0)
        started, clocks = time.perf_counter(), transport.clocks
        found = compare(port, steps=options.steps, seed=options.seed)
        seconds, clocks = time.perf_counter() - started, transport.clocks - clocks
    finally:
        port.close()
    wrong = sum(found.differing.values())
    counts = (found.steps, found.spikes, found.learned, found.bits, wrong)
    cells = [name, f"{clocks:,}", f"{seconds:.1f}", *(f"{count:,}" for count in counts)]
    print(f"| {' | '.join(cells)} |", flush=True)
    for fault in found.faults:
        print(f"- {fault}")
    if not (found.spikes and (found.learned or not design.params.plasticity)):
        print(f"- {found.spikes} spikes and {found.learned} learned weights prove nothing; try more --steps")
        return wrong + 1
    return wrong


def _tell(what: str, share: float) -> None:
    print(f"  {share:4.0%} {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
