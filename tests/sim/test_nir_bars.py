"""Imported NIR graphs in the array against float loops; `python -m synloom_sim.nir` has the long form."""

import nir
import numpy as np
import pytest
from nir_graphs import chain, recurrent

import synloom as sl
from synloom_sim.accuracy.nir import STEPS, published
from synloom_sim.nir import all_bars, support_table
from synloom_sim.nir.bars import correlations, runs_of_braille


def test_the_published_neuron_fires_in_the_published_steps():
    trace = published()
    neuron = nir.LIF(*(np.array([v], dtype=np.float32) for v in (0.0025, 1.0, 0.0, 0.1)))
    graph = chain(input=nir.Input(np.array([1])), w=nir.Linear(np.ones((1, 1))), cell=neuron)
    raster = np.zeros((STEPS, 1), dtype=bool)
    raster[trace.pulses] = True
    with sl.connect("model", sl.compile(sl.from_nir(graph, dt=0.1, reset="subtract").network)) as device:
        device.inject("input", raster)
        found = np.flatnonzero(device.run(100.0).raster("cell")[:, 0])
    assert found.tolist() == trace.spikes.tolist()


@pytest.mark.parametrize("integration", ["euler", "exact"])
@pytest.mark.parametrize("bias", [True, False])
def test_a_recurrent_network_spikes_as_the_float_loop(bias, integration):
    wanted, got = runs_of_braille(
        recurrent(bias=bias), "to_value", integration, "model", trials=2, length=120
    )
    for one, other in zip(wanted, got, strict=True):
        assert one.sum() > 50
        assert correlations(one, other).min() >= 0.98


def test_all_cases_of_the_support_table_hold():
    table = support_table()
    assert "fails" not in table
    assert table.count("| faithful |") >= 18
    assert table.count("| unsupported |") == 2


def test_a_folder_without_graphs_is_one_line(tmp_path):
    with pytest.raises(sl.SynloomError, match="no graphs"):
        list(all_bars(tmp_path))
