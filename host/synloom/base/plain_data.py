"""JSON and files of any origin: bounded before they are read, and one kind of error."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO, Final

from synloom.base.errors import ParameterError
from synloom.base.wording import one_line

__all__ = ["MOST_JSON", "digest_of", "open_regular", "parse_json", "read_bounded"]

MOST_JSON: Final = 16 << 20
"""Most bytes of a JSON text; one of 2,048 populations of one neuron has 9 MiB."""
_PIECE: Final = 1 << 20
_MOST_ITEMS: Final = 1 << 20
"""Most lists, tables and commas of a JSON text: each may cost a hundred bytes of memory."""


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading; devices and pipes, which may never end, are refused.

    Raises
    ------
    OSError
        If it cannot be opened.
    ParameterError
        If it is not a regular file, or its name cannot be one.
    """
    try:
        # A pipe without a writer would make a plain `open` wait.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError as error:
        raise ParameterError(f"cannot be the name of a file: {error}") from error
    file = os.fdopen(descriptor, "rb")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise ParameterError("is not a regular file")
    return file


def read_bounded(path: Path, most: int) -> bytes:
    """Return the contents of a regular file of at most `most` bytes.

    Raises
    ------
    OSError
        If it cannot be read.
    ParameterError
        If it is larger, is not a regular file, or its name cannot be one.
    """
    with open_regular(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ParameterError(f"has more than {most:,} bytes")
    return content


def digest_of(path: Path) -> str:
    """Return the SHA-256 digest of a regular file, 64 hex digits.

    Raises
    ------
    OSError
        If it cannot be read.
    ParameterError
        If it is not a regular file.
    """
    sha = hashlib.sha256()
    with open_regular(path) as file:
        while piece := file.read(_PIECE):
            sha.update(piece)
    return sha.hexdigest()


def parse_json(text: bytes) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    ParameterError
        If it is too large, is nested too deeply or is no JSON.
    """
    if len(text) > MOST_JSON or sum(map(text.count, (b"[", b"{", b","))) > _MOST_ITEMS:
        raise ParameterError(f"JSON must have at most {MOST_JSON:,} bytes and {_MOST_ITEMS:,} items")
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ParameterError("JSON is nested too deeply") from error
    except ValueError as error:  # also wrong UTF-8, and whole numbers of thousands of digits
        raise ParameterError(f"no JSON: {one_line(str(error), 200)}") from error
