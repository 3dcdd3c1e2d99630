"""The state of the fast engine: that of the model in the narrowest types, and what the loop works with."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from synloom.contract.params import ArrayParams
from synloom.contract.traces import Side, trace_of
from synloom_sim.fast.places import COUNTED
from synloom_sim.fast.random_numbers import Sequence, sequence
from synloom_sim.fast.registers import FastCounters, FastRegisters
from synloom_sim.fast.woven import WovenWeights
from synloom_sim.model.passes import HALF
from synloom_sim.model.random_numbers import GROUP
from synloom_sim.model.state import ArrayState

__all__ = ["FastState", "Sizes", "State", "Work", "sizes_of", "state_of", "work_of"]

Int8s = npt.NDArray[np.int8]
Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Uint8s = npt.NDArray[np.uint8]
Uint16s = npt.NDArray[np.uint16]
Uint32s = npt.NDArray[np.uint32]
Uint64s = npt.NDArray[np.uint64]


class Sizes(NamedTuple):
    """Sizes, formats and features of an array, as in `ArrayParams`."""

    inputs: int
    input_words: int
    neurons: int
    neuron_words: int
    first_neuron: int
    sources: int
    delay_slots: int
    weight_absent: int
    weight_bits: int
    trace_bits: int
    state_max: int
    trace_max: int
    accumulator_max: int
    plasticity: int
    generators: int
    spike_counters: int
    dendritic_delays: int
    teaching: int


def sizes_of(params: ArrayParams) -> Sizes:
    """Return the sizes of an array."""
    others = {"first_neuron": params.first_neuron_source}
    return Sizes(**{n: int(others[n] if n in others else getattr(params, n)) for n in Sizes._fields})


class FastState(ArrayState):
    """`ArrayState` in the narrowest types that the loop can use, so that more numbers fit a register.

    Parameters
    ----------
    params : ArrayParams
        Sizes, formats and features.
    control : (CONTROL_WORDS,) int64
        Where the loop has the registers.

    Attributes
    ----------
    counted : (counters,) int64
        Where the loop counts.
    woven : WovenWeights
        The memory of `weights`.
    """

    registers: FastRegisters

    def __init__(self, params: ArrayParams, control: Int64s):
        super().__init__(params)
        self.woven = WovenWeights(params.sources, params.neurons)
        self.weights = cast(Any, self.woven)
        for name in ("acc", "v", "currents", "theta", "refr", "phase", "counts"):
            setattr(self, name, getattr(self, name).astype(np.int32))
        self.counted = np.zeros(len(COUNTED), dtype=np.int64)
        self.registers = FastRegisters(control, np.zeros(2, dtype=np.uint64))
        self.counters = FastCounters(params, self.counted)
        self.traces = {name: cast(Any, trace.astype(np.int32)) for name, trace in self.traces.items()}


class State(NamedTuple):
    """The arrays of a `FastState` that the loop reads and writes, weights and wheel in words of eight."""

    weights: Uint64s
    steps: Int64s
    acc: Int32s
    v: Int32s
    currents: Int32s
    theta: Int32s
    refr: Int32s
    x: Int32s
    y: Int32s
    wheel: Uint8s
    wheel_words: Uint64s
    forced: Uint8s
    phase: Int32s
    counts: Int32s
    control: Int64s
    rng: Uint64s
    counted: Int64s
    events: Uint16s
    records: Uint16s


def state_of(state: FastState, events: Uint16s, records: Uint16s) -> State:
    """Return the arrays of a `FastState`, with the buffers of events and records."""
    x, y = (cast(Any, state.traces[trace_of(side).name]) for side in (Side.SOURCE, Side.TARGET))
    arrays: dict[str, Any] = {
        name: getattr(state, name) for name in ("acc", "v", "currents", "theta", "refr", "phase", "counts")
    }
    return State(
        **arrays,
        weights=state.woven.words,
        steps=state.woven.steps,
        x=x,
        y=y,
        wheel=state.wheel.view(np.uint8),
        wheel_words=state.wheel.view(np.uint64),
        forced=state.forced.view(np.uint8),
        control=state.registers.control,
        rng=state.registers.rng,
        counted=state.counted,
        events=events,
        records=records,
    )


class Work(NamedTuple):
    """Room for what lasts one step or one pass.

    Parameters
    ----------
    served, due, fired : (S,), (N,), (N,) int32
        Source ids, neurons whose columns are due, and neurons that fired.
    fires : (8 * ceil(N / 8),) uint8
        Whether each neuron fires; `fires_words` shows eight at a time.
    numbers, half : (some,) int16
        Random numbers of a pass, and what rounds half up.
    fraction, whole, sign : (some,) int16
        Changes of the weights at each position, before rounding: below and above a unit; -1 for down.
    changes_of : (1,) int64
        The first segment of the list that they are of, or -1.
    generated : (16,) uint32
        Random numbers of generators.
    row : (8 * ceil(N / 8),) int8
        A row of weights; `row_words` shows eight at a time.
    column : (S,) int8
        A column of weights.
    rounding, generating : Sequence
        The random numbers of rounding and of the generators.
    """

    served: Int32s
    due: Int32s
    fired: Int32s
    fires: Uint8s
    fires_words: Uint64s
    numbers: Int16s
    half: Int16s
    fraction: Int16s
    whole: Int16s
    sign: Int16s
    changes_of: Int64s
    generated: Uint32s
    row: Int8s
    row_words: Uint64s
    column: Int8s
    rounding: Sequence
    generating: Sequence


def work_of(params: ArrayParams) -> Work:
    """Return the room that the loop of an array needs."""
    longest = max(params.sources, params.neurons) + 2 * GROUP
    eights = -(-params.neurons // 8) * 8
    fires, row = np.zeros(eights, dtype=np.uint8), np.zeros(eights, dtype=np.int8)
    return Work(
        served=np.zeros(params.sources, dtype=np.int32),
        due=np.zeros(params.neurons, dtype=np.int32),
        fired=np.zeros(params.neurons, dtype=np.int32),
        fires=fires,
        fires_words=fires.view(np.uint64),
        numbers=np.zeros(longest, dtype=np.int16),
        half=np.full(longest, HALF, dtype=np.int16),
        fraction=np.zeros(longest, dtype=np.int16),
        whole=np.zeros(longest, dtype=np.int16),
        sign=np.zeros(longest, dtype=np.int16),
        changes_of=np.full(1, -1, dtype=np.int64),
        generated=np.zeros(GROUP, dtype=np.uint32),
        row=row,
        row_words=row.view(np.uint64),
        column=np.zeros(params.sources, dtype=np.int8),
        rounding=sequence(),
        generating=sequence(),
    )
