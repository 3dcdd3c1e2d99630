"""Recordings in the forms of other packages: Neo's blocks, pandas' tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from synloom.base.checks import FloatArray, IntArray
from synloom.base.errors import ParameterError
from synloom.base.requirements import install_command

__all__ = ["neo_block", "samples_table", "spikes_table"]

_UNITS: Final = {"v": "mV", "theta": "mV", "isyn_exc": "nA", "isyn_inh": "nA"}


def _missing(package: str) -> ParameterError:
    return ParameterError(
        f"this needs {package} (extra [data]), which is not installed; try: {install_command(package)}"
    )


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise _missing("pandas") from error
    return pandas


def neo_block(
    start: float,
    stop: float,
    dt: float,
    sizes: Mapping[str, int],
    spikes: Mapping[str, tuple[FloatArray, IntArray]],
    series: Mapping[tuple[str, str], tuple[IntArray, IntArray, FloatArray]],
) -> Any:
    """Return a `neo.Block` with one segment.

    Parameters
    ----------
    start, stop, dt : float
        Begin and end of the run and its time step, ms.
    sizes : mapping of str to int
        Neurons of each population.
    spikes : mapping of str to (times, neurons)
        Spikes, ms.
    series : mapping of (str, str) to (steps, indices, values)
        Samples.

    Raises
    ------
    ParameterError
        If Neo is not installed.
    """
    try:
        import neo
        import quantities
    except ImportError as error:
        raise _missing("neo") from error
    ms = quantities.ms
    segment = neo.Segment(name="run")
    for label, n in sizes.items():
        times, neurons = spikes[label]
        for k in range(n):
            train = neo.SpikeTrain(times[neurons == k] * ms, t_start=start * ms, t_stop=stop * ms)
            train.name = f"{label}[{k}]"
            train.annotate(population=label, source_index=k)
            segment.spiketrains.append(train)
    for (label, variable), (steps, indices, values) in series.items():
        if not len(steps):
            continue
        signal = _signal(neo, (steps + 1.0) * dt * ms, values * quantities.Quantity(1.0, _unit(variable)))
        signal.name = variable
        signal.annotate(population=label, source_indices=[int(k) for k in indices])
        regular = isinstance(signal, neo.AnalogSignal)
        (segment.analogsignals if regular else segment.irregularlysampledsignals).append(signal)
    block = neo.Block(name="synloom", dt=dt)
    block.segments.append(segment)
    return block


def _unit(variable: str) -> str:
    return _UNITS.get(variable, "dimensionless")


def _signal(neo: Any, times: Any, values: Any) -> Any:
    """Return samples as a signal: a regular one, if all intervals are equal."""
    steps = np.diff(times.magnitude)
    if len(steps) and not np.allclose(steps, steps[0], rtol=1e-6):
        return neo.IrregularlySampledSignal(times, values)
    period = (steps[0] if len(steps) else 1.0) * times.units
    return neo.AnalogSignal(values, t_start=times[0], sampling_period=period)


def spikes_table(spikes: Mapping[str, tuple[FloatArray, IntArray]]) -> Any:
    """Return a `pandas.DataFrame` with a row for each spike: time (ms), population, neuron; by time.

    Raises
    ------
    ParameterError
        If pandas is not installed.
    """
    pandas = _pandas()
    parts = [np.zeros(0), *(times for times, _ in spikes.values())]
    neurons = [np.zeros(0, dtype=np.int64), *(which for _, which in spikes.values())]
    labels = [label for label, (times, _) in spikes.items() for _ in range(len(times))]
    table = pandas.DataFrame(
        {
            "time": np.concatenate(parts),
            "population": pandas.Categorical(labels, categories=list(spikes)),
            "neuron": np.concatenate(neurons),
        }
    )
    return table.sort_values("time", kind="stable", ignore_index=True)


def samples_table(times: FloatArray, indices: IntArray, values: FloatArray) -> Any:
    """Return a `pandas.DataFrame` of samples: rows are times in ms, columns neurons.

    Raises
    ------
    ParameterError
        If pandas is not installed.
    """
    pandas = _pandas()
    return pandas.DataFrame(
        values, index=pandas.Index(times, name="time"), columns=pandas.Index(indices, name="neuron")
    )
