"""Runs of a device: recorded ones, single steps, presented stimuli, and the spikes that they get."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from synloom.base.checks import IntArray, real, switch, whole
from synloom.base.errors import ParameterError
from synloom.base.wording import shown
from synloom.compiler.stimulus import RATE_BITS
from synloom.contract.array_port import Words
from synloom.contract.frames import RunFlag
from synloom.contract.registers import Mode
from synloom.device.device_base import DeviceBase
from synloom.device.live_changes import make_changes, rate_words_of
from synloom.device.meter import Meter
from synloom.device.recording import Recording, joined
from synloom.device.stimulus import Receiver, dimensions, events_from, raster_events, step_events
from synloom.device.streaming import Stream
from synloom.device.turns import exclusive
from synloom.device.weight_series import Readings, Weights
from synloom.device.weights import read_raw, si_from_raw
from synloom.image.places import InputInfo

__all__ = ["DeviceRuns"]


class DeviceRuns(DeviceBase):
    """The part of a `Device` that runs."""

    @exclusive
    def run(
        self, duration: float, *, paced: bool = False, stimulus: Any = None, weights: Any = None
    ) -> Recording:
        """Run for some time and return the recording.

        Parameters
        ----------
        duration : float
            Time in ms, a multiple of dt.
        paced : bool
            Keep real time, one step every dt, instead of running as fast as possible. Late steps are counted
            (`counters()["late_steps"]`), never skipped. The model has no clock and ignores this.
        stimulus : iterable of mapping, optional
            Spikes that come in chunks while the array runs, so that they need not fit into memory. A chunk
            has for each population, or its label, spikes in a form of `inject`; times count from the
            beginning of the run, and the rows of a raster follow those of the chunk before. Chunks follow one
            another in time. The run takes no more chunks than it needs, and spikes of the last one that are
            due later wait for the next run.
        weights : mapping, optional
            Projections, or their labels, and an interval in ms for each: their weights are read at the
            beginning, at these intervals, and at the end (`Recording.weights`). The array stands still
            meanwhile; each reading carries two to four bytes for each pair of a source and a target. Not
            together with `paced` or `stimulus`.

        Raises
        ------
        ParameterError
            If `duration` is negative, not a multiple of dt or too long, if a chunk is wrong, or if `schedule`
            was told of a change within a paced run.
        DeviceError
            If no image is loaded, or the run ends early.

        After an interruption (Ctrl-C), or an error of the stimulus's iterator, the next run begins at the
        step where the array stopped (`time`), with the spikes and settings that are not yet due.
        """
        session, steps = self._session, self._steps("duration", duration)
        first, end = session.now, session.now + steps
        flags = RunFlag.PACED if switch("paced", paced) else RunFlag(0)
        readings = None
        if weights is not None:
            if flags or stimulus is not None:
                raise ParameterError("weights are read between pieces of a run: leave out paced and stimulus")
            readings = Readings(self.image, weights, first, steps)
        changes = {change.step for change in session.changes if first < change.step < end}
        if flags and changes:
            raise ParameterError(
                f"the array stands still for what was scheduled for {min(changes) * self.image.dt:g} ms: "
                f"leave out paced, or run up to there first"
            )
        stream = None if stimulus is None else Stream(session, stimulus)
        if readings is None and not changes:
            return self._run(steps, flags, stream)
        cuts = sorted({first, end} | changes | (set() if readings is None else readings.cuts))
        return self._run_in_pieces(cuts, stream, readings)

    def _run_in_pieces(self, cuts: list[int], stream: Stream | None, readings: Readings | None) -> Recording:
        """Run from cut to cut; between them weights are read, and what is due changes."""
        parts: list[Recording] = []
        self._last = None
        series: Callable[[], dict[str, Weights]] = dict if readings is None else readings.series
        try:
            for begin, end in zip(cuts, [*cuts[1:], None], strict=True):
                if readings is not None:
                    self._read_due(readings, begin)
                if end is not None or not parts:
                    parts.append(self._run((end or begin) - begin, RunFlag(0), stream))
            self._last = whole = joined(parts, series())
        except BaseException:
            if self._last is not None and (not parts or self._last is not parts[-1]):
                parts.append(self._last)
            self._last = joined(parts, series()) if parts else None
            raise
        return whole

    def _read_due(self, readings: Readings, step: int) -> None:
        for label in readings.due(step):
            info = self.image.projection(label)
            raw = read_raw(self.port, self.image, info)
            readings.add(label, step, si_from_raw(self.image, info, raw))

    def _run(self, steps: int, flags: RunFlag, stream: Stream | None) -> Recording:
        make_changes(self._session)
        first = self._session.now
        self._session.set_mode(Mode.RASTER, self._recorders.wants_spikes)
        meter = Meter(self._session, steps, self._recorders.wants_inputs)
        if stream is not None:
            stream.begin(meter)
        self._write_recorders()
        before = self._session.decoder
        try:
            decoder = self._session.execute(steps, flags, stream, meter.add)
            work, inputs = meter.work(decoder), meter.input_spikes(first + steps)
            recorded = self._recorders.recording(decoder, self.image, first, steps, work, inputs)
            self._last = recorded
        except BaseException:
            # Before the run began there is nothing to keep.
            self._last = None if self._session.decoder is before else self._partial(first, meter)
            raise
        self._session.log_weights()
        return recorded

    def _partial(self, first: int, meter: Meter) -> Recording | None:
        """Return what was recorded from step `first` to where the array was stopped."""
        session = self._session
        if not session.loaded:
            return None
        meter.add(session.given)
        inputs = meter.input_spikes(session.now)
        return self._recorders.recording(
            session.decoder, session.image, first, session.now - first, None, inputs
        )

    @property
    def last_recording(self) -> Recording | None:
        """Recording of the last `run`, also of one that an interruption or an error cut short.

        It then ends at the step where the array stopped (`time`), and its cost is not known. None after a
        load, or if the array could not be stopped.
        """
        return self._last

    @exclusive
    def step(self, inputs: Mapping[Any, Any] | None = None) -> dict[str, IntArray]:
        """Run one step and return the neurons that fired in it, for closed loops.

        Single steps record no probes; read potentials with `read_state`.

        Parameters
        ----------
        inputs : mapping, optional
            For each input population (or its label) the channels that spike in this step: a row (n,) of bool
            or uint8, or a sequence of indices. As many indices as channels, all 0 or 1, could be a row and
            are refused. For a population of neurons, the neurons that are forced to fire, as in `inject`.

        Returns
        -------
        dict of str to (K,) int64
            Indices of the neurons that fired, by label of their population.
        """
        session, image = self._session, self.image
        events: list[tuple[Receiver, IntArray]] = []
        for which, spikes in _by_input({} if inputs is None else inputs):
            info = session.receiver(which)
            events.append((info, step_events(spikes, info, session.now)))
        make_changes(session)
        session.send(session.joined(events))
        session.set_mode(Mode.RASTER, True)
        _, fired = session.execute(1, RunFlag.FLUSH).spikes()
        # The neurons of a step come in ascending order.
        populations = image.populations
        if len(populations) == 1:
            ((label, info),) = populations.items()
            return {label: fired - info.first}
        ends = fired.searchsorted([(info.first, info.first + info.n) for info in populations.values()])
        return {
            label: fired[first:end] - info.first
            for (label, info), (first, end) in zip(populations.items(), ends.tolist(), strict=True)
        }

    @exclusive
    def present(
        self, inputs: Mapping[Any, Any], duration: float, *, rest: float = 0.0, bits: int = RATE_BITS
    ) -> dict[str, IntArray]:
        """Present a stimulus and return how often each neuron fired, with few commands and no recording.

        Afterwards, and after an interruption, the generators have the rates of the network or of `set_rates`
        again.

        Parameters
        ----------
        inputs : mapping
            For each input population (or its label) the rates of its generators in Hz, a number or (n,); or a
            raster (T, n) of bool or uint8, no longer than `duration`. A population of neurons takes rasters,
            as in `inject`.
        duration : float
            Time in ms, a multiple of dt, at most 65,535 steps.
        rest : float
            Time in ms to run afterwards with these rates at 0; its spikes are not counted.
        bits : int
            Bits of the rates, as in `set_rates`.

        Returns
        -------
        dict of str to (n,) int64
            Spike counts, by label of their population.

        Raises
        ------
        CapacityError
            If the array has no spike counters.
        NetworkError, ParameterError
            If there is no such input population or it has no generators, or if a stimulus or a time is wrong.
        """
        image, session = self.image, self._session
        steps, pause = self._steps("duration", duration), self._steps("rest", rest)
        whole("duration (in steps)", steps, 0, 0xFFFF)
        used = image.registers["sweep_count"]
        rates, events = self._stimuli(inputs, steps, bits)
        joined = session.joined(events)
        # Nothing is written before this line, so a wrong stimulus changes nothing.
        session.clear_counts(used)
        session.send(joined)
        session.set_mode(Mode.RASTER, False)
        with session.presenting(rates):
            self._execute_shown(steps, rates)
            counts = session.counts(0, used, clear=True)
            if pause:
                silence = [(info, rate_words_of(image, info, 0.0, bits)) for info, _ in rates]
                for info, words in silence:
                    session.show_rates(info, words)
                self._execute_shown(pause, silence)
                session.clear_counts(used)
        return {label: counts[info.first : info.first + info.n] for label, info in image.populations.items()}

    def _execute_shown(self, steps: int, rates: Sequence[tuple[InputInfo, Words]]) -> None:
        """Run some steps with these rates, whatever changes on the way."""
        session = self._session
        end = session.now + steps
        while True:
            if make_changes(session):
                for info, words in rates:
                    session.show_rates(info, words)
            session.execute(session.next_cut(end) - session.now, RunFlag(0), shown=True)
            if session.now >= end:
                break

    def _stimuli(
        self, inputs: Mapping[Any, Any], steps: int, bits: int
    ) -> tuple[list[tuple[InputInfo, Words]], list[tuple[Receiver, IntArray]]]:
        """Return the rates and the events of what is presented for some steps."""
        rates: list[tuple[InputInfo, Words]] = []
        events: list[tuple[Receiver, IntArray]] = []
        for which, stimulus in _by_input(inputs):
            if dimensions(stimulus) < 2:
                source = self.image.input(which)
                rates.append((source, rate_words_of(self.image, source, stimulus, bits)))
                continue
            info = self._session.receiver(which)
            events.append((info, raster_events(stimulus, info, self._session.now)))
            if len(stimulus) > steps:
                raise ParameterError(
                    f"the raster for {info.label!r} must have at most {steps} rows, the steps of "
                    f"{steps * self.image.dt:g} ms, not {len(stimulus)}"
                )
        return rates, events

    def _steps(self, name: str, duration: Any) -> int:
        return self._session.steps(real(name, duration, low=0.0))

    @exclusive
    def inject(self, population: Any, spikes: Any) -> None:
        """Send spikes to an input population, or force neurons to fire, in the following runs.

        A forced neuron fires in that step whatever its potential and refractory time: it is reset, its spike
        is sent and recorded, and its synapses learn from it. A `load` or `reset` drops what is not yet due.

        Parameters
        ----------
        population : InputPopulation, Population or str
            The input population or population of neurons, or its label.
        spikes : (T, n) array of bool or uint8, or sequence of (ms, index)
            A raster, whose row 0 is the next step; or pairs, whose times count from now. The delay of an
            input population is added. A time between two steps acts at the nearest one, half a step at the
            next. What could be both is refused.

        Raises
        ------
        CapacityError
            If it is a population of neurons, and the array lacks `teaching`.
        NetworkError
            If the image has no such population.
        ParameterError
            If the spikes have another form, or a time or an index is out of range.
        """
        info = self._session.receiver(population)
        events = [(info, events_from(spikes, info, self._session.now, self.image.dt))]
        self._session.send(self._session.joined(events))


def _by_input(inputs: Any) -> Iterable[tuple[Any, Any]]:
    if not isinstance(inputs, Mapping):
        raise ParameterError(
            f"inputs must be a mapping from input populations to stimuli, not {shown(inputs)}"
        )
    return inputs.items()
