"""The published single-neuron trace of the NIR paper: input, output and exact solution.

Pedersen et al. 2024, Neuromorphic intermediate representation: a unified instruction set for interoperable
brain-inspired computing, *Nature Communications* 15, 8122.
"""

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
"""Membrane time constant; the published file has single precision."""
V_THRESHOLD_MV: Final = 1000 * float(np.float32(0.1))


@dataclass(frozen=True)
class PublishedTrace:
    """The published input and output.

    Attributes
    ----------
    pulses : (P,) int64
        Steps during which the input is 1; it is 0 otherwise.
    spikes : (F,) int64
        Steps in which the neuron fires.
    steps, voltages_mv : (R,) int64, (R,) float64
        Some of the steps, and V at their ends.
    """

    pulses: npt.NDArray[np.int64]
    spikes: npt.NDArray[np.int64]
    steps: npt.NDArray[np.int64]
    voltages_mv: npt.NDArray[np.float64]


def published() -> PublishedTrace:
    """Return the published values, from data/nir_lif.csv of this package."""
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
    """Solve `tau dV/dt = -V + i` exactly, with threshold crossings between grid points.

    Parameters
    ----------
    pulses : (P,) int64
        Steps during which the input is 1.

    Returns
    -------
    v : (STEPS,) float64
        V in mV at the end of each step.
    spikes : (F,) int64
        Steps in which V crosses the threshold; each crossing lowers V by the threshold.
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
