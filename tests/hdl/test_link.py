from random import Random

import numpy as np
import pytest
from link_simulation import SMALL, SimulatedLink

from places import weight_offset
from synloom.base.errors import DeviceError
from synloom.contract.frames import NO_SESSION, ControlAction, Op, RunFlag, Status, StreamFlag
from synloom.contract.info import PROTOCOL_VERSION
from synloom.contract.memory_map import memory_of
from synloom.contract.params import ArrayParams
from synloom.contract.records import END_WORD
from synloom.contract.regions import Region
from synloom.contract.registers import link
from synloom.link import LinkPort
from synloom.link.codec import Decoder, encode_frame

BAD_LINE = {"pause": 0.2, "spoil": 0.002}

VERSION = PROTOCOL_VERSION.to_bytes(2, "little")


def frame(session, payload):
    """Return the frame of a command, given as its sequence number, its op and its arguments."""
    seq, op, *arguments = payload
    return encode_frame(session.to_bytes(2, "little") + bytes([seq, op, len(arguments), *arguments]))


def heard(bench):
    """Return (session, rest) of every payload that comes."""
    decoder, received = Decoder(), []
    while data := bench.read(1.0):
        received += decoder.feed(data)
    assert decoder.errors == 0
    assert bench.untrue == 0
    return [(int.from_bytes(payload[:2], "little"), payload[2:]) for payload in received]


def opened(bench, last, new=0x7D7E):
    """Open a session with a command of that sequence number."""
    ((session, _),) = heard_after(bench, frame(0xFFFF, [0, Op.HELLO]))
    assert heard_after(bench, frame(session, [last, Op.OPEN, *new.to_bytes(2, "little")])) == [
        (new, bytes([1, last, Op.OPEN, Status.OK]))
    ]
    return new


def heard_after(bench, *frames):
    bench.write(b"".join(frames))
    return heard(bench)


def replies(bench, *payloads):
    """Send payloads in a session of their own and return what comes back, without that session."""
    bench.session = session = opened(bench, payloads[0][0] - 1 & 0xFF)
    received = heard_after(bench, *(frame(session, payload) for payload in payloads))
    assert {came for came, _ in received} <= {session}
    return [rest for _, rest in received]


def register(port, name):
    return int(port.read(Region.LINK, link(name).offset, 1)[0])


@pytest.mark.parametrize(
    "params",
    [SMALL, ArrayParams(inputs=2048, neurons=1, baud=9600), ArrayParams(neurons=33, baud=12_000_000)],
)
def test_the_host_discovers_the_parameters(params):
    assert LinkPort(SimulatedLink(params)).params == params


@pytest.mark.parametrize("seed", range(2))
def test_memories_keep_what_the_port_writes_on_a_bad_line(seed):
    bench = SimulatedLink(seed=seed, **BAD_LINE)
    port = LinkPort(bench, retries=30)
    rng = np.random.default_rng(seed)
    words = rng.integers(0, 1 << 16, 130)
    weights = rng.integers(0, 256, 250)
    port.write(Region.PROGRAM, 1000, words)
    port.write(Region.WEIGHTS, weight_offset(2, 13), weights)
    assert np.array_equal(port.read(Region.PROGRAM, 1000, 130), words)
    assert np.array_equal(port.read(Region.WEIGHTS, weight_offset(2, 13), 250), weights)
    memory = memory_of(port.params, Region.WEIGHTS)
    assert {offset for region, offset in bench.core.memory if region == Region.WEIGHTS} == {
        memory.advance(weight_offset(2, 13), k) for k in range(250)
    }


def test_fill_reaches_every_place_and_no_other():
    bench = SimulatedLink(latency=1)
    LinkPort(bench).fill(Region.WEIGHTS, weight_offset(5, 18), 45, 0x80)
    places = [weight_offset(5, 18), weight_offset(5, 19)]
    places += [weight_offset(6, k) for k in range(20)] + [weight_offset(7, k) for k in range(20)]
    places += [weight_offset(8, k) for k in range(3)]
    assert bench.core.memory == {(Region.WEIGHTS, place): 0x80 for place in places}


def test_rates_of_a_byte_are_shifted_and_clipped():
    bench = SimulatedLink()
    values = bytes([0, 1, 127, 128, 255])
    for shift in (0, 2, 4, 5, 15):
        for exponent in (0, 5, 7, 8, 15):
            bench.core.memory.clear()
            payload = bytes([shift * 16 + exponent, Op.RATES8, 3, 1, shift | exponent << 4]) + values
            assert replies(bench, payload)[0][3] == Status.OK
            assert bench.core.memory == {
                (Region.GEN_RATE, 0x103 + k): min(value << shift, 0xFFF) | exponent << 12
                for k, value in enumerate(values)
            }


def test_runs_and_controls_reach_the_core_once():
    bench = SimulatedLink()
    port = LinkPort(bench)
    port.run(0x12345678, RunFlag.PACED | RunFlag.FLUSH)
    with pytest.raises(DeviceError, match="a run is going on"):
        port.run(1)
    for action in ControlAction:
        port.control(action)
    assert bench.core.runs == [(0x12345678, 5)]
    assert bench.core.controls == [0, 1, 2]


def test_a_repeated_command_is_answered_but_not_executed():
    bench = SimulatedLink(room=4)
    run = [7, Op.RUN, 9, 0, 0, 0, 0]
    assert replies(bench, run, run) == [bytes([1, 7, Op.RUN, 0])] * 2
    events = [8, Op.EVENTS, 1, 0, 2, 0]
    assert replies(bench, events, events) == [bytes([1, 8, Op.EVENTS, 0, 2, 0])] * 2
    full = [9, Op.EVENTS, *bytes(6)]
    assert replies(bench, full, full) == [bytes([1, 9, Op.EVENTS, Status.BUSY, 2, 0])] * 2
    assert bench.core.runs == [(9, 0)]
    assert bench.core.events == [1, 2]
    control, hello = [9, Op.CONTROL, 0], [7, Op.HELLO]
    greeting = b"\x01\x07\x01\x00SYNL" + VERSION
    assert replies(bench, control, hello, control)[1] == greeting
    assert bench.core.controls == [0]
    assert register(LinkPort(bench), "resends") == 4


def test_reading_and_writing_again_is_done_again():
    bench = SimulatedLink()
    write = [5, Op.WRITE, Region.SOURCE, 0, 0, 0, 1, 2]
    replies(bench, write)
    bench.core.memory.clear()
    assert heard_after(bench, frame(bench.session, write)) == [(bench.session, bytes([1, 5, Op.WRITE, 0]))]
    read = [6, Op.READ, Region.SOURCE, 0, 0, 0, 1, 0]
    assert replies(bench, read, read) == [bytes([1, 6, Op.READ, 0, 1, 2])] * 2


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        ([Op.READ, 9, 0, 0, 0, 0, 0], Status.BAD_ARG),
        ([Op.READ, 9, 0, 0, 0, 121, 0], Status.BAD_ARG),
        ([Op.READ, 4, 0, 0, 0, 241, 0], Status.BAD_ARG),
        ([Op.READ, 9, 0, 0, 0, 1, 1], Status.BAD_ARG),
        ([Op.READ, 9, 0, 0, 0, 1], Status.BAD_ARG),
        ([Op.WRITE, 9, 0, 0], Status.BAD_ARG),
        ([Op.WRITE, 9, 0, 0, 0, 1, 2, 3], Status.BAD_ARG),
        ([Op.WRITE, 9, 0, 0, 0], Status.OK),
        ([Op.FILL, 9, 0, 0, 0, 0, 0, 1, 2], Status.OK),
        ([Op.FILL, 9, 0, 0, 0, 1, 0, 1], Status.BAD_ARG),
        ([Op.OPEN, 1], Status.BAD_ARG),
        ([Op.OPEN, 1, 2, 3], Status.BAD_ARG),
        ([Op.RUN, 1, 0, 0, 0, 0, 0], Status.BAD_ARG),
        ([Op.CONTROL, 3], Status.BAD_ARG),
        ([Op.CONTROL], Status.BAD_ARG),
        ([Op.STREAM, 0, 0], Status.BAD_ARG),
        ([Op.RATES8, 0, 0], Status.BAD_ARG),
        ([Op.HELLO, 0], Status.BAD_ARG),
        ([0x13], Status.BAD_OP),
        ([0xFF, *range(251)], Status.BAD_OP),
    ],
)
def test_a_wrong_command_is_refused_and_does_nothing(payload, status):
    bench = SimulatedLink()
    # A greeting is outside of the order.
    number = 2 if payload[0] == Op.HELLO else 3
    right = [number, Op.READ, 9, 0, 0, 0, 1, 0]
    first, second = replies(bench, [2, *payload], right)
    assert first == bytes([1, 2, payload[0], status])
    assert second == bytes([1, number, Op.READ, 0, 0, 0])
    assert bench.core.accesses == [(9, 0, 0)]
    assert bench.core.runs == bench.core.controls == []


def test_odd_events_are_refused():
    bench = SimulatedLink()
    assert replies(bench, [1, Op.EVENTS, 1, 2, 3])[0][:4] == bytes([1, 1, Op.EVENTS, Status.BAD_ARG])
    assert bench.core.events == []


def test_errors_of_the_line_are_counted_and_cleared():
    bench = SimulatedLink()
    port = LinkPort(bench)
    bench.write(encode_frame(b"\x01\x10\x01\x10\x01")[:-2] + b"\x7e\x7e" + encode_frame(b"x"))
    for name, count in (("crc_errors", 2), ("framing_errors", 0), ("overflows", 0)):
        assert register(port, name) == count
        port.write(Region.LINK, link(name).offset, [99])
        assert register(port, name) == 0


def test_the_links_registers_are_where_the_contract_says():
    bench = SimulatedLink(ArrayParams(clock_hz=48_000_000, baud=1_000_000))
    port = LinkPort(bench)
    assert register(port, "divisor") == 48
    port.write(Region.LINK, link("divisor").offset, [0x1234])
    port.write(Region.LINK, link("scratch").offset, [0xBEEF])
    port.write(Region.LINK, 200, [1])
    port.write(Region.INFO, 0, [1])
    assert port.read(Region.LINK, 0, 9).tolist() == [0x1234, 0, 0, 0, 0, 0xBEEF, 0, 0, 0]
    assert port.read(Region.LINK, 256, 6).tolist() == [0] * 6
    assert port.read(Region.INFO, 0, 2).tolist() == [0x5953, 0x4C4E]
    assert port.read(Region.INFO, 256, 2).tolist() == [0, 0]
    # What is beyond their ends is not the core's either.
    assert {region for region, *_ in bench.core.accesses[1:]} <= {Region.LINK, Region.INFO}


@pytest.mark.parametrize("seed", range(3))
def test_records_arrive_once_and_in_order_on_a_bad_line(seed):
    bench = SimulatedLink(seed=seed, **BAD_LINE)
    port = LinkPort(bench, retries=30)
    rng = Random(seed)
    words = []
    port.run(1000)
    for _ in range(220):
        words += [2, rng.randrange(20), rng.randrange(20)]
    words += [END_WORD, 1000, 0, 0]
    bench.core.records.extend(words)
    received = []
    while len(received) < len(words):
        received += port.records(0.01).tolist()
    assert received == words
    assert port.statistics.retries + port.statistics.rewinds > 0


def test_a_lost_frame_with_few_words_comes_again_while_the_run_goes_on():
    bench = SimulatedLink()
    port = LinkPort(bench)
    port.run(1000)
    words = [2, 7, 9, 1, 4]
    bench.core.records.extend(words)
    # As another program might, which then lets the port have its session again.
    session = port._line.session
    bench.write(frame(session, [port._exchange.sessions._seq + 1 & 0xFF, Op.STREAM, 0, 0, StreamFlag.FLUSH]))
    bench.run(3000)
    assert len(bench.out) > 2 * len(words)
    bench.out.clear()
    assert port.records(10.0).tolist() == words


def test_a_host_that_does_not_read_loses_nothing():
    bench = SimulatedLink()
    bench.core.running = True
    bench.core.memory.update({(9, k): 3 * k for k in range(480)})
    bench.core.records.extend(range(300))
    bench.reads = False
    for k in range(4):
        bench.write(frame(NO_SESSION, [k + 1, Op.READ, 9, 120 * k & 0xFF, 120 * k >> 8, 0, 120, 0]))
    bench.run(4000)
    assert len(bench.core.records) == 301 - SMALL.record_words
    assert bench.core.rooms[-1] == 0
    bench.reads = True
    received = [rest for _, rest in heard(bench)]
    answers = b"".join(payload[4:] for payload in received if payload[0] == 1)
    assert np.frombuffer(answers, "<u2").tolist() == [3 * k for k in range(480)]
    records = b"".join(payload[3:] for payload in received if payload[0] == 2)
    assert np.frombuffer(records, "<u2").tolist() == list(range(255))
    bench.core.running = False
    received = replies(bench, [9, Op.STREAM, 255, 0, 0])
    records = b"".join(payload[3:] for payload in received if payload[0] == 2)
    assert np.frombuffer(records, "<u2").tolist() == list(range(255, 300))


def test_a_paused_run_lets_records_go():
    bench = SimulatedLink()
    bench.core.running = True
    bench.core.records.extend([1, 2, 3])
    assert heard(bench) == []
    bench.core.paused = True
    bench.run(3)
    assert b"".join(rest[3:] for _, rest in heard(bench)) == b"\x01\x00\x02\x00\x03\x00"


def test_garbage_never_hangs_the_link():
    bench = SimulatedLink()
    rng = Random(11)
    for _ in range(15):
        garbage = bytes(rng.choice([0x7E, 0x7D, rng.randrange(256)]) for _ in range(rng.randrange(300)))
        bench.write(garbage + b"\x7e")
        while bench.read(1.0):
            pass
    assert replies(bench, [1, Op.HELLO]) == [b"\x01\x01\x01\x00SYNL" + VERSION]


def refusal(payload, status):
    seq, op, *_ = payload
    return bytes([1, seq, op, status])


def test_commands_of_another_session_are_refused_and_do_nothing():
    bench = SimulatedLink()
    write = [1, Op.WRITE, 9, 0, 0, 0, 1, 2]
    old = frame(opened(bench, 0, new=0x1234), write)
    new = opened(bench, 0, new=0x1235)
    assert heard_after(bench, old) == [(new, refusal(write, Status.SESSION))]
    for wrong in (0x1234, 0x1335, 0, 0xFFFF):
        assert heard_after(bench, frame(wrong, write)) == [(new, refusal(write, Status.SESSION))]
    # Not even a session can be opened from another one.
    opening = [7, Op.OPEN, 9, 9]
    assert heard_after(bench, frame(0x1234, opening)) == [(new, refusal(opening, Status.SESSION))]
    assert bench.core.accesses == []
    assert heard_after(bench, frame(new, write)) == [(new, refusal(write, Status.OK))]


def test_only_the_next_command_and_the_last_one_are_executed():
    bench = SimulatedLink()
    session = opened(bench, 250)
    for ahead in (2, 3, 128, 254, 255):
        late = [(250 + ahead) % 256, Op.CONTROL, 0]
        assert heard_after(bench, frame(session, late)) == [(session, refusal(late, Status.ORDER))]
    assert bench.core.controls == []
    for k in range(251, 260):
        now = [k % 256, Op.CONTROL, k % 3]
        old = [(k - 2) % 256, Op.CONTROL, 0]
        assert heard_after(bench, frame(session, now), frame(session, old), frame(session, now)) == [
            (session, refusal(now, Status.OK)),
            (session, refusal(old, Status.ORDER)),
            (session, refusal(now, Status.OK)),
        ]
    assert bench.core.controls == [k % 3 for k in range(251, 260)]


def test_a_command_that_lost_its_end_is_not_begun():
    """A byte that turns into a flag makes two frames of one; here the first of them has a right checksum."""
    bench = SimulatedLink()
    session = opened(bench, 0)
    whole = session.to_bytes(2, "little") + bytes([1, Op.WRITE, 8, 9, 0, 0, 0, 1, 2, 3, 4])
    for size in range(5, len(whole)):
        assert heard_after(bench, encode_frame(whole[:size])) == [
            (session, refusal([1, Op.WRITE], Status.LENGTH))
        ]
    assert heard_after(bench, encode_frame(whole + b"\0")) == [
        (session, refusal([1, Op.WRITE], Status.LENGTH))
    ]
    assert bench.core.accesses == []
    assert heard_after(bench, encode_frame(whole)) == [(session, refusal([1, Op.WRITE], Status.OK))]
    assert bench.core.memory == {(9, 0): 0x0201, (9, 1): 0x0403}


def test_an_outcome_is_remembered_across_commands_that_were_refused():
    bench = SimulatedLink(room=1)
    session = opened(bench, 9)
    full, wrong = [10, Op.EVENTS, 1, 0, 2, 0], [10, Op.RUN, 1]
    busy = bytes([1, 10, Op.EVENTS, Status.BUSY, 1, 0])
    assert heard_after(bench, frame(session, full)) == [(session, busy)]
    assert heard_after(bench, frame(session ^ 1, full))[0][1][:4] == refusal(full, Status.SESSION)
    assert heard_after(bench, frame(session, [20, *wrong[1:]])) == [
        (session, refusal([20, Op.RUN], Status.ORDER))
    ]
    bench.core.room = 9
    assert heard_after(bench, frame(session, full)) == [(session, busy[:4] + bytes([9, 0]))]
    assert bench.core.events == []
