"""Images: compiled networks, ready to load into any array with the same semantics."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from synloom.base.archive import Archive, Arrays, packed
from synloom.base.atomic_files import write_whole
from synloom.base.checks import IntArray, label_of, real, whole
from synloom.base.errors import MismatchError, NetworkError, ParameterError
from synloom.base.plain_data import MOST_JSON, parse_json
from synloom.base.wording import one_line, shown
from synloom.contract.memory import Memory, Write
from synloom.contract.memory_map import memory_map
from synloom.contract.params import SEMANTICS_VERSION, ArrayParams
from synloom.image.places import InputInfo, PopulationInfo, ProjectionInfo
from synloom.image.report import Report
from synloom.image.validity import MOST_EVENTS, check_image, check_shape, labelled

__all__ = ["FORMAT_VERSION", "Image", "seeded_registers"]

FORMAT_VERSION: Final = 5
_MAGIC: Final = "synloom image"
_ARRAYS: Final = {
    "weights": "int8",
    "synapses": "uint16",
    "neuron_params": "uint16",
    "neuron_state": "uint16",
    "source": "uint16",
    "target": "uint16",
    "program": "uint16",
    "gen_rate": "uint16",
    "events": "int64",
}
_Info = TypeVar("_Info")


@dataclass(frozen=True, kw_only=True, eq=False)
class Image:
    """A compiled network: the contents of all memories, and the scales that convert them to SI units.

    Parameters
    ----------
    params : ArrayParams
        The array it was compiled for; every array with the same semantics digest runs it.
    dt : float
        Time step, ms.
    seed : int
        Seed of the network.
    registers : mapping of str to int
        Values of CTRL registers by name.
    weights : (S, N) int8
        Weights; `params.weight_absent` is *no synapse*.
    synapses : (K, 3) uint16
        Source (index in its population), row (source id) and target (index in its population) of every
        synapse, by projection.
    neuron_params, neuron_state : (N, words) uint16
        Packed records of all neurons.
    source : (S, words) uint16
        Packed SOURCE records of all source ids.
    target : (N, words) uint16
        Packed TARGET records of all neurons.
    program : (K, words) uint16
        Packed segments in use.
    gen_rate : (16 MW,) uint16
        Packed GEN_RATE words of all input ids.
    events : (E, 2) int64
        (step, input id) of the spikes that the network itself contains, sorted.
    populations, inputs, projections : mapping of str to PopulationInfo, InputInfo, ProjectionInfo
        Places and scales by label.
    report : Report
        The quantisation errors.
    """

    params: ArrayParams
    dt: float
    seed: int
    registers: Mapping[str, int]
    weights: npt.NDArray[np.int8]
    synapses: npt.NDArray[np.uint16]
    neuron_params: npt.NDArray[np.uint16]
    neuron_state: npt.NDArray[np.uint16]
    source: npt.NDArray[np.uint16]
    target: npt.NDArray[np.uint16]
    program: npt.NDArray[np.uint16]
    gen_rate: npt.NDArray[np.uint16]
    events: IntArray
    populations: Mapping[str, PopulationInfo]
    inputs: Mapping[str, InputInfo]
    projections: Mapping[str, ProjectionInfo]
    report: Report

    def __repr__(self) -> str:
        p = self.params
        return (
            f"<Image of {len(self.populations)} populations for {p.inputs} inputs and {p.neurons} neurons, "
            f"dt = {self.dt:g} ms, digest {self.digest()[:8]}>"
        )

    # ---- parts ---------------------------------------------------------------------------------

    def population(self, which: Any) -> PopulationInfo:
        """Return the place of a population of neurons, given as the object or as its label.

        Raises
        ------
        NetworkError
            If the image has no such population.
        """
        return _find(which, self.populations, "population of neurons")

    def input(self, which: Any) -> InputInfo:
        """Return the place of an input population, given as the object or as its label.

        Raises
        ------
        NetworkError
            If the image has no such input population.
        """
        return _find(which, self.inputs, "input population")

    def projection(self, which: Any) -> ProjectionInfo:
        """Return the place of a projection, given as the object or as its label.

        Raises
        ------
        NetworkError
            If the image has no such projection.
        """
        return _find(which, self.projections, "projection")

    def reseeded(self, seed: int) -> Image:
        """Return the image with the random numbers of another seed, in the array: the synapses are the same.

        Parameters
        ----------
        seed : int
            Seed of the generators and of stochastic rounding, 0 to ``2**63 - 1``.
        """
        registers = {**self.registers, **seeded_registers(whole("seed", seed, 0, 2**63 - 1))}
        return dataclasses.replace(self, seed=seed, registers=registers)

    # ---- contents ------------------------------------------------------------------------------

    def writes(self) -> Iterator[Write]:
        """Yield (region, offset, words) of everything but the CTRL registers.

        Rows of WEIGHTS without synapses are left out, because the loader first fills that region with
        `params.weight_absent` and all others with 0.
        """
        for memory in memory_map(self.params).values():
            if memory.setting and memory.exists:
                yield from self._weights(memory) if memory.continues else self._records(memory)

    def _records(self, memory: Memory) -> Iterator[Write]:
        records = getattr(self, memory.region.name.lower())
        if len(records):
            yield memory.region, 0, memory.spread(records.reshape(len(records), -1))

    def _weights(self, memory: Memory) -> Iterator[Write]:
        """Yield the rows of weights that have synapses, neighbouring rows in one write."""
        used = (self.weights != self.params.weight_absent).any(axis=1)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], used, [False]]).astype(np.int8)))
        for first, end in edges.reshape(-1, 2).tolist():
            yield memory.write({"weight": self.weights[first:end].reshape(-1)}, first * self.params.neurons)

    def digest(self) -> str:
        """Return the digest of the contents, 32 hex digits: equal for equal networks, seeds and arrays.

        It covers all that a result depends on: memories, registers, events, the time step, the seed, places
        and scales; names, the report and what of the array never changes a result are left out.
        """
        facts = [self.params.semantics_digest(), self.dt, self.seed, dict(self.registers), self._places()]
        sha = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
        for name in _ARRAYS:
            array = np.ascontiguousarray(getattr(self, name))
            sha.update(f"{name} {array.dtype.str} {array.shape}".encode())
            sha.update(array.reshape(-1).view(np.uint8).data)
        return sha.hexdigest()[:32]

    def _places(self) -> list[Any]:
        """Return all places and scales without the labels; projections name their populations by number."""
        number = {label: k for k, label in enumerate((*self.populations, *self.inputs))}
        infos = (*self.populations.values(), *self.inputs.values(), *self.projections.values())
        return [
            [_fact(name, value, number) for name, value in sorted(info.to_dict().items()) if name != "label"]
            for info in infos
        ]

    # ---- one file ------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the image to one file; if that fails, an existing file is left unchanged.

        Raises
        ------
        ParameterError
            If the file cannot be written, or if the network contains more than 16,777,216 spikes.
        """
        content = packed(self.arrays())
        target = _path(path)
        try:
            write_whole(target, content)
        except (OSError, ValueError) as error:  # ValueError: a name that no file can have
            why = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise ParameterError(
                f"cannot write the image to {one_line(str(target), 300)!r}: {why}; give another path"
            ) from error

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays of its file by name; one of bytes is the header.

        Raises
        ------
        ParameterError
            If the network contains more than 16,777,216 spikes.
        """
        header = self._header()
        text = json.dumps({**header, "header_digest": _header_digest(header)}).encode()
        if len(self.events) > MOST_EVENTS or len(text) > MOST_JSON:
            raise ParameterError(
                f"an image's file holds at most {MOST_EVENTS:,} spikes and {MOST_JSON:,} bytes of names and "
                f"scales, not {len(self.events):,} and {len(text):,}; send spikes with inject() or step()"
            )
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        return {"header": np.frombuffer(text, dtype=np.uint8), **arrays}

    def _header(self) -> dict[str, Any]:
        return {
            "magic": _MAGIC,
            "format": FORMAT_VERSION,
            "semantics": SEMANTICS_VERSION,
            "semantics_digest": self.params.semantics_digest(),
            "digest": self.digest(),
            "params": self.params.to_dict(),
            "dt": self.dt,
            "seed": self.seed,
            "registers": dict(self.registers),
            "populations": [info.to_dict() for info in self.populations.values()],
            "inputs": [info.to_dict() for info in self.inputs.values()],
            "projections": [info.to_dict() for info in self.projections.values()],
            "report": self.report.to_dict(),
        }

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Image:
        """Load an image from a file of any origin: all of it is checked before it is used.

        Raises
        ------
        ParameterError
            If `path` is not a path, or if the file cannot be read, is not an image or is damaged; the message
            says what is wrong.
        MismatchError
            If the file's format or semantics has another version than this SDK.
        """
        file = _path(path)
        name = one_line(str(file), 300)
        try:
            with Archive(file) as archive:
                return cls.from_arrays(archive, name)
        except OSError as error:
            raise ParameterError(
                f"cannot read the image {name!r}: {error.strerror or error}; check the path"
            ) from error
        except ParameterError as error:
            raise ParameterError(
                f"{name!r} is not a Synloom image, or it is damaged: {one_line(str(error), 400)}; "
                f"compile the network again and save it"
            ) from error

    @classmethod
    def from_arrays(cls, archive: Arrays, name: str) -> Image:
        """Return the image whose file has these arrays; all of it is checked.

        Parameters
        ----------
        archive : Arrays
            What `arrays` has returned.
        name : str
            What it is called in messages, such as the name of its file.

        Raises
        ------
        OSError
            If an array cannot be read.
        ParameterError
            If it is not an image or is damaged.
        MismatchError
            If its format or semantics has another version than this SDK.
        """
        header = _read_header(archive, name)
        params = ArrayParams.from_dict(_table("params", header["params"]))
        if header["semantics_digest"] != params.semantics_digest():
            raise ParameterError("semantics_digest is not that of params")
        parts: dict[str, Any] = {
            kind: labelled(kind, header[kind], make.from_dict) for kind, make in _INFOS.items()
        }
        # The shapes that the parameters ask for bound what is unpacked.
        for name, dtype in _ARRAYS.items():
            member = archive.members[name]
            check_shape(params, name, member.shape)
            if member.dtype != np.dtype(dtype):
                raise ParameterError(f"{name} must be of {dtype}, not of {member.dtype}")
        parts |= {name: archive.read(name, archive.members[name].size) for name in _ARRAYS}
        image = cls(
            params=params,
            dt=real("dt", header["dt"]),
            seed=whole("seed", header["seed"], 0, 2**63 - 1),
            registers=_table("registers", header["registers"]),
            report=Report.from_dict(header["report"]),
            **parts,
        )
        check_image(image)
        stated = header.pop("header_digest")
        if header["digest"] != image.digest() or stated != _header_digest(header):
            raise ParameterError("its digest is wrong")
        return image


_INFOS: Final[dict[str, Any]] = {
    "populations": PopulationInfo,
    "inputs": InputInfo,
    "projections": ProjectionInfo,
}
_KEYS: Final = {
    *("magic", "format", "semantics", "semantics_digest", "digest", "header_digest", "params", "dt", "seed"),
    *("registers", "report", *_INFOS),
}


def _fact(name: str, value: Any, number: Mapping[str, int]) -> Any:
    """Return what a value of an info means, without names."""
    if name in ("pre", "post"):
        return number[value]
    if name == "rule" and value is not None:
        halves = (value[side] for side in ("rows", "columns"))
        return [half and [half["scale"], half["spike"]] for half in halves]
    return value


def _path(path: Any) -> Path:
    if not isinstance(path, (str, os.PathLike)) or isinstance(os.fspath(path), bytes):
        raise ParameterError(f"path must be a str or a path, not {shown(path)} ({type(path).__name__})")
    return Path(path)


def _table(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ParameterError(f"{name} must be a table, not {one_line(repr(value), 60)}")
    return value


def _header_digest(header: Mapping[str, Any]) -> str:
    """Return the digest of all of a header, the report and names included: 32 hex digits."""
    return hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()[:32]


def _read_header(archive: Arrays, name: str) -> dict[str, Any]:
    """Return the header of an image's file, after a look at its versions and keys."""
    header = parse_json(archive.read("header", MOST_JSON).tobytes())
    if not isinstance(header, dict) or header.get("magic") != _MAGIC:
        raise ParameterError("it has another header")
    _check_versions(name, header)
    if set(header) != _KEYS or set(archive.members) != {"header", *_ARRAYS}:
        raise ParameterError("parts are missing, or there are unknown ones")
    return header


def seeded_registers(seed: int) -> dict[str, int]:
    """Return the states of an array's random generators for a seed; similar seeds have unrelated states."""
    words = np.random.SeedSequence(seed).generate_state(2, np.uint64)
    return {"learn_rng": int(words[0]) or 1, "gen_rng": int(words[1]) or 1}


def _check_versions(name: str, header: dict[str, Any]) -> None:
    for key, mine in (("format", FORMAT_VERSION), ("semantics", SEMANTICS_VERSION)):
        if type(header.get(key)) is not int or header[key] != mine:
            found = one_line(repr(header.get(key)), 40)
            raise MismatchError(
                f"the image {name!r} has {key} version {found}, this SDK needs version {mine}; compile again"
            )


def _find(which: Any, known: Mapping[str, _Info], kind: str) -> _Info:
    label = label_of(which)
    if label not in known:
        names = ", ".join(map(repr, known)) or "none"
        raise NetworkError(f"the image has no {kind} {shown(label)}; it has {names}")
    return known[label]
