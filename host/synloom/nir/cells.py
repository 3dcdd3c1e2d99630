"""Neurons of NIR as those of Synloom: parameters, and what a spike of weight 1 and a current of 1 do.

NIR has SI units without names: seconds, volts, and a current that r turns into volts. Here 1 of its potential
is 1 V, and 1 of its current is 1 nA through r in GOhm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from synloom.base.checks import FloatArray
from synloom.compiler.coefficients import synapse_gain
from synloom.nir.graph import Node

__all__ = ["INTEGRATIONS", "MEMORYLESS", "Cell", "make_cell", "sum_of_a_step"]

INTEGRATIONS: Final = ("exact", "euler")
"""How a time constant becomes the decay of a step: ``exp(-dt / tau)``, or ``1 - dt / tau``."""

MEMORYLESS: Final = 10.5
"""Steps per time constant, inverse: V forgets all but 3e-5 of itself in a step."""
_MILLI: Final = 1000.0
_LONG: Final = 4096.0
"""Steps in which an integrator without leak may get all its inputs."""


@dataclass(frozen=True, eq=False)
class Cell:
    """Neurons of one node.

    Parameters
    ----------
    parameters : dict of str to (n,) float64
        Parameters of `LIF`, without those of the reset of a node that does not spike.
    weight : (n,) float64
        What a weight of 1 is here, nA; mV for delta synapses.
    kick : (n,) float64
        What a spike of weight 1 does to V in its step, mV.
    current : (n,) float64
        What a constant of 1 is here, nA.
    held : (n,) float64
        V above rest that a constant of 1 holds, mV.
    most : (n,) float64
        What spikes of weight 1 in all steps hold, divided by `kick`.
    offset : (n,) float64
        The weight whose spike does in its step what a constant of 1 does in a step, nA or mV.
    rise : (n,) float64
        The synaptic current that a constant of 1 lacks in its first step, nA; 0 for delta synapses.
    left : (n,) float64
        What a step leaves of a synaptic current, as a share.
    """

    parameters: dict[str, FloatArray]
    weight: FloatArray
    kick: FloatArray
    current: FloatArray
    held: FloatArray
    most: FloatArray
    offset: FloatArray
    rise: FloatArray
    left: FloatArray


def make_cell(node: Node, n: int, dt: float, integration: str) -> Cell:
    """Return the neurons of a node.

    Parameters
    ----------
    node : Node
        A node of a kind in `SPIKING` or `GRADED`.
    n : int
        How many.
    dt : float
        Time step, ms.
    integration : str
        One of `INTEGRATIONS`.

    Raises
    ------
    NetworkError
        If a parameter is missing, has another size, or is out of range.
    """
    if node.kind == "Threshold":
        threshold = _MILLI * _values(node, "threshold", n)
        cell = sum_of_a_step(n, dt)
        cell.parameters.update(v_thresh=threshold, v_reset=np.minimum(0.0, threshold - 1.0))
        return cell
    cell = _integrator(node, n, dt) if node.kind in ("I", "IF") else _leaky(node, n, dt, integration)
    if node.kind in ("LIF", "CubaLIF", "IF"):
        threshold = _values(node, "v_threshold", n)
        reset = _values(node, "v_reset", n) if node.fields.get("v_reset") is not None else np.zeros(n)
        bad = reset >= threshold
        if bad.any():
            raise node.error(
                f"v_reset must be below v_threshold, not {reset[bad][0]:g} at a threshold of "
                f"{threshold[bad][0]:g}"
            )
        cell.parameters.update(v_thresh=_MILLI * threshold, v_reset=_MILLI * reset)
    return cell


def sum_of_a_step(n: int, dt: float) -> Cell:
    """Return neurons whose V in each step is the sum of the weights that arrive in it."""
    tau = np.full(n, dt / MEMORYLESS)
    one = np.ones(n)
    cm = tau / _MILLI
    parameters = {"tau_m": tau, "cm": cm, "v_rest": 0.0 * one, "tau_syn_E": 0.0 * one, "tau_syn_I": 0.0 * one}
    zero, volt = 0.0 * one, _MILLI * one
    return Cell(parameters, volt, volt, one, volt, one, volt, zero, zero)


def _integrator(node: Node, n: int, dt: float) -> Cell:
    r = _above(node, "r", n)
    zero = np.zeros(n)
    parameters = {
        "tau_m": np.full(n, np.inf),
        "cm": 1.0 / r,
        "v_rest": zero,
        "tau_syn_E": zero,
        "tau_syn_I": zero,
    }
    _check_cm(node, parameters["cm"])
    kick = r * dt
    most = np.full(n, _LONG)
    return Cell(parameters, kick, kick, np.ones(n), kick * _LONG, most, kick, zero, zero)


def _leaky(node: Node, n: int, dt: float, integration: str) -> Cell:
    synaptic = node.kind in ("CubaLI", "CubaLIF")
    membrane = "tau_mem" if synaptic else "tau"
    tau, keep = _time_constant(node, membrane, n, dt, integration)
    r, leak = _above(node, "r", n), _MILLI * _values(node, "v_leak", n)
    tau = np.maximum(tau, dt / MEMORYLESS)
    parameters = {"tau_m": tau, "cm": tau / (_MILLI * r), "v_rest": leak}
    _check_cm(node, parameters["cm"])
    kick = _MILLI * r * (1.0 - keep)
    most = 1.0 / (1.0 - keep)
    syn, rise, left = np.zeros(n), np.zeros(n), np.zeros(n)
    offset = kick
    current = np.ones(n)
    if synaptic:
        w_in = _values(node, "w_in", n) if "w_in" in node.fields else np.ones(n)
        syn, left = _time_constant(node, "tau_syn", n, dt, integration)
        share = dt / (_MILLI * _values(node, "tau_syn", n))
        most = most / np.maximum(1.0 - left, 1e-12)
        gain = synapse_gain(parameters["tau_m"], parameters["cm"], syn, dt)
        offset = kick * w_in / gain
        if integration == "exact":
            # The charge of a spike, w_in * dt, at the beginning of its step.
            weight, rise = w_in * share, w_in
        else:
            weight, rise = offset * share, offset * left
        kick = gain * weight
        current = w_in
    else:
        weight = kick
    parameters |= {"tau_syn_E": syn, "tau_syn_I": syn}
    return Cell(parameters, weight, kick, current, _MILLI * r * current, most, offset, rise, left)


def _time_constant(
    node: Node, name: str, n: int, dt: float, integration: str
) -> tuple[FloatArray, FloatArray]:
    """Return a time constant in ms that decays here as the node's does there, and what a step leaves."""
    tau = _MILLI * _above(node, name, n)
    if integration == "exact":
        return tau, np.exp(-dt / tau)
    keep = 1.0 - dt / tau
    # Files have single precision: one step of 0.1 ms may be 0.10000000149.
    keep = np.where(np.abs(keep) < 1e-6, 0.0, keep)
    if (keep < 0.0).any():
        raise node.error(
            f"{name} of {tau.min() / _MILLI:g} s is shorter than a step of {dt:g} ms, for which forward "
            f"Euler is unstable; use a smaller dt or integration='exact'"
        )
    with np.errstate(divide="ignore"):
        return np.where(keep > 0.0, -dt / np.log(keep), 0.0), keep


def _values(node: Node, name: str, n: int) -> FloatArray:
    values = node.numbers(name).reshape(-1)
    if len(values) not in (1, n):
        raise node.error(f"{name} has {len(values)} values for {n} neurons")
    return np.broadcast_to(values, (n,)).astype(np.float64)


def _above(node: Node, name: str, n: int) -> FloatArray:
    values = _values(node, name, n)
    if (values <= 0.0).any():
        raise node.error(f"{name} must be above 0, not {values[values <= 0.0][0]:g}")
    return values


def _check_cm(node: Node, cm: Any) -> None:
    if (cm < 1e-9).any() or (cm > 1e9).any():
        raise node.error("r is out of range for its time constant: tau / r must be in 1e-9..1e9")
