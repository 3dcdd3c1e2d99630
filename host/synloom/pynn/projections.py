"""Projections: PyNN's connectors make the synapses, which are kept here as arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from pyNN import common, errors
from pyNN.space import Space

from synloom.base.checks import FloatArray, IntArray
from synloom.pynn import simulator
from synloom.pynn.cells import IF_curr_delta
from synloom.pynn.grid import nearest, warn_moved
from synloom.pynn.populations import Assembly
from synloom.pynn.synapses import StaticSynapse, STDPMechanism
from synloom.pynn.weight_recording import WeightRecorder

__all__ = ["Connection", "Projection"]

_NEAR = 1e-9


class Connection(common.Connection):
    """One synapse of a projection; its attributes (weight, delay and so on) can be read and set."""

    def __init__(self, projection: Projection, index: int):
        object.__setattr__(self, "_projection", projection)
        object.__setattr__(self, "_index", index)

    @property
    def presynaptic_index(self) -> int:
        """Index of the source."""
        return int(self._projection.pre_index[self._index])

    @property
    def postsynaptic_index(self) -> int:
        """Index of the target."""
        return int(self._projection.post_index[self._index])

    @property
    def presynaptic_cell(self) -> Any:
        """The source."""
        return self._projection.pre[self.presynaptic_index]

    @property
    def postsynaptic_cell(self) -> Any:
        """The target."""
        return self._projection.post[self.postsynaptic_index]

    def __getattr__(self, name: str) -> Any:
        projection: Projection = object.__getattribute__(self, "_projection")
        if name not in projection.synapses:
            raise AttributeError(f"a connection has no {name!r}; it has: {', '.join(projection.synapses)}")
        return float(projection.attribute(name)[self._index])

    def __setattr__(self, name: str, value: float) -> None:
        if name not in self._projection.synapses:
            raise AttributeError(f"a connection has no {name!r} that can be set")
        values = self._projection.attribute(name).copy()
        values[self._index] = value
        self._projection.change({name: values})

    def as_tuple(self, *attribute_names: str) -> tuple[Any, ...]:
        """Return attributes."""
        return tuple(getattr(self, name) for name in attribute_names)


class Projection(common.Projection):
    """PyNN's Projection: its synapses are kept here as arrays, and the engine is told of changes."""

    _simulator = simulator
    _static_synapse_class = StaticSynapse

    def __init__(
        self,
        presynaptic_population: Any,
        postsynaptic_population: Any,
        connector: Any,
        synapse_type: Any = None,
        source: Any = None,
        receptor_type: str | None = None,
        space: Any = None,
        label: str | None = None,
    ):
        super().__init__(
            presynaptic_population,
            postsynaptic_population,
            connector,
            synapse_type,
            source,
            receptor_type,
            space or Space(),
            label,
        )
        if not isinstance(self.synapse_type, (StaticSynapse, STDPMechanism)):
            raise errors.NoModelAvailableError(
                f"synapse_type must be a StaticSynapse or STDPMechanism of this module, not "
                f"{type(self.synapse_type).__name__}"
            )
        engine = simulator.state.engine
        if engine is not None:
            engine.require_before_runs("projections")
        self._new: list[dict[str, Any]] = []
        self.pre_index = self.post_index = np.zeros(0, dtype=np.int64)
        self.synapses: dict[str, FloatArray] = {}
        self.last: FloatArray | None = None
        self.recorder: WeightRecorder | None = None
        connector.connect(self)
        self._gather()
        simulator.state.projections.append(self)

    def _convergent_connect(
        self,
        presynaptic_indices: Any,
        postsynaptic_index: int,
        location_selector: Any = None,
        **parameters: Any,
    ) -> None:
        if location_selector is not None:
            raise errors.InvalidParameterValueError("cells here are points; leave out location_selector")
        pre = np.atleast_1d(np.asarray(presynaptic_indices, dtype=np.int64))
        new = {name: np.broadcast_to(np.asarray(v, dtype=float), pre.shape) for name, v in parameters.items()}
        self._new.append({"pre": pre, "post": np.full(len(pre), postsynaptic_index, dtype=np.int64), **new})

    def _gather(self) -> None:
        """Join what the connector has made, and check it."""
        names = self.synapse_type.get_native_names()
        if not self._new:
            self.synapses = {name: np.zeros(0) for name in names}
            return
        joined = {name: np.concatenate([each[name] for each in self._new]) for name in self._new[0]}
        self._new = []
        self.pre_index, self.post_index = joined.pop("pre"), joined.pop("post")
        self.synapses = {name: np.array(joined[name], dtype=np.float64) for name in names}
        self.synapses["delay"] = self._checked_delays(self.synapses["delay"])
        # Lists of connections bring weights that PyNN does not check.
        self.synapse_type.parameter_checks["weight"](self.synapses["weight"], self)

    def _checked_delays(self, delays: FloatArray) -> FloatArray:
        dt, least = simulator.state.dt, simulator.state.least_given
        if not len(delays):
            return delays
        if not np.isfinite(delays).all() or delays.min() < least * (1.0 - 1e-9) - 1e-9:
            raise errors.ConnectionError(
                f"delays of {self.label!r} must be at least {least:g} ms (min_delay, or one time step), not "
                f"{delays.min():g} ms"
            )
        steps = nearest(delays, dt)
        warn_moved(delays, dt, f"delays of {self.label!r}")
        return np.where(np.abs(steps - delays / dt) < 1e-6, delays, steps * dt)

    # ---- what the engine asks ------------------------------------------------------------------

    @property
    def is_plastic(self) -> bool:
        """Whether the synapses learn."""
        return isinstance(self.synapse_type, STDPMechanism)

    @property
    def sign(self) -> float:
        """What a weight is multiplied by: -1 if inhibitory weights are given as positive numbers."""
        is_inhibitory = self.receptor_type == "inhibitory"
        return -1.0 if is_inhibitory and bool((self.synapses["weight"] > 0.0).any()) else 1.0

    @property
    def places(self) -> tuple[IntArray, IntArray, IntArray, IntArray]:
        """Population and index there of the source, and of the target, of each synapse, (K,) each."""
        state = simulator.state
        pre = state.places(self.pre.all_cells)
        post = state.places(self.post.all_cells)
        i, j = self.pre_index, self.post_index
        return pre[0][i], pre[1][i], post[0][j], post[1][j]

    def attribute(self, name: str) -> FloatArray:
        """Return an attribute of each synapse, (K,); weights are those in the array, once it has them."""
        wanted = self.synapses[name]
        engine = simulator.state.engine
        if name != "weight" or engine is None:
            return wanted
        held = engine.weights(self)
        if held is None:
            held = self.last
        if held is None:
            return wanted
        # The same number from another calculation is the number that was asked for.
        return np.where(np.abs(held - wanted) <= _NEAR * np.abs(wanted), wanted, held)

    def change(self, values: dict[str, FloatArray]) -> None:
        """Change attributes, (K,) each; all of them are checked before one is changed."""
        if "delay" in values:
            values["delay"] = self._checked_delays(values["delay"])
        if "weight" in values:
            self.synapse_type.parameter_checks["weight"](values["weight"], self)
        changed = [name for name, new in values.items() if not np.array_equal(new, self.synapses[name])]
        engine = simulator.state.engine
        if engine is not None and changed:
            engine.synapses_changed(self, changed)
        # A weight that was learned becomes the weight that was asked for.
        self.synapses |= values
        self.last = None

    # ---- weights over time ---------------------------------------------------------------------

    def record(self, variables: str, sampling_interval: float) -> None:
        """Record the weights of all synapses from now on, every `sampling_interval` ms; PyNN cannot.

        The host reads them between steps: a reading carries two to four bytes for each pair of a source and a
        target.

        Parameters
        ----------
        variables : str
            ``"weight"`` (or ``"weights"``).
        sampling_interval : float
            Interval in ms, a multiple of the time step.

        Raises
        ------
        pyNN.errors.InvalidParameterValueError
            If it is another variable, or the interval is wrong.
        """
        if variables not in ("weight", "weights"):
            raise errors.InvalidParameterValueError(
                f"of synapses 'weight' can be recorded, not {variables!r}"
            )
        self.recorder = WeightRecorder.of(sampling_interval)

    def get_data(self) -> Any:
        """Return the recorded weights as a `neo.Block`: for each segment a signal (samples, synapses).

        Synapses are in the order of ``get("weight", format="list")``; their ends are the signal's annotations
        `presynaptic_index` and `postsynaptic_index`.

        Raises
        ------
        RuntimeError
            If nothing was recorded.
        """
        if self.recorder is None:
            raise RuntimeError("no weights were recorded; call record('weight', sampling_interval=...)")
        first = self.post.populations[0] if isinstance(self.post, Assembly) else self.post
        units = "mV" if isinstance(first.celltype, IF_curr_delta) else "nA"
        return self.recorder.block(str(self.label), units, self.pre_index, self.post_index)

    # ---- what PyNN asks ------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.pre_index)

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            return [Connection(self, k) for k in range(*i.indices(len(self)))]
        if not -len(self) <= i < len(self):
            raise IndexError(f"{i} is not in the {len(self)} connections of {self.label!r}")
        return Connection(self, i % len(self))

    @property
    def connections(self) -> Iterator[Connection]:
        """All connections."""
        return (Connection(self, k) for k in range(len(self)))

    def _set_attributes(self, parameter_space: Any) -> None:
        parameter_space.evaluate(simplify=False)
        values = {}
        for name, value in parameter_space.items():
            matrix = np.broadcast_to(np.asarray(value, dtype=np.float64), self.shape)
            values[name] = matrix[self.pre_index, self.post_index]
            if np.isnan(values[name]).any():
                raise errors.InvalidParameterValueError(
                    f"{name} must have a value for each connection, not nan"
                )
        self.change(values)

    def _set_initial_value_array(self, variable: str, value: Any) -> None:
        raise errors.InvalidParameterValueError(f"synapses here have no state variable {variable!r}")

    def _column(self, name: str) -> Any:
        if name == "presynaptic_index":
            return self.pre_index.astype(float)
        if name == "postsynaptic_index":
            return self.post_index.astype(float)
        return self.attribute(name)

    def _get_attributes_as_list(self, names: Any) -> list[tuple[float, ...]]:
        return list(zip(*(self._column(name).tolist() for name in names), strict=True))

    def _get_attributes_as_arrays(self, names: Any, multiple_synapses: str = "sum") -> list[FloatArray]:
        join = {"sum": np.add, "min": np.minimum, "max": np.maximum}.get(multiple_synapses)
        found = []
        for name in names:
            values = self._column(name)
            matrix = np.full(self.shape, np.nan)
            i, j = self.pre_index, self.post_index
            if join is None:
                order = np.arange(len(i))[:: 1 if multiple_synapses == "first" else -1]
                _, first = np.unique((i * self.post.size + j)[order], return_index=True)
                chosen = order[first]
                matrix[i[chosen], j[chosen]] = values[chosen]
            else:
                filled = np.full(self.shape, {"sum": 0.0, "min": np.inf, "max": -np.inf}[multiple_synapses])
                join.at(filled, (i, j), values)
                matrix[i, j] = filled[i, j]
            found.append(matrix)
        return found
