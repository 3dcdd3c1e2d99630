"""Populations, views and assemblies: PyNN's own, with parameters kept here and changes told to the engine."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from pyNN import common, errors
from pyNN.parameters import LazyArray, ParameterSpace, simplify

from synloom.base.checks import IntArray
from synloom.pynn import simulator
from synloom.pynn.dialect import understood
from synloom.pynn.grid import warn_moved
from synloom.pynn.recording import Recorder

__all__ = ["Assembly", "Population", "PopulationView"]

_ARRAYS: Final = (list, tuple, np.ndarray)


class Assembly(common.Assembly):
    """PyNN's Assembly."""

    _simulator = simulator

    @property
    def receptor_types(self) -> list[str]:
        """Receptor types of all populations; the first is for excitation (PyNN has them in any order)."""
        first, *others = (p.celltype.receptor_types for p in self.populations)
        return [name for name in first if all(name in types for types in others)]


class _Cells:
    """What populations and views share."""

    celltype: Any
    initialize: Any
    _get_native_parameters: Any

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, range):
            understood("range", "a view by a range is understood; PyNN wants a slice or a list of indices")
            index = list(index)
        return super().__getitem__(index)  # type: ignore[misc]

    def set(self, **parameters: Any) -> None:
        """Set parameters; initial values, which sPyNNaker sets so, are passed to `initialize`."""
        states = [
            name
            for name in parameters
            if name in self.celltype.default_initial_values and not self.celltype.has_parameter(name)
        ]
        if states:
            understood(
                "state by set",
                f"set({states[0]}=...) is taken as initialize({states[0]}=...), which PyNN wants",
            )
            self.initialize(**{name: parameters.pop(name) for name in states})
        if parameters:
            super().set(**parameters)  # type: ignore[misc]

    def _get_parameters(self, *names: str) -> Any:
        for name in names:
            if not self.celltype.has_parameter(name):
                raise errors.NonExistentParameterError(
                    name, type(self.celltype).__name__, self.celltype.get_parameter_names()
                )
        return self.celltype.reverse_translate(
            self._get_native_parameters(*self.celltype.get_native_names(*names))
        )

    def _get_view(self, selector: Any, label: str | None = None) -> PopulationView:
        return PopulationView(self, selector, label)


class PopulationView(_Cells, common.PopulationView):
    """PyNN's PopulationView; a selector may be a range, too."""

    _assembly_class = Assembly
    _simulator = simulator

    def __init__(self, parent: Any, selector: Any, label: str | None = None):
        if isinstance(selector, range):
            selector = list(selector)
        super().__init__(parent, selector, label)

    @property
    def places(self) -> IntArray:
        """Indices of the cells in the population, (size,) int64."""
        return np.asarray(self.index_in_grandparent(np.arange(self.size)), dtype=np.int64)

    @property
    def initial_values(self) -> dict[str, Any]:
        """Initial values of the cells by variable."""
        return {
            name: LazyArray(np.asarray(value.evaluate(simplify=False))[self.places], shape=(self.size,))
            for name, value in self.grandparent.initial_values.items()
        }

    def initialize(self, **initial_values: Any) -> None:
        """Set initial values of state variables, as `Population.initialize` does."""
        for variable, value in initial_values.items():
            mine = LazyArray(value, shape=(self.size,), dtype=float).evaluate(simplify=False)
            whole = self.grandparent
            known = whole.initial_values.get(variable, LazyArray(0.0, shape=(whole.size,), dtype=float))
            values = np.array(known.evaluate(simplify=False), dtype=np.float64)
            values[self.places] = mine
            whole.initialize(**{variable: values})

    def _get_native_parameters(self, *names: str) -> Any:
        values = {name: simplify(self.grandparent.values(name)[self.places]) for name in names}
        return ParameterSpace(values, shape=(self.size,))

    def _set_parameters(self, parameter_space: Any) -> None:
        parameter_space.evaluate(simplify=False)
        self.grandparent.change(dict(parameter_space.items()), self.places)


class Population(_Cells, common.Population):
    """PyNN's Population: its parameters are kept here, and the engine is told of changes."""

    _simulator = simulator
    _recorder_class = Recorder
    _assembly_class = Assembly

    def _create_cells(self) -> None:
        try:
            self._create()
        except BaseException:
            # PyNN has given it a recorder already.
            simulator.state.recorders.discard(self.recorder)
            raise

    def _create(self) -> None:
        space = self.celltype.native_parameters
        space.shape = (self.size,)
        space.evaluate(simplify=False)
        parameters = {name: _array(value, self.size) for name, value in space.items()}
        self._check(parameters)
        if simulator.state.engine is not None:
            simulator.state.engine.require_before_runs("populations")
        self._warn_moved(parameters, set(parameters))
        self._parameters = parameters
        self._mask_local = np.ones(self.size, dtype=bool)
        self.all_cells = simulator.state.new_cells(self, self.size)

    def values(self, name: str) -> Any:
        """Return a parameter, (size,) float64, or (size,) Sequence for spike times; not to be changed."""
        return self._parameters[name]

    @property
    def parameters(self) -> dict[str, Any]:
        """All parameters by name, (size,) each."""
        return dict(self._parameters)

    def initial(self, variable: str) -> Any:
        """Return the initial values of a variable, (size,) float64."""
        value = self.initial_values.get(variable)
        if value is None:
            return np.zeros(self.size)
        return np.broadcast_to(np.asarray(value.evaluate(simplify=False), dtype=np.float64), (self.size,))

    def change(self, parameters: dict[str, Any], places: Any) -> None:
        """Change parameters of the cells at `places`; all of them are checked before one is changed."""
        changed = {}
        for name, value in parameters.items():
            if name not in self._parameters:
                raise errors.NonExistentParameterError(
                    name, type(self.celltype).__name__, self.celltype.get_parameter_names()
                )
            values = self._parameters[name].copy()
            values[places] = _array(value, len(values[places]))
            changed[name] = values
        self._check(self._parameters | changed)
        self._warn_moved(self._parameters | changed, set(changed))
        self._parameters |= changed
        engine = simulator.state.engine
        if engine is not None:
            engine.parameters_changed(self, list(changed))

    def _check(self, parameters: dict[str, Any]) -> None:
        for name, values in parameters.items():
            if values.dtype != object and np.isnan(values).any():
                raise errors.InvalidParameterValueError(f"{name} must be a number, not nan")
        check = getattr(self.celltype, "check", None)
        if check is not None:
            check(parameters)

    def _warn_moved(self, parameters: dict[str, Any], changed: set[str]) -> None:
        """Warn if a source begins or ends between steps."""
        if "start" not in parameters or not changed & {"start", "duration"}:
            return
        dt, start = simulator.state.dt, parameters["start"]
        warn_moved(start, dt, f"starts of {self.label!r}")
        warn_moved(start + parameters["duration"], dt, f"ends (start + duration) of {self.label!r}")

    def _set_parameters(self, parameter_space: Any) -> None:
        parameter_space.evaluate(simplify=False)
        self.change(dict(parameter_space.items()), slice(None))

    def _get_native_parameters(self, *names: str) -> Any:
        values = {name: simplify(self._parameters[name]) for name in names}
        return ParameterSpace(values, shape=(self.size,))

    def _set_initial_value_array(self, variable: str, initial_values: Any) -> None:
        if variable not in self.celltype.default_initial_values:
            known = ", ".join(self.celltype.default_initial_values) or "none"
            raise errors.InvalidParameterValueError(
                f"{type(self.celltype).__name__} has no state variable {variable!r}; it has: {known}"
            )
        if not initial_values.is_homogeneous:
            # Random numbers are drawn once.
            initial_values.base_value = np.asarray(initial_values.evaluate(simplify=False))
            initial_values.operations = []
        engine = simulator.state.engine
        if engine is not None:
            engine.initial_changed(self, variable, initial_values)


def _array(value: Any, size: int) -> Any:
    """Return one value per cell, (size,) float64 or (size,) object for sequences."""
    if isinstance(value, np.ndarray) and value.shape == (size,):
        return value.copy() if value.dtype == object else value.astype(np.float64)
    if isinstance(value, _ARRAYS):
        raise errors.InvalidDimensionsError(f"there must be {size} values, one per cell, not {len(value)}")
    if isinstance(value, (int, float, np.number)):
        return np.full(size, float(value))
    values = np.empty(size, dtype=object)
    values[:] = [value] * size
    return values
