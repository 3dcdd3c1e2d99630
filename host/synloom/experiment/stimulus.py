"""Inputs of an experiment: generators, and spikes at given times from lists, files and bursts."""

from __future__ import annotations

from typing import Any

import numpy as np

from synloom.base.checks import FloatArray, IntArray, nearest_steps
from synloom.experiment.data_files import read_spikes
from synloom.experiment.document import Experiment
from synloom.experiment.location import Location
from synloom.experiment.values import spread
from synloom.network.inputs import InputPopulation, PoissonInput, RegularInput

__all__ = ["check_rates", "make_input"]

_GENERATORS = {"poisson": PoissonInput, "regular": RegularInput}


def make_input(
    experiment: Experiment, name: str, table: dict[str, Any], rng: np.random.Generator
) -> InputPopulation:
    """Return the input population of a table ``[inputs.NAME]``.

    Raises
    ------
    ExperimentError
        If a rate, a time, a channel or a file is wrong.
    """
    where = experiment.where.key("inputs").key(name)
    n: int = table["n"]
    if (generator := _GENERATORS.get(table["kind"])) is not None:
        rate = spread(table["rate"], n, rng, where.key("rate"))
        check_rates(rate, experiment, where.key("rate"))
        return generator(n, rate=rate, label=name)
    sources = [key for key in ("times", "file", "bursts") if table[key] is not None]
    if not sources:
        raise where.error('has no spikes; kind = "spikes" needs times, file or bursts')
    times, channels = zip(
        *(_READERS[key](experiment, table, rng, where.key(key)) for key in sources), strict=True
    )
    when, which = np.concatenate(times), np.concatenate(channels)
    return InputPopulation(n, spike_times=[np.sort(when[which == k]) for k in range(n)], label=name)


def check_rates(rate: float | FloatArray, experiment: Experiment, where: Location) -> None:
    """Raise an ExperimentError if a rate in Hz is above one spike per step."""
    most = 1000.0 / experiment.dt
    if np.max(rate) > most * (1.0 + 1e-9):
        raise where.error(f"must be at most {most:g} Hz (one spike per step), not {np.max(rate):g}")


def _from_times(
    experiment: Experiment, table: dict[str, Any], rng: np.random.Generator, where: Location
) -> tuple[FloatArray, IntArray]:
    lists: list[list[float]] = table["times"]
    if len(lists) != table["n"]:
        raise where.error(f"must have one list for each of the {table['n']} channels, not {len(lists)}")
    channels = np.repeat(np.arange(len(lists)), [len(times) for times in lists])
    return np.array([time for times in lists for time in times], dtype=np.float64), channels


def _from_file(
    experiment: Experiment, table: dict[str, Any], rng: np.random.Generator, where: Location
) -> tuple[FloatArray, IntArray]:
    times, channels = read_spikes(table["file"], experiment.path.parent, where)
    bad = ~(np.isfinite(times) & (times >= 0.0))
    if bad.any():
        raise where.error(f"({table['file']}) must have times of at least 0 ms, not {times[bad][0]:g}")
    bad = ~np.isin(channels, np.arange(table["n"]))
    if bad.any():
        raise where.error(
            f"({table['file']}) must have channels in 0..{table['n'] - 1}, not {channels[bad][0]:g}"
        )
    return times, channels.astype(np.int64)


def _from_bursts(
    experiment: Experiment, table: dict[str, Any], rng: np.random.Generator, where: Location
) -> tuple[FloatArray, IntArray]:
    """Return the spikes of all bursts; those that jitter moves before the start come at 0."""
    times, channels = [np.zeros(0)], [np.zeros(0, dtype=np.int64)]
    for index, burst in enumerate(table["bursts"]):
        members = np.array(range(table["n"]) if burst["channels"] is None else burst["channels"])
        if members.max() >= table["n"]:
            raise (
                where.item(index)
                .key("channels")
                .error(f"must be in 0..{table['n'] - 1}, not {members.max()}")
            )
        train = burst["interval"] * np.arange(burst["spikes"])
        for begin in burst["at"]:
            exact = begin + np.tile(train, (len(members), 1))
            moved = np.maximum(exact + rng.normal(0.0, burst["jitter"], exact.shape), 0.0)
            # Spikes act in whole steps: rounding here keeps a row for each channel out of the report.
            times.append((nearest_steps(moved, experiment.dt) * experiment.dt).reshape(-1))
            channels.append(np.repeat(members, len(train)))
    return np.concatenate(times), np.concatenate(channels)


_READERS = {"times": _from_times, "file": _from_file, "bursts": _from_bursts}
