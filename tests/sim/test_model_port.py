"""Runs through the port: ends, pauses, slices, closed loop, and what is refused."""

import numpy as np
import pytest
from array_setups import finish, get_counter, get_register, quiet_port, set_register, write_neurons

from synloom.base.errors import DeviceError, LinkError, ParameterError
from synloom.contract.array_port import Port
from synloom.contract.frames import ControlAction, RunFlag
from synloom.contract.regions import Region
from synloom_sim.model_port import ModelPort

END = 0xFFFF


def busy_port(**sizes):
    """Every neuron fires in every step."""
    port = quiet_port(**sizes)
    write_neurons(port, [{"thr": 0}] * port.params.neurons)
    set_register(port, "mode", 4)
    return port


def takes_a_port(port: Port) -> Port:
    return port


def test_offers_the_face_of_all_targets():
    port = takes_a_port(quiet_port())
    assert isinstance(port, ModelPort)
    assert port.params.neurons == 8


def test_run_executes_when_records_are_taken_and_ends_with_end():
    port = busy_port()
    port.run(3)
    assert get_register(port, "status") in (0, 1)
    words = finish(port)
    assert words[-4:] == [END, 3, 0, 0]
    assert get_register(port, "now") == 3
    assert port.records(0.0).size == 0


def test_run_of_no_steps_ends_at_once():
    port = quiet_port()
    port.run(0)
    assert port.records(0.0).tolist() == [END, 0, 0, 0]


def test_a_second_run_is_refused_while_one_goes_on():
    port = busy_port()
    port.run(1000)
    with pytest.raises(DeviceError, match="a run is going on"):
        port.run(1)


def test_paced_run_just_runs():
    port = busy_port()
    port.run(2, RunFlag.PACED | RunFlag.FLUSH)
    assert finish(port)[-4:] == [END, 2, 0, 0]
    assert get_counter(port, "late_steps") == get_counter(port, "busy_clocks") == 0


def test_pause_ends_the_stream_and_resume_goes_on_to_the_same_result():
    plain, paused = busy_port(), busy_port()
    plain.run(50)
    paused.run(50)
    paused.model.advance(20)
    paused.control(ControlAction.PAUSE)
    paused.control(ControlAction.PAUSE)
    first = paused.records(0.1).tolist()
    assert first[-4:] == [END, 20, 0, 1]
    assert get_register(paused, "status") == 3
    assert get_register(paused, "now") == 20
    assert paused.records(0.1).size == 0
    paused.control(ControlAction.RESUME)
    assert [*first[:-4], 0xC001, *finish(paused)] == finish(plain)


def test_abort_stops_a_run_paused_or_not():
    for pause in (False, True):
        port = busy_port()
        port.run(50)
        if pause:
            port.control(ControlAction.PAUSE)
        port.control(ControlAction.ABORT)
        assert port.records(0.1).tolist()[-4:] == [END, 0, 0, 2]
        assert get_register(port, "status") == 0
        assert get_register(port, "now") == 0
        port.run(1)
        assert finish(port)[-4:] == [END, 1, 0, 0]


def test_control_without_a_run_does_nothing():
    port = quiet_port()
    for action in ControlAction:
        port.control(action)
    assert port.records(0.0).size == 0


def test_polling_a_register_sees_the_run_end():
    port = quiet_port()
    port.run(40)
    polls = 0
    while get_register(port, "status") & 1:
        polls += 1
    assert polls < 40
    assert port.records(0.0).tolist() == [END, 40, 0, 0]


def test_full_record_buffer_stops_the_run_until_records_are_taken():
    port = busy_port(record_words=256)
    port.run(10_000)
    for _ in range(100):
        get_register(port, "now")
    stuck_at = get_register(port, "now")
    assert stuck_at < 256
    assert port.records(0.0).size <= 256
    assert get_register(port, "now") > stuck_at


def test_a_long_run_comes_in_whole_records_and_in_order():
    port = busy_port(record_words=256)
    port.run(2000)
    steps, parts = 0, 0
    while port.model.running:
        words = port.records(1.0).tolist()
        parts += 1
        while words and words[0] != END:
            if words[0] >> 14 == 3:
                steps += words[0] & 0x3FFF
                words = words[1:]
            else:
                assert words[:2] == [0x4001, 0xFF]
                words = words[2:]
    assert steps == 1999
    assert parts > 10


def test_events_find_room_as_the_run_goes_on():
    port = quiet_port(event_words=16)
    port.run(1000)
    sent = 0
    while sent < 500:
        sent += port.events([1, 0x8001])
    finish(port)
    assert get_counter(port, "events_late") + get_counter(port, "events_merged") < 500
    assert get_register(port, "event_room") == 16


def test_closed_loop_answers_each_step():
    port = quiet_port()
    seen = []
    for value in range(5):
        port.write(Region.X_TRACE, 0, [value])
        port.run(1)
        finish(port)
        seen.append(int(port.read(Region.X_TRACE, 0, 1)[0]))
    assert seen == list(range(5))


def test_writes_during_a_run_act_between_two_steps():
    port = busy_port()
    port.run(100)
    port.fill(Region.SPIKE_COUNTS, 0, 8, 0)
    left = 100 - get_register(port, "now")
    finish(port)
    counts = port.read(Region.SPIKE_COUNTS, 0, 8)
    assert left <= counts[0] <= 100
    assert (counts == counts[0]).all()


@pytest.mark.parametrize("values", [[-1], [65536], [0.5], ["a"]])
def test_words_that_do_not_fit_are_refused(values):
    with pytest.raises(ParameterError):
        quiet_port().write(Region.Y_TRACE, 0, values)


@pytest.mark.parametrize("steps", [-1, 1 << 32])
def test_steps_that_do_not_fit_are_refused(steps):
    with pytest.raises(ParameterError, match="steps must be in 0"):
        quiet_port().run(steps)


def test_offsets_that_do_not_fit_are_refused():
    with pytest.raises(ParameterError, match="offset must be in 0"):
        quiet_port().read(Region.Y_TRACE, 1 << 24, 1)


def test_closed_port_is_closed():
    port = quiet_port()
    port.close()
    for call in (
        lambda: port.read(Region.CTRL, 0, 1),
        lambda: port.run(1),
        port.flush,
        lambda: port.records(0),
    ):
        with pytest.raises(LinkError, match="closed"):
            call()


def test_reads_are_uint16():
    assert quiet_port().read(Region.CTRL, 0, 3).dtype == np.uint16
