"""A table that host and array share word by word: one after the other in one narrow memory."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract.memory import Memory
from synloom_hdl.arithmetic import below
from synloom_hdl.core.shared_memory import AccessSignature
from synloom_hdl.ram_style import block_ram

__all__ = ["DeepMemory"]

_WORD_BITS = 16


class DeepMemory(wiring.Component):
    """Records of several words in a one-read, one-write memory of words.

    It has none of the multiplexers of a `SharedMemory`, and takes a clock for each word. While `host.select`
    is high, the array's ports are ignored. A read in the clock of a write to the same word gives any value.

    Parameters
    ----------
    table : Memory
        The records, in one dimension.
    array_writes : bool
        Whether the array writes; else its write port is ignored.

    Members
    -------
    record : In, write_record : In
        The record that the array reads, and the one that it writes.
    read_word : In, read_en : In(1), word : Out(16)
        The array's read port: `word` is valid in the clock after `read_en`, and held.
    write_word : In, write_en : In(1), write : In(16)
        The array's write port.
    host : In(AccessSignature)
        The host's port.
    """

    def __init__(self, table: Memory, *, array_writes: bool):
        self._records, self._words, self._stride = table.count, table.layout.words, table.offset(1)
        self._size, self._array_writes = table.size, array_writes
        word = range(max(2, self._words))
        super().__init__(
            {
                "record": In(range(max(2, self._records))),
                "write_record": In(range(max(2, self._records))),
                "read_word": In(word),
                "read_en": In(1),
                "word": Out(_WORD_BITS),
                "write_word": In(word),
                "write_en": In(1),
                "write": In(_WORD_BITS),
                "host": In(AccessSignature()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        host, deep = self.host, self._depth()
        m.submodules.words = words = memory.Memory(
            shape=_WORD_BITS, depth=deep, init=[], attrs=block_ram(platform, _WORD_BITS * deep)
        )
        read, write = words.read_port(), words.write_port()
        record_bits, word_bits = len(self.record), len(self.read_word)
        stride_bits = ceil_log2(self._stride)
        offset, above = host.offset[:word_bits], host.offset[stride_bits : stride_bits + record_bits]
        exists, is_known = Signal(), 1
        if checks := self._checks():
            # A register: known in the second clock of an access, before it writes.
            is_known = Signal()
            m.d.sync += is_known.eq(Cat(*checks).all())
        record, written = Signal.like(self.record), Signal.like(self.record)
        m.d.comb += [
            exists.eq(host.select & is_known),
            record.eq(Mux(host.select, above, self.record)),
            written.eq(Mux(host.select, above, self.write_record)),
            read.addr.eq(self._place(record, Mux(host.select, offset, self.read_word))),
            read.en.eq(host.select | self.read_en),
            self.word.eq(read.data),
            host.q.eq(Mux(exists, read.data, 0)),
        ]
        if self._array_writes:
            m.d.comb += [
                write.addr.eq(self._place(written, Mux(host.select, offset, self.write_word))),
                write.data.eq(Mux(host.select, host.data, self.write)),
                write.en.eq(Mux(host.select, host.write & is_known, self.write_en)),
            ]
        else:
            m.d.comb += [
                write.addr.eq(self._place(above, offset)),
                write.data.eq(host.data),
                write.en.eq(host.write & is_known),
            ]
        return m

    def _depth(self) -> int:
        """Return the number of places: the fewer of two ways to give each word of each record one."""
        return min(self._by_record, self._by_word)

    @property
    def _by_record(self) -> int:
        """Places if the words of a record are neighbours."""
        return max(2, self._records) << ceil_log2(max(2, self._words))

    @property
    def _by_word(self) -> int:
        """Places if the same words of all records are neighbours."""
        return max(2, self._words) << ceil_log2(max(2, self._records))

    def _place(self, record: Value, word: Value) -> Value:
        """Return the place of a word in the memory."""
        return Cat(word, record) if self._by_record <= self._by_word else Cat(record, word)

    def _checks(self) -> list[Value]:
        """Return what must be true of an offset of the host that exists; every offset does if it is empty.

        The bridge has checked the bits above the region's.
        """
        stride_bits = ceil_log2(self._stride)
        checks = []
        if self._words < self._stride:
            checks.append(below(self.host.offset[:stride_bits], self._words))
        if self._size & (self._size - 1):
            checks.append(below(self.host.offset[: ceil_log2(self._size)], self._size))
        return checks
