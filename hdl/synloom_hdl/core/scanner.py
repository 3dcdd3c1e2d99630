"""Turns bitmap words into the ids of their ones, ascending."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["BitScanner"]


class BitScanner(wiring.Component):
    """Reads a bitmap word by word and streams the positions of its ones.

    A word of zeros takes one clock, another one clock for each one, if `ids` does not wait.

    Parameters
    ----------
    words : int
        Words of the bitmap.

    Members
    -------
    start : In(1)
        Begin at word 0.
    busy : Out(1)
    read_en : Out(1), read_index : Out, word : In(16)
        The bitmap's port: `word` is valid in the clock after `read_en` and held.
    extra : In(stream of 16 bits), extra_words : In
        The first `extra_words` words are or-ed with words of this stream.
    taken : Out(1), taken_index : Out, taken_word : Out(16)
        A word enters the scan (extra included); its source may be cleared.
    hold : In(1)
        No word is taken while this is high.
    ids : Out(stream of 16 * word + bit)
    """

    def __init__(self, words: int):
        self._words = words
        index = range(max(2, words))
        super().__init__(
            {
                "start": In(1),
                "busy": Out(1),
                "read_en": Out(1),
                "read_index": Out(index),
                "word": In(16),
                "extra": In(stream.Signature(16)),
                "extra_words": In(range(words + 1)),
                "taken": Out(1),
                "taken_index": Out(index),
                "taken_word": Out(16),
                "hold": In(1),
                "ids": Out(stream.Signature(range(16 * words))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        next_index = Signal(range(self._words + 1))
        reading = Signal()
        fetched = Signal()
        fetched_index = Signal.like(self.read_index)
        bits = Signal(16)
        place = Signal.like(self.read_index)
        lowest, rest = Signal(16), Signal(16)
        needs_extra, free = Signal(), Signal()
        m.d.comb += [
            lowest.eq(bits & -bits),
            rest.eq(bits & ~lowest),
            self.ids.valid.eq(bits != 0),
            self.ids.payload.eq(
                Cat(*[(lowest & sum(1 << n for n in range(16) if n >> k & 1)).any() for k in range(4)], place)
            ),
            free.eq((bits == 0) | (self.ids.ready & (rest == 0))),
            needs_extra.eq(fetched_index < self.extra_words),
            self.taken.eq(fetched & free & ~self.hold & (~needs_extra | self.extra.valid)),
            self.extra.ready.eq(self.taken & needs_extra),
            self.taken_index.eq(fetched_index),
            self.taken_word.eq(self.word | Mux(needs_extra, self.extra.payload, 0)),
            self.read_index.eq(next_index),
            self.read_en.eq(reading & (~fetched | self.taken)),
            self.busy.eq(self.start | reading | fetched | (bits != 0)),
        ]
        with m.If(self.start):
            m.d.sync += [reading.eq(1), next_index.eq(0)]
        with m.If(self.read_en):
            m.d.sync += [fetched_index.eq(next_index), next_index.eq(next_index + 1)]
            with m.If(next_index == self._words - 1):
                m.d.sync += reading.eq(0)
        with m.If(self.read_en | self.taken):
            m.d.sync += fetched.eq(self.read_en)
        with m.If(self.taken):
            m.d.sync += [bits.eq(self.taken_word), place.eq(fetched_index)]
        with m.Elif(self.ids.ready):
            m.d.sync += bits.eq(rest)
        return m
