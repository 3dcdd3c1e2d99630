"""The delay wheel: one bitmap of sources for each of the next steps."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom_hdl.core.access import AccessSignature, SharedMemory

__all__ = ["Wheel", "spike_layout"]


def spike_layout(params: ArrayParams) -> data.StructLayout:
    """Return a spike that will be active in a step: the wheel's slot and the source id."""
    return data.StructLayout(
        {"slot": ceil_log2(params.delay_slots), "bit": 4, "word": max(1, ceil_log2(params.source_words))}
    )


class Wheel(wiring.Component):
    """Bits of spikes on their way, set one at a time and scanned one slot a step.

    Members
    -------
    spikes : In(stream of spike_layout)
        Sets a bit, in three clocks.
    idle : Out(1)
        No bit is being set.
    merges : Out(1)
        The bit was set already.
    slot : In, read_en : In(1), read_index : In, word : Out(16)
        The scan's port, `word` one clock later; not while a bit is being set.
    clear_en : In(1), clear_index : In
        Clears a word of the same slot.
    host : In(AccessSignature)
        WHEEL: offset = slot << 8 | word.
    """

    def __init__(self, params: ArrayParams):
        self.params = params
        word = range(max(2, params.source_words))
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
        word_bits = max(1, ceil_log2(params.source_words))
        m.submodules.storage = storage = SharedMemory(
            rows=params.delay_slots << word_bits,
            element_bits=16,
            size=params.delay_slots << 8,
            row_bits=[(0, word_bits), (8, ceil_log2(params.delay_slots))],
        )
        wiring.connect(m, wiring.flipped(self.host), storage.host)

        spike = Signal.like(self.spikes.payload)
        changed = Signal(16)
        incoming = self.spikes.payload
        m.d.comb += [
            storage.read_row.eq(Cat(self.read_index, self.slot)),
            storage.read_en.eq(self.read_en),
            self.word.eq(storage.row),
            storage.write_row.eq(Cat(self.clear_index, self.slot)),
            storage.write_en.eq(self.clear_en),
        ]
        with m.FSM() as fsm:
            m.d.comb += self.idle.eq(fsm.ongoing("Idle"))
            with m.State("Idle"):
                m.d.comb += self.spikes.ready.eq(1)
                m.d.sync += spike.eq(incoming)
                with m.If(self.spikes.valid):
                    m.d.comb += [
                        storage.read_row.eq(Cat(incoming.word, incoming.slot)),
                        storage.read_en.eq(1),
                    ]
                    m.next = "Set"
            with m.State("Set"):
                one = Signal(16)
                m.d.comb += [one.eq(1 << spike.bit), self.merges.eq((storage.row & one).any())]
                m.d.sync += changed.eq(storage.row | one)
                m.next = "Write"
            with m.State("Write"):
                m.d.comb += [
                    storage.write_row.eq(Cat(spike.word, spike.slot)),
                    storage.write.eq(changed),
                    storage.write_en.eq(1),
                ]
                m.next = "Idle"
        return m
