"""Peers that answer in a wrong way, and boards that are reset in the middle: nothing waits for ever."""

import time

import numpy as np
import pytest
from small_networks import learner

from synloom import ArrayLostError, Device, DeviceError, TargetError, compile, replay
from synloom.contract.frames import Op
from synloom.contract.info import PROTOCOL_VERSION
from synloom.contract.regions import Region
from synloom.contract.registers import control
from synloom.device import execution
from synloom.link import LinkPort
from synloom.link.assembly import RecordAssembly
from synloom.link.codec import Decoder, encode_frame
from synloom.link.line import Line
from synloom_sim.board import Design, SimTransport
from synloom_sim.model_port import ModelPort
from synloom_sim.soak.session import PARAMS, image


class Talker(ModelPort):
    """An array whose records never end once it lies."""

    lies = False

    def records(self, timeout):
        return np.array([0xC001], dtype=np.uint16) if self.lies else super().records(timeout)


@pytest.mark.parametrize("call", ["load", "reset"])
def test_records_without_end_are_not_heard_without_end(call, monkeypatch):
    monkeypatch.setattr(execution, "_STOP_S", 0.3)
    wanted = compile(learner())
    port = Talker(wanted.params)
    device = Device(port)
    device.load(wanted)
    port.lies = True
    started = time.monotonic()
    with pytest.raises(DeviceError, match="come without an end"):
        device.load(wanted) if call == "load" else device.reset()
    assert time.monotonic() - started < 5.0
    port.lies = False
    device.load(wanted)
    device.run(5.0)


class Liar(ModelPort):
    """An array that answers well, but what it says of its run is not true: the same records for ever."""

    words = ()

    def records(self, timeout):
        time.sleep(0.001)
        return np.array(self.words, dtype=np.uint16) if self.words else super().records(timeout)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([0xC001], "records came for step 41 of a run that ends at 40"),
        ([0xC001] * 300, "records came for step 300"),
        ([0xFFFF, 7, 0, 1], "stands still"),
    ],
    ids=["one step more", "many steps more", "paused again and again"],
)
def test_a_run_of_records_without_end_ends(words, said, monkeypatch):
    for name, seconds in (("_STOP_S", 0.3), ("_SILENCE_S", 0.05)):
        monkeypatch.setattr(execution, name, seconds)
    port = Liar(image().params)
    device = Device(port)
    device.load(image())
    port.words = words
    started = time.monotonic()
    with pytest.raises(DeviceError) as caught:
        device.run(40.0)
    assert said in str(caught.value.__context__ or caught.value)
    assert time.monotonic() - started < 10.0
    port.words = ()
    device.load(image())
    device.run(5.0)


class Full(ModelPort):
    """An array whose queue of events stays full."""

    full = False

    def events(self, words):
        return False if self.full else super().events(words)

    def run(self, steps, flags):
        if not self.full:
            super().run(steps, flags)

    def read(self, region, offset, count):
        words = super().read(region, offset, count)
        if self.full and region is Region.CTRL and offset == control("status").offset:
            words[0] |= 1
        return words

    def control(self, action):
        self.full = False


def test_a_queue_that_stays_full_ends_the_run(monkeypatch):
    monkeypatch.setattr(execution, "_SILENCE_S", 0.05)
    port = Full(image().params)
    device = Device(port)
    device.load(image())
    device.inject("kicks", np.ones((40, 8), dtype=bool))
    port.full = True
    with pytest.raises(DeviceError, match="stands still at step 0, because its events"):
        device.run(40.0)
    with Device(ModelPort(image().params)) as other:
        other.load(image())
        other.inject("kicks", np.ones((40, 8), dtype=bool))
        wanted = other.run(40.0).raster("cells")
    assert (device.run(40.0).raster("cells") == wanted).all()


class Refuser:
    """A line to a peer that greets well and answers all else with one status, outside of any session."""

    name = "the refuser"

    def __init__(self, status):
        self.status, self.decoder, self.answers, self.asked = status, Decoder(), b"", 0

    def write(self, data):
        for payload in self.decoder.feed(data):
            self.asked += 1
            greets = payload[3] == Op.HELLO
            status, data = (
                (0, b"SYNL" + PROTOCOL_VERSION.to_bytes(2, "little")) if greets else (self.status, b"")
            )
            self.answers += encode_frame(bytes([0, 0, 1, payload[2], payload[3], status]) + data)

    def read(self, timeout):
        answers, self.answers = self.answers, b""
        return answers

    def close(self):
        pass


@pytest.mark.parametrize("status", [0, 1, 2])
def test_a_peer_that_opens_no_session_is_given_up(status):
    line = Refuser(status)
    with pytest.raises(TargetError, match="opens no session"):
        LinkPort(line)
    assert line.asked < 1000


class Pluggable:
    """A simulated board's line; the board is reset before one of the host's writes."""

    virtual_time = True

    def __init__(self):
        self.board, self.writes, self.at = SimTransport.build(Design(PARAMS)), 0, -1

    def write(self, data):
        self.writes += 1
        if self.writes == self.at:
            self.board.reset()
        self.board.write(data)

    def read(self, timeout):
        return self.board.read(timeout)

    def close(self):
        self.board.close()


@pytest.mark.parametrize("after", [1, 2, 3, 5])
def test_a_reset_during_a_run_leaves_no_half_recording_and_a_log_that_can_be_replayed(after, tmp_path):
    line = Pluggable()
    device = Device(LinkPort(line, timeout=0.05))
    device.load(image())
    device.inject("kicks", np.random.default_rng(1).random((100, 8)) < 0.2)
    device.run(10.0)
    with device.logged(tmp_path / "run.log"):
        device.run(5.0)
        line.at = line.writes + after
        with pytest.raises(ArrayLostError):
            device.run(40.0)
        assert device.last_recording is None or device.last_recording.steps >= 0
        device.load(image())
        device.run(5.0)
    device.close()
    assert replay(tmp_path / "run.log", "model").agrees


def test_what_a_peer_sends_unasked_takes_no_memory_without_end():
    """Words that no array can hold, and replies to nothing, both in endless supply."""
    assembly = RecordAssembly()
    assembly.start(500)
    word = np.full(112, 0xC001, dtype="<u2").tobytes()
    for k in range(2000):
        assembly.add(500 + 112 * k & 0xFFFF, word)
    assert len(assembly.take()) == 0x8000 // 112 * 112

    class Flood:
        def write(self, data):
            pass

        def read(self, timeout):
            return encode_frame(bytes([0, 0, 1, 7, Op.READ, 0, 0, 0])) * 50

        def close(self):
            pass

    line = Line(Flood(), assembly.add)
    for _ in range(100):
        assert line.pump(0.0)
    assert len(line.answers) == 256
