"""The record stream, word for word."""

import pytest
from array_setups import finish, quiet_port, set_register, write_neurons, write_probes, write_state

from places import record_offset, weight_offset
from synloom.contract.frames import ControlAction
from synloom.contract.records import TIME_MAX
from synloom.contract.regions import Region
from synloom_sim.model.recorder import Recorder

END = [0xFFFF]
TIME = 3 << 14
PROBES = 2 << 14
BITMAP = 1 << 14


def firing_port(*, now=0, **sizes):
    """A port with neurons that fire when their V is raised, and are silent after it."""
    port = quiet_port(**({"neurons": 40} | sizes))
    write_neurons(port, [{"thr": 10, "reset": 0, "dm": 0xFFFF}] * port.params.neurons)
    set_register(port, "mode", 4)
    set_register(port, "now", now)
    return port


def fire(port, *ids):
    """Let some neurons fire in every step, and no others."""
    p = port.params
    write_neurons(port, [{"thr": 10, "dm": 0xFFFF, "bias": 10 * (n in ids)} for n in range(p.neurons)])


def test_silence_records_nothing_but_the_end():
    port = firing_port(now=0x12345)
    port.run(5)
    assert finish(port) == [*END, 0x234A, 1, 0]


def test_few_spikes_are_a_list_and_many_a_bitmap():
    port = firing_port()
    fire(port, 3, 39)
    port.run(1)
    assert finish(port) == [2, 3, 39, *END, 1, 0, 0]
    fire(port, 0, 15, 32)
    port.run(1)
    assert finish(port) == [BITMAP | 3, 0x8001, 0, 1, *END, 2, 0, 0]


def test_single_word_array_always_records_a_bitmap():
    port = firing_port(neurons=5)
    fire(port, 4)
    port.run(1)
    assert finish(port) == [BITMAP | 1, 16, *END, 1, 0, 0]


def test_time_words_say_how_far_the_next_record_is():
    port = firing_port()
    set_register(port, "probe_count", 1)
    set_register(port, "probe_every", 3)
    set_register(port, "probe_wait", 2)
    write_probes(port, [{"region": Region.SPIKE_COUNTS, "offset": 1}])
    fire(port, 1)
    set_register(port, "mode", 0)
    port.run(6)
    assert finish(port) == [TIME | 2, PROBES | 1, 3, 0, TIME | 3, PROBES | 1, 6, 0, *END, 6, 0, 0]


def test_long_silence_is_written_in_full_time_words():
    port = firing_port()
    port.run(TIME_MAX + 4)
    assert finish(port) == [TIME | TIME_MAX, *END, TIME_MAX + 4, 0, 0]


def test_time_word_after_a_record_counts_from_its_step():
    recorder = Recorder(quiet_port().params)
    recorder.begin(0)
    recorder.probes(5, [1, 0])
    for t in range(5, 5 + TIME_MAX):
        recorder.end_step(t)
    recorder.probes(5 + TIME_MAX, [2, 0])
    assert recorder.take().tolist() == [TIME | 5, PROBES | 1, 1, 0, TIME | TIME_MAX, PROBES | 1, 2, 0]


def test_spikes_come_before_probes_which_see_the_state_after_the_step():
    port = firing_port()
    fire(port, 2)
    write_state(port, ii=[0] * 39 + [0x12345])
    count = {"region": Region.SPIKE_COUNTS, "offset": 2}
    v, ie = (
        {"region": Region.NEURON_STATE, "wide": 1, "offset": record_offset(Region.NEURON_STATE, 39, name)}
        for name in ("v", "ie")
    )
    write_probes(port, [count, v, ie])
    set_register(port, "probe_count", 3)
    port.run(1)
    words = finish(port)
    state = port.read(Region.NEURON_STATE, record_offset(Region.NEURON_STATE, 39), 4).tolist()
    assert words[:9] == [1, 2, PROBES | 3, 1, 0, *state]
    assert state[:2] == [-0x12345 & 0xFFFF, 0xFE]


def test_probe_of_weights_goes_on_in_the_next_row_and_beyond_memory_sees_zero():
    port = firing_port(neurons=5, probes=3)
    last = weight_offset(0, 4)
    port.write(Region.WEIGHTS, last, [11, 0xF4])
    write_probes(
        port,
        [
            {"region": Region.WEIGHTS, "wide": 1, "offset": last},
            {"region": Region.Y_TRACE, "wide": 1, "offset": 4},
            {"region": 31},
        ],
    )
    port.write(Region.Y_TRACE, 4, [77])
    set_register(port, "probe_count", 3)
    port.run(1)
    assert finish(port)[1:7] == [11, 0xF4, 77, 0, 0, 0]


def test_probe_entries_are_three_words():
    port = firing_port()
    port.write(Region.PROBES, 0, [1, 2, 3, 4])
    assert port.read(Region.PROBES, 0, record_offset(Region.PROBES, 1)).tolist() == [1, 2, 3, 0]


def test_raster_can_be_off():
    port = firing_port()
    fire(port, 3)
    set_register(port, "mode", 0)
    port.run(2)
    assert finish(port) == [*END, 2, 0, 0]


@pytest.mark.parametrize("action", [ControlAction.PAUSE, ControlAction.ABORT])
def test_stream_time_starts_again_after_a_pause_or_an_abort(action):
    port = firing_port()
    port.run(100)
    port.model.advance(4)
    port.control(action)
    expected = [*END, 4, 0, 1 if action == ControlAction.PAUSE else 2]
    assert port.records(0).tolist() == expected
    fire(port, 1)
    if action == ControlAction.PAUSE:
        port.control(ControlAction.RESUME)
    else:
        port.run(96)
    assert port.records(1.0).tolist()[:3] == [1, 1, TIME | 1]
