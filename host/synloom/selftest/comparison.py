"""The same network on the target and on the model: every spike, every state, every weight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.contract.array_port import Port, Words
from synloom.contract.frames import RunFlag
from synloom.contract.layout import neuron_state_layout
from synloom.contract.params import ArrayParams
from synloom.contract.regions import NEURON_STATE_STRIDE, Region, weight_offset
from synloom.contract.registers import CONTROL_REGISTERS, control
from synloom.device.counters import Counters, read_counters
from synloom.device.event_queue import EventQueue
from synloom.device.execution import execute
from synloom.selftest.memories import Memory, clear, memories
from synloom.selftest.random_network import KnownNetwork

__all__ = ["Played", "differences", "play"]

_COMPARED: Final = (
    Region.WEIGHTS,
    Region.NEURON_STATE,
    Region.X_TRACE,
    Region.Y_TRACE,
    Region.GEN_PHASE,
    Region.SPIKE_COUNTS,
    Region.WHEEL,
)
_REGISTERS: Final = ("now", "learn_rng", "gen_rng")
_PROBED: Final = (Region.WEIGHTS, Region.NEURON_STATE, Region.X_TRACE, Region.Y_TRACE)
_WIDE: Final = 0x8000


@dataclass(frozen=True, slots=True)
class Played:
    """What a run gave.

    Attributes
    ----------
    spikes : (K, 2) int64
        (step, neuron), in order.
    samples : (T, probes) uint32
        What the probes saw after each step.
    state : mapping of Region to (size,) uint16
        Memories after the run.
    registers : mapping of str to int
        Registers after the run.
    counters : Counters
        Counters after the run.
    """

    spikes: npt.NDArray[np.int64]
    samples: npt.NDArray[np.uint32]
    state: dict[Region, Words]
    registers: dict[str, int]
    counters: Counters


def play(port: Port, network: KnownNetwork, probes: tuple[tuple[Region, int], ...] = ()) -> Played:
    """Run the network from its start on an array that stands still.

    Parameters
    ----------
    port : Port
        The array.
    network : KnownNetwork
        What to run.
    probes : sequence of (Region, int)
        Offsets to look at after each step.
    """
    clear(port)
    for region, offset, words in network.writes:
        port.write(region, offset, words)
    if probes:
        table = [(region | _WIDE, offset & 0xFFFF, offset >> 16, 0) for region, offset in probes]
        port.write(Region.PROBES, 0, np.array(table, dtype=np.uint16).reshape(-1))
        port.write(Region.CTRL, control("probe_count").offset, np.array([len(probes), 1, 0], dtype=np.uint16))
    queue = EventQueue()
    queue.add(network.events)
    decoder = execute(port, queue, 0, network.steps, RunFlag(0))
    return Played(
        np.stack(decoder.spikes(), axis=1),
        decoder.samples()[1],
        {memory.region: _contents(port, memory) for memory in _compared(network.params)},
        {name: _register(port, name) for name in _REGISTERS},
        read_counters(port),
    )


def differences(network: KnownNetwork, expected: Played, got: Played, model: Port, target: Port) -> list[str]:
    """Return how a target differs from the model, a line each; empty if no bit does.

    What differs first is looked at again: the network is run once more with a probe at that place, to find
    the first step that shows it.
    """
    spike = _first_spike(expected, got)
    places = list(_differing_places(network.params, expected, got))
    lines = []
    if spike is not None:
        step, neuron, wanted = spike
        lines.append(
            f"step {step}, neuron {neuron}: "
            + ("a spike was expected, none came" if wanted else "a spike came, none was expected")
        )
    suspect = _suspect(network.params, spike, places)
    if suspect is not None:
        lines += _first_step(network, suspect, model, target)
    for memory, wrong in places:
        left, right = expected.state[memory.region], got.state[memory.region]
        k = int(wrong[0])
        lines.append(
            f"after {network.steps} steps {len(wrong):,} of {memory.count:,} elements of "
            f"{memory.region.name} differ; first {memory.where(k)}: {_shown(memory, right[k])}, "
            f"expected {_shown(memory, left[k])}"
        )
    lines += [
        f"after {network.steps} steps register {name} is {got.registers[name]:#x}, expected {value:#x}"
        for name, value in expected.registers.items()
        if got.registers[name] != value
    ]
    return lines


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A place to look at in every step."""

    name: str
    region: Region
    offset: int
    bits: int
    signed: bool

    def value(self, sample: int) -> int:
        """Return the number that a probe's 32 bits hold."""
        value = sample & ((1 << self.bits) - 1)
        return value - ((value >> (self.bits - 1)) << self.bits) if self.signed else value


def _suspect(
    params: ArrayParams,
    spike: tuple[int, int, bool] | None,
    places: list[tuple[Memory, npt.NDArray[np.int64]]],
) -> _Suspect | None:
    if spike is not None:
        return _potential(params, spike[1])
    for memory, wrong in places:
        place = int(wrong[0])
        if memory.region is Region.NEURON_STATE:
            neuron, word = divmod(place, NEURON_STATE_STRIDE)
            if word < 2:
                return _potential(params, neuron)
        if memory.region is Region.WEIGHTS:
            offset = weight_offset(*divmod(place, params.neurons))
            return _Suspect(memory.where(place), memory.region, offset, 8, True)
        if memory.region in _PROBED:
            return _Suspect(memory.where(place), memory.region, place, 16, False)
    return None


def _potential(params: ArrayParams, neuron: int) -> _Suspect:
    field = neuron_state_layout(params)["v"]
    return _Suspect(
        f"the potential of neuron {neuron}",
        Region.NEURON_STATE,
        NEURON_STATE_STRIDE * neuron,
        field.width,
        True,
    )


def _first_step(network: KnownNetwork, suspect: _Suspect, model: Port, target: Port) -> list[str]:
    probe = ((suspect.region, suspect.offset),)
    expected, got = (play(port, network, probe).samples[:, 0].tolist() for port in (model, target))
    for step, (left, right) in enumerate(zip(expected, got, strict=False)):
        wanted, found = suspect.value(left), suspect.value(right)
        if wanted != found:
            return [f"step {step}: {suspect.name} is {found}, expected {wanted}"]
    return [f"{suspect.name} does not differ when it is probed in every step"]


def _first_spike(expected: Played, got: Played) -> tuple[int, int, bool] | None:
    """Return (step, neuron, whether it was expected) of the first spike that only one of them has."""
    left, right = (set(map(tuple, played.spikes.tolist())) for played in (expected, got))
    if left == right:
        return None
    step, neuron = min(left ^ right)
    return step, neuron, (step, neuron) in left


def _differing_places(
    params: ArrayParams, expected: Played, got: Played
) -> Iterator[tuple[Memory, npt.NDArray[np.int64]]]:
    for memory in _compared(params):
        wrong = np.flatnonzero(expected.state[memory.region] != got.state[memory.region])
        if len(wrong):
            yield memory, wrong


def _compared(params: ArrayParams) -> Iterator[Memory]:
    return (memory for memory in memories(params) if memory.region in _COMPARED)


def _contents(port: Port, memory: Memory) -> Words:
    return np.concatenate([memory.read(port, block) for block in memory.blocks])


def _register(port: Port, name: str) -> int:
    register = CONTROL_REGISTERS[name]
    words = port.read(Region.CTRL, register.offset, register.words).tolist()
    return sum(int(word) << 16 * k for k, word in enumerate(words))


def _shown(memory: Memory, word: int) -> int:
    value = int(word)
    return value - (value >> 7 << 8) if memory.region is Region.WEIGHTS else value
