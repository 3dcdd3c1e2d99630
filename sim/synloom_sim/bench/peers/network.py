"""The network that all simulators run: all-to-all, and each neuron spikes about once in sixty steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["AMPLITUDE", "DT_MS", "TAU_M_MS", "TAU_STDP_MS", "THRESHOLD_MV", "PeerNetwork"]

DT_MS: Final = 1.0
TAU_M_MS: Final = 100.0
THRESHOLD_MV: Final = 15.0
"""Above the resting potential, which is also that after a spike."""

TAU_STDP_MS: Final = 20.0
AMPLITUDE: Final = 0.005
"""Largest change of a weight by one pair, as a share of the largest weight: potentiation and depression."""

_PERIODS: Final = (52.0, 68.0)
"""Shortest and longest period of a neuron, in steps. They differ, so that neurons do not fall into step."""

_ROW_MV: Final = 0.5
"""What all synapses of a neuron can add in one step: too little to change how often neurons spike."""


@dataclass(frozen=True, eq=False)
class PeerNetwork:
    """N leaky neurons with a constant drive, all-to-all, with delta synapses and a delay of one step.

    ``tau_m dv/dt = drive - v``; a neuron whose v reaches the threshold spikes and starts again at 0.
    The drive alone makes neurons spike, so that all simulators have the same activity, whatever their
    synapses do. With learning, all synapses learn by additive pair STDP between 0 and `w_max`.

    Parameters
    ----------
    neurons : int
        N.
    learning : bool
        Whether the synapses learn.

    Attributes
    ----------
    periods : (N,) float64
        Steps between two spikes of each neuron without synapses.
    drive : (N,) float64
        Potential that the drive leads to, mV.
    v : (N,) float64
        Potential at the start, mV.
    w_max : float
        Largest weight, mV.
    weights : (N, N) float64
        Weights at the start, mV, from 0 to `w_max`; sources are rows.
    """

    neurons: int
    learning: bool
    periods: npt.NDArray[np.float64] = field(init=False)
    drive: npt.NDArray[np.float64] = field(init=False)
    v: npt.NDArray[np.float64] = field(init=False)
    w_max: float = field(init=False)
    weights: npt.NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.neurons)
        periods = rng.uniform(*_PERIODS, self.neurons)
        drive = THRESHOLD_MV / -np.expm1(-periods * DT_MS / TAU_M_MS)
        phases = rng.uniform(0.0, 1.0, self.neurons) * periods
        w_max = _ROW_MV / self.neurons
        made = {
            "periods": periods,
            "drive": drive,
            "v": drive * -np.expm1(-phases * DT_MS / TAU_M_MS),
            "w_max": w_max,
            "weights": rng.uniform(0.0, w_max, (self.neurons, self.neurons)),
        }
        for name, value in made.items():
            object.__setattr__(self, name, value)

    def spike_steps(self, steps: int) -> list[npt.NDArray[np.int64]]:
        """Return the steps of each neuron's spikes below `steps`, for a simulator without constant drive."""
        phases = self.periods * (1.0 + TAU_M_MS / (DT_MS * self.periods) * np.log1p(-self.v / self.drive))
        return [
            np.arange(first, steps, period).astype(np.int64)
            for first, period in zip(phases, self.periods, strict=True)
        ]
