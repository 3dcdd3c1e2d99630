"""The report of a self-test, as data and as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from synloom.contract.params import ArrayParams

__all__ = ["Check", "Outcome", "RateResult", "SelftestReport"]

_BRIEF: Final = {
    "array_crc_errors": "crc (array)",
    "host_crc_errors": "crc (host)",
    "overflows": "overflows",
    "framing_errors": "framing",
    "resends": "resends",
    "retries": "retries",
}


class Outcome(StrEnum):
    """The outcome of a check."""

    PASS = "pass"
    FAIL = "FAIL"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Check:
    """One part of the self-test.

    Attributes
    ----------
    name : str
        ``"link"``, ``"memory"``, ``"network"`` or ``"counters"``.
    outcome : Outcome
        Whether it passed.
    summary : str
        The result in one line.
    faults : tuple of str
        The faults, one line each.
    seconds : float
        Duration.
    """

    name: str
    outcome: Outcome
    summary: str
    faults: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RateResult:
    """The result of one line rate.

    Attributes
    ----------
    baud : int
        Bits per second at the host's end.
    array_baud : float
        The rate of the array: its clock divided by a whole number.
    errors : mapping of str to int
        Errors counted at either end, by name: wrong frames and characters, resends, retries.
    note : str
        Why the rate could not be used, or failed; empty if it was tested completely.
    data_bytes : int
        Bytes of data transferred.
    seconds : float
        Duration of the transfer, in the board's own time if it is simulated.
    """

    baud: int
    array_baud: float
    errors: Mapping[str, int]
    note: str = ""
    data_bytes: int = 0
    seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        """Whether the rate was tested completely, without any error."""
        return not self.note and not any(self.errors.values())

    @property
    def throughput(self) -> float:
        """Data bytes per second, in both directions together."""
        return self.data_bytes / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True, slots=True)
class SelftestReport:
    """The report of a self-test; `print` shows it as a table.

    Attributes
    ----------
    target : str
        Name of the target.
    params : ArrayParams
        The array.
    checks : tuple of Check
        The checks, in order.
    rates : tuple of RateResult
        Results of the line rates; empty if there is no line.
    baud, best_baud : int or None
        Line rate at the end, and the best rate without errors; None if there is none.
    quick : bool
        Whether this was the short test.
    seed : int
        Seed of all random patterns.
    """

    target: str
    params: ArrayParams
    checks: tuple[Check, ...]
    rates: tuple[RateResult, ...]
    baud: int | None
    best_baud: int | None
    quick: bool
    seed: int

    @property
    def passed(self) -> bool:
        """Whether all checks passed."""
        return all(check.outcome is Outcome.PASS for check in self.checks)

    @property
    def faults(self) -> tuple[str, ...]:
        """All faults, one line each."""
        return tuple(fault for check in self.checks for fault in check.faults)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain numbers, strings, lists and dictionaries."""
        return {
            "target": self.target,
            "passed": self.passed,
            "digest": self.params.digest(),
            "parameters": self.params.to_dict(),
            "quick": self.quick,
            "seed": self.seed,
            "baud": self.baud,
            "best_baud": self.best_baud,
            "checks": [{**asdict(check), "faults": list(check.faults)} for check in self.checks],
            "rates": [
                {**asdict(rate), "clean": rate.is_clean, "throughput": rate.throughput} for rate in self.rates
            ],
        }

    def __str__(self) -> str:
        return "\n".join([*self._rate_lines(), *self._check_lines()])

    def _rate_lines(self) -> list[str]:
        if not self.rates:
            return []
        rows = [("baud", "deviation", "kB/s", "errors")]
        for rate in self.rates:
            errors = ", ".join(f"{n} {_BRIEF.get(name, name)}" for name, n in rate.errors.items() if n)
            rows.append(
                (
                    f"{rate.baud:,}",
                    f"{rate.array_baud / rate.baud - 1.0:+.2%}",
                    f"{rate.throughput / 1000:.1f}" if rate.data_bytes else "-",
                    "; ".join(filter(None, (errors, rate.note))) or "none",
                )
            )
        widths = [max(len(row[k]) for row in rows) for k in range(3)]
        return [
            "  ".join([*(row[k].rjust(widths[k]) for k in range(3)), row[3]]).rstrip() for row in rows
        ] + [""]

    def _check_lines(self) -> list[str]:
        width = max(len(check.name) for check in self.checks)
        lines = []
        for check in self.checks:
            lines.append(
                f"{check.outcome.value:<8}{check.name:<{width}}  {check.seconds:6.1f} s  {check.summary}"
            )
            lines += [f"{'':<8}{'':<{width}}            - {fault}" for fault in check.faults]
        return lines
