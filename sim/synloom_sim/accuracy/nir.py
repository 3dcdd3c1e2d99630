"""The published single-neuron trace of the NIR paper: its input, and its exact solution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["DT_MS", "STEPS", "TAU_MS", "V_THRESHOLD_MV", "PublishedTrace", "exact_solution", "published"]

STEPS: Final = 1000
DT_MS: Final = 0.1
TAU_MS: Final = 1000 * float(np.float32(0.0025))
"""The published file holds single precision."""
V_THRESHOLD_MV: Final = 1000 * float(np.float32(0.1))


@dataclass(frozen=True)
class PublishedTrace:
    """What was published.

    Attributes
    ----------
    pulses : (P,) int64
        Steps in which the input is 1, for the whole step; else it is 0.
    spikes : (F,) int64
        Steps in which the neuron fires.
    steps, voltages_mv : (R,) int64, (R,) float64
        V at the end of some of the steps.
    """

    pulses: npt.NDArray[np.int64]
    spikes: npt.NDArray[np.int64]
    steps: npt.NDArray[np.int64]
    voltages_mv: npt.NDArray[np.float64]


def published() -> PublishedTrace:
    """Return the published values that come with this package (data/nir_lif.csv)."""
    text = files("synloom_sim").joinpath("data/nir_lif.csv").read_text(encoding="utf-8")
    table = np.loadtxt(text.splitlines(), delimiter=",", comments="#")
    steps = table[:, 0].astype(np.int64)
    return PublishedTrace(
        pulses=steps[table[:, 1] == 1],
        spikes=steps[table[:, 3] == 1],
        steps=steps,
        voltages_mv=1000 * table[:, 2],
    )


def exact_solution(pulses: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Solve `tau dV/dt = -V + i` with its threshold crossings between grid points.

    Returns
    -------
    v : (STEPS,) float64
        V in mV at the end of each step.
    spikes : (F,) int64
        Steps in which V crossed the threshold, which lowers it by the threshold.
    """
    current = np.zeros(STEPS)
    current[pulses] = 1000.0
    trace, spikes, v = np.empty(STEPS), [], 0.0
    for t in range(STEPS):
        left = DT_MS
        i = float(current[t])
        while i > V_THRESHOLD_MV:
            crossing = -TAU_MS * math.log((V_THRESHOLD_MV - i) / (v - i))
            if crossing > left:
                break
            left -= crossing
            v = 0.0
            spikes.append(t)
        v = i + (v - i) * math.exp(-left / TAU_MS)
        trace[t] = v
    return trace, np.array(spikes, dtype=np.int64)
