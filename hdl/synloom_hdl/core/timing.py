"""The clocks of the pass pipeline: one place that loom, lanes and pass engine agree on."""

from __future__ import annotations

from dataclasses import dataclass

from synloom.contract import ArrayParams

__all__ = ["LANE_STAGES", "PassTiming"]

LANE_STAGES = 6
"""Parts of a lane's work, each of which may end in a register (see `Lane`)."""

_SLOW_HZ = 30_000_000
"""A clock of at most this leaves time for most of a lane's work at one go (iCE40 UltraPlus)."""


@dataclass(frozen=True, slots=True)
class PassTiming:
    """When a chunk is where, in clocks after its address is at the loom.

    Parameters
    ----------
    interval : int
        Clocks from one chunk to the next.
    carries : bool
        Segments follow one another without a gap, so that what they say travels with their chunks. Else a
        segment stays until its last weight is written.
    traces_read : int
        The traces are asked for a chunk.
    traces_row : int
        Their memories give it.
    traces : int
        The traces enter the lanes.
    weights : int
        The weights are in operand order.
    registers : tuple of bool
        Which of the `LANE_STAGES` stages of a lane end in a register.
    key : int
        The random numbers' key is in its register.
    noise_registers : int
        Registers between the key and the lanes.
    write : int
        Clocks from the lanes' result to the write in the banks.
    """

    interval: int
    carries: bool
    traces_read: int
    traces_row: int
    traces: int
    weights: int
    registers: tuple[bool, ...]
    key: int
    noise_registers: int
    write: int

    @classmethod
    def of(cls, params: ArrayParams) -> PassTiming:
        """Return the timing of an array.

        Two-ported weights: a chunk a clock, and a register wherever one helps the clock. Single-ported
        weights: reads in even clocks, writes in odd ones; such devices are short of registers and their
        clocks are slow, so that most of the work is done at one go.
        """
        if params.single_port:
            # Five clocks or three: an odd number, so that writes meet reads of other chunks in other clocks.
            quick = params.clock_hz > _SLOW_HZ
            return cls(
                interval=2,
                carries=False,
                traces_read=0,
                traces_row=1,
                traces=1,
                weights=1,
                registers=(quick, True, False, quick, False, True),
                key=3 if quick else 2,
                noise_registers=0,
                write=0,
            )
        return cls(
            interval=1,
            carries=True,
            traces_read=1,
            traces_row=3,
            traces=4,
            weights=5,
            registers=(True,) * LANE_STAGES,
            key=5,
            noise_registers=2,
            write=2,
        )

    def stage(self, number: int) -> int:
        """Return the clock in which a stage of the lanes works."""
        return self.traces + sum(self.registers[:number])

    @property
    def updated(self) -> int:
        """The new weights leave the lanes."""
        return self.stage(LANE_STAGES)

    @property
    def decayed(self) -> int:
        """The decayed traces leave the lanes."""
        return self.stage(4)

    @property
    def depth(self) -> int:
        """The new weights are at the banks."""
        return self.updated + self.write
