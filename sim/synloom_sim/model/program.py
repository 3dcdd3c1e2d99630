"""The decoded program of passes: segments, lists, and the tables that assign lists."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synloom.contract.memory import Memory
from synloom.contract.memory_map import memory_of
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.contract.registers import LIST_VALID
from synloom_sim.model.arithmetic import DecayCoefficients, Rule
from synloom_sim.model.random_numbers import GROUP

__all__ = ["Program", "Segment", "SegmentList", "SourceTable", "TargetTable"]

Words = npt.NDArray[np.uint16]
_LIST_FIRST = 0xFF


@dataclass(frozen=True, slots=True)
class Segment:
    """A range of positions of a pass, `lo` to `hi` (exclusive), and its rule.

    `first` is `lo - 16 * floor(lo / 16)`, the index of its first random number; `numbers` is how many random
    numbers it takes when it learns; `chunks` depends on the lanes.
    """

    lo: int
    hi: int
    first: int
    numbers: int
    chunks: int
    shift: int
    plastic: bool
    rule: Rule
    decay: DecayCoefficients


@dataclass(frozen=True, slots=True)
class SegmentList:
    """Consecutive segments up to one marked as the last.

    `charge` bounds what one row pass adds to one accumulator; `draws` has, for each segment that takes random
    numbers, how many.
    """

    segments: tuple[Segment, ...]
    chunks: int
    charge: int
    draws: tuple[int, ...]


class Program:
    """The lists of PROGRAM, each decoded when it is first used."""

    def __init__(self, params: ArrayParams, words: Words):
        self._params = params
        self._fields = memory_of(params, Region.PROGRAM).unpack(words)
        self._lists: dict[int, SegmentList] = {}

    def list_at(self, first: int) -> SegmentList:
        """Return the list that begins at a segment; the end of PROGRAM ends every list."""
        if first not in self._lists:
            self._lists[first] = self._decode(first)
        return self._lists[first]

    def list_of_register(self, word: int) -> tuple[Segment, ...]:
        """Return the segments of the list in X_LIST or Y_LIST; none if the register is not valid."""
        return self.list_at(word & _LIST_FIRST).segments if word & LIST_VALID else ()

    def _decode(self, first: int) -> SegmentList:
        segments: list[Segment] = []
        for index in range(first, self._params.segments):
            segments.append(self.segment(index))
            if self.is_last(index):
                break
        largest = self._params.weight_max
        return SegmentList(
            tuple(segments),
            chunks=sum(s.chunks for s in segments),
            charge=sum(largest + 1 << s.shift for s in segments),
            draws=tuple(s.numbers for s in segments if s.numbers),
        )

    def is_last(self, index: int) -> bool:
        """Return whether a segment ends its list."""
        return bool(self._fields["last"][index])

    def segment(self, index: int) -> Segment:
        """Return a segment, decoded."""
        params = self._params
        f = {name: int(values[index]) for name, values in self._fields.items()}
        padded_lo = GROUP * (f["lo"] // GROUP)
        plastic = bool(f["plastic"]) and params.plasticity
        stochastic = bool(f["stochastic"]) and params.stochastic_rounding
        draws = plastic and stochastic and f["hi"] > f["lo"]
        return Segment(
            lo=f["lo"],
            hi=f["hi"],
            first=f["lo"] - padded_lo,
            numbers=GROUP * -(-f["hi"] // GROUP) - padded_lo if draws else 0,
            chunks=max(-(-f["hi"] // params.lanes) - padded_lo // params.lanes, 0),
            shift=f["shift"],
            plastic=plastic,
            rule=Rule(
                a=f["a"],
                t0=f["t0"] & params.trace_max,
                w_min=f["w_min"],
                w_max=f["w_max"],
                a_negative=bool(f["a_negative"]),
                soft=bool(f["soft"]) and params.soft_bounds,
                stochastic=stochastic,
                reward=bool(f["reward"]) and params.reward,
            ),
            decay=DecayCoefficients.of(f["a"], f["exponent"]),
        )


class SourceTable:
    """SOURCE, decoded: (S,) arrays `lists`, `connected` and `nearest`, and the chains, by source id.

    `chained` says whether a row has a next one, `next` is its id and `hop` the steps until then.
    """

    def __init__(self, memory: Memory, words: Words):
        fields = memory.unpack(words)
        self.lists = fields["list"]
        self.connected = fields["connected"].astype(bool)
        none = np.zeros_like(self.lists)
        self.chained = fields.get("chained", none).astype(bool)
        self.hop = fields.get("hop", none)
        self.next = fields.get("next", none)
        self.nearest = fields["nearest"].astype(bool)


class TargetTable:
    """TARGET, decoded: (N,) arrays `lists`, `delay`, `back`, `learns` and `nearest`, by neuron."""

    def __init__(self, memory: Memory, words: Words):
        fields = memory.unpack(words)
        self.lists = fields["list"]
        self.delay = fields["delay"]
        self.back = fields.get("back", np.zeros_like(self.delay))
        self.learns = fields["learns"].astype(bool)
        self.nearest = fields["nearest"].astype(bool)
