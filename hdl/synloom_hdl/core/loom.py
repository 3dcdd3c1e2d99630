"""The loom: the weight matrix woven into skewed banks, so that rows and columns both stream."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom_hdl.core.access import AccessSignature
from synloom_hdl.core.rule import loom_address_layout

__all__ = ["READ_CLOCKS", "WRITE_CLOCKS", "Loom", "rotate"]

READ_CLOCKS = 3
"""Clocks from an address at `read` to its weights at `weights`."""

WRITE_CLOCKS = 2
"""Clocks from `write` to the write in the banks."""


def rotate(values: list, amount, bits: range, *, back: bool = False) -> list:
    """Return `values` rotated by the given bits of `amount`, one multiplexer level a bit.

    Forward: output l is input (l + amount) mod B; back: input (l - amount) mod B.
    """
    count = len(values)
    for bit in bits:
        step = -(1 << bit) if back else 1 << bit
        values = [Mux(amount[bit], values[(n + step) % count], values[n]) for n in range(count)]
    return values


class Loom(wiring.Component):
    """Weight banks with rotated operands.

    Weight (i, j) lies in bank (i + j) mod B at address floor(j / B) * S + i. Any B consecutive targets of
    a row, and any B consecutive sources of a column, therefore lie in B different banks. A chunk is read
    in `READ_CLOCKS` clocks and can be written back `WRITE_CLOCKS` clocks after `write`; one chunk a clock
    each way. Rotation is an explicit logarithmic shifter in two stages. Nothing detects hazards: a chunk
    must not be read again before it was written.

    Members
    -------
    read : In(address)
        Where to read; each clock.
    weights : Out(B x signed(weight_bits))
        The chunk, operand lane 0 first.
    write_address : In(address), write_mask : In(B), write_weights : In(B x signed(weight_bits))
        What to write, in operand order, with an enable a lane.
    host : In(AccessSignature)
        WEIGHTS: offset = source << 12 | target.
    """

    def __init__(self, params: ArrayParams):
        self.params = params
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
        params, lanes, width = self.params, self.params.lanes, self.params.weight_bits
        low_bits = ceil_log2(lanes)
        half = (low_bits + 1) // 2
        per_column = params.sources // lanes
        depth = params.target_chunks * params.sources

        self.banks, reads, writes = [], [], []
        for b in range(lanes):
            m.submodules[f"bank{b}"] = bank = memory.Memory(shape=unsigned(width), depth=depth, init=[])
            self.banks.append(bank)
            reads.append(bank.read_port())
            writes.append(bank.write_port())

        def low(address, bank: int):
            """Return the low address bits of a bank."""
            return Mux(address.column, bank - address.rotate, address.rotate)[:low_bits]

        # The host reaches one weight at a time; its division of the target index costs a clock.
        host = self.host
        source, target = host.offset[12:], host.offset[:12]
        host_address = Signal(range(depth))
        host_bank = Signal(low_bits)
        exists = Signal()
        m.d.sync += [
            host_address.eq(((target >> low_bits) * per_column << low_bits) + source),
            host_bank.eq(source + target),
            exists.eq((source < params.sources) & (target < params.neurons)),
        ]

        # Read: banks, then two stages of rotation.
        for b, read in enumerate(reads):
            m.d.comb += read.addr.eq(Mux(host.select, host_address, Cat(low(self.read, b), self.read.high)))
        turn1, turn2 = Signal(low_bits), Signal(low_bits)
        part = [Signal(width, name=f"part{n}") for n in range(lanes)]
        m.d.sync += [turn1.eq(self.read.rotate), turn2.eq(turn1)]
        for n, value in enumerate(rotate([r.data for r in reads], turn1, range(half))):
            m.d.sync += part[n].eq(value)
        for n, value in enumerate(rotate(part, turn2, range(half, low_bits))):
            m.d.sync += self.weights[n].eq(value)

        # Write: two stages of rotation back, with the enables.
        entry = [Cat(self.write_weights[n], self.write_mask[n]) for n in range(lanes)]
        back1 = [Signal(width + 1, name=f"back1_{n}") for n in range(lanes)]
        back2 = [Signal(width + 1, name=f"back2_{n}") for n in range(lanes)]
        address1, address2 = Signal.like(self.write_address), Signal.like(self.write_address)
        m.d.sync += [address1.eq(self.write_address), address2.eq(address1)]
        for n, value in enumerate(rotate(entry, self.write_address.rotate, range(half), back=True)):
            m.d.sync += back1[n].eq(value)
        for n, value in enumerate(rotate(back1, address1.rotate, range(half, low_bits), back=True)):
            m.d.sync += back2[n].eq(value)
        for b, write in enumerate(writes):
            with m.If(host.select):
                m.d.comb += [
                    write.addr.eq(host_address),
                    write.data.eq(host.data),
                    write.en.eq(host.write & exists & (host_bank == b)),
                ]
            with m.Else():
                m.d.comb += [
                    write.addr.eq(Cat(low(address2, b), address2.high)),
                    write.data.eq(back2[b][:width]),
                    write.en.eq(back2[b][width]),
                ]

        chosen = Signal(signed(width))
        m.d.comb += chosen.eq(Array(r.data for r in reads)[host_bank])
        m.d.sync += host.q.eq(Mux(exists, chosen, 0) & 0xFF)
        return m
