"""Words in messages: text of foreign origin, and what a wrong word may have meant."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable
from typing import Any, Final

__all__ = ["did_you_mean", "one_line", "shown"]

_MOST: Final = 120
"""Letters of a value in a message."""
_MOST_BITS: Final = 256


class _Repr(reprlib.Repr):
    """Representations of values of any size and kind."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = _MOST

    def repr_int(self, value: int, level: int) -> str:
        # Python refuses to write whole numbers of more than 4,300 digits.
        bits = value.bit_length()
        return f"a whole number of {bits} bits" if bits > _MOST_BITS else repr(value)


_REPR: Final = _Repr()


def shown(value: Any) -> str:
    """Return a value for a message: in one short line, whatever it is."""
    return one_line(" ".join(_REPR.repr(value).split()), _MOST)


def one_line(text: str, most: int = 600) -> str:
    """Return text for a message: control characters are escaped, and of a long text the middle is left out.

    Parameters
    ----------
    text : str
        Any text.
    most : int
        Length beyond which the middle is left out.
    """
    if len(text) > most:
        half = (most - 5) // 2
        text = f"{text[:half]} ... {text[-half:]}"
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Return " (did you mean ...?)" with the nearest of some words, or nothing if none is near.

    Parameters
    ----------
    word : str
        What was written.
    words : iterable of str
        What is allowed.
    """
    from difflib import get_close_matches

    near = get_close_matches(word.lower(), words, n=1, cutoff=0.6)
    return f" (did you mean {near[0]}?)" if near else ""
