"""What came of a case: right, noticed, or one of those that must not be."""

from __future__ import annotations

import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from synloom.base.errors import SynloomError
from synloom_sim.soak.watchdog import Hang, Watchdog

__all__ = ["CASE_S", "Tally", "Tell", "Verdict", "judge"]

CASE_S: Final = 60.0
"""Seconds after which a case counts as hung, where it has no limit of its own."""

_MOST_PRINTED: Final = 20
"""Bad cases of a part that are printed."""

Tell = Callable[[str, int, int], None]
"""Called as ``tell(part, done, all)``."""


class Verdict(StrEnum):
    """What came of a case."""

    RIGHT = "right"
    NOTICED = "noticed"
    """An error of Synloom."""
    WRONG = "wrong"
    """Other results than the model's, and no word about it."""
    CRASHED = "crashed"
    """An exception that is no error of Synloom."""
    HUNG = "hung"


_BAD: Final = (Verdict.WRONG, Verdict.CRASHED, Verdict.HUNG)


@dataclass
class Tally:
    """The verdicts of one part.

    Attributes
    ----------
    part : str
        What was tried.
    unit : str
        What `amount` counts.
    amount : int
        How much was tried.
    verdicts : Counter of Verdict
        How many cases had which end.
    figures : dict of str to float
        What else was measured.
    seconds : float
        How long it took.
    """

    part: str
    unit: str
    amount: int = 0
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    figures: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether nothing was wrong, crashed or hung, and something was tried."""
        return bool(self.verdicts) and not any(self.verdicts[bad] for bad in _BAD)

    def row(self) -> dict[str, Any]:
        """Return the tally as plain data."""
        cases = {str(verdict): self.verdicts[verdict] for verdict in Verdict}
        return {
            "part": self.part,
            "amount": self.amount,
            "unit": self.unit,
            **cases,
            "seconds": round(self.seconds, 1),
            "passed": self.passed,
            "figures": self.figures,
        }


def judge(tally: Tally, what: str, work: Callable[[], bool], seconds: float = CASE_S) -> Verdict:
    """Do the work of one case, in limited time; return what came of it, and count it.

    Parameters
    ----------
    tally : Tally
        Counts the verdict and the time.
    what : str
        The case, so that it can be repeated: printed if it is bad.
    work : callable
        Returns whether all results were right.
    seconds : float
        Limit of its time.
    """
    started = time.monotonic()
    try:
        with Watchdog(seconds, what):
            verdict = Verdict.RIGHT if work() else Verdict.WRONG
    except SynloomError:
        verdict = Verdict.NOTICED
    except Hang:
        verdict = Verdict.HUNG
    except Exception:
        traceback.print_exc()
        verdict = Verdict.CRASHED
    tally.seconds += time.monotonic() - started
    tally.verdicts[verdict] += 1
    if verdict in _BAD and sum(tally.verdicts[bad] for bad in _BAD) <= _MOST_PRINTED:
        print(f"{verdict}: {tally.part}: {what}", file=sys.stderr, flush=True)
    return verdict
