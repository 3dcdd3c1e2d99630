"""Players: they do again what the entries of a log say."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synloom.base.archive import Archive
from synloom.base.checks import switch, whole
from synloom.base.errors import ParameterError
from synloom.base.wording import one_line
from synloom.contract.array_port import Port
from synloom.contract.frames import RunFlag
from synloom.contract.memory_map import layout_of
from synloom.contract.regions import Region
from synloom.contract.registers import Mode
from synloom.device.difference import Results
from synloom.device.events import ids_of, steps_of
from synloom.device.log import MOST_VALUES, spikes_of
from synloom.device.log_file import Entry
from synloom.device.memories import read_weights
from synloom.device.recorders import Recorders
from synloom.device.session import Session
from synloom.image.image import Image
from synloom.image.places import RULE_FIELDS
from synloom.image.snapshot import Snapshot
from synloom.image.snapshot_validity import check_events, check_recorders

__all__ = ["Logged", "Player"]

_NO_LIMIT: Final = 1 << 62
_NOTHING: Final[dict[str, npt.NDArray[Any]]] = {}


class Player:
    """Does again on one array what a log says.

    Parameters
    ----------
    port : Port
        The array.

    Attributes
    ----------
    recorders : Recorders
        The recorders that are set.
    """

    def __init__(self, port: Port):
        self._session = Session(port)
        self.recorders = Recorders()
        self._image: Image | None = None
        self._snapshot: Snapshot | None = None
        self._kinds: dict[str, Callable[[Entry], Results | None]] = {
            "load": self._load,
            "restore": self._restore,
            "reset": self._reset,
            "events": self._events,
            "settings": self._settings,
            "rates": self._rates,
            "rates back": self._rates_back,
            "mode": self._mode,
            "reward": self._reward,
            "neurons": self._neurons,
            "segments": self._segments,
            "weights": self._weights,
            "recorders": self._recorders,
            "run": self._run,
            "counts": self._counts,
            "clear counts": self._clear_counts,
            "learned": self._learned,
            "error": lambda entry: None,
            "end": lambda entry: None,
        }

    @property
    def now(self) -> int:
        """The next step."""
        return self._session.now

    @property
    def image(self) -> Image:
        """The loaded image; DeviceError if there is none."""
        return self._session.image

    def play(self, entry: Entry) -> Results:
        """Do what an entry says; return what came of it, as `Logged.results` does of the log.

        Raises
        ------
        ParameterError
            If the entry is not right.
        SynloomError
            If the array does not do it.
        """
        if entry.kind not in self._kinds:
            raise ParameterError("no such kind of entry is known")
        return self._kinds[entry.kind](entry) or _NOTHING

    # ---- the whole array -----------------------------------------------------------------------

    def _load(self, entry: Entry) -> None:
        image = self._image
        if "file" in entry.arrays:
            try:
                with Archive(_array(entry, "file", "uint8").tobytes()) as archive:
                    image = Image.from_arrays(archive, "in the log")
            except OSError as error:
                raise ParameterError(f"its image cannot be read: {error}") from error
        if image is None or image.digest() != entry.values.get("digest"):
            raise ParameterError("the log does not have its image")
        self._session.load(image)
        self._image = image
        self.recorders = Recorders(list(image.populations))

    def _restore(self, entry: Entry) -> None:
        snapshot = self._snapshot
        if "file" in entry.arrays:
            snapshot = Snapshot.from_bytes(_array(entry, "file", "uint8").tobytes(), "in the log")
        if snapshot is None or snapshot.digest() != entry.values.get("digest"):
            raise ParameterError("the log does not have its snapshot")
        recorders = Recorders.restored(snapshot.image, snapshot)
        wait = snapshot.registers["probe_wait"]
        # Changes that wait have entries of their own, at their steps.
        state = dataclasses.replace(snapshot, changes=())
        self._session.restore(state, lambda: recorders.write(self._session.port, wait))
        self.recorders, self._snapshot, self._image = recorders, snapshot, snapshot.image

    def _reset(self, entry: Entry) -> None:
        self._session.reset(switch("keep_theta", entry.values.get("keep_theta")))

    # ---- inputs and settings -------------------------------------------------------------------

    def _events(self, entry: Entry) -> None:
        events = np.sort(_array(entry, "events", "int64"))
        self._check(np.unique(events))
        self._session.send(self._session.queue.joined(events))

    def _settings(self, entry: Entry) -> None:
        events = _array(entry, "events", "int64")
        self._check(np.unique(events))
        steps = steps_of(events)
        if len(steps):
            self._session.schedule(int(steps[0]), ids_of(events).tolist())

    def _check(self, events: npt.NDArray[np.int64]) -> None:
        check_events(self.image, self.now, np.stack([steps_of(events), ids_of(events)], axis=1))

    def _rates(self, entry: Entry) -> None:
        words, info = _array(entry, "words", "uint16"), self._input(entry)
        if len(words) != info.n:
            raise ParameterError(f"there must be {info.n} rates, not {len(words)}")
        if switch("stay", entry.values.get("stay")):
            self._session.set_rates(info, words)
        else:
            self._session.show_rates(info, words)

    def _rates_back(self, entry: Entry) -> None:
        info = self._input(entry)
        self._session.rates.restore(info.source, info.n)

    def _input(self, entry: Entry) -> Any:
        first = entry.values.get("first")
        found = [info for info in self.image.inputs.values() if info.source == first]
        if not found:
            raise ParameterError(f"no inputs begin at {one_line(repr(first), 40)}")
        return found[0]

    def _mode(self, entry: Entry) -> None:
        bit = Mode(whole("bit", entry.values.get("bit"), 0, len(Mode) - 1))
        self._session.set_mode(bit, switch("on", entry.values.get("on")))

    def _reward(self, entry: Entry) -> None:
        self._session.set_reward(whole("word", entry.values.get("word"), 0, 0xFFFF))

    def _neurons(self, entry: Entry) -> None:
        info = self.image.population(entry.values.get("label"))
        layout = layout_of(self.image.params, Region.NEURON_PARAMS)
        for name, values in entry.arrays.items():
            if name not in layout or values.dtype != np.int64 or values.shape != (info.n,):
                raise ParameterError(f"{one_line(repr(name), 60)} is no parameter of {info.n} neurons")
        self._session.write_neurons(info, entry.arrays)

    def _segments(self, entry: Entry) -> None:
        segments = _array(entry, "segments", "int64")
        fields = {name: _array(entry, name, "int64") for name in RULE_FIELDS}
        plastic = np.flatnonzero(self._session.segment_fields()["plastic"])
        if set(entry.arrays) != {"segments", *fields} or not np.isin(segments, plastic).all():
            raise ParameterError("it changes segments that do not learn")
        layout = layout_of(self.image.params, Region.PROGRAM)
        for name, values in fields.items():
            if values.shape != segments.shape or ((values < 0) | (values > layout[name].high)).any():
                raise ParameterError(f"{name} must be {len(segments)} numbers of 0..{layout[name].high}")
        self._session.write_segments(segments, fields)

    def _weights(self, entry: Entry) -> None:
        image = self.image
        info = image.projection(entry.values.get("label"))
        raw = _array(entry, "raw", "int8")
        pre = image.populations.get(info.pre) or image.inputs[info.pre]
        shape, top = (pre.n, image.populations[info.post].n), image.params.weight_max
        if raw.shape != shape or (raw.size and not -top - 1 <= raw.min() <= raw.max() <= top):
            raise ParameterError(f"weights must have shape {shape} and be in {-top - 1}..{top}")
        self._session.write_weights(info, raw)

    def _recorders(self, entry: Entry) -> None:
        spikes, probes = entry.values.get("spikes"), entry.values.get("probes")
        every = whole("every", entry.values.get("every"), 1, 0xFFFF)
        checked = check_recorders(self.image, spikes, probes)
        recorders = Recorders.of(self.image, *checked, every)
        recorders.write(self._session.port)
        self.recorders = recorders

    # ---- results -------------------------------------------------------------------------------

    def _run(self, entry: Entry) -> Results:
        session = self._session
        first = whole("first", entry.values.get("first"), 0, 0xFFFFFFFF)
        if first != session.now:
            raise ParameterError(f"a run must begin at step {session.now}, not {first}")
        steps = whole("steps", entry.values.get("steps"), 0, 0xFFFFFFFF)
        # The log says when shown rates end.
        decoder = session.execute(steps, RunFlag(0), shown=True)
        when, values = decoder.samples()
        return {"spikes": spikes_of(decoder), "when": when, "values": values}

    def _counts(self, entry: Entry) -> Results:
        first, n = self._range(entry, len(_array(entry, "counts", "int64")))
        return {"first": np.array([first]), "counts": self._session.counts(first, n, clear=False)}

    def _clear_counts(self, entry: Entry) -> None:
        first, n = self._range(entry, entry.values.get("n"))
        self._session.counts(first, n, clear=True)

    def _range(self, entry: Entry, n: Any) -> tuple[int, int]:
        most = self.image.params.neurons
        first = whole("first", entry.values.get("first"), 0, most)
        return first, whole("n", n, 0, most - first)

    def _learned(self, entry: Entry) -> Results:
        return {"weights": read_weights(self._session.port, self.image)}


class Logged:
    """What a log says came of its entries."""

    def __init__(self) -> None:
        self._weights: npt.NDArray[np.int8] | None = None

    def results(self, entry: Entry, image: Image | None) -> Results:
        """Return what came of an entry; nothing of one that only changes something.

        Raises
        ------
        ParameterError
            If it is not what an array gives.
        """
        if entry.kind == "run":
            return _recorded(entry)
        if entry.kind == "counts":
            first = np.array([whole("first", entry.values.get("first"), 0, 0xFFFF)])
            return {"first": first, "counts": _array(entry, "counts", "int64")}
        if entry.kind != "learned" or image is None:
            return _NOTHING
        change = _array(entry, "weights", "int8")
        if change.shape != image.weights.shape:
            raise ParameterError(f"weights must have shape {image.weights.shape}, not {change.shape}")
        if not switch("from_zero", entry.values.get("from_zero")):
            if self._weights is None or self._weights.shape != change.shape:
                raise ParameterError("its weights are a change, but none were there before")
            change = self._weights + change
        self._weights = change
        return {"weights": change}


def _recorded(entry: Entry) -> Results:
    results = {"spikes": _array(entry, "spikes", "int64"), "when": _array(entry, "when", "int64")}
    values = entry.arrays.get("values")
    if values is None or values.dtype != np.uint32 or values.ndim != 2 or len(values) != len(results["when"]):
        raise ParameterError("it has no values for its samples")
    limits = [
        _limit(entry, "spikes", len(results["spikes"]), MOST_VALUES),
        _limit(entry, "samples", len(values), MOST_VALUES // max(1, values.shape[1])),
    ]
    return {**results, "values": values, "limits": np.array(limits)}


def _limit(entry: Entry, what: str, kept: int, most: int) -> int:
    """Return how many of what a run gave can be compared: as many as the log has, if it does not have all."""
    total = whole(what, entry.values.get(what), 0, _NO_LIMIT)
    if kept != min(total, max(most, 1)):
        raise ParameterError(f"it must have {min(total, most)} {what}, not {kept}")
    return kept if kept < total else _NO_LIMIT


def _array(entry: Entry, name: str, dtype: str) -> npt.NDArray[Any]:
    array = entry.arrays.get(name)
    dimensions = 2 if name in ("raw", "weights") else 1
    if array is None or array.dtype != np.dtype(dtype) or array.ndim != dimensions:
        raise ParameterError(f"it has no {name} of {dtype}")
    return array
