"""A device in software that speaks docs/protocol.md, on a line that can be bad."""

import struct
from collections import Counter, deque
from random import Random

from synloom.contract.frames import (
    BRIEF_FRAME_WORDS,
    MOST_FILLED,
    RECORD_FRAME_WORDS,
    Kind,
    Op,
    Status,
    StreamFlag,
)
from synloom.contract.info import MAGIC, PROTOCOL_VERSION, encode_info
from synloom.contract.memory_map import memory_map
from synloom.contract.params import ArrayParams
from synloom.contract.records import END_WORD
from synloom.contract.regions import Region
from synloom.contract.registers import control, link
from synloom.link.codec import Decoder, encode_frame
from synloom_sim.faults import Faults, LossyLine

REPEATABLE = {Op.HELLO, Op.OPEN, Op.READ, Op.WRITE, Op.FILL, Op.STREAM}
SMALL = ArrayParams(inputs=8, neurons=20, record_words=256, event_words=256)


class Line(LossyLine):
    """How bad the line is: probabilities for a frame, each way, and of a read that gives nothing."""

    def __init__(self, seed=0, drop=0.0, corrupt=0.0, duplicate=0.0, stall=0.0, replay=0.0):
        faults = Faults(damage=corrupt, repeats=duplicate, replays=replay, seed=seed)
        super().__init__(faults, "each way")
        self.rng = Random(seed)
        self.drop, self.stall = drop, stall

    def carry(self, data):
        """Return what arrives of a frame; a test may change `drop` at any time."""
        return b"" if self.rng.random() < self.drop else super().carry(data)


class FakeDevice:
    """A transport with a device behind it.

    Attributes
    ----------
    memory : dict
        (region, offset) -> word.
    executed : Counter
        How often each op took effect.
    largest_burst : int
        Most bytes of payload (two of overhead a frame) that were written between two reads.
    """

    virtual_time = True
    name = "the fake device"

    def __init__(self, params=SMALL, line=None):
        self.params = params
        self.line = line or Line()
        self.memory = {(Region.INFO, k): word for k, word in enumerate(encode_info(params))}
        self.executed = Counter()
        self.runs, self.controls, self.event_queue = [], [], []
        self.running = False
        self.script = deque()
        self.first = 65500
        self.held = []
        self.sent = 0
        self.flushing = False
        self.largest_burst = 0
        self.closed = False
        self.session = 0
        self.brief = False
        self._last, self._outcome = 0, Status.OK
        self._burst = 0
        self._arrived = Decoder()
        self._out = bytearray()

    # ---- the transport's face ------------------------------------------------------------------

    def write(self, data):
        for frame in split(data):
            self._burst += len(Decoder().feed(frame)[0]) + 4
            for payload in self._arrived.feed(self.line.carry(frame)):
                self._reply(payload)
        self.largest_burst = max(self.largest_burst, self._burst)

    def read(self, timeout):
        self._burst = 0
        self._work()
        if self.line.rng.random() < self.line.stall:
            return b""
        size = self.line.rng.randrange(1, 400)
        data, self._out = bytes(self._out[:size]), self._out[size:]
        return data

    def close(self):
        self.closed = True

    # ---- records -------------------------------------------------------------------------------

    def _work(self):
        worst = self.params.record_worst_case
        while self.script and len(self.held) + worst <= self.params.record_words:
            record = self.script.popleft()
            self.held += record
            if record[0] == END_WORD:
                self.running = False
        while self.sent < len(self.held):
            most = BRIEF_FRAME_WORDS if self.brief else RECORD_FRAME_WORDS
            words = self.held[self.sent : self.sent + most]
            half_full = len(self.held) >= self.params.record_words // 2
            if len(words) < most and self.running and not self.flushing and not half_full:
                break
            self._send(struct.pack("<BH", Kind.RECORDS, (self.first + self.sent) & 0xFFFF) + pack(words))
            self.sent += len(words)
        self.flushing = False

    # ---- commands ------------------------------------------------------------------------------

    def _reply(self, payload):
        if len(payload) < 5:
            return
        session, seq, op, length = struct.unpack("<HBBB", payload[:5])
        arguments, data = payload[5:], b""
        ahead = (seq - self._last) % 256
        if len(arguments) != length:
            status = Status.LENGTH
        elif op != Op.HELLO and session != self.session:
            status = Status.SESSION
        elif op not in (Op.HELLO, Op.OPEN) and ahead > 1:
            status = Status.ORDER
        elif op in set(Op) and op not in REPEATABLE and ahead == 0:
            status, data = self._outcome, pack([self._event_room()]) if op == Op.EVENTS else b""
        else:
            try:
                status, data = getattr(self, f"_{Op(op).name.lower()}")(arguments)
            except (ValueError, struct.error):
                status = Status.BAD_ARG if op in set(Op) else Status.BAD_OP
            self.executed[op] += status == Status.OK
            if op != Op.HELLO:
                self._last, self._outcome = seq, status
        self._send(bytes([Kind.REPLY, seq, op, status]) + data)

    def _send(self, payload):
        self._out += self.line.carry(encode_frame(struct.pack("<H", self.session) + payload))

    def reset(self):
        """Lose everything, as a board does whose power fails."""
        self.__init__(self.params, self.line)

    def _event_room(self):
        return self.params.event_words - len(self.event_queue)

    def _places(self, region, low, high, count):
        memory, offset = memory_map(self.params).get(region), low | high << 16
        for _ in range(count):
            yield region, offset
            offset = memory.advance(offset, 1) if memory else offset + 1

    def _hello(self, arguments):
        return Status.OK, pack([*MAGIC, PROTOCOL_VERSION])

    def _open(self, arguments):
        (self.session,) = struct.unpack("<H", arguments)
        return Status.OK, b""

    def _read(self, arguments):
        region, low, high, count = struct.unpack("<BHBH", arguments)
        self.memory[Region.CTRL, control("status").offset] = int(self.running)
        self.memory[Region.LINK, link("first_record").offset] = self.first
        wide = region != Region.WEIGHTS
        if not 1 <= count <= (120 if wide else 240):
            return Status.BAD_ARG, b""
        words = [self.memory.get(place, 0) for place in self._places(region, low, high, count)]
        return Status.OK, pack(words) if wide else bytes(words)

    def _write(self, arguments):
        region, low, high = struct.unpack("<BHB", arguments[:4])
        values = unpack(arguments[4:]) if region != Region.WEIGHTS else arguments[4:]
        self.memory.update(zip(self._places(region, low, high, len(values)), values, strict=True))
        return Status.OK, b""

    def _fill(self, arguments):
        region, low, high, count, word = struct.unpack("<BHBHH", arguments)
        assert count <= MOST_FILLED
        for place in self._places(region, low, high, count):
            self.memory[place] = word
        return Status.OK, b""

    def _rates8(self, arguments):
        first, setting = struct.unpack("<HB", arguments[:3])
        for k, byte in enumerate(arguments[3:]):
            mantissa = min(byte << (setting & 15), 0xFFF)
            self.memory[Region.GEN_RATE, first + k] = mantissa | setting >> 4 << 12
        return Status.OK, b""

    def _run(self, arguments):
        if self.running:
            return Status.BUSY, b""
        self.runs.append(struct.unpack("<IB", arguments))
        self.running = True
        return Status.OK, b""

    def _control(self, arguments):
        self.controls.append(arguments[0])
        return (Status.OK if arguments[0] <= 2 else Status.BAD_ARG), b""

    def _events(self, arguments):
        words = unpack(arguments)
        fits = len(words) <= self._event_room()
        if fits:
            self.event_queue += words
        return (Status.OK if fits else Status.BUSY), pack([self._event_room()])

    def _stream(self, arguments):
        acked, flags = struct.unpack("<HB", arguments)
        freed = (acked - self.first) & 0xFFFF
        if flags & StreamFlag.DISCARD:
            freed = len(self.held)
        if freed <= len(self.held):
            self.first = (self.first + freed) & 0xFFFF
            del self.held[:freed]
            self.sent = max(0, self.sent - freed)
        if flags & StreamFlag.REWIND:
            self.sent = 0
        self.flushing = self.flushing or bool(flags & StreamFlag.FLUSH)
        self.brief = bool(flags & StreamFlag.BRIEF)
        self._work()
        return Status.OK, b""


def split(data):
    """Return the frames of what a client wrote, flags included."""
    return [b"\x7e" + body + b"\x7e" for body in data.split(b"\x7e") if body]


def pack(words):
    return struct.pack(f"<{len(words)}H", *words)


def unpack(data):
    return [word for (word,) in struct.iter_unpack("<H", data)]


def make_records(rng, steps, neurons=20):
    """Return records as a run of so many steps might give them, the end included; each is a list of words."""
    records = []
    for _ in range(steps):
        count = rng.randrange(4)
        if count >= 2:
            records.append([1 << 14 | 2, rng.randrange(1 << 16), rng.randrange(1 << 4)])
        elif count:
            records.append([count, *sorted(rng.sample(range(neurons), count))])
        if rng.random() < 0.3:
            records.append([2 << 14 | 3, *(rng.randrange(1 << 16) for _ in range(6))])
        if rng.random() < 0.2:
            records.append([3 << 14 | rng.randrange(1, 0x3FFF)])
    return [*records, [END_WORD, steps & 0xFFFF, steps >> 16, 0]]
