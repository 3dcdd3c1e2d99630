"""Effective values: time constants and charges as the array's whole numbers make them, beside the ideal."""

from __future__ import annotations

import numpy as np

from synloom.base.checks import FloatArray
from synloom.compiler.coefficients import decay_coefficients, synapse_gain
from synloom.compiler.decay import psp_share, tau_share
from synloom.compiler.scales import Scale
from synloom.compiler.synapses import Edges
from synloom.image.report import ReportBuilder
from synloom.network.network import Population

__all__ = ["report_decay", "report_spikes"]

_COARSE = "one spike is few units of the potential; use larger weights, more state_bits or a smaller v_range"


def report_decay(
    where: str, name: str, tau: FloatArray, start: FloatArray, dt: float, hint: str, report: ReportBuilder
) -> None:
    """Add the effective time constant of a decay: that of the exponential with the same area.

    Parameters
    ----------
    where, name : str
        Label, and name of the time constant.
    tau : (n,) float64
        Time constants, ms.
    start : (n,) float64
        What decays, in units of the array; 0 is left out.
    dt : float
        Time step, ms.
    hint : str
        What to try if it is far off.
    report : ReportBuilder
        Takes the row.
    """
    used = np.flatnonzero((start >= 1.0) & np.isfinite(tau) & (tau > 0.0))
    if not len(used):
        return
    # The shortest, a middle and the longest stand for all.
    ordered = used[np.argsort(tau[used], kind="stable")]
    chosen = np.unique(ordered[[0, len(ordered) // 2, -1]])
    made = decay_coefficients(tau[chosen], dt)
    shares = [
        tau_share(int(a), int(m), int(e), float(np.exp(-dt / t)))
        for a, m, e, t in zip(start[chosen], made.m, made.exponent, tau[chosen], strict=True)
    ]
    report.add(where, f"{name}, effective (ms)", tau[chosen], tau[chosen] * np.array(shares), hint=hint)


def report_spikes(
    edge: Edges, population: Population, scale: Scale, dt: float, report: ReportBuilder
) -> None:
    """Add the area of the potential that one spike causes, for the middle weight of each sign.

    For neurons without leak it is the height of the potential's step.
    """
    for side, (sign, name) in enumerate(((1.0, "EPSP"), (-1.0, "IPSP"))):
        lsb = scale.weight_lsb(edge.label)[side][edge.post]
        steps = np.rint(sign * edge.weights / lsb)
        used = np.flatnonzero(steps > 0.0)
        if not len(used):
            continue
        k = used[np.argsort(steps[used], kind="stable")[len(used) // 2]]
        current = int(steps[k]) << scale.shifts[edge.label] + scale.gains[side]
        _add_area(edge, (name, side), int(k), (current, float(steps[k] * lsb[k])), population, dt, report)


def _add_area(
    edge: Edges,
    kind: tuple[str, int],
    k: int,
    size: tuple[int, float],
    population: Population,
    dt: float,
    report: ReportBuilder,
) -> None:
    """Add the row of synapse k; `size` is its current in units of the array and its weight."""
    name, side = kind
    cell = {key: value[edge.post[k]][None] for key, value in population.cell.values(population.n).items()}
    tau_syn, tau_m = cell[("tau_syn_E", "tau_syn_I")[side]], cell["tau_m"]
    with np.errstate(divide="ignore"):
        keeps = (float(np.exp(-dt / tau_syn)[0]), float(np.exp(-dt / tau_m)[0]))
    if max(keeps[0], 0.0) >= 1.0:
        return
    synapse, membrane = (decay_coefficients(tau, dt) for tau in (tau_syn, tau_m))
    share = psp_share(
        size[0],
        (int(synapse.m[0]), int(synapse.exponent[0])),
        (int(membrane.m[0]), int(membrane.exponent[0])),
        keeps,
    )
    height = size[1] * float(synapse_gain(tau_m, cell["cm"], tau_syn, dt)[0]) / (1.0 - keeps[0])
    leaks = keeps[1] < 1.0
    wanted, shown = (
        (height * dt / (1.0 - keeps[1]), "area of one {} (mV ms)")
        if leaks
        else (height, "step of one {} (mV)")
    )
    report.add(edge.label, shown.format(name), wanted, wanted * share, hint=_COARSE)
