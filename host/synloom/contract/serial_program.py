"""When a serial neuron's words are read and written: the program that `SerialNeurons` runs for each neuron.

A word is at the output of its memory in the clock after it was asked for, and stays there until the next one
is. A field that lies in two words is used while its second word is there; a register keeps the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from synloom.contract.layout import Layout
from synloom.contract.memory_map import layout_of
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region

__all__ = ["SerialProgram", "serial_program", "shown_words", "sweep_clocks"]

_EXPONENTS: Final = ("exponent_m", "exponent_e", "exponent_i", "exponent_th", "subtract", "integrate")
_GAINS: Final = ("g_e", "g_i")
_TOGETHER: Final = {name: group for group in (_EXPONENTS, _GAINS) for name in group}
"""Fields that are used in the same clock."""


@dataclass(frozen=True, kw_only=True)
class SerialProgram:
    """The clocks of one neuron, from 0, in which it does what.

    A gain or a decay multiplies in its clock and rounds in the next; a decay subtracts its loss in the one
    after that. The decay of the adaptive threshold is a clock behind that of the potential, and the decay of
    the inhibitory current a clock behind that of the excitatory one.

    Attributes
    ----------
    excitation, inhibition : int
        A sum is multiplied by its gain.
    exponents : int
        The exponents and flags are kept.
    bias : int
        The bias enters the potential.
    threshold_state : int or None
        The adaptive threshold is kept; None without `adaptation`, like `threshold_decay` and `rise`.
    potential, currents, threshold_decay : int
        The potential, the excitatory current, the adaptive threshold are multiplied by their coefficients.
    compare : int
        The potential is compared with the threshold.
    reset : int
        The new potential is chosen.
    rise : int or None
        A spike raises the adaptive threshold.
    parameter_reads, state_reads : mapping of int to int
        The word that is asked for in a clock.
    state_writes : mapping of int to int
        The word that is written in a clock.
    clocks : int
        All clocks of a neuron.
    """

    excitation: int
    inhibition: int
    exponents: int
    bias: int
    threshold_state: int | None
    potential: int
    currents: int
    threshold_decay: int | None
    compare: int
    reset: int
    rise: int | None
    parameter_reads: Mapping[int, int]
    state_reads: Mapping[int, int]
    state_writes: Mapping[int, int]
    clocks: int


@dataclass
class _ReadPort:
    """The words at the output of a memory, planned in the order of time."""

    layout: Layout
    reads: dict[int, int] = field(default_factory=dict)
    free: int = 1
    """The first clock in which the output may change."""

    def use(self, name: str, after: int) -> int:
        """Return the first clock behind `after` in which a field, and those with it, are at the output."""
        first, last = shown_words(self.layout, name)
        shown = self.reads[max(self.reads)] if self.reads else None
        if first != last and shown != first:
            self._show(first, after)
        return self._show(last, after + 1)

    def hold(self, clock: int) -> None:
        """Let the output stand until after a clock."""
        self.free = max(self.free, clock + 1)

    def _show(self, word: int, earliest: int) -> int:
        clock = max(self.free, earliest)
        self.reads[clock - 1] = word
        self.free = clock + 1
        return clock


@lru_cache(maxsize=64)
def serial_program(params: ArrayParams) -> SerialProgram:
    """Return the program of an array with `serial_neurons`."""
    adaptation = params.adaptation
    p = _ReadPort(layout_of(params, Region.NEURON_PARAMS))
    s = _ReadPort(layout_of(params, Region.NEURON_STATE))
    excitation = p.use("g_e", after=0)
    s.use("ie", after=excitation)
    exponents = p.use("exponent_m", after=excitation)
    inhibition = p.use("g_i", after=excitation + 1)
    added = s.use("ii", after=inhibition)
    bias = p.use("bias", after=inhibition)
    threshold_state = s.use("theta", after=added) if adaptation else None
    potential = p.use("dm", after=s.use("v", after=added) - 1)
    s.hold(potential + 2)
    threshold_decay = p.use("dth", after=potential) if adaptation else None
    currents = p.use("de", after=(threshold_decay or potential) + 2)
    p.use("di", after=currents)
    s.use("refr", after=potential + 2)
    compare = p.use("thr", after=currents + 2)
    reset = p.use("reset", after=compare)
    rise = p.use("th_step", after=reset) if adaptation else None
    refractory = p.use("refractory", after=reset if rise is None else rise)
    changed = {"v": reset, "refr": refractory - 1, "ie": currents + 2, "ii": currents + 3, "theta": rise or 0}
    writes = _writes(s.layout, changed)
    return SerialProgram(
        excitation=excitation,
        inhibition=inhibition,
        exponents=exponents,
        bias=bias,
        threshold_state=threshold_state,
        potential=potential,
        currents=currents,
        threshold_decay=threshold_decay,
        compare=compare,
        reset=reset,
        rise=rise,
        parameter_reads=p.reads,
        state_reads=s.reads,
        state_writes=writes,
        clocks=max(writes) + 1,
    )


def _writes(layout: Layout, changed: Mapping[str, int]) -> dict[int, int]:
    """Return when each word is written: behind the changes of its fields, one a clock."""
    behind = {
        word: max(changed[f.name] for f in layout.fields.values() if word in f.words)
        for word in range(layout.words)
    }
    writes: dict[int, int] = {}
    clock = 0
    for word in sorted(behind, key=lambda word: (behind[word], word)):
        clock = max(clock, behind[word]) + 1
        writes[clock] = word
    return writes


def shown_words(layout: Layout, name: str) -> tuple[int, int]:
    """Return the first and the last word, at most two, that are shown for the use of a field."""
    names = [other for other in _TOGETHER.get(name, (name,)) if other in layout]
    words = [word for other in names for word in layout[other].words]
    assert max(words) - min(words) <= 1
    return min(words), max(words)


def sweep_clocks(params: ArrayParams) -> int:
    """Return the clocks in which all neurons of an array are updated."""
    if params.serial_neurons:
        return serial_program(params).clocks * params.neurons
    return -(-params.neurons // params.neuron_lanes)
