"""What an import assumes because NIR does not say it."""

from __future__ import annotations

from typing import Final

from synloom.base.checks import FloatArray
from synloom.nir.graph import Graph

__all__ = ["assumptions"]

_COARSE: Final = 0.1


def assumptions(graph: Graph, dt: float, *, told: bool, reset: str | None, integration: str) -> list[str]:
    """Return what is assumed for a graph, one line each.

    Parameters
    ----------
    graph : Graph
        The graph.
    dt : float
        Time step, ms.
    told : bool
        Whether the graph says so.
    reset : str or None
        What was asked for.
    integration : str
        How time constants become decays.
    """
    neurons = graph.of_kind(("LIF", "CubaLIF", "IF"))
    notes = [
        f"dt: a step is {dt:g} ms; {'the graph says so' if told else 'NIR has no time step'}",
        "units: 1 s is 1000 ms, 1 of NIR's potential 1000 mV, 1 of its current 1 nA",
        "input: channels carry spikes, 0 or 1 in a step; graded values have to be encoded",
    ]
    if reset is None and any("synloom_reset_mode" not in node.extra for node in neurons):
        notes.append(
            "reset: a spike sets V to v_reset, as NIR says; many frameworks subtract (reset='subtract')"
        )
    if any("synloom_tau_refrac" not in node.extra for node in neurons):
        notes.append("refractory time: none, since NIR has none")
    if neurons or graph.of_kind(("Threshold",)):
        notes.append("threshold: a neuron fires if V reaches it; NIR says V must be above")
    coarse = max((float(dt / (1000.0 * tau.min())) for tau in _time_constants(graph)), default=0.0)
    if coarse > _COARSE and integration == "exact":
        notes.append(
            f"integration: dt / tau is up to {coarse:.3g}, so that exp(-dt / tau) is not 1 - dt / tau; a "
            f"network trained with forward Euler needs integration='euler'"
        )
    for node in graph.of_kind(("IF", "I")):
        volts = float(node.numbers("r").max()) * dt / 1000.0
        notes.append(
            f"{node.name}: a spike of weight 1 raises V by r * dt = {volts:.4g}; frameworks that add whole "
            f"weights mean a step of 1 s (dt=1000)"
        )
    return notes


def _time_constants(graph: Graph) -> list[FloatArray]:
    names = ("tau", "tau_mem", "tau_syn")
    found = [node.numbers(k) for node in graph.nodes.values() for k in names if k in node.fields]
    return [tau for tau in found if tau.size and (tau > 0.0).all()]
