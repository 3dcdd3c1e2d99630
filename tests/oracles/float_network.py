"""The balanced network in floating point, with errors of the array one at a time."""

from dataclasses import dataclass

import numpy as np

from synloom.compiler.coefficients import decay_coefficients
from synloom.contract.dither import DITHER, INDEX

DT = 0.1
NAMES = ("m", "e", "i")
"""Decays of the potential, of excitation and of inhibition."""


@dataclass(frozen=True, kw_only=True)
class Errors:
    """What is not exact.

    `bits` are the significant bits of the coefficients of decay (None: exact). `v_unit` and `i_unit` are
    the units in mV of which potentials and currents are whole numbers (0: exact); their decays are rounded
    by the dither of the array. With `charges` a spike's charge is exact whatever the coefficients.
    """

    bits: float | None = None
    charges: bool = False
    v_unit: float = 0.0
    i_unit: float = 0.0


def coefficients(taus, bits):
    """Return the parts lost in a step: exact, as the array has them (bits 16), or with `bits` exact bits."""
    exact = -np.expm1(-DT / np.array(taus))
    if bits is None:
        return exact
    if bits == 16:
        return decay_coefficients(np.array(taus), DT).part
    unit = 2.0 ** (np.floor(np.log2(exact)) + 1 - bits)
    return np.rint(exact / unit) * unit


def run_float(network, inputs, recurrent, raster, errors=Errors()):
    """Return the raster (T, N) bool; weights (M, N) and (N, N) in pA, NaN where there is no synapse.

    `network` has `taus` of potential, excitation and inhibition in ms, `cm` in nF, `drive` in nA, `threshold`
    above rest in mV, `refractory` and `delay` in steps. Without errors it is NEST's iaf_psc_exp, reset to
    rest, in the array's order of a step.
    """
    parts = dict(zip(NAMES, coefficients(network["taus"], errors.bits), strict=True))
    units = {"m": errors.v_unit, "e": errors.i_unit, "i": errors.i_unit}
    weights = np.nan_to_num(np.vstack([inputs, recurrent])) / 1000.0
    gains = propagators(network["taus"], network["cm"])
    if errors.charges:
        true = dict(zip(NAMES, coefficients(network["taus"], None), strict=True))
        gains *= [parts["m"] * parts[name] / (true["m"] * true[name]) for name in ("e", "i")]
    excite, inhibit = np.maximum(weights, 0.0) * gains[0], np.maximum(-weights, 0.0) * gains[1]
    steps, n = len(raster), weights.shape[1]
    # With the leak that the potential has, as the compiler takes it.
    bias = network["drive"] * parts["m"] * network["taus"][0] / network["cm"]
    neurons = np.arange(n, dtype=np.uint64) * np.uint64(INDEX)
    v, e, i, wait = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n, dtype=int)
    fired = np.zeros((steps, n), dtype=bool)

    def left(value, name, now):
        unit = units[name]
        if not unit:
            return value * (1.0 - parts[name])
        dither = (np.uint64(now * DITHER % 2**32) + neurons) % np.uint64(2**32)
        lost = np.floor(np.abs(value) / unit * parts[name] + dither / 2.0**32)
        return np.sign(value) * (np.abs(value) - unit * lost)

    for t in range(steps):
        late = fired[t - network["delay"]] if t >= network["delay"] else np.zeros(n, dtype=bool)
        active = np.concatenate([raster[t], late])
        e, i = (
            whole(current + rows[active].sum(axis=0), errors.i_unit)
            for current, rows in ((e, excite), (i, inhibit))
        )
        u = whole(left(v, "m", t + 1) + e - i + bias, errors.v_unit)
        fired[t] = (wait == 0) & (u >= network["threshold"])
        v = np.where(fired[t], 0.0, np.where(wait == 0, u, v))
        wait = np.where(fired[t], network["refractory"], np.maximum(wait - 1, 0))
        e, i = left(e, "e", t + 1), left(i, "i", t + 1)
    return fired


def whole(values, unit):
    return np.rint(values / unit) * unit if unit else values


def propagators(taus, cm):
    """Return what 1 nA of excitation and of inhibition does to the potential in a step, mV."""
    leak, rates = 1.0 / taus[0], 1.0 / np.array(taus[1:])
    return (np.exp(-DT * leak) - np.exp(-DT * rates)) / (rates - leak) / cm
