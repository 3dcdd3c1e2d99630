"""The gateware gives the model's bits, for generated arrays of every size, lane count and feature."""

import functools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from array_sizes import BASE, LANES, LARGER, NEURON_LANES
from synloom.base.errors import ParameterError
from synloom.contract import ArrayParams
from synloom.link.client import LinkPort
from synloom.selftest.comparison import agreement, play
from synloom.selftest.random_array import STYLES, random_array
from synloom_sim.board import Design, SimTransport
from synloom_sim.model_port import ModelPort

SMALL_PART = ArrayParams(
    inputs=17,
    neurons=20,
    lanes=4,
    neuron_lanes=1,
    weight_bits=4,
    state_bits=16,
    trace_bits=8,
    accumulator_bits=12,
    delay_slots=4,
    segments=16,
    probes=3,
    counter_bits=16,
    adaptation=False,
    soft_bounds=False,
    reward=False,
    stochastic_rounding=False,
    generators=False,
    spike_counters=False,
    teaching=False,
)
SERIAL = BASE.replace(lanes=8, neuron_lanes=1, serial_neurons=True)
SINGLE_PORT = BASE.replace(lanes=4, neuron_lanes=1, serial_neurons=True, single_port=True)


def with_lanes(params: ArrayParams, lanes: int) -> ArrayParams:
    """Return the same array on other lanes, the neuron lanes going along."""
    return params.replace(lanes=lanes, neuron_lanes=max(1, lanes // 2))


@functools.cache
def expected(params: ArrayParams, seed: int):
    """Return what the model does."""
    return play(ModelPort(params), random_array(params, seed))


def check(params: ArrayParams, seeds: range) -> None:
    """Compare every seed on one board, one after another without a reset."""
    port = LinkPort(SimTransport.build(Design(params)))
    try:
        assert port.params == params
        for seed in seeds:
            array = random_array(params, seed)
            # The model of one number of lanes stands for all: lanes must not matter to it either.
            want = expected(params.replace(lanes=16, neuron_lanes=1), seed)
            found = agreement(array, want, play(port, array))
            assert found.differing == {}, f"seed {seed} ({array.style})"
    finally:
        port.close()


@pytest.mark.parametrize("lanes", LANES)
def test_gateware_gives_the_models_bits_on_any_number_of_lanes(lanes):
    check(with_lanes(BASE, lanes), range(4 * len(STYLES)))


@pytest.mark.parametrize(
    "params",
    [
        SMALL_PART,
        SERIAL,
        SINGLE_PORT,
        SINGLE_PORT.replace(clock_hz=20_000_000),
        SMALL_PART.replace(
            lanes=2, single_port=True, serial_neurons=True, weight_bits=8, stochastic_rounding=True
        ),
    ],
    ids=["few features", "serial neurons", "single-ported weights", "slow clock", "both, few features"],
)
def test_gateware_gives_the_models_bits_in_every_structure(params):
    check(params, range(3 * len(STYLES)))


def test_generated_arrays_are_not_trivial():
    base = BASE
    spikes = [expected(base, seed).counters["spikes"] for seed in range(len(STYLES))]
    assert sum(n > 0 for n in spikes) >= 4
    assert max(spikes) >= BASE.neurons
    assert any(expected(base, seed).counters["acc_saturations"] for seed in range(12))


@pytest.mark.slow
@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("params", [BASE, LARGER], ids=["33 neurons", "100 neurons"])
def test_five_hundred_generated_arrays_agree(params, lanes):
    """250 seeds for each of two arrays, each on every number of lanes."""
    check(with_lanes(params, lanes), range(1000, 1250))


@st.composite
def array_params(draw):
    """Any legal array, small enough to compile quickly."""
    lanes = draw(st.sampled_from(LANES))
    serial = draw(st.booleans())
    plasticity = draw(st.booleans())
    parts = {
        name: plasticity and draw(st.booleans()) for name in ("soft_bounds", "stochastic_rounding", "reward")
    }
    names = ("adaptation", "generators", "spike_counters", "dendritic_delays", "teaching")
    others = {name: draw(st.booleans()) for name in names}
    values = {
        "inputs": draw(st.integers(1, 40)),
        "neurons": draw(st.integers(1, 40)),
        "axons": draw(st.sampled_from([0, 1, 16, 40])),
        "lanes": lanes,
        "neuron_lanes": 1 if serial else draw(st.sampled_from([n for n in NEURON_LANES if n <= lanes])),
        "serial_neurons": serial,
        "single_port": serial and draw(st.booleans()),
        "weight_bits": draw(st.sampled_from([4, 8])),
        "state_bits": draw(st.integers(12, 24)),
        "trace_bits": draw(st.integers(8, 16)),
        "accumulator_bits": draw(st.integers(10, 24)),
        "delay_slots": draw(st.sampled_from([2, 4, 16, 64, 256])),
        "segments": draw(st.integers(8, 64)),
        "probes": draw(st.integers(1, 8)),
        "counter_bits": draw(st.integers(16, 32)),
    }
    try:
        return ArrayParams(plasticity=plasticity, **parts, **others, **values)
    except ParameterError:
        return ArrayParams(plasticity=plasticity, **parts, **others, **values, record_words=2048)


@pytest.mark.slow
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(array_params())
def test_any_legal_array_agrees(params):
    check(params, range(len(STYLES)))
