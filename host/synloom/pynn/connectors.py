"""PyNN's connectors; two of them have a version of their own here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from pyNN import connectors, errors

from synloom.base.checks import IntArray
from synloom.network.connectors import SmallWorld

__all__ = ["OneToOneConnector", "SmallWorldConnector"]


class OneToOneConnector(connectors.OneToOneConnector):
    """PyNN's OneToOneConnector."""

    def connect(self, projection: Any) -> None:
        """Connect a projection; PyNN 0.13.0's own version fails for one cell under NumPy 2.4."""
        most = projection.pre.size

        def sources(mask: Any = None) -> Iterator[IntArray]:
            targets = np.arange(projection.post.size)
            for j in targets if mask is None else targets[mask]:
                yield np.array([j] if j < most else [], dtype=np.int64)

        self._standard_connect(projection, sources)


class SmallWorldConnector(connectors.SmallWorldConnector, connectors.MapConnector):
    """PyNN's SmallWorldConnector: a ring of `degree` neighbours, each link rewired with chance `rewiring`."""

    def __init__(self, degree: int, rewiring: float, *args: Any, **others: Any):
        super().__init__(degree, rewiring, *args, **others)
        self.degree = degree

    def connect(self, projection: Any) -> None:
        """Connect a projection: a ring of `degree` neighbours, each link rewired with chance `rewiring`."""
        if projection.pre is not projection.post or self.n_connections is not None:
            raise errors.ConnectionError(
                "a small world is a population connected to itself, without n_connections"
            )
        seed = int(self.rng.next(1, "uniform_int", {"low": 0, "high": 2**31 - 1})[0])
        size = projection.pre.size
        made = SmallWorld(self.degree, self.rewiring).synapses(size, size, np.random.default_rng(seed), True)

        def sources(mask: Any = None) -> Iterator[IntArray]:
            targets = np.arange(size)
            for j in targets if mask is None else targets[mask]:
                yield np.sort(made.pre[made.post == j])

        self._standard_connect(projection, sources)
