"""Each public parameter changes what an array is told: none is accepted and then forgotten."""

import ast

import pytest
from every_parameter import BASE, OTHER, N, other, parameters, public_classes, usual
from every_part import by_sdk

from python_sources import modules
from synloom import LIF, AllToAll, ArrayParams, InputPopulation, Network, Population, Projection, compile
from synloom.contract.info import decode_info, encode_info

FIELDS = [name for kind, name in parameters() if kind == "ArrayParams"]
LABELS = [(kind, name) for kind, name in parameters() if name == "label"]
OF_NETWORKS = [(kind, name) for kind, name in parameters() if kind != "ArrayParams" and name != "label"]
FOR_EACH = [
    *[("LIF", name) for name in LIF.names()],
    *[("Population", "v_init"), ("Population", "theta_init"), ("Projection", "delay")],
    *[("PoissonInput", "rate"), ("RegularInput", "rate")],
]
"""Parameters that may have a value for each neuron or channel."""

NEVER_CHANGES_A_RESULT = {
    "lanes": "how many synapses a clock",
    "neuron_lanes": "how many neurons a clock",
    "record_words": "a buffer: a full one makes the array wait",
    "event_words": "a buffer: a full one makes the host wait",
    "counter_bits": "counters tell of a run and take no part in it",
    "single_port": "how many clocks a chunk of weights takes",
    "serial_neurons": "how many clocks a neuron takes",
    "clock_hz": "how fast",
    "baud": "how fast",
}
"""Fields of ArrayParams that no image depends on, and why."""

PARAMS = {"params", "self.params", "self._params"}
"""How the gateware names its ArrayParams."""


def image(*changes):
    """Compile the network of all parts with (class, parameter, value) changed."""
    kinds = {kind for kind, _, _ in changes}
    return compile(by_sdk({k: {name: value for kind, name, value in changes if kind == k} for k in kinds}))


def named(made):
    return {*made.populations, *made.inputs, *made.projections}


def test_every_class_has_its_values():
    assert set(BASE) == set(OTHER) == set(public_classes()), "tests/host/every_parameter.py: name each class"


def test_no_value_is_for_a_parameter_that_is_gone():
    known = set(parameters())
    assert [
        (kind, name) for kind, values in OTHER.items() for name in values if (kind, name) not in known
    ] == []


@pytest.mark.parametrize(("kind", "name"), OF_NETWORKS)
def test_a_parameter_changes_the_image(kind, name):
    value, beside = other(kind, name)
    before = image(*[(kind, key, each) for key, each in beside.items()])
    after = image(*[(kind, key, each) for key, each in beside.items()], (kind, name, value))
    assert after.digest() != before.digest(), f"the compiler takes {kind}.{name} and forgets it"


@pytest.mark.parametrize(("kind", "name"), LABELS)
def test_a_label_changes_names_and_no_bit(kind, name):
    value, _ = other(kind, name)
    before, after = image(), image((kind, name, value))
    assert named(after) - named(before) == {value}
    assert after.digest() == before.digest()


@pytest.mark.parametrize(("kind", "name"), FOR_EACH)
def test_the_last_neurons_own_value_changes_the_image(kind, name):
    value, _ = other(kind, name)
    all_others = LIF().v_rest if name == "v_init" else usual(kind, name)
    trials = (all_others, [all_others] * (N - 1) + [value], value)
    digests = {image((kind, name, values)).digest() for values in trials}
    assert len(digests) == 3, f"{kind}.{name}: an array of values is taken for one value"


def test_the_seed_changes_the_generators_on_the_chip():
    before, after = image(), image(("Network", "seed", other("Network", "seed")[0]))
    for register in ("learn_rng", "gen_rng"):
        assert after.registers[register] != before.registers[register]


def test_an_inputs_delay_moves_its_spikes():
    events = []
    for delay in (0.0, 2.0):
        network = Network()
        source = network.add(InputPopulation(1, spike_times=[[1.0]]))
        network.add(
            Projection(source, network.add(Population(1, LIF())), AllToAll(), weight=1.0, delay=delay)
        )
        events.append(compile(network).events[:, 0].tolist())
    assert events == [[1], [3]]


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_of_the_array_changes_its_digests(name):
    value, beside = other("ArrayParams", name)
    before, after = ArrayParams(**beside), ArrayParams(**{**beside, name: value})
    assert after.digest() != before.digest()
    changes_results = after.semantics_digest() != before.semantics_digest()
    assert changes_results == (name not in NEVER_CHANGES_A_RESULT), (
        f"say whether ArrayParams.{name} changes results: in ArrayParams.semantics(), or here with a reason"
    )
    network = Network()
    network.add(Population(N, LIF()))
    images = [compile(network, params).digest() for params in (before, after)]
    assert (images[0] != images[1]) == changes_results


@pytest.mark.parametrize("name", FIELDS)
def test_an_array_tells_the_host_every_field(name):
    value, beside = other("ArrayParams", name)
    params = ArrayParams(**{**beside, name: value})
    assert getattr(decode_info(encode_info(params)), name) == value


@pytest.mark.parametrize("name", FIELDS)
def test_the_gateware_reads_every_field(name):
    trees = [source.tree for module, source in modules().items() if module.startswith("synloom_hdl")]
    attributes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    read = {node.attr for node in attributes if ast.unparse(node.value) in PARAMS}
    assert name in read, f"nothing in hdl/ reads ArrayParams.{name}"


def test_the_reasons_are_for_fields_that_there_are():
    assert set(NEVER_CHANGES_A_RESULT) == set(FIELDS) - set(ArrayParams().semantics())
