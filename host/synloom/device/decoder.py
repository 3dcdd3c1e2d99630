"""Decoding of the record stream into spikes, samples and the end of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.base.checks import IntArray
from synloom.base.errors import DeviceError
from synloom.contract.records import END_WORD, EndReason, RecordKind

__all__ = ["Bounds", "RecordDecoder"]

_END_WORDS: Final = 4
_PLACE_WORDS: Final = 3
"""Numbers that say where a record is."""
_REASONS: Final = [int(reason) for reason in EndReason]
_NO_WORDS: Final[npt.NDArray[np.uint16]] = np.zeros(0, dtype=np.uint16)
# Plain numbers, which compare quicker than members of an enumeration.
_LIST, _BITMAP, _PROBES, _TIME = map(int, RecordKind)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the records of a run can say.

    Parameters
    ----------
    end : int
        The step after the last.
    neurons, bitmap_words : int
        Neurons of the array, and words of a bitmap of them.
    probes : int
        Probes of the array; each record has equally many, and no more.
    """

    end: int
    neurons: int
    bitmap_words: int
    probes: int


def _nonsense(what: str) -> DeviceError:
    return DeviceError(f"{what}; the array's records cannot be trusted: flash gateware that matches this SDK")


class _Records:
    """All records of one kind in a stream.

    Parameters
    ----------
    places : list of int
        For each its step, where its words begin, and how many there are.

    Attributes
    ----------
    steps, starts, counts : (n,) int64
    """

    def __init__(self, places: list[int]) -> None:
        self.steps, self.starts, self.counts = np.array(places, dtype=np.int64).reshape(-1, 3).T

    def __len__(self) -> int:
        return len(self.steps)

    def words(self, stream: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
        """Return the words of all records, one behind the other."""
        before = np.cumsum(self.counts) - self.counts
        places = np.repeat(self.starts - before, self.counts) + np.arange(self.counts.sum())
        words: npt.NDArray[np.uint16] = stream[places]
        return words


class RecordDecoder:
    """Decodes the records of one run, which may arrive in pieces of any size.

    Only the first word of each record is looked at one by one; the rest of a piece is taken at once, since
    there are as many records as steps, and a step may be a matter of microseconds.

    Parameters
    ----------
    now : int
        The step at which the run starts.
    bounds : Bounds, optional
        What the records of the run may say; by default anything.

    Attributes
    ----------
    end : tuple of (int, EndReason) or None
        The step given by the end record, and why the run ended.
    words : int
        Words of all records so far.
    """

    def __init__(self, now: int, bounds: Bounds | None = None):
        self.end: tuple[int, EndReason] | None = None
        self.words = 0
        self._time = now
        self._bounds = bounds
        self._last = dict.fromkeys(("spikes", "probes"), now - 1)
        self._sample_words = 0
        self._rest = _NO_WORDS
        self._spikes: list[tuple[IntArray, IntArray]] = []
        self._samples: list[tuple[IntArray, npt.NDArray[np.uint32]]] = []

    @property
    def ended(self) -> bool:
        """Whether the run has ended, and not only paused."""
        return self.end is not None and self.end[1] != EndReason.PAUSED

    def feed(self, words: npt.NDArray[np.uint16]) -> None:
        """Decode the next words, (n,) uint16; an incomplete record waits for its rest.

        Raises
        ------
        DeviceError
            If words follow the end of the run, or say what no run of this array can.
        """
        self.words += len(words)
        stream = np.concatenate([self._rest, words]) if len(self._rest) else words
        places: dict[int, list[int]] = {kind: [] for kind in (_LIST, _BITMAP, _PROBES)}
        at = self._walk(stream.tolist(), places)
        if self._bounds is not None:
            self._check(self._bounds, stream, places)
        self._rest = stream[at:].copy() if at < len(stream) else _NO_WORDS
        if len(places[_LIST]) + len(places[_BITMAP]) == _PLACE_WORDS:
            # One step, as closed loops run them.
            self._take_one(stream, *(places[_LIST] or places[_BITMAP]), is_list=bool(places[_LIST]))
        elif places[_LIST] or places[_BITMAP]:
            self._take_spikes(stream, _Records(places[_LIST]), _Records(places[_BITMAP]))
        if places[_PROBES]:
            probes = _Records(places[_PROBES])
            pairs = probes.words(stream).astype(np.uint32).reshape(len(probes), -1, 2)
            self._samples.append((probes.steps, pairs[:, :, 0] | pairs[:, :, 1] << np.uint32(16)))

    def _walk(self, words: list[int], places: Mapping[int, list[int]]) -> int:
        """Find the records; return where the first incomplete one begins."""
        at, size = 0, len(words)
        time, ended = self._time, self.ended
        while at < size:
            if ended:
                raise DeviceError("the device sent records after the end of the run; load the image again")
            first = words[at]
            kind, argument = first >> 14, first & 0x3FFF
            if first == END_WORD:
                if at + _END_WORDS > size:
                    break
                low, high, reason = words[at + 1 : at + _END_WORDS]
                time = low | high << 16
                if reason not in _REASONS:
                    raise _nonsense(f"a run ended for the reason {reason}, which is none of {_REASONS}")
                self.end = (time, EndReason(reason))
                ended = self.ended
                at += _END_WORDS
            elif kind == _TIME:
                if not argument:
                    raise _nonsense("a record said that time goes on by 0 steps")
                time += argument
                at += 1
            else:
                count = 2 * argument if kind == _PROBES else argument
                if at + 1 + count > size:
                    break
                places[kind] += (time, at + 1, count)
                at += 1 + count
        self._time = time
        return at

    def _check(self, bounds: Bounds, stream: npt.NDArray[np.uint16], places: Mapping[int, list[int]]) -> None:
        """Raise DeviceError if records are not those of the run: a step too many, or twice, or a neuron."""
        spikes = places[_LIST] + places[_BITMAP]
        for name, numbers in (("spikes", spikes), ("probes", places[_PROBES])):
            if not numbers:
                continue
            steps = numbers[::_PLACE_WORDS] if len(numbers) == _PLACE_WORDS else sorted(numbers[::3])
            if steps[0] <= self._last[name] or steps[-1] >= bounds.end or len(set(steps)) != len(steps):
                raise _nonsense(
                    f"records of {name} came for steps {steps[0]} to {steps[-1]}, some twice or outside of "
                    f"{self._last[name] + 1} to {bounds.end - 1}"
                )
            self._last[name] = steps[-1]
        samples = {*places[_PROBES][2::3]}
        self._sample_words = self._sample_words or max(samples, default=0)
        wrong = {*places[_BITMAP][2::3]} - {bounds.bitmap_words} or samples - {self._sample_words}
        if wrong or self._sample_words > 2 * bounds.probes:
            raise _nonsense(f"a record has {max(wrong or samples)} words, which is not what others have")
        for start, count in zip(places[_LIST][1::3], places[_LIST][2::3], strict=True):
            if not count or stream[start + count - 1] >= bounds.neurons:
                raise _nonsense(f"a spike came from a neuron that is not in 0 to {bounds.neurons - 1}")

    def _take_one(
        self, stream: npt.NDArray[np.uint16], step: int, start: int, count: int, *, is_list: bool
    ) -> None:
        """Take the spikes of the only record of a piece that has some."""
        body = stream[start : start + count]
        if is_list:
            neurons = body.astype(np.int64)
        else:
            bits = np.unpackbits(body.astype("<u2").view(np.uint8), bitorder="little")
            neurons = bits.nonzero()[0].astype(np.int64)
        self._spikes.append((np.full(len(neurons), step, dtype=np.int64), neurons))

    def _take_spikes(self, stream: npt.NDArray[np.uint16], lists: _Records, bitmaps: _Records) -> None:
        """Take the spikes of a piece, in order."""
        steps = [np.repeat(lists.steps, lists.counts)] if len(lists) else []
        neurons = [lists.words(stream).astype(np.int64)] if len(lists) else []
        if len(bitmaps):
            rows = bitmaps.words(stream).astype("<u2").reshape(len(bitmaps), -1)
            record, neuron = np.nonzero(np.unpackbits(rows.view(np.uint8), axis=1, bitorder="little"))
            steps.append(bitmaps.steps[record])
            neurons.append(neuron.astype(np.int64))
        (when, *_), (who, *_) = steps, neurons
        if len(steps) > 1:
            when, who = np.concatenate(steps), np.concatenate(neurons)
            # A step has a list or a bitmap, so that steps alone decide the order.
            order = np.argsort(when, kind="stable")
            when, who = when[order], who[order]
        self._spikes.append((when, who))

    def spikes(self) -> tuple[IntArray, IntArray]:
        """Return (steps, neurons) of all spikes so far, (K,) int64 each."""
        if len(self._spikes) == 1:
            return self._spikes[0]
        if not self._spikes:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        return np.concatenate([t for t, _ in self._spikes]), np.concatenate([n for _, n in self._spikes])

    def samples(self) -> tuple[IntArray, npt.NDArray[np.uint32]]:
        """Return (steps, values) of all probe records so far: (T,) int64 and (T, probes) uint32 raw bits."""
        if not self._samples:
            return np.zeros(0, dtype=np.int64), np.zeros((0, 0), dtype=np.uint32)
        return np.concatenate([t for t, _ in self._samples]), np.concatenate([v for _, v in self._samples])
