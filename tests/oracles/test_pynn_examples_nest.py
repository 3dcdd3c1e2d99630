"""The scripts of docs/examples/pynn on pyNN.nest and here: the same outcomes."""

import numpy as np
import pytest

from pynn_scripts import run_script, stdp_curve

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(autouse=True)
def there(nest_runs):
    assert nest_runs


def both(name, *arguments):
    found = [run_script(name, simulator, *arguments) for simulator in ("synloom", "nest")]
    for names in found:
        print(names["printed"].strip())
    return found


def test_the_balanced_network_has_the_same_rate_and_irregularity():
    mine, theirs = both("brunel", "--ms", "10000")
    # Each simulator draws its own noise.
    assert (mine["rate"], mine["cv"]) == pytest.approx((theirs["rate"], theirs["cv"]), rel=0.08)


def test_the_network_of_vogels_and_abbott_has_the_same_rates():
    mine, theirs = both("vogels_abbott", "--ms", "3000")
    assert mine["rates"] == pytest.approx(theirs["rates"], rel=0.05)
    assert mine["cv"] == pytest.approx(theirs["cv"], rel=0.1)


def test_the_volleys_come_at_the_same_times():
    mine, theirs = both("synfire")
    for one, other in zip(mine["times"], theirs["times"], strict=True):
        np.testing.assert_allclose(np.sort(one), np.sort(other), atol=0.1001)


def test_the_stdp_curve_is_that_of_all_pairs():
    for names in both("simple_stdp"):
        off = (names["change"] - stdp_curve(names))[names["differences"] != 0]
        ours = "synloom" in str(names["sim"].__name__)
        assert np.abs(off).max() < (0.024 if ours else 1e-5)


def test_the_same_sources_are_learned():
    mine, theirs = both("chord")
    assert (mine["strong"], mine["weak"]) == pytest.approx((theirs["strong"], theirs["weak"]), abs=0.15)


def test_the_sudoku_is_solved_on_both():
    for names in both("sudoku"):
        assert names["first"] is not None
        assert sum(names["solved"]) > len(names["solved"]) / 2
