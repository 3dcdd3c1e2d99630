"""The command line `synloom`.

Exit codes: 0 all went well, 1 it failed (one line on standard error says why), 2 the command was
used wrongly, 130 Ctrl-C.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

__all__ = ["COMMANDS", "main"]

COMMANDS = {
    "demo": ("synloom.cli.demo:demo", "Learn something on a simulated board, and show it."),
    "run": ("synloom.cli.run_experiment:run", "Run an experiment file."),
    "sim": ("synloom.cli.sim:sim", "Serve a simulated board at a pseudo-terminal."),
    "selftest": ("synloom.cli.selftest:selftest", "Test a board: its link, its memories, a known network."),
    "boards": ("synloom.cli.boards:boards", "List the FPGA boards and their arrays."),
    "build": ("synloom.cli.build_bitstream:build", "Build the bitstream of a board."),
    "flash": ("synloom.cli.flash:flash", "Load a bitstream into a board."),
    "estimate": ("synloom.cli.estimate:estimate", "Show which boards hold an experiment, and how fast."),
    "verilog": ("synloom.cli.verilog:verilog", "Write an array as plain Verilog."),
    "info": ("synloom.cli.info:info", "Show what a target is and what it has counted."),
    "doctor": ("synloom.cli.doctor:doctor", "Check what this machine lacks, and say how to mend it."),
}
"""Commands by name: where they are, and what they do in one line."""

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code; never shows a traceback for a known error.

    Parameters
    ----------
    arguments : sequence of str, optional
        The arguments after the program's name; those of the process by default.
    """
    try:
        # Imported here, so that Ctrl-C is quiet while that goes on, too.
        from synloom.cli.commands import run

        code = run(arguments)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = _INTERRUPTED
    sys.exit(code)
