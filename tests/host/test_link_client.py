import threading
import time
from random import Random

import numpy as np
import pytest
from fake_device import SMALL, FakeDevice, Line, make_records
from hypothesis import given, settings
from hypothesis import strategies as st

from places import weight_offset
from synloom.base.errors import ArrayLostError, DeviceError, LinkError, ParameterError, TargetError
from synloom.contract.frames import RX_WINDOW, ControlAction, Kind, Op, RunFlag, Status
from synloom.contract.memory_map import memory_of
from synloom.contract.params import ArrayParams
from synloom.contract.records import END_WORD, EndReason
from synloom.contract.regions import Region
from synloom.device.execution import new_decoder, stop
from synloom.link import LinkPort

BAD = {"drop": 0.1, "corrupt": 0.05, "duplicate": 0.1, "stall": 0.1, "replay": 0.1}


def connect(device):
    return LinkPort(device, retries=30)


def all_records(port, limit=10_000):
    words = []
    for _ in range(limit):
        words += port.records(0.01).tolist()
        if words[-4:-3] == [END_WORD]:
            return words
    raise AssertionError(f"no end of run within {limit} calls; {len(words)} words came")


def test_discovers_the_parameters():
    params = ArrayParams(inputs=3, neurons=77, weight_bits=4, baud=3_000_000)
    assert connect(FakeDevice(params)).params == params


@pytest.mark.parametrize("seed", range(6))
def test_reads_what_was_written_on_a_bad_line(seed):
    device = FakeDevice(line=Line(seed, **BAD))
    port = connect(device)
    values = np.random.default_rng(seed).integers(0, 1 << 16, 1000)
    port.write(Region.PROGRAM, 70_000, values)
    assert np.array_equal(port.read(Region.PROGRAM, 70_000, 1000), values)
    assert port.read(Region.PROGRAM, 70_000, 1000).dtype == np.uint16
    assert port.statistics.retries > 0


def test_weights_go_through_the_rows():
    port = connect(FakeDevice())
    matrix = np.arange(24 * 20) % 251
    port.write(Region.WEIGHTS, 0, matrix)
    assert np.array_equal(port.read(Region.WEIGHTS, 0, 480), matrix)
    assert np.array_equal(port.read(Region.WEIGHTS, weight_offset(13, 7), 90), matrix[267:357])
    port.write(Region.WEIGHTS, weight_offset(3, 19), [0xFF80, 0xFFFF])
    assert port.read(Region.WEIGHTS, weight_offset(3, 19), 2).tolist() == [0x80, 0xFF]


@given(st.integers(1, 40), st.integers(0, 5000), st.integers(0, 300), st.integers(1, 50))
@settings(max_examples=60, deadline=None)
def test_pieces_are_the_steps_of_the_device(neurons, offset, count, most):
    params = ArrayParams(neurons=neurons)
    places = [place for _, place in FakeDevice(params)._places(Region.WEIGHTS, offset, 0, count)]
    for piece in memory_of(params, Region.WEIGHTS).pieces(offset, count, most):
        assert piece.offset == places[piece.place]
        assert piece.count <= most


@pytest.mark.parametrize("seed", range(4))
def test_rates_of_eight_bits_travel_as_bytes_and_others_as_words(seed):
    device = FakeDevice(line=Line(seed, **BAD))
    port = connect(device)
    rng = np.random.default_rng(seed)
    bytes_ = rng.integers(0, 256, 400) << rng.integers(0, 5) | int(rng.integers(16)) << 12
    often = np.array([0x7FFF, 0x7800, 0x7000])
    mixed = np.r_[bytes_[:20], bytes_[:1] ^ 0x1000 << rng.integers(4)]
    precise = np.array([0x7FFF, 0x7001])
    ways = ((bytes_, Op.RATES8), (often, Op.RATES8), (mixed, Op.WRITE), (precise, Op.WRITE))
    for values, op in ways:
        before = device.executed[op]
        port.write(Region.GEN_RATE, 5, values)
        assert device.executed[op] > before
        assert np.array_equal(port.read(Region.GEN_RATE, 5, len(values)), values)


def test_fill_writes_every_place():
    device = FakeDevice()
    connect(device).fill(Region.WEIGHTS, weight_offset(1, 5), 70_000, 0x80)
    weights = {place: word for (region, place), word in device.memory.items() if region == Region.WEIGHTS}
    assert len(weights) == 70_000
    assert set(weights.values()) == {0x80}


def test_never_more_on_the_way_than_the_device_can_hold():
    device = FakeDevice()
    port = connect(device)
    port.write(Region.WEIGHTS, 0, np.zeros(5000, dtype=int))
    port.read(Region.WEIGHTS, 0, 5000)
    assert 400 < device.largest_burst <= RX_WINDOW


@pytest.mark.parametrize("seed", range(6))
def test_nothing_runs_twice(seed):
    device = FakeDevice(line=Line(seed, **BAD))
    port = connect(device)
    for steps in range(20):
        port.run(steps, RunFlag.PACED | RunFlag.FLUSH)
        device.running = False
        port.control(ControlAction.PAUSE)
        assert port.events([steps, 0x8001])
    assert device.runs == [(steps, 5) for steps in range(20)]
    assert device.controls == [0] * 20
    assert device.event_queue == [word for steps in range(20) for word in (steps, 0x8001)]


def test_a_second_run_is_refused():
    port = connect(FakeDevice())
    port.run(10)
    with pytest.raises(DeviceError, match="a run is going on"):
        port.run(10)
    port.control(ControlAction.ABORT)


@pytest.mark.parametrize("seed", range(4))
def test_events_enter_whole_or_not_at_all(seed):
    device = FakeDevice(line=Line(seed, **BAD))
    port = connect(device)
    assert port.events(range(150))
    assert not port.events(range(150))
    assert not port.events(range(107))
    assert device.event_queue == list(range(150))
    assert port.events(range(106))
    device.event_queue.clear()
    assert port.events([])
    assert port.events(range(256))
    with pytest.raises(ParameterError, match="holds 256 words, 257 can never fit"):
        port.events(range(257))


@pytest.mark.parametrize("seed", range(6))
def test_records_arrive_once_and_in_order_on_a_bad_line(seed):
    device = FakeDevice(line=Line(seed, **BAD))
    port = connect(device)
    for run in range(3):
        records = make_records(Random(10 * seed + run), 400)
        device.script.extend(records)
        port.run(400)
        assert all_records(port) == [word for record in records for word in record]
    assert port.statistics.rewinds > 0


@pytest.mark.parametrize("chance", [0.0, 0.1])
def test_records_come_in_whole_records(chance):
    device = FakeDevice(line=Line(3, drop=chance))
    port = connect(device)
    records = make_records(Random(5), 300)
    starts = {0}
    for record in records:
        starts.add(max(starts) + len(record))
    device.script.extend(records)
    port.run(300)
    position = 0
    while position < max(starts):
        position += len(port.records(0.01))
        assert position in starts


def test_records_on_a_good_line_cost_no_rewind():
    device = FakeDevice()
    port = connect(device)
    before = device.executed[Op.STREAM]
    records = make_records(Random(1), 2000)
    device.script.extend(records)
    port.run(2000)
    words = all_records(port)
    assert port.statistics.rewinds == port.statistics.retries == port.statistics.crc_errors == 0
    assert device.executed[Op.STREAM] - before <= len(words) / (SMALL.record_words / 4)


def test_flush_asks_for_the_rest_during_a_run():
    device = FakeDevice()
    port = connect(device)
    device.script.append([1, 7])
    port.run(1_000_000)
    port.flush()
    assert port.records(0.01).tolist() == [1, 7]


def test_old_records_are_discarded_unless_a_run_goes_on():
    device = FakeDevice()
    device.held = [1, 7] * 60
    assert connect(device).records(0.01).tolist() == []
    device = FakeDevice()
    device.held, device.running = [1, 7] * 60, True
    port = connect(device)
    port.flush()
    words = [word for _ in range(5) for word in port.records(0.01).tolist()]
    assert words == [1, 7] * 60


def test_time_out_of_records_is_kept():
    class Patient(FakeDevice):
        virtual_time = False

        def read(self, timeout):
            data = super().read(timeout)
            if not data:
                time.sleep(timeout)
            return data

    port = connect(Patient())
    begin = time.monotonic()
    assert len(port.records(0.4)) == 0
    assert 0.4 <= time.monotonic() - begin < 0.8


def test_silence_is_a_target_error():
    with pytest.raises(TargetError, match="nothing answers at the fake device"):
        LinkPort(FakeDevice(line=Line(drop=1)))


def test_babble_is_a_target_error():
    class Babbler(FakeDevice):
        def read(self, timeout):
            return super().read(timeout) and b"Login: "

    with pytest.raises(TargetError, match="no Synloom frames; check the baud rate"):
        LinkPort(Babbler())


def test_another_protocol_is_a_target_error(monkeypatch):
    monkeypatch.setattr("fake_device.PROTOCOL_VERSION", 9)
    with pytest.raises(TargetError, match="speaks protocol 9"):
        LinkPort(FakeDevice())


def test_a_foreign_device_is_a_target_error(monkeypatch):
    monkeypatch.setattr("fake_device.MAGIC", (1, 2))
    with pytest.raises(TargetError, match="is not a Synloom array"):
        LinkPort(FakeDevice())


def test_after_a_break_every_call_says_so():
    device = FakeDevice()
    port = connect(device)
    device.line.drop = 1
    with pytest.raises(LinkError, match="no reply to READ after 301 attempts"):
        port.read(Region.CTRL, 0, 1)
    device.line.drop = 0
    calls = [
        lambda: port.read(Region.CTRL, 0, 1),
        lambda: port.write(Region.CTRL, 0, [1]),
        lambda: port.fill(Region.CTRL, 0, 1, 1),
        lambda: port.run(1),
        lambda: port.control(ControlAction.PAUSE),
        lambda: port.events([1]),
        lambda: port.records(0.1),
        port.flush,
    ]
    for call in calls:
        with pytest.raises(LinkError, match="is down: no reply to READ"):
            call()


def test_after_close_every_call_says_so():
    device = FakeDevice()
    port = connect(device)
    port.close()
    port.close()
    assert device.closed
    with pytest.raises(LinkError, match="is down: it was closed"):
        port.flush()


def test_wrong_arguments_are_named():
    port = connect(FakeDevice())
    with pytest.raises(ParameterError, match=r"words must be in 0\.\.65535, not -1\.\.3"):
        port.write(Region.CTRL, 0, [-1, 3])
    with pytest.raises(ParameterError, match="one-dimensional integers, not 1-dimensional float64"):
        port.write(Region.CTRL, 0, [0.5])
    with pytest.raises(ParameterError, match="count must be at least 0"):
        port.read(Region.CTRL, 0, -1)
    with pytest.raises(ParameterError, match="offsets of CTRL must be in"):
        port.read(Region.CTRL, (1 << 24) - 1, 2)
    with pytest.raises(ParameterError, match=r"steps must be in 0\.\.4294967295"):
        port.run(1 << 32)
    assert len(port.read(Region.CTRL, 0, 0)) == 0


def test_looking_for_records_without_waiting_asks_for_nothing():
    device = FakeDevice()
    port = connect(device)
    port.run(1)
    before = port.statistics.bytes_out
    for _ in range(10):
        assert len(port.records(0.0)) == 0
    assert port.statistics.bytes_out == before


def test_a_reset_is_noticed_by_the_next_call_whatever_it_is():
    calls = {
        "read": lambda port: port.read(Region.CTRL, 0, 1),
        "write": lambda port: port.write(Region.CTRL, 0, [1]),
        "fill": lambda port: port.fill(Region.CTRL, 0, 1, 1),
        "run": lambda port: port.run(1),
        "control": lambda port: port.control(ControlAction.PAUSE),
        "events": lambda port: port.events([1]),
        "records": lambda port: port.records(0.1),
        "flush": lambda port: port.flush(),
    }
    for call in calls.values():
        device = FakeDevice(line=Line(1, drop=0.1, duplicate=0.1, replay=0.2))
        port = connect(device)
        port.write(Region.PROGRAM, 5, [7])
        device.reset()
        with pytest.raises(ArrayLostError, match="the array was reset since"):
            call(port)
        assert not device.runs + device.controls + device.event_queue
        # It was said once; the array is there, and empty.
        assert port.read(Region.PROGRAM, 5, 1).tolist() == [0]
        port.write(Region.PROGRAM, 5, [8])
        assert port.read(Region.PROGRAM, 5, 1).tolist() == [8]


def test_a_reset_during_a_run_is_noticed():
    device = FakeDevice()
    port = connect(device)
    device.script.extend(make_records(Random(1), 100))
    port.run(100)
    assert len(port.records(1.0))
    device.reset()
    with pytest.raises(ArrayLostError, match="the array was reset since"):
        all_records(port)


def test_another_host_takes_the_array_and_the_first_one_is_told():
    device = FakeDevice()
    first = connect(device)
    first.write(Region.PROGRAM, 5, [7])
    second = connect(device)
    second.write(Region.PROGRAM, 5, [8])
    with pytest.raises(ArrayLostError, match="another program has connected"):
        first.write(Region.PROGRAM, 5, [9])
    assert second.read(Region.PROGRAM, 5, 1).tolist() == [8]


def test_an_array_with_other_gateware_is_not_used():
    device = FakeDevice()
    port = connect(device)
    device.__init__(ArrayParams(inputs=3, neurons=7))
    with pytest.raises(ArrayLostError):
        port.flush()
    with pytest.raises(LinkError, match="its gateware was replaced; connect again"):
        port.flush()


@pytest.mark.parametrize("seed", range(4))
def test_frames_of_an_older_connection_are_never_taken(seed):
    """All frames of a first connection come again, in any order, among those of a second one."""
    rng, past = Random(seed), []

    class Recorder(Line):
        def carry(self, frame):
            past.append(frame)
            return frame

    def use(port, run):
        values = np.random.default_rng(run).integers(0, 1 << 16, 300)
        port.write(Region.PROGRAM, 70, values)
        records = make_records(Random(run), 400)
        device.script.extend(records)
        port.run(400)
        assert all_records(port) == [word for record in records for word in record]
        assert np.array_equal(port.read(Region.PROGRAM, 70, 300), values)

    device = FakeDevice(line=Recorder())
    use(connect(device), 1)
    old = past.copy()
    port = connect(device)

    class Ghosts(Line):
        def carry(self, frame):
            return b"".join(rng.choices(old, k=rng.randrange(3))) + frame

    device.line = Ghosts(seed)
    use(port, 2)
    assert len(device.runs) == 2
    assert port.statistics.strays > 30


def test_long_record_frames_that_never_pass_become_short():
    class Narrow(FakeDevice):
        def _send(self, payload):
            if payload[0] != Kind.RECORDS or len(payload) < 120:
                super()._send(payload)

    device = Narrow()
    port = LinkPort(device)
    records = make_records(Random(2), 300)
    device.script.extend(records)
    port.run(300)
    assert all_records(port) == [word for record in records for word in record]


def test_records_that_never_pass_end_the_link():
    class Spoiling(FakeDevice):
        def _send(self, payload):
            if payload[0] == Kind.RECORDS:
                self._out += b"~spoilt~"
            else:
                super()._send(payload)

    device = Spoiling()
    port = LinkPort(device)
    device.script.extend(make_records(Random(2), 300))
    port.run(300)
    with pytest.raises(LinkError, match=r"requests for lost records brought none, and .* were damaged"):
        all_records(port)


class Impatient(FakeDevice):
    """It spoils a frame of a kind once, and nobody may wait for that frame."""

    virtual_time = False
    spoils = None

    def _send(self, payload):
        if payload[0] == self.spoils:
            self.spoils = None
            self._out += b"~spoilt~"
        else:
            super()._send(payload)

    def read(self, timeout):
        data = super().read(timeout)
        assert data or self.spoils is not None or not timeout, "waits for what came damaged"
        return data


def test_a_damaged_reply_is_asked_for_at_once():
    device = Impatient()
    port = LinkPort(device)
    device.spoils = Kind.REPLY
    assert (port.read(Region.PROGRAM, 0, 4) == 0).all()
    assert port.statistics.retries == port.statistics.crc_errors == 1


def test_damaged_records_are_asked_for_at_once():
    device = Impatient()
    port = LinkPort(device)
    records = make_records(Random(2), 3)
    device.script.extend(records)
    device.spoils = Kind.RECORDS
    port.run(3)
    assert all_records(port) == [word for record in records for word in record]
    assert port.statistics.crc_errors == 1


class Forgetful(FakeDevice):
    """Frames of records vanish from it, so many, without a trace."""

    virtual_time = False
    vanish = 0

    def _send(self, payload):
        if payload[0] == Kind.RECORDS and self.vanish:
            self.vanish -= 1
        else:
            super()._send(payload)

    def read(self, timeout):
        data = super().read(timeout)
        if not data:
            time.sleep(timeout)
        return data


def test_a_stop_asks_again_for_the_end_of_the_run():
    device = Forgetful()
    port = LinkPort(device)
    decoder = new_decoder(port, 0, 3)
    device.vanish = 2
    device.script.append([END_WORD, 3, 0, int(EndReason.DONE)])
    port.run(3)
    stop(port, decoder)
    assert decoder.end == (3, EndReason.DONE)


def test_a_busy_answer_to_a_command_that_never_waits_is_an_error():
    class Busy(FakeDevice):
        def _control(self, arguments):
            return Status.BUSY, b""

    port = connect(Busy())
    with pytest.raises(DeviceError, match="the array refused CONTROL: it is busy"):
        port.control(ControlAction.PAUSE)
    assert port.read(Region.PROGRAM, 5, 1).tolist() == [0]


def test_a_lock_that_an_interruption_left_held_keeps_no_other_thread_out():
    device = FakeDevice()
    port = connect(device)
    port._lock.__enter__()  # and never left
    got = []
    other = threading.Thread(target=lambda: got.append(port.read(Region.CTRL, 0, 1)))
    other.start()
    other.join(5.0)
    assert got
    assert port.read(Region.CTRL, 0, 1).size == 1


def test_a_lock_that_was_left_held_waits_for_no_other_connection():
    """A thread that is always within a call of another port says nothing about this one."""
    port, busy, leave = connect(FakeDevice()), connect(FakeDevice()), threading.Event()
    pump, reading = busy._line.pump, threading.Event()

    def slow(timeout):
        reading.set()
        leave.wait(10.0)
        return pump(timeout)

    busy._line.pump = slow
    one = threading.Thread(target=busy.flush)
    one.start()
    assert reading.wait(5.0)
    port._lock.__enter__()  # and never left
    got = []
    other = threading.Thread(target=lambda: got.append(port.read(Region.CTRL, 0, 1)))
    other.start()
    other.join(3.0)
    found = bool(got)
    leave.set()
    one.join(5.0)
    other.join(5.0)
    assert found


def test_a_lock_keeps_another_thread_out_as_long_as_somebody_is_within():
    port = connect(FakeDevice())
    entered, leave, order = threading.Event(), threading.Event(), []
    exchange, command = port._exchange, port._exchange.command

    def slow(*arguments, **options):
        entered.set()
        leave.wait(5.0)
        order.append("first")
        return command(*arguments, **options)

    exchange.command = slow
    first = threading.Thread(target=port.flush)
    first.start()
    assert entered.wait(5.0)
    exchange.command = command
    second = threading.Thread(target=lambda: (port.flush(), order.append("second")))
    second.start()
    second.join(1.0)
    assert order == []
    leave.set()
    first.join(5.0)
    second.join(5.0)
    assert order == ["first", "second"]


@pytest.mark.parametrize("bytes_left", [0, 7, 31])
def test_parameters_of_another_length_are_refused(bytes_left):
    class Short(FakeDevice):
        def _read(self, arguments):
            status, data = super()._read(arguments)
            return status, data[:bytes_left]

    with pytest.raises(TargetError, match="bytes instead of"):
        LinkPort(Short())
