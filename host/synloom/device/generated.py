"""The spikes of an array's generators, computed again on the host: the array does not report them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.base.checks import IntArray
from synloom.contract.array_port import Words
from synloom.contract.memory_map import GENERATOR, PHASE

__all__ = ["Generated"]

_BLOCK: Final = 256
"""Steps that are computed together."""


@dataclass(frozen=True, eq=False)
class Generated:
    """The generators of one run: all that determines their spikes (docs/numbers.md, generators).

    Parameters
    ----------
    state : int
        The random state when the image was loaded.
    before : int
        Steps from then to the beginning of the run.
    first, steps : int
        First step of the run, and number of steps.
    rates : (n,) uint16
        The words of GEN_RATE, n = 16 * GEN_WORDS.
    phases : (n,) uint16
        The phases at the beginning; only those of regular generators matter.
    inputs : int
        Ids from here on do not exist.
    """

    state: int
    before: int
    first: int
    steps: int
    rates: Words
    phases: Words
    inputs: int

    def counts(
        self, given: IntArray, learning: Callable[[IntArray], npt.NDArray[np.bool_]]
    ) -> tuple[IntArray, IntArray]:
        """Return the active steps of each id, (n,) int64: all, and those in which learning is on.

        Parameters
        ----------
        given : (K, 2) int64
            (step, id) of spikes from the host: an id is active once in a step, whoever made it so.
        learning : callable
            Whether learning is on in each of some steps, (T,) int64.
        """
        n = len(self.rates)
        every, learned = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
        for now, active in self._blocks():
            mine = given[(given[:, 0] >= now[0]) & (given[:, 0] <= now[-1])]
            active[mine[:, 0] - now[0], mine[:, 1]] = True
            every += active.sum(axis=0)
            learned += active[learning(now)].sum(axis=0)
        return every, learned

    def spikes(self, end: int) -> IntArray:
        """Return (step, id) of all spikes before step `end`, (K, 2) int64, by time and then by id."""
        found = [np.zeros((0, 2), dtype=np.int64)]
        for now, active in self._blocks(end):
            step, which = np.nonzero(active)
            found.append(np.stack([now[step], which], axis=1))
        return np.concatenate(found)

    def _blocks(self, end: int | None = None) -> Iterator[tuple[IntArray, npt.NDArray[np.bool_]]]:
        """Yield steps of the run before `end`, (T,) int64, and which ids are active in them, (T, n) bool."""
        from synloom_sim.model.random_numbers import GENERATOR_BITS, Jump

        n = len(self.rates)
        steps = self.steps if end is None else min(self.steps, end - self.first)
        phases = self.phases.astype(np.int64)
        state = _state(self.state, GENERATOR_BITS * n, self.before)
        onward = Jump.by(GENERATOR_BITS * n)
        for begin in range(0, steps, _BLOCK):
            length = min(_BLOCK, steps - begin)
            states = []
            for _ in range(length):
                states.append(state)
                state = onward(state)
            now = self.first + begin + np.arange(length)
            active = self._drawn(states)
            phases = self._regular(active, phases, now)
            active[:, self.inputs :] = False
            yield now, active

    def _drawn(self, states: list[int]) -> npt.NDArray[np.bool_]:
        from synloom_sim.model.random_numbers import GENERATOR_BITS, Numbers
        from synloom_sim.model.stimulus import bernoulli

        numbers = Numbers.of(GENERATOR_BITS).at(np.array(states, dtype=np.uint64), 0, len(self.rates))
        return bernoulli(self.rates.astype(np.uint32), numbers)

    def _regular(self, active: npt.NDArray[np.bool_], phases: IntArray, now: IntArray) -> IntArray:
        """Set the spikes of regular generators in some steps; return the phases after them."""
        fields = GENERATOR.unpack(self.rates[:, None])
        which = np.flatnonzero(fields["regular"])
        if not len(which):
            return phases
        period, e = fields["mantissa"][which], 7 - fields["exponent"][which]
        every, tick = 8 ** np.maximum(e - 3, 0), 8 ** np.maximum(3 - e, 0)
        phase = phases[which]
        for k, step in enumerate(now.tolist()):
            spikes = phase >= period
            active[k, which] = spikes
            phase = phase - np.where(spikes, period, 0) + tick * ((step + 1) % every == 0)
            phase &= PHASE["phase"].high
        phases = phases.copy()
        phases[which] = phase
        return phases


def _state(state: int, bits: int, times: int) -> int:
    """Return the random state after so many steps of so many bits each."""
    from synloom_sim.model.random_numbers import Jump

    # A step is a linear function of the state, given by what it makes of each bit; squaring doubles it.
    step = [Jump.by(bits)(1 << bit) for bit in range(64)]
    while times:
        if times & 1:
            state = _applied(step, state)
        step = [_applied(step, made) for made in step]
        times >>= 1
    return state


def _applied(step: list[int], state: int) -> int:
    result = 0
    for bit, made in enumerate(step):
        if state >> bit & 1:
            result ^= made
    return result
