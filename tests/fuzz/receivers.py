"""Two receivers of commands: the gateware of a simulated board, and the protocol's text over the model."""

import struct

import numpy as np
from fake_device import FakeDevice, pack, unpack

from synloom.contract.frames import Op, Status
from synloom.contract.memory_map import memory_map
from synloom.contract.regions import Region
from synloom.link import LinkPort
from synloom.link.codec import Decoder, encode_frame
from synloom.selftest.memories import memories
from synloom_sim.board import Design, SimTransport
from synloom_sim.model_port import ModelPort
from synloom_sim.soak.session import PARAMS

SESSION = 0x1234
# A board that is idle is silent at once; only one that never becomes idle is waited for, by the clock.
_QUIET_S = 2.0
_MOST_WORDS, _MOST_BYTES = 120, 240


def command(session, seq, op, arguments, length=None):
    """Return the payload of a command."""
    size = len(arguments) if length is None else length
    return struct.pack("<HBBB", session, seq & 0xFF, op, size & 0xFF) + arguments


class Reference(FakeDevice):
    """What docs/protocol.md says of commands, with the model's memories behind; it never runs."""

    def __init__(self):
        super().__init__(PARAMS)
        self.array = ModelPort(PARAMS)
        self.map = memory_map(PARAMS)

    def write(self, data):
        for payload in self._arrived.feed(data):
            self._reply(payload)

    def read(self, timeout):
        data, self._out = bytes(self._out), bytearray()
        return data

    def _words(self, region, low, high, count):
        if region not in self.map:
            return np.zeros(count, dtype=np.uint16)
        return self.array.model.read(Region(region), low | high << 16, count)

    def _hello(self, arguments):
        return super()._hello(arguments) if not arguments else (Status.BAD_ARG, b"")

    def _control(self, arguments):
        return super()._control(arguments) if len(arguments) == 1 else (Status.BAD_ARG, b"")

    def _read(self, arguments):
        region, low, high, count = struct.unpack("<BHBH", arguments)
        wide = region != Region.WEIGHTS
        if not 1 <= count <= (_MOST_WORDS if wide else _MOST_BYTES):
            return Status.BAD_ARG, b""
        words = self._words(region, low, high, count).tolist()
        return Status.OK, pack(words) if wide else bytes(word & 0xFF for word in words)

    def _write(self, arguments):
        region, low, high = struct.unpack("<BHB", arguments[:4])
        values = unpack(arguments[4:]) if region != Region.WEIGHTS else list(arguments[4:])
        if region in self.map:
            words = np.array(values, dtype=np.uint16)
            self.array.model.write(Region(region), low | high << 16, words)
        return Status.OK, b""

    def _fill(self, arguments):
        region, low, high, count, word = struct.unpack("<BHBHH", arguments)
        if region in self.map:
            words = np.full(count, word, dtype=np.uint16)
            self.array.model.write(Region(region), low | high << 16, words)
        return Status.OK, b""

    def _rates8(self, arguments):
        status, data = super()._rates8(arguments)
        written = {
            offset: word for (region, offset), word in self.memory.items() if region == Region.GEN_RATE
        }
        for offset, word in written.items():
            self.array.model.write(Region.GEN_RATE, offset, np.array([word], dtype=np.uint16))
            del self.memory[Region.GEN_RATE, offset]
        return status, data

    def memory_words(self):
        return contents(self.array)


class Board:
    """The gateware."""

    def __init__(self):
        self.transport = SimTransport.build(Design(PARAMS))

    def reset(self):
        """Switch it off and on."""
        self.transport.reset()

    def write(self, data):
        self.transport.write(data)

    def read(self):
        """Return all that comes until the line is silent."""
        data = b""
        while part := self.transport.read(_QUIET_S):
            data += part
        return data

    def memory_words(self):
        """Return all memories, or raise because the board is dead."""
        return contents(LinkPort(self.transport, timeout=0.05, retries=3))

    def session(self):
        """Return the session of the board, as it tells a greeting."""
        self.write(encode_frame(command(0, 0, Op.HELLO, b"")))
        return Decoder().feed(self.read())[-1][:2]


def contents(port):
    """Return all words that a host can write, by region."""
    return {
        each.region: each.read_all(port).tolist() for each in memories(PARAMS) if each.region != Region.CTRL
    }


def replies(data):
    """Return what a receiver answered: each as session, sequence number, op, status and data."""
    return [
        (*struct.unpack("<HxBBB", payload[:6]), payload[6:])
        for payload in Decoder().feed(data)
        if len(payload) >= 6 and payload[2] == 1
    ]


def opening(session=SESSION):
    """Return the frames that open a session and fill the memories with what a case can be seen to change."""
    frames = [command(0, 0, Op.OPEN, session.to_bytes(2, "little"))]
    for each in memories(PARAMS):
        if each.region == Region.CTRL:
            continue
        for block in each.blocks:
            place = bytes([each.region]) + block.offset.to_bytes(3, "little")
            arguments = place + block.count.to_bytes(2, "little") + b"\x15\x00"
            frames.append(command(session, len(frames), Op.FILL, arguments))
    return [encode_frame(frame) for frame in frames]
