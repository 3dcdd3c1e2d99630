"""Spike generators in the array, with a rate or a period for each input."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract import ArrayParams
from synloom.contract.memory_map import GENERATOR, PHASE
from synloom_hdl.core.neuron_lane import record_layout
from synloom_hdl.core.shared_memory import AccessSignature, SharedMemory
from synloom_hdl.gf2 import GENERATOR_BITS, STATE_BITS, BitSequence

__all__ = ["Generators"]

_CHANNELS = 4
"""Inputs per clock; divides 16."""

_GROUPS = 16 // _CHANNELS
"""Groups of inputs in a word."""

_OCTAVES = GENERATOR["exponent"].high
"""The exponent of 1/8 is so much less the field."""

_EVEN = 3
"""The exponent of 8 up to which a period's phase advances in every step."""

_MANTISSA_BITS = GENERATOR["mantissa"].width
_PHASE_BITS = PHASE["phase"].width
_RATE_BITS = 16


class Generators(wiring.Component):
    """Bernoulli and regular spike generators (docs/numbers.md, generators).

    A group of inputs is read while the one before draws: so many inputs a clock, and one clock more for each
    word.

    If all rates of a step were 0, the next steps are silent until the host writes: their numbers are used up
    in as many clocks, but no word is offered.

    Members
    -------
    start : In(1), words : In
        Begin a step with so many words of inputs; with 0 words nothing happens.
    written : In(1)
        The host has written; not during a step.
    busy : Out(1)
        The step is going on, from two clocks after its start.
    silent : Out(1)
        This step is silent, from two clocks after its start; `bits.payload` is 0 then.
    now : In(32)
        The step's number.
    rng : In(64), rng_next : Out(64), rng_en : Out(1)
        The state of the random numbers, kept elsewhere.
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
                "written": In(1),
                "busy": Out(1),
                "silent": Out(1),
                "now": In(32),
                "rng": In(STATE_BITS),
                "rng_next": Out(STATE_BITS),
                "rng_en": Out(1),
                "bits": Out(stream.Signature(16)),
                "rates": In(AccessSignature()),
                "phases": In(AccessSignature()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        self._rate, self._phase = self._memories(m)
        self._walk(m, self._channels(m))
        return m

    def _memories(self, m: Module) -> list[SharedMemory]:
        """Make the memories of rates and phases; a row is a group of channels."""
        memories = []
        for name, host, bits in (("rate", self.rates, _RATE_BITS), ("phase", self.phases, _PHASE_BITS)):
            m.submodules[name] = store = SharedMemory(
                rows=_GROUPS * self.params.input_words,
                element_bits=bits,
                elements=range(_CHANNELS),
                size=16 * self.params.input_words,
            )
            wiring.connect(m, wiring.flipped(host), store.host)
            memories.append(store)
        return memories

    def _channels(self, m: Module) -> Signal:
        """Advance the channels of a group; return which of them spike."""
        spikes, used = Signal(_CHANNELS), GENERATOR_BITS * _CHANNELS
        sequence = BitSequence(m, self.rng, used + STATE_BITS)
        m.d.comb += self.rng_next.eq(sequence.window(used))
        # Whether the step is the last of 8**k.
        rounds = [Signal(name=f"round{k}") for k in range(1, 1 + _OCTAVES - _EVEN)]
        m.d.sync += [last.eq(self.now[: 3 * k].all()) for k, last in enumerate(rounds, 1)]
        for n in range(_CHANNELS):
            setting = data.View(record_layout(GENERATOR), self._rate.row.word_select(n, _RATE_BITS))
            phase = self._phase.row.word_select(n, _PHASE_BITS)
            below = Signal(_MANTISSA_BITS + 1, name=f"below{n}")
            left, tick = Signal(_PHASE_BITS + 1, name=f"left{n}"), Signal(3 * _EVEN + 1, name=f"tick{n}")
            number = sequence.window(GENERATOR_BITS * n, GENERATOR_BITS)
            m.d.comb += [
                below.eq(number[:_MANTISSA_BITS] - setting.mantissa),
                left.eq(phase - setting.mantissa),
            ]
            with m.Switch(setting.exponent):
                for e in range(_OCTAVES + 1):
                    with m.Case(_OCTAVES - e):
                        m.d.comb += tick.eq(1 << 3 * (_EVEN - e) if e <= _EVEN else rounds[e - _EVEN - 1])
            drawn = below[-1] & ~self._excess(number, setting.exponent)
            always = setting.mantissa.all() & setting.exponent.all()
            due = ~left[-1]
            m.d.comb += [
                spikes[n].eq(Mux(setting.regular, due, drawn | always)),
                self._phase.write.word_select(n, _PHASE_BITS).eq(Mux(due, left, phase) + tick),
            ]
        return spikes

    def _excess(self, number, exponent):
        """Return whether one of the bits is 1 that must be 0 for a rate with this exponent."""
        parts = range((GENERATOR_BITS - _MANTISSA_BITS) // 3)
        above = [number[_MANTISSA_BITS + 3 * k :][:3].any() for k in parts]
        return Cat(part & (exponent < _OCTAVES - k) for k, part in enumerate(above)).any()

    def _walk(self, m: Module, spikes: Signal):
        """Process the groups in order, and offer each word when it is complete."""
        rate, phase = self._rate, self._phase
        size = (_GROUPS * self.params.input_words).bit_length()
        group, end, before = Signal(size), Signal(size), Signal(size)
        settings = [
            data.View(record_layout(GENERATOR), rate.row.word_select(n, _RATE_BITS)) for n in range(_CHANNELS)
        ]
        regulars = Cat(setting.regular for setting in settings)
        # Whether one may spike that has drawn since the last step began, or is unknown.
        speaks = Signal(init=1)
        word, earlier = Signal(16), Signal(16 - _CHANNELS)
        # A register, since `start` is decided late in its clock.
        started, draws = Signal(), Signal()
        m.d.sync += started.eq(self.start)
        m.d.comb += [
            rate.read_row.eq(group),
            phase.read_row.eq(group),
            phase.write_row.eq(before),
            phase.write_en.eq(Mux(draws, regulars, 0)),
            word.eq(Cat(earlier, spikes)),
        ]
        with m.If(draws):
            m.d.sync += [before.eq(group), earlier.eq(word >> _CHANNELS), self.bits.payload.eq(word)]
            with m.If(regulars.any() | Cat(setting.mantissa for setting in settings).any()):
                m.d.sync += speaks.eq(1)
        with m.If(self.written):
            m.d.sync += speaks.eq(1)
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("Idle"))
            with m.State("Idle"):
                m.d.sync += [group.eq(0), before.eq(0), end.eq(self.words * _GROUPS)]
                with m.If(started & (self.words != 0)):
                    m.d.sync += [self.silent.eq(~speaks), speaks.eq(0)]
                    m.next = "Skip"
                    with m.If(speaks):
                        m.next = "Read"
            with m.State("Skip"):
                # Only the numbers are used up.
                m.d.comb += self.rng_en.eq(1)
                m.d.sync += group.eq(group + 1)
                with m.If(group == end - 1):
                    m.next = "Idle"
            with m.State("Read"):
                m.d.comb += [rate.read_en.eq(1), phase.read_en.eq(1)]
                m.d.sync += group.eq(group + 1)
                m.next = "Draw"
            with m.State("Draw"):
                m.d.comb += [draws.eq(1), self.rng_en.eq(1)]
                with m.If(group[: (_GROUPS - 1).bit_length()] == 0):
                    m.next = "Offer"
                with m.Else():
                    m.d.comb += [rate.read_en.eq(1), phase.read_en.eq(1)]
                    m.d.sync += group.eq(group + 1)
            with m.State("Offer"):
                m.d.comb += self.bits.valid.eq(1)
                with m.If(self.bits.ready):
                    with m.If(group == end):
                        m.next = "Idle"
                    with m.Else():
                        m.d.comb += [rate.read_en.eq(1), phase.read_en.eq(1)]
                        m.d.sync += group.eq(group + 1)
                        m.next = "Draw"
