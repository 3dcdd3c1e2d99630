"""Decoding of the record stream into spikes, samples and the end of a run."""

from __future__ import annotations

from collections.abc import Mapping
from operator import ge
from typing import Final, NamedTuple

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
_DISORDER: Final = "a step has spikes that are not in the order of their neurons, or some twice"
# Plain numbers, which compare quicker than members of an enumeration.
_LIST, _BITMAP, _PROBES, _TIME = map(int, RecordKind)


class Bounds(NamedTuple):
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


class _State(NamedTuple):
    """All that a decoder knows; replaced as a whole, so that an exception leaves a piece decoded or not.

    Attributes
    ----------
    end : tuple of (int, EndReason) or None
        The end record, if there was one.
    words : int
        Words so far.
    time : int
        Step of the next record.
    last_spikes, last_probes : int
        Steps of the last records of spikes and of probes.
    sample_words : int
        Words of a record of probes; 0 before the first.
    rest : (n,) uint16
        The incomplete record at the end.
    spikes, samples : int
        How many pieces of spikes and of samples count.
    """

    end: tuple[int, EndReason] | None
    words: int
    time: int
    last_spikes: int
    last_probes: int
    sample_words: int
    rest: npt.NDArray[np.uint16]
    spikes: int
    samples: int


class RecordDecoder:
    """Decodes the records of one run, which may arrive in pieces of any size.

    A piece is decoded as a whole or, after any exception, not at all.
    Only the first word of each record is looked at one by one; the rest of a piece is taken at once, since
    there are as many records as steps, and a step may be a matter of microseconds.

    Parameters
    ----------
    now : int
        The step at which the run starts.
    bounds : Bounds, optional
        What the records of the run may say; by default anything.
    before : int
        Words that the port had returned before the run.

    Attributes
    ----------
    before : int
        The same.
    """

    def __init__(self, now: int, bounds: Bounds | None = None, before: int = 0):
        self.before = before
        self._bounds = bounds
        self._state = _State(None, 0, now, now - 1, now - 1, 0, _NO_WORDS, 0, 0)
        # What is beyond the numbers of pieces in the state was left by a piece that was cut short.
        self._spikes: list[tuple[IntArray, IntArray]] = []
        self._samples: list[tuple[IntArray, npt.NDArray[np.uint32]]] = []

    @property
    def end(self) -> tuple[int, EndReason] | None:
        """The step given by the end record, and why the run ended."""
        return self._state.end

    @property
    def time(self) -> int:
        """The step of the next record."""
        return self._state.time

    @property
    def words(self) -> int:
        """Words of all records so far."""
        return self._state.words

    @property
    def ended(self) -> bool:
        """Whether the run has ended, and not only paused."""
        end = self._state.end
        return end is not None and end[1] != EndReason.PAUSED

    def feed(self, words: npt.NDArray[np.uint16]) -> None:
        """Decode the next words, (n,) uint16; an incomplete record waits for its rest.

        Raises
        ------
        DeviceError
            If words follow the end of the run, or say what no run of this array can; none counts then.
        """
        state = self._state
        del self._spikes[state.spikes :], self._samples[state.samples :]
        stream = np.concatenate([state.rest, words]) if len(state.rest) else words
        places: dict[int, list[int]] = {kind: [] for kind in (_LIST, _BITMAP, _PROBES)}
        at, time, end = _walk(stream.tolist(), state, places)
        last = (state.last_spikes, state.last_probes, state.sample_words)
        if self._bounds is not None:
            if time > self._bounds.end and not _has_ended(end):
                raise _nonsense(f"records came for step {time} of a run that ends at {self._bounds.end}")
            last = _check(self._bounds, stream, places, state)
        rest = stream[at:].copy() if at < len(stream) else _NO_WORDS
        if len(places[_LIST]) + len(places[_BITMAP]) == _PLACE_WORDS:
            # One step, as closed loops run them.
            is_list = bool(places[_LIST])
            spikes = _one(stream, *(places[_LIST] or places[_BITMAP]), is_list=is_list)
            if self._bounds is not None:
                _check_step(self._bounds, spikes[1].tolist(), is_list=is_list)
            self._spikes.append(spikes)
        elif places[_LIST] or places[_BITMAP]:
            spikes = _spikes(stream, _Records(places[_LIST]), _Records(places[_BITMAP]))
            if self._bounds is not None:
                _check_neurons(self._bounds, *spikes)
            self._spikes.append(spikes)
        if places[_PROBES]:
            probes = _Records(places[_PROBES])
            pairs = probes.words(stream).astype(np.uint32).reshape(len(probes), -1, 2)
            self._samples.append((probes.steps, pairs[:, :, 0] | pairs[:, :, 1] << np.uint32(16)))
        self._state = _State(
            end, state.words + len(words), time, *last, rest, len(self._spikes), len(self._samples)
        )

    def spikes(self) -> tuple[IntArray, IntArray]:
        """Return (steps, neurons) of all spikes so far, (K,) int64 each."""
        pieces = self._spikes[: self._state.spikes]
        if len(pieces) == 1:
            return pieces[0]
        if not pieces:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        return np.concatenate([t for t, _ in pieces]), np.concatenate([n for _, n in pieces])

    def samples(self) -> tuple[IntArray, npt.NDArray[np.uint32]]:
        """Return (steps, values) of all probe records so far: (T,) int64 and (T, probes) uint32 raw bits."""
        pieces = self._samples[: self._state.samples]
        if not pieces:
            return np.zeros(0, dtype=np.int64), np.zeros((0, 0), dtype=np.uint32)
        return np.concatenate([t for t, _ in pieces]), np.concatenate([v for _, v in pieces])


def _has_ended(end: tuple[int, EndReason] | None) -> bool:
    return end is not None and end[1] != EndReason.PAUSED


def _walk(
    words: list[int], state: _State, places: Mapping[int, list[int]]
) -> tuple[int, int, tuple[int, EndReason] | None]:
    """Find the records; return where the first incomplete one begins, the time there, and the end."""
    at, size = 0, len(words)
    time, end = state.time, state.end
    ended = _has_ended(end)
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
            end = (time, EndReason(reason))
            ended = _has_ended(end)
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
    return at, time, end


def _check(
    bounds: Bounds, stream: npt.NDArray[np.uint16], places: Mapping[int, list[int]], state: _State
) -> tuple[int, int, int]:
    """Return the last steps of spikes and of probes, and the words of a record of probes.

    Raises DeviceError if records are not those of the run: a step too many, or twice, or a neuron.
    """
    last = [state.last_spikes, state.last_probes]
    spikes = places[_LIST] + places[_BITMAP]
    for k, (name, numbers) in enumerate((("spikes", spikes), ("probes", places[_PROBES]))):
        if not numbers:
            continue
        steps = numbers[::_PLACE_WORDS] if len(numbers) == _PLACE_WORDS else sorted(numbers[::3])
        if steps[0] <= last[k] or steps[-1] >= bounds.end or len(set(steps)) != len(steps):
            raise _nonsense(
                f"records of {name} came for steps {steps[0]} to {steps[-1]}, some twice or outside of "
                f"{last[k] + 1} to {bounds.end - 1}"
            )
        last[k] = steps[-1]
    samples = {*places[_PROBES][2::3]}
    sample_words = state.sample_words or max(samples, default=0)
    wrong = {*places[_BITMAP][2::3]} - {bounds.bitmap_words} or samples - {sample_words}
    if wrong or sample_words > 2 * bounds.probes:
        raise _nonsense(f"a record has {max(wrong or samples)} words, which is not what others have")
    if 0 in places[_LIST][2::3]:
        raise _nonsense("a list of spikes has none")
    return last[0], last[1], sample_words


def _check_neurons(bounds: Bounds, steps: IntArray, neurons: IntArray) -> None:
    """Raise DeviceError if a spike is of no neuron, or the neurons of a step are not in order."""
    _check_last(bounds, int(neurons.max(initial=0)))
    if ((neurons[1:] <= neurons[:-1]) & (steps[1:] == steps[:-1])).any():
        raise _nonsense(_DISORDER)


def _check_step(bounds: Bounds, neurons: list[int], *, is_list: bool) -> None:
    """Do the same for one step, whose bitmap is always in order."""
    if is_list and any(map(ge, neurons, neurons[1:])):
        raise _nonsense(_DISORDER)
    if neurons:
        _check_last(bounds, neurons[-1])


def _check_last(bounds: Bounds, neuron: int) -> None:
    if neuron >= bounds.neurons:
        raise _nonsense(f"a spike came from neuron {neuron}, which is not in 0 to {bounds.neurons - 1}")


def _one(
    stream: npt.NDArray[np.uint16], step: int, start: int, count: int, *, is_list: bool
) -> tuple[IntArray, IntArray]:
    """Return the spikes of the only record of a piece that has some."""
    body = stream[start : start + count]
    if is_list:
        neurons = body.astype(np.int64)
    else:
        bits = np.unpackbits(body.astype("<u2").view(np.uint8), bitorder="little")
        neurons = bits.nonzero()[0].astype(np.int64)
    return np.full(len(neurons), step, dtype=np.int64), neurons


def _spikes(stream: npt.NDArray[np.uint16], lists: _Records, bitmaps: _Records) -> tuple[IntArray, IntArray]:
    """Return the spikes of a piece, in order."""
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
    return when, who
