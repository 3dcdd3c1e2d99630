"""A random network that fires and learns in any array, from a seed.

It has no function; it uses all features of the array.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.contract.memory_map import layout_of
from synloom.contract.params import ArrayParams
from synloom.contract.records import EVENT_ADVANCE
from synloom.contract.regions import Region
from synloom.contract.registers import LIST_VALID, Mode
from synloom.contract.traces import TRACES, Side
from synloom.selftest.random_array import RandomArray, any_contents
from synloom.selftest.random_fields import Fields

__all__ = ["random_network"]

_ACTIVE: Final = 8
"""Mean number of inputs that spike in a step, if the array has enough."""
_RECURRENT: Final = 16
"""Mean number of synapses that a neuron receives from other neurons."""
_DECAY: Final = 3277
"""Decay coefficient of a time constant of about 20 steps."""
_DELTA: Final = 0xFFFF
"""Decay coefficient of a delta synapse."""
_OTHERS: Final = 0.25
"""Share of the neurons with random values in fields not set in this file; the others have the default."""


def random_network(params: ArrayParams, seed: int, steps: int) -> RandomArray:
    """Return a random network for an array.

    Parameters
    ----------
    params : ArrayParams
        The array.
    seed : int
        Seed of all values and events.
    steps : int
        Length of the run.
    """
    rng = np.random.default_rng([seed, 53])
    threshold = params.state_max // 4
    lists, program = _program(params)
    contents = any_contents(params, rng)
    for region, fields in (
        (Region.NEURON_PARAMS, _neurons(params, rng, threshold)),
        (Region.NEURON_STATE, _state(params, rng, threshold)),
    ):
        others = rng.random(params.neurons) < _OTHERS
        for name in contents[region].keys() - fields.keys():
            default = layout_of(params, region)[name].default
            contents[region][name] = np.where(others, contents[region][name], default)
        contents[region] |= fields
    contents |= {
        Region.PROGRAM: program,
        Region.SOURCE: _sources(params, rng, lists),
        Region.TARGET: _targets(params, rng, lists),
        Region.WEIGHTS: {"weight": _weights(params, rng)},
    }
    for trace in TRACES:
        contents[trace.region]["trace"] = np.minimum(contents[trace.region]["trace"], _one(params))
    contents[Region.WHEEL]["ids"] *= 0
    share = min(0.25, _ACTIVE / params.inputs)
    if params.generators:
        contents[Region.GEN_RATE] |= _rates(rng, share, contents[Region.GEN_RATE]["regular"])
        share /= 4
    events = _events(rng.random((steps, params.inputs)) < share)
    return RandomArray(params, contents, _registers(params, rng, lists), events, steps, "alive")


def _registers(params: ArrayParams, rng: np.random.Generator, lists: dict[str, int]) -> dict[str, int]:
    return {
        "learn_rng": int(rng.integers(1, 1 << 64, dtype=np.uint64)),
        "gen_rng": int(rng.integers(1, 1 << 64, dtype=np.uint64)),
        "sweep_count": params.neurons,
        "gen_words": params.input_words if params.generators else 0,
        **{t.decay_list: LIST_VALID | lists[t.name] if t.name in lists else 0 for t in TRACES},
        **{trace.increment: _one(params) for trace in TRACES},
        "reward": 192,
        "mode": 1 << Mode.LEARN | 1 << Mode.ADAPT | 1 << Mode.RASTER,
    }


def _one(params: ArrayParams) -> int:
    """Return the increment of a trace, large enough for weight changes of about one LSB."""
    return min(params.trace_max, max(params.trace_max // 4, 384))


def _program(params: ArrayParams) -> tuple[dict[str, int], Fields]:
    """Return the first segment of each list, and the segments; as many lists as fit into PROGRAM."""
    n, s, first, top = params.neurons, params.sources, params.first_neuron_source, params.weight_max
    step = 1536 if params.stochastic_rounding else 4096
    change = min(0xFFFF, (step << params.trace_bits - 4) // _one(params))
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
        *({"lo": 0, "hi": s if t.side is Side.SOURCE else n, "a": _DECAY, "last": 1} for t in TRACES),
        {"lo": 0, "hi": n, "shift": 1, "last": 1},
        {**target, "lo": 0, "hi": first},
        {**rule, "lo": first, "hi": s, "a": change // 2, "reward": int(params.reward), "last": 1},
    ]
    lists: dict[str, int] = {}
    room = 0
    for name, size in (
        ("row", 1),
        ("column", 1),
        *((t.name, 1) for t in TRACES),
        ("recurrent", 1),
        ("other", 2),
    ):
        if room + size > params.segments:
            break
        lists[name], room = room, room + size
    names = {name for segment in segments for name in segment}
    table = {name: np.array([each.get(name, 0) for each in segments[:room]]) for name in names}
    return lists, {name: values.astype(np.int64) for name, values in table.items()}


def _neurons(params: ArrayParams, rng: np.random.Generator, threshold: int) -> Fields:
    n = params.neurons
    # The inputs of a step move a neuron by a small part of its threshold.
    charge = min(_ACTIVE, max(1, params.inputs // 4)) * params.weight_max / 4
    gain = int(np.clip(round(math.log2(max(1.0, threshold / 25 / charge))), 0, 15))
    decay, bias = rng.integers(1500, 9000, n), rng.integers(0, threshold // 12, n)
    # One neuron always fires: the smallest arrays have no other.
    decay[0], bias[0] = 1500, threshold // 8
    values = {
        "dm": decay,
        "de": rng.choice([_DELTA, 20000, 40000], n),
        "di": rng.choice([_DELTA, 30000], n),
        "thr": rng.integers(threshold // 2, threshold + 1, n),
        "reset": rng.integers(-threshold // 4, threshold // 4, n),
        "bias": bias,
        "refractory": rng.integers(0, 5, n),
        "g_e": np.full(n, gain),
        "g_i": np.maximum(0, gain - rng.integers(0, 2, n)),
        "exponent_m": rng.integers(0, 2, n),
        "exponent_e": np.zeros(n, dtype=np.int64),
        "exponent_i": np.zeros(n, dtype=np.int64),
        "subtract": rng.integers(0, 2, n),
    }
    # But not in every step.
    values["refractory"][0] = 2
    if params.adaptation:
        values |= {
            "dth": rng.integers(500, 3000, n),
            "th_step": rng.integers(0, threshold // 8 + 1, n),
            "exponent_th": rng.integers(0, 2, n),
        }
    return values | {"integrate": rng.integers(0, 2, n)}


def _state(params: ArrayParams, rng: np.random.Generator, threshold: int) -> Fields:
    n = params.neurons
    fields = {"v": rng.integers(-threshold // 4, threshold // 2, n), "refr": rng.integers(0, 5, n)}
    names = ("ie", "ii", *(("theta",) if params.adaptation else ()))
    return fields | {name: rng.integers(0, threshold // 8, n) for name in names}


def _weights(params: ArrayParams, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    n, s, first, top = params.neurons, params.sources, params.first_neuron_source, params.weight_max
    w = rng.integers(1, top + 1, (s, n)) * np.where(rng.random((s, n)) < 0.75, 1, -1)
    # Few recurrent synapses, most of them inhibitory, keep a network of any size stable.
    w[first:] *= np.where(rng.random((s - first, n)) < 0.75, -1, 1)
    present = np.full((s, n), 0.9)
    present[first:] = min(0.9, _RECURRENT / n)
    return np.where(rng.random((s, n)) < present, w, params.weight_absent).reshape(-1)


def _sources(params: ArrayParams, rng: np.random.Generator, lists: dict[str, int]) -> Fields:
    index = np.full(params.sources, lists["row"])
    index[params.first_neuron_source :] = lists.get("recurrent", lists["row"])
    return {
        "list": index,
        "connected": np.ones(params.sources, dtype=np.int64),
        "nearest": rng.integers(0, 2, params.sources),
    }


def _targets(params: ArrayParams, rng: np.random.Generator, lists: dict[str, int]) -> Fields:
    n = params.neurons
    return {
        "list": np.where(rng.random(n) < 0.5, lists["column"], lists.get("other", lists["column"])),
        "delay": rng.integers(1, params.delay_slots, n),
        "learns": np.full(n, int(params.plasticity)),
        "nearest": rng.integers(0, 2, n),
    }


def _rates(rng: np.random.Generator, share: float, regular: npt.NDArray[np.int64]) -> Fields:
    """Return random rates, in 1/4096 of a step, and periods up to 64 steps, of which 64 units are one."""
    part = 2 * share * rng.random(len(regular))
    period = np.minimum(64 / np.maximum(part, 1e-3), 0xFFF)
    return {
        "mantissa": np.where(regular, period, part * 4096).astype(np.int64),
        "exponent": np.where(regular, 6, 7),
    }


def _events(spikes: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint16]:
    """Return a raster (T, M) as words of the event queue."""
    words: list[int] = []
    for row in spikes:
        words += [*np.flatnonzero(row).tolist(), EVENT_ADVANCE | 1]
    return np.array(words, dtype=np.uint16)
