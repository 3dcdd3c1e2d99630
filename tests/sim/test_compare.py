"""`synloom compare`: the float network is the reference's, and the reasons are the right ones."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import synloom as sl
from synloom.cli.commands import run as cli
from synloom_sim.compare import compare, draw_comparison, draw_report
from synloom_sim.compare.float_network import run_floats, synapses_of
from synloom_sim.reference import LifNeurons, ReferenceNetwork

ROOT = Path(__file__).parents[2]


def network(weight=None, **cell):
    made = sl.Network(dt=1.0, seed=3)
    noise = made.add(sl.PoissonInput(20, rate=60.0, label="noise"))
    cells = made.add(sl.Population(6, sl.LIF(**cell), label="cells"))
    weight = sl.Uniform(-0.3, 0.8) if weight is None else weight
    made.add(sl.Projection(noise, cells, sl.AllToAll(), weight=weight, label="feed"))
    made.add(sl.Projection(cells, cells, sl.AllToAll(), weight=-0.2, label="back"))
    return made


@pytest.mark.parametrize("subtract", [True, False])
def test_the_float_network_is_the_references(subtract):
    from synloom.compiler.synapses import expand
    from synloom.image.report import ReportBuilder

    mode = "subtract" if subtract else "to_value"
    made = network(
        tau_m=15.0, cm=0.5, tau_refrac=2.0, theta_plus=1.0, tau_theta=50.0, reset_mode=mode, i_offset=0.1
    )
    inputs = np.random.default_rng(0).random((400, 20)) < 0.06
    edges = expand(made, ReportBuilder())
    synapses = [part for edge in edges for part in synapses_of(edge, edge.weights)]
    found = run_floats(made.populations, {}, synapses, {"noise": inputs}, 400, 1.0)["cells"]

    weights = np.full((26, 6), np.nan)
    for edge, first in zip(edges, (0, 20), strict=True):
        weights[first + edge.pre, edge.post] = edge.weights / 0.5  # nA to mV/ms
    neurons = LifNeurons(
        tau_m=15.0,
        tau_syn_E=5.0,
        tau_syn_I=5.0,
        v_thresh=15.0,
        v_reset=15.0 if subtract else 0.0,
        i_offset=0.1 / 0.5,
        refractory=2,
        subtract=subtract,
        theta_step=1.0,
        tau_theta=50.0,
    )
    reference = ReferenceNetwork(neurons, weights, 1.0)
    wanted = np.zeros((400, 6), dtype=bool)
    for t in range(400):
        wanted[t, reference.step(np.flatnonzero(inputs[t]))] = True
    assert wanted.sum() > 50
    assert np.array_equal(found, wanted)


def test_exact_weights_leave_only_whole_numbers_as_reason():
    found = compare(network(weight=0.5), 300)
    (cells,) = found.populations
    assert found.got["feed"] == pytest.approx(found.wanted["feed"])
    assert cells.floats.sum() > 30
    assert np.array_equal(cells.floats, cells.array)
    assert found.lines()[-1] == "float and array agree in every spike"


def test_rounded_weights_are_the_reason_where_they_are():
    weights = np.random.default_rng(1).uniform(0.3, 0.6, (20, 6))
    weights[0] = 30.0  # sets steps of 0.24
    found = compare(network(weight=weights), 600)
    (cells,) = found.populations
    step = cells.parts()
    assert step is not None
    assert "rounded" in cells.why()
    assert (cells.floats[: step[0]] == cells.array[: step[0]]).all()
    assert cells.floats[step] != cells.array[step]
    assert "part at" in found.lines()[0]
    assert "weight (nA) of feed" in found.lines()[-1]


def test_rates_change_when_they_should():
    found = compare(network(), 400, rates=[(200, {"noise": 0.0})])
    assert found.populations[0].floats[:200].sum() > 20
    assert found.populations[0].floats[250:].sum() == 0


def test_the_pictures_have_a_panel_for_each_part():
    found = compare(network(), 200)
    figure = draw_report(found.image.report, found.wanted, found.got)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[:3] == ["feed", "back", "effective time constants and areas"]
    points = figure.axes[0].lines[1].get_ydata()
    assert points == pytest.approx(found.got["feed"])
    assert len(draw_comparison(found, "title").axes) == 1


def test_networks_that_learn_are_refused():
    made = sl.Network()
    source = made.add(sl.InputPopulation(1, label="source"))
    cells = made.add(sl.Population(1, sl.LIF(), label="cells"))
    made.add(sl.Projection(source, cells, sl.AllToAll(), weight=0.1, plasticity=sl.STDP()))
    with pytest.raises(sl.ParameterError, match="'source->cells' learns"):
        compare(made, 10)


def test_the_command_says_where_they_part(tmp_path, capsys):
    file = str(ROOT / "docs" / "examples" / "delay_chain.toml")
    assert cli(["compare", file, "--steps", "120", "--out", str(tmp_path / "out"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["populations"]) == {f"group_{k}" for k in range(1, 6)}
    assert told["populations"]["group_1"]["spikes"][0] > 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["spikes.png", "weights.png"]
    learning = str(ROOT / "docs" / "examples" / "stdp_balance.toml")
    assert cli(["compare", learning]) == 1
    assert "learns" in capsys.readouterr().err


def test_the_pages_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "accuracy.md").read_text()
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(block, {})
    assert (tmp_path / "weights.png").exists()
