"""The loom: the weight matrix woven into skewed banks, so that rows and columns both stream."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom_hdl.arithmetic import times
from synloom_hdl.core.banks import SinglePortBank, TwoPortBank
from synloom_hdl.core.payloads import loom_address_layout
from synloom_hdl.core.shared_memory import AccessSignature
from synloom_hdl.core.timing import PassTiming

__all__ = ["Loom", "rotate"]


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
    a row, and any B consecutive sources of a column, therefore lie in B different banks. Rotation is an
    explicit logarithmic shifter. `PassTiming` says how many clocks reading and writing take. Nothing detects
    hazards: a chunk must not be read again before it was written, and with single-ported weights a write
    must not be at the banks in the clock of a read.

    Members
    -------
    read : In(address)
        Where to read; each clock, or every second one.
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
        # A register at the banks, behind them and in the middle of each rotation; or none of them.
        stage = _Registers(m) if PassTiming.of(params).carries else _Wires()

        make = SinglePortBank if params.single_port else TwoPortBank
        self.banks = [make(width, depth) for _ in range(lanes)]
        for b, bank in enumerate(self.banks):
            m.submodules[f"bank{b}"] = bank
        banks = [bank.bank for bank in self.banks]

        # The host reaches one weight at a time; its division of the target index costs a clock.
        host = self.host
        source, target = host.offset[12:], host.offset[:12]
        host_address = Signal(range(depth))
        host_bank = Signal(low_bits)
        exists = Signal()
        m.d.sync += [
            host_address.eq((times(target >> low_bits, per_column) << low_bits) + source),
            host_bank.eq(source + target),
            exists.eq((source < params.sources) & (target < params.neurons)),
        ]

        def place(address, bank: int):
            """Return where a chunk's weight lies in a bank."""
            low = Mux(address.column, bank - address.rotate, address.rotate)[:low_bits]
            return Mux(host.select, host_address, Cat(low, address.high))

        # Read: banks, then two stages of rotation.
        for b, bank in enumerate(banks):
            m.d.comb += bank.read_address.eq(stage(place(self.read, b), f"read_address{b}"))
        turn = stage(self.read.rotate, "turn")
        turn_read = Signal(low_bits)
        m.d.sync += turn_read.eq(turn)
        turn1 = stage(turn_read, "turn1")
        values = [stage(bank.read, f"read{b}") for b, bank in enumerate(banks)]
        parts = rotate(values, turn1, range(half))
        turn2 = stage(turn1, "turn2")
        parts = [stage(value, f"part{n}") for n, value in enumerate(parts)]
        for n, value in enumerate(rotate(parts, turn2, range(half, low_bits))):
            m.d.comb += self.weights[n].eq(stage(value, f"weight{n}"))

        # Write: two stages of rotation back, with the enables.
        entry = [Cat(self.write_weights[n], self.write_mask[n]) for n in range(lanes)]
        back = rotate(entry, self.write_address.rotate, range(half), back=True)
        back = [stage(value, f"back{n}") for n, value in enumerate(back)]
        address = stage(self.write_address, "address1")
        back = rotate(back, address.rotate, range(half, low_bits), back=True)
        for b, bank in enumerate(banks):
            entry = Mux(host.select, Cat(host.data[:width], host.write & exists & (host_bank == b)), back[b])
            m.d.comb += [
                bank.write_address.eq(stage(place(address, b), f"write_address{b}")),
                Cat(bank.write, bank.write_en).eq(stage(entry, f"write{b}")),
            ]

        chosen = Signal(signed(width))
        m.d.comb += chosen.eq(Array(values)[host_bank])
        m.d.sync += host.q.eq(Mux(host.select & exists, chosen, 0) & 0xFF)
        return m


class _Registers:
    """Delays values by a clock."""

    def __init__(self, m: Module):
        self._m = m

    def __call__(self, value, name: str):
        register = Signal.like(value, name=name)
        self._m.d.sync += register.eq(value)
        return register


class _Wires:
    """Passes values on."""

    def __call__(self, value, name: str):
        return value
