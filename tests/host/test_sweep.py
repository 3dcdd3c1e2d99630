"""Sweeps: every result once, found again, equal wherever it ran; what is wrong is said at the start."""

import csv
import errno
import functools
import itertools
import json
import math
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
import sweep_measures as measures
from experiment_files import EXAMPLES, write

import synloom as sl
from synloom.base import atomic_files
from synloom.base.errors import ExperimentError, ParameterError, TargetError
from synloom.batch.store import Store
from synloom.batch.task import Record
from synloom.cli.main import main
from synloom.experiment import read_experiment, run_experiment
from synloom.experiment.identity import experiment_digest
from synloom.experiment.settings import parse_values, with_settings
from synloom_sim.fast.compiled import called_first

GRID = {"populations.left.tau_m": [10.0, 20.0], "projections.feed.plasticity.A_plus": [0.0, 0.05]}


def command(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(["sweep", *map(str, arguments)])
    return ended.value.code


def digests(sweep):
    return [row["digest"] for row in sweep.rows]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write(tmp_path_factory.mktemp("experiment"))


@pytest.fixture(scope="module")
def serial(file):
    return sl.sweep(file, grid=GRID, seeds=range(3), jobs=1)


# ---- settings ----------------------------------------------------------------------------------


def test_settings_replace_values_at_any_depth(file):
    changed = with_settings(
        read_experiment(file),
        {
            "run.duration": 30.0,
            "inputs.noise.rate.linear": [10.0, 20.0],
            "inputs.kicks.bursts[0].at": 12.0,
            "populations.left.tau_m": 5.0,
            "changes[0].rates.noise": 200.0,
            "record.state[0].indices": [1],
            "array.probes": 4,
        },
    )
    tables = changed.tables
    assert (changed.duration, changed.seed) == (30.0, 3)
    assert tables["inputs"]["noise"]["rate"].last == 20.0
    assert tables["inputs"]["kicks"]["bursts"][0]["at"] == [12.0]
    # "right" is like "left", and follows it.
    assert [tables["populations"][name]["tau_m"] for name in ("left", "right")] == [5.0, 5.0]
    assert tables["changes"][0]["rates"]["noise"] == 200.0
    assert tables["record"]["state"][0]["indices"] == [1]
    assert tables["array"]["probes"] == 4
    assert read_experiment(file).tables["populations"]["left"]["tau_m"] == 20.0
    assert with_settings(changed.changed(seed=9), {"populations.left.n": 6}).seed == 9


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("populations.lefd.tau_m", 1.0, "populations.lefd is not in the file.*did you mean 'left'"),
        ("populations.left.taum", 1.0, "populations.left.taum is not known; did you mean 'tau_m'"),
        ("populations.left.tau_m", -1.0, "populations.left.tau_m must be a number above 0"),
        ("populations.left.tau_m", "big", "populations.left.tau_m must be a number above 0"),
        ("populations.left.tau_m.x", 1.0, "populations.left.tau_m has no 'x' to set; it is 20.0"),
        ("changes[1].at", 1.0, r"changes has no entry 1; it is a list of 1"),
        ("changes[0]", 1.0, r"changes\[0\] must be a table"),
        ("changes.at", 1.0, "changes has no 'at' to set; it is a list of 1"),
        ("populations..left", 1.0, "is no key; give tables and key"),
        ("", 1.0, "is no key; give tables and key"),
        ("run.duration", 0.5, "must be a multiple of dt"),
        ("run.duration", "long", "run.duration must be a number above 0"),
        ("projections.cross.plasticity.A_plus", 0.1, "projections.cross.plasticity is not in the file"),
    ],
)
def test_a_wrong_setting_is_told(key, value, message, file):
    with pytest.raises(ExperimentError, match=message):
        with_settings(read_experiment(file), {key: value})


def test_values_are_toml_or_words():
    assert parse_values("1, 2.5,true") == [1, 2.5, True]
    assert parse_values("all_to_all,one_to_one") == ["all_to_all", "one_to_one"]
    assert parse_values('"a,b", [1, 2], { uniform = [0.0, 1.0] }') == ["a,b", [1, 2], {"uniform": [0.0, 1.0]}]
    assert math.isinf(parse_values("inf")[0])
    for text in ("", " ", "1,,2", "1;2", "[1", ".5,.6"):
        with pytest.raises(ExperimentError):
            parse_values(text)


def test_the_digest_is_that_of_the_contents(file, tmp_path):
    base = read_experiment(file)
    assert experiment_digest(base) == experiment_digest(read_experiment(write(tmp_path)))
    words = write(tmp_path, ('title = "A bit of everything"', 'title = "Other words"  # and a remark'))
    assert experiment_digest(base) == experiment_digest(read_experiment(words))
    assert experiment_digest(base) == experiment_digest(with_settings(base, {"populations.left.tau_m": 20}))
    others = [base.changed(seed=4), base.changed(duration=41.0), with_settings(base, {"changes[0].at": 21.0})]
    assert len({experiment_digest(each) for each in (base, *others)}) == 4


def test_the_digest_covers_data_files(tmp_path):
    (tmp_path / "spikes.csv").write_text("1.0,0\n")
    lists = ("times = [[1.0, 5.0], [], [2.0]]", 'file = "spikes.csv"')
    before = experiment_digest(read_experiment(write(tmp_path, lists)))
    (tmp_path / "spikes.csv").write_text("2.0,0\n")
    assert experiment_digest(read_experiment(write(tmp_path, lists))) != before


# ---- results -----------------------------------------------------------------------------------


def test_all_combinations_run_in_order(serial, file):
    rows = serial.rows
    assert len(rows) == 12
    assert [row["seed"] for row in rows] == [0, 1, 2] * 4
    assert [row["populations.left.tau_m"] for row in rows] == [10.0] * 6 + [20.0] * 6
    assert serial.varied == [*GRID, "seed"]
    assert len(set(digests(serial))) == 12
    changed = with_settings(read_experiment(file), {key: values[1] for key, values in GRID.items()})
    alone = run_experiment(changed.changed(seed=2))
    assert rows[-1]["left.spikes"] == alone.recording.counts("left").sum()
    assert serial.values("left.spikes")[-1] == rows[-1]["left.spikes"]
    with pytest.raises(ParameterError, match=r"no metric 'accuracy'; measured were: left\.mean_rate"):
        serial.values("accuracy")


def test_processes_threads_and_order_change_nothing(serial, file):
    assert digests(sl.sweep(file, grid=GRID, seeds=range(3), jobs=2)) == digests(serial)
    with ThreadPoolExecutor(2) as executor:
        assert digests(sl.sweep(file, grid=GRID, seeds=range(3), executor=executor)) == digests(serial)
    points = [dict(zip(GRID, (tau, a), strict=True)) for tau in (20.0, 10.0) for a in (0.05, 0.0)]
    listed = sl.sweep(file, settings=points, seeds=range(3), jobs=1)
    assert set(digests(listed)) == set(digests(serial))


def test_a_task_takes_its_data_files_along(tmp_path):
    (tmp_path / "spikes.csv").write_text("1.0,0\n4.0,2\n")
    path = write(tmp_path, ("times = [[1.0, 5.0], [], [2.0]]", 'file = "spikes.csv"'))
    here = sl.sweep(path, jobs=1)

    class Elsewhere(ThreadPoolExecutor):
        """Runs its tasks where the experiment's folder is not."""

        def submit(self, function, /, *args):
            (tmp_path / "spikes.csv").unlink(missing_ok=True)
            return super().submit(function, *args)

    with Elsewhere(1) as executor:
        there = sl.sweep(path, executor=executor)
    assert not there.failures
    assert digests(there) == digests(here)


def test_metrics_are_measured_beside_the_summary(file):
    own = sl.sweep(file, seeds=[3], metric=measures.rate_of_left, jobs=1)
    assert own.values("rate_of_left")[0] == own.values("left.spikes")[0] / 5.0
    both = sl.sweep(file, seeds=[3, 4], metric=measures.two, jobs=2)
    assert np.isnan(both.values("odd/name")).all()
    assert own.tasks[0].digest != both.tasks[0].digest
    (wrong,) = sl.sweep(file, seeds=[3], metric=measures.not_a_number, jobs=1).errors()
    assert wrong == "seed=3: ExperimentError: the metric 'not_a_number' must be a number, not 'many'"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"grid": {"populations.left.tau_m": []}}, "populations.left.tau_m has no values"),
        ({"grid": {"populations.left.tau_m": "10"}}, "must be a list"),
        ({"grid": {"populations.left.tau_m": [10, 10.0]}}, "two tasks are the same experiment"),
        ({"settings": []}, "settings is empty"),
        ({"seeds": []}, "seeds is empty"),
        ({"seeds": [1, 1]}, "two tasks are the same experiment: seed=1; and seed=1"),
        ({"seeds": [-1]}, "seed must be in"),
        ({"grid": {"run.seed": [1, 2]}}, "run.seed is no setting of a sweep"),
        ({"grid": {"run.dt": [1.0]}, "settings": [{"run.dt": 1.0}]}, "in the grid and in the settings"),
        ({"target": "/dev/ttyUSB1"}, "which become any array"),
        ({"jobs": 2, "cluster": "tcp://x"}, "exclude one another"),
        ({"jobs": 0}, "jobs must be in 1..4096"),
        ({"seeds": range(2_000_000)}, "at most 100,000 tasks"),
        ({"seeds": itertools.count()}, "at most 100,000 tasks"),
        ({"seeds": range(10**12)}, "at most 100,000 tasks"),
        ({"seeds": 3}, "seeds must be a list"),
        ({"grid": [("run.duration", [1.0])]}, "grid must be a mapping"),
        ({"grid": {3: [1.0]}}, "a key must be text, such as populations.cortex.tau_m, not 3"),
        ({"grid": {"run.duration": np.array(1.0)}}, "must be a list"),
        ({"settings": {"run.duration": 1.0}}, "settings must be a list of mappings"),
        ({"settings": [["run.duration", 1.0]]}, "settings must be a list of mappings"),
        ({"metric": "rate", "jobs": 1}, "metric must be a function, not 'rate'"),
        ({"progress": 3}, "progress must be a function, not 3"),
        ({"executor": "threads"}, "executor must be a concurrent.futures.Executor, not 'threads'"),
        ({"cluster": 5}, "cluster must be an address"),
    ],
)
def test_wrong_arguments_are_told_before_anything_runs(arguments, message, file, tmp_path):
    with pytest.raises((ParameterError, ExperimentError), match=message):
        sl.sweep(file, out=tmp_path / "out", **arguments)
    assert not (tmp_path / "out").exists()


def test_a_grid_of_iterators_runs_all_its_values(file):
    swept = sl.sweep(file, grid={"run.duration": iter([5.0, 10.0])}, jobs=1)
    assert [row["run.duration"] for row in swept.rows] == [5.0, 10.0]
    (row,) = sl.sweep(file, settings=[{"run.duration": np.float32(5.0)}], jobs=1).rows
    assert row["run.duration"] == 5.0


@pytest.mark.parametrize("name", ["seed", "run.duration", "digest", "left.spikes"])
def test_a_metric_takes_no_name_that_a_column_has(name, file):
    measured = functools.partial(measures.named, name)
    (wrong,) = sl.sweep(file, grid={"run.duration": [5.0]}, metric=measured, jobs=1).errors()
    assert f"the metric {name!r} has the name of another column" in wrong


def closed_over(factor):
    return lambda results: measures.times(factor, results)


@pytest.mark.parametrize(
    "make",
    [
        lambda factor: functools.partial(measures.times, factor),
        lambda factor: functools.partial(functools.partial(measures.times), factor),
        measures.Times,
        lambda factor: measures.Times(factor).measured,
        closed_over,
    ],
    ids=["partial", "nested", "object", "method", "closure"],
)
def test_a_metric_with_other_values_is_another_one(make, file, tmp_path):
    """Else results of one would be given for the other."""

    def measured(factor):
        (row,) = sl.sweep(file, metric=make(factor), out=tmp_path / "o", jobs=1).rows
        return row[list(row)[list(row).index("losses") - 1]]

    one = measured(1.0)
    assert one > 0.0
    assert measured(3.0) == 3.0 * one
    assert sl.sweep(file, metric=make(1.0), out=tmp_path / "o", jobs=1).fresh == 0


@pytest.mark.parametrize(("which", "message"), [(None, "experiment must be"), (3, "experiment must be")])
def test_what_is_no_experiment_is_told(which, message):
    with pytest.raises(ParameterError, match=message):
        sl.sweep(which)


def test_the_first_compile_is_told_in_a_sweep(file, monkeypatch, capsys):
    """It takes a quarter of a minute, in which nothing else is said."""

    def compiles(function, arguments, tell):
        tell(True, 0.0)
        called_first(function, arguments, tell)

    monkeypatch.setattr("synloom_sim.fast.array.called_first", compiles)
    sl.sweep(file, grid={"run.duration": [5.0]}, target="fast", jobs=1)
    assert "compiling the fast engine, once" in capsys.readouterr().err


def test_no_cluster_is_told(file):
    with pytest.raises(TargetError, match="no Dask scheduler answers at 'nonsense://1'"):
        sl.sweep(file, cluster="nonsense://1")


# ---- the folder --------------------------------------------------------------------------------


def test_results_are_found_again_and_a_grid_may_grow(serial, file, tmp_path):
    out = tmp_path / "out"
    first = sl.sweep(file, grid=GRID, seeds=range(2), out=out, jobs=2)
    assert first.fresh == 8
    told = []
    whole = sl.sweep(file, grid=GRID, seeds=range(3), out=out, jobs=2, progress=lambda *a: told.append(a))
    assert whole.fresh == 4
    assert digests(whole) == digests(serial)
    assert told[0] == ("8 of 12 tasks", 8 / 12)
    assert told[-1] == ("12 of 12 tasks", 1.0)
    with (out / "table.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert [row["digest"] for row in rows] == digests(serial)
    assert [float(row["left.mean_rate"]) for row in rows] == serial.values("left.mean_rate").tolist()
    parquet = pyarrow.parquet.read_table(out / "table.parquet")
    assert parquet.column("digest").to_pylist() == digests(serial)
    assert parquet.column("populations.left.tau_m").to_pylist() == [10.0] * 6 + [20.0] * 6
    assert (out / "metric-left.mean_rate.png").read_bytes().startswith(b"\x89PNG")
    assert (out / "experiment" / "experiment.toml").read_text() == file.read_text()
    assert len(list((out / "results").rglob("*.json"))) == 12
    assert not list(out.rglob("*.part"))


def test_failed_tasks_are_listed_and_run_again(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("broken").touch()
    ran = {"metric": measures.bad_for_seed_2, "seeds": range(4), "out": tmp_path / "out", "jobs": 2}
    first = sl.sweep(file, **ran)
    assert first.errors() == ["seed=2: ValueError: seed 2 is unlucky"]
    assert [row["error"] for row in first.rows] == ["", "", "ValueError: seed 2 is unlucky", ""]
    (failed,) = (tmp_path / "out" / "failed").iterdir()
    assert "bad_for_seed_2" in json.loads(failed.read_text())["trace"]
    Path("broken").unlink()
    second = sl.sweep(file, **ran)
    assert (second.fresh, second.errors()) == (1, [])
    assert not failed.exists()


def test_a_task_that_kills_its_process_costs_no_other(file):
    done = sl.sweep(file, seeds=range(5), metric=measures.kills_for_seed_1, jobs=2)
    assert [bool(row["digest"]) for row in done.rows] == [True, False, True, True, True]
    assert "ended abruptly" in done.errors()[0]


def test_damaged_results_run_again(file, tmp_path):
    out = tmp_path / "out"
    before = sl.sweep(file, seeds=range(4), out=out, jobs=1)
    one, two, three, four = sorted((out / "results").rglob("*.json"))
    one.write_bytes(b"")
    two.write_text(two.read_text().replace('"seed": ', '"seed": 1'))
    three.write_bytes(four.read_bytes())
    with pytest.warns(sl.SynloomWarning, match="is damaged.*its task runs again"):
        after = sl.sweep(file, seeds=range(4), out=out, jobs=1)
    assert after.fresh == 3
    assert digests(after) == digests(before)


def test_a_rerun_proves_the_results(file, tmp_path):
    out = tmp_path / "out"
    first = sl.sweep(file, seeds=range(2), out=out, jobs=1)
    again = sl.sweep(file, seeds=range(2), out=out, jobs=2, again=True)
    assert again.fresh == 2
    assert digests(again) == digests(first)
    path = next((out / "results").rglob("*.json"))
    record = Record.from_json(path.read_bytes())
    other = {**{n: getattr(record, n) for n in record.__dataclass_fields__}, "arrays": "0" * 32}
    path.write_bytes(Record(**other).to_json())
    with pytest.raises(ExperimentError, match="is not the one that is there"):
        sl.sweep(file, seeds=range(2), out=out, jobs=1, again=True)


def test_two_sweeps_do_not_share_a_folder_at_a_time(file, tmp_path):
    out = tmp_path / "out"
    with Store(out).opened(read_experiment(file)):
        with pytest.raises(ExperimentError, match="another sweep is writing to"):
            sl.sweep(file, out=out)
    assert sl.sweep(file, out=out, jobs=1).fresh == 1


def test_a_folder_of_something_else_is_never_used(file, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("mine")
    (tmp_path / "one").write_text("file")
    for name, message in (
        ("notes", "holds no sweep"),
        ("one", "is no folder"),
        ("one/in", "cannot be written"),
    ):
        with pytest.raises(ExperimentError, match=message):
            sl.sweep(file, out=tmp_path / name)
    out = tmp_path / "out"
    sl.sweep(file, out=out, jobs=1)
    for path in (out / "results").rglob("*.json"):
        path.unlink()
        path.mkdir()
    with pytest.raises(ExperimentError, match="cannot be read: Is a directory"):
        sl.sweep(file, out=out, jobs=1)


def test_a_full_disk_loses_nothing_that_is_there(file, tmp_path, monkeypatch):
    out, written = tmp_path / "out", []

    def full(path, content):
        if "results" in path.parts:
            written.append(path)
            if len(written) == 3:
                path.with_name(f"{path.name}.1.part").write_bytes(content[:10])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        atomic_files.write_whole(path, content)

    with monkeypatch.context() as patch:
        patch.setattr("synloom.batch.store.write_whole", full)
        with pytest.raises(
            ExperimentError, match=r"No space left on device; the results that are in .* stay"
        ):
            sl.sweep(file, seeds=range(5), out=out, jobs=2)
    assert sl.sweep(file, seeds=range(5), out=out, jobs=1).fresh == 3
    assert not list(out.rglob("*.part"))


def test_infinite_and_missing_values_are_in_the_table(file, tmp_path, capsys):
    for metric, text in ((measures.two, "nan"), (measures.endless, "inf")):
        out = tmp_path / text
        done = sl.sweep(file, seeds=range(2), metric=metric, out=out, jobs=1)
        assert sl.sweep(file, seeds=range(2), metric=metric, out=out, jobs=1).fresh == 0
        name = done.metrics[-1]
        with (out / "table.csv").open() as table:
            assert [row[name] for row in csv.DictReader(table)] == [text, text]


# ---- the command -------------------------------------------------------------------------------


def test_the_command_runs_a_grid_and_goes_on(file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    grid = ("--set", "populations.left.tau_m=10,20", "--seeds", "0..1,5", "--jobs", 1)
    assert command(file, *grid) == 0
    printed = capsys.readouterr()
    assert "6 of 6 tasks have results (0 were there); table and plots in experiment-sweep" in printed.out
    assert "left.mean_rate: " in printed.out
    assert "6 of 6 tasks, " in printed.err
    assert "tasks/s" in printed.err
    assert command(file, *grid, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["tasks"], answer["results"], answer["found"]) == (6, 6, 6)
    assert [row["seed"] for row in answer["rows"]] == [0, 1, 5, 0, 1, 5]


def test_the_command_takes_a_list_and_a_metric(file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("list.csv").write_text("populations.left.tau_m,projections.cross.k\n10,1\n30.5,2\n")
    Path("mine.py").write_text("def nothing(results):\n    return float('nan')\n")
    assert command(file, "--settings", "list.csv", "--metric", "mine:nothing", "--jobs", 2) == 0
    assert "nothing: 2 of 2 values are not finite" in capsys.readouterr().out
    assert Path("experiment-sweep/metric-nothing.png").is_file()


def test_failures_are_exit_code_1(file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command(file, "--set", "array.neurons=4,16", "--jobs", 1) == 1
    assert "failed: array.neurons=4 seed=3: CapacityError: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--set", "populations.left.tau_m"], 2, "--set must be KEY=A,B,.."),
        (["--set", "=1"], 2, "--set must be KEY=A,B,.."),
        (["--set", "populations.left.tau_m="], 2, "there are no values"),
        (["--set", "a.b=1", "--set", "a.b=2"], 2, "is given twice"),
        (["--set", "a.b=1"], 1, "error: {file}: a is not in the file"),
        (["--seeds", "9..0"], 2, "--seeds must be whole numbers and ranges"),
        (["--seeds", "-1"], 2, "--seeds must be whole numbers and ranges"),
        (["--seeds", "0..9999999"], 2, "give at most 100,000"),
        (["--jobs", "1", "--cluster", "tcp://x"], 2, "exclude each other"),
        (["--metric", "nowhere:f"], 2, "cannot be imported"),
        (["--metric", ".f:f"], 2, "cannot be imported: TypeError"),
        (["--metric", "f"], 2, "must be MODULE:FUNCTION"),
        (["--settings", "no.csv"], 1, "no.csv: No such file"),
    ],
)
def test_wrong_options(arguments, code, message, file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command(file, *arguments) == code
    assert message.format(file=file) in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_list_with_a_heading_twice_is_refused(file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("list.csv").write_text("run.duration, run.duration\n5,10\n")
    assert command(file, "--settings", "list.csv") == 1
    assert "run.duration is the heading of several columns" in capsys.readouterr().err


def test_an_example_can_be_swept(tmp_path):
    done = sl.sweep(
        EXAMPLES / "delay_chain.toml",
        grid={"run.duration": [20.0]},
        settings=[{"run.dt": 0.5}],
        out=tmp_path / "o",
        jobs=1,
    )
    assert not done.failures
