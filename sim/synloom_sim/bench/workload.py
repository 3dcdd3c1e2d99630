"""A network whose activity is set: every input and neuron spikes once in a period, at random phases."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.contract.contents import Contents
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.contract.registers import LIST_VALID, Mode
from synloom.contract.traces import TRACES, Side

__all__ = ["QUIET", "workload"]

QUIET: Final = 0
"""The period of a network in which nothing spikes."""

_ROW, _COLUMN, _DECAY = range(3)
"""The first segment of each list."""


def workload(params: ArrayParams, period: int, *, learning: bool = True, seed: int = 1) -> Contents:
    """Return an all-to-all network in which every input and neuron spikes once in `period` steps.

    Inputs have regular generators with random phases. Their bias drives neurons over the threshold, from
    random initial potentials; the weights are too small to change that.

    Parameters
    ----------
    params : ArrayParams
        The array; it has `generators`.
    period : int
        Steps between two spikes, 1 to 500; `QUIET` for none at all: all state is and remains 0.
    learning : bool
        Whether all synapses learn by pair STDP. Without it no trace decays either, as in a network that is
        compiled without plasticity.
    seed : int
        Seed of all random values.
    """
    rng = np.random.default_rng(seed)
    n, s = params.neurons, params.sources
    ids = np.r_[0 : params.inputs, params.first_neuron_source : params.first_neuron_source + n]
    weights = np.full((s, n), params.weight_absent)
    weights[ids] = rng.integers(-params.weight_max, params.weight_max + 1, (len(ids), n))
    threshold = 1 << (params.state_bits - 3)
    memories: dict[Region, dict[str, npt.ArrayLike]] = {
        Region.WEIGHTS: {"weight": weights.ravel()},
        Region.NEURON_PARAMS: _neurons(params, period, threshold),
        Region.NEURON_STATE: {"v": rng.integers(0, 1 if period == QUIET else threshold, n)},
        Region.PROGRAM: _segments(params, learning),
        Region.SOURCE: {"list": np.full(s, _ROW), "connected": np.ones(s, int)},
        Region.TARGET: {
            "list": np.full(n, _COLUMN),
            "delay": np.ones(n, int),
            "learns": np.full(n, int(learning)),
        },
        Region.GEN_RATE: {
            "mantissa": np.full(params.inputs, 8 * period),
            "exponent": np.full(params.inputs, 5 if period else 0),
            "regular": np.full(params.inputs, int(period != QUIET)),
        },
        Region.GEN_PHASE: {"phase": rng.integers(0, max(1, 8 * period), params.inputs)},
    }
    registers = {
        "learn_rng": 0x9E3779B97F4A7C15,
        "gen_rng": 0xD1B54A32D192ED03,
        "sweep_count": n,
        "gen_words": params.input_words,
        **{trace.increment: params.trace_max >> 4 for trace in TRACES},
        "reward": 256,
        "mode": int(learning) << Mode.LEARN | 1 << Mode.RASTER,
    }
    if learning:
        registers |= {trace.decay_list: LIST_VALID | _DECAY + k for k, trace in enumerate(TRACES)}
    return Contents(params, memories, registers)


def _neurons(params: ArrayParams, period: int, threshold: int) -> dict[str, npt.ArrayLike]:
    """Return neurons whose bias alone makes them fire once in a period."""
    values = {
        # What an earlier workload left decays at once.
        "dm": 0xFFFF if period == QUIET else 0,
        "de": 0xFFFF,
        "di": 0xFFFF,
        "thr": threshold,
        "bias": 0 if period == QUIET else 2 * threshold if period == 1 else threshold // period + 1,
    }
    return {name: np.full(params.neurons, value) for name, value in values.items()}


def _segments(params: ArrayParams, learning: bool) -> dict[str, npt.ArrayLike]:
    """Return a row list, a column list, and a decay list for each trace, with one segment each."""
    n, s = params.neurons, params.first_neuron_source + params.neurons
    entries = [{"lo": 0, "hi": n, "a": 200, "a_negative": 1}, {"lo": 0, "hi": s, "a": 200}]
    entries += [{"lo": 0, "hi": s if trace.side is Side.SOURCE else n, "a": 3200} for trace in TRACES]
    limits = {"w_min": -params.weight_max, "w_max": params.weight_max, "last": 1, "plastic": int(learning)}
    limits |= {"stochastic": int(params.stochastic_rounding)}
    names = {*limits, *(name for entry in entries for name in entry)}
    return {name: [{**limits, **entry}.get(name, 0) for entry in entries] for name in names}
