"""A host process that drives a board until it is killed; started by `synloom_sim.soak.hosts`."""

from __future__ import annotations

import sys
from itertools import count

from synloom.device.targets import connect
from synloom_sim.soak.session import session

__all__ = ["main"]


def main() -> None:
    """Hold sessions for ever with the board whose path is given."""
    device = connect(sys.argv[1])
    print("ready", flush=True)
    for seed in count():
        for _ in session(device, seed):
            pass


if __name__ == "__main__":
    main()
