"""The loom: the weight matrix in skewed banks, so that rows and columns both stream."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom_hdl.arithmetic import below, times
from synloom_hdl.core.banks import SinglePortBank, TwoPortBank
from synloom_hdl.core.payloads import loom_address_layout
from synloom_hdl.core.shared_memory import AccessSignature
from synloom_hdl.core.timing import PassTiming
from synloom_hdl.pipeline import Pipeline, Staged, cat, mux

__all__ = ["Loom", "rotate"]


def rotate(values: list, amount, bits: range, *, back: bool = False) -> list:
    """Return `values` rotated by the given bits of `amount`, with one level of multiplexers for each bit.

    Forward: output l is input (l + amount) mod B; back: input (l - amount) mod B.
    """
    count = len(values)
    for bit in bits:
        step = -(1 << bit) if back else 1 << bit
        values = [mux(amount[bit], values[(n + step) % count], values[n]) for n in range(count)]
    return values


class Loom(wiring.Component):
    """The banks of weights, and the rotation of their operands.

    Weight (i, j) lies in bank (i + j) mod B at address floor(j / B) * S' + i, where S' is S rounded up to a
    multiple of B. So any B consecutive targets of a row, and any B consecutive sources of a column, lie in B
    different banks (skewed storage: Budnik and Kuck 1971). The rotation is a logarithmic shifter.
    `PassTiming` has the stages of reading and writing.
    There is no hazard detection: a chunk must not be read again before it was written, and with single-ported
    weights a write must not be at the banks in the clock of a read.

    Members
    -------
    read : In(address)
        Where to read; in each clock, or in every second one.
    weights : Out(B x signed(weight_bits))
        The chunk, in operand order.
    write_address : In(address), write_mask : In(B), write_weights : In(B x signed(weight_bits))
        What to write, in operand order, with an enable for each lane.
    host : In(AccessSignature)
        WEIGHTS: offset = source << 12 | target.
    """

    def __init__(self, params: ArrayParams):
        self.params = params
        self._low_bits = low_bits = ceil_log2(params.lanes)
        # The levels of a rotation, in two halves.
        self._first_half, self._second_half = (
            range((low_bits + 1) // 2),
            range((low_bits + 1) // 2, low_bits),
        )
        address = loom_address_layout(params)
        chunk = data.ArrayLayout(signed(params.weight_bits), params.lanes)
        super().__init__(
            {
                "read": In(address),
                "weights": Out(chunk),
                "write_address": In(address),
                "write_mask": In(params.lanes),
                "write_weights": In(chunk),
                "host": In(AccessSignature()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params, lanes = self.params, self.params.lanes
        make = SinglePortBank if params.single_port else TwoPortBank
        depth = params.target_chunks * params.source_chunks * lanes
        self.banks = [make(params.weight_bits, depth) for _ in range(lanes)]
        for b, bank in enumerate(self.banks):
            m.submodules[f"bank{b}"] = bank
        banks = [bank.bank for bank in self.banks]
        self._host(m, banks)
        self._take_turns(m)
        self._read(m, banks)
        self._write(m, banks)
        return m

    def _host(self, m: Module, banks: list):
        """Compute where the host's weight lies; the division of its target index has a clock for itself.

        If columns are as long as a power of two, no sum is needed. Then arrays that have few registers need
        none here.
        """
        host, params, low_bits = self.host, self.params, self._low_bits
        row_bits = ceil_log2(memory_of(params, Region.WEIGHTS).offset(1, 0))
        source, target = host.offset[row_bits:], host.offset[:row_bits]
        per_column = params.source_chunks
        depth = params.target_chunks * per_column * params.lanes
        self._host_address = Signal(range(depth), name="host_address")
        self._host_bank = Signal(low_bits, name="host_bank")
        self._exists = Signal(name="exists")
        padded = per_column * params.lanes
        address = (times(target >> low_bits, per_column) << low_bits) + source
        domain = m.d.sync
        if padded.bit_count() == 1:
            address = Cat(source[: ceil_log2(padded)], target >> low_bits)
            domain = m.d.comb if params.single_port else m.d.sync
        domain += self._host_address.eq(address)
        m.d.sync += [
            self._host_bank.eq(source + target),
            self._exists.eq(below(source, params.sources) & below(target, params.neurons)),
        ]

    def _take_turns(self, m: Module):
        """Choose the address of single-ported banks here, for all of them: a clock reads or writes."""
        self._reads_at, self._writes_at = self.read, self.write_address
        if self.params.single_port:
            place = Signal.like(self.read, name="place")
            m.d.comb += place.eq(Mux(self.write_mask.any(), self.write_address, self.read))
            self._reads_at = self._writes_at = place

    def _address(self, pipe: Pipeline, address: Staged, bank: int) -> Staged:
        """Return where a chunk's weight lies in a bank, or where the host's does."""
        select, host_address = pipe.steady(self.host.select), pipe.steady(self._host_address)
        low = mux(address.column, bank - address.rotate, address.rotate)[: self._low_bits]
        return mux(select, host_address, cat(low, address.high))

    def _read(self, m: Module, banks: list):
        """Read the banks, and rotate the weights into operand order."""
        pipe = Pipeline(m, PassTiming.of(self.params).reads)
        address, at = pipe.enter("read", self.read), pipe.enter("reads_at", self._reads_at)
        for b, bank in enumerate(banks):
            place = pipe.wire(f"read_address{b}", self._address(pipe, at, b))
            m.d.comb += bank.read_address.eq(place.at(1))
        values = [pipe.enter(f"read{b}", bank.read, 2).at(3) for b, bank in enumerate(banks)]
        parts = rotate(values, address.rotate.at(3), self._first_half)
        parts = [pipe.wire(f"part{n}", part).at(4) for n, part in enumerate(parts)]
        weights = rotate(parts, address.rotate.at(4), self._second_half)
        for n, weight in enumerate(weights):
            m.d.comb += self.weights[n].eq(pipe.wire(f"weight{n}", weight).at(5))

        chosen = Signal(signed(self.params.weight_bits))
        m.d.comb += chosen.eq(Array(value.as_value() for value in values)[self._host_bank])
        m.d.sync += self.host.q.eq(Mux(self.host.select & self._exists, chosen, 0) & 0xFF)

    def _write(self, m: Module, banks: list):
        """Rotate weights and enables back to their banks, and write."""
        pipe, host, width = Pipeline(m, PassTiming.of(self.params).writes), self.host, self.params.weight_bits
        address = pipe.enter("write_address", self.write_address)
        entries = [
            pipe.enter("entry", Cat(weight, enable))
            for weight, enable in zip(self.write_weights, self.write_mask, strict=True)
        ]
        back = rotate(entries, address.rotate, self._first_half, back=True)
        back = [pipe.wire(f"back{n}", entry).at(1) for n, entry in enumerate(back)]
        back = rotate(back, address.at(1).rotate, self._second_half, back=True)
        at = pipe.enter("writes_at", self._writes_at).at(1)
        for b, bank in enumerate(banks):
            mine = host.write & self._exists & (self._host_bank == b)
            entry = mux(pipe.steady(host.select), pipe.steady(Cat(host.data[:width], mine)), back[b])
            entry = pipe.wire(f"write{b}", entry).at(2)
            place = pipe.wire(f"write_address{b}", self._address(pipe, at, b)).at(2)
            m.d.comb += [bank.write_address.eq(place), Cat(bank.write, bank.write_en).eq(entry)]
