"""Everything that users can get wrong before anything runs: one clear error each."""

import numpy as np
import pytest
import scipy.sparse
from small_networks import delta_cell, relay

from synloom import (
    LIF,
    STDP,
    AllToAll,
    FromMatrix,
    Image,
    InputPopulation,
    Network,
    NetworkError,
    Normal,
    OneToOne,
    PairRule,
    ParameterError,
    PoissonInput,
    Population,
    Projection,
    Recording,
    RegularInput,
    TraceTarget,
    compile,
)
from synloom.device.stimulus import events_from

NAN = float("nan")


class Drawn:
    """A distribution of somebody's own: `draw` returns what the function makes of the count."""

    def __init__(self, make):
        self.make = make

    def draw(self, count, rng):
        return self.make(count)


def send(spikes):
    image = compile(add(InputPopulation(3, label="in"), Population(1, LIF())))
    return events_from(spikes, image.input("in"), 0, 1.0)


def project(**options):
    network = Network()
    source, target = network.add(InputPopulation(3)), network.add(Population(2, LIF()))
    connector = options.pop("connector", AllToAll())
    network.add(Projection(source, target, connector, **options))
    return compile(network)


def add(*parts):
    network = Network()
    for part in parts:
        network.add(part)
    return network


POPULATION = Population(2, LIF(), label="a")

WRONG = [
    (lambda: LIF(tau_m=NAN), ParameterError, "tau_m must be at least 1e-09, not nan"),
    (lambda: LIF(tau_m=-5.0), ParameterError, "tau_m must be at least 1e-09, not -5"),
    (lambda: LIF(tau_m=0), ParameterError, "tau_m must be at least 1e-09"),
    (lambda: LIF(cm=0.0), ParameterError, r"cm must be in \[1e-09, 1e\+09\], not 0"),
    (lambda: LIF(cm=float("inf")), ParameterError, "cm must be in .*, not inf"),
    (lambda: LIF(tau_syn_E=-1.0), ParameterError, r"tau_syn_E must be in \[0, 1e\+09\]"),
    (lambda: LIF(tau_refrac=-1.0), ParameterError, r"tau_refrac must be in \[0, 1e\+09\]"),
    (lambda: LIF(theta_plus=-1.0), ParameterError, r"theta_plus must be in \[0, 1e\+09\]"),
    (lambda: LIF(v_thresh="high"), ParameterError, "v_thresh must be a number"),
    (lambda: LIF(v_thresh=None), ParameterError, "v_thresh must be a number"),
    (lambda: LIF(i_offset=True), ParameterError, "i_offset must be a number"),
    (lambda: LIF(i_offset=[1.0, NAN]), ParameterError, "i_offset must be in .*, not nan"),
    (lambda: LIF(i_offset=[]), ParameterError, "1-D array"),
    (lambda: LIF(i_offset=[[1.0]]), ParameterError, "1-D array"),
    (lambda: LIF(tau_m=[1.0, 2.0], cm=[1.0, 2.0, 3.0]), ParameterError, "one length"),
    (
        lambda: LIF(v_reset=-50.0),
        ParameterError,
        "v_reset must be below v_thresh, not -50 mV at a threshold of",
    ),
    (lambda: LIF(v_thresh=[-50.0, -70.0]), ParameterError, "not -65 mV at a threshold of -70 mV"),
    (lambda: LIF(reset_mode="soft"), ParameterError, "reset_mode must be one of"),
    (lambda: LIF(tau_membrane=3.0), TypeError, "tau_membrane"),
    (lambda: Population(0, LIF()), ParameterError, "1..2048, not 0"),
    (lambda: Population(2.5, LIF()), ParameterError, "whole number"),
    (lambda: Population(True, LIF()), ParameterError, "whole number"),
    (lambda: Population(3, LIF), ParameterError, "neuron model"),
    (lambda: Population(3, LIF(tau_m=[1.0, 2.0])), ParameterError, "length 3, one value per neuron, not 2"),
    (lambda: Population(3, LIF(), v_init=[1.0]), ParameterError, "v_init"),
    (lambda: Population(3, LIF(), v_range=0.0), ParameterError, r"v_range must be in \(0, 1e\+09\]"),
    (lambda: InputPopulation(-1), ParameterError, "1..2048, not -1"),
    (
        lambda: InputPopulation(2, spike_times=[[1.0]]),
        ParameterError,
        r"one sequence per channel \(2\), not 1",
    ),
    (lambda: InputPopulation(1, spike_times=[[-1.0]]), ParameterError, "at least 0, not -1"),
    (lambda: InputPopulation(1, spike_times=3.0), ParameterError, "sequence"),
    (lambda: PoissonInput(2, rate=-1.0), ParameterError, "rate must be at least 0"),
    (lambda: RegularInput(2, rate=[1.0, 2.0, 3.0]), ParameterError, "length 2, not of length 3"),
    (lambda: compile(add(PoissonInput(2, rate=1001.0), Population(1, LIF()))), ParameterError, "1000 Hz"),
    (lambda: Network(dt=0.0), ParameterError, r"dt must be in \[0.001, 1000\], not 0"),
    (lambda: Network(dt=NAN), ParameterError, "dt"),
    (lambda: Network(dt=[1.0, 2.0]), ParameterError, "one number"),
    (lambda: Network(seed=-1), ParameterError, "seed"),
    (lambda: Network(step=1.0), TypeError, "step"),
    (lambda: Network().add(3), NetworkError, "a population, an input population or a projection, not 3"),
    (lambda: add(POPULATION, POPULATION), NetworkError, "already"),
    (lambda: add(Population(1, LIF(), label="b"), InputPopulation(1, label="b")), NetworkError, "is taken"),
    (lambda: add(Population(1, LIF(), label=3)), ParameterError, "label must be"),
    (
        lambda: Network().add(Projection(POPULATION, POPULATION, AllToAll(), weight=1.0)),
        NetworkError,
        "before the projections",
    ),
    (lambda: Projection(POPULATION, InputPopulation(1), AllToAll()), NetworkError, "post must be"),
    (lambda: Projection("a", POPULATION, AllToAll()), NetworkError, "pre must be"),
    (lambda: project(connector="all"), ParameterError, "connector must be"),
    (lambda: project(), NetworkError, "give a weight="),
    (lambda: project(connector=FromMatrix(np.ones((3, 2))), weight=1.0), NetworkError, "leave out weight="),
    (lambda: project(weight=NAN), ParameterError, "weight must be in .*, not nan"),
    (lambda: project(weight="1"), ParameterError, "weight must be a number"),
    (lambda: project(weight=np.ones((2, 3))), ParameterError, r"shape \(3, 2\)"),
    (lambda: project(weight=1.0, delay=-1.0), ParameterError, "delay must be at least 0"),
    (lambda: project(weight=1.0, delay=[1.0, 2.0]), ParameterError, "length 3, not of length 2"),
    (lambda: project(weight=1.0, plasticity=STDP), ParameterError, "plasticity must be a rule"),
    (lambda: project(weight=1.0, plasticity="stdp"), ParameterError, "plasticity must be a rule"),
    (lambda: project(weight=1.5, plasticity=STDP(w_max=1.0)), ParameterError, "0..1, not 1.5"),
    (
        lambda: project(weight=0.5, plasticity=TraceTarget(target=20.0)),
        ParameterError,
        "must be at most 16.8201 spikes, not 20",
    ),
    (lambda: STDP(tau_plus=0.0), ParameterError, "tau_plus must be above 0"),
    (lambda: STDP(A_plus=NAN), ParameterError, "A_plus"),
    (lambda: STDP(w_min=1.0, w_max=1.0), ParameterError, "w_min must be below w_max"),
    (lambda: STDP(bounds="hard"), ParameterError, "'additive', 'soft'"),
    (lambda: STDP(pairing="nearest_neighbour"), ParameterError, "pairing"),
    (lambda: STDP(rounding="floor"), ParameterError, "rounding"),
    (lambda: STDP(reward=1), ParameterError, "reward must be True or False"),
    (lambda: TraceTarget(tau=-1.0), ParameterError, "tau must be above 0"),
    (lambda: PairRule(x0=-1.0), ParameterError, "x0 must be at least 0"),
    *(
        (
            lambda t=time: send([(t, 0)]),
            ParameterError,
            f"'in' must be under 2147483648 steps.*, not {text} ms",
        )
        for time, text in ((2.0**31, "2.14748e\\+09"), (1e19, "1e\\+19"), (1e308, "1e\\+308"))
    ),
    (
        lambda: compile(add(InputPopulation(1, spike_times=[[1e30]]), Population(1, LIF()))),
        ParameterError,
        r"spike_times of 'input0' must be under 2147483648 steps",
    ),
    (
        lambda: project(weight=1.0, delay=1e30),
        ParameterError,
        "delay of projection .* under 2147483648 steps",
    ),
    (
        lambda: project(weight=Drawn(lambda n: np.full(n, NAN))),
        ParameterError,
        "weights of projection .*, not nan",
    ),
    (lambda: project(weight=Drawn(lambda n: np.ones(n + 1))), ParameterError, r"shape \(6,\), not \(7,\)"),
    (lambda: project(weight=Drawn(lambda n: None)), ParameterError, r"shape \(6,\), not \(\)"),
    (lambda: project(weight=Drawn(lambda n: ["a"] * n)), ParameterError, "number"),
    (lambda: FromMatrix(scipy.sparse.csr_matrix([[1j]])), ParameterError, "not complex128"),
    (lambda: project(connector=AllToAll, weight=1.0), ParameterError, r"write AllToAll\(\)"),
    (lambda: project(weight=1e300), ParameterError, r"weight must be .*, not 1e\+300"),
    (
        lambda: project(connector=FromMatrix(np.full((3, 2), 1e300))),
        ParameterError,
        r"weights .* not 1e\+300",
    ),
    (lambda: LIF(cm=1e300), ParameterError, r"cm must be in .*, not 1e\+300"),
    (lambda: LIF(i_offset=-1e300), ParameterError, r"i_offset must be .*, not -1e\+300"),
    (lambda: LIF(v_thresh=1e300), ParameterError, r"v_thresh must be .*, not 1e\+300"),
    (lambda: Network(dt=1e-300), ParameterError, "dt must be in .*, not 1e-300"),
    (lambda: Normal(0.0, 1.0, low="x"), ParameterError, "low must be a number"),
    (lambda: Normal(0.0, 1.0, low=2.0, high=1.0), ParameterError, "low must be at most high"),
    (lambda: Image.load(3.5), ParameterError, "path must be a str or a path, not 3.5"),
    (lambda: compile("network"), NetworkError, "needs a Network"),
    (lambda: compile(relay(), {"neurons": 4}), ParameterError, "params must be ArrayParams"),
]


@pytest.mark.parametrize(("make", "error", "words"), WRONG)
def test_one_clear_error(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_errors_of_values_are_also_pythons():
    with pytest.raises(ValueError, match="tau_m"):
        LIF(tau_m=-1.0)


@pytest.mark.parametrize("weight", [5e-324, 1e-300, 1e-30, -1e-300])
def test_weights_too_small_for_any_bit_are_nothing(weight):
    assert (project(weight=weight).weights[:3, :2] == 0).all()


@pytest.mark.parametrize(
    "options",
    [
        {"cm": 1e9},
        {"cm": 1e-9},
        {"i_offset": 1e9},
        {"tau_m": 1e-9},
        {"tau_m": 1e-3},
        {"tau_syn_E": 1e-300},
        {"tau_syn_I": 1e9},
    ],
)
def test_the_ends_of_the_ranges_compile(options):
    network = add(Population(2, LIF(**options)), InputPopulation(3))
    network.add(Projection(network.inputs[0], network.populations[0], AllToAll(), weight=0.1))
    compile(network)


def test_a_run_of_no_steps_has_no_rates():
    none = np.zeros(0, dtype=np.int64)
    recording = Recording(0, 0, 1.0, {"p": 3}, {"p": none}, {"p": none}, {})
    assert recording.rates("p").tolist() == [0.0, 0.0, 0.0]


def test_labels_are_given_and_stay_unique():
    network = Network()
    first = network.add(Population(2, delta_cell()))
    second = network.add(Population(2, delta_cell()))
    network.add(Projection(first, second, OneToOne(), weight=1.0))
    twin = network.add(Projection(first, second, OneToOne(), weight=1.0))
    assert (first.label, second.label, twin.label) == (
        "population0",
        "population1",
        "population0->population1#2",
    )
