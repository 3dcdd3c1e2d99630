"""Experiments as files: a network, its stimulus and what to record, in TOML (docs/experiments.md)."""

from synloom.experiment.document import Experiment, read_experiment
from synloom.experiment.experiment_run import run_experiment
from synloom.experiment.folder import check_folder, write_folder
from synloom.experiment.results import Results

__all__ = ["Experiment", "Results", "check_folder", "read_experiment", "run_experiment", "write_folder"]
