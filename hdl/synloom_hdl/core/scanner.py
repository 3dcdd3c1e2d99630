"""From a bitmap to the ids of its ones, ascending."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["BitScanner"]


class BitScanner(wiring.Component):
    """Reads a bitmap word by word and streams the positions of its ones.

    A word takes a clock, and one more for each one in it unless `ids` is not ready.

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
        A second bitmap, for the first `extra_words` words: its ones are added.
    taken : Out(1), taken_index : Out, taken_word : Out(16)
        A word is taken, with its extra ones; its memory may be cleared.
    hold : In(1)
        While it is high, no word is taken.
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
        reading, fetched, needs_extra = Signal(), Signal(), Signal()
        fetched_index, place = Signal.like(self.read_index), Signal.like(self.read_index)
        bits, rest = Signal(16), Signal(16)
        filled, quarter, bit = Signal(4), Signal(4), Signal(4)
        m.d.comb += [
            # The lowest one: first its quarter, then its place therein.
            filled.eq(Cat(bits.word_select(n, 4).any() for n in range(4))),
            bit[2:].eq(_lowest(filled)),
            quarter.eq(bits.word_select(bit[2:], 4)),
            bit[:2].eq(_lowest(quarter)),
            self.ids.valid.eq(filled.any()),
            self.ids.payload.eq(Cat(bit, place)),
            needs_extra.eq(fetched_index < self.extra_words),
            self.taken.eq(fetched & ~filled.any() & ~self.hold & (~needs_extra | self.extra.valid)),
            self.extra.ready.eq(self.taken & needs_extra),
            self.taken_index.eq(fetched_index),
            self.taken_word.eq(self.word | Mux(needs_extra, self.extra.payload, 0)),
            self.read_index.eq(next_index),
            self.read_en.eq(reading & (~fetched | self.taken)),
            self.busy.eq(self.start | reading | fetched | filled.any()),
            # Minus one; while a word is taken it does not matter, which makes the carry cheaper.
            rest.eq(bits & (bits + (~self.taken).replicate(16))),
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
            m.d.sync += place.eq(fetched_index)
        with m.If(self.taken | self.ids.ready):
            m.d.sync += bits.eq(Mux(self.taken, self.taken_word, rest))
        return m


def _lowest(bits: Value) -> Value:
    """Return the place of the lowest one of four bits; undefined if there is none."""
    return Mux(bits[0], 0, Mux(bits[1], 1, Mux(bits[2], 2, 3)))
