"""PyNN's current sources: each says its current in every step, and the engine changes offsets by it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from pyNN import errors
from pyNN.parameters import ParameterSpace, Sequence
from pyNN.standardmodels import build_translations, electrodes

from synloom.base.checks import FloatArray, IntArray
from synloom.pynn.grid import nearest, warn_moved
from synloom.pynn.simulator import state

__all__ = ["ACSource", "DCSource", "NoisyCurrentSource", "StepCurrentSource"]

_TIMES: Final = ("start", "stop", "times")


def _same(source: Any) -> dict[str, Any]:
    translations: dict[str, Any] = build_translations(*((name, name) for name in source.default_parameters))
    return translations


def _plain(value: Any) -> Any:
    """Return a number, or an array for a sequence."""
    if isinstance(value, np.ndarray) and value.dtype == object:
        value = value[0]
    if isinstance(value, Sequence):
        return np.asarray(value.value, dtype=np.float64)
    return float(np.ravel(value)[0])


class _Source(electrodes.StandardCurrentSource):
    """What all sources share; a source is on in the steps that begin in ``start <= t < stop``."""

    default_parameters: dict[str, Any]

    def __init__(self, **parameters: Any):
        super().__init__(**parameters)
        self._values: dict[str, Any] = {}
        self._cells: list[Any] = []
        self._recording = False
        self._past = np.zeros(0)
        space = ParameterSpace(self.default_parameters, self.get_schema(), shape=(1,))
        space.update(**parameters)
        self.set_native_parameters(self.translate(space))
        state.current_sources.append(self)

    # ---- what PyNN asks ------------------------------------------------------------------------

    def set_native_parameters(self, parameters: Any) -> None:
        """Take parameters as PyNN names them."""
        parameters.evaluate(simplify=True)
        values = dict(self._values)
        for name, value in parameters.items():
            values[name] = _plain(value)
        checked = self._checked(values)
        for name in set(_TIMES) & set(dict(parameters.items())):
            warn_moved(values[name], state.dt, f"values of {name} of a {type(self).__name__}")
        self._values = checked

    def get_native_parameters(self) -> Any:
        """Return the parameters."""
        return ParameterSpace(dict(self._values))

    def inject_into(self, cells: Any, location: Any = None) -> None:
        """Inject the current into some cells: a population, a view, an assembly or a list of cells."""
        if location is not None:
            raise errors.InvalidParameterValueError("cells here are points; leave out location")
        chosen = list(getattr(cells, "all_cells", cells))
        for cell in chosen:
            if not cell.celltype.injectable:
                raise TypeError("Can't inject current into a spike source.")
        self._cells += chosen

    def record(self) -> None:
        """Record the current; `get_data` returns it."""
        self._recording = True

    def _get_data(self) -> tuple[FloatArray, FloatArray]:
        if not self._recording:
            raise errors.NothingToWriteError("this current was not recorded; call record() before run()")
        now = self.current(state.step, state.step + 1)
        return np.arange(state.step + 1.0) * state.dt, np.concatenate([self._past[: state.step], now])

    # ---- what the engine asks ------------------------------------------------------------------

    @property
    def cells(self) -> list[Any]:
        """The cells that get the current; one that is there twice gets it twice."""
        return self._cells

    def current(self, first: int, end: int) -> FloatArray:
        """Return the current in the steps first..end-1, (end - first,) nA."""
        raise NotImplementedError

    def happened(self, first: int, current: FloatArray) -> None:
        """Keep the current of the steps from `first` on."""
        if self._recording:
            self._past = np.concatenate([self._past[:first], current])

    def restart(self) -> None:
        """Begin again at time 0."""
        self._past = np.zeros(0)

    def extreme(self) -> float:
        """Return the largest current in nA that is to be expected, whatever its sign."""
        raise NotImplementedError

    # ---- steps ---------------------------------------------------------------------------------

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return parameters, checked and on the grid of steps."""
        for name, value in values.items():
            # A current may go on without end.
            if np.isnan(value).any() or (name != "stop" and not np.isfinite(value).all()):
                raise errors.InvalidParameterValueError(
                    f"{name} of a {type(self).__name__} must be finite, not {value}"
                )
        return values

    def _on(self, first: int, end: int) -> tuple[IntArray, Any]:
        """Return the steps first..end-1, and in which of them the source is on."""
        steps = np.arange(first, end)
        start, stop = (nearest(self._values[name], state.dt) for name in ("start", "stop"))
        return steps, (steps >= start) & (steps < stop)


class DCSource(_Source, electrodes.DCSource):
    """PyNN's DCSource: a constant current from `start` to `stop`."""

    translations = _same(electrodes.DCSource)

    def current(self, first: int, end: int) -> FloatArray:
        """Return the current in the steps first..end-1, (end - first,) nA."""
        return np.where(self._on(first, end)[1], self._values["amplitude"], 0.0)

    def extreme(self) -> float:
        """Return the largest current in nA that is to be expected, whatever its sign."""
        return abs(float(self._values["amplitude"]))


class StepCurrentSource(_Source, electrodes.StepCurrentSource):
    """PyNN's StepCurrentSource: a current that changes at given times."""

    translations = _same(electrodes.StepCurrentSource)

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        times, amplitudes = values["times"], values["amplitudes"]
        if np.ndim(times) != 1 or np.ndim(amplitudes) != 1:
            raise errors.InvalidParameterValueError(
                f"times and amplitudes of a step current must be lists, not {times} and {amplitudes}"
            )
        super()._checked(values)
        if (times < 0.0).any():
            raise errors.InvalidParameterValueError("Step current cannot accept negative timestamps.")
        if (np.diff(times) <= 0.0).any():
            raise errors.InvalidParameterValueError(
                "Step current timestamps should be monotonically increasing."
            )
        if len(times) != len(amplitudes):
            raise errors.InvalidParameterValueError(
                f"a step current needs as many times ({len(times)}) as amplitudes ({len(amplitudes)})"
            )
        # Of several times in one step the last one counts.
        steps, index = np.unique(nearest(times, state.dt)[::-1], return_index=True)
        return {"times": steps * state.dt, "amplitudes": amplitudes[::-1][index]}

    def current(self, first: int, end: int) -> FloatArray:
        """Return the current in the steps first..end-1, (end - first,) nA."""
        steps = nearest(self._values["times"], state.dt)
        which = np.searchsorted(steps, np.arange(first, end), side="right")
        return np.asarray(np.concatenate([[0.0], self._values["amplitudes"]])[which])

    def extreme(self) -> float:
        """Return the largest current in nA that is to be expected, whatever its sign."""
        return float(np.abs(self._values["amplitudes"]).max(initial=0.0))


class ACSource(_Source, electrodes.ACSource):
    """PyNN's ACSource: a sine from `start` to `stop`, with its phase at `start`."""

    translations = _same(electrodes.ACSource)

    def current(self, first: int, end: int) -> FloatArray:
        """Return the current in the steps first..end-1, (end - first,) nA."""
        steps, on = self._on(first, end)
        ms = (steps - nearest(self._values["start"], state.dt)) * state.dt
        angle = 2e-3 * np.pi * self._values["frequency"] * ms + np.deg2rad(self._values["phase"])
        return np.where(on, self._values["offset"] + self._values["amplitude"] * np.sin(angle), 0.0)

    def extreme(self) -> float:
        """Return the largest current in nA that is to be expected, whatever its sign."""
        return abs(float(self._values["offset"])) + abs(float(self._values["amplitude"]))


class NoisyCurrentSource(_Source, electrodes.NoisyCurrentSource):
    """PyNN's NoisyCurrentSource: a new Gaussian number every `dt`."""

    translations = _same(electrodes.NoisyCurrentSource)

    def __init__(self, **parameters: Any):
        rng = parameters.pop("rng", None)
        if "dt" not in parameters:
            parameters["dt"] = state.dt
        self._place = len(state.current_sources)
        self._rng = rng
        self.restart()
        super().__init__(**parameters)

    def restart(self) -> None:
        """Begin again at time 0, with other numbers: PyNN's noise goes on after a reset."""
        super().restart()
        self._numbers = np.zeros(0)
        segment = state.segment_counter
        self._own_rng = np.random.default_rng([state.seed, 1 << 40, self._place, segment])

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        super()._checked(values)
        interval = values["dt"] / state.dt
        if interval < 1.0 - 1e-6 or abs(interval - round(interval)) > 1e-6:
            raise errors.InvalidParameterValueError(
                f"dt of a noisy current must be a multiple of the time step, {state.dt:g} ms, not "
                f"{values['dt']:g} ms"
            )
        return values

    def current(self, first: int, end: int) -> FloatArray:
        """Return the current in the steps first..end-1, (end - first,) nA."""
        steps, on = self._on(first, end)
        interval = round(self._values["dt"] / state.dt)
        place = (steps - nearest(self._values["start"], state.dt)) // interval
        if not on.any():
            return np.zeros(end - first)
        most = int(place[on].max()) + 1
        if most > len(self._numbers):
            self._numbers = np.concatenate([self._numbers, self._drawn(most - len(self._numbers))])
        noise = self._numbers[np.clip(place, 0, most - 1)]
        return np.where(on, self._values["mean"] + self._values["stdev"] * noise, 0.0)

    def _drawn(self, count: int) -> FloatArray:
        if self._rng is not None:
            return np.ravel(self._rng.next(count, "normal", {"mu": 0.0, "sigma": 1.0})).astype(np.float64)
        return self._own_rng.standard_normal(count)

    def extreme(self) -> float:
        """Return the largest current in nA that is to be expected, whatever its sign."""
        return abs(float(self._values["mean"])) + 6.0 * abs(float(self._values["stdev"]))
