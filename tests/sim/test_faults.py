"""Faults on purpose: what each does, how often, that a seed repeats them, and what is refused."""

import math

import pytest

from synloom import connect
from synloom.base.errors import ParameterError, TargetError
from synloom.contract import ArrayParams
from synloom.contract.regions import Region
from synloom.device.targets import open_port
from synloom.link import LinkPort
from synloom.link.codec import Decoder, encode_frame
from synloom.link.transport import RatedTransport
from synloom.selftest.comparison import agreement, play
from synloom.selftest.random_network import random_network
from synloom_sim.board import Design, SimTransport
from synloom_sim.faults import PRESETS, Faults, LossyLine, LossyTransport, served_lines
from synloom_sim.model_port import ModelPort

# The array of test_targets.py, so that its boards are built once.
PARAMS = ArrayParams(
    inputs=20, neurons=24, lanes=4, segments=32, record_words=512, event_words=64, baud=12_000_000
)
AT_LEISURE = PARAMS.replace(baud=6_000_000)
FRAMES = [encode_frame(bytes([k & 0xFF, k >> 8, *range(20)])) for k in range(4000)]
STREAM = b"".join(FRAMES)


def carried(faults, data=STREAM, pieces=None):
    line = LossyLine(faults, "there")
    out = b""
    for k in range(0, len(data), pieces or len(data)):
        out += line.carry(data[k : k + (pieces or len(data))])
    return line, out + line.release()


def decoded(data):
    decoder = Decoder()
    return decoder.feed(data), decoder.errors


# ---- the line ----------------------------------------------------------------------------------


def test_a_line_without_faults_changes_nothing():
    line, out = carried(Faults(), pieces=7)
    assert out == STREAM
    assert line.counts == {"bytes": len(STREAM), "frames": len(FRAMES)}


def test_a_seed_repeats_the_faults_in_pieces_of_any_size():
    faults = Faults(flips=0.01, drops=0.01, duplicates=0.01, garbage=0.01, damage=0.05, replays=0.01, seed=5)
    line, out = carried(faults)
    for pieces in (1, 13, 1000):
        again, same = carried(faults, pieces=pieces)
        assert same == out
        assert again.counts == line.counts
    assert carried(Faults(flips=0.01, seed=6))[1] != carried(Faults(flips=0.01, seed=5))[1]


def test_directions_are_independent():
    there, back = (LossyLine(Faults(flips=0.01, seed=5), way) for way in ("there", "back"))
    assert there.carry(STREAM) != back.carry(STREAM)


@pytest.mark.parametrize("rate", [0.001, 0.02, 0.4, 1.0])
@pytest.mark.parametrize("fault", ["flips", "drops", "duplicates", "garbage", "damage", "losses", "repeats"])
def test_a_fault_strikes_at_its_rate(fault, rate):
    line, _ = carried(Faults(**{fault: rate}, seed=3))
    events = len(STREAM) if fault in ("flips", "drops", "duplicates", "garbage") else len(FRAMES)
    sigma = math.sqrt(events * rate * (1 - rate))
    assert abs(line.counts[fault] - events * rate) <= 5 * sigma


def test_flips_change_bits_and_no_length():
    line, out = carried(Faults(flips=0.01))
    # A frame of one byte that is hit may no longer end where it ended, but the bytes stay in their places.
    changed = [a ^ b for a, b in zip(STREAM, out, strict=True)]
    assert sum(map(int.bit_count, changed)) == line.counts["flips"] > 0


def test_drops_duplicates_and_garbage_change_the_length():
    line, out = carried(Faults(drops=0.01))
    assert len(out) == len(STREAM) - line.counts["drops"]
    line, out = carried(Faults(duplicates=0.01))
    assert len(out) == len(STREAM) + line.counts["duplicates"]
    line, out = carried(Faults(garbage=0.01))
    assert line.counts["garbage"] < len(out) - len(STREAM) <= 8 * line.counts["garbage"]


def test_lost_and_repeated_frames_are_whole():
    payloads = decoded(STREAM)[0]
    line, out = carried(Faults(losses=0.1))
    got, errors = decoded(out)
    assert (len(got), errors) == (len(payloads) - line.counts["losses"], 0)
    line, out = carried(Faults(repeats=0.1))
    got, errors = decoded(out)
    assert (len(got), errors) == (len(payloads) + line.counts["repeats"], 0)


def test_a_truncated_frame_ends_early_and_costs_no_other():
    line, out = carried(Faults(truncations=0.1))
    got, _ = decoded(out)
    assert len(got) == len(FRAMES) - line.counts["truncations"]


def test_damage_never_passes_as_another_frame():
    sent = {bytes(p) for p in decoded(STREAM)[0]}
    line, out = carried(Faults(damage=0.5))
    got, _ = decoded(out)
    assert {bytes(p) for p in got} <= sent
    ways = {name for name in line.counts if name.startswith("damage: ")}
    assert len(ways) == 7
    assert sum(line.counts[way] for way in ways) == line.counts["damage"]


def test_delayed_frames_come_after_silence_and_in_order():
    line = LossyLine(Faults(delays=1.0), "there")
    assert line.carry(FRAMES[0] + FRAMES[1]) == FRAMES[0][:1]  # the first flag belongs to no frame
    assert line.holds
    assert line.release() == FRAMES[0][1:] + FRAMES[1]
    assert not line.holds


def test_replays_bring_frames_of_before():
    line, out = carried(Faults(replays=0.1))
    got = [bytes(p) for p in decoded(out)[0]]
    assert len(got) - len(set(got)) == line.counts["replays"] > 0


# ---- the transport -----------------------------------------------------------------------------


class Inside:
    """A transport that gives prepared bytes and keeps what is written."""

    virtual_time = True
    name = "the inside"

    def __init__(self, *chunks):
        self.chunks, self.written, self.closed = list(chunks), b"", False

    def write(self, data):
        self.written += data

    def read(self, timeout):
        return self.chunks.pop(0) if self.chunks else b""

    def close(self):
        self.closed = True


def test_a_lossy_transport_shows_what_it_wraps():
    inside = Inside()
    lossy = LossyTransport(inside, Faults())
    assert (lossy.name, lossy.virtual_time, lossy.baud) == ("the inside", True, None)
    with pytest.raises(ParameterError, match="the inside has no serial line"):
        lossy.set_baud(9600)
    lossy.write(b"abc")
    assert inside.written == b"abc"
    lossy.close()
    assert inside.closed
    pins = LossyTransport(SimTransport.build(Design(PARAMS, pins=True)), Faults())
    assert isinstance(pins, RatedTransport)
    assert pins.baud == PARAMS.baud
    pins.set_baud(6_000_000)
    assert pins.baud == 6_000_000
    assert pins.time() > 0
    pins.close()


def test_a_read_gives_what_is_left_of_later_bytes_when_a_frame_is_lost():
    line = LossyLine(Faults(losses=0.5, seed=4), "from the board")
    expected = [line.carry(frame) for frame in FRAMES[:20]]
    lossy = LossyTransport(Inside(*FRAMES[:20]), Faults(losses=0.5, seed=4))
    got = b"".join(lossy.read(1.0) for _ in range(20))
    assert got == b"".join(expected)
    assert lossy.counts["losses"] == line.counts["losses"] > 0


def test_a_stall_loses_nothing():
    lossy = LossyTransport(Inside(*FRAMES[:50]), Faults(stalls=0.5))
    got = [lossy.read(1.0) for _ in range(200)]
    assert b"".join(got) == b"".join(FRAMES[:50])
    last = got.index(FRAMES[49])
    assert 0 < sum(not data for data in got[:last]) <= lossy.counts["stalls"]


def test_resets_leave_an_empty_array():
    transport = SimTransport.build(Design(PARAMS))
    port = LinkPort(transport)
    port.write(Region.WEIGHTS, 0, [1, 2, 3])
    clocks = transport.clocks
    transport.reset()
    assert LinkPort(transport).read(Region.WEIGHTS, 0, 3).tolist() != [1, 2, 3]
    assert transport.clocks > clocks
    port.close()


def test_a_board_that_is_reset_again_and_again_is_noticed():
    transport = LossyTransport(SimTransport.build(Design(PARAMS)), Faults(resets=1.0))
    with pytest.raises(TargetError, match="the array was reset"):
        LinkPort(transport)
    assert transport.counts["resets"] >= 3
    transport.close()


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("faults", list(PRESETS))
def test_a_run_over_a_bad_line_gives_the_models_bits(faults, seed):
    array = random_network(PARAMS, seed, 100)
    port = open_port(f"sim?faults={faults}&seed={seed}", PARAMS, timeout=0.02)
    try:
        assert agreement(array, play(ModelPort(PARAMS), array), play(port, array)).differing == {}
    finally:
        port.close()


@pytest.mark.parametrize("faults", ["skew=0.02", "skew=-0.02", "glitches=1e-4&framing=1e-4"])
def test_a_run_over_bad_pins_gives_the_models_bits(faults):
    array = random_network(AT_LEISURE, 1, 20)
    port = open_port(f"sim-pins?{faults}", AT_LEISURE, timeout=0.02)
    try:
        expected = play(ModelPort(AT_LEISURE), array)
        assert agreement(array, expected, play(port, array)).differing == {}
    finally:
        port.close()


def test_pins_count_their_faults():
    transport = SimTransport.build(Design(AT_LEISURE, pins=True))
    lossy = LossyTransport(transport, Faults(glitches=0.01, framing=0.05))
    lossy.write(bytes(1000))
    while transport.read(0.01):
        pass
    assert 40 <= lossy.counts["glitches"] <= 180
    assert 20 <= lossy.counts["framing"] <= 90
    lossy.close()


def test_a_bit_that_is_much_too_long_is_not_understood():
    port = SimTransport.build(Design(AT_LEISURE, pins=True))
    with pytest.raises(TargetError):
        LinkPort(LossyTransport(port, Faults(skew=0.1)), timeout=0.01)
    port.close()


# ---- the text ----------------------------------------------------------------------------------


def test_a_text_says_the_faults():
    faults = Faults.parse("flips=1e-4&drops=0.5&seed=3")
    assert faults == Faults(flips=1e-4, drops=0.5, seed=3)
    assert Faults.parse(str(faults)) == faults
    assert Faults.parse("faults=light&flips=0.5") == Faults(**{**PRESETS["light"], "flips": 0.5})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("flip=1e-4", r"there is no fault 'flip' \(is it 'flips'\?\); there are: flips, drops"),
        ("flips=2", r"flips must be a number in 0\.\.1, not 2\.0"),
        ("flips=-0.1", "flips must be a number in 0"),
        ("flips=nan", "flips must be a finite number"),
        ("flips=often", "flips must be a number, not 'often'"),
        ("skew=0.2", r"skew must be a number in -0\.1\.\.0\.1"),
        ("seed=1.5", "seed must be a whole number"),
        ("seed=-1", "seed must be a whole number in 0"),
        ("flips=0.1&flips=0.2", "'flips' stands twice"),
        ("faults=bad", "there are no faults 'bad'; there are: light, heavy"),
        ("", "faults must be name=value"),
        ("flips", "faults must be name=value"),
        ("flips=", "faults must be name=value"),
        ("flips=0.1&", "faults must be name=value"),
    ],
)
def test_a_wrong_text_is_refused(text, message):
    with pytest.raises(ParameterError, match=message):
        Faults.parse(text)
    with pytest.raises(ParameterError, match=message):
        connect(f"sim?{text}", PARAMS)


@pytest.mark.parametrize(
    "text",
    [
        "seed=" + "9" * 400,
        "seed=" + "9" * 5000,
        "flips=" + "9" * 400,
        "drops=" + "x" * 10_000,
        "x" * 10_000,
        "x" * 10_000 + "=1",
        "faults=" + "x" * 10_000,
        "flips=0.1&" + "flips=0.1&" * 1_000,
        "seed=\0\n",
    ],
)
def test_a_text_of_any_length_is_refused_in_one_line(text):
    with pytest.raises(ParameterError) as error:
        Faults.parse(text)
    assert len(str(error.value)) < 600
    assert str(error.value).isprintable()


@pytest.mark.parametrize("wrong", [{"seed": 10**5000}, {"flips": 10**5000}, {"flips": "9" * 10_000}])
def test_a_value_of_any_length_is_refused_in_one_line(wrong):
    with pytest.raises(ParameterError) as error:
        Faults(**wrong)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("value", [True, "0.1", None, math.inf])
def test_a_rate_is_a_number(value):
    with pytest.raises(ParameterError, match="flips must be a number"):
        Faults(flips=value)


def test_only_a_target_that_has_it_takes_a_fault():
    for target in ("model", "fast", "software"):
        with pytest.raises(ParameterError, match=f"'{target}' is in this process"):
            connect(f"{target}?flips=0.1", PARAMS)
    with pytest.raises(ParameterError, match="faults at pins"):
        connect("sim?glitches=0.1", PARAMS)
    with pytest.raises(ParameterError, match="cannot be reset"):
        LossyTransport(Inside(), Faults(resets=0.1))
    with pytest.raises(ParameterError, match="add --pins"):
        served_lines(None, Faults(skew=0.01), pins=False)
