"""Neurons of NIR in float64, written from its equations and independent of the importer.

All take the sum of weighted spikes of every step, ``drive``, and return what the neurons do. With ``euler``
a step is forward Euler's, as in the frameworks that train; without, the exact solution for a constant input
(LIF), or for a charge at the beginning of the step (CubaLIF). Units are NIR's: seconds and volts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Floats", "Recurrent", "cuba", "fires", "integrator", "leaky", "recurrent"]

Floats = npt.NDArray[np.float64]


def fires(v: Floats, threshold: Floats, reset: Floats | float, subtract: bool) -> Floats:
    """Return the spikes of one step, and reset `v` in place."""
    z = v > threshold
    v[...] = np.where(z, v - (threshold - reset) if subtract else reset, v)
    return z.astype(np.float64)


def leaky(
    drive: Floats,
    dt: float,
    *,
    tau: float,
    r: float = 1.0,
    v_leak: float = 0.0,
    v_threshold: float = np.inf,
    v_reset: float = 0.0,
    subtract: bool = False,
    euler: bool = False,
) -> tuple[Floats, Floats]:
    """Return V at the ends of the steps and the spikes of LIF (or LI) neurons, (T, n) each."""
    keep = 1.0 - dt / tau if euler else np.exp(-dt / tau)
    v, trace, spikes = np.zeros(drive.shape[1]), np.empty(drive.shape), np.empty(drive.shape)
    for t, current in enumerate(drive):
        v = keep * v + (1.0 - keep) * (v_leak + r * current)
        spikes[t] = fires(v, np.full_like(v, v_threshold), v_reset, subtract)
        trace[t] = v
    return trace, spikes


def integrator(
    drive: Floats,
    dt: float,
    *,
    r: float,
    v_threshold: float = np.inf,
    v_reset: float = 0.0,
    subtract: bool = False,
) -> tuple[Floats, Floats]:
    """Return V and the spikes of IF (or I) neurons, (T, n) each."""
    v, trace, spikes = np.zeros(drive.shape[1]), np.empty(drive.shape), np.empty(drive.shape)
    for t, current in enumerate(drive):
        v = v + dt * r * current
        spikes[t] = fires(v, np.full_like(v, v_threshold), v_reset, subtract)
        trace[t] = v
    return trace, spikes


class _Cuba:
    """CubaLIF (or CubaLI) neurons, step by step."""

    def __init__(self, node: dict[str, Any], dt: float, subtract: bool, euler: bool):
        take = {k: np.asarray(v, dtype=np.float64) for k, v in node.items()}
        self.tau, self.syn, self.r, self.w_in = (take[k] for k in ("tau_mem", "tau_syn", "r", "w_in"))
        self.leak, self.threshold = take["v_leak"], take.get("v_threshold", np.full_like(self.r, np.inf))
        self.reset = take.get("v_reset", np.zeros_like(self.r))
        self.dt, self.subtract, self.euler = dt, subtract, euler
        self.v, self.charge, self.held = (np.zeros_like(self.r) for _ in range(3))

    def step(self, spikes: Floats, bias: Floats | float) -> Floats:
        """Return the spikes of a step with weighted spikes and a constant."""
        dt = self.dt
        if self.euler:
            share, leaks = dt / self.syn, dt / self.tau
            self.charge += share * (self.w_in * (spikes + bias) - self.charge)
            self.v += leaks * (self.leak - self.v + self.r * self.charge)
        else:
            self.charge += dt / self.syn * self.w_in * spikes
            target = self.w_in * bias
            a, b = np.exp(-dt / self.tau), np.exp(-dt / self.syn)
            # The part of the current that decays, and the part that is held.
            decaying = self.charge + self.held - target
            same = self.tau == self.syn
            safe = np.where(same, 1.0, self.syn - self.tau)
            area = np.where(same, dt / self.tau * a, self.syn * (b - a) / safe)
            self.v = a * self.v + (1.0 - a) * (self.leak + self.r * target) + self.r * decaying * area
            self.charge = self.charge * b
            self.held = target + (self.held - target) * b
        return fires(self.v, self.threshold, self.reset, self.subtract)


def cuba(
    drive: Floats,
    dt: float,
    node: dict[str, Any],
    *,
    bias: float = 0.0,
    subtract: bool = False,
    euler: bool = False,
) -> tuple[Floats, Floats]:
    """Return V and the spikes of CubaLIF (or CubaLI) neurons, (T, n) each."""
    neurons = _Cuba(node, dt, subtract, euler)
    trace, spikes = np.empty(drive.shape), np.empty(drive.shape)
    for t, current in enumerate(drive):
        spikes[t] = neurons.step(current, bias)
        trace[t] = neurons.v
    return trace, spikes


@dataclass(frozen=True, eq=False)
class Recurrent:
    """A recurrent layer and a readout layer, both CubaLIF.

    Parameters
    ----------
    feed, back, out : (n, m) float64
        Weights from the inputs to the layer, in the layer, and to the readout.
    feed_bias, out_bias : (n,) float64 or float
        What is added to the input of the layer (of both its projections) and of the readout.
    layer, readout : dict of str to (n,) float64
        Parameters of the neurons, as NIR names them.
    """

    feed: Floats
    back: Floats
    out: Floats
    feed_bias: Floats | float
    out_bias: Floats | float
    layer: dict[str, Any]
    readout: dict[str, Any]


def recurrent(
    network: Recurrent, inputs: Floats, dt: float, *, subtract: bool, euler: bool
) -> tuple[Floats, Floats]:
    """Return the spikes of the layer and of the readout, (T, n) each.

    Spikes of the layer reach itself one step later, and the readout in the same step, as in training.
    """
    layer, readout = (_Cuba(node, dt, subtract, euler) for node in (network.layer, network.readout))
    last = np.zeros(len(network.back))
    found: tuple[list[Floats], list[Floats]] = ([], [])
    for row in np.asarray(inputs, dtype=np.float64):
        last = layer.step(network.feed @ row + network.back @ last, network.feed_bias)
        found[0].append(last)
        found[1].append(readout.step(network.out @ last, network.out_bias))
    return np.array(found[0]), np.array(found[1])
