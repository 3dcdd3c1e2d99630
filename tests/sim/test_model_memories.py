"""Regions through the port: what exists, what does not, and how words look."""

import numpy as np
import pytest
from array_setups import (
    get_counter,
    get_register,
    quiet_port,
    read_weights,
    set_register,
    write_neurons,
    write_probes,
    write_state,
    write_weights,
)

from places import counter_offset, record_offset, weight_offset
from synloom.contract.info import INFO_WORDS, decode_info
from synloom.contract.memory_map import memory_map, memory_of
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.contract.registers import CONTROL_REGISTERS, LINK_REGISTERS

MEMORIES = [
    memory.region
    for memory in memory_map(ArrayParams()).values()
    if memory.keeps and memory.empty is not None and len(memory.shape) == 1
]
"""Memories of one dimension that keep what is written."""


def test_info_describes_the_array():
    port = quiet_port(neurons=23, weight_bits=4)
    assert decode_info(port.read(Region.INFO, 0, INFO_WORDS).tolist()) == port.params
    port.write(Region.INFO, 0, [0])
    assert port.read(Region.INFO, 0, 1)[0] != 0


@pytest.mark.parametrize("region", MEMORIES)
def test_memory_keeps_what_is_written_and_nothing_beyond_its_end(region):
    port = quiet_port(inputs=20, neurons=5)
    size = memory_of(port.params, region).size
    port.write(region, 0, [0x1234] * (size + 3))
    words = port.read(region, 0, size + 3)
    assert (words[:3] == 0x1234).all()
    assert words[size - 1] in (0, 0x1234)
    assert not words[size:].any()
    assert not port.read(region, size + 100, 2).any()


def test_records_have_no_words_beyond_their_fields():
    port = quiet_port()
    memory = memory_of(port.params, Region.NEURON_PARAMS)
    used = memory.layout.words
    region, first, count = memory.span(1, 1)
    assert count > used
    port.write(region, first, [0xFFFF] * count)
    assert port.read(region, first, count).tolist() == [0xFFFF] * used + [0] * (count - used)


def test_traces_have_only_their_bits():
    port = quiet_port(trace_bits=10)
    port.write(Region.X_TRACE, 0, [0xFFFF])
    assert port.read(Region.X_TRACE, 0, 1)[0] == 0x3FF


@pytest.mark.parametrize("weight_bits", [4, 8])
def test_weights_are_bytes_in_twos_complement(weight_bits):
    port = quiet_port(weight_bits=weight_bits)
    largest = port.params.weight_max
    port.write(Region.WEIGHTS, weight_offset(3, 2), [largest, -largest & 0xFF, (-largest - 1) & 0xFF, 0xFF])
    expected = [largest, 256 - largest, 255 - largest, 0xFF]
    assert port.read(Region.WEIGHTS, weight_offset(3, 2), 4).tolist() == expected
    assert read_weights(port)[3, 2:6].tolist() == [largest, -largest, -largest - 1, -1]


def test_narrow_weights_take_the_low_bits():
    port = quiet_port(weight_bits=4)
    port.write(Region.WEIGHTS, 0, [0x75])
    assert port.read(Region.WEIGHTS, 0, 1)[0] == 5


@pytest.mark.parametrize("neurons", [1, 5, 16, 23])
def test_weight_offsets_go_on_in_the_next_row(neurons):
    port = quiet_port(inputs=5, neurons=neurons)
    p = port.params
    matrix = np.arange(p.sources * neurons).reshape(p.sources, neurons) % 100
    port.write(Region.WEIGHTS, 0, matrix.ravel())
    assert (read_weights(port) == matrix).all()
    for i in range(p.sources):
        row = port.read(Region.WEIGHTS, weight_offset(i, 0), neurons)
        assert row.tolist() == matrix[i].tolist()
    tail = port.read(Region.WEIGHTS, weight_offset(p.sources - 1, neurons - 1), 3)
    assert tail.tolist() == [matrix[-1, -1], 0, 0]


def test_weight_offsets_beyond_a_row_read_zero_until_the_next():
    port = quiet_port(inputs=5, neurons=5)
    write_weights(port, np.full((port.params.sources, 5), 9))
    assert port.read(Region.WEIGHTS, weight_offset(1, 5), 3).tolist() == [0, 0, 0]
    assert port.read(Region.WEIGHTS, weight_offset(1, 4094), 3).tolist() == [0, 0, 9]
    port.write(Region.WEIGHTS, weight_offset(1, 4095), [1, 2])
    assert read_weights(port)[2, :2].tolist() == [2, 9]


def test_single_words_of_neuron_state_can_be_written():
    port = quiet_port()
    write_state(port, v=[-5] * 8, refr=[3] * 8, ie=[100] * 8)
    place, everything = (
        record_offset(Region.NEURON_STATE, 1),
        memory_of(port.params, Region.NEURON_STATE).span(),
    )
    before = port.read(*everything)
    port.write(Region.NEURON_STATE, place, [0x0102])
    after = port.read(*everything)
    assert np.flatnonzero(before != after).tolist() == [place]
    assert port.model.state.v.tolist() == [-5, (-5 & ~0xFFFF) | 0x0102] + [-5] * 6


def test_every_word_of_neuron_state_can_be_probed():
    port = quiet_port(state_bits=19)
    top = port.params.state_max
    rng = np.random.default_rng(3)
    write_state(
        port,
        v=rng.integers(-top, top, 8),
        refr=rng.integers(0, 256, 8),
        ie=rng.integers(0, top, 8),
        ii=rng.integers(0, top, 8),
        theta=rng.integers(0, top, 8),
    )
    words = port.read(*memory_of(port.params, Region.NEURON_STATE).span()).tolist()
    for offset, word in enumerate(words):
        write_probes(port, [{"region": Region.NEURON_STATE, "offset": offset}])
        set_register(port, "probe_count", 1)
        assert port.model._memory.probe_values() == [word, 0]


@pytest.mark.parametrize("name", [n for n, r in CONTROL_REGISTERS.items() if r.writable])
def test_control_registers_keep_what_is_written(name):
    port = quiet_port()
    value = 0x9ABCDEF1 & ((1 << 16 * CONTROL_REGISTERS[name].words) - 1)
    others = {other: get_register(port, other) for other in CONTROL_REGISTERS if other != name}
    set_register(port, name, value)
    assert get_register(port, name) == value
    assert {other: get_register(port, other) for other in others} == others


def test_reward_is_signed():
    port = quiet_port()
    set_register(port, "reward", 0xFF00)
    assert port.model.state.registers.reward == -256


def test_observed_registers_cannot_be_written():
    port = quiet_port()
    for name in ("status", "event_room"):
        set_register(port, name, 5)
    assert get_register(port, "status") == 0
    assert get_register(port, "event_room") == port.params.event_words


def test_link_keeps_its_scratch_word_and_counts_no_errors():
    port = quiet_port()
    port.write(Region.LINK, 0, [7] * len(LINK_REGISTERS))
    words = port.read(Region.LINK, 0, len(LINK_REGISTERS))
    kept = [name for name, register in LINK_REGISTERS.items() if words[register.offset]]
    assert kept == ["divisor", "scratch"]


def test_counters_saturate_and_are_cleared_by_any_of_their_words():
    port = quiet_port(counter_bits=16)
    port.model.state.counters["spikes"] = 0xFFFC
    write_neurons(port, [{"thr": 0}] * 8)
    port.model.step()
    assert get_counter(port, "spikes") == 0xFFFF
    assert get_counter(port, "steps") == 1
    port.model.state.counters["steps"] = (1 << 48) - 1
    port.model.step()
    assert get_counter(port, "steps") == (1 << 48) - 1
    port.write(Region.COUNTERS, counter_offset("spikes") + 3, [0])
    assert get_counter(port, "spikes") == 0
    assert get_counter(port, "steps") != 0


def test_spike_counts_saturate():
    port = quiet_port()
    write_neurons(port, [{"thr": 0}] * 8)
    port.write(Region.SPIKE_COUNTS, 0, [0xFFFE, 0])
    for _ in range(3):
        port.model.step()
    assert port.read(Region.SPIKE_COUNTS, 0, 2).tolist() == [0xFFFF, 3]


def test_memories_of_features_that_are_not_there_read_as_zero():
    port = quiet_port(generators=False, spike_counters=False)
    for region in (Region.GEN_RATE, Region.GEN_PHASE, Region.SPIKE_COUNTS):
        port.write(region, 0, [5])
        assert port.read(region, 0, 1)[0] == 0


def test_fill_writes_one_value():
    port = quiet_port()
    port.fill(Region.Y_TRACE, 2, 3, 9)
    assert port.read(Region.Y_TRACE, 0, 6).tolist() == [0, 0, 9, 9, 9, 0]
