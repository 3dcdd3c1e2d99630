"""One direction of a bad line."""

from __future__ import annotations

import math
from collections import Counter, deque
from random import Random
from typing import Final

from synloom.contract.frames import CHECK_BYTES, FLAG, MAX_PAYLOAD
from synloom_sim.faults.rates import Faults

__all__ = ["LossyLine"]

_FLAG: Final = bytes([FLAG])
_LONGEST: Final = 2 * (MAX_PAYLOAD + CHECK_BYTES)
"""Most bytes between two flags, all of them stuffed."""
_REMEMBERED: Final = 60
_MOST_GARBAGE: Final = 8
_NEVER: Final = 1 << 62
_BYTES: Final = ("flips", "drops", "duplicates", "garbage")
_FRAMES: Final = ("damage", "losses", "repeats", "truncations", "delays", "replays")
_DAMAGES: Final = (*_BYTES, "losses", "repeats", "truncations")


class LossyLine:
    """One direction of a line: what is sent goes in, what arrives comes out.

    A frame is what lies between two flags. Which bytes and frames are hit depends on the seed and on their
    number alone, and neither on the other direction nor on the pieces in which they come.

    Parameters
    ----------
    faults : Faults
        How bad the line is.
    direction : str
        Its name, which gives it random numbers of its own.

    Attributes
    ----------
    counts : Counter of str
        How often each fault struck, by its name (of damage, also the way), and ``bytes`` and ``frames``
        that were sent.
    """

    def __init__(self, faults: Faults, direction: str) -> None:
        self.counts: Counter[str] = Counter()
        self._rng = Random(f"{faults.seed} {direction}")
        self._dice = {
            name: _Dice(getattr(faults, name), f"{faults.seed} {direction} {name}")
            for name in (*_BYTES, *_FRAMES)
        }
        self._part = b""
        self._waiting = bytearray()
        self._late = False
        self._before: deque[bytes] = deque(maxlen=_REMEMBERED)

    @property
    def holds(self) -> bool:
        """Whether bytes are on their way: an incomplete frame, or delayed ones."""
        return bool(self._part or self._waiting)

    def carry(self, data: bytes, *, whole: bool = False) -> bytes:
        """Send bytes; return those that arrive now. With `whole`, an incomplete frame is not waited for."""
        self.counts["bytes"] += len(data)
        *frames, self._part = (self._part + data).split(_FLAG)
        out = b"".join(self._send(body + _FLAG, ends=bool(body)) for body in frames)
        if self._part and (whole or len(self._part) > _LONGEST):
            body, self._part = self._part, b""
            out += self._send(body, ends=False)
        return out

    def release(self) -> bytes:
        """Return what was on its way: the reader has given up waiting."""
        part = self.carry(b"", whole=True)
        late, self._waiting, self._late = bytes(self._waiting), bytearray(), False
        return late + part

    def forget(self) -> None:
        """Drop what is on its way."""
        self._part, self._late = b"", False
        self._waiting.clear()

    def _send(self, piece: bytes, *, ends: bool) -> bytes:
        """Return what arrives now of a piece: a frame that ends with its flag, or other bytes."""
        sent, piece = piece, self._spoil_bytes(piece)
        if ends:
            piece = self._spoil_frame(sent, piece)
        if self._late:
            self._waiting += piece
            return b""
        return piece

    def _spoil_frame(self, sent: bytes, piece: bytes) -> bytes:
        """Return what arrives of a frame of which the bytes `piece` are left."""
        self.counts["frames"] += 1
        struck = {name for name in _FRAMES if self._dice[name].strikes()}
        self.counts.update(struck)
        if "damage" in struck:
            way = self._rng.choice(_DAMAGES)
            self.counts[f"damage: {way}"] += 1
            piece = self._damaged(piece, way)
        for way in ("truncations", "repeats", "losses"):
            if way in struck:
                piece = self._damaged(piece, way)
        if "replays" in struck and self._before:
            piece += self._rng.choice(self._before)
        self._before.append(sent)
        if "delays" in struck:
            self._late = True
        return piece

    def _spoil_bytes(self, piece: bytes) -> bytes:
        hits = [(place, way) for way in _BYTES for place in self._dice[way].within(len(piece))]
        # From the end, so that earlier places stay where they are.
        for place, way in sorted(hits, reverse=True):
            self.counts[way] += 1
            piece = self._spoilt(piece, place, way)
        return piece

    def _damaged(self, frame: bytes, way: str) -> bytes:
        match way:
            case "losses":
                return b""
            case "repeats":
                return frame + frame
            case "truncations":
                return frame[: self._rng.randrange(max(1, len(frame) - 1))]
            case _:
                return self._spoilt(frame, self._rng.randrange(len(frame)), way)

    def _spoilt(self, piece: bytes, place: int, way: str) -> bytes:
        before, byte, after = piece[:place], piece[place : place + 1], piece[place + 1 :]
        match way:
            case "flips":
                byte = bytes([byte[0] ^ 1 << self._rng.randrange(8)])
            case "drops":
                byte = b""
            case "duplicates":
                byte += byte
            case _:
                byte = self._rng.randbytes(self._rng.randint(1, _MOST_GARBAGE)) + byte
        return before + byte + after


class _Dice:
    """Which of many events happen, each with the same chance; draws a number only for each that does."""

    def __init__(self, rate: float, seed: str) -> None:
        self._rate = rate
        self._rng = Random(seed)
        self._skip = self._gap()

    def strikes(self) -> bool:
        """Return whether the next event happens."""
        return bool(self.within(1))

    def within(self, count: int) -> list[int]:
        """Return which of the next events happen, as ascending numbers below `count`."""
        hits, place = [], self._skip
        while place < count:
            hits.append(place)
            place += 1 + self._gap()
        self._skip = place - count
        return hits

    def _gap(self) -> int:
        """Return how many events fail before the next that happens."""
        if self._rate <= 0.0:
            return _NEVER
        if self._rate >= 1.0:
            return 0
        return int(min(float(_NEVER), math.log1p(-self._rng.random()) / math.log1p(-self._rate)))
