"""From SI units to registers: propagators (Rotter and Diesmann 1999) and decay coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synloom.base.checks import FloatArray, IntArray

__all__ = ["DecayCoefficients", "decay_coefficients", "offset_gain", "synapse_gain"]

_EVERYTHING = 0xFFFF


@dataclass(frozen=True, eq=False)
class DecayCoefficients:
    """Coefficients of `decay` (docs/numbers.md).

    Parameters
    ----------
    m : (n,) int64
        Fraction lost in each step, in units of ``2**-(16 + 4 * exponent)``; 16 bits.
    exponent : (n,) int64
        Exponent of that unit, 0..4.
    tau : (n,) float64
        Time constant that m and exponent realise, ms: 0 if everything decays in one step, inf if nothing
        decays.
    part : (n,) float64
        Part that is lost in each step.
    """

    m: IntArray
    exponent: IntArray
    tau: FloatArray
    part: FloatArray


def decay_coefficients(tau: FloatArray, dt: float) -> DecayCoefficients:
    """Return the decay coefficients for time constants.

    Parameters
    ----------
    tau : (n,) float64
        Time constants, ms; 0 makes delta synapses, inf is no decay.
    dt : float
        Time step, ms.
    """
    with np.errstate(divide="ignore", over="ignore"):
        part = -np.expm1(-dt / tau)
    units = 2.0 ** np.array([[20], [24], [28], [32]])
    exponent = np.asarray((np.rint(part * units) <= 0xFFFF).sum(axis=0), dtype=np.int64)
    scale = 2.0 ** (16.0 + 4.0 * exponent)
    m = np.minimum(np.rint(part * scale), _EVERYTHING).astype(np.int64)
    whole = (m == _EVERYTHING) & (exponent == 0)
    with np.errstate(divide="ignore"):
        got = np.where(whole, 0.0, -dt / np.log1p(-np.where(whole, 0.5, m / scale)))
    return DecayCoefficients(m, exponent, np.where(m == 0, np.inf, got), np.where(whole, 1.0, m / scale))


def offset_gain(tau_m: FloatArray, cm: FloatArray, dt: float) -> FloatArray:
    """Return the change of the potential in one step by a constant current of 1 nA, (n,) mV.

    It is P20 of Rotter and Diesmann 1999 with the leak that the array has, so that the potential at which the
    current holds a neuron is exact; `tau_m` and `dt` are in ms, `cm` in nF.
    """
    leak = decay_coefficients(tau_m, dt).part
    return np.where(leak > 0.0, leak * np.where(leak > 0.0, tau_m, 1.0) / cm, dt / cm)


def synapse_gain(tau_m: FloatArray, cm: FloatArray, tau_syn: FloatArray, dt: float) -> FloatArray:
    """Return P21, the change of the potential in one step by a synaptic current that starts at 1 nA, (n,) mV.

    This is the exact propagator of NEST's `iaf_psc_exp` (Rotter and Diesmann 1999); `tau_m`, `tau_syn` and
    `dt` are in ms, `cm` in nF. For delta synapses (`tau_syn` = 0) weights are in mV and the gain is 1.
    """
    delta = tau_syn == 0.0
    leak = 1.0 / tau_m
    rate = 1.0 / np.where(delta, 1.0, tau_syn)
    # The slower rate is factored out, so that the exponential of the difference cannot overflow.
    slower, difference = np.minimum(leak, rate), np.abs(rate - leak)
    same = difference == 0.0
    safe = np.where(same, 1.0, difference)
    area = np.where(same, dt, -np.expm1(-dt * safe) / safe)
    return np.where(delta, 1.0, np.exp(-dt * slower) * area / cm)
