"""Memories that host and array share: the host's narrow port takes turns with the array's wide one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom_hdl.arithmetic import below, choose
from synloom_hdl.ram_style import block_ram

__all__ = ["ACCESS_CLOCKS", "ACCESS_WRITE_CLOCK", "AccessSignature", "SharedMemory"]

ACCESS_CLOCKS = 6
"""Clocks of an access that is not held: `select` is high throughout, and `q` is sampled in the last."""

ACCESS_WRITE_CLOCK = 3
"""The clock of an access, from 0, in which `write` is high."""

_BANK_BITS = 32


class AccessSignature(wiring.Signature):
    """One region's port, seen by the bridge; used only between steps and for probes.

    Members
    -------
    select : Out(1)
        High during the clocks of an access.
    offset : Out(24)
        Offset in the region, stable while selected; its bits above those of the region's offsets are 0.
    due : Out(1)
        High in clock `ACCESS_WRITE_CLOCK`, and for as long as `hold` is high.
    write : Out(1)
        As `due`, if the access is a write.
    data : Out(16)
        What to write.
    hold : In(1)
        The region needs more time; valid while `due`.
    q : In(16)
        What was read; valid in the last clock. It is 0 where nothing exists, and from the second clock after
        an access on: `RegionBridge` takes the OR of all regions, and a probe of one word has that 0 as its
        second.
    """

    def __init__(self):
        super().__init__(
            {
                "select": Out(1),
                "offset": Out(24),
                "due": Out(1),
                "write": Out(1),
                "data": Out(16),
                "hold": In(1),
                "q": In(16),
            }
        )


class SharedMemory(wiring.Component):
    """A one-read, one-write memory of wide rows, with the host's narrow port on the same two ports.

    A row has several elements; the host accesses one at a time. While `host.select` is high, the array's
    ports are ignored. A read in the clock of a write to the same row gives the old row.

    Parameters
    ----------
    rows : int
        Number of rows.
    element_bits : int
        Width of an element, at most 16.
    elements : sequence of int or None
        The element for each value of an offset's low bits; None reads 0. Its length is a power of two.
    size : int
        The number of offsets.
    row_bits : tuple of (int, int), optional
        Parts of an offset's remaining bits that are the row, as (first, width), the least significant first;
        by default all of them.
    array_writes : {"nothing", "rows", "elements"}
        What the array writes: nothing (its write port is ignored), rows, or rows and single elements.
    late : bool
        The read port has a register before its address, so that `row` is valid a clock later; a row may be
        read while one of its elements is written (`Traces`).
    delays : sequence of int, optional
        For each element: how many clocks later than others the array's reads of it may come. A bank reads
        all its elements at once, so that they come as late as the first of them: see `delays`.

    Attributes
    ----------
    delays : list of int
        How many clocks later each element comes.

    Members
    -------
    read_row : In, read_en : In(1), row : Out
        The array's read port: `row` is valid in the clock after `read_en`, or a clock later if `late`, and
        held.
    write_row : In, write_en : In(elements), write : In
        The array's write port, with an enable for each element.
    one_en : In(1), one_offset : In, one : In
        In the next clock the array writes one element instead of a row. It is given as an offset of the host,
        in both clocks, and its value, in the second.
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
        array_writes: Literal["nothing", "rows", "elements"] = "rows",
        late: bool = False,
        delays: Sequence[int] | None = None,
    ):
        self._rows = rows
        self._bits = element_bits
        self._elements = tuple(elements)
        self._low = ceil_log2(len(self._elements))
        assert len(self._elements) == 1 << self._low
        self._count = 1 + max(e for e in self._elements if e is not None)
        self._size = size
        self._array_writes = array_writes
        self._late = late
        self._row_bits = tuple(row_bits or [(0, max(1, ceil_log2(rows)))])
        # Block RAM is not wider, and narrow words simulate faster than wide ones.
        self._per_bank = max(1, _BANK_BITS // element_bits)
        banks = [(delays or [0] * self._count)[n : n + self._per_bank] for n in self._firsts]
        self.delays = [min(bank) for bank in banks for _ in bank]
        width = self._count * element_bits
        super().__init__(
            {
                "read_row": In(range(max(rows, 2))),
                "read_en": In(1),
                "row": Out(width),
                "write_row": In(range(max(rows, 2))),
                "write_en": In(self._count),
                "write": In(width),
                "one_en": In(1),
                "one_offset": In(range(size)),
                "one": In(element_bits),
                "host": In(AccessSignature()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        bits, count, host = self._bits, self._count, self.host
        banks = self._banks(m, platform)
        words = Cat(read.data for read, _ in banks)
        elements = [words.word_select(n, bits) for n in range(count)]
        self._offset = offset = host.offset[: ceil_log2(self._size)]
        self._exists = exists = Signal()
        is_known = 1
        if checks := self._checks(offset):
            # A register: known in the second clock of an access, before it writes.
            is_known = Signal()
            m.d.sync += is_known.eq(Cat(*checks).all())
        m.d.comb += [exists.eq(host.select & is_known), self.row.eq(words)]
        self._read(m, [read for read, _ in banks])
        self._write(m, [write for _, write in banks])
        picked = choose([None if e is None else elements[e] for e in self._elements], offset[: self._low])
        answer = Mux(exists, picked, 0)
        if count == 1:
            m.d.comb += host.q.eq(answer)
        else:
            # The choice has a clock for itself.
            m.d.sync += host.q.eq(answer)
        return m

    @property
    def _firsts(self) -> range:
        """The first element of each bank."""
        return range(0, self._count, self._per_bank)

    def _banks(self, m: Module, platform) -> list[tuple]:
        """Make the memory of banks side by side; return their read and write ports."""
        bits, ports = self._bits, []
        for first in self._firsts:
            width = bits * min(self._per_bank, self._count - first)
            m.submodules[f"bank{first}"] = bank = memory.Memory(
                shape=unsigned(width),
                depth=max(self._rows, 2),
                init=[],
                attrs=block_ram(platform, width * self._rows, mixes=self._late),
            )
            ports.append((bank.read_port(), bank.write_port(granularity=bits)))
        return ports

    def _checks(self, offset: Value) -> list[Value]:
        """Return what must be true of an offset of the host that exists; every offset does if it is empty."""
        known = [place for place, element in enumerate(self._elements) if element is not None]
        beyond = self._beyond(offset)
        checks = [~beyond.any()] if len(beyond) else []
        if self._size & (self._size - 1):
            checks.append(below(offset, self._size))
        if len(known) < len(self._elements):
            checks.append(Const(sum(1 << place for place in known)).bit_select(offset[: self._low], 1))
        return checks

    def _read(self, m: Module, ports: list):
        """Read a row, for the host or, some banks later than others, for the array."""
        asked: list[Value] = [Cat(self.read_row, self.read_en)]
        for clock in range(max(self.delays)):
            asked.append(Signal(len(asked[0]), name=f"asked{clock}"))
            m.d.sync += asked[-1].eq(asked[-2])
        for delay in sorted(set(self.delays)):
            row, enable = Signal.like(self.read_row), Signal()
            m.d["sync" if self._late else "comb"] += [
                row.eq(Mux(self.host.select, self._row(self._offset), asked[delay][:-1])),
                enable.eq(self.host.select | asked[delay][-1]),
            ]
            for first, port in zip(self._firsts, ports, strict=True):
                if self.delays[first] == delay:
                    m.d.comb += [port.addr.eq(row), port.en.eq(enable)]

    def _write(self, m: Module, ports: list):
        """Write one element, for the host or the array, or a row.

        Each element decides for itself, a clock before, whether it is the one: a signal that chooses the data
        of a wide row would be slow.
        """
        bits, count, host, offset = self._bits, self._count, self.host, self._offset
        enable = Cat(*[port.en for port in ports])
        goes, place = Signal(), Signal.like(offset)
        one, one_data, one_enable = Signal(), Signal(bits), Signal(count)
        row = Signal.like(self.write_row)
        m.d.comb += [
            goes.eq(host.write & self._exists),
            place.eq(offset),
            one.eq(host.select),
            one_data.eq(host.data),
            enable.eq(Mux(one, one_enable, self.write_en)),
            row.eq(Mux(one, self._row(place), self.write_row)),
        ]
        if self._array_writes == "elements":
            by_array = Signal()
            m.d.sync += by_array.eq(self.one_en)
            m.d.comb += [
                goes.eq((host.write & self._exists) | self.one_en),
                place.eq(Mux(host.select, offset, self.one_offset)),
                one.eq(host.select | by_array),
                one_data.eq(Mux(host.select, host.data, self.one)),
            ]
        elif self._array_writes == "nothing":
            m.d.comb += [row.eq(self._row(place)), enable.eq(one_enable)]
        m.d.sync += one_enable.eq(
            Cat(goes & (place[: self._low] == self._elements.index(n)) for n in range(count))
        )
        values = [Mux(one_enable[n], one_data, self.write.word_select(n, bits)) for n in range(count)]
        if self._array_writes == "nothing":
            values = [one_data] * count
        m.d.comb += [port.addr.eq(row) for port in ports]
        m.d.comb += Cat(*[port.data for port in ports]).eq(Cat(*values))

    def _row(self, offset: Signal) -> Value:
        """Return the row of a host's offset."""
        rest = offset[self._low :]
        return Cat(rest[first : first + width] for first, width in self._row_bits)

    def _beyond(self, offset: Signal) -> Value:
        """Return the bits of a host's offset that say neither row nor element."""
        rest = offset[self._low :]
        covered = sum(((1 << width) - 1) << first for first, width in self._row_bits)
        return Cat(rest[k] for k in range(len(rest)) if not covered >> k & 1)
