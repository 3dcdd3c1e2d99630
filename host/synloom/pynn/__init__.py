"""PyNN on Synloom: ``import synloom.pynn as sim``, and a PyNN script runs here. See docs/pynn.md."""

from __future__ import annotations

from importlib.util import find_spec

from synloom.base.requirements import install_command

if find_spec("pyNN") is None:
    raise ImportError(f"synloom.pynn needs PyNN; install it with: {install_command('PyNN')}")

from pyNN import errors, random, space
from pyNN.connectors import (
    AllToAllConnector,
    ArrayConnector,
    CloneConnector,
    CSAConnector,
    DisplacementDependentProbabilityConnector,
    DistanceDependentProbabilityConnector,
    FixedNumberPostConnector,
    FixedNumberPreConnector,
    FixedProbabilityConnector,
    FixedTotalNumberConnector,
    FromFileConnector,
    FromListConnector,
    IndexBasedProbabilityConnector,
)
from pyNN.network import Network
from pyNN.random import GSLRNG, NumpyRNG, RandomDistribution
from pyNN.space import Space

from synloom.pynn.cells import (
    IF_curr_delta,
    IF_curr_exp,
    SpikeSourceArray,
    SpikeSourceGamma,
    SpikeSourcePoisson,
    SpikeSourcePoissonRefractory,
)
from synloom.pynn.connectors import OneToOneConnector, SmallWorldConnector
from synloom.pynn.control import (
    end,
    get_current_time,
    get_max_delay,
    get_min_delay,
    get_time_step,
    initialize,
    num_processes,
    rank,
    report,
    reset,
    run,
    run_for,
    run_until,
    setup,
)
from synloom.pynn.electrodes import ACSource, DCSource, NoisyCurrentSource, StepCurrentSource
from synloom.pynn.populations import Assembly, Population, PopulationView
from synloom.pynn.procedural import connect, create, record, record_gsyn, record_v, set
from synloom.pynn.projections import Projection
from synloom.pynn.simulator import state
from synloom.pynn.synapses import (
    AdditiveWeightDependence,
    MultiplicativeWeightDependence,
    SpikePairRule,
    StaticSynapse,
    STDPMechanism,
)
from synloom.pynn.unsupported import unsupported_models

__all__ = [
    "GSLRNG",
    "ACSource",
    "AdditiveWeightDependence",
    "AllToAllConnector",
    "ArrayConnector",
    "Assembly",
    "CSAConnector",
    "CloneConnector",
    "DCSource",
    "DisplacementDependentProbabilityConnector",
    "DistanceDependentProbabilityConnector",
    "FixedNumberPostConnector",
    "FixedNumberPreConnector",
    "FixedProbabilityConnector",
    "FixedTotalNumberConnector",
    "FromFileConnector",
    "FromListConnector",
    "IF_curr_delta",
    "IF_curr_exp",
    "IndexBasedProbabilityConnector",
    "MultiplicativeWeightDependence",
    "Network",
    "NoisyCurrentSource",
    "NumpyRNG",
    "OneToOneConnector",
    "Population",
    "PopulationView",
    "Projection",
    "RandomDistribution",
    "STDPMechanism",
    "SmallWorldConnector",
    "Space",
    "SpikePairRule",
    "SpikeSourceArray",
    "SpikeSourceGamma",
    "SpikeSourcePoisson",
    "SpikeSourcePoissonRefractory",
    "StaticSynapse",
    "StepCurrentSource",
    "connect",
    "create",
    "end",
    "errors",
    "get_current_time",
    "get_max_delay",
    "get_min_delay",
    "get_time_step",
    "initialize",
    "list_standard_models",
    "num_processes",
    "random",
    "rank",
    "record",
    "record_gsyn",
    "record_v",
    "report",
    "reset",
    "run",
    "run_for",
    "run_until",
    "set",
    "setup",
    "space",
    "state",
]

_UNSUPPORTED = unsupported_models()
globals().update(_UNSUPPORTED)
# Scripts that import all names get errors that say what to use instead, too.
__all__ += sorted(_UNSUPPORTED)


def list_standard_models() -> list[str]:
    """Return the names of the standard cells that run here."""
    cells = (IF_curr_delta, IF_curr_exp, SpikeSourceArray, SpikeSourceGamma, SpikeSourcePoisson)
    return [cell.__name__ for cell in (*cells, SpikeSourcePoissonRefractory)]
