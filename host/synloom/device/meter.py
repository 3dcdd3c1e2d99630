"""What happens in a run, observed from the host: the `Work` that its cost is computed from."""

from __future__ import annotations

import numpy as np

from synloom.base.checks import IntArray
from synloom.contract.memory_map import GENERATOR
from synloom.contract.records import SETTING, SettingKind
from synloom.contract.regions import Region
from synloom.contract.registers import Mode
from synloom.device.cost import Learning, Work
from synloom.device.decoder import RecordDecoder
from synloom.device.events import ids_of, steps_of
from synloom.device.generated import Generated
from synloom.device.session import Session

__all__ = ["Meter"]

_FULL = 0xFFFF
"""Where a spike counter stops."""


class Meter:
    """Observes one run of a session, from just before it to its end.

    Parameters
    ----------
    session : Session
        The session, whose modes are set for the run.
    steps : int
        Steps of the run.
    keeps : bool
        Whether to keep the spikes of inputs, for `input_spikes`.
    """

    def __init__(self, session: Session, steps: int, keeps: bool = False):
        self._session = session
        self._image = session.image
        self._first = session.now
        self._steps = steps
        self._keeps = keeps
        self._raster = session.mode(Mode.RASTER)
        self._learning = self._switches()
        self._generated = self._generators() if steps else None
        self._counts = None if self._raster or not steps else self._read_counts()
        self._words = session.queue.words
        sources = self._image.params.sources
        self._sources = np.zeros(sources, dtype=np.int64)
        self._learned = np.zeros(sources, dtype=np.int64)
        self._given: list[IntArray] = []
        self._sent: list[IntArray] = []

    def add(self, events: IntArray) -> None:
        """Count events, (K,) int64, that were sent in this run."""
        if not len(events):
            return
        steps, ids = steps_of(events), ids_of(events)
        inputs = ids < self._image.params.first_neuron_source
        steps, ids = steps[inputs], ids[inputs]
        if self._keeps:
            self._sent.append(np.stack([steps, ids], axis=1))
        n = len(self._sources)
        self._sources += np.bincount(ids, minlength=n)
        self._learned += np.bincount(ids[self._learning(steps)], minlength=n)
        if self._generated is not None:
            mine = ids < len(self._generated.rates)
            self._given.append(np.stack([steps[mine], ids[mine]], axis=1))

    def input_spikes(self, end: int) -> IntArray:
        """Return (step, id) of the spikes of inputs before step `end`, (K, 2) int64, in order.

        Those of generators are computed again, those from the host are in the events that were sent. Without
        `keeps` there are none.
        """
        if not self._keeps:
            return np.zeros((0, 2), dtype=np.int64)
        sent = [part[part[:, 0] < end] for part in self._sent]
        drawn = [self._generated.spikes(end)] if self._generated is not None else []
        return np.unique(np.concatenate([np.zeros((0, 2), dtype=np.int64), *sent, *drawn]), axis=0)

    def work(self, decoder: RecordDecoder) -> Work:
        """Return the work of the run, which has ended."""
        fired, learned = self._fired(decoder)
        return Work(
            fan_out=self._session.fan_out,
            steps=self._steps,
            duration=self._steps * self._image.dt,
            fired=fired,
            fired_learning=learned,
            sources=self._sources,
            sources_learning=self._learned,
            generated=self._generated,
            given=np.concatenate([np.zeros((0, 2), dtype=np.int64), *self._given]),
            learning=self._learning,
            event_words=self._session.queue.words - self._words,
            record_words=decoder.words,
        )

    def _switches(self) -> Learning:
        """Return when learning is on: settings for this run are all known when it begins."""
        changes = []
        settings = self._session.queue.settings(self._first + self._steps)
        for step, word in zip(steps_of(settings).tolist(), ids_of(settings).tolist(), strict=True):
            if int(SETTING["kind"].decode(word)) == SettingKind.MODE:
                value = int(SETTING["value"].decode(word))
                if value >> 4 + Mode.LEARN & 1:
                    changes.append((step, bool(value >> Mode.LEARN & 1)))
        on = self._session.mode(Mode.LEARN)
        if not self._image.params.plasticity:
            return Learning(False)
        return Learning(on, tuple(changes))

    def _generators(self) -> Generated | None:
        image, session = self._image, self._session
        n = 16 * min(image.registers["gen_words"], image.params.input_words)
        rates = session.rates.held[:n]
        if not (image.params.generators and n and rates.any()):
            return None
        phases = np.zeros(n, dtype=np.uint16)
        if (rates >> GENERATOR["regular"].start & 1).any():
            phases = session.port.read(Region.GEN_PHASE, 0, n)
        state = image.registers["gen_rng"]
        return Generated(state, session.total, self._first, self._steps, rates, phases, image.params.inputs)

    def _read_counts(self) -> IntArray | None:
        params, used = self._image.params, self._image.registers["sweep_count"]
        return self._session.counts(0, used, clear=False) if params.spike_counters else None

    def _fired(self, decoder: RecordDecoder) -> tuple[IntArray | None, IntArray | None]:
        n = self._image.params.neurons
        if not self._steps:
            return np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
        if self._raster:
            steps, neurons = decoder.spikes()
            every = np.bincount(neurons, minlength=n)
            return every, np.bincount(neurons[self._learning(steps)], minlength=n)
        before, after = self._counts, self._read_counts()
        if before is None or after is None or (after >= _FULL).any() or not self._learning.constant:
            return None, None
        fired = np.zeros(n, dtype=np.int64)
        fired[: len(after)] = after - before
        return fired, fired * self._learning.at_first
