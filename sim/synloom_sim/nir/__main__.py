"""``python -m synloom_sim.nir CHECKOUT``: the bars of a checkout of neuromorphs/NIR."""

from __future__ import annotations

import sys
from pathlib import Path

from synloom.base.errors import SynloomError
from synloom_sim.nir.bars import all_bars


def main(arguments: list[str]) -> int:
    """Print the bars; return 1 if one is not met, 2 if there is nothing to measure."""
    if len(arguments) not in (1, 2):
        print("usage: python -m synloom_sim.nir CHECKOUT [TARGET]; CHECKOUT is a clone of neuromorphs/NIR")
        return 2
    failed = 0
    try:
        for bar in all_bars(Path(arguments[0]), *arguments[1:]):
            print(f"{'ok  ' if bar.met else 'FAIL'} {bar.name}: {bar.figure}", flush=True)
            failed += not bar.met
    except SynloomError as error:
        print(f"error: {error}")
        return 2
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
