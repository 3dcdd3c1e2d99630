"""The first difference of what two targets, or a log and a target, say of the same run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synloom.base.checks import IntArray
from synloom.base.wording import one_line
from synloom.device.events import ID_BITS, ID_MASK
from synloom.image.image import Image

__all__ = ["Difference", "Results", "first_difference"]

Results = Mapping[str, npt.NDArray[Any]]
"""What came of an entry: spikes, when and values (of probes); weights; or first and counts.

Of a run whose log has only the first spikes or samples, `limits` says how many, (2,) int64.
"""


@dataclass(frozen=True)
class Difference:
    """Where two sides first differ.

    Parameters
    ----------
    entry : int
        Entry of the log.
    step : int
        The step in which they differ; of weights and counts the next step, before which they do.
    what : str
        What differs: ``"spikes"``, ``"samples"``, ``"weights"`` or ``"counts"``.
    place : str
        The neuron, probe or synapse, in words.
    index : tuple of int
        The neuron (spikes, counts), the probe (samples), or source id and target (weights).
    sides : mapping of str to str
        What each side says.
    """

    entry: int
    step: int
    what: str
    place: str
    index: tuple[int, ...]
    sides: Mapping[str, str]

    def __str__(self) -> str:
        when = f"step {self.step}" if self.what in ("spikes", "samples") else f"before step {self.step}"
        said = ", ".join(f"{value} ({side})" for side, value in self.sides.items())
        return f"entry {self.entry}, {when}: {self.place}: {said}"


@dataclass(frozen=True)
class _Context:
    entry: int
    now: int
    image: Image
    names: tuple[str, str]
    probes: Sequence[tuple[str, str, int]]

    def differs(
        self, step: int, what: str, place: str, index: tuple[int, ...], values: Sequence[object]
    ) -> Difference:
        sides = dict(zip(self.names, map(str, values), strict=True))
        return Difference(self.entry, step, what, place, index, sides)


def first_difference(
    entry: int,
    now: int,
    image: Image,
    sides: Mapping[str, Results],
    probes: Sequence[tuple[str, str, int]],
) -> Difference | None:
    """Return the first difference of two sides; None if they are equal.

    Parameters
    ----------
    entry, now : int
        Number of the entry, and the step after it.
    image : Image
        The loaded image.
    sides : mapping of str to mapping
        What each of the two says, by its name.
    probes : sequence of (str, str, int)
        Label, variable and index of each probe.
    """
    (first, one), (second, other) = sides.items()
    context = _Context(entry, now, image, (first, second), probes)
    found = []
    if "spikes" in one:
        found = [_spikes(context, one, other), _samples(context, one, other)]
    elif "weights" in one:
        found = [_weights(context, one["weights"], other["weights"])]
    elif "counts" in one:
        found = [_counts(context, one, other)]
    return min((f for f in found if f is not None), key=lambda f: f.step, default=None)


def _first(one: IntArray, other: IntArray) -> int | None:
    """Return the first place at which two sequences differ; None if they are equal."""
    common = min(len(one), len(other))
    (places,) = np.nonzero(one[:common] != other[:common])
    if len(places):
        return int(places[0])
    return None if len(one) == len(other) else common


def _limit(one: Results, other: Results, what: int) -> int | None:
    """Return how many spikes (0) or samples (1) can be compared; None: all."""
    return min((int(side["limits"][what]) for side in (one, other) if "limits" in side), default=None)


def _spikes(context: _Context, one: Results, other: Results) -> Difference | None:
    mine, theirs = (side["spikes"][: _limit(one, other, 0)] for side in (one, other))
    if (k := _first(mine, theirs)) is None:
        return None
    event = min(int(side[k]) for side in (mine, theirs) if k < len(side))
    step, neuron = event >> ID_BITS, event & ID_MASK
    fired = ["spike" if event in side[k : k + 1] else "no spike" for side in (mine, theirs)]
    return context.differs(step, "spikes", _neuron(context.image, neuron), (neuron,), fired)


def _samples(context: _Context, one: Results, other: Results) -> Difference | None:
    limit = _limit(one, other, 1)
    when = [side["when"][:limit] for side in (one, other)]
    if (k := _first(*when)) is not None:
        steps = [int(side[k]) if k < len(side) else None for side in when]
        step = min(each for each in steps if each is not None)
        said = ["a sample" if each == step else "no sample" for each in steps]
        return context.differs(step, "samples", "probes", (), said)
    mine, theirs = (side["values"][:limit] for side in (one, other))
    if mine.shape != theirs.shape:
        said = [f"{side.shape[1]} probes" for side in (mine, theirs)]
        return context.differs(context.now, "samples", "probes", (), said)
    rows, columns = np.nonzero(mine != theirs)
    if not len(rows):
        return None
    row, k = int(rows[0]), int(columns[0])
    label, variable, index = context.probes[k] if k < len(context.probes) else ("?", "?", k)
    place = f"{variable} of {one_line(label, 60)!r} {index}"
    said = [f"{int(side[row, k]):#x}" for side in (mine, theirs)]
    return context.differs(int(one["when"][row]), "samples", place, (k,), said)


def _weights(context: _Context, mine: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> Difference | None:
    rows, targets = np.nonzero(mine != theirs)
    if not len(rows):
        return None
    row, target = int(rows[0]), int(targets[0])
    values = [int(side[row, target]) for side in (mine, theirs)]
    place = _synapse(context.image, row, target)
    return context.differs(context.now, "weights", place, (row, target), values)


def _counts(context: _Context, one: Results, other: Results) -> Difference | None:
    if (k := _first(one["counts"], other["counts"])) is None:
        return None
    neuron = k + int(one["first"][0])
    values = [int(side["counts"][k]) if k < len(side["counts"]) else "none" for side in (one, other)]
    return context.differs(context.now, "counts", _neuron(context.image, neuron), (neuron,), values)


def _neuron(image: Image, neuron: int) -> str:
    for label, info in image.populations.items():
        if info.first <= neuron < info.first + info.n:
            return f"neuron {neuron - info.first} of {one_line(label, 60)!r}"
    return f"neuron {neuron} of the array"


def _synapse(image: Image, row: int, target: int) -> str:
    for label, info in image.projections.items():
        places = image.synapses[info.first : info.first + info.count].astype(np.int64)
        j = target - image.populations[info.post].first
        found = places[(places[:, 1] == row) & (places[:, 2] == j)]
        if len(found):
            return f"weight [{found[0, 0]}, {j}] of {one_line(label, 60)!r}"
    return f"weight of source {row} to neuron {target}"
