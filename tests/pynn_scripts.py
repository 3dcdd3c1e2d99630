"""Runs the PyNN scripts of docs/examples/pynn on any backend, by name as their users do."""

import contextlib
import io
import runpy
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

SCRIPTS = Path(__file__).parents[1] / "docs" / "examples" / "pynn"


def run_script(name: str, simulator: str, *arguments: str) -> dict[str, Any]:
    """Run a script; return its names, and what it prints as `printed`."""
    if simulator == "synloom":
        import synloom.pynn

        sys.modules["pyNN.synloom"] = synloom.pynn
    path, printed = SCRIPTS / f"{name}.py", io.StringIO()
    with (
        mock.patch.object(sys, "argv", [str(path), simulator, *arguments]),
        contextlib.redirect_stdout(printed),
    ):
        names = runpy.run_path(str(path))
    return {**names, "printed": printed.getvalue()}


def stdp_curve(names: dict[str, Any]) -> Any:
    """Return the changes that all pairs of simple_stdp.py make together, in w_max, for each difference."""
    wanted, arrivals = [], names["fires"] + names["DELAY"]
    # What the last spike of each source adds is below 1e-4.
    for spikes in names["trains"][:: names["COPIES"]]:
        lags = arrivals[:, None] - np.array(spikes)[None, :]
        up = names["A_PLUS"] * np.exp(-lags[lags > 0] / names["TAU_PLUS"]).sum()
        down = names["A_MINUS"] * np.exp(lags[lags < 0] / names["TAU_MINUS"]).sum()
        wanted.append(up - down)
    return np.array(wanted)
