"""PyNN's own system scenarios on this backend: `python tests/oracles/pynn_scenarios.py PYNN [--swapped]`.

PYNN is a checkout of NeuralEnsemble/PyNN; nothing of it is part of this project. With --swapped, cells with
conductances or alpha functions are replaced by current-based ones, as a user would port a script.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SCENARIOS = Path("test", "system", "scenarios")
_CONDUCTANCE = (
    "IF_cond_exp", "IF_cond_alpha", "EIF_cond_exp_isfa_ista", "EIF_cond_alpha_isfa_ista", "HH_cond_exp",
    "IF_curr_alpha",
)  # fmt: skip


def simulator(name: str, swapped: bool) -> Any:
    """Return the module that scenarios run on: ours, or pyNN.nest as a control."""
    module = importlib.import_module("pyNN.nest" if name == "nest" else "synloom.pynn")
    if not swapped and name != "nest":
        return module
    shim = types.ModuleType(module.__name__)
    shim.__dict__.update({k: v for k, v in vars(module).items() if not k.startswith("__")})
    if swapped:
        for cell in _CONDUCTANCE:
            setattr(shim, cell, _current_based(module.IF_curr_exp, cell))
    return shim


def _current_based(base: Any, name: str) -> Any:
    """Return a current-based cell that ignores the parameters which it does not have."""

    def start(self: Any, **parameters: Any) -> None:
        base.__init__(self, **{k: v for k, v in parameters.items() if k in base.default_parameters})

    return type(name, (base,), {"__init__": start, "conductance_based": False})


def scenarios(checkout: Path) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """Yield the name and the function of each scenario."""
    folder = checkout / SCENARIOS
    sys.path.insert(0, str(folder.parent))
    for path in sorted(folder.glob("test_*.py")):
        module = importlib.import_module(f"scenarios.{path.stem}")
        for name, function in list(vars(module).items()):
            if name.startswith("test_") and callable(function) and function.__module__ == module.__name__:
                yield f"{path.stem}.{name}", function


def outcomes(checkout: Path, name: str, swapped: bool, only: str = "") -> Iterator[tuple[str, str]]:
    """Yield each scenario's name, and why it fails; an empty reason if it passes."""
    sim = simulator(name, swapped)
    for scenario, function in scenarios(checkout):
        if only not in scenario:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                function(sim)
            yield scenario, ""
        except BaseException as error:
            if isinstance(error, (KeyboardInterrupt, GeneratorExit)):
                raise
            if only:
                traceback.print_exc()
            where = traceback.extract_tb(error.__traceback__)[-1]
            said = str(error).strip().splitlines()
            yield scenario, f"{type(error).__name__}: {said[0] if said else where.line}"


def main() -> None:
    """Print each scenario and how many pass."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--swapped", action="store_true")
    parser.add_argument("--simulator", choices=("synloom", "nest"), default="synloom")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    checkout = options.checkout.resolve()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        found = dict(outcomes(checkout, options.simulator, options.swapped, options.only))
    for scenario, reason in found.items():
        print(f"{'FAIL' if reason else 'ok  '} {scenario}{': ' if reason else ''}{reason[:160]}")
    print(f"{sum(not reason for reason in found.values())} of {len(found)} scenarios pass")


if __name__ == "__main__":
    main()
