"""PyNN's older functions: create, connect, record, set."""

from __future__ import annotations

from typing import Any

from pyNN import common
from pyNN.connectors import FixedProbabilityConnector

from synloom.pynn import simulator
from synloom.pynn.populations import Population
from synloom.pynn.projections import Projection
from synloom.pynn.synapses import StaticSynapse

__all__ = ["connect", "create", "record", "record_gsyn", "record_v", "set"]

create = common.build_create(Population)
connect = common.build_connect(Projection, FixedProbabilityConnector, StaticSynapse)
record = common.build_record(simulator)
set = common.set


def record_v(source: Any, filename: str) -> Any:
    """Record potentials to a file."""
    return record(["v"], source, filename)


def record_gsyn(source: Any, filename: str) -> Any:
    """Record conductances to a file; cells here have none, so PyNN's error says what they have."""
    return record(["gsyn_exc", "gsyn_inh"], source, filename)
