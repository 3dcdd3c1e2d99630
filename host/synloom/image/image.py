"""Images: compiled networks, ready to load into any array with the same semantics."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from synloom.base.atomic_files import write_whole
from synloom.base.checks import IntArray, label_of, whole
from synloom.base.errors import MismatchError, NetworkError, ParameterError, SynloomError
from synloom.contract.memory import Memory, Write
from synloom.contract.memory_map import memory_map
from synloom.contract.params import SEMANTICS_VERSION, ArrayParams
from synloom.contract.registers import CONTROL_REGISTERS
from synloom.image.places import InputInfo, PopulationInfo, ProjectionInfo
from synloom.image.report import Report

__all__ = ["FORMAT_VERSION", "Image", "seeded_registers"]

FORMAT_VERSION: Final = 3
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
        """Return the digest of the contents, 32 hex digits: equal for equal networks, seeds and arrays."""
        text = json.dumps([self.params.semantics_digest(), self.dt, dict(self.registers)], sort_keys=True)
        sha = hashlib.sha256(text.encode())
        for name in _ARRAYS:
            sha.update(np.ascontiguousarray(getattr(self, name)).tobytes())
        return sha.hexdigest()[:32]

    # ---- one file ------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the image to one file; if that fails, an existing file is left unchanged.

        Raises
        ------
        ParameterError
            If the file cannot be written.
        """
        header = {
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
        buffer = io.BytesIO()
        text = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
        arrays: dict[str, Any] = {name: getattr(self, name) for name in _ARRAYS}
        np.savez_compressed(buffer, header=text, **arrays)
        target = Path(path)
        try:
            write_whole(target, buffer.getvalue())
        except OSError as error:
            raise ParameterError(
                f"cannot write the image to {str(target)!r}: {error.strerror or error}; give another path"
            ) from error

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Image:
        """Load an image from a file.

        Raises
        ------
        ParameterError
            If `path` is not a path, or if the file cannot be read, is not an image or is damaged.
        MismatchError
            If the file's format or semantics has another version than this SDK.
        """
        if not isinstance(path, (str, os.PathLike)):
            raise ParameterError(f"path must be a str or a path, not {path!r} ({type(path).__name__})")
        name = os.fspath(path)
        try:
            with np.load(io.BytesIO(Path(path).read_bytes()), allow_pickle=False) as file:
                contents = {key: file[key] for key in file.files}
            header = json.loads(contents.pop("header").tobytes())
            foreign = not isinstance(header, dict) or header.get("magic") != _MAGIC
        except OSError as error:
            raise ParameterError(
                f"cannot read the image {name!r}: {error.strerror or error}; check the path"
            ) from error
        except Exception as error:  # zipfile, zlib and NumPy raise a dozen kinds of error for damaged files
            raise ParameterError(
                f"{name!r} is not a Synloom image, or it is damaged; compile again"
            ) from error
        if foreign:
            raise ParameterError(f"{name!r} is not a Synloom image; compile a network and save it")
        _check_versions(name, header)
        try:
            image = cls._from_parts(header, contents)
            whole = header["digest"] == image.digest()
        except (KeyError, TypeError, ValueError, AttributeError, SynloomError) as error:
            raise ParameterError(f"the image {name!r} is damaged; compile again") from error
        if not whole:
            raise ParameterError(f"the image {name!r} is damaged (its digest is wrong); compile again")
        return image

    @classmethod
    def _from_parts(cls, header: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> Image:
        for name, dtype in _ARRAYS.items():
            if arrays[name].dtype != np.dtype(dtype):
                raise ValueError(name)
        params = ArrayParams.from_dict(header["params"])
        if header["semantics_digest"] != params.semantics_digest():
            raise ValueError("semantics_digest")
        unknown = set(header["registers"]) - set(CONTROL_REGISTERS)
        if unknown or arrays["weights"].shape != (params.sources, params.neurons):
            raise ValueError("registers or weights")
        return cls(
            params=params,
            dt=float(header["dt"]),
            seed=int(header["seed"]),
            registers={str(k): int(v) for k, v in header["registers"].items()},
            **{name: arrays[name] for name in _ARRAYS},
            populations={p["label"]: PopulationInfo.from_dict(p) for p in header["populations"]},
            inputs={p["label"]: InputInfo.from_dict(p) for p in header["inputs"]},
            projections={p["label"]: ProjectionInfo.from_dict(p) for p in header["projections"]},
            report=Report.from_dict(header["report"]),
        )


def seeded_registers(seed: int) -> dict[str, int]:
    """Return the states of an array's random generators for a seed; similar seeds have unrelated states."""
    words = np.random.SeedSequence(seed).generate_state(2, np.uint64)
    return {"learn_rng": int(words[0]) or 1, "gen_rng": int(words[1]) or 1}


def _check_versions(name: str, header: dict[str, Any]) -> None:
    for key, mine in (("format", FORMAT_VERSION), ("semantics", SEMANTICS_VERSION)):
        if header.get(key) != mine:
            raise MismatchError(
                f"the image {name!r} has {key} version {header.get(key)}, this SDK needs version {mine}; "
                f"compile again"
            )


def _find(which: Any, known: Mapping[str, _Info], kind: str) -> _Info:
    label = label_of(which)
    if label not in known:
        names = ", ".join(map(repr, known)) or "none"
        raise NetworkError(f"the image has no {kind} {label!r}; it has {names}")
    return known[label]
