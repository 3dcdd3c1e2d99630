"""The fast model and the naive one agree on random contents: the guard of all batched paths."""

import numpy as np
from array_setups import get_counter, get_register, random_pair, read_state, read_weights
from hypothesis import given, settings
from hypothesis import strategies as st

from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.contract.registers import CONTROL_REGISTERS, COUNTERS
from synloom.contract.traces import TRACES

STEPS = 6


@st.composite
def small_params(draw):
    plasticity = draw(st.booleans())
    return ArrayParams(
        inputs=draw(st.integers(1, 20)),
        neurons=draw(st.integers(1, 20)),
        axons=draw(st.sampled_from([0, 0, 1, 5, 20])),
        lanes=draw(st.sampled_from([1, 2, 4, 8, 16, 32])),
        neuron_lanes=1,
        weight_bits=draw(st.sampled_from([4, 8])),
        state_bits=draw(st.integers(12, 24)),
        trace_bits=draw(st.integers(8, 16)),
        accumulator_bits=draw(st.sampled_from([10, 12, 20, 24])),
        delay_slots=draw(st.sampled_from([2, 4, 16, 256])),
        segments=12,
        plasticity=plasticity,
        soft_bounds=plasticity and draw(st.booleans()),
        stochastic_rounding=plasticity and draw(st.booleans()),
        reward=plasticity and draw(st.booleans()),
        adaptation=draw(st.booleans()),
        generators=draw(st.booleans()),
        spike_counters=draw(st.booleans()),
        dendritic_delays=draw(st.booleans()),
        teaching=draw(st.booleans()),
    )


def assert_same(port, naive, fired, expected):
    p = port.params
    assert fired == expected
    assert read_weights(port).tolist() == naive.w
    state = read_state(port)
    names = ("v", "ie", "ii", "refr", *(["theta"] if p.adaptation else []))
    assert {name: state[name] for name in names} == {name: getattr(naive, name) for name in names}
    for trace in TRACES:
        values = getattr(naive, trace.name)
        assert port.read(trace.region, 0, len(values)).tolist() == values, trace.name
    assert port.read(Region.SPIKE_COUNTS, 0, p.neurons).tolist() == naive.count
    assert port.read(Region.GEN_PHASE, 0, len(naive.phase)).tolist() == naive.phase
    wheel = [set(np.flatnonzero(slot).tolist()) for slot in port.model.state.wheel]
    assert wheel == naive.wheel
    for name in ("now", "learn_rng", "gen_rng", "mode", "reward"):
        words = CONTROL_REGISTERS[name].words
        assert get_register(port, name) == getattr(naive.reg, name) % (1 << 16 * words)
    counters = {name: get_counter(port, name) for name in COUNTERS}
    assert counters == naive.counters


@settings(max_examples=150, deadline=None, derandomize=True)
@given(params=small_params(), seed=st.integers(0, 2**32 - 1), loud=st.booleans())
def test_agrees_with_the_naive_transcription(params, seed, loud):
    rng = np.random.default_rng(seed)
    port, naive = random_pair(params, seed)
    for _ in range(STEPS):
        if loud:
            ids = rng.choice(params.inputs, params.inputs // 2, replace=False).tolist()
            ids += (params.first_neuron_source + rng.integers(0, params.neurons + 2, 2)).tolist()
            ids += rng.integers(0x4000, 0x7010, 2).tolist()
            for event in ids:
                naive.event(event)
            port.events([*ids, 0x8001])
        fired = port.model.step().tolist()
        assert_same(port, naive, fired, naive.step())
