"""How many record frames a line loses, as far as the host can tell."""

from __future__ import annotations

from typing import Final

__all__ = ["RecordLoss"]

_BAD_LINE: Final = 0.2
"""Share of lost frames above which they are kept short."""
_GAIN: Final = 0.125
"""Weight of a record frame in the smoothed share of lost ones."""
_TRIES: Final = 2
"""Requests without success after which frames are kept short."""


class RecordLoss:
    """How many record frames are lost, as far as the host can tell."""

    def __init__(self) -> None:
        self._share = 0.0
        self._frames = self._errors = 0
        self._requests = self._damaged = 0

    @property
    def is_bad(self) -> bool:
        """Whether frames should be short, so that more of them arrive."""
        return self._share > _BAD_LINE or self._requests >= _TRIES

    def see(self, frames: int) -> None:
        """Note how many frames with new words have arrived in all."""
        if frames > self._frames:
            self._share *= (1 - _GAIN) ** (frames - self._frames)
            self._frames = frames
            self._requests = self._damaged = 0

    def suspects(self, errors: int) -> bool:
        """Return whether frames were damaged since the last request; `errors` is their number in all."""
        return errors > self._errors

    def rewind(self, gap: bool, errors: int) -> int:
        """Note a request for lost frames; return how many in a row had reason to and brought none.

        Parameters
        ----------
        gap : bool
            A frame is missing.
        errors : int
            Damaged frames in all.
        """
        self._requests += 1
        if gap or errors > self._errors:
            self._damaged += 1
            self._share += _GAIN * (1 - self._share)
        self._errors = errors
        return self._damaged
