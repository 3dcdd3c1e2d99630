"""The self-test of a target: its link, all memories, a random network, the counters."""

from synloom.selftest.report import Check, Outcome, RateResult, SelftestReport
from synloom.selftest.suite import run_selftest

__all__ = ["Check", "Outcome", "RateResult", "SelftestReport", "run_selftest"]
