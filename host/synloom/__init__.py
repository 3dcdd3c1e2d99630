"""Synloom: a neuromorphic FPGA emulator and its host SDK.

Describe a network in SI units (ms, mV, nA), compile it to an `Image`, load that into a `Device` (the model, a
simulated board or a board) and run it. Names and units follow PyNN (Davison et al. 2009). See docs/sdk.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synloom.base.errors import (
        ArrayLostError,
        BuildError,
        CapacityError,
        DeviceError,
        ExperimentError,
        LinkError,
        MismatchError,
        NetworkError,
        ParameterError,
        SynloomError,
        TargetError,
    )
    from synloom.base.warning import SynloomWarning
    from synloom.batch.sweep import Sweep, sweep
    from synloom.batch.trials import BatchError, Case, Trial, run_batch
    from synloom.compiler import compile
    from synloom.contract.params import ArrayParams
    from synloom.device.counters import Counters
    from synloom.device.device import Device
    from synloom.device.recording import Recording
    from synloom.device.replay import Replay, replay
    from synloom.experiment.results import Results
    from synloom.image.image import Image
    from synloom.image.report import Report
    from synloom.image.snapshot import Snapshot
    from synloom.network.cells import LIF
    from synloom.network.connectors import (
        AllToAll,
        FixedInDegree,
        FixedOutDegree,
        FixedProbability,
        FromList,
        FromMatrix,
        OneToOne,
        SmallWorld,
    )
    from synloom.network.distributions import Normal, Uniform
    from synloom.network.inputs import InputPopulation, PoissonInput, RegularInput
    from synloom.network.matrices import from_weights
    from synloom.network.network import Network, Population, Projection
    from synloom.network.plasticity import STDP, PairRule, TraceTarget
    from synloom.nir import NirImport, from_nir, to_nir

__all__ = [
    "LIF",
    "STDP",
    "AllToAll",
    "ArrayLostError",
    "ArrayParams",
    "BatchError",
    "BuildError",
    "CapacityError",
    "Case",
    "Counters",
    "Device",
    "DeviceError",
    "ExperimentError",
    "FixedInDegree",
    "FixedOutDegree",
    "FixedProbability",
    "FromList",
    "FromMatrix",
    "Image",
    "InputPopulation",
    "LinkError",
    "MismatchError",
    "Network",
    "NetworkError",
    "NirImport",
    "Normal",
    "OneToOne",
    "PairRule",
    "ParameterError",
    "PoissonInput",
    "Population",
    "Projection",
    "Recording",
    "RegularInput",
    "Replay",
    "Report",
    "Results",
    "SmallWorld",
    "Snapshot",
    "Sweep",
    "SynloomError",
    "SynloomWarning",
    "TargetError",
    "TraceTarget",
    "Trial",
    "Uniform",
    "compile",
    "connect",
    "from_nir",
    "from_weights",
    "replay",
    "run_batch",
    "sweep",
    "to_nir",
]

# NumPy and SciPy take a quarter of a second to import, and `synloom --help` does not need them.
_MODULES = {
    "batch.sweep": ("Sweep", "sweep"),
    "batch.trials": ("BatchError", "Case", "Trial", "run_batch"),
    "network.cells": ("LIF",),
    "compiler": ("compile",),
    "network.connectors": (
        "AllToAll",
        "FixedInDegree",
        "FixedOutDegree",
        "FixedProbability",
        "FromList",
        "FromMatrix",
        "OneToOne",
        "SmallWorld",
    ),
    "contract.params": ("ArrayParams",),
    "device.counters": ("Counters",),
    "device.device": ("Device",),
    "network.distributions": ("Normal", "Uniform"),
    "base.errors": (
        "ArrayLostError",
        "BuildError",
        "CapacityError",
        "DeviceError",
        "ExperimentError",
        "LinkError",
        "MismatchError",
        "NetworkError",
        "ParameterError",
        "SynloomError",
        "TargetError",
    ),
    "base.warning": ("SynloomWarning",),
    "image.image": ("Image",),
    "network.inputs": ("InputPopulation", "PoissonInput", "RegularInput"),
    "network.matrices": ("from_weights",),
    "network.network": ("Network", "Population", "Projection"),
    "network.plasticity": ("STDP", "PairRule", "TraceTarget"),
    "nir": ("NirImport", "from_nir", "to_nir"),
    "device.recording": ("Recording",),
    "device.replay": ("Replay", "replay"),
    "experiment.results": ("Results",),
    "image.report": ("Report",),
    "image.snapshot": ("Snapshot",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))


def connect(
    target: str = "model", image_or_params: Image | ArrayParams | None = None, **options: Any
) -> Device:
    """Connect to a target and return its `Device`; see `synloom.device.targets.connect`."""
    from synloom.device import targets

    return targets.connect(target, image_or_params, **options)
