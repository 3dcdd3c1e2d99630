"""What is fuzzed: files and lines that are right, how a case changes them, and what may come of it."""

import io
import json

import numpy as np
from edits import EDITS, NUMBERS, edited
from experiment_files import RIGHT
from hypothesis import strategies as st
from line_subjects import HostLink, Receiver, Records
from small_networks import rich_network

from archive_files import header_digest, resigned
from synloom import Image, Results, Snapshot, compile, connect, replay
from synloom.base.errors import SynloomError
from synloom.device.log_file import LogReader, LogWriter
from synloom.experiment import read_experiment, run_experiment, write_folder
from synloom.experiment.network_builder import build_network, compile_experiment

LOG_TYPES = ("uint8", "int8", "uint16", "uint32", "int64")
DTYPES = ("<u2", "<i2", "<f8", "|b1", "<U3", ">i8", "<f4")


def unpacked(content):
    """Return the arrays of an archive by name."""
    with np.load(io.BytesIO(content)) as file:
        return {name: file[name] for name in file.files}


def packed(arrays):
    """Return the archive of arrays."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def array_changed(array, edits):
    """Return an array with elements, its shape or its dtype changed."""
    with np.errstate(all="ignore"):
        return _array_changed(array, edits)


def _array_changed(array, edits):
    for kind, where, how in edits:
        if kind == "cut":
            array = array[: where % (len(array) + 1)] if array.ndim else array
        elif kind == "repeat":
            array = np.concatenate([np.atleast_1d(array)] * (2 + how % 3))
        elif kind == "drop":
            array = array.reshape(-1)
        elif kind == "other" and array.dtype.kind in "biuf":
            array = array.astype(DTYPES[how % len(DTYPES)])
        elif array.size and array.dtype.kind in "biuf":
            array = array.copy()
            value = (np.nan, np.inf, -1.0, 1e308, 5e-324)[how % 5] if array.dtype.kind == "f" else how % 256
            array.reshape(-1)[where % array.size] = np.array(value).astype(array.dtype)
    return array


def whole_numbers(array):
    """Return the numbers of an array as a log can hold them."""
    with np.errstate(all="ignore"):
        return array.astype(np.int64) if array.dtype.kind in "biuf" else np.zeros(array.shape, dtype=np.int64)


class Images:
    """Files of images: their bytes, or header and arrays with the header's own digest right again."""

    cases = st.tuples(st.sampled_from(("file", "header", "array")), st.integers(0, 99), EDITS)

    def __init__(self, folder):
        self.path = folder / "net.synloom"
        compile(rich_network()).save(self.path)
        self.whole = self.path.read_bytes()
        self.arrays = unpacked(self.whole)
        self.header = self.arrays["header"].tobytes()
        self.contents = self.contents_of(Image.load(self.path))
        self.digest = Image.load(self.path).digest()

    @staticmethod
    def contents_of(image):
        """Return all that an image's file says, as one text."""
        return repr(image._header())

    def write(self, case):
        mode, which, edits = case
        content = self.whole
        if mode == "file":
            content = edited(content, edits)
        elif mode == "header":
            text = edited(self.header, edits)
            try:
                header = json.loads(text)
                header["header_digest"] = header_digest(header)
                text = json.dumps(header).encode()
            except (ValueError, TypeError, AttributeError, RecursionError):
                pass
            content = packed({**self.arrays, "header": np.frombuffer(text, dtype=np.uint8)})
        else:
            name = sorted(set(self.arrays) - {"header"})[which % (len(self.arrays) - 1)]
            content = packed({**self.arrays, name: array_changed(self.arrays[name], edits)})
        self.path.write_bytes(content)

    def judge(self, case):
        """Return what came of a case: an error, or contents that must be equal."""
        return judged(case, self, Image.load)


def judged(case, subject, load):
    """Return what came of a file: its error, "equal", or "other" for what is harmless and signed again."""
    try:
        again = load(subject.path)
    except SynloomError as error:
        return error
    if subject.contents_of(again) == subject.contents:
        return "equal"
    # Names, the report, counters: nothing that a result or the future depends on.
    assert case[0] == "header"
    assert again.digest() == subject.digest
    return "other"


class Snapshots:
    """Files of snapshots: their bytes, or header and arrays with the header's own digest right again."""

    cases = Images.cases

    def __init__(self, folder):
        self.path = folder / "a.snap"
        with connect("model", compile(rich_network())) as device:
            device.record("out", "v", [0], every=1.0)
            device.inject("in", [(20.0, 1), (21.0, 2)])
            device.schedule(15.0, offsets={"out": 0.1}, neurons={"out": {"tau_refrac": 2.0}})
            device.schedule(18.0, rules={"w": {"A_plus": 0.005}})
            device.run(10.0)
            device.snapshot(self.path)
        self.whole = self.path.read_bytes()
        self.arrays = unpacked(self.whole)
        self.header = self.arrays["header"].tobytes()
        self.contents = self.contents_of(Snapshot.load(self.path))
        self.digest = Snapshot.load(self.path).digest()

    write = Images.write

    @staticmethod
    def contents_of(snapshot):
        """Return all that a snapshot's file says, as one text."""
        return repr((snapshot._header(), snapshot.image._header()))

    def judge(self, case):
        """Return what came of a case: an error, or contents that must be equal."""
        return judged(case, self, Snapshot.load)


class Logs:
    """Logs: their bytes; what is read must be the entries that were written, up to some point."""

    cases = EDITS

    def __init__(self, folder):
        self.path = folder / "a.log"
        with connect("model", compile(rich_network()), log=self.path) as device:
            device.inject("in", [(2.0, 1), (3.0, 2)])
            device.run(10.0)
            device.set_learning(False)
            device.step()
        self.whole = self.path.read_bytes()
        self.contents = self.contents_of(LogReader(self.path))

    @staticmethod
    def contents_of(reader):
        return [
            (e.number, e.kind, repr(e.values), [(n, a.dtype.str, a.tobytes()) for n, a in e.arrays.items()])
            for e in reader
        ]

    def write(self, case):
        self.path.write_bytes(edited(self.whole, case))

    def judge(self, case):
        try:
            reader = LogReader(self.path)
            again = self.contents_of(reader)
        except SynloomError as error:
            return error
        assert again == self.contents[: len(again)]
        return "equal" if len(again) == len(self.contents) else "other"


SCALARS = (
    0,
    -1,
    1,
    5,
    2**32,
    2**64,
    10**400,
    1.5,
    1e308,
    float("nan"),
    None,
    True,
    "",
    "x",
    "w",
    [],
    {},
    [[]],
)


class EditedLogs:
    """Logs whose entries were edited and written again with right digests: refused, or replayed."""

    kinds = ("value", "value", "array", "array", "kind", "drop", "repeat", "swap", "lose", "extra")
    cases = st.lists(st.tuples(st.sampled_from(kinds), NUMBERS, NUMBERS, EDITS), min_size=1, max_size=3)

    def __init__(self, folder):
        self.folder, self.number = folder, 0
        self.path = folder / "whole.log"
        with connect("model", compile(rich_network()), log=self.path) as device:
            device.record("out", "v", [0], every=1.0)
            device.inject("in", [(2.0, 1), (3.0, 2)])
            device.run(10.0)
            device.set_learning(False)
            device.set_neurons("out", tau_refrac=2.0)
            device.set_rule("w", A_plus=0.005)
            device.write_weights("w", device.read_weights("w"))
            device.step({"in": [1]})
            device.schedule(2.0, learning=True)
            device.reset()
            device.run(5.0)
            snapshot = device.snapshot()
            device.restore(snapshot)
            device.run(3.0)
        self.entries = [(e.kind, dict(e.values), dict(e.arrays)) for e in LogReader(self.path)]
        assert replay(self.path, "model").agrees

    def write(self, case):
        entries = [(kind, dict(values), dict(arrays)) for kind, values, arrays in self.entries]
        for kind, where, how, edits in case:
            if entries:
                self._edit(entries, kind, where % len(entries), how, edits)
        self.path.unlink()
        writer = LogWriter(self.path)
        for entry in entries:
            writer.add(*entry)
        writer.close()

    @staticmethod
    def _edit(entries, kind, at, how, edits):
        name, values, arrays = entries[at]
        match kind:
            case "value" if values:
                values[sorted(values)[how % len(values)]] = SCALARS[how // 7 % len(SCALARS)]
            case "array" if arrays:
                chosen = sorted(arrays)[how % len(arrays)]
                changed = np.atleast_1d(array_changed(arrays[chosen], edits))
                arrays[chosen] = changed if changed.dtype.name in LOG_TYPES else whole_numbers(changed)
            case "lose" if values:
                del values[sorted(values)[how % len(values)]]
            case "extra":
                values["extra"] = SCALARS[how % len(SCALARS)]
            case "kind":
                entries[at] = (entries[how % len(entries)][0], values, arrays)
            case "drop":
                del entries[at]
            case "repeat":
                entries.insert(at, (name, dict(values), dict(arrays)))
            case "swap":
                other = how % len(entries)
                entries[at], entries[other] = entries[other], entries[at]

    def judge(self, case):
        try:
            done = replay(self.path, "model")
        except SynloomError as error:
            return error
        assert str(done)
        return "equal" if done.agrees else "other"


class Experiments:
    """Experiment files: those that are accepted must give a network, an image, or an error."""

    cases = EDITS

    def __init__(self, folder):
        self.path = folder / "experiment.toml"
        self.path.write_text(RIGHT)
        self.tables = read_experiment(self.path).tables

    def write(self, case):
        self.path.write_bytes(edited(RIGHT.encode(), case))

    def judge(self, case):
        try:
            experiment = read_experiment(self.path)
            compile_experiment(experiment, build_network(experiment))
        except SynloomError as error:
            return error
        return "equal" if experiment.tables == self.tables else "other"


class StoredResults:
    """Folders of results: one file changed, with its digest wrong, or right again as by hand."""

    cases = st.tuples(
        st.sampled_from(("digests.json", "summary.json", "results.npz", "image.synloom", "text", "array")),
        st.booleans(),
        st.integers(0, 99),
        EDITS,
    )

    def __init__(self, folder):
        path = folder / "experiment.toml"
        path.write_text(RIGHT)
        self.folder = folder / "out"
        write_folder(run_experiment(read_experiment(path).changed(steps=20), "model"), self.folder)
        for picture in self.folder.glob("*.png"):
            picture.unlink()
        listed = json.loads((self.folder / "digests.json").read_text())
        listed["files"] = {n: d for n, d in listed["files"].items() if not n.endswith(".png")}
        (self.folder / "digests.json").write_text(json.dumps(listed))
        self.files = {p: p.read_bytes() for p in self.folder.rglob("*") if p.is_file()}
        self.arrays = unpacked((self.folder / "results.npz").read_bytes())
        self.contents = self.contents_of(Results.load(self.folder))

    @staticmethod
    def contents_of(results):
        arrays = [(n, a.dtype.str, a.shape, a.tobytes()) for n, a in sorted(results.arrays().items())]
        return arrays, results.summary(), results.image.digest(), results.experiment.tables

    def write(self, case):
        for path, content in self.files.items():
            path.write_bytes(content)
        name, sign, which, edits = case
        if name == "array":
            arrays = dict(self.arrays)
            chosen = sorted(arrays)[which % len(arrays)]
            arrays[chosen] = array_changed(arrays[chosen], edits)
            (self.folder / "results.npz").write_bytes(packed(arrays))
        else:
            path = self.folder / ("experiment/experiment.toml" if name == "text" else name)
            path.write_bytes(edited(self.files[path], edits))
        if sign and name != "digests.json":
            resigned(self.folder)

    def judge(self, case):
        try:
            again = Results.load(self.folder)
        except SynloomError as error:
            return error
        if self.contents_of(again) == self.contents:
            return "equal"
        assert case[1], "changed results were accepted with wrong digests"
        return "other"


SUBJECTS = {
    "images": Images,
    "snapshots": Snapshots,
    "logs": Logs,
    "edited logs": EditedLogs,
    "experiment files": Experiments,
    "results": StoredResults,
    "bytes to a board": Receiver,
    "bytes to the host": HostLink,
    "records": Records,
}
