"""PyNN's own system scenarios: with a checkout of PyNN in $PYNN_CHECKOUT, `pytest -m oracle` counts them."""

import os
from pathlib import Path

import pytest
from pynn_scenarios import outcomes

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize(("swapped", "least"), [(False, 23), (True, 46)])
def test_as_many_scenarios_pass_as_the_page_says(swapped, least, tmp_path, monkeypatch):
    if not (checkout := os.environ.get("PYNN_CHECKOUT")):
        pytest.skip("set PYNN_CHECKOUT to the path of a checkout of NeuralEnsemble/PyNN")
    monkeypatch.chdir(tmp_path)
    found = dict(outcomes(Path(checkout), "synloom", swapped))
    passed = sum(not reason for reason in found.values())
    print(f"{passed} of {len(found)} scenarios pass{' with swapped cells' * swapped}")
    assert len(found) == 70
    assert passed >= least
