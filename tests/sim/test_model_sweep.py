"""The sweep and the rows that feed it, step by step on one or two neurons."""

import numpy as np
from array_setups import (
    get_counter,
    quiet_port,
    read_state,
    read_weights,
    set_register,
    write_neurons,
    write_segments,
    write_sources,
    write_state,
    write_targets,
    write_weights,
)
from naive_array import later

from synloom.contract.regions import Region

DELTA = 0xFFFF


def neuron_port(*, weights=None, source=None, segment=None, mode=0, one_x=0, **neuron):
    """A port with 16 inputs and neurons of one kind, all driven by input 0's row."""
    port = quiet_port()
    p = port.params
    write_neurons(port, [{"thr": p.state_max} | neuron] * p.neurons)
    write_segments(port, [{"hi": p.neurons} | (segment or {})])
    write_sources(port, [{"connected": 1} | (source or {})] * p.sources)
    matrix = np.full((p.sources, p.neurons), p.weight_absent)
    for (i, j), w in (weights or {}).items():
        matrix[i, j] = w
    write_weights(port, matrix)
    set_register(port, "mode", mode)
    set_register(port, "one_x", one_x)
    return port


def send(port, *ids):
    """Make inputs spike in the next step, and execute it."""
    port.events([*sorted(ids), 0x8001])
    return port.model.step().tolist()


def test_delta_synapse_delivers_its_charge_in_the_step_of_arrival():
    port = neuron_port(weights={(0, 1): 50}, segment={"shift": 2}, de=DELTA, di=DELTA, g_e=3)
    send(port, 0)
    state = read_state(port)
    assert state["v"][1] == 50 << 2 << 3
    assert state["ie"][1] == 0
    port.model.step()
    assert read_state(port)["v"][1] == 1600


def test_current_enters_before_it_decays():
    port = neuron_port(weights={(0, 0): 100}, de=1 << 15)
    send(port, 0)
    assert (read_state(port)["v"][0], read_state(port)["ie"][0]) == (100, 50)
    port.model.step()
    assert (read_state(port)["v"][0], read_state(port)["ie"][0]) == (150, 25)


def test_inhibition_is_stored_positive_and_pulls_down():
    port = neuron_port(weights={(0, 0): -100}, di=1 << 15, g_i=1)
    send(port, 0)
    assert (read_state(port)["v"][0], read_state(port)["ii"][0]) == (-200, 100)


def test_absent_synapse_does_nothing_even_where_the_row_learns():
    port = neuron_port(
        weights={(0, 0): 1}, de=DELTA, mode=1, segment={"plastic": 1, "a": 0xFFFF, "w_min": -7, "w_max": 7}
    )
    port.write(Region.Y_TRACE, 0, [60000] * 8)
    send(port, 0)
    assert read_state(port)["v"] == [1] + [0] * 7
    assert read_weights(port)[0].tolist() == [7] + [-128] * 7


def test_the_spike_sent_is_the_weight_before_its_update():
    port = neuron_port(
        weights={(0, 0): 10}, de=DELTA, mode=1, segment={"plastic": 1, "a": 4096, "w_max": 100, "w_min": -100}
    )
    port.write(Region.Y_TRACE, 0, [4096] * 8)
    send(port, 0)
    assert read_state(port)["v"][0] == 10
    assert read_weights(port)[0, 0] == 11


def test_without_mode_learn_nothing_learns_and_no_random_number_is_drawn():
    segment = {"plastic": 1, "a": 4096, "w_max": 100, "stochastic": 1}
    port = neuron_port(weights={(0, 0): 10}, segment=segment)
    port.write(Region.Y_TRACE, 0, [4096] * 8)
    send(port, 0)
    assert read_weights(port)[0, 0] == 10
    assert port.model.state.registers.learn_rng == 1


def test_fires_at_the_threshold_and_resets_to_a_value():
    port = neuron_port(thr=100, reset=-30, bias=50)
    assert port.model.step().tolist() == []
    assert port.model.step().tolist() == list(range(8))
    assert read_state(port)["v"] == [-30] * 8
    assert get_counter(port, "spikes") == 8


def test_reset_by_subtraction_keeps_the_rest():
    port = neuron_port(thr=100, reset=100, subtract=1, bias=70)
    port.model.step()
    assert port.model.step().tolist() == list(range(8))
    assert read_state(port)["v"][0] == 40


def test_refractory_neuron_holds_v_while_its_currents_go_on():
    port = neuron_port(weights={(0, 0): 100}, thr=1000, refractory=3, de=1 << 15)
    write_state(port, v=[7] + [0] * 7, refr=[2] + [0] * 7)
    send(port, 0)
    state = read_state(port)
    assert (state["v"][0], state["refr"][0], state["ie"][0]) == (7, 1, 50)
    port.model.step()
    assert (read_state(port)["v"][0], read_state(port)["refr"][0]) == (7, 0)
    port.model.step()
    assert read_state(port)["v"][0] == 7 + 25


def test_a_refractory_neuron_that_integrates_only_does_not_fire():
    port = neuron_port(thr=30, bias=10, refractory=3, integrate=1)
    write_state(port, refr=[2] + [0] * 7)
    fired = [0 in port.model.step() for _ in range(3)]
    assert fired == [False, False, True]
    fired = [0 in port.model.step() for _ in range(4)]
    assert fired == [False, False, False, True]


def test_refractory_steps_count_from_the_spike():
    port = neuron_port(thr=10, bias=10, refractory=2)
    fired = [bool(len(port.model.step())) for _ in range(7)]
    assert fired == [True, False, False, True, False, False, True]


def test_adaptive_threshold_rises_with_spikes_decays_and_needs_its_mode():
    port = neuron_port(thr=10, bias=10, th_step=100, dth=1 << 15, mode=2)
    assert len(port.model.step()) == 8
    assert read_state(port)["theta"][0] == 100
    fired = [len(port.model.step()) for _ in range(3)]
    # u = 10, 20, 30 against 10 + 50, 10 + 25, 10 + 12.
    assert fired == [0, 0, 8]
    set_register(port, "mode", 0)
    theta = read_state(port)["theta"][0]
    for _ in range(3):
        port.model.step()
    assert read_state(port)["theta"][0] == theta


def test_state_clips_and_counts_each_clip():
    port = neuron_port(weights={(0, 0): 127}, segment={"shift": 7}, g_e=15, bias=2**22, reset=2**23 - 1)
    top = port.params.state_max
    write_state(port, v=[top] * 8)
    send(port, 0)
    state = read_state(port)
    # Neuron 0: e and u; the others: u.
    assert (state["ie"][0], state["v"]) == (top, [top] * 8)
    assert get_counter(port, "state_saturations") == 2 + 7


def test_refractory_neuron_does_not_count_a_clipped_potential():
    port = neuron_port(bias=2**22)
    write_state(port, v=[port.params.state_max] * 8, refr=[1] * 8)
    port.model.step()
    assert get_counter(port, "state_saturations") == 0


def test_accumulator_clips_and_counts_each_sum():
    port = quiet_port(accumulator_bits=10)
    p = port.params
    write_segments(port, [{"hi": p.neurons, "shift": 3}])
    write_sources(port, [{"connected": 1}] * p.sources)
    write_neurons(port, [{"thr": p.state_max, "de": DELTA, "di": DELTA}] * p.neurons)
    matrix = np.zeros((p.sources, p.neurons), dtype=int)
    matrix[:3, 0] = 100
    matrix[:2, 1] = -100
    write_weights(port, matrix)
    send(port, 0, 1, 2, 3)
    # 800 + 800 and + 800 clip at 1023; the weight of 0 in row 3 is not above it.
    assert get_counter(port, "acc_saturations") == 2 + 1
    assert read_state(port)["v"][:2] == [1023, -1023]


def test_neurons_beyond_the_sweep_keep_their_state():
    port = neuron_port(bias=5)
    set_register(port, "sweep_count", 3)
    write_state(port, v=[1] * 8)
    port.model.step()
    assert read_state(port)["v"] == [6] * 3 + [1] * 5


def test_traces_rise_saturate_and_decay_in_the_step_they_rise():
    port = neuron_port(one_x=40000)
    write_segments(port, [{"hi": 8}, {"hi": 16, "a": 1 << 15}])
    write_sources(port, [{"nearest": int(i == 1)} for i in range(port.params.sources)])
    set_register(port, "x_list", 0x8001)
    port.write(Region.X_TRACE, 0, [60000, 60000])
    send(port, 0, 1)
    assert port.read(Region.X_TRACE, 0, 2).tolist() == [32768, 20000]
    assert get_counter(port, "trace_saturations") == 1


def test_column_learns_from_the_traces_and_then_raises_its_own():
    port = neuron_port(weights={(0, 0): 0, (1, 0): 0, (1, 1): 0}, thr=10, mode=1)
    p = port.params
    plastic = {"plastic": 1, "a": 4096, "w_max": 100}
    write_segments(port, [{"hi": 8}, {"lo": 1, "hi": p.sources, **plastic}])
    write_targets(port, [{"list": 1, "learns": int(j == 0)} for j in range(8)])
    set_register(port, "one_y", 300)
    port.write(Region.X_TRACE, 0, [4096, 8192])
    write_state(port, v=[10, 10] + [0] * 6)
    assert port.model.step().tolist() == [0, 1]
    assert read_weights(port)[:2, :2].tolist() == [[0, -128], [2, 0]]
    assert port.read(Region.Y_TRACE, 0, 3).tolist() == [300, 300, 0]
    assert (get_counter(port, "column_passes"), get_counter(port, "chunks")) == (1, 2)


def test_each_stochastic_segment_takes_whole_groups_of_numbers_when_it_learns():
    port = neuron_port(thr=10, mode=1)
    plain = {"plastic": 1, "hi": 8, "last": 1}
    noisy = {**plain, "stochastic": 1, "last": 0}
    others = [{**noisy, "plastic": 0}, {**noisy, "stochastic": 0}, {**noisy, "lo": 5, "hi": 5}]
    write_segments(port, [plain, noisy, *others, {**noisy, "lo": 3, "hi": 17, "last": 1}])
    write_targets(port, [{"list": 1, "learns": 1}] * 8)
    write_state(port, v=[10, 10] + [0] * 6)
    set_register(port, "learn_rng", 0x0123456789ABCDEF)
    send(port, 0, 5)
    # Two columns, each of one group and of two; the rows round to nearest.
    assert port.model.state.registers.learn_rng == later(0x0123456789ABCDEF, 2 * (1 + 2) * 16 * 12)
    assert (get_counter(port, "row_passes"), get_counter(port, "column_passes")) == (2, 10)
