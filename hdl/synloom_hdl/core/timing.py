"""The stages of the pipelines of passes and of neurons: the one place that says how long they are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from synloom.contract import ArrayParams

__all__ = ["LANE_STAGES", "LIF_CLOCKS", "NeuronStage", "PassTiming"]


class NeuronStage(IntEnum):
    """Stages of a neuron lane; each ends in a register."""

    FETCH = 0
    """Parameters, state and sums are read from their memories."""
    SCALE = 1
    """The sums are shifted by their gains."""
    ADD = 2
    """Sums are added to currents, and clipped."""
    MULTIPLY = 3
    """Potential, currents and threshold are multiplied by their coefficients."""
    ROUND = 4
    """The products get their dither, and are cut: the losses."""
    DECAY = 5
    """The losses are subtracted."""
    INTEGRATE = 6
    """Currents and bias are added to the potential."""
    CLIP = 7
    """The potential is clipped."""
    COMPARE = 8
    """The potential is compared with the threshold."""
    CHOOSE = 9
    """The new state is chosen: after a spike, without a spike, or in the refractory time."""


LIF_CLOCKS = len(NeuronStage)
"""Clocks from a neuron's inputs to its outputs."""

LANE_STAGES = 6
"""Stages of a lane's work, each of which may end in a register (see `Lane`)."""

_SLOW_HZ = 30_000_000
"""A clock up to this frequency leaves time for most of a lane's work in one clock (iCE40 UltraPlus)."""


@dataclass(frozen=True, slots=True)
class PassTiming:
    """The stages of the pass pipeline, in clocks after a chunk's address is at the loom.

    Parameters
    ----------
    interval : int
        Clocks from one chunk to the next.
    carries : bool
        Segments follow one another without a gap, so that their fields travel with the chunks. Else a segment
        stays until its last weight is written.
    reads : tuple of bool
        Which of the loom's stages of reading end in a register: the address, the banks, the first and the
        second half of the rotation, and its result.
    writes : tuple of bool
        Which of its stages of writing do: the two halves of the rotation back.
    raises : tuple of bool
        Which of the stages of raising a trace do: its address, its memory, the old value, the sum.
    traces_read : int
        The traces of a chunk are asked for.
    traces : int
        They enter the lanes.
    registers : tuple of bool
        Which of the `LANE_STAGES` stages of a lane end in a register.
    numbers : int
        A chunk takes its random numbers, a clock before the lanes add them.
    sums_apart : bool
        Excitatory and inhibitory sums lie in different memories, so that both may be read before the sign of
        the weight is known.
    """

    interval: int
    carries: bool
    reads: tuple[bool, ...]
    writes: tuple[bool, ...]
    raises: tuple[bool, ...]
    traces_read: int
    traces: int
    registers: tuple[bool, ...]
    numbers: int
    sums_apart: bool

    @classmethod
    def of(cls, params: ArrayParams) -> PassTiming:
        """Return the timing of an array.

        Two-ported weights: a chunk a clock, and a register wherever one makes the clock faster. With serial
        neurons, which the clock waits for, only where it would be slower than they are: each register of the
        passes is one for every bit of a chunk and of its rule. Single-ported weights: reads in even clocks
        and writes in odd ones. Such devices have few registers and slow clocks, so that most of the work is
        done in one clock.
        """
        if params.single_port:
            # Five clocks or three: an odd number, so that a write is never in the clock of a read.
            quick = params.clock_hz > _SLOW_HZ
            return cls(
                interval=2,
                carries=False,
                reads=(False, True, False, False, False),
                writes=(False, False),
                raises=(False, True, False, False),
                traces_read=0,
                traces=1,
                registers=(quick, True, False, quick, False, True),
                numbers=2 if quick else 1,
                sums_apart=False,
            )
        if params.serial_neurons:
            return cls(
                interval=1,
                carries=True,
                reads=(True, True, False, False, True),
                writes=(True, False),
                raises=(True,) * 4,
                traces_read=0,
                traces=2,
                registers=(True, True, True, True, False, True),
                numbers=4,
                sums_apart=False,
            )
        return cls(
            interval=1,
            carries=True,
            reads=(True,) * 5,
            writes=(True,) * 2,
            raises=(True,) * 4,
            traces_read=1,
            traces=4,
            registers=(True,) * LANE_STAGES,
            numbers=5,
            sums_apart=True,
        )

    @property
    def quick(self) -> bool:
        """A product needs a clock for itself."""
        return self.registers[0]

    @property
    def holds_traces(self) -> bool:
        """A row of traces stays at the lanes until its decay is over, as its memory gives no other before."""
        return not self.registers[0] and self.stage(3) < self.traces + self.interval

    def stage(self, number: int) -> int:
        """Return the clock in which a stage of the lanes works."""
        return self.traces + sum(self.registers[:number])

    @property
    def traces_row(self) -> int:
        """The traces' memories give what they were asked for."""
        return self.traces_read + sum(self.raises[:2])

    @property
    def weights(self) -> int:
        """The weights are in operand order."""
        return sum(self.reads)

    @property
    def sums(self) -> int:
        """The accumulators are asked for the sums of a chunk's targets."""
        return self.weights - self.sums_apart

    @property
    def updated(self) -> int:
        """The new weights leave the lanes."""
        return self.stage(LANE_STAGES)

    @property
    def decayed(self) -> int:
        """The decayed traces leave the lanes."""
        return self.stage(4)

    @property
    def write(self) -> int:
        """Clocks from the lanes' result to the write in the banks."""
        return sum(self.writes)

    @property
    def depth(self) -> int:
        """The new weights are at the banks."""
        return self.updated + self.write
