"""A session: the image in an array, its time and its waiting events; after errors the array is at rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray, IntArray, label_of, whole
from synloom.base.errors import (
    ArrayLostError,
    CapacityError,
    DeviceError,
    MismatchError,
    NetworkError,
    ParameterError,
    SynloomError,
)
from synloom.base.wording import shown
from synloom.contract.array_port import Port, Words
from synloom.contract.frames import RunFlag
from synloom.contract.memory import Write
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom.contract.registers import Mode
from synloom.device.changes import warn_of_change
from synloom.device.decoder import RecordDecoder
from synloom.device.event_queue import EventQueue, Joined
from synloom.device.events import NO_EVENTS, events_at, steps_of
from synloom.device.execution import Source, execute, new_decoder, stop
from synloom.device.fan_out import FanOut
from synloom.device.loader import check_fits, clear_dynamics, load_image, read_register, write_register
from synloom.device.log import Log
from synloom.device.memories import arriving, load_snapshot, read_records, read_weights, records_of
from synloom.device.neuron_state import read_population
from synloom.device.rates import GeneratorRates
from synloom.device.stimulus import Receiver, warn_of_merging
from synloom.device.weights import writes_of_raw
from synloom.image.image import Image
from synloom.image.places import InputInfo, PopulationInfo, ProjectionInfo
from synloom.image.snapshot import Snapshot

__all__ = ["Session"]


class Session:
    """The state that the host keeps of one array.

    Parameters
    ----------
    port : Port
        The array.

    Attributes
    ----------
    now : int
        The next step.
    queue : EventQueue
        Spikes and settings that wait to be sent.
    rates : GeneratorRates
        Rates of the generators.
    inputs_merged : int
        Spikes since the load that had another one in their step and channel or neuron.
    total : int
        Steps since the load.
    counted : mapping of str to int
        What the counters of the array had counted before it was restored.
    log : Log or None
        What is told of all that happens.
    decoder : RecordDecoder
        Records of the last run, also of one that was cut short.
    given : (K,) int64
        Events of that run, sorted, but for those of a stream that were told to its meter.
    under_way : tuple of (Region, int, (n,) uint16)
        Writes of a call that was cut short, of which a part may have happened: `finish` does them.
    """

    def __init__(self, port: Port):
        self.port = port
        self.queue = EventQueue()
        self.now = 0
        self.rates = GeneratorRates(port, np.zeros(0, dtype=np.uint16))
        self.inputs_merged = 0
        self.total = 0
        self.counted: Mapping[str, int] = {}
        self.log: Log | None = None
        # Whether a call was cut short since the log was right for the last time.
        self.torn = False
        self.mend: Callable[[], None] = lambda: None
        self.under_way: tuple[Write, ...] = ()
        # Whether weights may have changed since they were logged.
        self._learned = False
        self._loaded: Image | None = None
        self._why = ""
        self.decoder = RecordDecoder(0)
        self.given = NO_EVENTS
        # Events in the delay wheel that belong to the next run, since this one was cut short; those that the
        # last run began with.
        self._early = self._carried = NO_EVENTS
        self._mode: int | None = None
        self._neurons: Words | None = None
        self._program: Words | None = None

    @property
    def loaded(self) -> bool:
        """Whether an image is loaded."""
        return self._loaded is not None

    @property
    def image(self) -> Image:
        """The loaded image; DeviceError if there is none."""
        return self.require_image()

    def require_image(self) -> Image:
        """Return the loaded image.

        Raises
        ------
        DeviceError
            If no image is loaded.
        """
        if self._loaded is None:
            raise DeviceError(f"no image is loaded{self._why}; call device.load(image)")
        return self._loaded

    def load(self, image: Image, then: Callable[[], None] = lambda: None) -> None:
        """Replace everything in the array by an image, or nothing if the array cannot run it.

        If loading is interrupted, no image counts as loaded; `then` is called before it does.

        Raises
        ------
        MismatchError
            If the image was compiled for another array.
        """
        check_fits(image, self.port.params)
        with self._unknown("a load"):
            # What was lost is written anew.
            with suppress(ArrayLostError):
                stop(self.port)
            load_image(self.port, image)
            self._mode = image.registers["mode"]
            self.rates = GeneratorRates(self.port, image.gen_rate)
            self.inputs_merged = 0
            self.total, self.counted = 0, {}
            self.fan_out = FanOut(image)
            self._neurons, self._program = image.neuron_params.copy(), image.program.copy()
            self._restart(image)
            then()
        self._loaded = image
        if self.log is not None:
            self.log.load(image)

    def restore(self, snapshot: Snapshot, then: Callable[[], None]) -> None:
        """Replace everything in the array by a snapshot, or nothing if the array cannot run its image.

        If that is interrupted, no image counts as loaded; `then` is called before it does.

        Raises
        ------
        MismatchError
            If the image was compiled for another array.
        """
        image = snapshot.image
        check_fits(image, self.port.params)
        with self._unknown("a restore"):
            # What was lost is written anew.
            with suppress(ArrayLostError):
                stop(self.port)
            load_snapshot(self.port, snapshot)
            self._mode = snapshot.registers["mode"]
            held = snapshot.memories.get("gen_rate", image.gen_rate)
            self.rates = GeneratorRates(self.port, held, snapshot.rates)
            self.inputs_merged = snapshot.inputs_merged
            self.total, self.counted = snapshot.total, snapshot.counters
            self.fan_out = FanOut(image)
            self._neurons, self._program = (
                records_of(image, name, snapshot.memories[name]) for name in ("neuron_params", "program")
            )
            self.now, self._early = snapshot.now, NO_EVENTS
            self.queue.restore(self.now, events_at(*snapshot.events.T))
            then()
        self._loaded = image
        if self.log is not None:
            self.log.restore(snapshot)

    def forget(self) -> None:
        """Treat the array as empty: no image counts as loaded."""
        self._loaded, self._why = None, ", because the device was told to forget it"
        self.under_way = ()

    def lose(self) -> None:
        """Treat the array as empty: it was found to be."""
        self._loaded, self._why = None, ", because the array lost it"
        self.under_way = ()

    def close(self) -> None:
        """Disconnect from the array."""
        self._loaded, self._why = None, ", because the device is closed"
        self.under_way = ()
        self.port.close()

    @contextmanager
    def _unknown(self, what: str) -> Iterator[None]:
        """Let no image count as loaded while the array is written, nor afterwards if that is cut short."""
        image, self._loaded = self._loaded, None
        self._why = f", because {what} was cut short"
        self.under_way = ()
        yield
        self._loaded, self._why = image, ""

    def reset(self, keep_theta: bool) -> None:
        """Reset the dynamic state to that of the image, and the time to 0.

        Parameters
        ----------
        keep_theta : bool
            Whether adapted thresholds stay as they are.
        """
        image = self.image
        memory = memory_of(image.params, Region.NEURON_STATE)
        with self._unknown("a reset"):
            stop(self.port)
            fields = memory.layout.unpack(image.neuron_state)
            if keep_theta and "theta" in fields:
                for info in image.populations.values():
                    part = slice(info.first, info.first + info.n)
                    fields["theta"][part] = read_population(self.port, info, image.params)["theta"]
            if any(values.any() for values in fields.values()):
                self.port.write(*memory.write(fields))
            else:
                self.port.fill(*memory.extent(), 0)
            clear_dynamics(self.port)
            write_register(self.port, "now", 0)
            write_register(self.port, "probe_wait", 0)
            self._restart(image)
        if self.log is not None:
            self.log.add("reset", {"keep_theta": keep_theta})

    def _restart(self, image: Image) -> None:
        self.now = 0
        self._early = NO_EVENTS
        self.queue.reset(0)
        self.queue.add(events_at(*image.events.T))

    # ---- spikes --------------------------------------------------------------------------------

    def receiver(self, which: Any) -> Receiver:
        """Return the place of the inputs or neurons, given as the object or its label, that can get spikes.

        Raises
        ------
        CapacityError
            If it is neurons, and the array has no `teaching`.
        NetworkError
            If the image has no such population.
        """
        image, label = self.image, label_of(which)
        if label in image.populations:
            self.require("teaching")
            return image.populations[label]
        if label not in image.inputs:
            names = ", ".join(map(repr, [*image.inputs, *image.populations]))
            raise NetworkError(f"the image has no population {shown(label)}; it has {names}")
        return image.inputs[label]

    def schedule(self, step: int, settings: Sequence[int]) -> None:
        """Let settings, given as ids of events, act at the beginning of a step instead of earlier ones."""
        events = events_at(step, np.array(settings, dtype=np.int64))
        self.queue.replace(events)
        if self.log is not None:
            self.log.add("settings", {}, events=events)

    def joined(self, parts: Sequence[tuple[Receiver, IntArray]]) -> Joined:
        """Return what waits if these events, (K,) int64 for each place, are sent.

        A warning says if some would share a step and source with others. Nothing is changed.
        """
        events = np.concatenate([NO_EVENTS, *(e for _, e in parts)]) if len(parts) != 1 else parts[0][1]
        joined = self.queue.joined(events)
        if joined.merged:
            warn_of_merging(joined.merged, len(events), [info for info, _ in parts], self.image.dt)
        return joined

    def send(self, joined: Joined) -> None:
        """Let events of `joined` wait for their steps, and count those that share a step and source."""
        self.queue.hold(joined)
        self.inputs_merged += joined.merged
        if self.log is not None:
            self.log.events(joined.added)

    # ---- rates ---------------------------------------------------------------------------------

    def set_rates(self, info: InputInfo, words: Words) -> None:
        """Set rates of generators; they stay until they are set again."""
        self.rates.set(info.source, words)
        if self.log is not None:
            self.log.add("rates", {"first": info.source, "stay": True}, words=words)

    def show_rates(self, info: InputInfo, words: Words) -> None:
        """Set rates of generators for the time of `presenting`."""
        self.rates.show(info.source, words)
        if self.log is not None:
            self.log.add("rates", {"first": info.source, "stay": False}, words=words)

    @contextmanager
    def presenting(self, rates: Sequence[tuple[InputInfo, Words]]) -> Iterator[None]:
        """Set rates for the time of this context; afterwards they are what they were, whatever happened."""
        try:
            for info, words in rates:
                self.show_rates(info, words)
            yield
        finally:
            # If the array could not be stopped, its state is unknown and it must be loaded again anyway.
            if self._loaded is not None:
                with self._unknown("a stimulus"):
                    for info, _ in rates:
                        self.rates.restore(info.source, info.n)
                        if self.log is not None:
                            self.log.add("rates back", {"first": info.source, "n": info.n})

    def unshow(self) -> None:
        """Set the rates again that were set last, if a stimulus or a call that was cut short left others."""
        if not self.rates.touched:
            return
        for info in self.image.inputs.values():
            if (
                info.generator is not None
                and self.rates.restore(info.source, info.n)
                and self.log is not None
            ):
                self.log.add("rates back", {"first": info.source, "n": info.n})
        self.rates.touched = False

    # ---- runs ----------------------------------------------------------------------------------

    def steps(self, duration: float) -> int:
        """Return a time in ms as a number of steps.

        Raises
        ------
        ParameterError
            If it is not a multiple of dt, or over 2**32 - 1 steps.
        """
        dt = self.image.dt
        steps = min(duration / dt, 2.0**32)
        if abs(steps - round(steps)) > 1e-6:
            raise ParameterError(
                f"the time must be a multiple of dt ({dt:g} ms), not {duration:g} ms; "
                f"try {max(round(steps), 1) * dt:g} ms"
            )
        return whole("the number of steps", round(steps), 0, 0xFFFFFFFF)

    def execute(
        self,
        steps: int,
        flags: RunFlag,
        source: Source | None = None,
        sent: Callable[[IntArray], None] | None = None,
        *,
        shown: bool = False,
    ) -> RecordDecoder:
        """Run some steps and return the decoder with their records; see `synloom.device.execution`.

        At the end `sent` is called with the last events that were sent, (K,) int64. With `shown` the rates of
        `presenting` stay.
        """
        self.decoder = decoder = new_decoder(self.port, self.now, steps)
        self.given = NO_EVENTS
        if not steps:
            return decoder
        if not shown:
            self.unshow()
        first, self._carried = self.now, self._early
        if self.log is not None:
            self._learned |= self.queue.has_settings(first + steps) or self.mode(Mode.LEARN)
        try:
            with self._guard():
                if self.queue.has_settings(self.now + steps):
                    self._mode = None
                execute(self.port, self.queue, self.now, steps, flags, decoder=decoder, source=source)
                self.now, self.total = self.now + steps, self.total + steps
                self._divide(self.queue.taken)
                self.queue.settle()
        finally:
            # An interrupted run is one of fewer steps, unless nobody knows of how many.
            if self.log is not None and self._loaded is not None:
                self.log.run(first, self.now - first, decoder)
        if sent is not None:
            sent(self.given)
        return decoder

    def _divide(self, events: IntArray) -> None:
        """Keep events that the array has as those of the run until now, and of the next one."""
        # This may come a second time, after an exception between two lines, with the same events and others.
        events = np.union1d(self._carried, events) if len(self._carried) else events
        due = steps_of(events) < self.now
        self.given, self._early = events[due], events[~due]

    def _guard(self) -> _Guard:
        """Stop the array after an error in this context; if that fails too, no image counts as loaded.

        The events that are not yet due then wait for the next run, which begins where the array stopped.
        """
        return _Guard(self._recover)

    def _recover(self, kind: type[BaseException]) -> None:
        if issubclass(kind, ArrayLostError):
            # What answers now is not the array in which the run was.
            self.lose()
            return
        with self._unknown("a run"):
            stop(self.port, self.decoder)
            now = read_register(self.port, "now")
            delivered = self._delivered(now)
            # This empties the array's queue, too.
            write_register(self.port, "now", now)
            gone = self.queue.rewind(now, delivered)
            self.now, self.total = now, self.total + now - self.now
            self._divide(gone)

    def _delivered(self, now: int) -> IntArray:
        """Return the events that have left the array's queue for its delay wheel, (K,) int64.

        Only spikes of inputs wait there, for step `now` or a later one.
        """
        params = self.port.params
        memory = memory_of(params, Region.WHEEL)
        slots = [
            self.port.read(memory.region, memory.offset(slot, 0), params.input_words)
            for slot in range(params.delay_slots)
        ]
        return arriving(np.stack(slots), now)

    # ---- writes --------------------------------------------------------------------------------

    def _write(self, writes: Iterable[Write]) -> None:
        """Write to the array; if that is cut short, the next call writes all of it again."""
        self.under_way = tuple(writes)
        self.finish()

    def finish(self) -> None:
        """Do the writes that are under way."""
        for write in self.under_way:
            self.port.write(*write)
        self.under_way = ()

    # ---- registers -----------------------------------------------------------------------------

    def mode(self, bit: Mode) -> bool:
        """Return a bit of the mode register."""
        if self._mode is None:
            self._mode = read_register(self.port, "mode")
        return bool(self._mode >> bit & 1)

    def set_mode(self, bit: Mode, on: bool) -> None:
        """Set or clear a bit of the mode register; the array is written only if that changes it."""
        mode, self._mode = read_register(self.port, "mode") if self._mode is None else self._mode, None
        # Unknown while it is written: a write that is cut short may have happened or not.
        wanted = mode & ~(1 << bit) | on << bit
        if wanted != mode:
            self.require_image()
            write_register(self.port, "mode", wanted)
            if self.log is not None:
                self.log.add("mode", {"bit": int(bit), "on": on})
        self._mode = wanted

    def set_reward(self, word: int) -> None:
        """Write the reward register; DeviceError if no image is loaded."""
        self.require_image()
        write_register(self.port, "reward", word)
        if self.log is not None:
            self.log.add("reward", {"word": word})

    def set_bias(self, info: PopulationInfo, current: FloatArray) -> None:
        """Set the constant currents of a population, (n,) nA.

        Raises
        ------
        ParameterError
            If a current is out of the range of the array.
        """
        with np.errstate(over="ignore"):
            steps = np.rint((current - info.offset_zero) / info.offset_lsb)
        most = self.image.params.state_max
        bad = np.abs(steps) > most
        if bad.any():
            limit = most * info.offset_lsb[bad][0]
            raise ParameterError(
                f"currents of {info.label!r} must be in {-limit:.6g}..{limit:.6g} nA, not "
                f"{current[bad][0]:g} nA; use a smaller current, or compile with a larger v_range"
            )
        got = steps * info.offset_lsb + info.offset_zero
        hint = "use a larger current, or compile with a smaller v_range or for more state_bits"
        warn_of_change(f"currents of {info.label!r}", current, got, "nA", hint)
        self.write_neurons(info, {"bias": steps.astype(np.int64)})

    def neuron_fields(self, info: PopulationInfo) -> dict[str, IntArray]:
        """Return the parameters of a population as the array has them, (n,) int64 each."""
        part = slice(info.first, info.first + info.n)
        return memory_of(self.image.params, Region.NEURON_PARAMS).layout.unpack(self._held_neurons()[part])

    def write_neurons(self, info: PopulationInfo, fields: Mapping[str, IntArray]) -> None:
        """Change some parameters of a population, (n,) int64 each."""
        memory = memory_of(self.image.params, Region.NEURON_PARAMS)
        held = self._held_neurons().copy()
        write = memory.write({**self.neuron_fields(info), **fields}, info.first)
        held[info.first : info.first + info.n] = write[2].reshape(info.n, -1)[:, : memory.layout.words]
        # Unknown while it is written: a write that is cut short may have happened in part.
        self._neurons = None
        self._write([write])
        self._neurons = held
        if self.log is not None:
            self.log.add("neurons", {"label": info.label}, **fields)

    def _held_neurons(self) -> Words:
        if self._neurons is None:
            self._neurons = read_records(self.port, self.image, "neuron_params")
        return self._neurons

    def _held_program(self) -> Words:
        if self._program is None:
            self._program = read_records(self.port, self.image, "program")
        return self._program

    def segment_fields(self) -> dict[str, IntArray]:
        """Return the segments of the program as the array has them, (S,) int64 each."""
        return memory_of(self.image.params, Region.PROGRAM).layout.unpack(self._held_program())

    def write_segments(self, segments: IntArray, fields: Mapping[str, IntArray]) -> None:
        """Change some fields of segments of the program, (K,) int64 each."""
        if not len(segments):
            return
        memory = memory_of(self.image.params, Region.PROGRAM)
        held, columns = self._held_program().copy(), self.segment_fields()
        for name, values in fields.items():
            columns[name][segments] = values
        first, end = int(segments.min()), int(segments.max()) + 1
        write = memory.write({name: each[first:end] for name, each in columns.items()}, first)
        held[first:end] = write[2].reshape(end - first, -1)[:, : memory.layout.words]
        self._program = None
        self._write([write])
        self._program = held
        if self.log is not None:
            self.log.add("segments", {}, segments=segments, **fields)

    def write_weights(self, info: ProjectionInfo, raw: npt.NDArray[np.int8]) -> None:
        """Write the weights of a projection as the array holds them, (n_pre, n_post) int8."""
        self._write(writes_of_raw(self.image, info, raw))
        if self.log is not None:
            self._learned = True
            self.log.add("weights", {"label": info.label}, raw=raw)

    def require(self, *features: str) -> None:
        """Raise an error if the array lacks a feature.

        Raises
        ------
        CapacityError
            If it lacks one; the message names it.
        """
        params = self.image.params
        for feature in features:
            if not getattr(params, feature):
                raise CapacityError(
                    f"this array lacks the feature {feature!r}; compile for params.replace({feature}=True)"
                )

    def clear_counts(self, n: int) -> None:
        """Clear the spike counts of neurons 0..n-1; CapacityError if the array has none."""
        self.require("spike_counters")
        self._clear_counts(0, n)

    def counts(self, first: int, n: int, clear: bool) -> IntArray:
        """Return the spike counts of neurons first..first+n-1, (n,) int64, and clear them on request.

        Raises
        ------
        CapacityError
            If the array has no spike counters.
        """
        self.require("spike_counters")
        counts = self.port.read(Region.SPIKE_COUNTS, first, n).astype(np.int64)
        if self.log is not None:
            self.log.add("counts", {"first": first}, counts=counts)
        if clear:
            self._clear_counts(first, n)
        return counts

    def _clear_counts(self, first: int, n: int) -> None:
        self.port.fill(Region.SPIKE_COUNTS, first, n, 0)
        if self.log is not None:
            self.log.add("clear counts", {"first": first, "n": n})

    # ---- log -----------------------------------------------------------------------------------

    def note(self, error: BaseException) -> None:
        """Let the log say that a call has failed, unless it was refused before it changed anything."""
        refused = (ParameterError, NetworkError, CapacityError, MismatchError)
        if self.log is not None and not isinstance(error, refused):
            self.torn = True
            self.log.error(error)

    def log_weights(self) -> None:
        """Let the log have the weights, if there is a log and they may have changed."""
        if self.log is not None and self._loaded is not None and self._learned:
            self.log.learned(read_weights(self.port, self._loaded))
            self._learned = False

    def end_log(self) -> None:
        """End the log, if there is one; weights that cannot be read are left out."""
        try:
            self.log_weights()
        except SynloomError as error:
            self.note(error)
        finally:
            log, self.log = self.log, None
            if log is not None:
                log.finish()


class _Guard:
    """A context that ends in a call if an error leaves it; a class enters quicker than a generator."""

    def __init__(self, recover: Callable[[type[BaseException]], None]):
        self._recover = recover

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._recover(kind)
