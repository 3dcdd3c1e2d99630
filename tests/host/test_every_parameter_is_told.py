"""Each public parameter is a key of experiment files, is in the manual and has a textbook to agree with."""

import dataclasses
import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest
from every_parameter import other, parameters, public_classes
from every_part import KEYS, as_file, by_sdk

from synloom import compile
from synloom.experiment import read_experiment
from synloom.experiment.network_builder import build_network, compile_experiment
from synloom.experiment.schema import SECTIONS
from synloom_sim.reference import LifNeurons, PairStdp, ReferenceNetwork

ROOT = Path(__file__).parents[2]
EXPERIMENTS = (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
ARRAY = (ROOT / "docs" / "blocks" / "sequencer.md").read_text(encoding="utf-8")
CLOSED_FORMS = (Path(__file__).parent / "test_sdk_physics.py").read_text(encoding="utf-8")

RULES = ("STDP", "PairRule", "TraceTarget")
WITHOUT_A_KEY = {
    **{(kind, "label"): "a part's name is its table's" for kind, name in parameters() if name == "label"},
    ("Population", "cell"): "a cell's parameters are the population's keys",
    **{("Uniform", name): "a number of the pair: { uniform = [low, high] }" for name in ("low", "high")},
    **{("Normal", name): "a number of the pair: { normal = [mean, sd] }" for name in ("mean", "sd")},
    **{("Normal", name): "beside the pair: { normal = [mean, sd], low = 0.0 }" for name in ("low", "high")},
}
"""Parameters that are no key of an experiment file, and how they are said there."""

_OF_RULES = {
    "w_min": "w_min",
    "w_max": "w_max",
    "pairing": "nearest",
    "bounds": "test_the_learning_window_is_the_textbooks",
    "rounding": "test_small_changes_are_right_on_average",
    "reward": "test_reward_scales_and_turns_learning",
}
TEXTBOOK = {
    "LIF": {
        "tau_refrac": "refractory",
        "theta_plus": "theta_step",
        "reset_mode": "subtract",
        "refractory_mode": "integrate",
        # There V is above rest and currents are in mV/ms.
        "cm": "test_a_synaptic_potential_follows_the_closed_form",
        "v_rest": "test_constant_current_fires_at_the_analytic_rate",
    },
    "STDP": {**{name: name for name in ("A_plus", "A_minus", "tau_plus", "tau_minus")}, **_OF_RULES},
    "PairRule": {
        "A_pre": "A_minus",
        "A_post": "A_plus",
        "tau_pre": "tau_plus",
        "tau_post": "tau_minus",
        **dict.fromkeys(("x0", "y0"), "test_the_general_rule_has_offsets_on_both_sides"),
        **_OF_RULES,
    },
    "TraceTarget": {
        "A": "A_plus",
        "tau": "tau_plus",
        "target": "test_trace_target_lets_inactive_sources_lose",
        **_OF_RULES,
    },
}
"""What the float reference calls a parameter that has another name there, or the test of a closed form."""


def section_of(kind):
    if kind in RULES:
        return "[projections.NAME.plasticity]"
    if kind in ("LIF", "Population"):
        return "[populations.NAME]"
    if kind.endswith(("Input", "InputPopulation")):
        return "[inputs.NAME]"
    return {"Network": "[run]", "ArrayParams": "[array]"}.get(kind, "[projections.NAME]")


WITH_A_KEY = [(kind, name) for kind, name in parameters() if (kind, name) not in WITHOUT_A_KEY]


@pytest.mark.parametrize(("kind", "name"), WITH_A_KEY)
def test_the_experiment_file_and_its_manual_have_a_key(kind, name):
    key, title = KEYS.get((kind, name), name), section_of(kind)
    (section,) = (section for section in SECTIONS if section.title == title)
    assert key in [each.name for each in section.keys], f"the schema's {title} has no key for {kind}.{name}"
    table = EXPERIMENTS.split(f"<!-- keys of {title} -->\n", 1)[1].split("\n\n", 1)[0]
    assert f"| `{key}` |" in table, f"docs/experiments.md, {title}: no row for {kind}.{name}"


@pytest.mark.parametrize(("kind", "name"), [p for p in parameters() if p[0] != "ArrayParams"])
def test_an_experiment_file_makes_the_same_image(kind, name, tmp_path):
    value, beside = other(kind, name)
    changes = {kind: {**beside, name: value}}
    experiment = read_experiment(as_file(changes, tmp_path))
    image = compile_experiment(experiment, build_network(experiment))
    assert image.digest() == compile(by_sdk(changes)).digest()


@pytest.mark.parametrize("name", [name for kind, name in parameters() if kind == "ArrayParams"])
def test_an_experiment_file_sets_the_array(name, tmp_path):
    value, beside = other("ArrayParams", name)
    wishes = "".join(f"{key} = {json.dumps(each)}\n" for key, each in {**beside, name: value}.items())
    path = tmp_path / "experiment.toml"
    path.write_text(f"[run]\nduration = 1.0\n[populations.cells]\nn = 4\n[array]\n{wishes}")
    experiment = read_experiment(path)
    network = build_network(experiment)
    params = compile_experiment(experiment, network).params
    assert params == compile(network).params.replace(**{**beside, name: value})
    assert getattr(params, name) == value


@pytest.mark.parametrize(("kind", "name"), parameters())
def test_the_docstring_has_it(kind, name):
    text = inspect.cleandoc(public_classes()[kind].__doc__ or "")
    section = re.search(r"^Parameters\n-+\n(.*?)(?:\n\n[A-Z]\w+\n-+\n|\Z)", text, re.DOTALL | re.MULTILINE)
    heads = re.findall(r"^(\w[\w, ]*)", section[1], re.MULTILINE) if section else []
    told = (
        {each for head in heads for each in head.strip().split(", ")}
        if section
        else re.findall(r"`(\w+)`", text)
    )
    assert name in told, f"the docstring of {kind} does not tell of {name}"


@pytest.mark.parametrize("name", [name for kind, name in parameters() if kind == "ArrayParams"])
def test_the_manual_has_the_array(name):
    table = ARRAY.split("<!-- table: params -->\n", 1)[1].split("<!-- /table -->", 1)[0]
    assert f"\n| {name} |" in table, f"docs/blocks/sequencer.md: no row for {name}"


@pytest.mark.parametrize(("kind", "name"), [p for p in parameters() if p[0] in TEXTBOOK])
def test_the_textbook_has_it(kind, name):
    known = {field.name for field in dataclasses.fields(LifNeurons if kind == "LIF" else PairStdp)}
    found = TEXTBOOK[kind].get(name, name)
    assert found in known or f"\ndef {found}(" in CLOSED_FORMS, (
        f"say in TEXTBOOK what compares {kind}.{name} with a textbook: there is no {found}"
    )


def test_every_parameter_of_the_textbook_is_one_of_the_sdk():
    for made, kinds in ((LifNeurons, ["LIF"]), (PairStdp, RULES)):
        names = {name for kind, name in parameters() if kind in kinds}
        used = {TEXTBOOK[kind].get(name, name) for kind in kinds for name in names}
        assert {field.name for field in dataclasses.fields(made)} <= used


NEURONS = {
    "tau_m": 10.0,
    "tau_syn_E": 2.0,
    "tau_syn_I": 3.0,
    "theta_step": 1.0,
    "i_offset": 0.1,
    "refractory": 2,
}
LEARNING = {"A_plus": 0.1, "A_minus": 0.1, "tau_plus": 10.0, "tau_minus": 10.0, "w_min": 0.05, "w_max": 12.0}


def changed(value):
    """Return another value of a parameter of the textbook's, whatever it is."""
    if isinstance(value, bool):
        return not value
    return 2 * value if value and np.isfinite(value) else 1


def course(neurons=NEURONS, learning=LEARNING):
    """Return what a reference network of two inputs and two neurons goes through."""
    weights = [[11.9, 11.9], [0.1, -3.0], [np.nan, 1.0], [1.0, np.nan]]
    network = ReferenceNetwork(LifNeurons(**neurons), weights, 1.0, stdp=PairStdp(**learning))
    states = []
    for step in range(60):
        network.step([0, 1][: step % 3])
        states.append(np.concatenate([network.v, network.theta, network.weights.ravel()]))
    return np.nan_to_num(np.array(states), nan=-1e9)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(LifNeurons)])
def test_the_textbooks_neurons_obey_it(name):
    value = changed(getattr(LifNeurons(**NEURONS), name))
    assert (course(neurons={**NEURONS, name: value}) != course()).any()


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(PairStdp)])
def test_the_textbooks_rule_obeys_it(name):
    value = changed(getattr(PairStdp(**LEARNING), name))
    assert (course(learning={**LEARNING, name: value}) != course()).any()
