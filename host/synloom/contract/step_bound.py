"""The fewest clocks of a step: what each of its phases pays, by the structure of the gateware.

The phases are those of docs/blocks/sequencer.md. All counts are means over many steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from synloom.contract.params import ArrayParams
from synloom.contract.serial_program import sweep_clocks

__all__ = ["StepBound", "step_bound"]

_SCAN: Final = 3
"""Until the first word of a bitmap is taken, and after its last."""
_GENERATOR_WORD: Final = 5
"""A word of generators: four inputs a clock, and one to hand it over."""
_SILENT_WORD: Final = 4
"""The same if all rates are 0: its numbers are used up beside all else."""
_SILENT: Final = 2
"""Until the first word's numbers are used up, and after the last one's."""
_DISPATCH: Final = 3
"""A source that spikes."""
_FIRED: Final = 3
"""A neuron that fired; beside it the wheel sets its spike."""
_FIRED_LEARNS: Final = 4
"""The same, if it also starts a pass."""
_LAST_SPIKE: Final = 3
"""The last neuron's spike on its way into the wheel."""
_SHORT: Final = 2
"""What a column saves at the ends of its phase, for each clock by which it is shorter than its dispatch."""
_REUSE: Final = 4
"""Clocks after which two rows may use the same accumulators."""
_PASSES: Final = 19
"""The first pass of a phase on its way to the pipeline, and the last on its way through it."""
_COLUMNS: Final = 4
"""The phase of columns, beside the neurons that fired."""
_LIST: Final = 7
"""The words of a list's first segment, read again in each phase if there is more than one list."""
_SWEEP: Final = 13
"""The sweep's pipeline."""
_STILL: Final = 1
"""A sweep that is skipped."""
_DECAY: Final = 26
"""The decay of traces on its way to the pipeline and through it."""
_SHORTEST_DECAY: Final = 10
"""One list of traces, while the next one is read."""
_REST: Final = 4
"""Head, probes, end of the step, and the clock after it."""


@dataclass(frozen=True, slots=True)
class StepBound:
    """The fewest clocks of a step, by phase.

    Attributes
    ----------
    rows : float
        Generators, the scan for active sources, and their row passes.
    sweep : float
        The update of all neurons or the decay of all traces, whichever takes longer; nothing if all are 0.
    columns : float
        What neurons that fired cause: spikes on their way, and column passes if they learn.
    rest : float
        The steps of the sequencer between the phases.
    """

    rows: float
    sweep: float
    columns: float
    rest: float

    @property
    def clocks(self) -> float:
        """Clocks of the whole step."""
        return self.rows + self.sweep + self.columns + self.rest


def step_bound(params: ArrayParams, inputs: float, neurons: float, *, learning: bool) -> StepBound:
    """Return the fewest clocks of a step in an all-to-all network.

    Phases follow one another; within a phase everything overlaps, so that the slowest part decides. Clocks to
    start and to drain a phase count as often as something spikes in it, with spikes that are independent.
    Gateware with single-ported weights or serial neurons has shorter pipelines, of which nothing is counted.
    If nothing spikes at all, all rates and all state are taken as 0.

    Parameters
    ----------
    params : ArrayParams
        The array; all its inputs have generators if it has any.
    inputs, neurons : float
        How many inputs spike, and how many neurons fire, in a step.
    learning : bool
        Whether all synapses learn.
    """
    return StepBound(
        _rows(params, inputs, neurons, learning),
        _still(params, learning) if inputs + neurons == 0 else _sweep(params, learning),
        _columns(params, neurons, learning),
        _REST,
    )


def _any(spikes: float) -> float:
    """Return the probability of at least one spike."""
    return -math.expm1(-spikes)


def _chunks(params: ArrayParams, positions: int, words: int, learning: bool) -> int:
    """Return the clocks of a pass; one that draws random numbers ends with a whole group of 16 positions."""
    draws = learning and params.stochastic_rounding
    return params.chunk_clocks * math.ceil((16 * words if draws else positions) / params.lanes)


def _start(params: ArrayParams, learning: bool) -> int:
    """Return the clocks in which passes start and drain."""
    return 0 if params.serial_neurons else _PASSES + learning * _LIST


def _rows(params: ArrayParams, inputs: float, neurons: float, learning: bool) -> float:
    row = max(_chunks(params, params.neurons, params.neuron_words, learning), _DISPATCH)
    if not params.serial_neurons:
        row = max(row, _REUSE)
    word = _GENERATOR_WORD if params.generators and inputs else 1
    before = _SCAN + word * params.input_words
    start = _start(params, learning)
    return max(
        # Nearly nothing spikes: the scan. An id takes a clock, which the generators' words hide.
        before + params.neuron_words + params.axon_words + neurons,
        # The rows of neurons come after the last word of inputs.
        before + start * _any(neurons) + row * neurons,
        (_SCAN + word + start) * _any(inputs + neurons) + row * (inputs + neurons),
    )


def _still(params: ArrayParams, learning: bool) -> float:
    if params.single_port:
        return _sweep(params, learning)
    if not params.generators:
        return _STILL
    # The numbers of generators may take longer than the scan.
    return max(_STILL, _SILENT + _SILENT_WORD * params.input_words - _rows(params, 0, 0, learning))


def _sweep(params: ArrayParams, learning: bool) -> float:
    if params.serial_neurons:
        return sweep_clocks(params)
    sweep = 16 * params.neuron_words // params.neuron_lanes + _SWEEP
    if not learning:
        return sweep
    sources, targets = params.source_chunks, params.target_chunks
    return max(sweep, _DECAY + max(sources, _SHORTEST_DECAY) + targets)


def _columns(params: ArrayParams, neurons: float, learning: bool) -> float:
    scan = params.neuron_words + neurons
    if not learning:
        return max(scan * _any(neurons), (_COLUMNS + _LAST_SPIKE) * _any(neurons) + _FIRED * neurons)
    words = params.input_words + params.neuron_words
    chunks = _chunks(params, params.inputs + params.neurons, words, learning)
    column = max(chunks, _FIRED_LEARNS)
    start: float = _COLUMNS + (0 if params.serial_neurons else _PASSES + _LIST + _SCAN)
    if chunks < _FIRED_LEARNS and not params.serial_neurons:
        # The first column is fetched, and the last one is walked, while dispatch is what takes the time.
        spare = _FIRED_LEARNS - chunks
        # What the first list cost is made up for by the columns behind.
        start -= _SHORT * spare + 1 + min(_LIST, spare * max(0.0, neurons - 1))
    return max(scan * _any(neurons), start * _any(neurons) + column * neurons)
