"""The neurons that events fire in this step: a bitmap, empty between steps."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom_hdl.ram_style import block_ram

__all__ = ["Forced"]


class Forced(wiring.Component):
    """Keeps a bit for each neuron from its event to its update in the sweep.

    Members
    -------
    neurons : In(stream of {bit, word})
        Sets a bit, in three clocks. Not to be used during a sweep.
    merges : Out(1)
        The bit was set already; in the clock in which the neuron is taken.
    read_en : In(1), read_index : In, word : Out(16)
        The sweep's port; `word` is valid in the next clock and held.
    clear : In(1)
        Clears the word that was read last.
    forget : In(1)
        Clears all words, in as many clocks.
    """

    def __init__(self, params: ArrayParams):
        self._words = max(2, params.neuron_words)
        super().__init__(
            {
                "neurons": In(
                    stream.Signature(data.StructLayout({"bit": 4, "word": ceil_log2(self._words)}))
                ),
                "merges": Out(1),
                "read_en": In(1),
                "read_index": In(range(self._words)),
                "word": Out(16),
                "clear": In(1),
                "forget": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        attributes = block_ram(platform, 16 * self._words)
        m.submodules.bits = bits = memory.Memory(
            shape=unsigned(16), depth=self._words, init=[], attrs=attributes
        )
        read, write = bits.read_port(transparent_for=()), bits.write_port()
        asked, setting, forgets = Signal(), Signal(), Signal()
        last, neuron = Signal.like(self.read_index), self.neurons.p
        m.d.comb += [
            read.addr.eq(Mux(asked, neuron.word, self.read_index)),
            read.en.eq(asked | self.read_en),
            self.word.eq(read.data),
            self.neurons.ready.eq(setting),
            self.merges.eq(setting & self.neurons.valid & read.data.bit_select(neuron.bit, 1)),
            write.addr.eq(Mux(setting, neuron.word, last)),
            write.data.eq(Mux(setting, read.data | (1 << neuron.bit), 0)),
            write.en.eq((setting & self.neurons.valid) | self.clear | forgets),
        ]
        m.d.sync += [asked.eq(self.neurons.valid & ~asked & ~setting & ~forgets), setting.eq(asked)]
        with m.If(self.read_en):
            m.d.sync += last.eq(self.read_index)
        with m.If(forgets):
            m.d.sync += [last.eq(last + 1), forgets.eq(last != self._words - 1)]
        with m.If(self.forget):
            m.d.sync += [last.eq(0), forgets.eq(1)]
        return m
