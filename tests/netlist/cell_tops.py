"""Memories and products under random stimulus of their own: what the tests of cell models synthesise.

A top sends a byte in each clock of a run: what one of its units shows. It looks the same to the host
whether it was synthesised or not, and `expected` says in plain Python what it must send.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom_hdl.core.banks import SinglePortBank

__all__ = ["CLOCKS", "SETTLED", "TOPS", "expected"]

CLOCKS = 8192
"""Clocks of a run, and bytes that come back."""
SETTLED = 256
"""Clocks after which each memory was read, so that nothing of the power-up is seen."""

_NOISE = 96
_SEED = 0x0BADC0DE1234567890ABCDEF
_MASK = (1 << _NOISE) - 1


@dataclass(frozen=True, kw_only=True)
class Ram:
    """A memory with a port to read and one to write."""

    width: int
    depth: int
    granularity: int = 0
    """Bits that share an enable; 0 is all of them."""
    init: Sequence[int] = ()
    writes: bool = True
    shared: bool = False
    """One address for both ports."""
    unclocked: bool = False
    """Reads without a clock."""
    careless: bool = False
    """Shows also what was read in the clock of a write to the same word, which no netlist may use."""
    style: str = "block"

    @property
    def enables(self) -> int:
        return self.width // (self.granularity or self.width)


@dataclass(frozen=True, kw_only=True)
class Bank:
    """Weights in single-ported memory; their first contents are written before the run."""

    width: int
    depth: int


@dataclass(frozen=True, kw_only=True)
class Product:
    """A product with a register behind it."""

    a: int
    b: int
    a_signed: bool = False
    b_signed: bool = False


Unit = Ram | Bank | Product


def _near(unit: Ram | Bank) -> int:
    """Return a mask of addresses, few enough that reads and writes meet, in all blocks of a memory."""
    return unit.depth - 1 if unit.depth < 8 else unit.depth >> 1 | unit.depth >> 2 | 1


# ---- in plain Python ---------------------------------------------------------------------------


def _next(state: int) -> int:
    state ^= state << 7 & _MASK
    state ^= state >> 9
    return state ^ state << 8 & _MASK


def _rotated(state: int, n: int) -> int:
    return (state >> 5 * n | state << _NOISE - 5 * n) & _MASK


def _fold(value: int) -> int:
    """Return the sum of a value's bytes: no single bit is lost, nor are all of them."""
    return sum(value.to_bytes(16, "little")) & 0xFF


class _UnitModel:
    """What one unit shows, clock by clock."""

    def __init__(self, unit: Unit):
        self.unit = unit
        self.shown = 0
        self.met = False
        if isinstance(unit, Ram):
            self.words = [*unit.init, *[0] * (unit.depth - len(unit.init))]
        elif isinstance(unit, Bank):
            self.words = [_first_weight(k, unit.width) for k in range(unit.depth)]

    def clock(self, noise: int) -> int:
        """Return what is seen during a clock, and go on."""
        unit = self.unit
        if isinstance(unit, Product):
            seen, self.shown = self.shown, self._product(noise)
            return seen
        near = _near(unit) if noise & 3 else unit.depth - 1
        read, write = noise >> 2 & near, noise >> 22 & near
        if isinstance(unit, Bank):
            return self._bank(read, write, noise >> 42 & 1, noise >> 56 & (1 << unit.width) - 1)
        if unit.shared:
            read = write
        enables = noise >> 44 & (1 << unit.enables) - 1 if noise >> 54 & 1 and unit.writes else 0
        seen = self.words[read] if unit.unclocked else 0 if self.met else self.shown
        if noise >> 42 & 3:
            self.shown = self.words[read]
            self.met = read == write and enables != 0 and not unit.careless
        bits = unit.width // unit.enables
        mask = sum((1 << bits) - 1 << bits * k for k in range(unit.enables) if enables >> k & 1)
        self.words[write] = self.words[write] & ~mask | noise >> 56 & mask
        return seen

    def _bank(self, read: int, write: int, writes: int, weight: int) -> int:
        seen = self.shown
        self.shown = 0 if writes else self.words[read]
        if writes:
            self.words[write] = weight
        return seen

    def _product(self, noise: int) -> int:
        unit = self.unit
        a, b = noise & (1 << unit.a) - 1, noise >> 40 & (1 << unit.b) - 1
        a -= (a >> unit.a - 1 & unit.a_signed) << unit.a
        b -= (b >> unit.b - 1 & unit.b_signed) << unit.b
        return a * b & (1 << unit.a + unit.b) - 1


def _first_weight(place: int, width: int) -> int:
    return (place ^ place >> 5) & (1 << width) - 1


def expected(units: Sequence[Unit]) -> bytes:
    """Return the CLOCKS bytes of a run."""
    models = [_UnitModel(unit) for unit in units]
    noise, sent = _SEED, bytearray()
    for clock in range(CLOCKS):
        seen = [model.clock(_rotated(noise, n)) for n, model in enumerate(models)]
        sent.append(_fold(seen[clock % len(models)]))
        noise = _next(noise)
    return bytes(sent)


# ---- in gateware -------------------------------------------------------------------------------


class CellTop(wiring.Component):
    """Units of a family under noise: one byte from the host is one run, once."""

    units: ClassVar[Sequence[Unit]] = ()

    def __init__(self, params):
        streams = {"i": In(stream.Signature(8)), "o": Out(stream.Signature(8))}
        super().__init__({**streams, "idle": Out(1), "running": Out(1), "paused": Out(1)})

    def elaborate(self, platform):
        m = Module()
        noise = Signal(_NOISE, init=_SEED)
        step1, step2, step3 = (Signal(_NOISE, name=f"step{k}") for k in (1, 2, 3))
        deepest = max([unit.depth for unit in self.units if isinstance(unit, Bank)], default=1)
        filled = Signal(range(deepest + 1))
        clock = Signal(range(CLOCKS + 1))
        turn = Signal(range(max(2, len(self.units))))
        going, shows = Signal(), Signal()
        m.d.comb += [
            step1.eq(noise ^ noise << 7),
            step2.eq(step1 ^ step1 >> 9),
            step3.eq(step2 ^ step2 << 8),
            shows.eq(going & (filled == deepest)),
            self.i.ready.eq(~going),
            self.idle.eq(~going),
            self.running.eq(going),
            self.o.valid.eq(shows),
        ]
        seen = [
            self._unit(m, n, unit, Cat(noise[5 * n :], noise[: 5 * n]), shows, filled)
            for n, unit in enumerate(self.units)
        ]
        m.d.comb += self.o.payload.eq(Array([self._folded(value) for value in seen])[turn])
        with m.If(self.i.valid & ~going):
            m.d.sync += going.eq(1)
        with m.If(going & ~shows):
            m.d.sync += filled.eq(filled + 1)
        with m.If(shows):
            m.d.sync += [
                noise.eq(step3),
                clock.eq(clock + 1),
                turn.eq(Mux(turn == len(self.units) - 1, 0, turn + 1)),
            ]
            with m.If(clock == CLOCKS - 1):
                m.d.sync += going.eq(0)
        return m

    @staticmethod
    def _folded(value):
        return sum(value[first : first + 8] for first in range(0, len(value), 8))[:8]

    def _unit(self, m: Module, n: int, unit: Unit, noise, shows, filled):
        if isinstance(unit, Product):
            return self._product(m, unit, noise, shows)
        near = Mux(noise[:2] == 0, unit.depth - 1, _near(unit))
        read_address, write_address = noise[2:22] & near, noise[22:42] & near
        if isinstance(unit, Bank):
            return self._bank(m, n, unit, noise, read_address, write_address, shows, filled)
        m.submodules[f"ram{n}"] = ram = memory.Memory(
            shape=unit.width, depth=unit.depth, init=unit.init, attrs={"ram_style": unit.style}
        )
        read = ram.read_port(domain="comb" if unit.unclocked else "sync")
        m.d.comb += read.addr.eq(write_address if unit.shared else read_address)
        if not unit.unclocked:
            m.d.comb += read.en.eq(shows & (noise[42:44] != 0))
        if unit.writes:
            write = ram.write_port(granularity=unit.granularity or None)
            m.d.comb += [
                write.addr.eq(write_address),
                write.data.eq(noise[56:]),
                write.en.eq(noise[44:54] & (shows & noise[54]).replicate(10)),
            ]
            if not unit.unclocked and not unit.careless:
                met = Signal(name=f"met{n}")
                with m.If(read.en):
                    m.d.sync += met.eq((read.addr == write.addr) & write.en.any())
                return Mux(met, 0, read.data)
        return read.data

    def _bank(self, m: Module, n: int, unit: Bank, noise, read_address, write_address, shows, filled):
        m.submodules[f"bank{n}"] = component = SinglePortBank(unit.width, unit.depth)
        bank, written = component.bank, Signal(name=f"written{n}")
        low = Cat(filled, 0)[: ceil_log2(unit.depth)]
        m.d.comb += [
            bank.read_address.eq(read_address),
            bank.write_address.eq(Mux(shows, write_address, low)),
            bank.write.eq(Mux(shows, noise[56:], low ^ low >> 5)),
            bank.write_en.eq(Mux(shows, noise[42], 1)),
        ]
        m.d.sync += written.eq(bank.write_en)
        return Mux(written, 0, bank.read)

    def _product(self, m: Module, unit: Product, noise, shows):
        a, b = noise[: unit.a], noise[40 : 40 + unit.b]
        product = Signal(unit.a + unit.b)
        with m.If(shows):
            m.d.sync += product.eq(
                (a.as_signed() if unit.a_signed else a) * (b.as_signed() if unit.b_signed else b)
            )
        return product


_ROM = tuple((k * 40503 ^ k >> 3) & 0xFFFF for k in range(256))
_PRODUCTS = (
    Product(a=8, b=8),
    Product(a=9, b=9, a_signed=True, b_signed=True),
    Product(a=16, b=16),
    Product(a=18, b=18, a_signed=True, b_signed=True),
    Product(a=17, b=12, a_signed=True),
    Product(a=24, b=16),
)


class Ice40Top(CellTop):
    """Block memory of 2, 4, 8 and 16 bits, SPRAM, products."""

    units = (
        Ram(width=2, depth=2048),
        Ram(width=4, depth=1024),
        Ram(width=8, depth=512),
        Ram(width=16, depth=256),
        Ram(width=16, depth=256, init=_ROM, writes=False),
        Ram(width=16, depth=1024, granularity=4, init=_ROM),
        Ram(width=16, depth=256, careless=True),
        Ram(width=24, depth=256),
        Bank(width=8, depth=1 << 16),
        Bank(width=4, depth=256),
        *_PRODUCTS,
    )


class Ecp5Top(CellTop):
    """Block memory of 1 to 36 bits, distributed memory, products."""

    units = (
        Ram(width=1, depth=16384),
        Ram(width=2, depth=8192),
        Ram(width=4, depth=4096),
        Ram(width=9, depth=2048),
        Ram(width=18, depth=1024),
        Ram(width=36, depth=512),
        Ram(width=36, depth=512, granularity=9, init=_ROM),
        Ram(width=16, depth=256, careless=True),
        Ram(width=16, depth=256, init=_ROM, writes=False),
        Ram(width=18, depth=1024, granularity=9, shared=True),
        Ram(width=24, depth=16, unclocked=True, style="distributed"),
        *_PRODUCTS,
    )


class GowinTop(CellTop):
    """Block memory of 1 to 36 bits, distributed memory, products."""

    units = (
        Ram(width=1, depth=16384),
        Ram(width=2, depth=8192),
        Ram(width=4, depth=4096),
        Ram(width=9, depth=2048),
        Ram(width=18, depth=1024),
        Ram(width=36, depth=512),
        Ram(width=36, depth=512, granularity=9, init=_ROM),
        Ram(width=16, depth=256, careless=True),
        Ram(width=16, depth=256, init=_ROM, writes=False),
        Ram(width=18, depth=1024, granularity=9, shared=True),
        Ram(width=24, depth=16, unclocked=True, style="distributed"),
        *_PRODUCTS,
        Product(a=36, b=32, a_signed=True, b_signed=True),
    )


TOPS = {"ice40": Ice40Top, "ecp5": Ecp5Top, "gowin": GowinTop}
"""Tops by family."""
