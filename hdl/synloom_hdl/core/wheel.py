"""The delay wheel: a bitmap of ids for each of the next steps."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom_hdl.core.shared_memory import AccessSignature, SharedMemory

__all__ = ["Wheel", "spike_layout"]


def spike_layout(params: ArrayParams) -> data.StructLayout:
    """Return a spike on its way: the slot of its step, and its id as word and bit."""
    return data.StructLayout(
        {"slot": ceil_log2(params.delay_slots), "bit": 4, "word": max(1, ceil_log2(params.wheel_words))}
    )


class Wheel(wiring.Component):
    """Holds the spikes that are on their way; one slot is scanned a step.

    Members
    -------
    spikes : In(stream of spike_layout)
        Sets a bit: a spike is taken at once if none came in the two clocks before, and its bit is set three
        clocks later.
    idle : Out(1)
        No bit is being set.
    merges : Out(1)
        The bit was set already; four clocks after the spike was taken.
    slot : In, read_en : In(1), read_index : In, word : Out(16)
        The scan's port; `word` is valid in the next clock. Not to be used while a bit is being set.
    clear_en : In(1), clear_index : In
        Clears a word of the same slot.
    host : In(AccessSignature)
        WHEEL: offset = slot << 9 | word.
    """

    def __init__(self, params: ArrayParams):
        self.params = params
        word = range(max(2, params.wheel_words))
        super().__init__(
            {
                "spikes": In(stream.Signature(spike_layout(params))),
                "idle": Out(1),
                "merges": Out(1),
                "slot": In(ceil_log2(params.delay_slots)),
                "read_en": In(1),
                "read_index": In(word),
                "word": Out(16),
                "clear_en": In(1),
                "clear_index": In(word),
                "host": In(AccessSignature()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params = self.params
        bits = memory_of(params, Region.WHEEL)
        word_bits = max(1, ceil_log2(params.wheel_words))
        m.submodules.storage = storage = SharedMemory(
            rows=params.delay_slots << word_bits,
            element_bits=16,
            size=bits.size,
            row_bits=[(0, word_bits), (ceil_log2(bits.offset(1, 0)), ceil_log2(params.delay_slots))],
        )
        wiring.connect(m, wiring.flipped(self.host), storage.host)

        # A spike's word is read, changed, and written while the next spike is taken.
        takes, asked, setting, writing = Signal(), Signal(), Signal(), Signal()
        place, bit = Signal(len(self.spikes.p.word) + len(self.spikes.p.slot)), Signal(4)
        with m.If(takes):
            m.d.sync += [place.eq(Cat(self.spikes.p.word, self.spikes.p.slot)), bit.eq(self.spikes.p.bit)]
        changed, quarter = Signal(16), Signal(4)
        m.d.comb += [
            self.idle.eq(~asked & ~setting & ~writing),
            self.spikes.ready.eq(~asked & ~setting),
            takes.eq(self.spikes.valid & self.spikes.ready),
            self.word.eq(storage.row),
            storage.read_row.eq(Mux(asked, place, Cat(self.read_index, self.slot))),
            storage.read_en.eq(asked | self.read_en),
            storage.write_row.eq(Mux(writing, place, Cat(self.clear_index, self.slot))),
            storage.write.eq(changed),
            storage.write_en.eq(writing | self.clear_en),
        ]
        m.d.sync += [
            asked.eq(takes),
            setting.eq(asked),
            writing.eq(setting),
            changed.eq(Mux(setting, storage.row | (1 << bit), 0)),
            quarter.eq(storage.row.word_select(bit[2:], 4)),
            self.merges.eq(writing & quarter.bit_select(bit[:2], 1)),
        ]
        return m
