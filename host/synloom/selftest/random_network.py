"""A known network: random, alive and learning, for any array, from a seed.

It is no network that means something; it uses all that the array has.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.base.checks import IntArray
from synloom.contract.layout import (
    Layout,
    neuron_params_layout,
    neuron_state_layout,
    segment_layout,
    source_layout,
    target_layout,
)
from synloom.contract.params import ArrayParams
from synloom.contract.regions import (
    NEURON_PARAMS_STRIDE,
    NEURON_STATE_STRIDE,
    SEGMENT_STRIDE,
    Region,
    weight_offset,
)
from synloom.contract.registers import CONTROL_REGISTERS, Mode
from synloom.image.image import Write

__all__ = ["KnownNetwork", "known_network"]

_ACTIVE: Final = 8
"""Inputs that spike in a step, on average, if there are so many."""
_RECURRENT: Final = 16
"""Synapses that a neuron gets from others, on average."""
_DECAY: Final = 3277
"""A time constant of about 20 steps."""
_VALID: Final = 0x8000


@dataclass(frozen=True, slots=True)
class KnownNetwork:
    """What to write into an array that was cleared, and how to run it.

    Attributes
    ----------
    params : ArrayParams
        The array it is for.
    steps : int
        How long it runs.
    writes : tuple of (Region, int, (n,) uint16)
        Contents of memories and registers.
    events : (E, 2) int64
        (step, input id) of spikes that the host sends.
    """

    params: ArrayParams
    steps: int
    writes: tuple[Write, ...]
    events: IntArray


def known_network(params: ArrayParams, seed: int, steps: int) -> KnownNetwork:
    """Return the network of a seed for an array."""
    rng = np.random.default_rng([seed, 53])
    threshold = params.state_max // 4
    lists, program = _program(params)
    registers = _registers(params, rng, lists)
    writes = [
        _write(Region.NEURON_PARAMS, 0, _neurons(params, rng, threshold), NEURON_PARAMS_STRIDE),
        _write(Region.NEURON_STATE, 0, _state(params, rng, threshold), NEURON_STATE_STRIDE),
        _write(Region.PROGRAM, 0, program, SEGMENT_STRIDE),
        _write(Region.SOURCE, 0, _sources(params, rng, lists), 1),
        _write(Region.TARGET, 0, _targets(params, rng, lists), 1),
        (Region.WEIGHTS, weight_offset(0, 0), _weights(params, rng)),
        *registers,
    ]
    share = min(0.25, _ACTIVE / params.inputs)
    if params.generators:
        writes.append((Region.GEN_RATE, 0, _rates(params, rng, share)))
        share /= 4
    spikes = np.argwhere(rng.random((steps, params.inputs)) < share)
    return KnownNetwork(params, steps, tuple(writes), spikes.astype(np.int64))


def _write(region: Region, offset: int, words: npt.NDArray[np.uint16], stride: int) -> Write:
    padded = np.zeros((len(words), stride), dtype=np.uint16)
    padded[:, : words.shape[1]] = words
    return region, offset, padded.reshape(-1)


def _registers(params: ArrayParams, rng: np.random.Generator, lists: dict[str, int]) -> list[Write]:
    values = {
        "learn_rng": int(rng.integers(1, 1 << 32)),
        "gen_rng": int(rng.integers(1, 1 << 32)),
        "sweep_count": params.neurons,
        "gen_words": params.input_words if params.generators else 0,
        "x_list": _VALID | lists["x"] if "x" in lists else 0,
        "y_list": _VALID | lists["y"] if "y" in lists else 0,
        "one_x": _one(params),
        "one_y": _one(params),
        "reward": 192,
        "mode": 1 << Mode.LEARN | 1 << Mode.ADAPT | 1 << Mode.RASTER,
    }
    writes = []
    for name, value in values.items():
        register = CONTROL_REGISTERS[name]
        words = [value >> 16 * k & 0xFFFF for k in range(register.words)]
        writes.append((Region.CTRL, register.offset, np.array(words, dtype=np.uint16)))
    return writes


def _one(params: ArrayParams) -> int:
    """Return what a spike adds to a trace: large enough that a change of a weight is about one step."""
    return min(params.trace_max, max(params.trace_max // 4, 384))


def _program(params: ArrayParams) -> tuple[dict[str, int], npt.NDArray[np.uint16]]:
    """Return the first segment of each list, and the segments: as many lists as the program has room for."""
    n, s, first, top = params.neurons, params.sources, params.first_neuron_source, params.weight_max
    step = 1536 if params.stochastic_rounding else 4096
    change = min(0xFFFF, (step << 12) // _one(params))
    rule = {
        "a": change,
        "w_min": -top,
        "w_max": top,
        "plastic": int(params.plasticity),
        "stochastic": int(params.stochastic_rounding),
    }
    target = {**rule, "t0": _one(params) // 4, "soft": int(params.soft_bounds)}
    segments = [
        {**rule, "lo": 0, "hi": n, "a": change // 2, "a_negative": 1, "last": 1},
        {**rule, "lo": 0, "hi": s, "last": 1},
        {"lo": 0, "hi": s, "a": _DECAY, "last": 1},
        {"lo": 0, "hi": n, "a": _DECAY, "last": 1},
        {"lo": 0, "hi": n, "shift": 1, "last": 1},
        {**target, "lo": 0, "hi": first},
        {**rule, "lo": first, "hi": s, "a": change // 2, "reward": int(params.reward), "last": 1},
    ]
    starts = {"row": 0, "column": 1, "x": 2, "y": 3, "recurrent": 4, "other column": 5}
    room = 7 if params.segments >= 7 else 5 if params.segments >= 5 else 4 if params.segments >= 4 else 2
    lists = {name: start for name, start in starts.items() if start < room}
    return lists, _packed(segment_layout(), segments[:room])


def _packed(layout: Layout, records: list[dict[str, int]]) -> npt.NDArray[np.uint16]:
    names = {name for record in records for name in record}
    return layout.pack({name: [record.get(name, 0) for record in records] for name in names})


def _neurons(params: ArrayParams, rng: np.random.Generator, threshold: int) -> npt.NDArray[np.uint16]:
    n = params.neurons
    # So that the inputs of a step bring a neuron a small part of the way.
    charge = min(_ACTIVE, max(1, params.inputs // 4)) * params.weight_max / 4
    gain = int(np.clip(round(math.log2(max(1.0, threshold / 25 / charge))), 0, 15))
    decay, bias = rng.integers(1500, 9000, n), rng.integers(0, threshold // 12, n)
    # One neuron fires whatever comes: the smallest arrays have no others.
    decay[0], bias[0] = 1500, threshold // 8
    values = {
        "dm": decay,
        "de": rng.choice([0xFFFF, 20000, 40000], n),
        "di": rng.choice([0xFFFF, 30000], n),
        "thr": rng.integers(threshold // 2, threshold + 1, n),
        "reset": rng.integers(-threshold // 4, threshold // 4, n),
        "bias": bias,
        "refractory": rng.integers(0, 5, n),
        "g_e": np.full(n, gain),
        "g_i": np.maximum(0, gain - rng.integers(0, 2, n)),
        "exponent_m": rng.integers(0, 2, n),
        "subtract": rng.integers(0, 2, n),
    }
    if params.adaptation:
        values |= {
            "dth": rng.integers(500, 3000, n),
            "th_step": rng.integers(0, threshold // 8 + 1, n),
            "exponent_th": rng.integers(0, 2, n),
        }
    return neuron_params_layout(params).pack(values)


def _state(params: ArrayParams, rng: np.random.Generator, threshold: int) -> npt.NDArray[np.uint16]:
    return neuron_state_layout(params).pack(
        {"v": rng.integers(-threshold // 4, threshold // 2, params.neurons)}
    )


def _weights(params: ArrayParams, rng: np.random.Generator) -> npt.NDArray[np.uint16]:
    n, s, first, top = params.neurons, params.sources, params.first_neuron_source, params.weight_max
    w = rng.integers(1, top + 1, (s, n)) * np.where(rng.random((s, n)) < 0.75, 1, -1)
    # Synapses between neurons are few, and most are inhibitory: a network of any size stays calm.
    w[first:] *= np.where(rng.random((s - first, n)) < 0.75, -1, 1)
    present = np.full((s, n), 0.9)
    present[first:] = min(0.9, _RECURRENT / n)
    w = np.where(rng.random((s, n)) < present, w, params.weight_absent)
    return (w & 0xFF).astype(np.uint16).reshape(-1)


def _sources(params: ArrayParams, rng: np.random.Generator, lists: dict[str, int]) -> npt.NDArray[np.uint16]:
    index = np.full(params.sources, lists["row"])
    index[params.first_neuron_source :] = lists.get("recurrent", lists["row"])
    return source_layout().pack(
        {
            "list": index,
            "connected": np.ones(params.sources, dtype=np.int64),
            "nearest": rng.integers(0, 2, params.sources),
        }
    )


def _targets(params: ArrayParams, rng: np.random.Generator, lists: dict[str, int]) -> npt.NDArray[np.uint16]:
    n = params.neurons
    column = np.where(rng.random(n) < 0.5, lists["column"], lists.get("other column", lists["column"]))
    return target_layout().pack(
        {
            "list": column,
            "delay": rng.integers(1, params.delay_slots, n),
            "learns": np.full(n, int(params.plasticity)),
            "nearest": rng.integers(0, 2, n),
        }
    )


def _rates(params: ArrayParams, rng: np.random.Generator, share: float) -> npt.NDArray[np.uint16]:
    channels = 16 * params.input_words
    rate = (2 * share * rng.random(channels) * (1 << 15)).astype(np.int64)
    words = np.minimum(rate, 0x7FFE) | rng.integers(0, 2, channels) << 15
    return np.asarray(words, dtype=np.uint16)
