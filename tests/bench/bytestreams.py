"""Byte streams under cocotb: a source, a sink and a monitor, with random gaps and back-pressure."""

import random
from collections import deque
from collections.abc import Iterator

import cocotb
from cocotb.triggers import Event, RisingEdge

__all__ = ["ByteMonitor", "ByteSink", "ByteSource", "pauses"]


def pauses(seed: int, share: float) -> Iterator[bool]:
    """Yield for ever whether a clock is one of pause; bursts and gaps of random lengths.

    Parameters
    ----------
    seed : int
        Of the random generator.
    share : float
        Mean share of clocks that pause, 0 (never) to below 1.
    """
    rng = random.Random(seed)
    while True:
        burst, gap = rng.randrange(1, 20), rng.random() < 0.5
        for _ in range(burst):
            yield share > 0 and (rng.random() < share if gap else rng.random() < 2 * share - 1)
        if gap and share > 0:
            yield from [True] * rng.randrange(int(20 * share) + 1)


class _Port:
    """The three signals of a stream `name` of the top, and its clock."""

    def __init__(self, top, name):
        self.clk = top.clk
        self.valid = getattr(top, f"{name}__valid")
        self.ready = getattr(top, f"{name}__ready")
        self.payload = getattr(top, f"{name}__payload")


class ByteSource:
    """Drives an input stream of the top from a queue.

    Parameters
    ----------
    top : cocotb handle
        The top.
    name : str
        Of the stream.
    pause : iterator of bool
        Asked in each clock in which a byte could be offered.
    """

    def __init__(self, top, name, pause):
        self._port = _Port(top, name)
        self._pause = pause
        self._queue = deque()
        self._empty = Event()
        self._empty.set()
        self._port.valid.value = 0
        self._port.payload.value = 0
        cocotb.start_soon(self._run())

    def write(self, data):
        """Queue bytes."""
        self._queue.extend(data)
        if data:
            self._empty.clear()

    async def drained(self):
        """Wait until every byte was taken."""
        await self._empty.wait()

    async def _run(self):
        port, offered = self._port, False
        while True:
            await RisingEdge(port.clk)
            if offered and port.ready.value == 1:
                self._queue.popleft()
                offered = False
                if not self._queue:
                    self._empty.set()
            if not offered and self._queue and not next(self._pause):
                port.payload.value = self._queue[0]
                offered = True
            port.valid.value = int(offered)


class ByteSink:
    """Takes an output stream of the top into a queue.

    Parameters
    ----------
    top : cocotb handle
        The top.
    name : str
        Of the stream.
    pause : iterator of bool
        Asked in each clock whether to hold the top back.
    """

    def __init__(self, top, name, pause):
        self._port = _Port(top, name)
        self._pause = pause
        self._bytes = bytearray()
        self._port.ready.value = 0
        cocotb.start_soon(self._run())

    def take(self):
        """Return what came since the last call."""
        data = bytes(self._bytes)
        self._bytes.clear()
        return data

    async def _run(self):
        port, ready = self._port, False
        while True:
            await RisingEdge(port.clk)
            if ready and port.valid.value == 1:
                self._bytes.append(int(port.payload.value))
            ready = not next(self._pause)
            port.ready.value = int(ready)


class ByteMonitor:
    """Watches a stream: keeps what is transferred and checks that an offer is held until it is taken.

    Attributes
    ----------
    bytes : bytearray
        All that was transferred.
    stalls : int
        Clocks in which an offer was not taken.
    """

    def __init__(self, top, name):
        self._port = _Port(top, name)
        self.bytes = bytearray()
        self.stalls = 0
        cocotb.start_soon(self._run())

    async def _run(self):
        port, held = self._port, None
        while True:
            await RisingEdge(port.clk)
            offer = int(port.payload.value) if port.valid.value == 1 else None
            assert held is None or offer == held, f"an offer of {held} became {offer} before it was taken"
            held = None
            if offer is not None and port.ready.value == 1:
                self.bytes.append(offer)
            elif offer is not None:
                self.stalls += 1
                held = offer
