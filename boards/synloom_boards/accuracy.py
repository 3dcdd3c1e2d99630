"""How exact the arrays of the boards are: the number formats, measured on the model against closed forms.

The speed of a board is in its table; what its bits are worth is here. The figures depend only on the
formats of an array, so boards with equal ones share a row of measurements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from synloom.base.checks import FloatArray
from synloom.compiler.compilation import compile
from synloom.contract import ArrayParams
from synloom.device.device import Device
from synloom.network.cells import LIF
from synloom.network.connectors import AllToAll, OneToOne
from synloom.network.inputs import InputPopulation
from synloom.network.network import Network, Population, Projection
from synloom.network.plasticity import STDP
from synloom_boards.board import Board
from synloom_sim.model_port import ModelPort

__all__ = ["STEPS", "Accuracy", "accuracy_table", "formats_of", "measure_accuracy"]

STEPS: Final = (1.0, 0.1)
"""Time steps, ms."""

_CELLS: Final = 16
"""Each neuron has dithers of its own: the mean is what counts in a population, the worst what one can see."""
_TAU_M, _TAU_SYN, _WEIGHT_NA = 20.0, 5.0, 0.3
_THETA_MV, _TAU_THETA_MS = 0.05, 10_000.0
_STDP_A, _STDP_TAU_MS, _PAIRS = 0.03, 20.0, 32
_APART_MS: Final = 83.0
"""From one pair to the next: far enough for it to have all of the trace, but for a closed form."""


@dataclass(frozen=True)
class Accuracy:
    """Errors of one array, as shares of the true value.

    Parameters
    ----------
    area, worst_area : mapping of float to float
        By time step: area of the potential that one spike causes (0.3 nA, tau_syn 5 ms, tau_m 20 ms, 1 nF).
        The mean of 16 neurons, and the largest magnitude of them.
    theta : float or None
        What is left of an adaptation by 0.05 mV after its time constant of 10 s, dt = 1 ms; None without
        adaptation.
    stdp : mapping of float to float
        By time step: change of 256 weights by 32 pairs of spikes that are two time constants of 20 ms apart.
    """

    area: Mapping[float, float]
    worst_area: Mapping[float, float]
    theta: float | None
    stdp: Mapping[float, float]

    def row(self) -> list[str]:
        """Return the cells of its row in the table, in percent."""
        cells = [f"{100 * self.area[dt]:+.2f} ({100 * self.worst_area[dt]:.1f})" for dt in STEPS]
        cells += ["off" if self.theta is None else f"{100 * self.theta:+.1f}"]
        return [*cells, *(f"{100 * self.stdp[dt]:+.1f}" for dt in STEPS)]


@cache
def measure_accuracy(params: ArrayParams) -> Accuracy:
    """Measure an array with 16 neurons, as many probes and 32 inputs on the model."""
    areas = {dt: _area(params, dt) / (_WEIGHT_NA * _TAU_SYN * _TAU_M) - 1.0 for dt in STEPS}
    change = {dt: _stdp(params, dt) / _all_pairs() - 1.0 for dt in STEPS}
    theta = _theta(params) / (_THETA_MV * np.exp(-1.0)) - 1.0 if params.adaptation else None
    return Accuracy(
        area={dt: float(area.mean()) for dt, area in areas.items()},
        worst_area={dt: float(np.abs(area).max()) for dt, area in areas.items()},
        theta=None if theta is None else float(theta.mean()),
        stdp={dt: float(each.mean()) for dt, each in change.items()},
    )


def formats_of(params: ArrayParams) -> ArrayParams:
    """Return a small array with the number formats of another one."""
    names = ("state_bits", "trace_bits", "weight_bits", "accumulator_bits", "adaptation")
    formats = {name: getattr(params, name) for name in names}
    return ArrayParams(inputs=2 * _CELLS, neurons=_CELLS, probes=_CELLS, **formats)


def accuracy_table(boards: Sequence[Board]) -> str:
    """Return a table in Markdown: a row for all boards with the same formats, errors in percent."""
    head = ["boards", "state bits", "trace bits"]
    head += [f"PSP area, dt {dt:g} (worst neuron)" for dt in STEPS]
    head += ["slow theta", *(f"STDP at 2 tau, dt {dt:g}" for dt in STEPS)]
    rows: dict[ArrayParams, list[str]] = {}
    for board in boards:
        rows.setdefault(formats_of(board.array), []).append(board.title)
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for params, titles in rows.items():
        cells = [", ".join(titles), str(params.state_bits), str(params.trace_bits)]
        lines.append(f"| {' | '.join(cells + measure_accuracy(params).row())} |")
    return "\n".join(lines) + "\n"


def _open(network: Network, params: ArrayParams) -> Device:
    device = Device(ModelPort(params))
    device.load(compile(network, params))
    return device


def _area(params: ArrayParams, dt: float) -> FloatArray:
    """Return the area of one potential for each neuron, in mV ms, (n,)."""
    network = Network(dt=dt, seed=1)
    source = network.add(InputPopulation(1, spike_times=[[2.0]], label="in"))
    cell = LIF(tau_m=_TAU_M, tau_syn_E=_TAU_SYN, cm=1.0, v_rest=-65.0)
    cells = network.add(Population(_CELLS, cell, label="cells"))
    network.add(Projection(source, cells, AllToAll(), weight=_WEIGHT_NA))
    with _open(network, params) as device:
        device.record(cells, "v")
        return (device.run(250.0).values(cells, "v") + 65.0).sum(axis=0) * dt


def _kicked(dt: float, **cell: float) -> tuple[Network, Population]:
    """Return a network whose neurons fire in each step in which their channel of 'kicks' spikes."""
    network = Network(dt=dt, seed=1)
    kicks = network.add(InputPopulation(_CELLS, label="kicks"))
    cells = network.add(Population(_CELLS, LIF(tau_syn_E=0.0, tau_refrac=0.0, **cell), label="cells"))
    network.add(Projection(kicks, cells, OneToOne(), weight=30.0))
    return network, cells


def _theta(params: ArrayParams) -> FloatArray:
    """Return what is left of the adapted thresholds after their time constant, in mV, (n,)."""
    network, cells = _kicked(1.0, theta_plus=_THETA_MV, tau_theta=_TAU_THETA_MS)
    with _open(network, params) as device:
        device.inject("kicks", [(0.0, k) for k in range(_CELLS)])
        device.run(1.0 + _TAU_THETA_MS)
        return device.read_state(cells)["theta"]


def _stdp(params: ArrayParams, dt: float) -> FloatArray:
    """Return the sum of the changes of each weight by all pairs, as a share of its range, (n * n,)."""
    network, cells = _kicked(dt)
    source = network.add(InputPopulation(_CELLS, label="in"))
    rule = STDP(A_plus=_STDP_A, A_minus=0.0, tau_plus=_STDP_TAU_MS, w_min=0.0, w_max=0.1)
    network.add(Projection(source, cells, AllToAll(), weight=0.0, plasticity=rule, label="w"))
    starts = _APART_MS * np.arange(_PAIRS)
    with _open(network, params) as device:
        device.inject("in", [(start, k) for start in starts for k in range(_CELLS)])
        device.inject("kicks", [(start + 2 * _STDP_TAU_MS, k) for start in starts for k in range(_CELLS)])
        device.run(_APART_MS * _PAIRS)
        return device.read_weights("w").reshape(-1) / rule.w_max


def _all_pairs() -> float:
    """Return the change by all pairs: each spike of the target meets all earlier ones of the source."""
    ages = 2 * _STDP_TAU_MS + _APART_MS * np.arange(_PAIRS)
    return _STDP_A * float((np.exp(-ages / _STDP_TAU_MS) * np.arange(_PAIRS, 0, -1)).sum())
