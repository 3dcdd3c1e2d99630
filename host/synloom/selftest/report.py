"""What a self-test found, as data and as text."""

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
    """How a check ended."""

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
        How it ended.
    summary : str
        What was found, in one line.
    faults : tuple of str
        What is wrong, one line each.
    seconds : float
        How long it took.
    """

    name: str
    outcome: Outcome
    summary: str
    faults: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RateResult:
    """One line rate that was tried.

    Attributes
    ----------
    baud : int
        Bits per second at the host's end.
    array_baud : float
        The array's own rate: its clock through a whole number.
    errors : mapping of str to int
        Wrong frames and characters, resends and repetitions at either end.
    note : str
        Why the rate was not used, or lost; empty if it was used to the end.
    data_bytes : int
        Bytes of data that went over the line and arrived.
    seconds : float
        Time that took; the board's own for a simulated one.
    """

    baud: int
    array_baud: float
    errors: Mapping[str, int]
    note: str = ""
    data_bytes: int = 0
    seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        """Whether the rate was used without a single error."""
        return not self.note and not any(self.errors.values())

    @property
    def throughput(self) -> float:
        """Data bytes per second, in both directions together."""
        return self.data_bytes / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True, slots=True)
class SelftestReport:
    """Everything that a self-test found; `print` it.

    Attributes
    ----------
    target : str
        What was tested.
    params : ArrayParams
        The array.
    checks : tuple of Check
        In order.
    rates : tuple of RateResult
        Line rates that were tried; empty if there is no line.
    baud, best_baud : int or None
        Line rate at the end, and the best without an error; None if there is no line (or no such rate).
    quick : bool
        Whether it was the short test.
    seed : int
        Of all random patterns.
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
        """All that is wrong, one line each."""
        return tuple(fault for check in self.checks for fault in check.faults)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, texts, lists and dictionaries."""
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
        rows = [("baud", "array's own", "kB/s", "errors")]
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
