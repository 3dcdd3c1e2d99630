"""UART lines under cocotb: 8N1 characters at the pins, with random gaps and a wrong baud rate."""

import random
from collections import deque

import cocotb
from cocotb.triggers import Event, FallingEdge, Timer

__all__ = ["UartSink", "UartSource"]


class UartSource:
    """Drives a receiver's pin from a queue.

    Parameters
    ----------
    pin : cocotb handle
        The top's rx.
    bit_ps : int
        Length of a bit in ps; need not be a multiple of the clock.
    seed : int
        Of the gaps.
    gap_bits : float
        Longest gap between two characters, in bits; 0 sends without pause.
    """

    def __init__(self, pin, bit_ps, *, seed=0, gap_bits=0.0):
        self._pin = pin
        self._bit_ps = bit_ps
        self._rng = random.Random(seed)
        self._gap_bits = gap_bits
        self._queue = deque()
        self._filled, self._empty = Event(), Event()
        self._empty.set()
        pin.value = 1
        cocotb.start_soon(self._run())

    def write(self, data):
        """Queue bytes."""
        if data:
            self._queue.extend(data)
            self._empty.clear()
            self._filled.set()

    async def drained(self):
        """Wait until the last stop bit was sent."""
        await self._empty.wait()

    async def _run(self):
        while True:
            await self._filled.wait()
            while self._queue:
                frame = 1 << 9 | self._queue.popleft() << 1
                for position in range(10):
                    self._pin.value = frame >> position & 1
                    await Timer(self._bit_ps, "ps")
                if gap := round(self._rng.random() * self._gap_bits * self._bit_ps):
                    await Timer(gap, "ps")
            self._filled.clear()
            self._empty.set()


class UartSink:
    """Reads a transmitter's pin into a queue.

    Parameters
    ----------
    pin : cocotb handle
        The top's tx.
    bit_ps : int
        Length of a bit in ps.

    Attributes
    ----------
    framing_errors : int
        Characters without a stop bit; they are dropped.
    """

    def __init__(self, pin, bit_ps):
        self._pin = pin
        self._bit_ps = bit_ps
        self._bytes = bytearray()
        self.framing_errors = 0
        cocotb.start_soon(self._run())

    def take(self):
        """Return what came since the last call."""
        data = bytes(self._bytes)
        self._bytes.clear()
        return data

    async def _run(self):
        while True:
            await FallingEdge(self._pin)
            await Timer(self._bit_ps * 3 // 2, "ps")
            value = 0
            for position in range(8):
                value |= int(self._pin.value) << position
                await Timer(self._bit_ps, "ps")
            if self._pin.value == 1:
                self._bytes.append(value)
            else:
                self.framing_errors += 1
