"""Words in messages: text of foreign origin, and what a wrong word may have meant."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["did_you_mean", "one_line"]


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
