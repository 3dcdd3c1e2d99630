import numpy as np
import pytest
from small_networks import delta_cell, dense, relay

from places import fields_of
from synloom import (
    LIF,
    STDP,
    AllToAll,
    ArrayParams,
    CapacityError,
    FixedProbability,
    FromMatrix,
    InputPopulation,
    Network,
    NetworkError,
    Normal,
    OneToOne,
    ParameterError,
    PoissonInput,
    Population,
    Projection,
    TraceTarget,
    Uniform,
    compile,
)
from synloom.contract.memory_map import layout_of
from synloom.contract.regions import Region


def segments_of(image):
    fields = fields_of(Region.PROGRAM).unpack(image.program) if len(image.program) else {"lo": []}
    return [{name: int(values[k]) for name, values in fields.items()} for k in range(len(fields["lo"]))]


def list_at(image, first):
    found, all_segments = [], segments_of(image)
    while not found or not found[-1]["last"]:
        found.append(all_segments[first + len(found)])
    return found


def three_populations():
    network = Network(seed=1)
    pixels = network.add(PoissonInput(20, rate=10.0, label="pixels"))
    exact = network.add(InputPopulation(5, label="exact"))
    exc = network.add(Population(30, LIF(), label="exc"))
    inh = network.add(Population(10, LIF(), label="inh"))
    rule = STDP(w_max=1.0)
    network.add(Projection(exact, inh, AllToAll(), weight=1.0))
    network.add(Projection(pixels, exc, AllToAll(), weight=Uniform(0.0, 1.0), plasticity=rule, label="in"))
    network.add(Projection(exc, inh, FixedProbability(0.5), weight=0.5))
    network.add(Projection(inh, exc, AllToAll(), weight=-2.0, delay=3.0))
    return network


def test_populations_begin_at_words_and_generators_come_first():
    network = Network()
    network.add(InputPopulation(5, label="exact"))
    network.add(PoissonInput(20, label="pixels"))
    for label in ("a", "b"):
        network.add(Population(17, LIF(), label=label))
    image = compile(network)
    assert (image.inputs["pixels"].source, image.inputs["exact"].source) == (0, 32)
    assert [p.first for p in image.populations.values()] == [0, 32]
    assert (image.params.inputs, image.params.neurons) == (48, 64)
    assert image.registers["gen_words"] == 2
    assert image.registers["sweep_count"] == 49


def test_populations_move_together_where_words_do_not_fit():
    network = Network()
    for label in ("a", "b"):
        network.add(Population(17, LIF(), label=label))
    image = compile(network, ArrayParams(neurons=34, inputs=1))
    assert [p.first for p in image.populations.values()] == [0, 17]


def test_neurons_between_populations_never_fire():
    network = Network()
    for label in ("a", "b"):
        network.add(Population(3, LIF(), label=label))
    image = compile(network)
    fields = layout_of(image.params, Region.NEURON_PARAMS).unpack(image.neuron_params)
    assert (fields["thr"][3:16] == image.params.state_max).all()
    assert (fields["bias"][3:16] == 0).all()


def test_the_program_has_one_segment_per_projection_and_pass():
    image = compile(three_populations())
    source, target = (
        fields_of(Region.SOURCE).unpack(image.source),
        fields_of(Region.TARGET).unpack(image.target),
    )
    mp = image.params.first_neuron_source
    exc, inh = image.populations["exc"], image.populations["inh"]
    row = list_at(image, source["list"][0])
    assert [(s["lo"], s["hi"], s["plastic"]) for s in row] == [(0, 30, 1)]
    column = list_at(image, target["list"][0])
    assert [(s["lo"], s["hi"], s["plastic"]) for s in column] == [(0, 20, 1)]
    assert target["learns"][:30].all()
    assert not target["learns"][30:].any()
    assert [(s["lo"], s["hi"]) for s in list_at(image, source["list"][mp + inh.first])] == [(0, 30)]
    assert target["delay"][exc.first] == 1
    assert target["delay"][inh.first] == 3
    x_list, y_list = (list_at(image, image.registers[name] & 0xFF) for name in ("x_list", "y_list"))
    assert [(s["lo"], s["hi"]) for s in x_list] == [(0, 20)]
    assert [(s["lo"], s["hi"]) for s in y_list] == [(0, 30)]
    # Traces that nobody reads are set, not raised: else they would saturate.
    assert source["nearest"][20:].all()
    assert not source["nearest"][:20].any()
    assert sum(1 for _ in segments_of(image)) == 7


def test_equal_lists_are_stored_once():
    network = Network()
    target = network.add(Population(10, LIF(), label="out"))
    for k in range(5):
        source = network.add(InputPopulation(4, label=f"in{k}"))
        network.add(Projection(source, target, AllToAll(), weight=0.5))
    assert len(compile(network).program) == 1


def test_sources_without_synapses_are_not_connected():
    matrix = np.full((4, 3), np.nan)
    matrix[2] = 1.0
    network = Network()
    first = network.add(Population(4, LIF(), label="a"))
    network.add(Projection(first, network.add(Population(3, LIF(), label="b")), FromMatrix(matrix)))
    image = compile(network)
    mp = image.params.first_neuron_source
    assert fields_of(Region.SOURCE).unpack(image.source)["connected"][mp : mp + 4].tolist() == [
        0,
        0,
        1,
        0,
    ]
    assert fields_of(Region.TARGET).unpack(image.target)["delay"][:4].tolist() == [0, 0, 1, 0]


def test_weights_use_all_their_steps_and_come_near():
    rng = np.random.default_rng(0)
    wanted = rng.uniform(-3.0, 2.0, (20, 30))
    network = Network()
    source, target = network.add(InputPopulation(20)), network.add(Population(30, LIF(cm=0.3, tau_syn_I=9.0)))
    network.add(Projection(source, target, FromMatrix(wanted), label="w"))
    image = compile(network)
    assert np.abs(image.weights[:20, :30]).max() > 120
    worst = image.report.row("w", "weight")
    assert abs(worst.error) < 3.0 / 63 / 2
    assert image.report.notes == ()


@pytest.mark.parametrize("state_bits", [12, 16, 20, 24])
@pytest.mark.parametrize("weight_bits", [4, 8])
def test_every_number_format_holds_a_network(state_bits, weight_bits):
    base = ArrayParams(inputs=25, neurons=40, state_bits=state_bits, weight_bits=weight_bits, trace_bits=12)
    image = compile(three_populations(), base)
    assert np.abs(image.weights[image.weights != base.weight_absent]).max() <= base.weight_max
    assert image.report.row("exc", "v_thresh - v_rest").relative < 2.0 / 2 ** (state_bits - 4)
    assert image.report.row("in", "w_max").relative < 0.5 / (2 ** (weight_bits - 2) - 1)
    assert image.report.row("in", "A_plus").relative < 0.1


def test_very_different_strengths_are_told_of():
    network = Network()
    target = network.add(Population(2, delta_cell(), label="n"))
    for label, weight in (("strong", 1000.0), ("weak", 0.05), ("dust", 1e-4)):
        source = network.add(InputPopulation(2, label=f"of {label}"))
        network.add(Projection(source, target, AllToAll(), weight=weight, label=label))
    notes = " / ".join(compile(network).report.notes)
    assert "weak: weights use only" in notes
    assert "dust: 4 of 4 weights rounded to zero" in notes


def test_out_of_range_time_constants_are_told_of():
    network = Network(dt=1.0)
    network.add(Population(2, LIF(tau_m=1e11, tau_syn_E=0.01), label="n"))
    report = compile(network).report
    assert report.row("n", "tau_m").got == np.inf
    assert report.row("n", "tau_m").note == "out of range"
    assert report.row("n", "tau_syn_E").got == 0.0
    assert "out of range" in str(report)


def test_the_same_seed_gives_the_same_image():
    digests = [compile(three_populations()).digest() for _ in range(2)]
    assert digests[0] == digests[1]
    other = three_populations()
    other.seed = 2
    assert compile(other).digest() != digests[0]


def test_adding_a_projection_does_not_change_what_the_others_drew():
    small, large = three_populations(), three_populations()
    extra = large.add(InputPopulation(3, label="extra"))
    large.add(Projection(extra, large.populations[0], AllToAll(), weight=Normal(0.5, 0.1)))
    first, second = compile(small), compile(large)
    assert (first.weights[:20, :30] == second.weights[:20, :30]).all()


def test_distributions_and_matrices_are_weights():
    network = relay(3)
    network.projections[0].weight = np.diag([5.0, 10.0, 20.0])
    network.add(
        Projection(network.inputs[0], network.add(Population(9, LIF())), AllToAll(), weight=Uniform(1, 2))
    )
    image = compile(network)
    assert image.report.row("relay", "weight").relative < 0.01
    assert (np.diag(image.weights)[:3] / image.weights[0, 0]).tolist() == [1.0, 2.0, 4.0]
    assert len(np.unique(image.weights[:3, 16:25])) > 15


@pytest.mark.parametrize("amplitude", [0.8, 0.1, 1e-3, 3e-5])
@pytest.mark.parametrize("bounds", ["additive", "soft"])
def test_amplitudes_of_all_sizes_are_held(amplitude, bounds):
    network = Network()
    source, target = network.add(InputPopulation(2)), network.add(Population(2, LIF()))
    rule = STDP(A_plus=amplitude, A_minus=amplitude / 2, bounds=bounds, tau_plus=10.0)
    network.add(Projection(source, target, AllToAll(), weight=0.5, plasticity=rule, label="w"))
    report = compile(network).report
    assert report.row("w", "A_plus").relative < 0.01
    assert report.row("w", "A_minus").relative < 0.01
    assert report.row("w", "A_plus").note == ""


def two_delays():
    network = relay(4)
    other = network.add(Population(2, LIF()))
    network.add(Projection(network.inputs[0], other, AllToAll(), weight=1.0, delay=3.0))
    return network


def late_learner():
    network = relay(4)
    rule = STDP(w_max=1.0)
    learner = network.add(Population(2, LIF(), label="learner"))
    source = network.inputs[0]
    network.add(
        Projection(source, learner, AllToAll(), weight=0.5, delay=2.0, dendritic=1.0, plasticity=rule)
    )
    return network


CAPACITY = [
    (lambda: dense(20, 30), {"neurons": 20}, "neurons=30, 10 more than the array's 20"),
    (lambda: dense(20, 30), {"inputs": 10}, r"params.replace\(inputs=20\)"),
    (three_populations, {"segments": 3}, "segments=7, 4 more"),
    (three_populations, {"delay_slots": 2}, r"axons=20, 20 more"),
    (two_delays, {}, r"axons=4, 4 more"),
    (late_learner, {"axons": 4}, r"replace\(dendritic_delays=True\)"),
    (three_populations, {"generators": False}, "feature 'generators'"),
    (three_populations, {"stochastic_rounding": False}, "feature 'stochastic_rounding'"),
    (
        three_populations,
        {"plasticity": False, "soft_bounds": False, "stochastic_rounding": False, "reward": False},
        "feature 'plasticity'",
    ),
]


@pytest.mark.parametrize(("make", "changes", "words"), CAPACITY)
def test_capacity_errors_say_what_is_missing_and_what_would_do(make, changes, words):
    with pytest.raises(CapacityError, match=words) as caught:
        compile(make(), ArrayParams(**{"inputs": 48, "neurons": 64, **changes}))
    changed = eval("dict" + str(caught.value).partition("params.replace")[2].partition(" would")[0])
    compile(make(), ArrayParams(**{"inputs": 48, "neurons": 64, **changes, **changed}))


def test_adaptation_needs_its_feature():
    network = Network()
    network.add(Population(2, LIF(theta_plus=1.0)))
    with pytest.raises(CapacityError, match="adaptation"):
        compile(network, ArrayParams(adaptation=False))


def test_more_than_the_largest_array_is_said_at_once():
    network = Network()
    for _ in range(3):
        network.add(Population(2000, LIF()))
    with pytest.raises(CapacityError, match=r"neurons must be in 1\.\.2048, not 6"):
        compile(network)


def test_the_largest_network_gets_its_array():
    network = Network()
    network.add(PoissonInput(2048, rate=1.0))
    network.add(Population(2048, LIF()))
    params = compile(network).params
    assert (params.inputs, params.neurons) == (2048, 2048)


def conflict(first, second, **options):
    network = Network()
    source = network.add(InputPopulation(4, label="in"))
    neurons = [network.add(Population(4, LIF(), label=f"n{k}")) for k in range(2)]
    network.add(Projection(source, neurons[0], AllToAll(), weight=0.5, label="first", **first))
    network.add(Projection(source, neurons[1], AllToAll(), weight=0.5, label="second", **second))
    return compile(network)


def conflict_of_targets(first, second):
    """Two plastic projections onto the same neurons."""
    network = Network()
    target = network.add(Population(4, LIF(), label="n"))
    for k, options in enumerate((first, second)):
        source = network.add(InputPopulation(4, label=f"in{k}"))
        rule = STDP(w_max=1.0)
        network.add(Projection(source, target, AllToAll(), weight=0.5, plasticity=rule, **options))
    return compile(network)


@pytest.mark.parametrize("other", [{"tau_minus": 10.0}, {"pairing": "nearest"}])
def test_neurons_have_one_trace_for_all_that_learn_from_it(other):
    network = Network()
    target = network.add(Population(4, LIF(), label="n"))
    for k, options in enumerate(({}, other)):
        source = network.add(InputPopulation(4, label=f"in{k}"))
        rule = STDP(w_max=1.0, **options)
        network.add(Projection(source, target, AllToAll(), weight=0.5, plasticity=rule, label=f"w{k}"))
    with pytest.raises(NetworkError, match=r"'w0' and 'w1' share the traces.* tau_post and pairing"):
        compile(network)


def test_what_one_source_can_share_is_not_refused():
    conflict({"delay": 2.0}, {"delay": 3.0})
    conflict({"delay": 2.0}, {})
    conflict({"plasticity": STDP()}, {"plasticity": STDP(tau_minus=10.0, A_plus=0.1)})
    conflict({"plasticity": TraceTarget()}, {})


def test_what_needs_another_trace_of_a_source_has_another_row():
    assert conflict({"plasticity": STDP()}, {"plasticity": STDP(tau_minus=10.0)}).params.axons == 0
    assert conflict({"plasticity": STDP()}, {"plasticity": STDP(tau_plus=10.0)}).params.axons == 4
    assert conflict({"plasticity": STDP()}, {"plasticity": STDP(pairing="nearest")}).params.axons == 4
    assert conflict({"plasticity": STDP()}, {}).params.axons == 0


def test_a_second_synapse_of_a_pair_has_a_row_of_its_own():
    network = relay()
    network.add(Projection(network.inputs[0], network.populations[0], OneToOne(), weight=1.0, label="more"))
    image = compile(network)
    assert image.params.axons == network.inputs[0].n
    assert (image.weights != image.params.weight_absent).sum() == sum(
        info.count for info in image.projections.values()
    )


def test_delays_of_neurons_below_a_step_are_refused():
    network = Network()
    target = network.add(Population(4, LIF()))
    network.add(Projection(target, target, AllToAll(), weight=0.5, delay=0.0))
    with pytest.raises(NetworkError, match="at least one step"):
        compile(network)


def test_dendritic_delays_of_one_target_must_be_one():
    with pytest.raises(NetworkError, match="different dendritic delays, 1 and 2 ms"):
        conflict_of_targets({"delay": 2.0, "dendritic": 0.5}, {"delay": 2.0, "dendritic": 1.0})
    conflict_of_targets({"delay": 2.0, "dendritic": 1.0}, {"delay": 4.0, "dendritic": 0.5})


def test_dendritic_delays_have_a_limit():
    with pytest.raises(NetworkError, match=r"at most 127 steps \(127 ms\), not 128 steps"):
        conflict_of_targets({"delay": 128.0, "dendritic": 1.0}, {"delay": 128.0, "dendritic": 1.0})


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"delay": -1.0}, "delay must be"),
        ({"delay": np.nan}, "delay must be"),
        ({"delay": [1.0, 2.0]}, "delay must be"),
        ({"delay": np.ones((4, 3))}, "shape"),
        ({"delay": "long"}, "delay must be"),
        ({"delay": Normal(1.0, 1.0)}, "delays of projection"),
        ({"dendritic": 1.5}, "dendritic must be in"),
        ({"dendritic": True}, "dendritic must be"),
        ({"dendritic": [0.5]}, "dendritic must be"),
    ],
)
def test_delays_that_cannot_be_are_refused(wrong, words):
    with pytest.raises(ParameterError, match=words):
        conflict_of_targets(wrong, {})


def test_refractory_times_have_a_limit():
    network = Network(dt=0.1)
    network.add(Population(4, LIF(tau_refrac=26.0)))
    with pytest.raises(ParameterError, match=r"25.5 ms"):
        compile(network)


def test_targets_whose_weight_units_differ_cannot_learn_across_zero():
    network = Network()
    source = network.add(InputPopulation(2))
    target = network.add(Population(2, LIF(tau_syn_E=2.0, tau_syn_I=9.0)))
    rule = STDP(w_min=-1.0, w_max=1.0)
    network.add(Projection(source, target, AllToAll(), weight=0.5, plasticity=rule))
    with pytest.raises(NetworkError, match="one unit"):
        compile(network)


def test_weights_learn_across_zero_where_both_signs_are_alike():
    network = Network()
    source = network.add(InputPopulation(2))
    target = network.add(Population(2, LIF()))
    rule = STDP(w_min=-0.25, w_max=1.0)
    network.add(Projection(source, target, AllToAll(), weight=0.5, plasticity=rule, label="w"))
    image = compile(network)
    info = image.populations[str(target.label)]
    assert info.gain_exc == info.gain_inh
    assert image.report.row("w", "w_min").relative < 0.02


def test_a_network_without_neurons_is_refused():
    with pytest.raises(NetworkError, match="no population of neurons"):
        compile(Network())
