"""Text of foreign origin in messages: names and values out of files."""

from __future__ import annotations

__all__ = ["one_line"]


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
