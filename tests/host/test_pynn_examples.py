"""The PyNN scripts of docs/examples/pynn do on this backend what they are there to show."""

import os
import re
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("pyNN")

from pyNN.errors import NoModelAvailableError

from pynn_scripts import SCRIPTS, run_script, stdp_curve
from synloom.base.errors import CapacityError

NEST = {"brunel": (21.6, 0.83), "vogels_abbott": (4.7, 5.2)}
"""What tests/oracles/test_pynn_examples_nest.py prints of pyNN.nest."""


def test_the_balanced_network_has_nests_rate_and_irregularity():
    names = run_script("brunel", "synloom", "--ms", "3000")
    assert (names["rate"], names["cv"]) == pytest.approx(NEST["brunel"], rel=0.15)
    assert names["printed"].startswith("synloom: ")


def test_the_network_of_vogels_and_abbott_stays_active_at_nests_rates():
    names = run_script("vogels_abbott", "synloom", "--ms", "1000")
    assert names["rates"] == pytest.approx(NEST["vogels_abbott"], rel=0.1)
    last = max(train.max() for train in names["trains"] if len(train))
    assert last > 990.0


def test_the_volley_comes_to_the_end_of_the_chain_and_keeps_its_time():
    times = run_script("synfire", "synloom")["times"]
    assert all(len(group) == 20 for group in times)
    assert all(group.std() < 0.3 for group in times)
    steps = [after.mean() - before.mean() for before, after in pairwise(times)]
    assert steps == pytest.approx([4.55] * 9, abs=0.1)


def test_the_stdp_curve_is_that_of_all_pairs():
    names = run_script("simple_stdp", "synloom")
    assert names["fired"] == pytest.approx(names["fires"])
    off = names["change"] - stdp_curve(names)
    off = off[names["differences"] != 0]
    # Four standard errors: up to 22 random roundings of half an LSB each, in the mean of 10 sources.
    assert np.abs(off).max() < 4.0 * np.sqrt(22.0) * 0.5 / np.sqrt(10.0) / 127.0
    assert np.abs(names["change"]).max() > 0.08


def test_the_cell_learns_what_comes_together():
    names = run_script("chord", "synloom")
    assert names["strong"] > 0.9
    assert names["weak"] < names["strong"] - 0.3


def test_the_sudoku_is_solved():
    names = run_script("sudoku", "synloom")
    assert names["first"] is not None
    assert sum(names["solved"]) > len(names["solved"]) / 2
    lines = re.findall(r"^([1-4]) ([1-4]) ([1-4]) ([1-4])$", names["printed"], re.MULTILINE)
    grid = np.array(lines, dtype=int)
    boxes = [grid[r : r + 2, c : c + 2].ravel() for r in (0, 2) for c in (0, 2)]
    assert all(sorted(line) == [1, 2, 3, 4] for line in [*grid, *grid.T, *boxes])
    assert [grid[0, 0], grid[1, 2], grid[2, 1], grid[3, 3]] == [1, 3, 4, 2]


@pytest.mark.slow
def test_a_script_learns_the_same_on_the_simulated_board():
    found = [
        run_script("chord", "synloom", "--ms", "3000", "--dendritic-delay-fraction", "0", **options)
        for options in (
            {"target": target, "board": "icebreaker", "timing": "spinnaker"}
            for target in ("sim", "model", "fast")
        )
    ]
    assert found[0]["printed"] == found[1]["printed"] == found[2]["printed"]
    assert found[0]["strong"] > 0.6


def test_on_a_board_without_dendritic_delays_an_error_says_what_to_use():
    with pytest.raises(NoModelAvailableError, match=r"dendritic_delay_fraction=0\.0") as refused:
        run_script("chord", "synloom", target="model", board="icebreaker")
    assert isinstance(refused.value, CapacityError)
    options = {"target": "model", "board": "icebreaker", "timing": "spinnaker"}
    names = run_script("chord", "synloom", "--ms", "2000", "--dendritic-delay-fraction", "0", **options)
    assert names["strong"] > 0.5


def python(*arguments):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.run([sys.executable, *arguments], env=env, capture_output=True, text=True, timeout=120)


def test_scripts_that_choose_by_name_run_unchanged(tmp_path):
    done = python("-m", "synloom.pynn", str(SCRIPTS / "synfire.py"), "synloom")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("20 spikes") == 10
    (tmp_path / "helper.py").write_text("ANSWER = 42")
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\nfrom helper import ANSWER\nfrom pyNN.utility import get_simulator\n"
        "sim, options = get_simulator(('--more', 'text'))\n"
        "print(sim.state.dt, ANSWER, options.more, __name__)"
    )
    done = python("-m", "synloom.pynn", str(script), "synloom", "--more", "x")
    assert done.stdout.split() == ["0.1", "42", "x", "__main__"], done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"), [((), "usage: "), (("nothing.py",), "no script 'nothing.py'")]
)
def test_a_script_that_is_not_there_is_one_line(arguments, said):
    done = python("-m", "synloom.pynn", *arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
