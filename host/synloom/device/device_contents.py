"""What a device holds: recorders, weights, state, spike counts, counters."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray, IntArray, switch
from synloom.contract.memory_map import memory_of
from synloom.contract.traces import TRACES, Side
from synloom.device.counters import Counters, read_counters
from synloom.device.device_base import DeviceBase
from synloom.device.neuron_state import read_population
from synloom.device.recorders import Recorders
from synloom.device.turns import exclusive
from synloom.device.weights import raw_from_si, read_raw, si_from_raw

__all__ = ["DeviceContents"]


class DeviceContents(DeviceBase):
    """The part of a `Device` that reads and writes what the array holds, and chooses what is recorded."""

    @exclusive
    def record(
        self, population: Any, variable: str = "spikes", indices: Any = None, *, every: float | None = None
    ) -> None:
        """Record a variable in the following runs.

        Parameters
        ----------
        population : Population, InputPopulation or str
            The population, or its label.
        variable : str
            ``"spikes"``, or a state: ``"v"`` (mV), ``"isyn_exc"``, ``"isyn_inh"`` (nA; mV for delta
            synapses), ``"theta"`` (mV), ``"trace"`` (x, as a source), ``"trace_post"`` (y, as a target).
            Input populations have ``"spikes"`` and ``"trace"``; spikes of generators are computed again on
            the host.
        indices : sequence of int, optional
            Neurons (or channels) whose state is recorded, each once. Default: all. Each takes one of the
            array's `params.probes` probes.
        every : float, optional
            Sampling interval in ms, a multiple of dt and the same for all probes. Default: one step.

        Raises
        ------
        CapacityError
            If the array has too few probes, or no adaptation for ``"theta"``.
        NetworkError
            If the image has no such population.
        ParameterError
            If the population has no such variable, or an index or the interval is wrong.
        """
        self._recorders_written = False
        self._recorders.add(self.image, population, variable, indices, every)
        self._write_recorders()

    @exclusive
    def record_nothing(self) -> None:
        """Remove all recorders, including those of spikes."""
        self._recorders_written = False
        self._recorders = Recorders()
        if self._session.loaded:
            self._write_recorders()

    @exclusive
    def read_weights(self, projection: Any, *, raw: bool = False) -> npt.NDArray[Any]:
        """Return the weights of a projection.

        Parameters
        ----------
        projection : Projection or str
            The projection, or its label.
        raw : bool
            Return the integers of the array instead of SI values.

        Returns
        -------
        (n_pre, n_post) float64 or int8
            Weights in nA (mV for delta synapses), NaN where there is no synapse. With `raw` int8, where
            ``params.weight_absent`` is *no synapse*.

        Raises
        ------
        NetworkError
            If the image has no such projection.
        """
        image = self.image
        info = image.projection(projection)
        raw = switch("raw", raw)
        weights = read_raw(self.port, image, info)
        return weights if raw else si_from_raw(image, info, weights)

    @exclusive
    def write_weights(self, projection: Any, weights: npt.ArrayLike) -> None:
        """Write the weights of a projection.

        Parameters
        ----------
        projection : Projection or str
            The projection, or its label.
        weights : (n_pre, n_post) array_like
            Weights as `read_weights` returns them: in nA (mV for delta synapses), NaN where there is no
            synapse.

        Raises
        ------
        NetworkError
            If the image has no such projection.
        ParameterError
            If the shape is wrong, a weight is out of range, or NaN is not where synapses are missing.
        """
        image = self.image
        info = image.projection(projection)
        self._session.write_weights(info, raw_from_si(image, info, weights))

    @exclusive
    def read_state(self, population: Any) -> dict[str, FloatArray]:
        """Return the state of a population of neurons.

        Returns
        -------
        dict of str to (n,) float64
            ``v`` (mV), ``isyn_exc``, ``isyn_inh`` (nA; mV for delta synapses), ``theta`` (mV, if the array
            has adaptation), ``refrac`` (refractory time left, ms), ``trace``, ``trace_post`` (spikes).

        Raises
        ------
        NetworkError
            If the image has no such population.
        """
        image = self.image
        info = image.population(population)
        raw = read_population(self.port, info, image.params)
        state: dict[str, FloatArray] = {
            "v": info.v_zero + raw["v"] * info.v_lsb,
            "isyn_exc": raw["ie"] * info.i_lsb_exc,
            "isyn_inh": raw["ii"] * info.i_lsb_inh,
            "refrac": raw["refr"].astype(np.float64) * image.dt,
        }
        for trace in TRACES:
            first = info.source if trace.side is Side.SOURCE else info.first
            words = self.port.read(*memory_of(image.params, trace.region).span(first, info.n))
            state[trace.variable] = _spikes(words, image.registers[trace.increment])
        return state | ({"theta": raw["theta"] * info.v_lsb} if "theta" in raw else {})

    @exclusive
    def spike_counts(self, population: Any, *, clear: bool = True) -> IntArray:
        """Return how often each neuron fired since its count was last cleared, (n,) int64.

        Parameters
        ----------
        population : Population or str
            The population, or its label.
        clear : bool
            Clear the counts after reading them; they stop at 65535.

        Raises
        ------
        CapacityError
            If the array has no spike counters.
        """
        info = self.image.population(population)
        return self._session.counts(info.first, info.n, switch("clear", clear))

    @exclusive
    def counters(self) -> Counters:
        """Return all counters; `counters().losses` is empty if nothing was lost or limited."""
        session = self._session
        return read_counters(self.port, {"inputs_merged": session.inputs_merged}, before=session.counted)


def _spikes(trace: npt.NDArray[np.uint16], one: int) -> FloatArray:
    return trace.astype(np.float64) / one
