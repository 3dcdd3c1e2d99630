"""Reading a folder of results back, whatever happened to its files: digests first, then every value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synloom.base.archive import Archive
from synloom.base.checks import HUGE, FloatArray, IntArray, real, whole
from synloom.base.errors import ExperimentError, SynloomError
from synloom.base.plain_data import MOST_JSON, digest_of, parse_json, read_bounded
from synloom.base.wording import one_line
from synloom.contract.registers import COUNTERS, WIDE_COUNTER_BITS
from synloom.device.counters import HOST_COUNTERS, Counters
from synloom.device.recording import Recording, Series
from synloom.device.weight_series import Weights
from synloom.experiment.document import Experiment, read_experiment
from synloom.experiment.network_builder import build_network
from synloom.experiment.results import Results
from synloom.experiment.settings import with_settings
from synloom.experiment.timeline import snapshot_steps
from synloom.image.image import Image
from synloom.network.network import Network

__all__ = ["ARRAYS", "DIGESTS", "IMAGE", "SUMMARY", "digests_text", "read_folder"]

ARRAYS: Final = "results.npz"
IMAGE: Final = "image.synloom"
SUMMARY: Final = "summary.json"
DIGESTS: Final = "digests.json"
_FORMAT: Final = "synloom results 1"
_MOST_COUNT: Final = (1 << WIDE_COUNTER_BITS) - 1


def digests_text(folder: Path) -> str:
    """Return the contents of ``digests.json``: the SHA-256 digest of every file of a folder of results."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    digests = {str(path.relative_to(folder)): digest_of(path) for path in files}
    return json.dumps({"format": _FORMAT, "files": digests}, indent=2) + "\n"


def read_folder(folder: Path, most_bytes: int) -> Results:
    """Return the results of a folder that `write_folder` wrote.

    Raises
    ------
    ExperimentError
        If it is not such a folder, or if a file of it is missing, was changed or is damaged; the message
        names the file.
    """
    try:
        return _Reader(folder, most_bytes).results()
    except (OSError, SynloomError, RecursionError) as error:
        why = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        raise ExperimentError(
            f"{one_line(str(folder), 200)} holds no intact results: {one_line(why)}; run the experiment again"
        ) from error


class _Reader:
    """Reads one folder; errors are OSError or SynloomError."""

    def __init__(self, folder: Path, most_bytes: int):
        self.folder = folder
        self.most_bytes = most_bytes
        listed = _table(DIGESTS, parse_json(read_bounded(folder / DIGESTS, MOST_JSON)))
        if listed.get("format") != _FORMAT:
            raise ExperimentError(f"{DIGESTS} has the format {listed.get('format')!r}, not {_FORMAT!r}")
        self.digests = _table(DIGESTS, listed.get("files"))
        self.summary = _table(SUMMARY, parse_json(self._content(SUMMARY)))

    def results(self) -> Results:
        """Return the results."""
        experiment = self._experiment()
        network = build_network(experiment)
        image = Image.load(self._checked(IMAGE))
        _check_fits(network, image)
        with Archive(self._checked(ARRAYS)) as archive:
            size = sum(member.size for member in archive.members.values())
            if size > self.most_bytes:
                raise ExperimentError(
                    f"{ARRAYS} has {size:,} bytes of arrays, and {self.most_bytes:,} are allowed; give a "
                    f"larger most_bytes"
                )
            arrays = _Arrays({name: archive.read(name, size) for name in archive.members}, experiment, image)
        results = Results(
            experiment=experiment,
            target=_text("target", self.summary.get("target")),
            network=network,
            image=image,
            recording=arrays.recording(),
            weights=arrays.weights(),
            counts=arrays.counts(),
            counters=_counters(self.summary.get("counters")),
            seconds=real("seconds", self.summary.get("seconds"), low=0.0),
        )
        arrays.check_all_used()
        stated = {**self.summary, "cost": None}
        if json.loads(json.dumps(results.summary(cost=False))) != stated:
            raise ExperimentError(f"{SUMMARY} and the other files disagree")
        return results

    def _experiment(self) -> Experiment:
        name = _text("experiment", self.summary.get("experiment"))
        if name in (".", "..") or "/" in name:
            raise ExperimentError(
                f"{SUMMARY} names the experiment {one_line(name, 60)!r}, which is no file's name"
            )
        experiment = read_experiment(self._checked(f"experiment/{name}"))
        for file in experiment.data_files():
            self._checked(f"experiment/{file}")
        if settings := _table("settings", self.summary.get("settings")):
            experiment = with_settings(experiment, settings)
        duration = real("duration", self.summary.get("duration"), low=0.0)
        return experiment.changed(duration=duration, seed=self.summary.get("seed"))

    def _checked(self, name: str) -> Path:
        """Return the path of a file, after a look at its digest."""
        if digest_of(self.folder / name) != self.digests.get(name):
            raise ExperimentError(f"{one_line(name, 60)} was changed, or is damaged: its digest is wrong")
        return self.folder / name

    def _content(self, name: str) -> bytes:
        content = read_bounded(self.folder / name, MOST_JSON)
        if hashlib.sha256(content).hexdigest() != self.digests.get(name):
            raise ExperimentError(f"{name} was changed, or is damaged: its digest is wrong")
        return content


def _table(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ExperimentError(f"{name} must hold a table, not {one_line(repr(value), 60)}")
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ExperimentError(f"{SUMMARY}: {name} must be text, not {one_line(repr(value), 60)}")
    return value


def _check_fits(network: Network, image: Image) -> None:
    """Check that an image is one of a network: equal names, sizes, seed and time step."""
    theirs = [(p.label, p.n) for p in image.populations.values()]
    theirs += [(p.label, p.n) for p in image.inputs.values()]
    mine = [(str(p.label), p.n) for p in network.populations]
    mine += [(str(p.label), p.n) for p in network.inputs]
    joined = [(p.label, p.pre, p.post) for p in image.projections.values()]
    joins = [(p.label, p.pre.label, p.post.label) for p in network.projections]
    if (mine, joins, network.dt, network.seed) != (theirs, joined, image.dt, image.seed):
        raise ExperimentError(f"{IMAGE} is of another network than the experiment's file")


def _counters(values: Any) -> Counters:
    table = _table("counters", values)
    counts = {name: whole(f"counters.{one_line(name, 40)}", v, 0, _MOST_COUNT) for name, v in table.items()}
    if not COUNTERS.keys() <= counts.keys() <= COUNTERS.keys() | HOST_COUNTERS.keys():
        raise ExperimentError(f"{SUMMARY}: counters must be those of an array")
    return Counters(counts)


class _Arrays:
    """The arrays of ``results.npz``, turned into what they were made from."""

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]], experiment: Experiment, image: Image):
        self.arrays = arrays
        self.experiment = experiment
        self.image = image
        self.used = set[str]()
        for name in ("dt", "duration"):
            if self._take(name, np.float64, ()) != getattr(experiment, name):
                raise ExperimentError(f"{ARRAYS}: {name} is not that of the experiment")

    def recording(self) -> Recording:
        """Return the spikes and the samples."""
        wanted = self.experiment.tables["record"]["spikes"]
        labels = list(self.image.populations if wanted is None else dict.fromkeys(wanted))
        # In this order recordings have them.
        labels.sort(key=lambda label: label in self.image.inputs)
        spikes = {label: self._spikes(label) for label in labels}
        states = self.experiment.tables["record"]["state"]
        series = dict.fromkeys((state["of"], state["variable"]) for state in states)
        return Recording(
            first=0,
            steps=self.experiment.steps,
            dt=self.experiment.dt,
            sizes={label: self._size(label) for label in labels},
            spike_steps={label: steps for label, (steps, _) in spikes.items()},
            spike_indices={label: neurons for label, (_, neurons) in spikes.items()},
            series={key: self._series(*key) for key in series},
            works=None,
        )

    def weights(self) -> dict[str, Weights]:
        """Return the snapshots of weights."""
        made = {}
        for label, steps in snapshot_steps(self.experiment).items():
            info = self.image.projections[label]
            pre = self.image.populations.get(info.pre) or self.image.inputs[info.pre]
            shape = len(steps), pre.n, self.image.populations[info.post].n
            values = self._take(f"{label}.weights", np.float64, shape)
            times = self._take(f"{label}.weights_times", np.float64, (len(steps),))
            pairs = self.image.synapses[info.first : info.first + info.count]
            absent = np.ones(shape[1:], dtype=bool)
            absent[pairs[:, 0], pairs[:, 2]] = False
            if not (times == np.array(steps) * self.experiment.dt).all():
                raise ExperimentError(f"{ARRAYS}: {label}.weights_times must be those of the snapshots")
            if (np.isnan(values) != absent).any() or (np.abs(values) > HUGE).any():
                raise ExperimentError(
                    f"{ARRAYS}: {label}.weights must be NaN without a synapse, and at most {HUGE:g} in "
                    f"magnitude elsewhere"
                )
            made[label] = Weights(times, values)
        return made

    def counts(self) -> dict[str, IntArray]:
        """Return the counts of spikes."""
        made = {}
        for label in self.experiment.tables["record"]["counts"]:
            made[label] = self._take(f"{label}.counts", np.int64, (self.image.populations[label].n,))
            if made[label].min() < 0:
                raise ExperimentError(f"{ARRAYS}: {label}.counts must be at least 0, not {made[label].min()}")
        return made

    def check_all_used(self) -> None:
        """Raise an error if there are other arrays."""
        if others := sorted(set(self.arrays) - self.used):
            raise ExperimentError(f"{ARRAYS}: {one_line(others[0], 60)!r} is no array of this experiment")

    def _take(self, name: str, dtype: Any, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        """Return an array of a dtype and shape; -1 stands for any length."""
        if name not in self.arrays:
            raise ExperimentError(f"{ARRAYS} has no array {name!r}")
        array = self.arrays[name]
        fits = len(array.shape) == len(shape) and all(
            wanted in (-1, size) for wanted, size in zip(shape, array.shape, strict=True)
        )
        if array.dtype != np.dtype(dtype) or not fits:
            raise ExperimentError(
                f"{ARRAYS}: {name} must be {np.dtype(dtype)} of the shape {shape}, not {array.dtype} of "
                f"{array.shape}"
            )
        self.used.add(name)
        return array

    def _steps(self, name: str, times: FloatArray, shift: int) -> IntArray:
        """Return the steps of times, which are whole multiples of the time step within the run."""
        steps = np.rint(times / self.experiment.dt) - shift
        inside = (steps >= 0) & (steps < self.experiment.steps)  # false for NaN
        if not inside.all() or not ((steps + shift) * self.experiment.dt == times).all():
            raise ExperimentError(f"{ARRAYS}: {name} must be times of steps within the run")
        return steps.astype(np.int64)

    def _size(self, label: str) -> int:
        return (self.image.populations.get(label) or self.image.inputs[label]).n

    def _spikes(self, label: str) -> tuple[IntArray, IntArray]:
        times = self._take(f"{label}.spike_times", np.float64, (-1,))
        neurons = self._take(f"{label}.spike_neurons", np.int64, times.shape)
        steps = self._steps(f"{label}.spike_times", times, 0)
        n = self._size(label)
        order = steps * n + neurons
        if ((neurons < 0) | (neurons >= n)).any() or (np.diff(order) <= 0).any():
            raise ExperimentError(
                f"{ARRAYS}: {label}.spike_neurons must be in 0..{n - 1}, sorted, each once a step"
            )
        return steps, neurons

    def _series(self, label: str, variable: str) -> Series:
        info = self.image.populations.get(label) or self.image.inputs[label]
        name = f"{label}.{variable}"
        times = self._take(f"{name}_times", np.float64, (-1,))
        indices = self._take(f"{name}_indices", np.int64, (-1,))
        values = self._take(name, np.float64, (len(times), len(indices)))
        steps = self._steps(f"{name}_times", times, 1)
        if ((indices < 0) | (indices >= info.n)).any() or (np.diff(steps) <= 0).any():
            raise ExperimentError(f"{ARRAYS}: {name} has indices or times that do not fit")
        if not (np.abs(values) <= HUGE).all():  # false for NaN
            raise ExperimentError(f"{ARRAYS}: {name} must be finite, at most {HUGE:g} in magnitude")
        return Series(steps, indices, values)
