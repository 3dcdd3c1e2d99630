"""What runs a network: it loads it when it must, and gives and takes spikes, currents and samples."""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import Any, Final

import numpy as np
from pyNN import errors

from synloom.base.checks import FloatArray, IntArray
from synloom.base.errors import CapacityError, ParameterError
from synloom.base.warning import SynloomWarning, warn
from synloom.compiler import compile
from synloom.device.device import Device
from synloom.device.recording import Recording
from synloom.image.image import Image
from synloom.network.network import Network
from synloom.pynn.builder import Built, build, is_source
from synloom.pynn.sources import Train, rate_changes, rates_at, train_of
from synloom.pynn.targets import Target
from synloom.pynn.transfer import start_from, transfer
from synloom.pynn.translation import translated

__all__ = ["Engine"]

_BLOCK: Final = 100_000
"""Most steps for which spikes and currents are prepared at once."""
_CLIPPED: Final = ("acc_saturations", "state_saturations")
"""Counters of values that were clipped."""
_LIVE: Final = ("v_thresh", "v_reset", "tau_refrac")
"""Parameters that change without another compilation; `i_offset` does so, too."""


class Engine:
    """Runs what has been created since `setup`.

    Parameters
    ----------
    state : State
        The state of the simulator.
    target : Target
        Where it runs.
    generators : bool
        Whether generators of the array make the spikes of SpikeSourcePoisson, if it has them.
    """

    def __init__(self, state: Any, target: Target, generators: bool):
        self._state = state
        self._target = target
        self._generators = generators
        self._device: Device | None = None
        self._built: Built | None = None
        self._compiled: dict[int, FloatArray] = {}
        self.image: Image | None = None
        self._closed = False
        self._has_clipped = False
        self._resets = 0
        self._forget()

    def _forget(self) -> None:
        """Forget what the device has been told since it was loaded."""
        self._stale = False
        self._changed = False
        self._parameters: dict[int, set[str]] = {}
        self._weights: set[int] = set()
        self._initial: dict[int, dict[str, Any]] = {}
        self._offsets: dict[int, FloatArray] = {}
        self._recorded: Any = None
        self._rates: dict[int, FloatArray] = {}
        self._trains: dict[int, Train] | None = None
        self._taken = 0

    @property
    def device(self) -> Device | None:
        """The device that runs the network; None before the first run."""
        return self._device

    # ---- what changes --------------------------------------------------------------------------

    def require_before_runs(self, what: str) -> None:
        """Raise an error if something has run already, since `what` is then part of an image."""
        # Sources alone run without a device.
        if self._state.step > 0 and not self._closed:
            raise errors.ConnectionError(
                f"{what} cannot be added after the first run here; create everything before run(), or call "
                f"reset() first"
            )
        self._unload()

    def parameters_changed(self, population: Any, names: list[str]) -> None:
        """Take note of new parameters of a population."""
        if self._device is None or is_source(population):
            return
        if self._state.step == 0:
            self._unload()
            return
        number = self._state.populations.index(population)
        live = [name for name in names if name in _LIVE]
        self._parameters.setdefault(number, set()).update(live)
        self._stale |= any(name not in (*_LIVE, "i_offset") for name in names)
        self._changed = True

    def initial_changed(self, population: Any, variable: str, values: Any) -> None:
        """Take note of new initial values; in the middle of a simulation they act at once."""
        if self._device is None:
            return
        if self._state.step == 0:
            self._unload()
            return
        number = self._state.populations.index(population)
        now = np.broadcast_to(np.asarray(values.evaluate(simplify=False), float), (population.size,))
        self._initial.setdefault(number, {})[variable] = now
        self._stale = True

    def synapses_changed(self, projection: Any, names: list[str]) -> None:
        """Take note of new attributes of synapses."""
        if self._device is None:
            return
        if self._state.step == 0:
            self._unload()
            return
        if "delay" in names:
            raise errors.ConnectionError(
                "delays cannot change after the first run here; set them before run(), or call reset() first"
            )
        number = self._state.projections.index(projection)
        if "weight" in names:
            self._weights.add(number)
        self._stale |= any(name != "weight" for name in names)
        self._changed = True

    def weights(self, projection: Any) -> FloatArray | None:
        """Return the weights that the array has, (K,), as the user gives them; None if it has none."""
        if self._device is None or self._built is None or projection not in self._state.projections:
            return None
        number = self._state.projections.index(projection)
        if number in self._weights:
            return None
        values = np.zeros(len(projection))
        for part in self._built.parts[number]:
            values[part.which] = self._device.read_weights(part.label)[part.pre, part.post]
        signed: FloatArray = values * projection.sign
        return signed

    def reset(self) -> None:
        """Return to time 0, with the initial values and weights."""
        self._resets += 1
        if self._device is None:
            return
        if self._changed or self._stale or self._built is None:
            self._unload()
            return
        device, built = self._device, self._built
        with translated():
            if built.generators:
                # Generators that began anew would give the same spikes in each segment.
                built = build(self._state, lambda p: p.synapses["weight"], self._seed(), True)
                self.image, self._built = compile(built.network, device.params), built
                device.load(self.image)
            else:
                device.reset("all")
            self._forget()
            self._keep_compiled()
            start_from(device, built, self._state)

    def close(self) -> None:
        """Disconnect; weights stay readable."""
        if self._device is not None:
            for projection in self._state.projections:
                projection.last = self.weights(projection)
        self._unload()
        self._closed = True

    def _unload(self) -> None:
        if self._device is not None:
            self._device.close()
        self._device = self._built = None
        self._forget()

    # ---- runs ----------------------------------------------------------------------------------

    def run(self, end: int) -> None:
        """Run up to step `end`."""
        if self._closed:
            raise RuntimeError("the simulation has ended; call setup() to begin another one")
        state = self._state
        with translated():
            self._prepare()
            while state.step < end:
                self._block(min(end, state.step + _BLOCK))

    def warn_of_clipping(self) -> None:
        """Warn, once a simulation, if the array's counters show that currents or potentials were clipped."""
        if self._device is None or self._has_clipped:
            return
        counters = self._device.counters()
        found = [f"{counters[name]} {name}" for name in _CLIPPED if counters[name]]
        if found:
            self._has_clipped = True
            warn(
                f"currents or potentials went beyond the range of the array and were clipped "
                f"({', '.join(found)}), so they are smaller than they should be; use smaller weights, or "
                f"let fewer sources spike in one step"
            )

    def _prepare(self) -> None:
        """Load what is not loaded, and tell the device what has changed."""
        state = self._state
        if all(is_source(population) for population in state.populations):
            self._make_trains()
            return
        if state.step == 0:
            for population in state.populations:
                population.recorder.begin()
        if self._device is None:
            self._load()
        elif self._stale or not self._told():
            self._reload()
        self._make_trains()
        self._record()

    def _make_trains(self) -> None:
        """Make what gives the spikes of sources that the array does not make itself."""
        if self._trains is not None:
            return
        state, on_chip = self._state, () if self._built is None else self._built.generators
        self._trains = {
            k: train_of(population, state.dt, [state.seed, self._resets])
            for k, population in enumerate(state.populations)
            if is_source(population) and k not in on_chip
        }

    def _seed(self) -> int:
        """Return the seed of the network: another one after each reset, as generators go on in PyNN."""
        if not self._resets:
            return int(self._state.seed)
        words = np.random.SeedSequence([self._state.seed, self._resets]).generate_state(1, np.uint64)
        return int(words[0] >> np.uint64(1))

    def _words(self) -> int:
        """Return the most state words that can be recorded."""
        neurons = [p for p in self._state.populations if not is_source(p)]
        return sum(p.size * (len(p.celltype.recordable) - 1) for p in neurons)

    def _load(self) -> None:
        made: list[Built] = []

        def network(generators: bool) -> Network:
            uses = generators and self._generators
            made.append(build(self._state, lambda p: p.synapses["weight"], self._seed(), uses))
            return made[-1].network

        self._device, self.image = self._target.open(network, self._words())
        self._built = made[-1]
        self._keep_compiled()
        start_from(self._device, self._built, self._state)

    def _reload(self) -> None:
        """Compile again, and go on from the present state."""
        assert self._device is not None
        assert self._built is not None
        uses = bool(self._built.generators)
        built = build(self._state, lambda p: p.attribute("weight"), self._seed(), uses)
        image = compile(built.network, self._device.params)
        transfer(self._device, image, self._built, built, self._initial)
        self.image, self._built = image, built
        self._parameters, self._weights, self._initial = {}, set(), {}
        self._offsets, self._recorded, self._stale = {}, None, False
        self._keep_compiled()

    def _keep_compiled(self) -> None:
        """Keep the constant currents and the rates that are part of the image."""
        assert self._built is not None
        populations = self._state.populations
        self._compiled = {k: np.array(populations[k].values("i_offset"), float) for k in self._built.neurons}
        step, dt = self._state.step, self._state.dt
        self._rates = {k: rates_at(populations[k], step, dt) for k in self._built.generators}

    def _told(self) -> bool:
        """Tell the device what has changed; return False if that needs another compilation."""
        assert self._device is not None
        assert self._built is not None
        state = self._state
        try:
            for number, names in self._parameters.items():
                values = {name: state.populations[number].values(name) for name in names}
                if values:
                    self._device.set_neurons(self._built.neurons[number], **values)
            for number in self._weights:
                projection = state.projections[number]
                wanted = projection.synapses["weight"] * projection.sign
                for part in self._built.parts[number]:
                    matrix = self._device.read_weights(part.label)
                    matrix[part.pre, part.post] = wanted[part.which]
                    self._device.write_weights(part.label, matrix)
        except ParameterError:
            return False
        self._parameters, self._weights = {}, set()
        return True

    def _record(self) -> None:
        """Let the device record what is wanted now."""
        assert self._device is not None
        assert self._built is not None
        wanted = {
            (label, variable): cells
            for k, label in self._built.neurons.items()
            for variable, cells in self._state.populations[k].recorder.wanted().items()
        }
        populations = self._state.populations
        sources = [label for k, label in self._built.generators.items() if populations[k].recorder.has_spikes]
        now = ({key: tuple(cells.tolist()) for key, cells in wanted.items()}, sources)
        if now == self._recorded:
            return
        total, most = sum(len(cells) for cells in wanted.values()), self._device.params.probes
        if total > most:
            raise CapacityError(
                f"{total} state variables are recorded, but the array of this target has probes for {most}; "
                f"record at most {most}, such as population[:{most}].record('v'), or run on target='fast'"
            )
        self._device.record_nothing()
        for label in (*self._built.neurons.values(), *sources):
            self._device.record(label)
        for (label, variable), cells in wanted.items():
            self._device.record(label, variable, cells)
        self._recorded = now

    # ---- one block of steps --------------------------------------------------------------------

    def _block(self, end: int) -> None:
        first = self._state.step
        self._give_spikes(end)
        currents = [(s, s.current(first, end)) for s in self._state.current_sources if s.cells]
        changes = {first + int(k) + 1 for _, current in currents for k in np.flatnonzero(np.diff(current))}
        for k in self._rates:
            changes |= rate_changes(self._state.populations[k], first, end, self._state.dt)
        for projection in self._state.projections:
            changes |= projection.recorder.due(first, end) if projection.recorder is not None else set()
        injected = self._injected(currents)
        for a, b in pairwise([first, *sorted(changes), end]):
            if self._device is None:
                self._state.step = b
                continue
            self._set_offsets(injected, a - first)
            self._set_rates()
            self._sample_weights()
            try:
                self._keep(self._device.run((b - a) * self._state.dt))
            except BaseException:
                self._stopped()
                raise
            self._state.step = b
        self._sample_weights()
        for source, current in currents:
            source.happened(first, current)

    def _stopped(self) -> None:
        """Take what an interrupted run has given; the next one begins where the array stopped."""
        assert self._device is not None
        recording = self._device.last_recording
        if recording is not None:
            self._keep(recording)
            self._state.step = recording.first + recording.steps

    def _give_spikes(self, end: int) -> None:
        """Send the spikes of sources up to label `end`, and record them."""
        state = self._state
        first = max(self._taken, state.step)
        for k, train in (self._trains or {}).items():
            labels, cells = train.take(first, end)
            state.populations[k].recorder.add_spikes(labels, cells)
            if self._device is None or self._built is None or k not in self._built.sources or not len(labels):
                continue
            # A spike carries the end of its step as its label.
            times = (labels - 1 - state.step) * state.dt
            pairs: Any = np.stack([times, cells], axis=1)
            self._device.inject(self._built.sources[k], list(map(tuple, pairs.tolist())))
        self._taken = end

    def _injected(
        self, currents: list[tuple[Any, FloatArray]]
    ) -> dict[int, list[tuple[FloatArray, IntArray]]]:
        """Return the currents that populations get, each with the cells that get it, by population."""
        found: dict[int, list[tuple[FloatArray, IntArray]]] = {}
        for source, current in currents:
            which, places = self._state.places(source.cells)
            for k in np.unique(which).tolist():
                found.setdefault(k, []).append((current, places[which == k]))
        return found

    def _set_offsets(self, injected: dict[int, list[tuple[FloatArray, IntArray]]], step: int) -> None:
        """Set the constant currents of all neurons from a step of the block on, where they change."""
        assert self._device is not None
        assert self._built is not None
        for k, label in self._built.neurons.items():
            own = np.asarray(self._state.populations[k].values("i_offset"), dtype=np.float64)
            total = own.copy()
            for current, cells in injected.get(k, ()):
                np.add.at(total, cells, current[step])
            if np.array_equal(total, self._offsets.get(k, self._compiled[k])):
                continue
            with warnings.catch_warnings():
                if k in injected:
                    # What a changing current loses where it is almost 0 is nothing.
                    warnings.simplefilter("ignore", SynloomWarning)
                self._device.set_offset(label, total)
            self._offsets[k] = total

    def _set_rates(self) -> None:
        """Set the rates of generators from the present step on, where they change."""
        assert self._device is not None
        assert self._built is not None
        for k, label in self._built.generators.items():
            rates = rates_at(self._state.populations[k], self._state.step, self._state.dt)
            if not np.array_equal(rates, self._rates[k]):
                self._device.set_rates(label, rates)
                self._rates[k] = rates

    def _sample_weights(self) -> None:
        """Give the weights of the present step to the recorders that want them."""
        step = self._state.step
        for projection in self._state.projections:
            if projection.recorder is not None and projection.recorder.is_due(step):
                projection.recorder.add(step, projection.attribute("weight"))

    def _keep(self, recording: Recording) -> None:
        """Give recorders what a run has recorded."""
        assert self._built is not None
        for k, label in self._built.neurons.items():
            recorder = self._state.populations[k].recorder
            recorder.add_spikes(recording.spike_steps[label] + 1, recording.spike_indices[label])
            for variable in ("v", "isyn_exc", "isyn_inh"):
                series = recording.series.get((label, variable))
                if series is not None and len(series.steps):
                    # Inhibitory currents are negative in PyNN.
                    values = -series.values if variable == "isyn_inh" else series.values
                    recorder.add_samples(variable, recording.first + 1, series.indices, values)
        for k, label in self._built.generators.items():
            if label in recording.sizes:
                recorder = self._state.populations[k].recorder
                recorder.add_spikes(recording.spike_steps[label] + 1, recording.spike_indices[label])
