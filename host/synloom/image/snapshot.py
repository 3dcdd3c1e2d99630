"""Snapshots: all that decides how an experiment goes on, in one file that every target reads."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synloom.base.archive import Archive, Arrays, packed
from synloom.base.atomic_files import write_whole
from synloom.base.checks import IntArray, whole
from synloom.base.errors import MismatchError, ParameterError
from synloom.base.plain_data import MOST_JSON, parse_json
from synloom.base.wording import one_line, shown
from synloom.contract.memory import Memory
from synloom.contract.memory_map import memory_map
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.contract.registers import CONTROL_REGISTERS, COUNTERS, WIDE_COUNTER_BITS
from synloom.image.image import Image
from synloom.image.snapshot_validity import check_recorders, check_snapshot
from synloom.image.validity import MOST_EVENTS
from synloom.image.waiting import (
    MOST_CHANGES,
    MOST_NUMBERS,
    Change,
    changes_from,
    check_room,
    packed_changes,
)

__all__ = ["LIVE_REGISTERS", "Snapshot", "live_memories"]

FORMAT_VERSION: Final = 3
_MAGIC: Final = "synloom snapshot"
_IMAGE: Final = "image/"
"""How the names of the image's arrays begin."""
_KEYS: Final = {
    *("magic", "format", "digest", "header_digest"),
    *("now", "total", "registers", "spikes", "probes", "every", "counters", "inputs_merged"),
    "changes",
}
_MOST_TOTAL: Final = 1 << 62

LIVE_REGISTERS: Final = tuple(name for name, register in CONTROL_REGISTERS.items() if register.live)
"""Registers that a run or a call changes; all others are the image's."""


def live_memories(params: ArrayParams) -> dict[str, Memory]:
    """Return the memories that a run or a call changes, by name; all others are the image's."""
    changed = (Region.NEURON_PARAMS, Region.GEN_RATE, Region.PROGRAM)
    return {
        memory.region.name.lower(): memory
        for memory in memory_map(params).values()
        if memory.exists and (memory.dynamic or memory.region in changed)
    }


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """All state of an array and of its host between two runs; `Device.snapshot` makes one.

    Parameters
    ----------
    image : Image
        The network that was loaded.
    now : int
        The next step.
    total : int
        Steps since the image was loaded.
    registers : mapping of str to int
        Registers that change while a network runs (`LIVE_REGISTERS`), unsigned.
    memories : mapping of str to array
        Memories that change (`live_memories`): the weights, (S, N) int8; all others word by word, uint16.
    rates : (16 MW,) uint16
        Words of GEN_RATE that were set last.
    events : (E, 2) int64
        (step, id) of spikes and settings that wait for their step, sorted.
    changes : tuple of Change
        Changes of rates, currents, neurons and rules that wait for their step, sorted by it.
    spikes : sequence of str
        Labels of the populations whose spikes are recorded.
    probes : sequence of (str, str, int)
        Label, variable and index of each probe.
    every : int
        Steps from one sample to the next.
    counters : mapping of str to int
        What the array had counted; counters of clocks are those of the targets that it ran on.
    inputs_merged : int
        What the host had counted.
    """

    image: Image
    now: int
    total: int
    registers: Mapping[str, int]
    memories: Mapping[str, npt.NDArray[Any]]
    rates: npt.NDArray[np.uint16]
    events: IntArray
    changes: tuple[Change, ...]
    spikes: tuple[str, ...]
    probes: tuple[tuple[str, str, int], ...]
    every: int
    counters: Mapping[str, int]
    inputs_merged: int

    def __repr__(self) -> str:
        return f"<Snapshot at {self.time:g} ms of {self.image!r}, digest {self.digest()[:8]}>"

    @property
    def time(self) -> float:
        """Time of the next step, in ms."""
        return self.now * self.image.dt

    def digest(self) -> str:
        """Return the digest of all that decides the future, 32 hex digits: equal on all targets.

        Counters are left out, since they decide nothing and those of clocks differ between targets.
        """
        facts = [self.image.digest(), self.now, dict(self.registers)]
        facts += [self.spikes, self.probes, self.every, packed_changes(self.changes)[0]]
        sha = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
        for name, array in sorted(self._own_arrays().items()):
            sha.update(f"{name} {array.dtype.str} {array.shape}".encode())
            sha.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        return sha.hexdigest()[:32]

    # ---- one file ------------------------------------------------------------------------------

    def to_bytes(self) -> bytes:
        """Return the content of its file.

        Raises
        ------
        ParameterError
            If more than 16,777,216 spikes or 131,072 changes wait, or the network has as many spikes of its
            own.
        """
        if len(self.events) > MOST_EVENTS:
            raise ParameterError(
                f"a snapshot's file holds at most {MOST_EVENTS:,} spikes that wait, not "
                f"{len(self.events):,}; inject them in parts"
            )
        check_room(*packed_changes(self.changes))
        header = self._header()
        text = json.dumps({**header, "header_digest": _header_digest(header)}).encode()
        image = {_IMAGE + name: array for name, array in self.image.arrays().items()}
        return packed({"header": np.frombuffer(text, dtype=np.uint8), **self._own_arrays(), **image})

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the snapshot to one file; if that fails, an existing file is left unchanged.

        Raises
        ------
        ParameterError
            If the file cannot be written, or too many spikes or changes wait.
        """
        content, target = self.to_bytes(), _path(path)
        try:
            write_whole(target, content)
        except (OSError, ValueError) as error:  # ValueError: a name that no file can have
            why = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise ParameterError(
                f"cannot write the snapshot to {one_line(str(target), 300)!r}: {why}; give another path"
            ) from error

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Snapshot:
        """Load a snapshot from a file of any origin: all of it is checked before it is used.

        Raises
        ------
        ParameterError
            If `path` is not a path, or if the file cannot be read, is not a snapshot or is damaged; the
            message says what is wrong.
        MismatchError
            If its format, or its image's format or semantics, has another version than this SDK.
        """
        file = _path(path)
        return cls._read(file, one_line(str(file), 300))

    @classmethod
    def from_bytes(cls, content: bytes, name: str) -> Snapshot:
        """Return the snapshot whose file has this content.

        Parameters
        ----------
        content : bytes
            What `to_bytes` has returned.
        name : str
            What it is called in messages.

        Raises
        ------
        ParameterError, MismatchError
            As in `load`.
        """
        return cls._read(content, name)

    @classmethod
    def _read(cls, source: Path | bytes, name: str) -> Snapshot:
        try:
            with Archive(source) as archive:
                return cls._from_archive(archive, name)
        except OSError as error:
            raise ParameterError(
                f"cannot read the snapshot {name!r}: {error.strerror or error}; check the path"
            ) from error
        except ParameterError as error:
            raise ParameterError(
                f"{name!r} is not a Synloom snapshot, or it is damaged: {one_line(str(error), 400)}; "
                f"take it again"
            ) from error

    def _header(self) -> dict[str, Any]:
        return {
            "magic": _MAGIC,
            "format": FORMAT_VERSION,
            "digest": self.digest(),
            "now": self.now,
            "total": self.total,
            "registers": dict(self.registers),
            "spikes": list(self.spikes),
            "probes": [list(probe) for probe in self.probes],
            "every": self.every,
            "counters": dict(self.counters),
            "inputs_merged": self.inputs_merged,
            "changes": packed_changes(self.changes)[0],
        }

    def _own_arrays(self) -> dict[str, npt.NDArray[Any]]:
        changes = packed_changes(self.changes)[1]
        return {**self.memories, "rates": self.rates, "events": self.events, **changes}

    @classmethod
    def _from_archive(cls, archive: Archive, name: str) -> Snapshot:
        """Return the snapshot of an archive; errors of its contents are `ParameterError`."""
        header = _read_header(archive, name)
        image = Image.from_arrays(archive.part(_IMAGE), f"in {name}")
        wanted = _shapes(image.params)
        own = {key for key in archive.members if not key.startswith(_IMAGE)}
        if own != {"header", *wanted}:
            raise ParameterError("arrays are missing, or there are unknown ones")
        for key, (dtype, shape) in wanted.items():
            member = archive.members[key]
            if member.dtype != np.dtype(dtype) or not _fits(key, member.shape, shape):
                raise ParameterError(
                    f"{key} must be {dtype} of shape {shape}, not {member.dtype} of {member.shape}"
                )
        spikes, probes = check_recorders(image, header["spikes"], header["probes"])
        arrays = {key: archive.read(key, archive.members[key].size) for key in wanted}
        now = whole("now", header["now"], 0, 0xFFFFFFFF)
        waiting = {key: arrays.pop(key) for key in ("changes", "change_values")}
        snapshot = cls(
            image=image,
            now=now,
            total=whole("total", header["total"], 0, _MOST_TOTAL),
            registers=_numbers("registers", header["registers"], _LIMITS),
            rates=arrays.pop("rates"),
            events=arrays.pop("events"),
            changes=changes_from(image, now, header["changes"], waiting),
            memories=arrays,
            spikes=spikes,
            probes=probes,
            every=whole("every", header["every"], 1, 0xFFFF),
            counters=_numbers("counters", header["counters"], _COUNTS),
            inputs_merged=whole("inputs_merged", header["inputs_merged"], 0, _MOST_TOTAL),
        )
        check_snapshot(snapshot)
        stated = header.pop("header_digest")
        if header["digest"] != snapshot.digest() or stated != _header_digest(header):
            raise ParameterError("its digest is wrong")
        return snapshot


_LIMITS: Final = {name: (1 << 16 * CONTROL_REGISTERS[name].words) - 1 for name in LIVE_REGISTERS}
_COUNTS: Final = dict.fromkeys(COUNTERS, (1 << WIDE_COUNTER_BITS) - 1)


def _shapes(params: ArrayParams) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return the type and shape of every array of a snapshot; -1 stands for any number."""
    shapes: dict[str, tuple[str, tuple[int, ...]]] = {
        name: ("uint16", (memory.places,)) for name, memory in live_memories(params).items()
    }
    shapes["weights"] = ("int8", (params.sources, params.neurons))
    shapes["rates"] = ("uint16", (16 * params.input_words,))
    return {
        **shapes,
        "events": ("int64", (-1, 2)),
        "changes": ("int64", (-1, 2)),
        "change_values": ("float64", (-1,)),
    }


_MOST: Final = {"events": MOST_EVENTS, "changes": MOST_CHANGES, "change_values": MOST_NUMBERS}
"""Most rows of arrays that have as many as there are."""


def _fits(key: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    if len(shape) != len(wanted) or (wanted[0] < 0 and shape[0] > _MOST[key]):
        return False
    return all(want in (-1, have) for have, want in zip(shape, wanted, strict=True))


def _path(path: Any) -> Path:
    if not isinstance(path, (str, os.PathLike)) or isinstance(os.fspath(path), bytes):
        raise ParameterError(f"path must be a str or a path, not {shown(path)} ({type(path).__name__})")
    return Path(path)


def _read_header(archive: Arrays, name: str) -> dict[str, Any]:
    """Return the header of a snapshot's file, after a look at its version and keys."""
    header = parse_json(archive.read("header", MOST_JSON).tobytes())
    if not isinstance(header, dict) or header.get("magic") != _MAGIC:
        raise ParameterError("it has another header")
    if type(header.get("format")) is not int or header["format"] != FORMAT_VERSION:
        found = one_line(repr(header.get("format")), 40)
        raise MismatchError(
            f"the snapshot {name!r} has format version {found}, this SDK needs version {FORMAT_VERSION}; "
            f"take it again"
        )
    if set(header) != _KEYS:
        raise ParameterError("parts of its header are missing, or there are unknown ones")
    return header


def _header_digest(header: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()[:32]


def _numbers(what: str, value: Any, limits: Mapping[str, int]) -> dict[str, int]:
    if not isinstance(value, dict) or set(value) != set(limits):
        raise ParameterError(f"{what} must be a table of {', '.join(limits)}")
    return {name: whole(f"{what}: {name}", value[name], 0, most) for name, most in limits.items()}
