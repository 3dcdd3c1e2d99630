"""How the host reaches a memory: one narrow port, shared with the array's own by time."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

__all__ = ["ACCESS_CLOCKS", "ACCESS_WRITE_CLOCK", "AccessSignature", "SharedMemory"]

ACCESS_CLOCKS = 6
"""Clocks of one access: `select` is high throughout and `q` is sampled in the last."""

ACCESS_WRITE_CLOCK = 3
"""The clock, counted from 0, in which `write` is high."""


class AccessSignature(wiring.Signature):
    """One region's port, seen by the accessor; only used while the array stands still.

    Members
    -------
    select : Out(1)
        High during the `ACCESS_CLOCKS` of an access.
    offset : Out(24)
        Offset in the region, stable while selected.
    write : Out(1)
        High in clock `ACCESS_WRITE_CLOCK` of a write.
    data : Out(16)
        What to write.
    q : In(16)
        What was read; valid in the last clock. 0 where there is nothing.
    """

    def __init__(self):
        super().__init__(
            {
                "select": Out(1),
                "offset": Out(24),
                "write": Out(1),
                "data": Out(16),
                "q": In(16),
            }
        )


class SharedMemory(wiring.Component):
    """A one-read, one-write memory of wide rows, with the host's narrow port on the same two ports.

    Each row has several elements; the host sees one element at a time. While `host.select` is high the
    array's own ports are ignored. A read in the clock of a write to the same row gives the old row.

    Parameters
    ----------
    rows : int
        Number of rows.
    element_bits : int
        Width of an element, at most 16.
    elements : sequence of int or None
        Element that each value of the low bits of a host offset stands for; None reads 0. Its length is
        a power of two.
    size : int
        Offsets from here on do not exist.
    row_bits : tuple of (int, int), optional
        Parts of the remaining offset bits that make the row, as (first, width) from the least significant;
        by default all of them.

    Members
    -------
    read_row : In, read_en : In(1), row : Out
        The array's read port: `row` is valid in the clock after `read_en` and held.
    write_row : In, write_en : In(elements), write : In
        The array's write port, with an enable for each element.
    host : In(AccessSignature)
        The host's port.
    """

    def __init__(
        self,
        *,
        rows: int,
        element_bits: int,
        elements: Sequence[int | None] = (0,),
        size: int,
        row_bits: Sequence[tuple[int, int]] | None = None,
        count: int | None = None,
    ):
        self._rows = rows
        self._bits = element_bits
        self._elements = tuple(elements)
        self._low = ceil_log2(len(self._elements))
        assert len(self._elements) == 1 << self._low
        self._count = count or 1 + max(e for e in self._elements if e is not None)
        self._size = size
        self._row_bits = tuple(row_bits or [(0, max(1, ceil_log2(rows)))])
        width = self._count * element_bits
        super().__init__(
            {
                "read_row": In(range(max(rows, 2))),
                "read_en": In(1),
                "row": Out(width),
                "write_row": In(range(max(rows, 2))),
                "write_en": In(self._count),
                "write": In(width),
                "host": In(AccessSignature()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        bits, count = self._bits, self._count
        m.submodules.storage = storage = memory.Memory(
            shape=unsigned(count * bits), depth=max(self._rows, 2), init=[]
        )
        read = storage.read_port()
        write = storage.write_port(granularity=bits)

        host = self.host
        low = host.offset[: self._low]
        rest = host.offset[self._low :]
        host_row = Cat(rest[first : first + width] for first, width in self._row_bits)
        exists = Signal()
        enables = Signal(count)
        picked = Signal(bits)
        covered = sum(((1 << width) - 1) << first for first, width in self._row_bits)
        beyond = Cat(rest[k] for k in range(len(rest)) if not covered >> k & 1)
        m.d.comb += exists.eq((host.offset < self._size) & ~beyond.any())
        with m.Switch(low):
            for value, element in enumerate(self._elements):
                if element is not None:
                    with m.Case(value):
                        m.d.comb += [
                            enables.eq(1 << element),
                            picked.eq(read.data.word_select(element, bits)),
                        ]
        m.d.comb += [
            read.addr.eq(Mux(host.select, host_row, self.read_row)),
            read.en.eq(host.select | self.read_en),
            self.row.eq(read.data),
        ]
        with m.If(host.select):
            m.d.comb += [
                write.addr.eq(host_row),
                write.data.eq(Cat(*[host.data[:bits]] * count)),
                write.en.eq(Mux(host.write & exists, enables, 0)),
            ]
        with m.Else():
            m.d.comb += [
                write.addr.eq(self.write_row),
                write.data.eq(self.write),
                write.en.eq(self.write_en),
            ]
        m.d.sync += host.q.eq(Mux(exists, picked, 0))
        return m
