"""Potentials that leave the array's range: remarks of the report."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synloom.base.checks import FloatArray
from synloom.compiler.scales import Scale
from synloom.compiler.synapses import Edges
from synloom.contract.params import ArrayParams
from synloom.image.report import ReportBuilder
from synloom.network.inputs import InputPopulation
from synloom.network.network import Population

__all__ = ["report_range"]


def report_range(
    population: Population,
    incoming: Sequence[Edges],
    scale: Scale,
    params: ArrayParams,
    report: ReportBuilder,
) -> None:
    """Remark if the mean drive, or a volley of half of all sources, takes potentials out of their range."""
    cell = population.cell.values(population.n)
    reach = params.state_max * scale.v_lsb
    drive, volley = cell["i_offset"] * _resistance(cell), np.zeros(population.n)
    for edge in incoming:
        for sign, tau_name in ((1.0, "tau_syn_E"), (-1.0, "tau_syn_I")):
            used = sign * edge.weights > 0.0
            post, size = edge.post[used], np.abs(edge.weights[used])
            np.add.at(volley, post, sign * size * _peak(cell, tau_name)[post])
            pre = edge.projection.pre
            if isinstance(pre, InputPopulation):
                # A spike's charge is weight times tau_syn, or cm times the weight of a delta synapse.
                charge = np.where(cell[tau_name] > 0.0, cell[tau_name], cell["cm"])[post]
                current = sign * size * charge * pre.rate[edge.pre[used]] / 1000.0
                np.add.at(drive, post, current * _resistance(cell)[post])
    label = str(population.label)
    if (low := drive < -reach).any():
        j = int(np.argmin(drive + reach))
        report.note(
            f"{label}: the mean input takes {int(low.sum())} of {population.n} potentials to {drive[j]:.4g} "
            f"mV from rest, but they are clipped at {-reach[j]:.4g} mV (counted in state_saturations); give "
            f"a v_range"
        )
    # All sources in one step are rare; half of them are not.
    elif (np.abs(volley) / 2.0 > reach).any():
        j = int(np.argmax(np.abs(volley) / reach))
        report.note(
            f"{label}: if half of the sources spike in one step, potentials are clipped at {reach[j]:.4g} mV "
            f"from rest instead of going to {volley[j] / 2.0:.4g} mV (counted in state_saturations); if that "
            f"happens, give a v_range"
        )


def _resistance(cell: dict[str, FloatArray]) -> FloatArray:
    return np.asarray(np.where(np.isinf(cell["tau_m"]), 0.0, cell["tau_m"]) / cell["cm"], dtype=np.float64)


def _peak(cell: dict[str, FloatArray], tau_name: str) -> FloatArray:
    """Return the height of the potential that one spike of weight 1 causes, (n,) mV."""
    tau_syn, tau_m = cell[tau_name], cell["tau_m"]
    delta = tau_syn == 0.0
    ratio = np.where(np.isinf(tau_m), 0.0, np.where(delta, 1.0, tau_syn) / tau_m)
    apart = np.abs(ratio - 1.0) > 1e-6
    safe = np.where(apart & (ratio > 0.0), ratio, 0.5)
    # The closed form of the difference of two exponentials; e**-1 where their time constants are equal.
    height = np.where(apart, safe ** (safe / (1.0 - safe)), np.exp(-1.0))
    height = np.where(ratio > 0.0, height, 1.0)
    return np.asarray(np.where(delta, 1.0, tau_syn / cell["cm"] * height), dtype=np.float64)
