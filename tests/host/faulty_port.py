"""A port with a fault of the array behind it."""

import numpy as np

from synloom.contract.memory_map import memory_of
from synloom.contract.records import END_WORD, RecordKind
from synloom.contract.regions import Region


class FaultyPort:
    """Passes everything on to a port; subclasses spoil something."""

    def __init__(self, port):
        self.port = port

    def __getattr__(self, name):
        return getattr(self.port, name)

    def place(self, region, offset, k):
        """Return the k-th offset from one on."""
        return memory_of(self.port.params, region).advance(offset, k)


class StuckBit(FaultyPort):
    """A bit of one word always reads as 0 or 1."""

    def __init__(self, port, region, offset, bit, value):
        super().__init__(port)
        self.region, self.offset, self.bit, self.value = region, offset, bit, value

    def read(self, region, offset, count):
        words = np.array(self.port.read(region, offset, count))
        for k in range(count):
            if region == self.region and self.place(region, offset, k) == self.offset:
                words[k] = int(words[k]) & ~(1 << self.bit) | self.value << self.bit
        return words


class SharedCell(FaultyPort):
    """One address reaches the cell of another."""

    def __init__(self, port, region, offset, other):
        super().__init__(port)
        self.region, self.offset, self.other = region, offset, other

    def _cell(self, region, offset):
        return self.other if (region, offset) == (self.region, self.offset) else offset

    def read(self, region, offset, count):
        words = np.array(self.port.read(region, offset, count))
        for k in range(count):
            at = self.place(region, offset, k)
            if self._cell(region, at) != at:
                words[k] = self.port.read(region, self.other, 1)[0]
        return words

    def write(self, region, offset, values):
        if region != self.region:
            self.port.write(region, offset, values)
            return
        for k, value in enumerate(np.asarray(values)):
            at = self.place(region, offset, k)
            self.port.write(region, self._cell(region, at), [value])


class DeadMemory(FaultyPort):
    """A region takes nothing."""

    def __init__(self, port, region):
        super().__init__(port)
        self.region = region

    def write(self, region, offset, values):
        if region != self.region:
            self.port.write(region, offset, values)

    def fill(self, region, offset, count, value):
        if region != self.region:
            self.port.fill(region, offset, count, value)


class WrongSpike(FaultyPort):
    """Drops the first neuron of the n-th record of spikes of each run."""

    def __init__(self, port, record):
        super().__init__(port)
        self.record = record
        self.left = 0

    def run(self, steps, flags):
        self.left = self.record
        self.port.run(steps, flags)

    def records(self, timeout):
        words = self.port.records(timeout).tolist()
        at, out = 0, []
        while at < len(words):
            head = words[at]
            kind, argument = head >> 14, head & 0x3FFF
            size = 1 + {RecordKind.TIME: 0, RecordKind.PROBES: 2 * argument}.get(kind, argument)
            size = 4 if head == END_WORD else size
            record, at = words[at : at + size], at + size
            if kind in (RecordKind.SPIKES, RecordKind.BITMAP):
                self.left -= 1
                record = self._spoilt(record) if self.left == 0 else record
            out += record
        return np.array(out, dtype=np.uint16)

    @staticmethod
    def _spoilt(record):
        head, *body = record
        if head >> 14 == RecordKind.BITMAP:
            first = next(k for k, word in enumerate(body) if word)
            body[first] &= body[first] - 1
            return [head, *body]
        return [head - 1, *body[1:]] if head > 1 else []


class OtherParameter(FaultyPort):
    """One bit of NEURON_PARAMS changes while the array runs."""

    def __init__(self, port, offset):
        super().__init__(port)
        self.offset = offset

    def run(self, steps, flags):
        word = int(self.port.read(Region.NEURON_PARAMS, self.offset, 1)[0])
        self.port.write(Region.NEURON_PARAMS, self.offset, [word ^ 1 << 9])
        self.port.run(steps, flags)


class SlowLearner(FaultyPort):
    """One weight is read as one too small after each run."""

    def __init__(self, port, offset):
        super().__init__(port)
        self.offset = offset

    def read(self, region, offset, count):
        words = np.array(self.port.read(region, offset, count))
        for k in range(count if region == Region.WEIGHTS else 0):
            if self.place(region, offset, k) == self.offset and self.ran:
                words[k] = (int(words[k]) - 1) & 0xFF
        return words

    ran = False

    def run(self, steps, flags):
        self.ran = True
        self.port.run(steps, flags)

    def write(self, region, offset, values):
        self.ran = False
        self.port.write(region, offset, values)
