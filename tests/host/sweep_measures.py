"""Metrics and functions for the tests of sweeps, which other processes import."""

import math
import os
import signal
from pathlib import Path


def rate_of_left(results):
    return results.recording.counts("left").sum() / 5.0


def two(results):
    return {"spikes": float(results.counters["spikes"]), "odd/name": math.nan}


def not_a_number(results):
    return "many"


def bad_for_seed_2(results):
    if results.experiment.seed == 2 and Path("broken").exists():
        raise ValueError("seed 2 is unlucky")
    return 1.0


def kills_for_seed_1(results):
    if results.experiment.seed == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return 1.0


def endless(results):
    return math.inf


def named(name, results):
    return {name: 1.0}


def times(factor, results):
    return factor * results.recording.counts("left").sum()


class Times:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, results):
        return times(self.factor, results)

    def measured(self, results):
        return times(self.factor, results)
