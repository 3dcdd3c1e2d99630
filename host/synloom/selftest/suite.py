"""The complete self-test: all checks in order."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from typing import Final

from synloom.base.checks import switch, whole
from synloom.base.errors import DeviceError, LinkError, ParameterError, SynloomError
from synloom.base.progress import Progress
from synloom.contract.array_port import Port
from synloom.contract.params import ArrayParams
from synloom.contract.registers import COUNTERS
from synloom.contract.targets import ANY_ARRAY, kind_of
from synloom.device.counters import Counters
from synloom.device.device import Device
from synloom.device.execution import stop
from synloom.device.targets import open_port
from synloom.link.client import LinkPort
from synloom.link.kept_rates import forget_rate
from synloom.link.kept_rates import keep_rate as keep_line_rate
from synloom.selftest.comparison import agreement, play
from synloom.selftest.diagnosis import diagnose
from synloom.selftest.first_difference import differences
from synloom.selftest.line import LineErrors, try_line, try_rates
from synloom.selftest.march import march
from synloom.selftest.memories import clear, memories
from synloom.selftest.random_network import random_network
from synloom.selftest.report import Check, Outcome, RateResult, SelftestReport

__all__ = ["run_selftest"]

_STEPS: Final = 256
_QUICK_STEPS: Final = 64
_MUST_BE_ZERO: Final = ("late_steps", "events_late", "events_invalid")

_SHARES: Final = {"link": (0.0, 0.2), "memory": (0.2, 0.7), "network": (0.7, 0.98), "counters": (0.98, 1.0)}


def run_selftest(
    target: str | Device | Port = "model",
    params: ArrayParams | None = None,
    *,
    quick: bool = False,
    seed: int = 1,
    keep_rate: bool = False,
    progress: Progress | None = None,
    **options: object,
) -> SelftestReport:
    """Test an array: its link at all line rates, its memories, a random network, its counters.

    The contents of the array are lost; it is left empty. The line is left at its present rate.

    Parameters
    ----------
    target : str, Device or Port
        The target: a name as in `synloom.connect`, or a connected device or port, which stays connected (an
        image must be loaded again).
    params : ArrayParams, optional
        Parameters of a model or a simulated board; a board must compute the same results as with these.
    quick : bool
        Run a shorter test: 4 instead of 10 accesses to each word of a memory, 64 instead of 256 steps.
    seed : int
        Seed of all random patterns and of the network.
    keep_rate : bool
        Leave the line at the best rate instead; the array keeps it until power-off. If the test passes, later
        connections to this board use that rate by themselves; if it does not, they use the usual one.
    progress : callable, optional
        Called as ``progress(what, share)``.
    **options
        ``baud`` and ``timeout``, as in `synloom.connect`.

    Returns
    -------
    SelftestReport
        The results. A fault of the array is in the report, not an exception.

    Raises
    ------
    TargetError, MismatchError, BuildError, ParameterError
        If the target cannot be connected, as in `synloom.connect`.
    """
    switch("quick", quick)
    switch("keep_rate", keep_rate)
    whole("seed", seed, 0, (1 << 63) - 1)
    report = progress or _silent
    if isinstance(target, str):
        with closing(open_port(target, params, progress=progress, **options)) as port:
            tested = _Selftest(port, target, quick, seed, report).run(keep_rate)
            if keep_rate and kind_of(target) not in ANY_ARRAY and isinstance(port, LinkPort) and port.baud:
                _keep(port, tested)
            return tested
    if params is not None or options:
        raise ParameterError("params and options need a target by name; this one is connected already")
    if isinstance(target, Device):
        target.forget()
        target = target.port
    name = str(getattr(target, "name", type(target).__name__))
    return _Selftest(target, name, quick, seed, report).run(keep_rate)


@dataclass(slots=True)
class _Selftest:
    """One self-test of one port."""

    port: Port
    name: str
    quick: bool
    seed: int
    progress: Progress
    checks: list[Check] = field(default_factory=list)
    rates: list[RateResult] = field(default_factory=list)
    best: int | None = None
    counted: tuple[Counters, Counters] | None = None
    line_errors: LineErrors | None = None
    line: LinkPort | None = None
    first: int | None = None
    broken: bool = False

    def run(self, keep_rate: bool) -> SelftestReport:
        """Do all checks, and restore the rate of the line even after an error."""
        self.line = self.port if isinstance(self.port, LinkPort) else None
        self.first = self.line.baud if self.line is not None else None
        try:
            for name, check in (
                ("link", self._link),
                ("memory", self._memory),
                ("network", self._network),
                ("counters", self._counters),
            ):
                self._check(name, check)
        except BaseException:
            self._stop()
            raise
        finally:
            self._restore(self.best if keep_rate and self.best is not None else self.first)
        return SelftestReport(
            target=self.name,
            params=self.port.params,
            checks=tuple(self.checks),
            rates=tuple(self.rates),
            baud=self.line.baud if self.line is not None else None,
            best_baud=self.best,
            quick=self.quick,
            seed=self.seed,
        )

    def _check(self, name: str, check: Callable[[], Check]) -> None:
        """Do one check, unless an earlier one lost the link."""
        if self.broken:
            self.checks.append(Check(name, Outcome.NOT_RUN, "the link is down"))
            return
        self._report(name, f"testing the {name}", 0.0)
        started = time.monotonic()
        try:
            try:
                done = check()
            except LinkError:
                if not self._is_at_another_rate():
                    raise
                self._give_up_rate()
                done = check()
        except LinkError as error:
            self.broken = True
            done = Check(name, Outcome.FAIL, "the link broke", (str(error),))
        except SynloomError as error:
            self._stop()
            done = Check(name, Outcome.FAIL, "the check could not be completed", (str(error),))
        self.checks.append(replace(done, seconds=time.monotonic() - started))

    def _stop(self) -> None:
        """End a run that still goes on, during which the line rate cannot be changed."""
        with suppress(SynloomError):
            stop(self.port)

    def _is_at_another_rate(self) -> bool:
        """Return whether the line is at another rate than at the start."""
        return self.line is not None and self.line.baud != self.first

    def _give_up_rate(self) -> None:
        """Go back to the first rate after errors at the better one."""
        assert self.line is not None
        assert self.first is not None
        self.rates = [
            replace(rate, note="errors in later tests") if rate.baud == self.line.baud else rate
            for rate in self.rates
        ]
        self.best = max((rate.baud for rate in self.rates if rate.is_clean), default=None)
        self.line.set_baud(self.first)
        self.line_errors = LineErrors(self.line)
        self.line_errors.clear()

    def _report(self, name: str, what: str, share: float) -> None:
        low, high = _SHARES[name]
        self.progress(what, low + (high - low) * share)

    def _restore(self, rate: int | None) -> None:
        """Restore the line rate, also of a link that was lost; a failure is a fault."""
        if self.line is None or rate is None or (self.line.baud == rate and not self.broken):
            return
        try:
            self.line.set_baud(rate)
        except SynloomError as error:
            self.checks.append(Check("line rate", Outcome.FAIL, f"not at {rate:,} baud", (str(error),)))

    # ---- the checks ----------------------------------------------------------------------------

    def _link(self) -> Check:
        stop(self.port)
        clear(self.port)
        line = self.line
        if line is None:
            return Check("link", Outcome.PASS, "this target has no line")
        if line.baud is None:
            result = try_line(line, seed=self.seed, quick=self.quick)
            done = f"{result.data_bytes:,} bytes; the line has no rate"
            faults = _line_faults(result)
        else:
            self.rates = try_rates(
                line,
                seed=self.seed,
                quick=self.quick,
                report=lambda what, share: self._report("link", what, share),
            )
            clean = [rate.baud for rate in self.rates if rate.is_clean]
            self.best = max(clean, default=None)
            present = next(rate for rate in self.rates if rate.baud == line.baud)
            faults = _line_faults(present)
            best = "no rate" if self.best is None else f"{self.best:,} baud is the best rate"
            done = f"{best} without errors; {len(clean)} of {len(self.rates)} rates had none"
            if self.best is not None and self.best != line.baud:
                line.set_baud(self.best)
        self.line_errors = LineErrors(line)
        self.line_errors.clear()
        return Check("link", Outcome.FAIL if faults else Outcome.PASS, done, faults)

    def _memory(self) -> Check:
        found: list[str] = []
        accesses, done = 0, 0
        tested = list(memories(self.port.params))
        total = sum(memory.size for memory in tested)
        for memory in tested:
            report = _part(
                lambda what, share: self._report("memory", what, share),
                f"testing {memory.region.name}",
                done / total,
                memory.size / total,
            )
            marched = march(self.port, memory, seed=self.seed, quick=self.quick, report=report)
            accesses += marched.accesses
            if len(marched.wrong):
                found += diagnose(self.port, memory, marched)
            done += memory.size
        clear(self.port)
        weights = tested[0].size
        summary = f"{weights:,} weights and {len(tested) - 1} other memories, {accesses:,} accesses"
        return Check("memory", Outcome.FAIL if found else Outcome.PASS, summary, tuple(found))

    def _network(self) -> Check:
        from synloom_sim.model_port import ModelPort

        network = random_network(self.port.params, self.seed, _QUICK_STEPS if self.quick else _STEPS)
        model = ModelPort(self.port.params)
        expected = play(model, network)
        self._report("network", "running a random network", 0.3)
        try:
            got = play(self.port, network)
        except SynloomError:
            raise
        except ValueError as error:
            raise DeviceError(f"the records of the run cannot be decoded: {error}") from error
        self.counted = expected.counters, got.counters
        self._report("network", "comparing with the model", 0.7)
        found = tuple(differences(network, expected, got, model, self.port))
        clear(self.port)
        ran = agreement(network, expected, got)
        summary = f"{ran.steps} steps, {ran.spikes:,} spikes, {ran.learned:,} weights learned"
        summary += ", all equal to the model's" if not found else ""
        return Check("network", Outcome.FAIL if found else Outcome.PASS, summary, found)

    def _counters(self) -> Check:
        faults: list[str] = []
        if self.counted is not None:
            expected, got = self.counted
            faults = [
                f"{name} is {got[name]:,}, expected {expected[name]:,}"
                for name in expected
                if not COUNTERS[name].timed and got[name] != expected[name]
            ]
            faults += [f"{name} is {got[name]:,}, not 0" for name in _MUST_BE_ZERO if got[name]]
        if self.line_errors is not None:
            line_faults = [f"{name} is {n:,}, not 0" for name, n in self.line_errors.read().items() if n]
            if line_faults and self._is_at_another_rate():
                self._give_up_rate()
            else:
                faults += line_faults
        summary = "no errors were counted" if not faults else "errors were counted"
        return Check("counters", Outcome.FAIL if faults else Outcome.PASS, summary, tuple(faults))


def _keep(port: LinkPort, tested: SelftestReport) -> None:
    """Keep the rate of the line for later connections, or none if the test has failed."""
    if tested.passed and tested.best_baud is not None and port.baud == tested.best_baud:
        keep_line_rate(port.name, tested.best_baud)
    else:
        forget_rate(port.name)


def _part(report: Progress, what: str, first: float, size: float) -> Callable[[float], None]:
    """Return a callback that reports the progress of one part."""
    return lambda share: report(what, first + size * share)


def _line_faults(result: RateResult) -> tuple[str, ...]:
    """Return the faults at the rate at which the array was connected."""
    where = f"at {result.baud:,} baud" if result.baud else "on the line"
    faults = [f"{n:,} {name} {where}" for name, n in result.errors.items() if n]
    return tuple([*faults, f"{where}: {result.note}"] if result.note else faults)


def _silent(what: str, share: float) -> None:
    """Ignore the progress."""
