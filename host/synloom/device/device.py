"""Devices: an array with a network in it, in SI units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray, IntArray, choice, per_item, real, reals, switch, whole
from synloom.base.errors import NetworkError, ParameterError
from synloom.compiler.stimulus import rate_words
from synloom.contract.array_port import Port, Words
from synloom.contract.frames import RunFlag
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.contract.registers import Mode
from synloom.device.counters import Counters, read_counters
from synloom.device.neuron_state import read_population
from synloom.device.recorders import Recorders
from synloom.device.recording import Recording
from synloom.device.session import Session
from synloom.device.stimulus import events_from, indices_from
from synloom.device.weights import raw_from_si, read_raw, si_from_raw, write_raw
from synloom.image.image import Image
from synloom.image.places import InputInfo

__all__ = ["Device"]


class Device:
    """One array, wherever it is: load an image, run it, talk to it in ms, mV and nA.

    A device is a context manager; leaving it closes it. After an error it can be loaded again, or closed.

    Parameters
    ----------
    port : Port
        The register-level face of the target; `synloom.connect` makes one.
    """

    def __init__(self, port: Port):
        self._session = Session(port)
        self._recorders = Recorders()

    def __enter__(self) -> Device:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        what = repr(self.image) if self._session.loaded else "nothing loaded"
        return f"<Device: {self.params.inputs} inputs, {self.params.neurons} neurons, {what}>"

    # ---- what it is ----------------------------------------------------------------------------

    @property
    def params(self) -> ArrayParams:
        """The array's parameters, as discovered: pass them to `compile`."""
        return self.port.params

    @property
    def port(self) -> Port:
        """The register-level face underneath."""
        return self._session.port

    @property
    def image(self) -> Image:
        """The image that is loaded.

        Raises
        ------
        DeviceError
            If none is.
        """
        return self._session.image

    @property
    def time(self) -> float:
        """The time of the next step, in ms since the start."""
        return self._session.now * self.image.dt

    # ---- load and reset ------------------------------------------------------------------------

    def load(self, image: Image) -> None:
        """Load an image: everything is replaced, the time is 0, all populations' spikes are recorded.

        Raises
        ------
        MismatchError
            If the image was compiled for another array; the message lists the differences.
        """
        if not isinstance(image, Image):
            raise ParameterError(f"load needs an Image: compile(network) or Image.load(path), not {image!r}")
        self._session.load(image)
        self._recorders = Recorders(list(image.populations))

    def reset(self, what: str = "dynamics", *, keep_theta: bool = True) -> None:
        """Go back to time 0.

        Parameters
        ----------
        what : str
            ``"dynamics"``: potentials, currents, traces, spikes on their way and spike counts; weights,
            random generators, rates and recorders stay. ``"all"``: the image is loaded again.
        keep_theta : bool
            Whether a reset of the dynamics keeps the adapted thresholds.
        """
        switch("keep_theta", keep_theta)
        if choice("what", what, ("dynamics", "all")) == "all":
            self.load(self.image)
        else:
            self._session.reset(keep_theta)

    def set_baud(self, baud: int) -> None:
        """Change the rate of the serial line at both ends; the network in the array is left as it is.

        The array keeps the rate until it is powered off: a program that connects later needs it
        (`connect(path, baud=...)`). If the line does not work at the new rate it is at the old one again.

        Parameters
        ----------
        baud : int
            Bits per second; at most a quarter of the array's clock, and within 2 % of a whole part of it.
            `synloom selftest` finds the best.

        Raises
        ------
        ParameterError
            If the target has no line, or one of its ends has no such rate; nothing was changed.
        DeviceError
            If a run is going on, or the line does not work at that rate and is at the old one again.
        LinkError
            If the array does not answer at either rate.
        """
        change = getattr(self.port, "set_baud", None)
        if change is None:
            raise ParameterError("this target has no serial line whose rate could be changed")
        change(baud)

    def close(self) -> None:
        """Let go of the target; a device that is closed twice stays closed."""
        self._session.close()

    def forget(self) -> None:
        """Treat the array as empty: something else than this device has written to it."""
        self._session.forget()
        self._recorders = Recorders()

    # ---- run -----------------------------------------------------------------------------------

    def run(self, duration: float, *, paced: bool = False) -> Recording:
        """Run for some time and return what was recorded.

        Parameters
        ----------
        duration : float
            Time in ms, a multiple of dt.
        paced : bool
            Keep real time: one step every dt. Otherwise as fast as possible. A late step is counted
            (`counters()["late_steps"]`), never skipped.
        """
        steps, first = self._steps("duration", duration), self._session.now
        self._session.set_mode(Mode.RASTER, self._recorders.wants_spikes)
        decoder = self._session.execute(steps, RunFlag.PACED if switch("paced", paced) else RunFlag(0))
        return self._recorders.recording(decoder, self.image, first, steps)

    def step(self, inputs: Mapping[Any, Any] | None = None) -> dict[str, IntArray]:
        """Run one step and return the neurons that fired in it: the closed loop.

        Parameters
        ----------
        inputs : mapping, optional
            For each input population (or label) the channels that spike in this step: a row (n,) of bool
            or uint8, or a sequence of indices.

        Probes are not kept in single steps: read potentials with `read_state`.

        Returns
        -------
        dict
            Indices of the neurons that fired, by population label.
        """
        image = self.image
        events = []
        for which, spikes in _by_input(inputs or {}):
            info = image.input(which)
            index = indices_from(spikes, info)
            due = self._session.now + info.delay[index]
            events.append(np.stack([due, info.source + index], axis=1))
        for part in events:
            self._session.queue.add(part)
        self._session.set_mode(Mode.RASTER, True)
        _, fired = self._session.execute(1, RunFlag.FLUSH).spikes()
        return {
            label: fired[(fired >= info.first) & (fired < info.first + info.n)] - info.first
            for label, info in image.populations.items()
        }

    def present(
        self, inputs: Mapping[Any, Any], duration: float, *, rest: float = 0.0, bits: int = 15
    ) -> dict[str, IntArray]:
        """Show a stimulus and return how often each neuron fired: few commands, nothing is recorded.

        Parameters
        ----------
        inputs : mapping
            For each input population (or label) the rates in Hz (a number or (n,)) of its generators, or a
            raster (T, n) of bool or uint8, no longer than `duration`.
        duration : float
            Time in ms, a multiple of dt, of at most 65,535 steps.
        rest : float
            Time in ms that follows with all these rates at 0, and is not counted.
        bits : int
            Significant bits of the rates; with 8 they travel as one byte a channel.

        Returns
        -------
        dict
            Spike counts (n,) int64 by population label.
        """
        image, session = self.image, self._session
        steps, pause = self._steps("duration", duration), self._steps("rest", rest)
        whole("the number of steps", steps, 0, 0xFFFF)
        used = image.registers["sweep_count"]
        rates, events = [], []
        for which, stimulus in _by_input(inputs):
            info = image.input(which)
            if np.ndim(stimulus) == 2:
                if len(stimulus) > steps:
                    raise ParameterError(
                        f"the raster for {info.label!r} must have at most {steps} rows, the steps of "
                        f"{duration:g} ms, not {len(stimulus)}"
                    )
                events.append(events_from(stimulus, info, session.now, image.dt))
            else:
                rates.append((info, self._rate_words(info, stimulus, bits)))
        # Nothing was touched until here: a wrong stimulus leaves no half of it behind.
        session.clear_counts(used)
        for info, words in rates:
            self.port.write(Region.GEN_RATE, info.source, words)
        for part in events:
            session.queue.add(part)
        session.set_mode(Mode.RASTER, False)
        session.execute(steps, RunFlag(0))
        counts = session.counts(0, used, clear=True)
        if pause:
            for info, words in rates:
                self.port.write(Region.GEN_RATE, info.source, np.zeros_like(words))
            session.execute(pause, RunFlag(0))
            session.clear_counts(used)
        return {label: counts[info.first : info.first + info.n] for label, info in image.populations.items()}

    def _steps(self, name: str, duration: Any) -> int:
        return self._session.steps(real(name, duration, low=0.0))

    # ---- stimulus and settings -----------------------------------------------------------------

    def inject(self, population: Any, spikes: Any) -> None:
        """Send spikes to an input population during the runs to come.

        Parameters
        ----------
        population : InputPopulation or str
            Which.
        spikes : (T, n) array of bool or uint8, or sequence of (ms, index)
            A raster, whose row 0 is the next step; or pairs, whose times count from now. The population's
            delay is added.
        """
        info = self.image.input(population)
        self._session.queue.add(events_from(spikes, info, self._session.now, self.image.dt))

    def set_rates(self, population: Any, hz: Any, *, bits: int = 15) -> None:
        """Set the rates of an input population's generators, in Hz: one number, or (n,).

        With ``bits=8`` they travel as one byte a channel, relative to the largest.
        """
        info = self.image.input(population)
        self.port.write(Region.GEN_RATE, info.source, self._rate_words(info, hz, bits))

    def _rate_words(self, info: InputInfo, hz: Any, bits: int) -> Words:
        if info.generator is None:
            raise NetworkError(f"{info.label!r} has no generators; make it a PoissonInput or a RegularInput")
        rates = per_item("hz", reals("hz", hz, low=0.0), info.n)
        return rate_words(rates, info.generator, self.image.dt, whole("bits", bits, 1, 15))

    def set_offset(self, population: Any, current: Any) -> None:
        """Set the constant current `i_offset` of a population, in nA: one number, or (n,)."""
        info = self.image.population(population)
        self._session.set_bias(info, per_item("current", reals("current", current), info.n))

    def set_learning(self, on: bool) -> None:
        """Switch all plasticity on or off; traces go on either way."""
        if switch("on", on):
            self._session.require("plasticity")
        self._session.set_mode(Mode.LEARN, switch("on", on))

    def set_adaptation(self, on: bool) -> None:
        """Switch threshold adaptation on or off; thresholds that have adapted stay as they are."""
        if switch("on", on):
            self._session.require("adaptation")
        self._session.set_mode(Mode.ADAPT, switch("on", on))

    def set_reward(self, reward: float) -> None:
        """Set the global factor of all rules with `reward=True`: -127.99 to 127.99, in 1/256; 1 at first."""
        self._session.require("plasticity", "reward")
        value = round(256.0 * real("reward", reward, low=-127.99, high=127.99))
        self._session.set_register("reward", value & 0xFFFF)

    # ---- recorders -----------------------------------------------------------------------------

    def record(
        self, population: Any, variable: str = "spikes", indices: Any = None, *, every: float | None = None
    ) -> None:
        """Record a variable in the runs to come.

        Parameters
        ----------
        population : Population, InputPopulation or str
            Whose.
        variable : str
            ``"spikes"``, or a state: ``"v"`` (mV), ``"isyn_exc"``, ``"isyn_inh"`` (nA), ``"theta"`` (mV),
            ``"trace"`` (of its spikes as a source), ``"trace_post"`` (of its spikes as a target).
        indices : sequence of int, optional
            Which neurons' state; all if left out. The array has `params.probes` probes altogether.
        every : float, optional
            Distance of samples in ms, the same for all; one step if left out.

        Raises
        ------
        CapacityError
            If the array has not enough probes.
        """
        self._recorders.add(self.image, population, variable, indices, every)
        self._recorders.write(self.port)

    def record_nothing(self) -> None:
        """Take all recorders away, those of spikes too."""
        self._recorders = Recorders()
        if self._session.loaded:
            self._recorders.write(self.port)

    # ---- reading and writing -------------------------------------------------------------------

    def read_weights(self, projection: Any, *, raw: bool = False) -> npt.NDArray[Any]:
        """Return a projection's weights, (n_pre, n_post).

        Returns
        -------
        float64 or int8 array
            nA (mV for delta synapses), NaN where there is no synapse; with `raw` the array's own numbers, in
            which ``params.weight_absent`` is no synapse.
        """
        image = self.image
        info = image.projection(projection)
        weights = read_raw(self.port, image, info)
        return weights if raw else si_from_raw(image, info, weights)

    def write_weights(self, projection: Any, weights: npt.ArrayLike) -> None:
        """Write a projection's weights, (n_pre, n_post) as `read_weights` gives them."""
        image = self.image
        info = image.projection(projection)
        write_raw(self.port, image, info, raw_from_si(image, info, weights))

    def read_state(self, population: Any) -> dict[str, FloatArray]:
        """Return a population's state, (n,) each.

        Returns
        -------
        dict
            ``v`` (mV), ``isyn_exc``, ``isyn_inh`` (nA), ``theta`` (mV, if the array has adaptation),
            ``refrac`` (ms left), ``trace``, ``trace_post`` (spikes).
        """
        image = self.image
        info = image.population(population)
        raw = read_population(self.port, info, image.params)
        state: dict[str, FloatArray] = {
            "v": info.v_rest + raw["v"] * info.v_lsb,
            "isyn_exc": raw["ie"] * info.i_lsb_exc,
            "isyn_inh": raw["ii"] * info.i_lsb_inh,
            "refrac": raw["refr"].astype(np.float64) * image.dt,
            "trace": _spikes(self.port.read(Region.X_TRACE, info.source, info.n), image.registers["one_x"]),
            "trace_post": _spikes(
                self.port.read(Region.Y_TRACE, info.first, info.n), image.registers["one_y"]
            ),
        }
        return state | ({"theta": raw["theta"] * info.v_lsb} if "theta" in raw else {})

    def spike_counts(self, population: Any, *, clear: bool = True) -> IntArray:
        """Return how often each neuron fired since its count was cleared, (n,) int64, at most 65535."""
        info = self.image.population(population)
        return self._session.counts(info.first, info.n, switch("clear", clear))

    def counters(self) -> Counters:
        """Return the device's counters; `counters().losses` is empty if nothing was lost or limited."""
        return read_counters(self.port)


def _by_input(inputs: Any) -> Iterable[tuple[Any, Any]]:
    if not isinstance(inputs, Mapping):
        raise ParameterError(f"inputs must be a mapping from input populations to stimuli, not {inputs!r}")
    return inputs.items()


def _spikes(trace: npt.NDArray[np.uint16], one: int) -> FloatArray:
    return trace.astype(np.float64) / one
