"""LinkPort: the register-level interface of an array over a transport."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.base.errors import DeviceError, LinkError, ParameterError
from synloom.contract.array_port import Handed, Words
from synloom.contract.frames import (
    COMMAND_HEADER,
    MAX_PAYLOAD,
    MAX_READ_BYTES,
    MOST_FILLED,
    ControlAction,
    Op,
    RunFlag,
    Status,
    StreamFlag,
)
from synloom.contract.memory import Block, Memory
from synloom.contract.memory_map import memory_of
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.contract.registers import LINK_REGISTERS, control, link
from synloom.link.assembly import RecordAssembly
from synloom.link.baud import change_rate, divisor_for
from synloom.link.discovery import discover
from synloom.link.exchange import Exchange
from synloom.link.line import Line
from synloom.link.lock import Lock
from synloom.link.rates import ByteRates, byte_rates
from synloom.link.record_stream import AGAIN, RecordStream
from synloom.link.statistics import FAULTS, LinkStatistics
from synloom.link.transport import RatedTransport, Transport

__all__ = ["LinkPort"]

_NO_FLAGS: Final = RunFlag(0)
_EVENTS_PER_COMMAND: Final = (MAX_PAYLOAD - COMMAND_HEADER) // 2
_BAD_LINE: Final = 0.2
"""Share of lost commands above which frames are kept short, so that more of them arrive."""
_BRIEF: Final = 8
"""How many times shorter frames then are."""
_PIECES: Final = 32
"""Parts of a long access after which the line is judged anew."""


class LinkPort:
    """A `synloom.contract.array_port.Port` over a transport, by the protocol of docs/protocol.md.

    The port repairs lost, changed and repeated frames, and keeps frames short on a bad line. If it cannot, it
    raises LinkError, then and in every later call. If the array was reset, or another host has connected to
    it, the next call raises ArrayLostError, once; the calls after it reach the array as it is then. Calls
    from several threads take turns.

    A run that another host has started goes on, and `records` first returns its records that were never
    acknowledged. If no run is going on, records of earlier runs are discarded.

    Parameters
    ----------
    transport : Transport
        The line; closed with the port.
    timeout : float
        Seconds without an answer after which a command is sent again.
    retries : int
        Repetitions of a command after which the link counts as broken.

    Raises
    ------
    TargetError
        If no Synloom array answers.
    """

    def __init__(self, transport: Transport, *, timeout: float = 1.0, retries: int = 5) -> None:
        self.name = str(getattr(transport, "name", "the target"))
        assembly = RecordAssembly()
        self._line = Line(transport, assembly.add)
        self._exchange = Exchange(self._line, timeout=timeout, retries=retries)
        self._lock = Lock(self)
        self._closed = False
        self._params = discover(self._exchange, self.name)
        self._records = RecordStream(self._exchange, assembly, self._params.record_words)
        self._join_stream()

    @property
    def params(self) -> ArrayParams:
        """Parameters of the array, as discovered."""
        return self._params

    @property
    def statistics(self) -> LinkStatistics:
        """Numbers of bytes, commands and errors on the line so far."""
        return self._line.statistics

    def line_counters(self) -> dict[str, int]:
        """Return what went wrong on the line, counted by the array (``array_``) and the host (``host_``)."""
        first, last = link("crc_errors").offset, link("resends").offset
        counts = self.read(Region.LINK, first, last - first + 1).tolist()
        names = [name for name, register in LINK_REGISTERS.items() if first <= register.offset <= last]
        own = {name: getattr(self.statistics, name) for name in FAULTS}
        return {f"array_{name}": count for name, count in zip(names, counts, strict=True)} | {
            f"host_{name}": count for name, count in own.items()
        }

    # ---- the line ------------------------------------------------------------------------------

    @property
    def baud(self) -> int | None:
        """Rate of the line in bits per second; None if the target has no serial line."""
        rate = getattr(self._line.transport, "baud", None)
        return None if rate is None else int(rate)

    @property
    def virtual_time(self) -> bool:
        """Whether the target is simulated, so that its time passes only while the host waits for it."""
        return self._line.virtual_time

    @property
    def timeout(self) -> float:
        """Seconds without an answer after which a command is sent again, besides its time on the line."""
        return self._exchange.sessions.timeout

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        self._exchange.sessions.timeout = seconds

    def time(self) -> float:
        """Return the time in seconds: on the clock of a simulated target, else on this machine's clock."""
        clock = getattr(self._line.transport, "time", time.monotonic)
        return float(clock())

    def set_baud(self, baud: int) -> None:
        """Change the rate of the line at both ends; the array keeps it until it is powered off.

        If the line does not work at the new rate, both ends return to the old one. A link that had broken
        because answers were missing works again afterwards.

        Parameters
        ----------
        baud : int
            Bits per second: at most a quarter of the array's clock, and within 2 % of that clock divided by a
            whole number.

        Raises
        ------
        ParameterError
            If the target has no serial line, or one of its ends cannot have this rate; nothing was changed.
        DeviceError
            If a run is going on, or if the line does not work at the new rate; it has the old one again.
        LinkError
            If the array does not answer at either rate.
        """
        transport = self._line.transport
        if self.baud is None or not isinstance(transport, RatedTransport):
            raise ParameterError(f"{self.name} has no serial line, so it has no rate to change")
        divisor_for(self._params.clock_hz, baud)
        was_broken = bool(self._line.broken)
        if not was_broken and self.read(Region.CTRL, control("status").offset, 1)[0] & 1:
            raise DeviceError("a run is going on; wait for its end or abort it, then change the rate")
        with self._lock:
            self._check_open()
            change_rate(self._exchange, transport, self._params.clock_hz, baud)
            self._line.broken = ""
        if was_broken:
            self._join_stream()

    # ---- memories and registers ----------------------------------------------------------------

    def read(self, region: Region, offset: int, count: int) -> Words:
        """Read `count` consecutive offsets and return their words, (count,) uint16.

        Raises
        ------
        ParameterError
            If an offset is outside the region.
        """
        memory = memory_of(self._params, region)
        width = 1 if memory.byte_wide else 2
        data = b""
        with self._lock:
            for part in self._parts(memory, offset, count):
                commands = [_address(region, p.offset) + p.count.to_bytes(2, "little") for p in part]
                data += b"".join(reply.data for reply in self._exchange.pipeline(Op.READ, commands))
            if len(data) != width * count:
                raise self._line.fail(
                    f"{self.name} sent {len(data)} bytes instead of {width * count}; connect again"
                )
        return np.frombuffer(data, dtype=f"<u{width}").astype(np.uint16)

    def write(self, region: Region, offset: int, values: npt.ArrayLike) -> None:
        """Write (n,) integers of 16 bits to consecutive offsets.

        Raises
        ------
        ParameterError
            If an offset is outside the region, or a value is not an integer in 0..65535.
        """
        memory = memory_of(self._params, region)
        width = 1 if memory.byte_wide else 2
        words = _words(values)
        if region is Region.GEN_RATE and (rates := byte_rates(words)) is not None:
            self._write_rates(offset, rates)
            return
        data = words.astype("<u2").tobytes() if width == 2 else words.astype(np.uint8).tobytes()
        with self._lock:
            for part in self._parts(memory, offset, len(words)):
                self._exchange.pipeline(
                    Op.WRITE,
                    [
                        _address(region, p.offset) + data[width * p.place : width * (p.place + p.count)]
                        for p in part
                    ],
                )

    def _write_rates(self, first: int, rates: ByteRates) -> None:
        """Write rates that fit in one byte each, which halves the bytes on the line."""
        with self._lock:
            self._check()
            at = 0
            while at < len(rates.data):
                part = rates.data[at : at + self._most(MAX_READ_BYTES)]
                self._exchange.command(Op.RATES8, struct.pack("<HB", first + at, rates.scale) + part)
                at += len(part)

    def fill(self, region: Region, offset: int, count: int, value: int) -> None:
        """Write one value to `count` consecutive offsets.

        Raises
        ------
        ParameterError
            If an offset is outside the region, or the value is not in 0..65535.
        """
        word = _words([value]).astype("<u2").tobytes()
        pieces = list(memory_of(self._params, region).pieces(offset, count, MOST_FILLED))
        with self._lock:
            self._check()
            for p in pieces:
                command = _address(region, p.offset) + p.count.to_bytes(2, "little") + word
                self._exchange.command(Op.FILL, command)

    # ---- runs ----------------------------------------------------------------------------------

    def run(self, steps: int, flags: RunFlag = _NO_FLAGS) -> None:
        """Start a run and return at once; the run ends with an END record.

        Raises
        ------
        DeviceError
            If a run is going on already.
        ParameterError
            If `steps` does not fit 32 bits.
        """
        if not 0 <= steps < 1 << 32:
            raise ParameterError(f"steps must be in 0..{(1 << 32) - 1}, not {steps}")
        with self._lock:
            self._check()
            reply = self._exchange.command(Op.RUN, struct.pack("<IB", steps, flags))
        if reply.status is Status.BUSY:
            raise DeviceError("a run is going on; wait for its end or abort it")

    def control(self, action: ControlAction) -> None:
        """Pause, resume or abort the run at the next step boundary."""
        with self._lock:
            self._check()
            self._exchange.command(Op.CONTROL, bytes([action]))

    def events(self, words: npt.ArrayLike) -> bool:
        """Append words to the event queue; return False, with none appended, if they do not all fit now.

        Raises
        ------
        ParameterError
            If the queue can never hold that many words, or one is not an integer in 0..65535.
        """
        data = _words(words).astype("<u2").tobytes()
        count = len(data) // 2
        if count > self._params.event_words:
            raise ParameterError(
                f"the event queue holds {self._params.event_words} words, {count} can never fit; "
                "send fewer at once"
            )
        with self._lock:
            self._check()
            if count > self._most(_EVENTS_PER_COMMAND):
                # The array only takes words out of the queue, so what fits now still fits in parts.
                room = self._exchange.command(Op.EVENTS).data
                if int.from_bytes(room, "little") < count:
                    return False
            at = 0
            while at < len(data):
                part = data[at : at + 2 * self._most(_EVENTS_PER_COMMAND)]
                if self._exchange.command(Op.EVENTS, part).status is Status.BUSY:
                    return False
                at += len(part)
        return True

    # ---- records -------------------------------------------------------------------------------

    def records(self, timeout: float) -> Words:
        """Return the next whole records in order, (n,) uint16; empty after `timeout` s.

        On a transport of virtual time the result is empty as soon as no more records would come.
        """
        deadline = time.monotonic() + timeout
        while True:
            heard = False
            with self._lock:
                self._check()
                words = self._records.take()
                if not len(words) and self._records.suspect:
                    self._records.ask(AGAIN)
                    words = self._records.take()
                if not len(words):
                    heard = self._records.listen(max(0.0, deadline - time.monotonic()))
                    words = self._records.take()
            # Another thread that waits for the lock gets it here.
            time.sleep(0)
            # Part of a frame contains no whole record yet, but more bytes will follow.
            silent = self._line.virtual_time and not heard
            if len(words) or silent or time.monotonic() >= deadline:
                return words

    @property
    def handed(self) -> Handed:
        """What `records` has returned, also if an exception kept its caller from having the last words."""
        return self._records.handed

    def flush(self) -> None:
        """Ask the array to send all its records, even if they do not fill a frame.

        It sends again what was not acknowledged: an exception may have come between a frame and its use.
        """
        with self._lock:
            self._check()
            self._records.ask(AGAIN)

    def close(self) -> None:
        """Close the transport; further calls raise LinkError."""
        with self._lock:
            self._closed = True
            self._line.transport.close()

    # ---- inside --------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._closed:
            raise LinkError(f"the link to {self.name} is down: it was closed; connect again")

    def _check(self) -> None:
        """Raise LinkError if the link cannot be used; get to know the array anew if it was lost."""
        self._check_open()
        if self._line.broken:
            raise LinkError(f"the link to {self.name} is down: {self._line.broken}")
        if self._exchange.sessions.lost:
            if discover(self._exchange, self.name) != self._params:
                raise self._line.fail(
                    "the array has other parameters than when this connection was made, so its gateware was "
                    "replaced; connect again"
                )
            self._join_stream()

    def _most(self, most: int) -> int:
        """Return how much of `most` a frame should hold."""
        return most // _BRIEF if self._exchange.sessions.times.loss > _BAD_LINE else most

    def _parts(self, memory: Memory, offset: int, count: int) -> Iterator[list[Block]]:
        """Cut an access into lists of pieces that a frame holds each; check it before the first."""
        self._check()
        whole = list(memory.pieces(offset, count, max(1, count)))
        place = 0
        while whole and place < count:
            most = self._most(MAX_READ_BYTES // (1 if memory.byte_wide else 2))
            size = min(_PIECES * most, count - place)
            pieces = memory.pieces(memory.advance(offset, place), size, most)
            yield [Block(place + p.place, p.offset, p.count) for p in pieces]
            place += size

    def _join_stream(self) -> None:
        status = self.read(Region.CTRL, control("status").offset, 1)
        if not status[0] & 1:
            with self._lock:
                self._check()
                self._records.ask(StreamFlag.DISCARD)
        first = int(self.read(Region.LINK, link("first_record").offset, 1)[0])
        with self._lock:
            self._check()
            self._records.start(first)


def _address(region: Region, offset: int) -> bytes:
    return bytes([region]) + offset.to_bytes(3, "little")


def _words(values: npt.ArrayLike) -> npt.NDArray[np.int64]:
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise ParameterError(
            f"words must be one-dimensional integers, not {array.ndim}-dimensional {array.dtype}"
        )
    words = array.astype(np.int64)
    if words.size and not (words.min() >= 0 and words.max() <= 0xFFFF):
        raise ParameterError(f"words must be in 0..65535, not {words.min()}..{words.max()}")
    return words
