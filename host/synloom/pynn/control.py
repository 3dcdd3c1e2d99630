"""Control of a simulation: setup, runs, reset, end."""

from __future__ import annotations

import warnings
from typing import Any, Final

import numpy as np
from pyNN import common, errors
from pyNN.common.control import DEFAULT_MAX_DELAY, DEFAULT_MIN_DELAY, DEFAULT_TIMESTEP
from pyNN.recording import get_io

from synloom.image.report import Report
from synloom.pynn import simulator
from synloom.pynn.dialect import forget
from synloom.pynn.engine import Engine
from synloom.pynn.targets import Target

__all__ = [
    "end",
    "get_current_time",
    "get_max_delay",
    "get_min_delay",
    "get_time_step",
    "initialize",
    "num_processes",
    "rank",
    "report",
    "reset",
    "run",
    "run_for",
    "run_until",
    "setup",
]

_OFF_GRID: Final = "spike_precision='off_grid' is not known: spikes end with steps; use a smaller timestep"
_CONNECT: Final = ("baud", "timeout")
_TIMINGS: Final = ("nest", "spinnaker")


def setup(
    timestep: float = DEFAULT_TIMESTEP,
    min_delay: Any = DEFAULT_MIN_DELAY,
    *,
    target: str = "software",
    board: str | None = None,
    timing: str = "nest",
    generators: bool = True,
    **extra_params: Any,
) -> int:
    """Start anew: forget all that was created before.

    Parameters
    ----------
    timestep : float
        Time step, ms.
    min_delay : float or "auto"
        Least delay of a synapse, ms.
    target : str
        A target of `synloom.connect`: ``"fast"``, ``"model"``, ``"sim"``, ``"auto"``, or a serial port. By
        default the fast engine if Numba is installed, else the model.
    board : str, optional
        A board whose array an engine or the simulated board has; by default it fits the network.
    timing : str
        When a current acts on V: ``"nest"``, in the step after the one at whose end its spike arrives, or
        ``"spinnaker"``, in the step itself: the way to the next spike takes just the delay.
    generators : bool
        Whether an array with generators makes the spikes of SpikeSourcePoisson; else the host draws them.
    **extra_params
        ``max_delay`` (ms); ``rng_seed``, the seed of sources, noise and learning; ``baud`` and ``timeout`` of
        a board. What other simulators know (``threads``, ``spike_precision`` and so on) is ignored.

    Returns
    -------
    int
        0, the only MPI rank.

    Raises
    ------
    pyNN.errors.InvalidParameterValueError
        If a value is wrong.
    """
    most = extra_params.get("max_delay", DEFAULT_MAX_DELAY)
    _check_choices(timestep, timing, generators)
    for what, delay in (("min_delay", min_delay), ("max_delay", most)):
        if not (isinstance(delay, str) and delay == "auto"):
            _finite(what, delay, "or 'auto'")
    common.setup(timestep, min_delay, **extra_params)
    seed = _seed(extra_params.get("rng_seed", 0))
    if extra_params.get("spike_precision") == "off_grid":
        warnings.warn(_OFF_GRID, errors.RoundingWarning, stacklevel=2)
    chosen = _target(target, board, extra_params)
    state = simulator.state
    if state.engine is not None:
        state.engine.close()
    forget()
    state.clear(dt=float(timestep), least=min_delay, most=most, seed=seed, timing=timing)
    state.engine = Engine(state, chosen, generators)
    return state.mpi_rank


def _target(name: str, board: str | None, extra: dict[str, Any]) -> Target:
    chosen = Target(name, board, tuple((key, extra[key]) for key in _CONNECT if key in extra))
    chosen.check()
    return chosen


def _check_choices(timestep: Any, timing: Any, generators: Any) -> None:
    if not 0.001 <= _finite("timestep", timestep) <= 1000.0:
        raise errors.InvalidParameterValueError(f"timestep must be in 0.001..1000 ms, not {timestep!r}")
    if timing not in _TIMINGS:
        known = " or ".join(map(repr, _TIMINGS))
        raise errors.InvalidParameterValueError(f"timing must be {known}, not {timing!r}")
    if not isinstance(generators, bool):
        raise errors.InvalidParameterValueError(f"generators must be True or False, not {generators!r}")


def _finite(what: str, value: Any, other: str = "") -> float:
    """Return a time in ms as a float."""
    try:
        number = np.nan if isinstance(value, (str, bytes, bool)) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = np.nan
    if not np.isfinite(number):
        words = f"a finite number of ms {other}".strip()
        raise errors.InvalidParameterValueError(f"{what} must be {words}, not {value!r}")
    return number


def _seed(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value < 2**63:
        raise errors.InvalidParameterValueError(
            f"rng_seed must be a whole number, 0 to 2**63-1, not {value!r}"
        )
    return int(value)


def end(compatible_output: bool = True) -> None:
    """Write what is to be written to files, and disconnect; recorded data and weights stay readable."""
    state = simulator.state
    for population, variables, filename in state.write_on_end:
        population.write_data(get_io(filename), variables)
    state.write_on_end = []
    if state.engine is not None:
        state.engine.close()


def report() -> Report:
    """Return what the array holds instead of what was asked for, a row for each parameter.

    Raises
    ------
    RuntimeError
        If nothing has run yet.
    """
    engine = simulator.state.engine
    if engine is None or engine.image is None:
        raise RuntimeError("there is no report before the first run; call run() first")
    return engine.image.report


def run(simtime: float, callbacks: Any = None) -> float:
    """Run for some ms, and return the time; see PyNN for `callbacks`."""
    return run_until(simulator.state.t + _finite("simtime", simtime), callbacks)


def run_until(time_point: float, callbacks: Any = None) -> float:
    """Run until a time in ms, and return it; see PyNN for `callbacks`."""
    now = float(_run_until(_finite("time_point", time_point), callbacks))
    if simulator.state.engine is not None:
        simulator.state.engine.warn_of_clipping()
    return now


_, _run_until = common.build_run(simulator)
run_for = run
reset = common.build_reset(simulator)
initialize = common.initialize
(
    get_current_time,
    get_time_step,
    get_min_delay,
    get_max_delay,
    num_processes,
    rank,
) = common.build_state_queries(simulator)
