"""Checks of connectors for the support table: the same connections as PyNN's mock simulator."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyNN.connectors
import pyNN.mock

import synloom.pynn as sim
from synloom.pynn.support_models import DT, FAITHFUL, Check

__all__ = ["CONNECTOR_CHECKS", "UNTESTED"]

UNTESTED: Final = "untested"


# ---- connectors --------------------------------------------------------------------------------------


def _pairs(backend: Any, make: Callable[[Any, Any], Any], own: bool) -> list[tuple[int, int]]:
    """Return the connections that a connector makes of 12 cells to 12 others, or to themselves."""
    backend.setup(timestep=DT)
    first = backend.Population(12, backend.IF_curr_exp())
    second = first if own else backend.Population(12, backend.IF_curr_exp())
    connector = make(backend, _links_of(backend, first, second))
    links = backend.Projection(first, second, connector, backend.StaticSynapse())
    return sorted((int(i), int(j)) for i, j, _ in links.get("weight", "list"))


def _links_of(backend: Any, first: Any, second: Any) -> Callable[[], Any]:
    """Return what makes a projection to be cloned."""
    return lambda: backend.Projection(
        first,
        second,
        backend.FromListConnector([(0, 1), (2, 5)]),
        backend.StaticSynapse(),
    )


def _connector(make: Callable[[Any, Any], Any], own: bool = False) -> Check:
    def compared() -> tuple[str, str]:
        found, wanted = _pairs(sim, make, own), _pairs(pyNN.mock, make, own)
        assert found == wanted
        assert found
        return FAITHFUL, "the same connections as PyNN's mock simulator"

    return compared


def _from_file() -> tuple[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.txt"
        columns = "# columns = ['i', 'j', 'weight', 'delay']"
        path.write_text(f"{columns}\n0 1 0.1 1.0\n3 2 0.1 1.0\n", encoding="utf-8")
        return _connector(lambda backend, _: backend.FromFileConnector(str(path)))()


def _small_world() -> tuple[str, str]:
    cells = sim.Population(12, sim.IF_curr_exp())
    links = sim.Projection(cells, cells, sim.SmallWorldConnector(4, 0.0), sim.StaticSynapse())
    found = {(int(i), int(j)) for i, j, _ in links.get("weight", "list")}
    assert found == {(i, (i + d) % 12) for i in range(12) for d in (-2, -1, 1, 2)}
    return FAITHFUL, "PyNN defines it and has no version; here it is the SDK's `SmallWorld`"


def _rng(seed: int = 3) -> Any:
    return sim.NumpyRNG(seed=seed)


class _Near(pyNN.connectors.IndexBasedExpression):
    def __call__(self, i: Any, j: Any) -> Any:
        return np.abs(i - j) < 2


CONNECTOR_CHECKS: Final[dict[str, Check]] = {
    "AllToAllConnector": _connector(lambda s, _: s.AllToAllConnector()),
    "ArrayConnector": _connector(lambda s, _: s.ArrayConnector(np.eye(12, dtype=bool)[::-1])),
    "CSAConnector": lambda: (
        UNTESTED,
        "PyNN's own; needs the package csa, which was not there",
    ),
    "CloneConnector": _connector(lambda s, clone: s.CloneConnector(clone())),
    "DisplacementDependentProbabilityConnector": _connector(
        lambda s, _: s.DisplacementDependentProbabilityConnector(
            lambda d: (np.abs(d[0]) < 3).astype(float), rng=_rng()
        ),
    ),
    "DistanceDependentProbabilityConnector": _connector(
        lambda s, _: s.DistanceDependentProbabilityConnector("exp(-d/3)", rng=_rng())
    ),
    "FixedNumberPostConnector": _connector(lambda s, _: s.FixedNumberPostConnector(3, rng=_rng())),
    "FixedNumberPreConnector": _connector(lambda s, _: s.FixedNumberPreConnector(3, rng=_rng())),
    "FixedProbabilityConnector": _connector(lambda s, _: s.FixedProbabilityConnector(0.3, rng=_rng())),
    "FixedTotalNumberConnector": _connector(lambda s, _: s.FixedTotalNumberConnector(20, rng=_rng())),
    "FromFileConnector": _from_file,
    "FromListConnector": _connector(lambda s, _: s.FromListConnector([(0, 1), (3, 2), (3, 2)])),
    "IndexBasedProbabilityConnector": _connector(
        lambda s, _: s.IndexBasedProbabilityConnector(_Near(), rng=_rng())
    ),
    "OneToOneConnector": _connector(lambda s, _: s.OneToOneConnector()),
    "SmallWorldConnector": _small_world,
}
