"""Search for good learning parameters of stdp_balance.toml with Optuna's ask and tell.

    pip install optuna
    python docs/examples/search.py

Each round asks for as many trials as there are cores, runs them as one sweep and tells the results. The
folder keeps them: a second search finds again what it has in common with the first.
"""

from __future__ import annotations

import sys
from pathlib import Path

import optuna

import synloom as sl
from synloom.base.workers import available_cores
from synloom.experiment import Results

EXPERIMENT = Path(__file__).with_name("stdp_balance.toml")
TARGET_RATE = 20.0
"""What the postsynaptic neuron shall fire at, Hz."""


def distance(results: Results) -> float:
    """Return how far the mean rate of the last population is from the target, Hz."""
    name = list(results.recording.sizes)[-1]
    return float(abs(results.recording.rates(name).mean() - TARGET_RATE))


def search(rounds: int, duration: float, out: Path) -> optuna.Study:
    """Return the study after some rounds of trials, each of them `duration` ms long."""
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1))
    for _ in range(rounds):
        trials = [study.ask() for _ in range(available_cores())]
        settings = [
            {
                "run.duration": duration,
                "projections.feed.plasticity.A_plus": trial.suggest_float("A_plus", 1e-3, 0.05, log=True),
                "projections.feed.plasticity.A_minus": trial.suggest_float("A_minus", 1e-3, 0.05, log=True),
            }
            for trial in trials
        ]
        done = sl.sweep(EXPERIMENT, settings=settings, metric=distance, out=out)
        for trial, value in zip(trials, done.values("distance").tolist(), strict=True):
            # NaN is a task that failed; Optuna calls that a failed trial.
            study.tell(trial, value, state=None if value == value else optuna.trial.TrialState.FAIL)
    return study


if __name__ == "__main__":
    rounds, duration = (int(sys.argv[1]), float(sys.argv[2])) if len(sys.argv) > 2 else (10, 20_000.0)
    found = search(rounds, duration, Path("results/search"))
    print(f"best of {len(found.trials)}: {found.best_params}, {found.best_value:.3g} Hz from the target")
