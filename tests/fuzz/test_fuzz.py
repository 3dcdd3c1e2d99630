"""Mutated files, bytes and records of every kind: an error of Synloom or equal contents, in few resources.

`make fuzz` runs 10,000 cases of each and prints a table; `make test` runs the same 150 of each every time.
"""

import contextlib
import re
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from subjects import SUBJECTS

MOST_SECONDS = 10.0
MOST_MIB = 512
SLOW = ("bytes to a board", "bytes to the host")
FEW, MANY = 150, 10_000


@dataclass
class Tally:
    """What came of the cases of one kind."""

    kind: str
    refused: int = 0
    equal: int = 0
    other: int = 0
    slowest: float = 0.0
    largest: float = 0.0


def reset_peak():
    with contextlib.suppress(OSError):  # without it the peak is that of all cases so far
        Path("/proc/self/clear_refs").write_text("5")


def peak():
    """Return the largest memory of this process since `reset_peak`, MiB."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def fuzz(kind, count, folder, *, same_cases):
    """Run cases of one kind, and return what came of them."""
    subject, tally = SUBJECTS[kind](folder), Tally(kind)

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=same_cases,
        suppress_health_check=list(HealthCheck),
        # A failing case is made smaller only where that takes no time.
        phases=[phase for phase in Phase if phase is not Phase.shrink or kind not in SLOW],
    )
    @given(subject.cases)
    def run(case):
        subject.write(case)
        reset_peak()
        # Of the processor: what else a machine does is no matter of the case.
        started = time.process_time()
        came = subject.judge(case)
        seconds, mib = time.process_time() - started, peak()
        tally.slowest, tally.largest = max(tally.slowest, seconds), max(tally.largest, mib)
        assert seconds < MOST_SECONDS
        assert mib < MOST_MIB
        if isinstance(came, Exception):
            tally.refused += 1
            assert str(came).isprintable()
            assert len(str(came)) < 3000
        elif came == "equal":
            tally.equal += 1
        else:
            tally.other += 1

    run()
    return tally


@pytest.mark.parametrize("kind", SUBJECTS)
@pytest.mark.filterwarnings("ignore::synloom.SynloomWarning")
def test_what_is_mutated_is_refused_or_equal(kind, tmp_path, tallies):
    tallies.append(fuzz(kind, FEW, tmp_path, same_cases=True))


@pytest.mark.slow
@pytest.mark.parametrize("kind", SUBJECTS)
@pytest.mark.filterwarnings("ignore::synloom.SynloomWarning")
def test_ten_thousand_mutations_are_refused_or_equal(kind, tmp_path, tallies):
    tallies.append(fuzz(kind, MANY, tmp_path, same_cases=False))
