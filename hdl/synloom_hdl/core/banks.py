"""Banks of weights, for memories with two ports or one."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, ClockSignal, Const, Instance, Module, Mux, Signal, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

__all__ = ["BankSignature", "SinglePortBank", "TwoPortBank"]

_SPRAM_WORDS = 1 << 14
_SPRAM_BITS = 16
_NIBBLE = 4


class BankSignature(wiring.Signature):
    """One bank, seen by its user.

    Members
    -------
    read_address : Out, read : In(width)
        `read` follows its address by a clock.
    write_address : Out, write : Out(width), write_en : Out(1)
    """

    def __init__(self, width: int, depth: int):
        address = range(max(2, depth))
        super().__init__(
            {
                "read_address": Out(address),
                "read": In(width),
                "write_address": Out(address),
                "write": Out(width),
                "write_en": Out(1),
            }
        )


class TwoPortBank(wiring.Component):
    """A bank that reads and writes in the same clock (EBR, DP16KD, SDPB, distributed RAM).

    Parameters
    ----------
    width, depth : int

    Members
    -------
    bank : In(BankSignature)
        A read in the clock of a write to the same address gives the old weight.
    """

    def __init__(self, width: int, depth: int):
        self._shape = width, max(2, depth)
        super().__init__({"bank": In(BankSignature(width, depth))})

    def elaborate(self, platform):
        m = Module()
        width, depth = self._shape
        m.submodules.words = self.words = words = memory.Memory(shape=unsigned(width), depth=depth, init=[])
        read, write = words.read_port(), words.write_port()
        m.d.comb += [
            read.addr.eq(self.bank.read_address),
            self.bank.read.eq(read.data),
            write.addr.eq(self.bank.write_address),
            write.data.eq(self.bank.write),
            write.en.eq(self.bank.write_en),
        ]
        return m


class SinglePortBank(wiring.Component):
    """A bank that reads or writes in a clock; a write has precedence.

    On an iCE40 UltraPlus it is SPRAM, 16 bits wide with an enable for each nibble, so that a word has two
    weights of 8 bits or four of 4. Elsewhere synthesis chooses the memory.

    Parameters
    ----------
    width : int
        4 or 8.
    depth : int

    Members
    -------
    bank : In(BankSignature)
        `read` is undefined in the clock after a write.
    """

    def __init__(self, width: int, depth: int):
        self._shape = width, max(2, depth)
        super().__init__({"bank": In(BankSignature(width, depth))})

    def elaborate(self, platform):
        m = Module()
        width, depth = self._shape
        address = Signal.like(self.bank.read_address)
        m.d.comb += address.eq(Mux(self.bank.write_en, self.bank.write_address, self.bank.read_address))
        if getattr(platform, "fpga_family", None) == "ice40":
            self._spram(m, address, _SPRAM_BITS // width)
            return m
        m.submodules.words = self.words = words = memory.Memory(shape=unsigned(width), depth=depth, init=[])
        read, write = words.read_port(), words.write_port()
        m.d.comb += [
            read.addr.eq(address),
            read.en.eq(~self.bank.write_en),
            self.bank.read.eq(read.data),
            write.addr.eq(address),
            write.data.eq(self.bank.write),
            write.en.eq(self.bank.write_en),
        ]
        return m

    def _spram(self, m: Module, address: Signal, per_word: int):
        """Instantiate blocks side by side; the lowest address bits choose the weight in a word."""
        width, depth = self._shape
        low = ceil_log2(per_word)
        place, word = address[:low], address[low:]
        blocks = -(-depth // (per_word * _SPRAM_WORDS))
        enables = Const((1 << width // _NIBBLE) - 1, _SPRAM_BITS // _NIBBLE) << place * (width // _NIBBLE)
        place_read, block_read = Signal.like(place), Signal(range(max(2, blocks)))
        block = word[ceil_log2(_SPRAM_WORDS) :]
        m.d.sync += [place_read.eq(place), block_read.eq(block)]
        outputs = []
        for n in range(blocks):
            output = Signal(_SPRAM_BITS, name=f"output{n}")
            m.submodules[f"spram{n}"] = Instance(
                "SB_SPRAM256KA",
                i_CLOCK=ClockSignal(),
                i_ADDRESS=Cat(word, Const(0, 14))[:14],
                i_DATAIN=self.bank.write.replicate(per_word),
                i_MASKWREN=enables[: _SPRAM_BITS // _NIBBLE],
                i_WREN=self.bank.write_en,
                i_CHIPSELECT=(block == n) if blocks > 1 else Const(1, 1),
                i_STANDBY=Const(0, 1),
                i_SLEEP=Const(0, 1),
                i_POWEROFF=Const(1, 1),  # low is off
                o_DATAOUT=output,
            )
            outputs.append(output)
        m.d.comb += self.bank.read.eq(Array(outputs)[block_read].word_select(place_read, width))
