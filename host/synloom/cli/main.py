"""The command line `synloom`.

Exit codes: 0 success, 1 failure (one line on standard error says why), 2 usage error, 130 Ctrl-C.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

__all__ = ["COMMANDS", "main"]

COMMANDS = {
    "demo": ("synloom.cli.demo:demo", "Train a network on a simulated board, and draw the results."),
    "examples": ("synloom.cli.examples:examples", "List, copy and run networks of the gallery."),
    "run": ("synloom.cli.run_experiment:run", "Run an experiment file."),
    "replay": ("synloom.cli.replay:replay", "Do again what a log says, on any target, and compare."),
    "compare": (
        "synloom.cli.compare:compare",
        "Run an experiment in floating point and in the array, and say where they part.",
    ),
    "sweep": ("synloom.cli.sweep:sweep", "Run an experiment over settings and seeds."),
    "sim": ("synloom.cli.sim:sim", "Serve a simulated board at a pseudo-terminal, or measure its speed."),
    "selftest": ("synloom.cli.selftest:selftest", "Test a board: its link, its memories, a random network."),
    "boards": ("synloom.cli.boards:boards", "List the FPGA boards and their arrays."),
    "devices": ("synloom.cli.devices:devices", "List serial ports, and the boards that may be at them."),
    "build": ("synloom.cli.build_bitstream:build", "Build the bitstream of a board."),
    "flash": ("synloom.cli.flash:flash", "Load a bitstream into a board."),
    "estimate": ("synloom.cli.estimate:estimate", "Show which boards hold an experiment, and how fast."),
    "verilog": ("synloom.cli.verilog:verilog", "Write an array as plain Verilog."),
    "info": ("synloom.cli.info:info", "Show the parameters, counters and link statistics of a target."),
    "doctor": ("synloom.cli.doctor:doctor", "Check this machine, and show how to fix what is missing."),
}
"""Commands by name: module and attribute, and short help."""

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code; errors of Synloom show no traceback.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments after the program's name; default: those of the process.
    """
    try:
        # Imported here, so that Ctrl-C during the import shows no traceback either.
        from synloom.cli.commands import run

        code = run(arguments)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = _INTERRUPTED
    sys.exit(code)
