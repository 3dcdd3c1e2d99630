"""The memories of an array that change while it runs an image: all of them read, and written back."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from synloom.base.checks import IntArray
from synloom.contract.array_port import Port, Words
from synloom.contract.memory import Memory
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom.device.events import events_at
from synloom.device.loader import load_image
from synloom.image.image import Image
from synloom.image.snapshot import Snapshot, live_memories

__all__ = ["arriving", "load_snapshot", "read_live", "read_records", "read_weights", "records_of"]


def read_live(port: Port, image: Image) -> dict[str, npt.NDArray[Any]]:
    """Return the memories of a snapshot (`live_memories`) of an array that runs an image."""
    memories: dict[str, npt.NDArray[Any]] = {"weights": read_weights(port, image)}
    for name, memory in live_memories(image.params).items():
        if name not in memories:
            memories[name] = _read(port, memory)
    return memories


def load_snapshot(port: Port, snapshot: Snapshot) -> None:
    """Write a snapshot to an array that can run its image, but for its probes; no run may be going on."""
    image, words = snapshot.image, snapshot.memories
    changed: dict[str, Any] = {"weights": words["weights"]}
    for name, memory in live_memories(image.params).items():
        if memory.setting and name != "weights":
            changed[name] = records_of(image, name, words[name])
    registers = {**image.registers, **snapshot.registers}
    load_image(port, dataclasses.replace(image, registers=registers, **changed))
    for name, memory in live_memories(image.params).items():
        if not memory.setting:
            _write(port, memory, words[name])


def arriving(wheel: Words, now: int) -> IntArray:
    """Return the ids on their way before step `now`, as events, (K,) int64.

    Parameters
    ----------
    wheel : (slots, words) uint16
        The first words of every slot of the delay wheel.
    now : int
        The next step.
    """
    bits = np.unpackbits(np.ascontiguousarray(wheel, dtype="<u2").view(np.uint8), axis=1, bitorder="little")
    slots, ids = np.nonzero(bits)
    return np.sort(events_at(now + (slots - now) % len(wheel), ids))


def records_of(image: Image, name: str, words: Words) -> Words:
    """Return the words of a memory as an image has them: a copy, without what pads the records."""
    loaded: Words = getattr(image, name)
    memory = memory_of(image.params, Region[name.upper()])
    records = words.reshape(memory.count, -1)[: len(loaded), : memory.layout.words]
    return records.reshape(loaded.shape).copy()


def read_records(port: Port, image: Image, name: str) -> Words:
    """Return a memory of an array that runs an image, as the image has it."""
    return records_of(image, name, _read(port, memory_of(image.params, Region[name.upper()])))


def read_weights(port: Port, image: Image) -> npt.NDArray[np.int8]:
    """Return all weights of an array that runs an image, (S, N) int8; only rows with synapses are read."""
    memory = memory_of(image.params, Region.WEIGHTS)
    weights = np.full(image.weights.shape, image.params.weight_absent, dtype=np.int8)
    used = np.flatnonzero((image.weights != image.params.weight_absent).any(axis=1))
    for rows in np.split(used, np.flatnonzero(np.diff(used) > 1) + 1):
        if len(rows):
            count = len(rows) * image.params.neurons
            found = port.read(memory.region, memory.offset(int(rows[0]), 0), count)
            weights[rows] = memory.unpack(found)["weight"].reshape(len(rows), -1)
    return weights


def _read(port: Port, memory: Memory) -> Words:
    return np.concatenate([port.read(memory.region, b.offset, b.count) for b in memory.blocks(memory.places)])


def _write(port: Port, memory: Memory, words: npt.NDArray[Any]) -> None:
    for block in memory.blocks(memory.places):
        part = words[block.place : block.place + block.count]
        # A load has cleared all of it.
        if part.any():
            port.write(memory.region, block.offset, part)
