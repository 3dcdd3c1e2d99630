"""Experiment files with one mistake each: one line says where and what is allowed; nothing is written."""

import numpy as np
import pytest
from experiment_files import write

from synloom.base.errors import ExperimentError
from synloom.cli.main import main
from synloom.experiment import read_experiment
from synloom.experiment.network_builder import build_network

WRONG = [
    # not a table of the format
    ("[run]", "[rum]", "rum is not known; did you mean 'run'?"),
    ("lanes = 4", "lane = 4", "array.lane is not known; did you mean 'lanes'? allowed: inputs, neurons"),
    ("tau_m = 20.0", "tau_n = 20.0", "populations.left.tau_n is not known; did you mean 'tau_m'?"),
    (
        "A_plus = 0.05",
        "A_plas = 0.05",
        "projections.feed.plasticity.A_plas is not known; did you mean 'A_plus'?",
    ),
    ("at = 20.0", "when = 20.0", "changes[0].when is not known"),
    ("every = 2.0", "evry = 2.0", "record.evry is not known; did you mean 'every'?"),
    ("spikes = 2", "spike = 2", "inputs.kicks.bursts[0].spike is not known; did you mean 'spikes'?"),
    ('"v", indices = [1]', '"v", index = [1]', "record.state[1].index is not known"),
    ('{ of = "cross" }', "3", "record.weights[1] must be a table, not 3"),
    ("[populations.left]\nn", "[populations]\nleft = 3\nm", "populations.left must be a table"),
    ("duration = 40.0", "", "run.duration is missing; allowed: number above 0, ms"),
    ('kind = "poisson"', "", 'inputs.noise.kind is missing; allowed: "poisson", "regular", "spikes"'),
    ("rate = { linear = [50.0, 300.0] }", "", "inputs.noise.rate is missing"),
    ("k = 2", "", "projections.cross.k is missing; allowed: whole number from 0 to 4096"),
    ('rule = "stdp"', "", "projections.feed.plasticity.rule is missing"),
    # types and ranges
    ("duration = 40.0", "duration = nan", "run.duration must be a number above 0, not nan"),
    ("duration = 40.0", "duration = inf", "run.duration must be a number above 0, not inf"),
    ("duration = 40.0", 'duration = "40 ms"', "run.duration must be a number above 0, not '40 ms'"),
    ("duration = 40.0", "duration = 40.5", "run.duration must be a multiple of dt (1 ms), not 40.5"),
    (
        "duration = 40.0",
        "duration = 1e12",
        "run.duration must be at most 4294967295 steps of 1 ms, not 1e+12",
    ),
    ("dt = 1.0", "dt = 0", "run.dt must be a number above 0, not 0"),
    ("seed = 3", "seed = -1", "run.seed must be a whole number of at least 0, not -1"),
    ("seed = 3", "seed = 1.5", "run.seed must be a whole number of at least 0, not 1.5"),
    ("seed = 3", "seed = 99999999999999999999", "run.seed must be in 0..9223372036854775807"),
    ("lanes = 4", "lanes = true", "array.lanes must be a whole number of at least 0, not true"),
    ("lanes = 4", "lanes = 3", "array.lanes must be one of 1, 2, 4, 8, 16, 32, not 3"),
    ("lanes = 4", "reward = 1", "array.reward must be true or false, not 1"),
    ("n = 6", "n = 0", "inputs.noise.n must be a whole number from 1 to 2048, not 0"),
    ("n = 6", "n = 6.0", "inputs.noise.n must be a whole number from 1 to 2048, not 6.0"),
    ("tau_m = 20.0", "tau_m = -20.0", "populations.left.tau_m must be a number above 0 or inf, not -20.0"),
    ("tau_m = 20.0", "tau_m = nan", "populations.left.tau_m must be a number above 0 or inf, not nan"),
    ("tau_m = 20.0", 'tau_m = "20"', "populations.left.tau_m must be a number above 0 or inf, not '20'"),
    ("tau_m = 20.0", "tau_m = true", "populations.left.tau_m must be a number above 0 or inf, not true"),
    ("tau_m = 20.0", "tau_m = [20.0, nan]", "populations.left.tau_m[1] must be a number"),
    ("tau_m = 20.0", "tau_m = [20.0, 21.0]", "populations.left.tau_m must be one number or a list of 5"),
    ("tau_m = 20.0", "tau_m = []", "populations.left.tau_m must not be an empty list"),
    ("tau_m = 20.0", "v_reset = -40.0", "populations.left.v_reset must be below v_thresh"),
    ("tau_m = 20.0", 'reset_mode = "to_zero"', "populations.left.reset_mode cannot be 'to_zero'"),
    ("{ uniform = [-65.0, -52.0] }", "{ uniform = [-52.0, -65.0] }", "populations.left.v_init"),
    ("{ uniform = [-65.0, -52.0] }", "{ uniform = [1.0] }", "v_init.uniform must be [low, high], not [1.0]"),
    ("{ uniform = [-65.0, -52.0] }", "{ unifrom = [1.0, 2.0] }", "with 'unifrom'; did you mean 'uniform'?"),
    ("{ uniform = [-65.0, -52.0] }", "{ normal = [1.0, -2.0] }", "populations.left.v_init: sd must be"),
    (
        "[0.1, 0.2, 0.3, 0.4]",
        "{ linear = [1.0, 2.0], low = 0.0 }",
        "i_offset.low cannot be used with 'linear'",
    ),
    (
        "[50.0, 300.0]",
        "[50.0, 1300.0]",
        "inputs.noise.rate must be at most 1000 Hz (one spike per step), not 1300",
    ),
    (
        "[50.0, 300.0]",
        "[-50.0, 300.0]",
        "inputs.noise.rate.linear[0] must be a number of at least 0, not -50.0",
    ),
    ("noise = 400.0", "noise = 4000.0", "changes[0].rates.noise must be at most 1000 Hz"),
    ("learning = false", 'learning = "no"', "changes[0].learning must be true or false, not 'no'"),
    ("w_max = 2.0", "w_max = 1.0", "initial weights must be in w_min..w_max of its learning rule, 0..1, not"),
    ("w_max = 2.0", "w_max = -1.0", "projections.feed.plasticity.w_min must be below w_max"),
    (
        "A_plus = 0.05",
        "tau_plus = 0.0",
        "projections.feed.plasticity.tau_plus must be a number above 0, not 0.0",
    ),
    ("delay = 3.0", "delay = 0.2", "a neuron's delay must be at least one step"),
    # keys that do not go together
    (
        "times = [[1.0, 5.0], [], [2.0]]",
        "rate = 5.0",
        'inputs.kicks.rate belongs to kind = "poisson" or "regular"',
    ),
    ("A_plus = 0.05", "A = 0.05", 'plasticity.A belongs to rule = "trace_target", not to "stdp"'),
    ("k = 2", "p = 0.2\nk = 2", 'projections.cross.p belongs to connector = "fixed_probability"'),
    (
        "pairs = [[0, 0, 9.0], [1, 1, 9.0], [2, 3, 9.0]]",
        "",
        'poke needs pairs or file for connector = "list"',
    ),
    ("weight = -0.5", "", "projections.cross.weight is missing"),
    ('connector = "list"', 'connector = "list"\nweight = 1.0', "projections.poke.weight must be left out"),
    ("k = 2", "k = 6", "projections.cross: FixedInDegree: k must be at most 5"),
    # lists
    ("[[1.0, 5.0], [], [2.0]]", "[[1.0], [2.0]]", "inputs.kicks.times must have one list for each of the 3"),
    (
        "[[1.0, 5.0], [], [2.0]]",
        "[[1.0], [], [-2.0]]",
        "inputs.kicks.times[2][0] must be a number of at least 0",
    ),
    ("channels = [0, 2]", "channels = [0, 3]", "kicks.bursts[0].channels must be in 0..2, not 3"),
    ("[2, 3, 9.0]]", "[2, 4, 9.0]]", "projections.poke: FromList: post must be in 0..3, not 4"),
    ("[2, 3, 9.0]]", "[2, 3]]", "projections.poke.pairs: FromList needs a list"),
    ("[2, 3, 9.0]]", "[2]]", "projections.poke.pairs[2] must be a list of [from, to] or [from, to, weight]"),
    # names, indices and times that are not there
    ('from = "noise"', 'from = "nois"', "projections.feed.from cannot be 'nois'; did you mean 'noise'?"),
    ('to = "left"', 'to = "noise"', "projections.feed.to cannot be 'noise'; allowed: left, right"),
    (
        'like = "left"',
        "like = 0x" + "f" * 5000,
        "must be the name of an earlier table, not a number of thousands",
    ),
    ('like = "left"', 'like = "middle"', "populations.right.like must be the name of an earlier table"),
    ("[inputs.kicks]", "[inputs.left]", "inputs.left has the same name as a population; choose"),
    (
        "[projections.cross]",
        "[projections.left]",
        "projections.left has the same name as an input or a population",
    ),
    ("[inputs.noise]", '[inputs."a b"]', "inputs cannot have the name 'a b'; use a letter"),
    ("{ noise = 400.0 }", "{ kicks = 400.0 }", "changes[0].rates cannot be 'kicks'; allowed: noise"),
    ("{ right = 0.0 }", "{ rigth = 0.0 }", "changes[0].offsets cannot be 'rigth'; did you mean 'right'?"),
    ("at = 20.0", "at = 40.0", "changes[0].at must be before the end (40 ms), not 40"),
    ("at = 20.0", "at = 20.5", "changes[0].at must be a multiple of dt (1 ms), not 20.5"),
    ('["left", "right"]', '["left", "noise"]', "record.counts[1] cannot be 'noise'"),
    ("indices = [0, 4]", "indices = [4, 4]", "record.state[0].indices must differ, not [4, 4]"),
    ("indices = [0, 4]", "indices = [0, 5]", "record.state[0].indices must be in 0..4, not 5"),
    (
        "indices = [0, 4]",
        "indices = []",
        "record.state[0].indices must be a list of indices, not a list of 0",
    ),
    (
        'variable = "trace"',
        'variable = "v"',
        "record.state[2].variable must be 'trace' for an input, not 'v'",
    ),
    ('{ of = "cross" }', '{ of = "left" }', "record.weights[1].of cannot be 'left'"),
    ("every = 10.0", "every = 10.5", "record.weights[0].every must be a multiple of dt (1 ms), not 10.5"),
    ("every = 2.0", "every = 0.0", "record.every must be a number above 0"),
    # files
    ("[2, 3, 9.0]]", ']\nfile = "a.csv"', "projections.poke needs pairs or file"),
    (
        "pairs = [[0, 0, 9.0], [1, 1, 9.0], [2, 3, 9.0]]",
        'file = "../a.csv"',
        "must be in the experiment's folder",
    ),
    (
        "pairs = [[0, 0, 9.0], [1, 1, 9.0], [2, 3, 9.0]]",
        'file = "a.csv"',
        "poke.file names a file that does not exist: ",
    ),
    # not TOML at all
    ("seed = 3", "seed = ", "is not TOML: Invalid value (at line 6, column 8)"),
    ("dt = 1.0", "dt = 1.0\ndt = 2.0", "is not TOML: Cannot overwrite a value"),
]


@pytest.mark.parametrize(("old", "new", "message"), WRONG)
def test_one_mistake_is_one_line_and_nothing_is_written(old, new, message, tmp_path, capsys):
    path = write(tmp_path, (old, new))
    with pytest.raises(SystemExit) as ended:
        main(["run", str(path), "--out", str(tmp_path / "out")])
    captured = capsys.readouterr()
    assert ended.value.code == 1
    assert captured.err.startswith(f"error: {path}: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert list(tmp_path.iterdir()) == [path]


def test_no_population_and_no_file(tmp_path):
    file = tmp_path / "empty.toml"
    with pytest.raises(ExperimentError, match=r"empty.toml: cannot be read: No such file"):
        read_experiment(file)
    file.write_text("[run]\nduration = 1.0\n")
    with pytest.raises(ExperimentError, match=r"populations is missing"):
        read_experiment(file)
    file.write_text("[run]\nduration = 1.0\n[populations]\n")
    with pytest.raises(ExperimentError, match=r"populations is empty"):
        read_experiment(file)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ExperimentError, match=r"is not a text file in UTF-8"):
        read_experiment(file)


def test_too_many_probes_are_refused_before_anything_runs(tmp_path):
    path = write(tmp_path, ('{ of = "left", variable = "v", indices = [0, 4] }', ALL_OF_LEFT))
    with pytest.raises(
        ExperimentError, match=r"record.state asks for 17 values per sample; .* at most 16; select fewer"
    ):
        read_experiment(path)


ALL_OF_LEFT = ", ".join(f'{{ of = "left", variable = "{name}" }}' for name in ("v", "isyn_exc", "theta"))

TABLES = [
    ("a.csv", "times,channels\n1.0,0\n2.0,3\n", "channels in 0..2, not 3"),
    ("a.csv", "1.0,0\n-2.0,1\n", "times of at least 0 ms, not -2"),
    ("a.csv", "1.0\n", "two columns, times and channels, not 1"),
    ("a.csv", "1.0,0\n2.0\n", "line 2 has 1 columns, not 2"),
    ("a.csv", "1.0,0\nx,y\n", "line 2 must be numbers, not 'x,y'"),
    ("a.csv", "# nothing\n", "has no rows"),
    ("a.npz", "no archive", "(a.npz) cannot be read: is no archive of arrays"),
    ("a.txt", "1.0,0\n", "must be a .csv or .npz file, not 'a.txt'"),
]


@pytest.mark.parametrize(("name", "text", "message"), TABLES)
def test_wrong_spike_files_are_clear_errors(name, text, message, tmp_path):
    path = write(tmp_path, ("times = [[1.0, 5.0], [], [2.0]]", f'file = "{name}"'))
    (tmp_path / name).write_text(text)
    with pytest.raises(ExperimentError, match=r"inputs.kicks.file ") as caught:
        build_network(read_experiment(path))
    assert message in str(caught.value)


def test_spike_archives_without_the_arrays_are_clear_errors(tmp_path):
    path = write(tmp_path, ("times = [[1.0, 5.0], [], [2.0]]", 'file = "a.npz"'))
    np.savez(tmp_path / "a.npz", times=np.zeros(2), neurons=np.zeros(2))
    with pytest.raises(ExperimentError, match="must have arrays times and channels; it has times, neurons"):
        build_network(read_experiment(path))
    np.savez(tmp_path / "a.npz", times=np.zeros(2), channels=np.zeros(3))
    with pytest.raises(ExperimentError, match="of the same length"):
        build_network(read_experiment(path))


def test_a_network_that_does_not_fit_its_array_is_refused(tmp_path, capsys):
    path = write(tmp_path, ("lanes = 4", "lanes = 4\nneurons = 8"))
    with pytest.raises(SystemExit) as ended:
        main(["run", str(path), "--out", str(tmp_path / "out")])
    assert ended.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {path}: the network does not fit the array: it needs neurons=")
    assert list(tmp_path.iterdir()) == [path]
