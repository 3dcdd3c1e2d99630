"""What is fuzzed on the line: the gateware's receiver, the host's link, and the decoder of records."""

import random
import struct

import numpy as np
from edits import BYTE_EDITS, NUMBERS, edited
from fake_device import FakeDevice, make_records
from hypothesis import strategies as st
from receivers import SESSION, Board, Reference, command, opening, replies

from synloom.base.errors import SynloomError
from synloom.contract.frames import MAX_PAYLOAD, RX_WINDOW, Op, RunFlag
from synloom.contract.memory_map import memory_map
from synloom.contract.records import END_WORD, EndReason
from synloom.contract.regions import Region
from synloom.device.decoder import Bounds, RecordDecoder
from synloom.link import LinkPort
from synloom.link.codec import encode_frame
from synloom_sim.model.recorder import Recorder
from synloom_sim.soak.session import PARAMS

COMMANDS = (
    Op.READ,
    Op.WRITE,
    Op.WRITE,
    Op.FILL,
    Op.RATES8,
    Op.CONTROL,
    Op.STREAM,
    Op.EVENTS,
    Op.HELLO,
    Op.OPEN,
)


class Receiver:
    """Commands, right ones and spoilt ones, to the gateware: it answers and writes as the protocol says."""

    kinds = ("right", "right", "right", "payload", "bytes", "noise", "again", "stray")
    cases = st.lists(st.tuples(st.sampled_from(kinds), NUMBERS, BYTE_EDITS), min_size=2, max_size=10)

    def __init__(self, folder):
        self.board, self.reference = Board(), None

    def write(self, case):
        """Make the frames of a case, and let both receivers be in the same state before it."""
        if self.reference is None:
            self.board.reset()
            self.reference = Reference()
            for frame in opening():
                self.sent(frame)
        self.frames = [encode_frame(command(self.reference.session, 0, Op.OPEN, struct.pack("<H", SESSION)))]
        self.session, self.seq = SESSION, 0
        for kind, number, edits in case:
            self.frames += self.pieces(kind, random.Random(number), edits)

    def pieces(self, kind, rng, edits):
        if kind == "noise":
            return [rng.randbytes(rng.randrange(1, 400))]
        if kind == "again":
            return [rng.choice(self.frames)]
        session, seq = self.session, self.seq + 1
        if kind == "stray":
            session, seq = rng.choice([(session, seq + rng.randrange(1, 255)), (rng.randrange(1 << 16), seq)])
        op = rng.choice(COMMANDS)
        payload = command(session, seq, op, arguments_of(op, rng))
        if kind == "payload":
            payload = edited(payload, edits)[:MAX_PAYLOAD]
        elif kind == "right" and op != Op.HELLO:
            self.seq = seq & 0xFF
            if op == Op.OPEN:
                self.session = int.from_bytes(payload[-2:], "little")
        frame = encode_frame(payload) if payload else b"\x7e"
        # A host sends no more at a time; what does not fit the receiver is dropped.
        return [edited(frame, edits)[: RX_WINDOW // 2] if kind == "bytes" else frame]

    def sent(self, frame):
        """Send bytes to both, and return their answers; None if they would begin a run."""
        self.reference.write(frame)
        wanted = replies(self.reference.read(0.0))
        if self.reference.runs:
            return None
        self.board.write(frame)
        return replies(self.board.read()), wanted

    def judge(self, case):
        board, reference = self.board, self.reference
        # What fails, or begins a run, leaves the two apart.
        self.reference = None
        before = reference.memory_words()
        # The last flag ends what was left open; else the check's first frame would, and on the board alone.
        for frame in [*self.frames, b"\x7e"]:
            self.reference = reference
            answers = self.sent(frame)
            self.reference = None
            if answers is None:
                return "other"
            got, wanted = map(comparable, answers)
            assert got == wanted, (frame.hex(), got, wanted)
        after = board.memory_words()
        assert after == reference.memory_words()
        # The check itself has opened a session on the board.
        reference.session = int.from_bytes(board.session(), "little")
        self.reference = reference
        return SynloomError("nothing was written") if after == before else "equal"


class SpoiltPeer(FakeDevice):
    """A device whose frames are spoilt on the way (bytes), or lie with a right checksum (payload)."""

    def __init__(self, spoils):
        super().__init__()
        self.spoils, self.frames, self.lied = spoils, 0, False
        rng = random.Random(5)
        for region in (Region.NEURON_PARAMS, Region.WEIGHTS):
            for k in range(SIZE):
                self.memory[region, k] = rng.randrange(256)
        self.records = make_records(rng, 80)

    def _run(self, arguments):
        self.script.extend(self.records)
        return super()._run(arguments)

    def _send(self, payload):
        whole = struct.pack("<H", self.session) + payload
        frame = encode_frame(whole)
        for first, lasts, mode, edits in self.spoils:
            if self.frames == first or (lasts and self.frames > first):
                if mode == "payload":
                    self.lied = True
                    frame = encode_frame(edited(whole, edits)[:MAX_PAYLOAD] or b"\0")
                else:
                    frame = edited(frame, edits)[:MOST] if mode == "bytes" else noise(edits) + frame
        self.frames += 1
        self._out += frame


SIZE, MOST = 300, 4000
"""Words that are read, and most bytes of what became of a frame."""


def noise(edits):
    """Return bytes that are no frame."""
    return random.Random(str(edits)).randbytes(len(edits) * 7)


class HostLink:
    """Answers and records, spoilt or false, to the host: what it reads is right, or an error of Synloom."""

    spoils = st.tuples(
        st.integers(0, 60),
        st.booleans(),
        st.sampled_from(("bytes", "bytes", "payload", "before")),
        BYTE_EDITS,
    )
    cases = st.lists(spoils, min_size=1, max_size=6)

    def __init__(self, folder):
        self.contents = self.held(SpoiltPeer([]))

    @staticmethod
    def held(device):
        """Connect, read, write, run; return all that came."""
        port = LinkPort(device, retries=3)
        read = [port.read(region, 0, SIZE).tolist() for region in (Region.NEURON_PARAMS, Region.WEIGHTS)]
        port.write(Region.WEIGHTS, 20, np.arange(200))
        port.run(80, RunFlag(0))
        words = []
        for _ in range(400):
            words += port.records(0.01).tolist()
            if words[-4:-3] == [END_WORD]:
                break
        return read, words, port.read(Region.WEIGHTS, 0, SIZE).tolist()

    def write(self, case):
        self.device = SpoiltPeer(case)

    def judge(self, case):
        try:
            again = self.held(self.device)
        except SynloomError as error:
            return error
        if again == self.contents:
            return "equal"
        # A checksum finds damage, not lies.
        assert self.device.lied
        return "other"


class Records:
    """Words of records, in pieces: a run of this array could have sent them, or they are refused."""

    steps, now = 200, 5
    cases = st.tuples(BYTE_EDITS, st.integers(1, 400))

    def __init__(self, folder):
        rng, recorder = np.random.default_rng(1), Recorder(PARAMS)
        recorder.begin(self.now)
        for t in range(self.now, self.now + self.steps):
            recorder.spikes(t, np.flatnonzero(rng.random(PARAMS.neurons) < rng.choice([0.0, 0.05, 0.3])))
            if rng.random() < 0.1:
                recorder.probes(t, rng.integers(0, 1 << 16, 6).tolist())
            recorder.end_step(t)
        recorder.end(self.now + self.steps, EndReason.DONE)
        self.whole = recorder.take()
        self.contents = self.decoded(self.whole, 100)

    def decoded(self, words, piece):
        end = self.now + self.steps
        bounds = Bounds(end, PARAMS.neurons, PARAMS.neuron_words, PARAMS.probes)
        decoder = RecordDecoder(self.now, bounds)
        for at in range(0, len(words), piece):
            decoder.feed(words[at : at + piece])
        return decoder.end, *(each.tolist() for each in (*decoder.spikes(), *decoder.samples()))

    def write(self, case):
        content = edited(self.whole.tobytes(), case[0])
        self.words = np.frombuffer(content[: len(content) // 2 * 2], dtype="<u2").astype(np.uint16)

    def judge(self, case):
        try:
            again = self.decoded(self.words, case[1])
        except SynloomError as error:
            return error
        _, steps, neurons, when, _ = again
        spikes = list(zip(steps, neurons, strict=True))
        assert spikes == sorted(set(spikes))
        assert when == sorted(set(when))
        assert all(self.now <= t < self.now + self.steps for t in (*steps, *when))
        assert all(0 <= neuron < PARAMS.neurons for neuron in neurons)
        return "equal" if again == self.contents else "other"


def arguments_of(op, rng):
    """Return arguments that are right, mostly."""
    memory = rng.choice([m for m in memory_map(PARAMS).values() if m.exists])
    if rng.random() < 0.05:
        region, offset = rng.randrange(256), rng.randrange(1 << 24)
    else:
        region, offset = memory.region, rng.randrange(memory.size)
    place = bytes([region]) + offset.to_bytes(3, "little")
    match op:
        case Op.READ:
            return place + rng.randrange(1, 121).to_bytes(2, "little")
        case Op.WRITE:
            return place + rng.randbytes(2 * rng.randrange(1, 60))
        case Op.FILL:
            return place + rng.randrange(200).to_bytes(2, "little") + rng.randbytes(2)
        case Op.RATES8:
            return rng.randrange(24).to_bytes(2, "little") + rng.randbytes(rng.randrange(1, 13))
        case Op.CONTROL:
            return bytes([rng.randrange(3)])
        case Op.STREAM:
            return rng.randbytes(3)
        case Op.EVENTS:
            return rng.randbytes(2 * rng.randrange(20))
        case Op.OPEN:
            return rng.randrange(1, 1 << 16).to_bytes(2, "little")
    return b""


def comparable(answers):
    """Return answers without what may differ: the room in the queue of events, bits that no memory has."""
    return [
        (session, seq, op, *((None, None) if op == Op.EVENTS else (status, len(data))))
        for session, seq, op, status, data in answers
    ]
