"""The stream of records: acknowledged, asked for again where it is lost, and handed on in whole records."""

from __future__ import annotations

import struct
import time
from typing import Final

from synloom.contract.array_port import Handed, Words
from synloom.contract.frames import Op, StreamFlag
from synloom.link.assembly import RecordAssembly
from synloom.link.exchange import Exchange
from synloom.link.record_loss import RecordLoss

__all__ = ["AGAIN", "RecordStream"]

AGAIN: Final = StreamFlag.REWIND | StreamFlag.FLUSH
"""Lost words may fill less than a frame, and the array sends an incomplete frame only on FLUSH."""
_SLICE_S: Final = 0.05
"""Longest wait for records during which other threads are locked out."""
_SILENCE_S: Final = 0.25
"""Silence after which the last record frame may have been lost."""
_MOST_REWINDS: Final = 64
"""Requests for lost record frames, one after the other, after which the link counts as broken."""


class RecordStream:
    """The records of an array; its caller holds the lock of the line.

    Parameters
    ----------
    exchange : Exchange
        The commands of the line.
    assembly : RecordAssembly
        Takes the frames that arrive.
    ring : int
        Words that the array holds until they are acknowledged.
    """

    def __init__(self, exchange: Exchange, assembly: RecordAssembly, ring: int) -> None:
        self._exchange = exchange
        self._line = exchange.line
        self._assembly = assembly
        self._ring = ring
        self._acked = 0
        self._heard_at = time.monotonic()
        self._loss = RecordLoss()

    @property
    def handed(self) -> Handed:
        """What `take` has returned, also if an exception kept its caller from having the last words."""
        return self._assembly.handed

    @property
    def suspect(self) -> bool:
        """Whether a frame is missing, or may have been among those that came damaged."""
        return self._assembly.gap or self._loss.suspects(self._line.statistics.crc_errors)

    def start(self, offset: int) -> None:
        """Expect the word at an offset next, which begins a record, and ask for it."""
        self._assembly.start(offset)
        self.ask(AGAIN)

    def ask(self, flags: StreamFlag) -> None:
        """Acknowledge the words that were taken, and ask for more."""
        taken, errors = self._assembly.taken, self._line.statistics.crc_errors
        self._loss.see(self._assembly.frames)
        if flags & StreamFlag.REWIND:
            damaged = self._loss.rewind(self._assembly.gap, errors)
            if damaged > _MOST_REWINDS:
                raise self._line.fail(
                    f"{damaged} requests for lost records brought none, and {errors} frames were "
                    "damaged; check the cable, and connect again"
                )
        if self._loss.is_bad:
            flags |= StreamFlag.BRIEF
        self._exchange.command(Op.STREAM, struct.pack("<HB", taken, flags))
        self._acked = taken
        if flags & StreamFlag.REWIND:
            self._line.statistics.rewinds += self._assembly.gap
            self._assembly.gap = False

    def take(self) -> Words:
        """Return the whole records that are there, (n,) uint16, and acknowledge them from time to time."""
        words = self._assembly.take()
        if (self._assembly.taken - self._acked) & 0xFFFF >= self._ring // 4:
            self.ask(StreamFlag(0))
        return words

    def listen(self, timeout: float) -> bool:
        """Wait for bytes, and after some silence ask for lost frames; return whether anything came."""
        virtual = self._line.virtual_time
        if self._line.pump(timeout if virtual else min(timeout, _SLICE_S)):
            self._heard_at = time.monotonic()
            return True
        silent = timeout > 0 if virtual else time.monotonic() - self._heard_at >= _SILENCE_S
        if silent:
            self.ask(AGAIN)
            self._heard_at = time.monotonic()
            return virtual and self._line.pump(min(timeout, _SLICE_S))
        return False
