"""`synloom compare`: the float network is the reference's, and the reasons are the right ones."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import synloom as sl
from synloom.cli.commands import run as cli
from synloom.compiler.synapses import expand
from synloom.image.report import ReportBuilder
from synloom_sim.compare import compare, draw_comparison, draw_learned, draw_report
from synloom_sim.compare.float_learning import learning_of, rounded_rule
from synloom_sim.compare.float_network import run_floats, synapses_of
from synloom_sim.reference import LifNeurons, PairStdp, ReferenceNetwork

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


@pytest.mark.parametrize("pairing", ["all_to_all", "nearest"])
def test_what_is_learned_in_floats_is_the_references(pairing):
    cm, low, high = 0.5, 0.0, 1.2
    rule = sl.STDP(
        A_plus=0.03, A_minus=0.02, tau_plus=17.0, tau_minus=25.0, w_min=low, w_max=high, pairing=pairing
    )
    made = sl.Network(dt=1.0, seed=3)
    noise = made.add(sl.PoissonInput(20, rate=60.0, label="noise"))
    cells = made.add(sl.Population(6, sl.LIF(tau_m=15.0, cm=cm, tau_refrac=2.0), label="cells"))
    start = np.random.default_rng(4).uniform(0.2, 1.0, (20, 6))
    made.add(sl.Projection(noise, cells, sl.AllToAll(), weight=start, plasticity=rule, label="feed"))
    inputs = np.random.default_rng(0).random((400, 20)) < 0.06
    (edge,) = expand(made, ReportBuilder())
    parts = learning_of(edge, edge.weights, edge.rule, 1.0)
    found = run_floats(made.populations, {}, [], {"noise": inputs}, 400, 1.0, parts)["cells"]
    weights = np.zeros(len(edge.pre))
    parts[0].put(weights)

    # The reference reads the source's trace after a step's decay, and the target's before it.
    reach = (high - low) / cm
    stdp = PairStdp(
        A_plus=0.03 * reach * np.exp(1.0 / 17.0),
        A_minus=0.02 * reach * np.exp(-1.0 / 25.0),
        tau_plus=17.0,
        tau_minus=25.0,
        w_min=low / cm,
        w_max=high / cm,
        nearest=pairing == "nearest",
    )
    neurons = LifNeurons(tau_m=15.0, tau_syn_E=5.0, tau_syn_I=5.0, refractory=2)
    whole = np.concatenate([start / cm, np.full((6, 6), np.nan)])
    reference = ReferenceNetwork(neurons, whole, 1.0, stdp=stdp)
    wanted = np.zeros((400, 6), dtype=bool)
    for t in range(400):
        wanted[t, reference.step(np.flatnonzero(inputs[t]))] = True
    assert np.array_equal(found, wanted)
    assert wanted.sum() > 50
    assert weights == pytest.approx(reference.weights[edge.pre, edge.post] * cm, abs=1e-9)
    assert np.abs(weights - edge.weights).max() > 0.1


def teacher(rule, difference, dendritic, delay=4.0):
    """Weak synapses and a teacher: the target fires `difference` ms after its source, once, at 60 ms."""
    made = sl.Network(dt=1.0, seed=1)
    source = made.add(sl.InputPopulation(100, spike_times=[[60.0 - difference]] * 100, label="source"))
    forces = made.add(sl.InputPopulation(1, spike_times=[[60.0]], label="teacher"))
    cells = made.add(sl.Population(1, sl.LIF(tau_m=5.0, tau_syn_E=0.0, tau_refrac=5.0), label="cells"))
    made.add(
        sl.Projection(
            source, cells, sl.AllToAll(), weight=0.1, delay=delay, dendritic=dendritic, plasticity=rule,
            label="feed",
        )
    )  # fmt: skip
    made.add(sl.Projection(forces, cells, sl.AllToAll(), weight=25.0, label="force"))
    return made


@pytest.mark.parametrize("dendritic", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("difference", [-9.0, -5.0, 5.0, 9.0])
@pytest.mark.parametrize("bounds", ["additive", "soft"])
def test_one_pair_changes_weights_as_the_rule_says(bounds, difference, dendritic):
    rule = sl.STDP(A_plus=0.2, A_minus=0.25, tau_plus=12.0, tau_minus=9.0, w_max=0.2, bounds=bounds)
    (part,) = compare(teacher(rule, difference, dendritic), 120).learned.values()
    # The synapse sees the source after the axonal part of the delay, the target after the dendritic one.
    seen = difference + (2.0 * dendritic - 1.0) * 4.0
    room = {"additive": 0.2, "soft": 0.1}[bounds]
    wanted = 0.2 * np.exp(-seen / 12.0) if seen >= 0 else -0.25 * np.exp(seen / 9.0)
    assert part.floats == pytest.approx(0.1 + wanted * room, rel=1e-9)
    assert part.rounded == pytest.approx(part.floats, abs=0.002)
    # Five standard errors of the mean of 100 changes that are rounded at random to 0.2 / 127.
    assert part.array.mean() == pytest.approx(part.rounded.mean(), abs=5 * 0.5 / 10 * 0.2 / 127)


def test_a_network_that_learns_is_compared_with_its_weights():
    made = network(weight=0.4)
    rule = sl.TraceTarget(A=0.02, tau=20.0, target=0.8, w_max=0.8)
    made.projections[0].plasticity, made.projections[0].rule = rule, rule.pair_rule()
    found = compare(made, 1500)
    part = found.learned["feed"]
    assert list(found.learned) == ["feed"]
    assert part.unit == "nA"
    assert part.before == pytest.approx(0.4)
    assert np.abs(part.array - part.before).mean() > 0.1
    assert part.correlation() > 0.7
    (cells,) = found.populations
    assert abs(int(cells.array.sum()) - int(cells.floats.sum())) < 0.1 * cells.floats.sum()
    step = cells.parts()
    assert step is None or "learned weights" in cells.why() or "rounded" in cells.why()
    assert any(line.startswith("feed learns: mean weight 0.4 nA") for line in found.lines())
    (axes,) = draw_learned(found, "title").axes
    assert axes.lines[2].get_ydata() == pytest.approx(part.array)


def test_rounded_rules_have_the_reports_numbers():
    found = compare(teacher(sl.STDP(A_plus=0.0131, A_minus=0.0117), 5.0, 0.0), 10)
    rows = {row.parameter: row for row in found.image.report.rows if row.where == "feed"}
    (edge,) = (e for e in expand(found.network, ReportBuilder()) if e.rule is not None)
    rule = rounded_rule(edge, found.image.report.rows)
    assert rule.A_post == pytest.approx(rows["A_plus (of range)"].got, rel=1e-12)
    assert rule.A_pre == pytest.approx(-rows["A_minus (of range)"].got, rel=1e-12)
    assert rule.tau_post == pytest.approx(rows["tau_minus (ms)"].got, rel=1e-12)
    assert rule.A_post != 0.0131


def test_the_command_says_where_they_part(tmp_path, capsys):
    file = str(ROOT / "docs" / "examples" / "delay_chain.toml")
    assert cli(["compare", file, "--steps", "120", "--out", str(tmp_path / "out"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["populations"]) == {f"group_{k}" for k in range(1, 6)}
    assert told["populations"]["group_1"]["spikes"][0] > 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["spikes.png", "weights.png"]
    assert told["learned"] == {}


def test_the_command_compares_weights_of_what_learns(tmp_path, capsys):
    file = str(ROOT / "docs" / "examples" / "stdp_balance.toml")
    assert cli(["compare", file, "--steps", "1500", "--out", str(tmp_path / "out"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    before, floats, rounded, array = told["learned"]["feed"]["mean"]
    assert floats < 0.8 * before
    assert rounded == pytest.approx(floats, rel=0.03)
    assert array == pytest.approx(floats, rel=0.03)
    assert told["learned"]["feed"]["correlation"] > 0.5
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "learned.png",
        "spikes.png",
        "weights.png",
    ]
    assert cli(["compare", file, "--steps", "200"]) == 0
    assert "feed learns: mean weight" in capsys.readouterr().out


def test_the_pages_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "accuracy.md").read_text()
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(block, {})
    assert (tmp_path / "weights.png").exists()


def test_inputs_whose_labels_begin_alike_have_noise_of_their_own():
    made = sl.Network(dt=1.0, seed=3)
    labels = ("channel_left", "channel_right")
    for label in labels:
        noise = made.add(sl.PoissonInput(20, rate=100.0, label=label))
        cells = made.add(sl.Population(20, sl.LIF(tau_syn_E=0.0, tau_syn_I=0.0), label=f"cells of {label}"))
        made.add(sl.Projection(noise, cells, sl.OneToOne(), weight=100.0))
    left, right = compare(made, 500).populations
    assert left.floats.sum() > 500
    assert right.floats.sum() > 500
    # Independent spikes of a share of 0.1 coincide in a tenth of the cases.
    assert 0.05 < (left.floats & right.floats).sum() / left.floats.sum() < 0.15
