"""When a serial neuron's words are read and written: the program that `SerialNeurons` runs for each neuron.

A word is at the output of its memory in the clock after it was asked for, and stays there until the next one
is. A field that lies in two words is used while its second word is there; a register keeps the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
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
    """The clocks of one neuron, from 0, in which it does what; the next one begins before it is written.

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
    refractory : int
        The new refractory time is chosen.
    parameter_reads, state_reads : mapping of int to int
        The word that is asked for in a clock.
    state_writes : sequence of int or None
        The word that is written in each clock from `clocks` on, if one is.
    clocks : int
        Clocks from a neuron to the next one.
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
    refractory: int
    parameter_reads: Mapping[int, int]
    state_reads: Mapping[int, int]
    state_writes: Sequence[int | None]
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
    changed = {"v": reset, "refr": refractory, "ie": currents + 2, "ii": currents + 3, "theta": rise or 0}
    # The same registers change first so many clocks after the next neuron has begun.
    again = {
        "v": reset,
        "refr": refractory,
        "ie": excitation + 1,
        "ii": inhibition + 1,
        "theta": threshold_state or 0,
    }
    # Neither memory shows two neurons at once, and the last clock is behind the comparison and what follows.
    least = max(*p.reads, *s.reads, compare + 1, rise or reset) + 1
    clocks, writes = next(
        (clocks, writes)
        for clocks in count(max(least, refractory))
        if (writes := _writes(s.layout, changed, again, clocks)) is not None
    )
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
        refractory=refractory,
        parameter_reads=p.reads,
        state_reads=s.reads,
        state_writes=writes,
        clocks=clocks,
    )


def _writes(
    layout: Layout, changed: Mapping[str, int], again: Mapping[str, int], clocks: int
) -> list[int | None] | None:
    """Return which word is written in each clock from `clocks` on; None if not all can be.

    A word is written behind the changes of its fields, and not behind the first clock in which one of them
    changes for the next neuron; of several, that with the least time first.
    """
    names = [[f.name for f in layout.fields.values() if word in f.words] for word in range(layout.words)]
    first = [max(changed[name] for name in each) + 1 for each in names]
    last = [clocks + min(again[name] for name in each) for each in names]
    left, writes = set(range(layout.words)), list[int | None]()
    for clock in range(clocks, max(last) + 1):
        ready = [word for word in left if first[word] <= clock]
        word = min(ready, key=lambda word: (last[word], word), default=None)
        if word is not None and last[word] < clock:
            return None
        left.discard(word)
        writes.append(word)
        if not left:
            return writes
    return None


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
