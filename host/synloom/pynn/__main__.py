"""Run a PyNN script that chooses its simulator by name: ``python -m synloom.pynn SCRIPT synloom ...``."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import synloom.pynn

__all__ = ["main"]


def main() -> None:
    """Let PyNN know this backend as ``pyNN.synloom``, and run a script with the arguments after its name."""
    if len(sys.argv) < 2:
        raise SystemExit(
            "usage: python -m synloom.pynn SCRIPT [ARGUMENT ...]\n"
            "runs a PyNN script that chooses its simulator by name; this one has the name synloom"
        )
    script = Path(sys.argv[1])
    if not script.is_file():
        raise SystemExit(f"error: there is no script {str(script)!r}; check the path")
    sys.modules["pyNN.synloom"] = synloom.pynn
    # As Python itself does for a script.
    sys.argv = sys.argv[1:]
    sys.path[0] = str(script.resolve().parent)
    runpy.run_path(str(script), run_name="__main__")


if __name__ == "__main__":
    main()
