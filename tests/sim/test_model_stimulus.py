"""Delays, exact-time events and generators."""

import numpy as np
import pytest
from array_setups import (
    finish,
    get_counter,
    get_register,
    quiet_port,
    set_register,
    write_neurons,
    write_sources,
    write_targets,
)
from naive_array import bernoulli, later, number

from places import wheel_offset
from synloom.contract.frames import RunFlag
from synloom.contract.regions import Region


def active_ids(port):
    """Execute a step and return which sources were active, seen by the traces they raise."""
    port.write(Region.X_TRACE, 0, [0] * port.params.sources)
    port.model.step()
    return np.flatnonzero(port.read(Region.X_TRACE, 0, port.params.sources)).tolist()


def watched_port(**sizes):
    port = quiet_port(**sizes)
    write_sources(port, [{"nearest": 1}] * port.params.sources)
    set_register(port, "one_x", 1)
    return port


@pytest.mark.parametrize("delay", [1, 2, 7, 15])
@pytest.mark.parametrize("now", [0, 13, 0xFFFFFFFE])
def test_spike_is_active_after_its_delay(delay, now):
    port = watched_port()
    p = port.params
    set_register(port, "now", now)
    write_neurons(
        port, [{"thr": 5 if n == 3 else p.state_max, "bias": 5, "refractory": 255} for n in range(8)]
    )
    write_targets(port, [{"delay": delay}] * p.neurons)
    seen = [active_ids(port) for _ in range(18)]
    assert seen == [[]] * delay + [[p.first_neuron_source + 3]] + [[]] * (17 - delay)
    assert get_register(port, "now") == (now + 18) & 0xFFFFFFFF


def test_delay_zero_sends_a_spike_nowhere():
    port = watched_port()
    write_neurons(port, [{"thr": 0}] * 8)
    assert [active_ids(port) for _ in range(17)] == [[]] * 17
    assert get_counter(port, "spikes") == 17 * 8


def test_wheel_words_show_and_take_spikes():
    port = watched_port(inputs=20, neurons=5)
    port.write(Region.WHEEL, wheel_offset(2, 0), [0x8001, 0x0003, 0x0010])
    assert port.read(Region.WHEEL, wheel_offset(2, 0), 4).tolist() == [0x8001, 0x0003, 0x0010, 0]
    assert [active_ids(port) for _ in range(3)] == [[], [], [0, 15, 16, 17, 36]]
    assert port.read(Region.WHEEL, wheel_offset(2, 0), 3).tolist() == [0, 0, 0]


def test_padding_ids_never_spike():
    port = watched_port(inputs=3, neurons=5)
    port.write(Region.WHEEL, 0, [0xFFFF, 0xFFFF])
    assert active_ids(port) == [0, 1, 2, 16, 17, 18, 19, 20]


def test_events_are_due_at_the_cursor():
    port = watched_port()
    port.events([4, 2, 0x8001, 3, 0x8002, 1])
    assert [active_ids(port) for _ in range(5)] == [[2, 4], [3], [], [1], []]


def test_writing_now_empties_the_queue_and_sets_the_cursor():
    port = watched_port()
    port.events([0x8005, 4])
    set_register(port, "now", 1000)
    assert get_register(port, "event_room") == port.params.event_words
    port.events([7])
    assert active_ids(port) == [7]


def test_cursor_goes_on_across_runs():
    port = watched_port()
    port.events([0x8003])
    port.run(3)
    finish(port)
    port.events([5])
    assert active_ids(port) == [5]


def test_late_merged_and_invalid_events_are_counted():
    port = watched_port(inputs=10)
    for _ in range(2):
        port.model.step()
    port.events([1, 0x8001, 2, 10, 0x8001, 3, 3, 3])
    assert active_ids(port) == [3]
    assert get_counter(port, "events_late") == 2
    assert get_counter(port, "events_merged") == 2
    assert get_counter(port, "events_invalid") == 1


def test_event_queue_takes_all_words_or_none():
    port = watched_port(event_words=16)
    assert not port.events([0x8001] * 17)
    assert get_register(port, "event_room") == 16
    assert port.events([0x8001] * 16)
    assert not port.events([1])
    assert get_register(port, "event_room") == 0


def test_bernoulli_generators_compare_their_numbers_with_the_rate():
    port = watched_port(inputs=20)
    rates = [0, 0x7FFF, *(7 << 12 | m for m in range(200, 4000, 400)), *(f << 12 | 0xFFF for f in range(8))]
    port.write(Region.GEN_RATE, 0, rates)
    set_register(port, "gen_words", 2)
    state = 0x0123456789ABCDEF
    set_register(port, "gen_rng", state)
    for _ in range(40):
        numbers = [number(state, i, 30) for i in range(20)]
        assert active_ids(port) == [i for i in range(20) if bernoulli(rates[i], numbers[i])]
        state = later(state, 30 * 32)
    assert get_register(port, "gen_rng") == state


@pytest.mark.parametrize(("exponent", "mantissa"), [(7, 410), (6, 3277), (5, 3277), (4, 3277)])
def test_generators_keep_their_rate(exponent, mantissa):
    port = watched_port(inputs=64)
    port.write(Region.GEN_RATE, 0, [exponent << 12 | mantissa] * 64)
    set_register(port, "gen_words", 4)
    set_register(port, "gen_rng", 0x9E3779B97F4A7C15)
    rate, steps = mantissa / 4096 / 8 ** (7 - exponent), 3000
    count = sum(len(active_ids(port)) for _ in range(steps))
    assert abs(count - 64 * steps * rate) < 4 * (64 * steps * rate) ** 0.5


PERIODS = {0x8000 | 7 << 12 | 4 * 512: 4, 0x8000 | 6 << 12 | 10 * 64: 10, 0x8000 | 4 << 12 | 33: 33}


def test_regular_generators_spike_first_after_one_period_and_then_once_in_each():
    port = watched_port()
    port.write(Region.GEN_RATE, 0, list(PERIODS))
    set_register(port, "gen_words", 1)
    steps = [active_ids(port) for _ in range(100)]
    for i, period in enumerate(PERIODS.values()):
        assert [t for t, ids in enumerate(steps) if i in ids] == list(range(period, 100, period))


def test_a_long_period_counts_in_ticks_of_now():
    port = watched_port()
    port.write(Region.GEN_RATE, 0, [0x8000 | 3 << 12 | 3, 0x8000 | 2 << 12 | 1])
    set_register(port, "gen_words", 1)
    steps = [active_ids(port) for _ in range(150)]
    assert [t for t, ids in enumerate(steps) if 0 in ids] == list(range(24, 150, 24))
    assert [t for t, ids in enumerate(steps) if 1 in ids] == [64, 128]


def test_generators_do_not_run_without_their_words_or_their_feature():
    for generators, words in ((True, 0), (False, 1)):
        port = watched_port(generators=generators)
        port.write(Region.GEN_RATE, 0, [0x7FFF])
        set_register(port, "gen_words", words)
        assert active_ids(port) == []
        assert get_register(port, "gen_rng") == 1


def test_gated_run_waits_until_the_cursor_is_beyond_the_step():
    port = watched_port()
    port.run(3, RunFlag.GATED)
    assert port.records(0.01).tolist() == []
    port.events([2, 0x8002])
    assert port.records(0.01).tolist() == []
    assert get_register(port, "now") == 2
    port.events([0x8001])
    assert finish(port) == [0xFFFF, 3, 0, 0]
