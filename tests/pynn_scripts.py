"""Runs the PyNN scripts of docs/examples/pynn on any backend, by name as their users do."""

import contextlib
import functools
import io
import runpy
import sys
import types
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

SCRIPTS = Path(__file__).parents[1] / "docs" / "examples" / "pynn"


def run_script(name: str, simulator: str, *arguments: str, **setup: Any) -> dict[str, Any]:
    """Run a script; return its names, and what it prints as `printed`.

    Here `setup` gets more arguments, such as the target.
    """
    if simulator == "synloom":
        import synloom.pynn

        module = types.ModuleType("pyNN.synloom")
        vars(module).update(vars(synloom.pynn), setup=functools.partial(synloom.pynn.setup, **setup))
        sys.modules["pyNN.synloom"] = module
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
