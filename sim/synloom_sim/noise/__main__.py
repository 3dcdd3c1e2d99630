"""``python -m synloom_sim.noise`` measures how independent random numbers are, and prints a table."""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np

from synloom.base.workers import available_cores
from synloom.compiler.stimulus import rate_words, rates_of
from synloom_sim.model.random_numbers import ROUNDING_BITS
from synloom_sim.noise.independence import Independence, independence
from synloom_sim.noise.sources import Raster, rounded_up, spikes

__all__ = ["main"]

_RATES: Final = (0.1, 1.0, 5.0, 20.0, 100.0, 500.0)
_FRACTIONS: Final = (0.05, 0.5)
_LSB: Final = 2**ROUNDING_BITS
"""Units of a fraction that is rounded."""


@dataclass(frozen=True)
class _Case:
    """One row of the table.

    `make` yields the spikes, (some steps, W) bool, which begin at a state.
    """

    name: str
    rate: float
    make: Callable[[int], Iterator[Raster]]


class _Progress:
    """A line on a terminal with the share of each case that is being measured; also what ends them all."""

    def __init__(self) -> None:
        self._shares: dict[str, float] = {}
        self._lock = threading.Lock()
        self._shown = 0.0
        self.ended = False

    def through(self, case: str, parts: Iterator[Raster], steps: int) -> Iterator[Raster]:
        """Yield parts, and show how many of their steps are done."""
        done = 0
        for part in parts:
            yield part
            done += len(part)
            if self.ended:
                return
            with self._lock:
                self._shares[case] = done / steps
                if time.monotonic() - self._shown > 0.5:
                    self._show()
        with self._lock:
            self._shares.pop(case, None)

    def row(self, text: str) -> None:
        """Print a row of the table in place of the line."""
        with self._lock:
            self.clear()
            print(text, flush=True)

    def clear(self) -> None:
        """Take the line away."""
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _show(self) -> None:
        self._shown = time.monotonic()
        if sys.stderr.isatty():
            line = ", ".join(f"{case}: {share:.0%}" for case, share in self._shares.items())
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m synloom_sim.noise", description="Measure how independent the random numbers are."
    )
    parser.add_argument("--channels", type=int, default=2048, help="a multiple of 16 (default: 2048)")
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--lags", type=int, default=64, help="steps between spikes that are compared")
    parser.add_argument("--threes", type=int, default=4, help="positions between the first two of a triple")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=available_cores(), help="cases at a time")
    parser.add_argument(
        "rates", nargs="*", type=float, help="rates in Hz, at steps of 1 ms; none: all, and rounding"
    )
    parser.add_argument(
        "--rounding", action="store_true", help="the rounding of weights: beside the rates given, or alone"
    )
    options = parser.parse_args(arguments)
    for name, least, most in (
        ("channels", 1, 4096),
        ("steps", 1, 10**9),
        ("lags", 1, 4096),
        ("threes", 0, 16),
        ("seed", 0, 2**64 - 1),
        ("jobs", 1, 64),
    ):
        if not least <= getattr(options, name) <= most:
            parser.error(f"--{name} must be in {least}..{most}, not {getattr(options, name)}")
    if options.channels % 16:
        parser.error(f"--channels must be a multiple of 16, not {options.channels}")
    every = not options.rates and not options.rounding
    cases = _generators(_RATES if every else options.rates, options.channels, options.steps)
    if every or options.rounding:
        cases += _roundings(options.channels, options.steps)
    state = int(np.random.SeedSequence(options.seed).generate_state(1, np.uint64)[0])
    print(f"{options.channels} channels, {options.steps} steps of 1 ms; largest deviations in sigma")
    print(f"{'numbers':>22}   pairs  distances  triples  population variance / binomial")
    _measure_all(cases, state, options)


def _generators(rates: Sequence[float], channels: int, steps: int) -> list[_Case]:
    """Return a case for each rate of Poisson generators."""
    cases = []
    for hz in rates:
        word = int(rate_words(np.array([hz]), "poisson", 1.0)[0])
        rate = float(rates_of(np.array([word], dtype=np.uint16), 1.0)[0]) / 1000

        def generators(state: int, word: int = word) -> Iterator[Raster]:
            return spikes(word, channels, steps, state)

        cases.append(_Case(f"generators, {hz:g} Hz", rate, generators))
    return cases


def _roundings(channels: int, steps: int) -> list[_Case]:
    """Return a case for each fraction of an LSB that is rounded."""
    cases = []
    for fraction in _FRACTIONS:
        units = round(fraction * _LSB)

        def rounding(state: int, units: int = units) -> Iterator[Raster]:
            return rounded_up(units, channels, steps, state)

        cases.append(_Case(f"rounding, {fraction:g} LSB", units / _LSB, rounding))
    return cases


def _measure_all(cases: Sequence[_Case], state: int, options: argparse.Namespace) -> None:
    """Print a row for each case, in their order."""
    progress = _Progress()

    def measure(case: _Case) -> Independence:
        parts = progress.through(case.name, case.make(state), options.steps)
        return independence(parts, case.rate, options.lags, options.threes)

    with ThreadPoolExecutor(options.jobs) as threads:
        try:
            for case, found in zip(cases, threads.map(measure, cases), strict=True):
                pairs, distances, triples = found.worst
                progress.row(
                    f"{case.name:>22}  {pairs:6.2f}  {distances:9.2f}  {triples:7.2f}  {found.population:.4f}"
                )
        finally:
            progress.ended = True
            threads.shutdown(wait=False, cancel_futures=True)
            progress.clear()


if __name__ == "__main__":
    main()
