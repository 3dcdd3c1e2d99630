"""The file of a log: entries one after the other, each with a digest of itself and all before it.

After the line `_MAGIC` each entry has: the length of its head and of its body (32 bits each, low byte
first), 16 bytes of a digest, the head (JSON: what happened) and the body (its arrays, packed). What is
written is with the system at once, so that a process that is killed loses no whole entry.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import numpy as np
import numpy.typing as npt

from synloom.base.checks import whole
from synloom.base.errors import MismatchError, ParameterError
from synloom.base.plain_data import open_regular, parse_json
from synloom.base.wording import one_line

__all__ = ["MOST_BODY", "Entry", "LogReader", "LogWriter"]

MOST_BODY: Final = 256 << 20
"""Most bytes of the arrays of one entry, unpacked."""
_MOST_HEAD: Final = 1 << 20
_NAME: Final = b"synloom log "
_MAGIC: Final = _NAME + b"1\n"
_FRAME: Final = struct.Struct("<II16s")
_TYPES: Final = ("uint8", "int8", "uint16", "uint32", "int64")
_DIMENSIONS: Final = 2


@dataclass(frozen=True, eq=False)
class Entry:
    """One entry of a log.

    Parameters
    ----------
    number : int
        Its place, from 0 on.
    kind : str
        What happened.
    values : mapping of str to object
        Plain values.
    arrays : mapping of str to array
        Arrays.
    """

    number: int
    kind: str
    values: Mapping[str, Any]
    arrays: Mapping[str, npt.NDArray[Any]]


class LogWriter:
    """Writes a log.

    Parameters
    ----------
    path : Path
        The file, which must not exist.

    Raises
    ------
    OSError
        If it exists, or cannot be written.
    """

    def __init__(self, path: Path):
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o666)
        # Length of the file and digest of its last entry; and the same of the one that is being written.
        self._at, self._next = (0, b""), (len(_MAGIC), b"")
        self._write(_MAGIC)
        self._at = self._next

    def add(self, kind: str, values: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Append an entry; OSError if that fails."""
        shapes = {name: [array.dtype.name, *array.shape] for name, array in arrays.items()}
        head = json.dumps({"kind": kind, **values, "arrays": shapes}, separators=(",", ":")).encode()
        body = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays.values())
        if body:
            body = zlib.compress(body, 1)
        self._settle()
        length, digest = self._at
        digest = _next(digest, head, body)
        frame = _FRAME.pack(len(head), len(body), digest) + head + body
        self._next = (length + len(frame), digest)
        self._write(frame)
        self._at = self._next

    def _settle(self) -> None:
        """Find out whether an entry whose writing was cut short is there; a part of it is removed."""
        size = os.fstat(self._file).st_size
        if size == self._next[0]:
            self._at = self._next
        elif size > self._at[0]:
            os.ftruncate(self._file, self._at[0])

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _write(self, content: bytes) -> None:
        left = memoryview(content)
        while left:
            left = left[os.write(self._file, left) :]


class LogReader:
    """Reads the entries of a log of any origin; a last one that is not whole is left out.

    Parameters
    ----------
    path : Path
        The file.

    Attributes
    ----------
    cut : bool
        Whether a last entry was left out, once all others were read.

    Raises
    ------
    OSError
        If it cannot be read.
    ParameterError
        If it is no log.
    MismatchError
        If it is a log of another version.
    """

    def __init__(self, path: Path):
        self.cut = False
        self._digest = b""
        self._file = open_regular(path)
        magic = self._file.read(len(_MAGIC))
        if magic != _MAGIC:
            self._file.close()
            if magic.startswith(_NAME) and magic.endswith(b"\n"):
                version = one_line(magic.removeprefix(_NAME).strip().decode("latin-1"), 20)
                raise MismatchError(
                    f"it is a log of version {version}, this SDK reads version 1; install the synloom that "
                    f"wrote it"
                )
            raise ParameterError("it does not begin as a log does")

    def __iter__(self) -> Iterator[Entry]:
        """Yield the entries; ParameterError names the first one that is damaged."""
        number = 0
        try:
            while (entry := self._entry(number)) is not None:
                yield entry
                number += 1
        except ParameterError as error:
            raise ParameterError(f"entry {number} is damaged: {error}") from error
        finally:
            self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _entry(self, number: int) -> Entry | None:
        frame = self._file.read(_FRAME.size)
        if len(frame) < _FRAME.size:
            self.cut = bool(frame)
            return None
        head_size, body_size, digest = _FRAME.unpack(frame)
        if head_size > _MOST_HEAD or body_size > MOST_BODY:
            raise ParameterError(f"it has {head_size:,} and {body_size:,} bytes")
        head, body = _read(self._file, head_size), _read(self._file, body_size)
        if len(head) < head_size or len(body) < body_size:
            self.cut = True
            return None
        self._digest = _next(self._digest, head, body)
        if digest != self._digest:
            raise ParameterError("its digest is wrong")
        values = parse_json(head)
        if not isinstance(values, dict) or not isinstance(kind := values.pop("kind", None), str):
            raise ParameterError("it has no kind")
        return Entry(number, kind, values, _arrays(values.pop("arrays", None), body))


def _next(digest: bytes, head: bytes, body: bytes) -> bytes:
    sha = hashlib.sha256(digest)
    sha.update(struct.pack("<I", len(head)) + head)
    sha.update(body)
    return sha.digest()[:16]


def _read(file: BinaryIO, size: int) -> bytes:
    """Return the next bytes, fewer at the end of the file; memory is taken only for those that are there."""
    parts, left = [], size
    while left and (part := file.read(min(left, 1 << 20))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _arrays(shapes: Any, body: bytes) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a body, which has no more bytes than the head says."""
    if not isinstance(shapes, dict):
        raise ParameterError("it has no arrays")
    places: dict[str, tuple[np.dtype[Any], tuple[int, ...], int, int]] = {}
    end = 0
    for name, described in shapes.items():
        if not isinstance(described, list) or not described or described[0] not in _TYPES:
            raise ParameterError(f"array {one_line(repr(name), 60)} has no known type")
        shape = tuple(whole("a dimension", size, 0, MOST_BODY) for size in described[1:])
        if not 1 <= len(shape) <= _DIMENSIONS:
            raise ParameterError(f"array {one_line(repr(name), 60)} has {len(shape)} dimensions")
        dtype = np.dtype(described[0])
        size = int(np.prod([*shape, dtype.itemsize], dtype=object))
        places[name] = dtype, shape, end, end + size
        end += size
        if end > MOST_BODY:
            raise ParameterError(f"its arrays have more than {MOST_BODY:,} bytes")
    content = _unpacked(body, end)
    return {
        name: np.frombuffer(content[first:last], dtype=dtype).reshape(shape)
        for name, (dtype, shape, first, last) in places.items()
    }


def _unpacked(body: bytes, size: int) -> bytes:
    if not size and not body:
        return b""
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(body, size + 1)
    except zlib.error as error:
        raise ParameterError(f"its arrays are damaged: {one_line(str(error), 100)}") from error
    if len(content) != size or unpacker.unconsumed_tail or unpacker.unused_data or not unpacker.eof:
        raise ParameterError(f"its arrays do not have {size:,} bytes")
    return content
