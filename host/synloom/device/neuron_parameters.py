"""Neuron parameters that can change while a network is loaded: those that no scale depends on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from synloom.base.checks import HUGE, FloatArray, IntArray, nearest_steps, per_item, reals
from synloom.base.errors import CapacityError, ParameterError
from synloom.compiler.coefficients import decay_coefficients
from synloom.contract.layout import Field, Layout
from synloom.device.changes import warn_of_change
from synloom.image.places import LIVE_PARAMETERS, PopulationInfo

__all__ = ["changed_parameters"]

_LOW: Final = dict(zip(LIVE_PARAMETERS, (-HUGE, -HUGE, 0.0, 0.0, 1 / HUGE), strict=True))
_HINT: Final = "it is few units of the potential; compile with a smaller v_range or for more state_bits"


def changed_parameters(
    wanted: Mapping[str, Any], held: Mapping[str, IntArray], info: PopulationInfo, layout: Layout, dt: float
) -> dict[str, IntArray]:
    """Return the fields of NEURON_PARAMS that change, (n,) each; a warning says what is changed by rounding.

    Parameters
    ----------
    wanted : mapping of str to float or (n,) array
        New values of some of `v_thresh`, `v_reset` (mV), `tau_refrac` (ms), `theta_plus` (mV) and `tau_theta`
        (ms).
    held : mapping of str to (n,) int64
        The fields as they are.
    info : PopulationInfo
        The population.
    layout : Layout
        The fields of the array.
    dt : float
        Time step, ms.

    Raises
    ------
    CapacityError
        If the array lacks `adaptation`, and a value needs it.
    ParameterError
        If no value is given, or one is wrong or out of range.
    """
    if not wanted:
        raise ParameterError(f"set_neurons needs a parameter to change; give one of {', '.join(_LOW)}")
    if unknown := sorted(set(wanted) - set(_LOW)):
        raise ParameterError(
            f"{unknown[0]!r} of {info.label!r} cannot be changed while it is loaded; {', '.join(_LOW)} can, "
            f"and set_offset sets i_offset; compile again for others"
        )
    si = {
        name: per_item(name, reals(name, value, low=_LOW[name], infinite=name == "tau_theta"), info.n)
        for name, value in wanted.items()
    }
    if {"theta_plus", "tau_theta"} & set(si) and "th_step" not in layout:
        raise CapacityError(
            "this array lacks the feature 'adaptation'; compile for params.replace(adaptation=True)"
        )
    fields = _potentials(si, held, info, layout)
    if "tau_refrac" in si:
        fields["refractory"] = _steps(si["tau_refrac"], info, layout["refractory"], dt)
    if "tau_theta" in si:
        made = decay_coefficients(si["tau_theta"], dt)
        fields["dth"], fields["exponent_th"] = made.m, made.exponent
        finite = np.isfinite(si["tau_theta"])
        _warn(info, "tau_theta", si["tau_theta"][finite], made.tau[finite], "ms", "use a larger dt")
    if "theta_plus" in si:
        if not held["dth"].any() and "tau_theta" not in si:
            raise ParameterError(
                f"thresholds of {info.label!r} never return, since it was compiled without adaptation; give "
                f"tau_theta, too (inf is never)"
            )
        fields["th_step"] = _units(info, "theta_plus", si["theta_plus"], 0.0, layout["th_step"])
    return fields


def _potentials(
    si: Mapping[str, FloatArray], held: Mapping[str, IntArray], info: PopulationInfo, layout: Layout
) -> dict[str, IntArray]:
    """Return the threshold and what a spike does to the potential."""
    threshold, subtracts = held["thr"], held["subtract"].astype(bool)
    reset = np.where(subtracts, threshold - held["reset"], held["reset"])
    if "v_thresh" in si:
        threshold = _units(info, "v_thresh", si["v_thresh"], info.v_zero, layout["thr"])
    if "v_reset" in si:
        reset = _units(info, "v_reset", si["v_reset"], info.v_zero, layout["reset"])
    if (bad := reset >= threshold).any() and {"v_thresh", "v_reset"} & set(si):
        k = int(np.argmax(bad))
        low, high = (float(units[k] * info.v_lsb[k] + info.v_zero[k]) for units in (reset, threshold))
        raise ParameterError(
            f"v_reset of {info.label!r} must be below v_thresh, but neuron {k} would have {low:.6g} and "
            f"{high:.6g} mV: it would fire in every step"
        )
    fields = {"thr": threshold} if "v_thresh" in si else {}
    new = np.where(subtracts, threshold - reset, reset)
    if (new > layout["reset"].high).any():
        raise ParameterError(
            f"v_thresh - v_reset of {info.label!r} must be at most "
            f"{layout['reset'].high * info.v_lsb.min():.6g} mV; compile with a larger v_range"
        )
    return fields if np.array_equal(new, held["reset"]) else {**fields, "reset": new}


def _units(
    info: PopulationInfo, name: str, wanted: FloatArray, zero: FloatArray | float, field: Field
) -> IntArray:
    """Return potentials in units of the array."""
    with np.errstate(over="ignore"):
        steps = np.rint((wanted - zero) / info.v_lsb)
    low = max(field.low, -field.high)
    if (bad := (steps < low) | (steps > field.high)).any():
        k = int(np.argmax(bad))
        start = zero[k] if isinstance(zero, np.ndarray) else zero
        raise ParameterError(
            f"{name} of {info.label!r} must be in {start + low * info.v_lsb[k]:.6g}.."
            f"{start + field.high * info.v_lsb[k]:.6g} mV for neuron {k}, not {wanted[k]:g} mV; compile with "
            f"a larger v_range"
        )
    # What decides is the distance from rest, or the step itself.
    _warn(info, name, wanted - zero, steps * info.v_lsb, "mV", _HINT)
    return steps.astype(np.int64)


def _steps(wanted: FloatArray, info: PopulationInfo, field: Field, dt: float) -> IntArray:
    steps = nearest_steps(wanted, dt)
    if (steps > field.high).any():
        raise ParameterError(
            f"tau_refrac of {info.label!r} must be at most {field.high} steps ({field.high * dt:g} ms), not "
            f"{float(wanted.max()):g} ms"
        )
    _warn(info, "tau_refrac", wanted, steps * dt, "ms", f"it is whole steps of {dt:g} ms")
    return steps.astype(np.int64)


def _warn(info: PopulationInfo, name: str, wanted: FloatArray, got: FloatArray, unit: str, hint: str) -> None:
    warn_of_change(f"values of {name} of {info.label!r}", wanted, got, unit, hint)
