"""Clocks, time and energy of a run on each board: ranges, from counted work and figures of power."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from synloom.contract import ArrayParams
from synloom.contract.serial_program import sweep_clocks
from synloom_boards.bitstreams.report import BuildReport
from synloom_boards.bitstreams.stamp import read_stamp
from synloom_boards.board import Board
from synloom_boards.boards import board_names, load_board
from synloom_boards.power import Power, power_of

__all__ = ["BoardCost", "Load", "board_costs", "board_watts", "run_clocks"]

Range = tuple[float, float]

_STEP_CLOCKS: Final = 110
"""Most clocks of a step beside its sweep and its chunks: scans, and pipelines that fill and drain."""
_INPUT_WORD_CLOCKS: Final = 5
"""Clocks of 16 inputs, if they have generators."""
_PASS_CLOCKS: Final = 5
"""Most clocks of a pass beside its chunks."""
_SPIKE_CLOCKS: Final = 6
"""Clocks of a neuron that fired, beside its passes."""
_BITS_PER_BYTE: Final = 10


class Load(Protocol):
    """What a run did, such as `synloom.device.cost.Cost`."""

    @property
    def steps(self) -> int:
        """Time steps."""
        ...

    @property
    def spikes(self) -> int:
        """Spikes of neurons."""
        ...

    @property
    def synaptic_operations(self) -> int:
        """Spikes times the synapses that they reach."""
        ...

    @property
    def line_bytes(self) -> int:
        """Bytes on the line."""
        ...

    @property
    def needs(self) -> Mapping[str, int]:
        """Inputs, neurons, axons and features that an array must have."""
        ...

    def chunks(self, lanes: int) -> tuple[int, int]:
        """Return chunks and passes in an array with so many lanes."""
        ...


@dataclass(frozen=True, slots=True)
class BoardCost:
    """A run on one board with its default array; every range is (least, most).

    Attributes
    ----------
    board, title : str
        The board.
    lacks : tuple of str
        What its array lacks for the network; its figures are then those of an array that has it.
    clocks : tuple of float
        Clocks of all steps.
    seconds : tuple of float
        Their time, or that of the line if that is longer.
    watts : tuple of float
        Power of the FPGA.
    joules : tuple of float
        Energy of the FPGA; without the other parts of the board.
    joules_per_operation : tuple of float
        Energy for each synaptic operation; 0 if there was none.
    source : str
        Where the figures of power come from.
    """

    board: str
    title: str
    lacks: tuple[str, ...]
    clocks: Range
    seconds: Range
    watts: Range
    joules: Range
    joules_per_operation: Range
    source: str


def board_costs(load: Load) -> dict[str, BoardCost]:
    """Return the cost of a run on each board that was built once, by the board's name."""
    boards = (load_board(name) for name in board_names())
    costs = (_cost(board, load) for board in boards)
    return {cost.board: cost for cost in costs if cost is not None}


def _cost(board: Board, load: Load) -> BoardCost | None:
    stamp = read_stamp(board)
    if stamp is None:
        return None
    array, power = stamp.report.array, power_of(board.chip)
    clocks = run_clocks(array, load)
    line = _BITS_PER_BYTE * load.line_bytes / array.baud
    seconds = max(clocks[0] / array.clock_hz, line), max(clocks[1] / array.clock_hz, line)
    watts = _watts(stamp.report, power)
    joules = watts[0] * seconds[0], watts[1] * seconds[1]
    operations = load.synaptic_operations
    each = (joules[0] / operations, joules[1] / operations) if operations else (0.0, 0.0)
    lacks = tuple(_lacks(array, load))
    return BoardCost(board.name, board.title, lacks, clocks, seconds, watts, joules, each, power.source)


def board_watts(board: Board) -> Range | None:
    """Return the least and the most power in W of a board's FPGA; None before its first build."""
    stamp = read_stamp(board)
    return None if stamp is None else _watts(stamp.report, power_of(board.chip))


def _watts(report: BuildReport, power: Power) -> Range:
    cells = max(report.resources[name][0] for name in ("LUT", "FF") if name in report.resources)
    return power.watts(cells, report.array.clock_hz)


def run_clocks(array: ArrayParams, load: Load) -> Range:
    """Return the fewest and the most clocks of all steps of a run.

    The fewest are those of all chunks and, as they cannot overlap, of the sweeps that no array skips: those
    of steps with passes, which are fewest if all ids have their passes in the same steps. The most have all
    sweeps, and add what scans, generators and pipelines take, which partly overlap: the simulated
    board's counters lie between the two.
    """
    chunks, passes = load.chunks(array.lanes)
    # A neuron has a row and a column.
    busy = math.ceil(passes / (array.inputs + array.axons + 2 * array.neurons))
    work, sweep = chunks * array.chunk_clocks, sweep_clocks(array)
    least = work + sweep * (load.steps if array.single_port else min(load.steps, busy))
    inputs = _INPUT_WORD_CLOCKS * array.input_words if array.generators else array.input_words
    most = (
        work
        + sweep * load.steps
        + load.steps * (_STEP_CLOCKS + inputs)
        + _PASS_CLOCKS * passes
        + _SPIKE_CLOCKS * load.spikes
    )
    return float(least), float(most)


def _lacks(array: ArrayParams, load: Load) -> list[str]:
    return [
        f"{name} ({int(getattr(array, name))} of {need})" if name in ("inputs", "neurons", "axons") else name
        for name, need in load.needs.items()
        if int(getattr(array, name)) < need
    ]
