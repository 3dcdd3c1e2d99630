"""Batches: many networks, or one with many seeds, stimuli and settings, on all cores."""

from __future__ import annotations

import copy
import functools
import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt

from synloom.base.checks import real, switch, whole
from synloom.base.errors import ParameterError, SynloomError
from synloom.base.progress import Progress
from synloom.base.wording import shown
from synloom.base.workers import Failure, check_where, outcomes
from synloom.compiler import compile
from synloom.device.counters import Counters
from synloom.device.device import Device
from synloom.device.recording import Recording
from synloom.device.targets import connect
from synloom.image.image import Image
from synloom.network.network import Network

__all__ = ["BatchError", "Case", "Trial", "run_batch"]

_MOST_SEED: Final = 2**63 - 1
_SHOWN_ERRORS: Final = 5


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is different in one run of a batch; every part is optional.

    Parameters
    ----------
    seed : int
        A `Network` is compiled with this seed instead of its own. An `Image` keeps its synapses and takes the
        random numbers of this seed, those of its generators and of stochastic rounding.
    stimulus : mapping
        Spikes by population or label, in the forms of `Device.inject`.
    rates, offsets : mapping
        Rates in Hz and currents in nA by population or label, as for `Device.set_rates` and `set_offset`.
    weights : mapping
        Weights by projection or label, as for `Device.write_weights`.
    """

    seed: int | None = None
    stimulus: Mapping[Any, Any] = field(default_factory=dict)
    rates: Mapping[Any, Any] = field(default_factory=dict)
    offsets: Mapping[Any, Any] = field(default_factory=dict)
    weights: Mapping[Any, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.seed is not None:
            whole("seed", self.seed, 0, _MOST_SEED)
        for name in ("stimulus", "rates", "offsets", "weights"):
            value = getattr(self, name)
            if not isinstance(value, Mapping):
                raise ParameterError(
                    f"{name} must be a mapping from populations, projections or labels, not {shown(value)}"
                )

    def apply(self, device: Device) -> None:
        """Apply all but the seed to a device that has its image loaded."""
        for projection, weights in self.weights.items():
            device.write_weights(projection, weights)
        for population, current in self.offsets.items():
            device.set_offset(population, current)
        for population, hz in self.rates.items():
            device.set_rates(population, hz)
        for population, spikes in self.stimulus.items():
            device.inject(population, spikes)


@dataclass(frozen=True, eq=False)
class Trial:
    """The result of one run of a batch.

    Parameters
    ----------
    index : int
        Its place in the batch.
    value : object
        A `Recording`, or what the batch's function returned; None after an error.
    weights : mapping of str to (n_pre, n_post) float64
        The weights at the end that were asked for, by label, as `Device.read_weights` returns them.
    counters : Counters or None
        The device's counters at the end; None after an error.
    error : Failure or None
        What went wrong.
    """

    index: int
    value: Any
    weights: Mapping[str, npt.NDArray[Any]]
    counters: Counters | None
    error: Failure | None = None

    @property
    def recording(self) -> Recording:
        """The recording.

        Raises
        ------
        SynloomError
            If the run failed.
        """
        if self.error is not None:
            raise SynloomError(f"run {self.index} of the batch failed: {self.error}")
        return cast(Recording, self.value)


class BatchError(SynloomError):
    """Some runs of a batch failed; `trials` has all of them, with results or errors.

    Parameters
    ----------
    trials : list of Trial
        All runs, in order.
    """

    def __init__(self, trials: list[Trial]):
        self.trials = trials
        bad = [trial for trial in trials if trial.error is not None]
        lines = [f"  {trial.index}: {trial.error}" for trial in bad[:_SHOWN_ERRORS]]
        more = [f"  and {len(bad) - _SHOWN_ERRORS} more"] if len(bad) > _SHOWN_ERRORS else []
        super().__init__(
            f"{len(bad)} of {len(trials)} runs failed; the attribute trials has the results of the others:\n"
            + "\n".join([*lines, *more])
        )

    def __reduce__(self) -> tuple[type[BatchError], tuple[list[Trial]]]:
        return type(self), (self.trials,)


@dataclass(frozen=True, eq=False)
class _Plan:
    """What all runs of a batch share."""

    run: float | Callable[[Device, Any], Any]
    target: str
    weights: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Job:
    what: Image | Network
    case: Any


def run_batch(
    networks: Image | Network | Sequence[Image | Network],
    run: float | Callable[[Device, Any], Any],
    *,
    cases: Iterable[Any] | None = None,
    weights: Sequence[Any] = (),
    target: str = "software",
    jobs: int | None = None,
    executor: Executor | None = None,
    raises: bool = True,
    progress: Progress | None = None,
) -> list[Trial]:
    """Run many networks, or one network in many cases, on all cores (docs/sweeps.md).

    The bits are those of the same runs one after the other, each on a device of its own.

    Parameters
    ----------
    networks : Image, Network or sequence of them
        One for all cases, or one for each. Networks are compiled where they run.
    run : float or callable
        Length of each run in ms; or a function ``run(device, case)``, defined in a module, whose result is
        the trial's `value`. Its device has the image loaded, and the case applied if that is a `Case`.
    cases : iterable, optional
        What is different in each run: a `Case`, or anything that `run` understands.
    weights : sequence of Projection or str
        Projections whose weights are read at the end.
    target : str
        An engine of this process or a simulated board.
    jobs : int, optional
        Number of processes, by default one for each core; 1 runs all in this process.
    executor : concurrent.futures.Executor, optional
        Runs the batch instead; it is not shut down.
    raises : bool
        Whether failed runs raise a `BatchError` at the end. Else each such trial has the `error`.
    progress : callable, optional
        Called as ``progress(what, share)`` after each run.

    Raises
    ------
    BatchError
        If runs failed; its `trials` has the results of the others.
    ParameterError
        If an argument is wrong.
    """
    work = _paired(networks, cases)
    plan = _Plan(_checked_run(run, work), target, _labels(weights))
    check_where(jobs, executor, progress)
    switch("raises", raises)
    trials = _collected(plan, work, jobs, executor, progress)
    if raises and any(trial.error is not None for trial in trials):
        raise BatchError(trials)
    return trials


def _collected(
    plan: _Plan,
    work: Sequence[_Job],
    jobs: int | None,
    executor: Executor | None,
    progress: Progress | None,
) -> list[Trial]:
    trials: list[Trial] = [Trial(k, None, {}, None) for k in range(len(work))]
    with outcomes(functools.partial(_run, plan), work, workers=jobs, executor=executor) as ended:
        for done, (index, outcome) in enumerate(ended, 1):
            if isinstance(outcome, Failure):
                trials[index] = Trial(index, None, {}, None, outcome)
            else:
                trials[index] = Trial(index, *outcome)
            if progress is not None:
                progress(f"{done} of {len(work)} runs", done / len(work))
    return trials


def _checked_run(run: Any, work: Sequence[_Job]) -> float | Callable[[Device, Any], Any]:
    if callable(run):
        return cast(Callable[[Device, Any], Any], run)
    if isinstance(run, (bool, np.bool_)) or not isinstance(run, numbers.Real):
        raise ParameterError(
            f"run must be a time in ms or a function of a device and a case, not {shown(run)}"
        )
    for k, job in enumerate(work):
        # A time takes no other cases into account, such as bare seeds.
        if not isinstance(job.case, Case):
            raise ParameterError(
                f"case {k} must be a Case, because run is a time, not {shown(job.case)}; for a seed give "
                f"Case(seed=...), or give a function as run"
            )
    return real("run", run, low=0.0)


def _labels(weights: Any) -> tuple[str, ...]:
    if isinstance(weights, (str, bytes, Mapping)) or not isinstance(weights, Iterable):
        raise ParameterError(f"weights must be a list of projections or labels, not {shown(weights)}")
    return tuple(_label(each) for each in weights)


def _label(which: Any) -> str:
    label = getattr(which, "label", which)
    if not isinstance(label, str):
        raise ParameterError(f"weights must be projections or their labels, not {shown(which)}")
    return label


def _paired(networks: Any, cases: Iterable[Any] | None) -> list[_Job]:
    alone = isinstance(networks, (Image, Network)) or not isinstance(networks, Iterable)
    many = [networks] if alone else list(networks)
    for each in many:
        if not isinstance(each, (Image, Network)):
            raise ParameterError(
                f"networks must be an Image, a Network or a sequence of them, not {shown(each)}"
            )
    if cases is not None and (isinstance(cases, (str, bytes, Mapping)) or not isinstance(cases, Iterable)):
        raise ParameterError(f"cases must be a list, one for each run, not {shown(cases)}")
    each_case = [Case()] * len(many) if cases is None else list(cases)
    if not many or not each_case:
        raise ParameterError("a batch needs at least one network and one case; it has none")
    if len(many) > 1 and len(each_case) not in (1, len(many)):
        raise ParameterError(
            f"there are {len(many)} networks and {len(each_case)} cases; give one network or one case for "
            f"all, or as many of each"
        )
    n = max(len(many), len(each_case))
    many, each_case = (part * n if len(part) == 1 else part for part in (many, each_case))
    return [_Job(what, case) for what, case in zip(many, each_case, strict=True)]


def _run(plan: _Plan, job: _Job) -> tuple[Any, dict[str, npt.NDArray[Any]], Counters]:
    """Run one case, wherever this is called."""
    case = job.case if isinstance(job.case, Case) else Case()
    what = job.what
    if isinstance(what, Network):
        if case.seed is not None:
            what = copy.copy(what)
            what.seed = case.seed
        image = compile(what)
    else:
        image = what if case.seed is None else what.reseeded(case.seed)
    with connect(plan.target, image) as device:
        case.apply(device)
        value = plan.run(device, job.case) if callable(plan.run) else device.run(plan.run)
        weights = {name: device.read_weights(name) for name in plan.weights}
        return value, weights, device.counters()
