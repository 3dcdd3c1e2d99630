"""Decoding of the record stream into spikes, samples and the end of a run."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.base.checks import IntArray
from synloom.base.errors import DeviceError
from synloom.contract.records import END_WORD, EndReason, RecordKind

__all__ = ["RecordDecoder"]

_END_WORDS: Final = 4


class RecordDecoder:
    """Decodes the records of one run, which may arrive in pieces of any size.

    Parameters
    ----------
    now : int
        The step at which the run starts.

    Attributes
    ----------
    end : tuple of (int, EndReason) or None
        The step given by the end record, and why the run ended.
    words : int
        Words of all records so far.
    """

    def __init__(self, now: int):
        self.end: tuple[int, EndReason] | None = None
        self.words = 0
        self._time = now
        self._rest: npt.NDArray[np.uint16] = np.zeros(0, dtype=np.uint16)
        self._spikes: list[tuple[int, npt.NDArray[np.int64]]] = []
        self._samples: list[tuple[int, npt.NDArray[np.uint32]]] = []

    @property
    def ended(self) -> bool:
        """Whether the run has ended, and not only paused."""
        return self.end is not None and self.end[1] != EndReason.PAUSED

    def feed(self, words: npt.NDArray[np.uint16]) -> None:
        """Decode the next words, (n,) uint16; an incomplete record waits for its rest.

        Raises
        ------
        DeviceError
            If words follow the end of the run.
        """
        self.words += len(words)
        stream = np.concatenate([self._rest, words]) if len(self._rest) else words
        at = 0
        while at < len(stream):
            if self.ended:
                raise DeviceError("the device sent records after the end of the run; load the image again")
            size = _record_words(int(stream[at]))
            if at + size > len(stream):
                break
            self._record(int(stream[at]), stream[at + 1 : at + size])
            at += size
        self._rest = stream[at:].copy()

    def _record(self, first: int, body: npt.NDArray[np.uint16]) -> None:
        kind, argument = RecordKind(first >> 14), first & 0x3FFF
        if first == END_WORD:
            step = int(body[0]) | int(body[1]) << 16
            self.end = (step, EndReason(int(body[2])))
            self._time = step
        elif kind == RecordKind.TIME:
            self._time += argument
        elif kind == RecordKind.SPIKES:
            self._spikes.append((self._time, body.astype(np.int64)))
        elif kind == RecordKind.BITMAP:
            bits = np.unpackbits(body.astype("<u2").view(np.uint8), bitorder="little")
            self._spikes.append((self._time, np.flatnonzero(bits).astype(np.int64)))
        else:
            pairs = body.reshape(-1, 2).astype(np.uint32)
            self._samples.append((self._time, pairs[:, 0] | pairs[:, 1] << np.uint32(16)))

    def spikes(self) -> tuple[IntArray, IntArray]:
        """Return (steps, neurons) of all spikes so far, (K,) int64 each."""
        if not self._spikes:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        steps = np.repeat([t for t, _ in self._spikes], [len(n) for _, n in self._spikes])
        return steps.astype(np.int64), np.concatenate([n for _, n in self._spikes])

    def samples(self) -> tuple[IntArray, npt.NDArray[np.uint32]]:
        """Return (steps, values) of all probe records so far: (T,) int64 and (T, probes) uint32 raw bits."""
        steps = np.array([t for t, _ in self._samples], dtype=np.int64)
        values = [v for _, v in self._samples]
        return steps, np.stack(values) if values else np.zeros((0, 0), dtype=np.uint32)


def _record_words(first: int) -> int:
    if first == END_WORD:
        return _END_WORDS
    kind, argument = RecordKind(first >> 14), first & 0x3FFF
    return 1 + {RecordKind.TIME: 0, RecordKind.PROBES: 2 * argument}.get(kind, argument)
