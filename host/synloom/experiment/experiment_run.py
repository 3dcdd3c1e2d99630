"""Running an experiment: compile, connect, load, run, collect the results."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from synloom.base.checks import IntArray
from synloom.base.progress import Progress
from synloom.contract.targets import ANY_ARRAY, kind_of
from synloom.device.device import Device
from synloom.device.recording import Recording, joined
from synloom.device.targets import connect, resolved
from synloom.device.weight_series import Weights
from synloom.experiment.document import Experiment
from synloom.experiment.network_builder import build_network, compile_experiment
from synloom.experiment.results import Results
from synloom.experiment.timeline import Change, changes_of, pieces, snapshot_steps
from synloom.image.image import Image
from synloom.network.network import Network

__all__ = ["run_experiment"]


def run_experiment(
    experiment: Experiment,
    target: str = "software",
    *,
    progress: Progress | None = None,
    compiled: Callable[[Image], None] | None = None,
    **options: Any,
) -> Results:
    """Run an experiment on a target.

    Parameters
    ----------
    experiment : Experiment
        What to run.
    target : str
        As in `synloom.connect`. An engine or a simulated board becomes the array that the experiment needs;
        for a board the network is compiled for the board's array.
    progress : callable, optional
        Called as ``progress(what, share)``.
    compiled : callable, optional
        Called with the image as soon as it is compiled.
    **options
        Options of `synloom.connect`.

    Returns
    -------
    Results
        Recordings, weights, counts and counters.

    Raises
    ------
    ExperimentError
        If the experiment is wrong.
    SynloomError
        If the target is not found, does not fit, or fails.
    """
    target = resolved(target)
    network = build_network(experiment)
    changes = changes_of(experiment)
    tell = progress or _silent
    with _connected(experiment, network, target, compiled or _ignore, progress, options) as device:
        return _Run(experiment, network, device, changes, tell).results(target)


def _silent(what: str, share: float) -> None:
    """Ignore the progress."""


def _ignore(image: Image) -> None:
    """Ignore the image."""


def _connected(
    experiment: Experiment,
    network: Network,
    target: str,
    compiled: Callable[[Image], None],
    progress: Progress | None,
    options: dict[str, Any],
) -> Device:
    """Return a device with the image loaded; without `progress` the target says itself what takes long."""
    if kind_of(target) in ANY_ARRAY:
        image = compile_experiment(experiment, network)
        compiled(image)
        return connect(target, image, progress=progress, **options)
    device = connect(target, progress=progress, **options)
    try:
        image = compile_experiment(experiment, network, device.params)
        compiled(image)
        device.load(image)
    except BaseException:
        device.close()
        raise
    return device


class _Run:
    """One run of an experiment on a device that holds its image."""

    def __init__(
        self,
        experiment: Experiment,
        network: Network,
        device: Device,
        changes: list[Change],
        tell: Progress,
    ):
        self.experiment = experiment
        self.network = network
        self.device = device
        self.changes = changes
        self.tell = tell
        self.wanted: dict[str, Any] = experiment.tables["record"]
        self.snapshots = snapshot_steps(experiment)

    def results(self, target: str) -> Results:
        """Run the experiment and return its results."""
        self._record()
        weights: dict[str, list[Any]] = {name: [] for name in self.snapshots}
        recordings = []
        cuts = pieces(self.experiment, self.changes, self.snapshots)
        started = time.monotonic()
        for begin, end in zip(cuts, [*cuts[1:], cuts[-1]], strict=True):
            self.tell(f"running on {target}", begin / cuts[-1])
            for change in self.changes:
                if change.step == begin:
                    change.apply(self.device)
            for name, steps in self.snapshots.items():
                if begin in steps:
                    weights[name].append(self.device.read_weights(name))
            if end > begin:
                recordings.append(self.device.run((end - begin) * self.experiment.dt))
        seconds = time.monotonic() - started
        dt, recording = self.experiment.dt, joined(recordings)
        return Results(
            experiment=self.experiment,
            target=target,
            network=self.network,
            image=self.device.image,
            recording=recording,
            weights={
                name: Weights(np.array(steps) * dt, np.stack(weights[name]))
                for name, steps in self.snapshots.items()
            },
            counts={name: self._counts(name, recording) for name in self.wanted["counts"]},
            counters=self.device.counters(),
            seconds=seconds,
        )

    def _counts(self, name: str, recording: Recording) -> IntArray:
        """Return the spike count of each neuron, (n,) int64: of its recorded spikes, else of its counter."""
        if name in recording.sizes:
            return recording.counts(name)  # never saturates
        return self.device.spike_counts(name, clear=False)

    def _record(self) -> None:
        device, wanted = self.device, self.wanted
        if wanted["spikes"] is not None:
            device.record_nothing()
            for name in wanted["spikes"]:
                device.record(name)
        for state in wanted["state"]:
            device.record(state["of"], state["variable"], state["indices"], every=wanted["every"])
