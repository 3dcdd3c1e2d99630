"""Spike generators in the array, with a rate for each input."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract import ArrayParams
from synloom.contract.memory_map import GENERATOR
from synloom_hdl.core.neuron_lane import record_layout
from synloom_hdl.core.shared_memory import AccessSignature, SharedMemory
from synloom_hdl.gf2 import field_key, times_power, xorshift32

__all__ = ["Generators"]

_CHANNELS = 4
"""Inputs per clock; divides 16."""

_GROUPS = 16 // _CHANNELS
"""Groups of inputs in a word."""

_ALWAYS = 0x7FFF
"""The rate of a spike in every step."""


class Generators(wiring.Component):
    """Bernoulli and regular spike generators (docs/numbers.md, generators).

    Members
    -------
    start : In(1), words : In
        Begin a step with so many words of inputs; with 0 words nothing happens.
    rng : In(32), rng_next : Out(32), rng_en : Out(1)
        The stimulus generator's register, kept elsewhere.
    bits : Out(stream of 16 bits)
        One word for each 16 inputs, ascending.
    rates, phases : In(AccessSignature)
        GEN_RATE and GEN_PHASE.
    """

    def __init__(self, params: ArrayParams):
        self.params = params
        super().__init__(
            {
                "start": In(1),
                "words": In(range(params.input_words + 1)),
                "rng": In(32),
                "rng_next": Out(32),
                "rng_en": Out(1),
                "bits": Out(stream.Signature(16)),
                "rates": In(AccessSignature()),
                "phases": In(AccessSignature()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        self._rate, self._phase = rate, phase = self._memories(m)
        self._group = group = Signal(range(_GROUPS * self.params.input_words + 1), name="group")
        self._key, next_rng = Signal(31, name="key"), Signal(32)
        # A register, since `start` is decided late in its clock.
        started = Signal()
        m.d.sync += started.eq(self.start)
        m.d.comb += [
            next_rng.eq(xorshift32(self.rng)),
            self.rng_next.eq(next_rng),
            self.rng_en.eq(started & (self.words != 0)),
            rate.read_row.eq(group),
            phase.read_row.eq(group),
            phase.write_row.eq(group),
        ]
        self._walk(m, next_rng, self._channels(m))
        return m

    def _memories(self, m: Module) -> list[SharedMemory]:
        """Make the memories of rates and phases; a row is a group of channels."""
        memories = []
        for name, host in (("rate", self.rates), ("phase", self.phases)):
            m.submodules[name] = store = SharedMemory(
                rows=_GROUPS * self.params.input_words,
                element_bits=16,
                elements=range(_CHANNELS),
                size=16 * self.params.input_words,
            )
            wiring.connect(m, wiring.flipped(host), store.host)
            memories.append(store)
        return memories

    def _channels(self, m: Module) -> Signal:
        """Advance the channels of a group; return which of them spike."""
        spikes = Signal(_CHANNELS)
        for n in range(_CHANNELS):
            setting = data.View(record_layout(GENERATOR), self._rate.row.word_select(n, 16))
            total = Signal(16, name=f"total{n}")
            drawn = (times_power(self._key, 15 * n, 15) < setting.rate) | (setting.rate == _ALWAYS)
            m.d.comb += [
                total.eq(self._phase.row.word_select(n, 16)[:15] + setting.rate),
                self._phase.write.word_select(n, 16).eq(total[:15]),
                spikes[n].eq(Mux(setting.regular, total[15], drawn)),
            ]
        return spikes

    def _walk(self, m: Module, next_rng: Signal, spikes: Signal):
        """Process the groups in order, and offer each word when it is complete."""
        rate, phase, group = self._rate, self._phase, self._group
        regulars = Cat(rate.row.word_select(n, 16)[15] for n in range(_CHANNELS))
        end, word, earlier = Signal.like(group), Signal(16), Signal(16 - _CHANNELS)
        with m.FSM():
            with m.State("Idle"):
                m.d.sync += [group.eq(0), end.eq(self.words * _GROUPS), self._key.eq(field_key(next_rng))]
                with m.If(self.rng_en):
                    m.next = "Read"
            with m.State("Read"):
                m.d.comb += [rate.read_en.eq(1), phase.read_en.eq(1)]
                m.next = "Draw"
            with m.State("Draw"):
                m.d.comb += phase.write_en.eq(regulars)
                m.d.comb += word.eq(Cat(earlier, spikes))
                m.d.sync += [
                    self.bits.payload.eq(word),
                    earlier.eq(word >> _CHANNELS),
                    group.eq(group + 1),
                    self._key.eq(times_power(self._key, 15 * _CHANNELS)),
                ]
                m.next = "Read"
                with m.If(group[: (_GROUPS - 1).bit_length()] == _GROUPS - 1):
                    m.next = "Offer"
            with m.State("Offer"):
                m.d.comb += self.bits.valid.eq(1)
                with m.If(self.bits.ready):
                    m.next = "Read"
                    with m.If(group == end):
                        m.next = "Idle"
