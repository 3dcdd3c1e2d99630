"""The fast engine gives the model's bits, in everything that can be read."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from array_sizes import BASE, LANES, LARGER
from synloom.contract import ArrayParams
from synloom.contract.frames import ControlAction, RunFlag
from synloom.contract.memory_map import memory_map
from synloom.contract.regions import Region
from synloom.contract.registers import control
from synloom.selftest.comparison import agreement, play
from synloom.selftest.random_array import STYLES, random_array
from synloom.selftest.random_network import random_network
from synloom_sim.fast.array import FastArray
from synloom_sim.fast_port import FastPort
from synloom_sim.model import ArrayModel
from synloom_sim.model_port import ModelPort


def pair(params):
    return ArrayModel(params), FastArray(params)


def write_register(array, name, value):
    register = control(name)
    array.write(Region.CTRL, register.offset, register.pack(value))


def load(arrays, contents):
    for array in arrays:
        for write in contents.writes():
            array.write(*write)


def everything(array):
    """All readable words by region, weights at their places."""
    words = {}
    for region, memory in memory_map(array.params).items():
        region_, offset, count = memory.extent()
        words[region.name] = array.read(region_, offset, count)
    return words


def assert_same(arrays):
    model, fast = (everything(array) for array in arrays)
    for name, words in model.items():
        different = np.flatnonzero(words != fast[name])
        assert different.size == 0, (name, different[:10], words[different[:10]], fast[name][different[:10]])


PLAIN = RunFlag(0)


def compared(arrays, limit):
    """Advance both by up to `limit` steps and compare all that can be read; return the steps done."""
    done = [array.advance(limit) for array in arrays]
    assert done[0] == done[1]
    assert arrays[0].recorder.waiting == arrays[1].recorder.waiting
    assert_same(arrays)
    return done[0]


def taken(arrays):
    """Take the same records from both."""
    records = [array.recorder.take().tolist() for array in arrays]
    assert records[0] == records[1]
    return records[0]


def run(arrays, steps, limits, flags=PLAIN):
    """Run both in pieces, and compare everything after each."""
    for array in arrays:
        array.start(steps, flags)
    for limit in limits:
        compared(arrays, limit)
        taken(arrays)


def loaded(params, seed, steps=24, make=random_array):
    """Return both engines with the same random contents and events."""
    arrays, contents = pair(params), make(params, seed, steps)
    load(arrays, contents)
    for array in arrays:
        array.push_events(contents.events.tolist())
    return arrays


@pytest.mark.parametrize("seed", range(4 * len(STYLES)))
def test_generated_arrays_give_the_models_bits(seed):
    run(loaded(BASE, seed), 24, (1, 2, 3, 1, 7, 100))


@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("seed", [0, 2, 3])
def test_lanes_change_only_the_chunks(lanes, seed):
    run(loaded(BASE.replace(lanes=lanes), seed), 24, (5, 100))


@pytest.mark.parametrize("seed", range(3))
def test_a_network_that_lives_and_learns(seed):
    params = ArrayParams(inputs=48, neurons=100, axons=16, delay_slots=16, lanes=16, dendritic_delays=True)
    arrays = loaded(params, seed, 120, random_network)
    before = arrays[0].read(Region.WEIGHTS, 0, params.neurons)
    run(arrays, 120, (37, 1, 200))
    assert (arrays[0].read(Region.WEIGHTS, 0, params.neurons) != before).any()
    assert arrays[0].state.counters["spikes"] > params.neurons


def test_a_silent_stretch_is_told_in_time_words():
    arrays = loaded(BASE, 1)  # a silent array
    for array in arrays:
        write_register(array, "probe_count", 0)
        write_register(array, "now", 0xFFFFC000)
    run(arrays, 40_000, (16_381, 1, 1, 1, 30_000))


def test_a_full_buffer_stops_both_at_the_same_step():
    arrays = loaded(BASE.replace(record_words=512), 2)  # everyone fires
    for array in arrays:
        array.start(3000, PLAIN)
    while arrays[0].running:
        assert compared(arrays, 1000) < 1000 or not arrays[0].running
        assert taken(arrays)


def test_pauses_and_aborts_between_steps():
    arrays = loaded(BASE, 0)
    for array in arrays:
        array.start(20, PLAIN)
    for action in (ControlAction.PAUSE, ControlAction.PAUSE, ControlAction.RESUME, ControlAction.ABORT):
        compared(arrays, 4)
        for array in arrays:
            array.control(action)
        taken(arrays)
    run(arrays, 5, (2, 100))


def test_a_gated_run_waits_for_its_events():
    arrays = loaded(BASE, 1)
    for array in arrays:
        write_register(array, "now", 7)
        array.start(20, RunFlag.GATED)
    for words in ([3, 4, 4], [0x8001], [5, 0x8002, 9], [600, 1, 0x8001], [0x8000 | 40]):
        for array in arrays:
            assert array.push_events(words)
        compared(arrays, 100)
        taken(arrays)
    assert not arrays[1].running


def test_a_full_event_queue_takes_none():
    arrays = pair(BASE.replace(event_words=16))
    for array in arrays:
        assert array.push_events([1] * 15)
        assert not array.push_events([1, 2])
        assert array.push_events([0x8001])
        array.start(10, PLAIN)
    for words in ([], [2] * 16, [0x8003] * 8):
        assert len({array.push_events(words) for array in arrays}) == 1
        compared(arrays, 3)


@pytest.mark.parametrize("seed", [0, 3, 4, 12])
def test_what_is_written_between_steps_acts(seed):
    arrays, others = loaded(BASE, seed), random_array(BASE, seed + 6)
    for array in arrays:
        array.start(100, PLAIN)
    for write in others.writes():
        if write[0] is Region.CTRL:
            continue  # a jump of the time within a run has no records
        for array in arrays:
            array.write(*write)
        compared(arrays, 2)
        taken(arrays)


@pytest.mark.parametrize("seed", [2, 3])
def test_single_steps_without_a_run(seed):
    arrays = loaded(BASE.replace(record_words=512), seed)
    for array in arrays:
        write_register(array, "now", 0)
    for _ in range(40):
        fired = [array.step().tolist() for array in arrays]
        assert fired[0] == fired[1]
        assert_same(arrays)
    taken(arrays)


@pytest.mark.parametrize("region", [Region.CTRL, Region.COUNTERS, Region.WHEEL, Region.INFO, Region.PROGRAM])
def test_probes_of_what_the_loop_does_not_see(region):
    arrays = loaded(BASE, 0)
    memory = memory_map(BASE)[Region.PROBES]
    count = 2
    probe = memory.write({"region": [region] * count, "offset": [0, 2], "wide": [1, 0]})
    for array in arrays:
        array.write(*probe)
        write_register(array, "probe_count", count)
        write_register(array, "probe_every", 3)
    run(arrays, 24, (1, 6, 100))


def test_counters_saturate_alike():
    params = BASE.replace(counter_bits=16)
    arrays = loaded(params, 2)
    for array in arrays:
        array.start(1 << 20, PLAIN)
        for name in ("spikes", "row_passes", "steps"):
            array.state.counters[name] = (1 << 48) - 40
    for _ in range(3):
        compared(arrays, 10)


@st.composite
def array_params(draw):
    """Any legal array of some tens of neurons."""
    lanes, plasticity = draw(st.sampled_from(LANES)), draw(st.booleans())
    parts = ("soft_bounds", "stochastic_rounding", "reward")
    others = ("adaptation", "generators", "spike_counters", "dendritic_delays", "teaching")
    return ArrayParams(
        inputs=draw(st.integers(1, 40)),
        neurons=draw(st.integers(1, 40)),
        axons=draw(st.sampled_from([0, 1, 16, 40])),
        lanes=lanes,
        neuron_lanes=1,
        weight_bits=draw(st.sampled_from([4, 8])),
        state_bits=draw(st.integers(12, 24)),
        trace_bits=draw(st.integers(8, 16)),
        accumulator_bits=draw(st.integers(10, 24)),
        delay_slots=draw(st.sampled_from([2, 4, 16, 64, 256])),
        segments=draw(st.integers(8, 64)),
        probes=draw(st.integers(1, 8)),
        counter_bits=draw(st.integers(16, 32)),
        plasticity=plasticity,
        **{name: plasticity and draw(st.booleans()) for name in parts},
        **{name: draw(st.booleans()) for name in others},
    )


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(array_params(), st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 50]))
def test_any_legal_array_gives_the_models_bits(params, seed, limit):
    run(loaded(params, seed, 12), 12, [limit] * (12 // limit + 1))


@pytest.mark.slow
@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("params", [BASE, LARGER], ids=["33 neurons", "100 neurons"])
def test_five_hundred_generated_arrays_agree(params, lanes):
    """250 seeds for each of two arrays, each on every number of lanes, one after another without a reset."""
    params = params.replace(lanes=lanes)
    model, fast = ModelPort(params), FastPort(params)
    for seed in range(1000, 1250):
        array = random_array(params, seed)
        expected, got = play(model, array), play(fast, array)
        assert agreement(array, expected, got).differing == {}, f"seed {seed} ({array.style})"
        assert got.counters == expected.counters


def test_a_run_through_the_port_gives_the_models_bits():
    params = BASE.replace(event_words=32)
    for seed in range(len(STYLES)):
        array = random_array(params, seed, steps=60)
        found = agreement(array, play(ModelPort(params), array), play(FastPort(params), array))
        assert found.differing == {}
