"""NumPy archives (`.npz`) of any origin: each member is checked and bounded before it is unpacked."""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Protocol, Self

import numpy as np
import numpy.typing as npt

from synloom.base.errors import ParameterError
from synloom.base.plain_data import open_regular
from synloom.base.wording import one_line

__all__ = ["Archive", "Arrays", "Member", "packed", "read_member"]

_MOST_AT_ONCE: Final = 4 << 20
"""Most bytes of one read of the file: a directory of more than 50,000 members is refused unread."""
_PIECE: Final = 1 << 20
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_HEADER: Final = re.compile(
    r"\{'descr': '(?P<descr>[<>|=]?[a-zA-Z]\d{0,6})', 'fortran_order': (?P<fortran>True|False), "
    r"'shape': \((?P<shape>[\d, ]{0,100})\),? ?\} *\n?"
)
_DIMENSION: Final = re.compile(r"\d{1,12}")


@dataclass(frozen=True, slots=True)
class Member:
    """What an array's header says.

    Parameters
    ----------
    dtype : numpy.dtype
        Type of its elements; never objects.
    shape : tuple of int
        Its shape.
    fortran : bool
        Whether it is stored column by column.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool

    @property
    def size(self) -> int:
        """Its size in bytes, unpacked."""
        return math.prod(self.shape) * self.dtype.itemsize


class Arrays(Protocol):
    """Arrays by name, each with a header that is known before it is read: an archive, or a part of one."""

    @property
    def members(self) -> Mapping[str, Member]:
        """What the headers of the arrays say, by name."""
        ...

    def read(self, name: str, most: int) -> npt.NDArray[Any]:
        """Return an array of at most `most` bytes."""
        ...


class Archive:
    """An open archive of arrays.

    Parameters
    ----------
    source : Path or bytes
        The file, or its content.

    Raises
    ------
    OSError
        If the file cannot be read.
    ParameterError
        If it is no archive of arrays, or is damaged.
    """

    def __init__(self, source: Path | bytes):
        self._file = _Sparing(io.BytesIO(source) if isinstance(source, bytes) else open_regular(source))
        try:
            self._zip = zipfile.ZipFile(self._file)
            self._members = dict(map(self._member, self._zip.infolist()))
            if len(self.members) < len(self._zip.infolist()):
                raise ValueError("two members have one name")
        except (OSError, ParameterError):
            self._file.close()
            raise
        except Exception as error:  # zipfile, zlib and struct raise a dozen kinds for damaged files
            self._file.close()
            raise ParameterError(f"is no archive of arrays: {one_line(str(error), 200)}") from error

    @property
    def members(self) -> Mapping[str, Member]:
        """What the headers of the arrays say, by name."""
        return self._members

    def part(self, prefix: str) -> Arrays:
        """Return the arrays whose names begin with a prefix, by the rest of their names."""
        return _Part(self, prefix)

    def read(self, name: str, most: int) -> npt.NDArray[Any]:
        """Return an array of at most `most` bytes.

        Raises
        ------
        OSError
            If the file cannot be read.
        ParameterError
            If there is no such array, or if it is larger or damaged.
        """
        if name not in self.members:
            raise ParameterError(f"has no array {name!r}")
        if self.members[name].size > most:
            raise ParameterError(
                f"{one_line(repr(name), 80)} has {self.members[name].size:,} bytes; at most {most:,} are "
                f"allowed"
            )
        try:
            with self._zip.open(f"{name}.npy") as file:
                array = read_member(file)
                if file.read(1):
                    raise ValueError("more bytes than its shape says")
            return array
        except OSError:
            raise
        except Exception as error:  # as above
            raise ParameterError(
                f"{one_line(repr(name), 80)} is damaged: {one_line(str(error), 200)}"
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._zip.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _member(self, info: zipfile.ZipInfo) -> tuple[str, Member]:
        """Return the name and the header of a member."""
        if not info.filename.endswith(".npy") or info.compress_type not in _METHODS:
            raise ValueError(f"{info.filename!r} is no array")
        with self._zip.open(info) as file:
            member, start = _header(file)
        if start + member.size != info.file_size:
            raise ValueError(f"{info.filename!r} has {info.file_size} bytes, not {start + member.size}")
        return info.filename.removesuffix(".npy"), member


class _Part:
    """A part of an archive: the arrays whose names begin with a prefix."""

    def __init__(self, archive: Archive, prefix: str):
        self._archive, self._prefix = archive, prefix
        self.members: Mapping[str, Member] = {
            name.removeprefix(prefix): member
            for name, member in archive.members.items()
            if name.startswith(prefix)
        }

    def read(self, name: str, most: int) -> npt.NDArray[Any]:
        """Return an array of at most `most` bytes; the errors are those of `Archive.read`."""
        return self._archive.read(self._prefix + name, most)


def packed(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Return the content of an archive of these arrays."""
    buffer = io.BytesIO()
    members: dict[str, Any] = dict(arrays)
    np.savez_compressed(buffer, **members)
    return buffer.getvalue()


def read_member(file: Any, most: int | None = None) -> npt.NDArray[Any]:
    """Return the array of an open `.npy` file.

    Raises
    ------
    ValueError
        If it is none, is damaged, or has more than `most` bytes.
    """
    member, _ = _header(file)
    if most is not None and member.size > most:
        raise ValueError(f"{member.size:,} bytes; at most {most:,} are allowed")
    flat: npt.NDArray[Any] = np.empty(math.prod(member.shape), dtype=member.dtype)
    left = flat.view(np.uint8).data
    while len(left):
        # Unpacks straight into the array: a member is never in memory twice.
        count = file.readinto(left[:_PIECE])
        if not count:
            raise ValueError("it ends too early")
        left = left[count:]
    return flat.reshape(member.shape, order="F" if member.fortran else "C")


def _header(file: Any) -> tuple[Member, int]:
    """Return what the header of a `.npy` file says, and its length in bytes."""
    start: bytes = file.read(10)
    if len(start) < 10 or start[:8] != b"\x93NUMPY\x01\x00":
        raise ValueError("no array in the .npy format 1.0")
    length = int.from_bytes(start[8:], "little")
    found = _HEADER.fullmatch(file.read(length).decode("latin-1"))
    if found is None:
        raise ValueError("no array of numbers")
    dtype = np.dtype(found["descr"])
    if dtype.kind not in "biufcSU":
        raise ValueError(f"an array of {dtype}, not of numbers")
    shape = tuple(map(int, _DIMENSION.findall(found["shape"])))
    return Member(dtype, shape, found["fortran"] == "True"), len(start) + length


class _Sparing(io.BufferedReader):
    """A file that refuses to be read as a whole, which `zipfile` does if a damaged directory says so."""

    def __init__(self, file: BinaryIO):
        raw: Any = file if isinstance(file, io.BytesIO) else io.FileIO(file.fileno(), closefd=False)
        super().__init__(raw)
        self._source = file

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes, as many as are asked for, and at most `_MOST_AT_ONCE`."""
        wanted = _MOST_AT_ONCE + 1 if size is None or size < 0 else size
        content = super().read(min(wanted, _MOST_AT_ONCE + 1))
        if len(content) > _MOST_AT_ONCE:
            raise ValueError("its directory is too large")
        return content

    def close(self) -> None:
        """Close the file."""
        super().close()
        self._source.close()
