"""What a spike causes in an array: synapses, passes and chunks, from an image alone.

Synapses do not come or go while a network runs, so these numbers are exact for as long as it is loaded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synloom.base.checks import IntArray
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom.image.image import Image

__all__ = ["FanOut", "Passes"]

_GROUP: Final = 16
"""Positions of a group of random numbers: a pass begins with a whole one."""


@dataclass(frozen=True, eq=False)
class Passes:
    """What the spikes of each source or neuron cause.

    Attributes
    ----------
    synapses, updates : (n,) int64
        Synapses that get its charge, and synapses whose weight a learning rule computes anew.
    segments : list of (n, 2) int64
        First and last position of every segment of its passes, for each source or neuron.
    """

    synapses: IntArray
    updates: IntArray
    segments: list[IntArray]

    def chunks(self, lanes: int) -> IntArray:
        """Return the chunks of each one's passes in an array with so many lanes, (n,) int64."""
        return np.array(
            [
                sum(
                    max(0, math.ceil(hi / lanes) - _GROUP * (lo // _GROUP) // lanes)
                    for lo, hi in part.tolist()
                )
                for part in self.segments
            ],
            dtype=np.int64,
        )

    def passes(self) -> IntArray:
        """Return the number of each one's passes, (n,) int64."""
        return np.array([len(part) for part in self.segments], dtype=np.int64)


class FanOut:
    """The passes of all source ids and of all neurons of an image.

    Parameters
    ----------
    image : Image
        The image.
    """

    def __init__(self, image: Image):
        self._image: Image | None = image

    def __getstate__(self) -> dict[str, Any]:
        # A recording that goes to another process takes these numbers along, not the whole image.
        names = ("rows", "columns", "first_neuron", "sends", "needs")
        return {"_image": None, **{name: getattr(self, name) for name in names}}

    @cached_property
    def first_neuron(self) -> int:
        """Source id of neuron 0."""
        return self._given().params.first_neuron_source

    @cached_property
    def sends(self) -> npt.NDArray[np.bool_]:
        """Whether the spikes of each neuron go anywhere, (N,) bool."""
        image = self._given()
        return _fields(image, Region.TARGET, image.target)["delay"] > 0

    @cached_property
    def needs(self) -> dict[str, int]:
        """What an array must have for the image: inputs, neurons and axons in use, and features by name."""
        image = self._given()
        source = _fields(image, Region.SOURCE, image.source)
        axons = source["connected"][image.params.first_axon_source :]
        return {
            "inputs": sum(info.n for info in image.inputs.values()),
            "neurons": sum(info.n for info in image.populations.values()),
            "axons": int(axons.sum()),
            "plasticity": int(any(info.plastic for info in image.projections.values())),
            "generators": int(any(info.generator is not None for info in image.inputs.values())),
        }

    @cached_property
    def rows(self) -> Passes:
        """Passes that a spike of a source starts, by source id: its row, and the rows of its axons."""
        image = self._given()
        source = _fields(image, Region.SOURCE, image.source)
        lists = _Lists(image)
        own = [
            _row(image, row, lists.at(start)) if connected else None
            for row, (start, connected) in enumerate(
                zip(source["list"].tolist(), source["connected"].tolist(), strict=True)
            )
        ]
        sums: list[tuple[int, int, IntArray]] = []
        for row in range(len(own)):
            parts = [own[k] for k in _chain(source, row)]
            there = [part for part in parts if part is not None]
            segments = [part[2] for part in there]
            sums.append(
                (
                    sum(part[0] for part in there),
                    sum(part[1] for part in there),
                    np.concatenate([np.zeros((0, 2), dtype=np.int64), *segments]),
                )
            )
        return _joined(sums)

    @cached_property
    def columns(self) -> Passes:
        """Passes that a spike of a neuron starts over its own synapses, by neuron."""
        image = self._given()
        target = _fields(image, Region.TARGET, image.target)
        lists = _Lists(image)
        return _joined(
            [
                _column(image, neuron, lists.at(start)) if learns and image.params.plasticity else _NOTHING
                for neuron, (start, learns) in enumerate(
                    zip(target["list"].tolist(), target["learns"].tolist(), strict=True)
                )
            ]
        )

    def _given(self) -> Image:
        assert self._image is not None
        return self._image


_Sum = tuple[int, int, IntArray]
_NOTHING: Final[_Sum] = (0, 0, np.zeros((0, 2), dtype=np.int64))


def _fields(image: Image, region: Region, words: Any) -> dict[str, IntArray]:
    return memory_of(image.params, region).layout.unpack(words)


def _joined(sums: list[_Sum]) -> Passes:
    synapses, updates, segments = zip(*sums, strict=True)
    return Passes(np.array(synapses, dtype=np.int64), np.array(updates, dtype=np.int64), list(segments))


def _chain(source: dict[str, IntArray], row: int) -> list[int]:
    """Return the rows that a spike of a source is served in."""
    rows = [row]
    if "chained" in source:
        while source["chained"][rows[-1]]:
            rows.append(int(source["next"][rows[-1]]))
    return rows


_Segments = tuple[list[tuple[int, int, bool]], IntArray]
"""(lo, hi, plastic) of each segment of a list, and their positions, (K, 2) int64."""


class _Lists:
    """The lists of segments of an image, each decoded once."""

    def __init__(self, image: Image):
        self._fields = _fields(image, Region.PROGRAM, image.program)
        self._known: dict[int, _Segments] = {}

    def at(self, first: int) -> _Segments:
        if first not in self._known:
            self._known[first] = self._decoded(first)
        return self._known[first]

    def _decoded(self, first: int) -> _Segments:
        fields, segments = self._fields, []
        for index in range(first, len(fields["lo"])):
            lo, hi = int(fields["lo"][index]), int(fields["hi"][index])
            segments.append((lo, hi, bool(fields["plastic"][index])))
            if fields["last"][index]:
                break
        places = np.array([(lo, hi) for lo, hi, _ in segments], dtype=np.int64).reshape(-1, 2)
        return segments, places


def _row(image: Image, row: int, listed: _Segments) -> _Sum:
    segments, places = listed
    present = image.weights[row] != image.params.weight_absent
    learns = image.params.plasticity
    counts = [(int(present[lo:hi].sum()), plastic and learns) for lo, hi, plastic in segments]
    return sum(n for n, _ in counts), sum(n for n, plastic in counts if plastic), places


def _column(image: Image, neuron: int, listed: _Segments) -> _Sum:
    segments, places = listed
    present = image.weights[:, neuron] != image.params.weight_absent
    return 0, sum(int(present[lo:hi].sum()) for lo, hi, plastic in segments if plastic), places
