"""The CTRL and COUNTERS register files."""

from __future__ import annotations

from amaranth.hdl import Array, Module, Mux, Shape, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from synloom.contract import ArrayParams
from synloom.contract.regions import CONTROL_REGISTERS, COUNTER_STRIDE, COUNTERS, WIDE_COUNTERS
from synloom_hdl.core.access import AccessSignature

__all__ = ["LIVE_REGISTERS", "ControlRegisters", "Counters"]

LIVE_REGISTERS = ("now", "learn_rng", "gen_rng", "probe_wait")
"""Registers that the array changes itself."""

_ONE_AT_FIRST = ("learn_rng", "gen_rng", "probe_every")
"""Registers that must not be 0, and are 1 after power-up."""


class ControlRegisters(wiring.Component):
    """The CTRL region: one port for each register of the contract.

    Members
    -------
    NAME : Out
        Each writable register.
    NAME_next : In, NAME_en : In(1)
        A new value for each of `LIVE_REGISTERS`.
    NAME : In
        Each register that is read only.
    now_written : Out(1)
        The host wrote `now`.
    host : In(AccessSignature)
    """

    def __init__(self):
        members = {"host": In(AccessSignature()), "now_written": Out(1)}
        for register in CONTROL_REGISTERS.values():
            bits = 16 * register.words
            shape = Shape(bits, register.signed)
            init = int(register.name in _ONE_AT_FIRST)
            members[register.name] = Out(shape, init=init) if register.writable else In(shape)
            if register.name in LIVE_REGISTERS:
                members[f"{register.name}_next"] = In(bits)
                members[f"{register.name}_en"] = In(1)
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        host = self.host
        words = []
        for register in CONTROL_REGISTERS.values():
            value = getattr(self, register.name)
            if register.name in LIVE_REGISTERS:
                with m.If(getattr(self, f"{register.name}_en")):
                    m.d.sync += value.eq(getattr(self, f"{register.name}_next"))
            for k in range(register.words):
                word = value[16 * k : 16 * k + 16]
                words.append(word)
                if register.writable:
                    with m.If(host.select & host.write & (host.offset == register.offset + k)):
                        m.d.sync += word.eq(host.data)
        now = CONTROL_REGISTERS["now"]
        m.d.sync += [
            host.q.eq(Mux(host.offset < len(words), Array(words)[host.offset[: len(words).bit_length()]], 0)),
            self.now_written.eq(
                host.select
                & host.write
                & (host.offset >= now.offset)
                & (host.offset < now.offset + now.words)
            ),
        ]
        return m


class Counters(wiring.Component):
    """The COUNTERS region: saturating; a write to any word of a counter clears it.

    Members
    -------
    NAME : In(8)
        What to add to each counter of the contract, this clock.
    host : In(AccessSignature)
    """

    def __init__(self, params: ArrayParams):
        self.params = params
        super().__init__({"host": In(AccessSignature()), **{name: In(unsigned(8)) for name, _ in COUNTERS}})

    def elaborate(self, platform):
        m = Module()
        host = self.host
        words = []
        for k, (name, _) in enumerate(COUNTERS):
            bits = 48 if name in WIDE_COUNTERS else self.params.counter_bits
            value = Signal(bits, name=name)
            step = Signal(8, name=f"{name}_step")
            total = Signal(bits + 1, name=f"{name}_total")
            # The register in between keeps the adders of events off the long carry chain.
            m.d.sync += step.eq(getattr(self, name))
            m.d.comb += total.eq(value + step)
            m.d.sync += value.eq(Mux(total[bits], (1 << bits) - 1, total))
            with m.If(host.select & host.write & (host.offset[2:] == k)):
                m.d.sync += value.eq(0)
            padded = Signal(16 * COUNTER_STRIDE, name=f"{name}_words")
            m.d.comb += padded.eq(value)
            words += [padded[16 * n : 16 * n + 16] for n in range(COUNTER_STRIDE)]
        m.d.sync += host.q.eq(
            Mux(host.offset < len(words), Array(words)[host.offset[: len(words).bit_length()]], 0)
        )
        return m
