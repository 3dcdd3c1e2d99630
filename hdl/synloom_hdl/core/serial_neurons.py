"""Neurons that share one multiplier: the same update in a fraction of the logic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring

from synloom.contract.dither import DITHER_BITS, INDEX
from synloom.contract.layout import Layout
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom.contract.serial_program import serial_program, shown_words
from synloom_hdl.arithmetic import below, choose, decay_dither, decay_shift, minimum, saturated
from synloom_hdl.core.deep_memory import DeepMemory
from synloom_hdl.core.neuron_sweep import Neurons
from synloom_hdl.core.timing import PassTiming

__all__ = ["SerialNeurons"]


class _Record:
    """The fields of a record whose words pass one by one; each is valid in its clocks of the program."""

    def __init__(self, m: Module, name: str, store: DeepMemory, layout: Layout):
        self._layout, self._word = layout, store.word
        self._before = Signal(16, name=f"{name}_before")
        with m.If(store.read_en):
            m.d.sync += self._before.eq(store.word)

    def __getitem__(self, name: str) -> Value:
        field = self._layout[name]
        _, last = shown_words(self._layout, name)
        first = field.start - 16 * (last - 1)
        value = Cat(self._before, self._word)[first : first + field.width]
        return value.as_signed() if field.signed else value

    def bit(self, name: str, word: int, bit: int) -> Value:
        """Return a bit of a word that a field shares with others, while that field is valid."""
        return self._before[bit] if word < self._layout[name].words[-1] else self._word[bit]


class SerialNeurons(Neurons):
    """The sweep of `Neurons`, one neuron at a time, by the clocks of `SerialProgram`.

    Gains and decays take turns at one multiplier; a gain is a product with a power of two. Parameters and
    state lie in deep memories, from which each word comes when it is needed.
    """

    def elaborate(self, platform):
        m = Module()
        self._program = program = serial_program(self.params)
        self._tables = [memory_of(self.params, r) for r in (Region.NEURON_PARAMS, Region.NEURON_STATE)]
        m.submodules.parameters = self._parameters = DeepMemory(self._tables[0], array_writes=False)
        m.submodules.state = self._state = DeepMemory(self._tables[1], array_writes=True)
        wiring.connect(m, wiring.flipped(self.parameters), self._parameters.host)
        wiring.connect(m, wiring.flipped(self.state), self._state.host)
        self._p = _Record(m, "parameters", self._parameters, self._tables[0].layout)
        self._s = _Record(m, "state", self._state, self._tables[1].layout)
        self._clock, self._active = Signal(range(program.clocks)), Signal()
        self._used = Signal()
        # The clocks behind a neuron's last one, in which it is written.
        self._behind = Signal(len(program.state_writes))
        self._sequence(m)
        self._ask(m)
        self._multiply(m)
        self._decay(m)
        self._add(m)
        self._integrate(m)
        self._decide(m)
        self._count(m)
        return m

    def _at(self, *clocks: int) -> Value:
        """Return whether this is one of some clocks of a neuron."""
        return Cat(self._clock == clock for clock in clocks).any()

    def _of(self, m: Module, name: str, values: Mapping[int, int], width: int) -> Signal:
        """Return a number for each clock; it does not matter what it is in the others."""
        number = Signal(width, name=name)
        with m.Switch(self._clock):
            for clock, value in values.items():
                with m.Case(clock):
                    m.d.comb += number.eq(value)
        return number

    def _sequence(self, m: Module):
        """Go through the clocks of each neuron, and through the neurons up to a whole bitmap word."""
        params, program, clock, active = self.params, self._program, self._clock, self._active
        self._neuron = neuron = Signal(range(16 * params.neuron_words + 1))
        # The first clock of a neuron is where a sweep ends or waits.
        begins, self._last = Signal(), Signal()
        m.d.comb += [
            self._used.eq(neuron < self.sweep_count[: len(neuron)]),
            begins.eq(active & (clock == 0) & (self._used | neuron[:4].any())),
            self._last.eq(self._at(program.clocks - 1)),
            self.busy.eq(self.start | active | self._behind.any()),
            self.forced_en.eq(begins),
            self.forced_index.eq(neuron >> 4),
        ]
        m.d.sync += self._behind.eq(Cat(self._last, self._behind))
        with m.If(begins | (clock != 0)):
            m.d.sync += clock.eq(Mux(self._last, 0, clock + 1))
        with m.If(self.start):
            m.d.sync += [active.eq(self.sweep_count != 0), neuron.eq(0)]
        with m.Elif(self._last):
            m.d.sync += neuron.eq(neuron + 1)
        with m.Elif((clock == 0) & ~begins):
            m.d.sync += active.eq(0)
        first, second = program.excitation - 1, program.inhibition - 1
        m.d.comb += [
            self.sweep_en.eq((begins if first == 0 else self._at(first)) | self._at(second)),
            self.sweep_group.eq(Cat(clock != first, neuron)),
        ]

    def _ask(self, m: Module):
        """Ask the memories for the words of the program."""
        program, parameters, state = self._program, self._parameters, self._state
        for name, store, reads in (
            ("parameter_word", parameters, program.parameter_reads),
            ("state_word", state, program.state_reads),
        ):
            m.d.comb += [
                store.record.eq(self._neuron),
                store.read_word.eq(self._of(m, name, reads, len(store.read_word))),
                store.read_en.eq(self._at(*reads)),
            ]

    def _multiply(self, m: Module):
        """Multiply a magnitude by a coefficient or a power of two, and add to the product."""
        params, program, p, s = self.params, self._program, self._p, self._s
        bits = params.state_bits
        self._e, self._i, self._theta = (Signal(bits - 1, name=name) for name in ("e", "i", "theta"))
        v, gains = s["v"], self._at(program.excitation, program.inhibition)
        sizes = [self.sums[0], Mux(v[-1], -v, v)[:bits], self._e, self._i, self._theta]
        users: list[Iterable[int]] = [
            (program.excitation, program.inhibition),
            (program.potential, program.potential + 2),
            (program.currents, program.currents + 2),
            (program.currents + 1, program.currents + 3),
        ]
        coefficient = p["dm"]
        if params.adaptation:
            users.append((program.threshold_decay, program.threshold_decay + 2))
            coefficient = Mux(self._at(program.threshold_decay) & ~self.adapt, 0, coefficient)
        which = self._of(m, "which", {c: n for n, clocks in enumerate(users) for c in clocks}, 3)
        self._size = size = Signal(max(bits, params.accumulator_bits))
        factor = Signal(16)
        gain = Mux(self._at(program.excitation), p["g_e"], p["g_i"])
        m.d.comb += [
            size.eq(choose(sizes[: len(users)], which)),
            factor.eq(Mux(gains, Const(1, 16) << gain, coefficient)),
        ]
        # A register without a reset is part of the multiplier, and the sum of its product too.
        product = Signal(len(size) + 16, reset_less=True)
        self._exponent = exponent = Signal(3)
        self._rounded = Signal(max(len(product), DITHER_BITS) + 1)
        m.d.sync += product.eq(size * factor)
        # A gain adds to the current, a decay takes its dither.
        self._adds = self._at(program.excitation + 1, program.inhibition + 1)
        current = Mux(self._at(program.inhibition + 1), s["ii"], s["ie"])
        addend = Mux(self._adds, current, decay_dither(self._dither(m), exponent))
        m.d.comb += self._rounded.eq(product + addend)
        self._takes_all = Signal()
        full = Signal()
        m.d.sync += [full.eq(coefficient == 0xFFFF), self._takes_all.eq(full & (exponent == 0))]

    def _dither(self, m: Module) -> Value:
        """Return the dither of the neuron."""
        # Products and sums of 16 bits, as they fit into multipliers with an adder.
        quick = PassTiming.of(self.params).quick
        places = [Signal(DITHER_BITS - 16 * k, reset_less=True, name=f"place{k}") for k in range(2)]
        low, high = Signal(DITHER_BITS, reset_less=True), Signal(DITHER_BITS - 16, reset_less=True)
        for k, place in enumerate(places):
            domain = m.d.sync if quick else m.d.comb
            domain += place.eq(self._neuron * (INDEX >> 16 * k & 0xFFFF))
        m.d.sync += [low.eq(places[0] + self.dither), high.eq(places[1] + low[16:])]
        return Cat(low[:16], high)

    def _decay(self, m: Module):
        """Keep the exponents; take each loss from its magnitude (docs/numbers.md)."""
        params, program, p = self.params, self._program, self._p
        order = ["exponent_m", *(["exponent_th"] if params.adaptation else []), "exponent_e", "exponent_i"]
        left = Signal(3 * len(order))
        self._subtract, self._goes_on = Signal(), Signal()
        m.d.comb += self._exponent.eq(left[:3])
        # Each is used in the clock behind its product.
        products = [program.potential, program.currents, program.currents + 1]
        if params.adaptation:
            products.append(program.threshold_decay)
        with m.If(self._at(program.exponents)):
            m.d.sync += [
                left.eq(Cat(p[name] for name in order)),
                self._subtract.eq(p["subtract"]),
                self._goes_on.eq(p["integrate"]),
            ]
        with m.Elif(self._at(*(clock + 1 for clock in products))):
            m.d.sync += left.eq(left >> 3)
        self._loss = loss = Signal(params.state_bits)
        self._left = Signal(signed(params.state_bits + 1))
        m.d.sync += loss.eq(decay_shift(self._rounded, self._exponent, params.state_bits))
        # Currents enter the potential as they are.
        with m.If(self._at(program.currents - 1, program.currents)):
            m.d.sync += loss.eq(0)
        m.d.comb += self._left.eq((self._size - loss)[: params.state_bits])

    def _add(self, m: Module):
        """Keep the currents with their sums, clipped, and what the decays leave."""
        params, program, s = self.params, self._program, self._s
        bits, top, e, i = params.state_bits, params.state_max, self._e, self._i
        current, self._clips_current = Signal(bits - 1), Signal()
        m.d.comb += [
            self._clips_current.eq(self._rounded[bits - 1 :].any()),
            current.eq(Mux(self._clips_current, top, self._rounded)),
        ]
        for register, added, decayed in (
            (e, program.excitation + 1, program.currents + 2),
            (i, program.inhibition + 1, program.currents + 3),
        ):
            with m.If(self._at(added)):
                m.d.sync += register.eq(current)
            with m.If(self._at(decayed)):
                m.d.sync += register.eq(Mux(self._takes_all, 0, self._left))
        if params.adaptation:
            with m.If(self._at(program.threshold_state)):
                m.d.sync += self._theta.eq(s["theta"])
            with m.If(self._at(program.threshold_decay + 2)):
                m.d.sync += self._theta.eq(Mux(self._takes_all, 0, self._left))

    def _integrate(self, m: Module):
        """Add up the potential exactly, then clip it."""
        params, program, p, s = self.params, self._program, self._p, self._s
        bits, potential, currents = params.state_bits, program.potential, program.currents
        total = Signal(signed(bits + 3))
        operand, lowers = Signal(signed(bits + 1)), Signal()
        is_bias, decays = self._at(program.bias), self._at(potential + 2)
        m.d.comb += [
            lowers.eq(Mux(decays, s["v"][-1], self._at(currents + 1))),
            operand.eq(Mux(is_bias, p["bias"], Mux(lowers, ~self._left, self._left))),
        ]
        with m.If(below(self._clock, program.bias)):
            m.d.sync += total.eq(0)
        with m.If(is_bias | (decays & ~self._takes_all) | self._at(currents, currents + 1)):
            m.d.sync += total.eq((Cat(1, total).as_signed() + Cat(lowers, operand).as_signed()) >> 1)
        self._u, self._clips_u = Signal(signed(bits)), Signal()
        clipped, clips = saturated(total, bits)
        with m.If(self._at(currents + 2)):
            m.d.sync += self._u.eq(clipped)
        m.d.comb += self._clips_u.eq(clips)

    def _decide(self, m: Module):
        """Compare, choose the new state, and write it."""
        params, program, p, s, u = self.params, self._program, self._p, self._s, self._u
        bits, top = params.state_bits, params.state_max
        self._fires, self._moves = fires, moves = Signal(), Signal()
        ready, forced = Signal(), Signal()
        m.d.comb += [ready.eq(s["refr"] == 0), moves.eq(ready | self._goes_on | forced)]
        if params.teaching:
            m.d.comb += [
                forced.eq(self.forced.bit_select(self._neuron[:4], 1)),
                self.forced_done.eq(self._last & self._neuron[:4].all()),
            ]
        # One subtraction, first of the threshold, then of the reset.
        compares, level = self._at(program.compare), Signal(signed(bits + params.adaptation))
        above = Signal(signed(len(level) + 1))
        m.d.comb += [
            level.eq(Mux(compares, p["thr"] + (self._theta if params.adaptation else 0), p["reset"])),
            above.eq(u - level),
        ]
        with m.If(compares):
            m.d.sync += fires.eq(self._used & (forced | (ready & ~above[-1])))
        reduced, self._clips_reduced = saturated(above[: bits + 1].as_signed(), bits)
        v = Signal(signed(bits), name="new_v")
        m.d.comb += v.eq(Mux(fires, Mux(self._subtract, reduced, p["reset"]), u))
        refr = Signal(8, name="new_refr")
        late = program.refractory - program.clocks
        with m.If(self._at(program.refractory) if late < 0 else self._behind[late]):
            m.d.sync += refr.eq(Mux(fires, p["refractory"], Mux(ready, 0, s["refr"] - 1)))
        if params.adaptation:
            raised, self._rises = Signal(bits), fires & self.adapt & self._at(program.rise)
            self._clips_rise = raised > top
            m.d.comb += raised.eq(self._theta + p["th_step"])
            with m.If(self._rises):
                m.d.sync += self._theta.eq(minimum(raised, top))
        self._write(m, v, {"refr": refr, "ie": self._e, "ii": self._i, "theta": self._theta})

    def _write(self, m: Module, v: Signal, fields: Mapping[str, Signal]):
        """Write the words of the new state."""
        program, state, layout = self._program, self._state, self._tables[1].layout
        # A register, because the way from the reset's word through the choice is long enough. A word of the
        # potential alone is not written if the potential stays; in others the old bits are written again.
        bits = len(v)
        alone = bits >= 16
        chosen = Signal(bits)
        with m.If(self._at(program.reset)):
            first = 16 if alone else 0
            old = Cat(self._s.bit("refr", k // 16, k % 16) for k in range(first, bits))
            m.d.sync += chosen.eq(Cat(v[:first], Mux(self._moves, v[first:], old)))
        record = Signal(16 * layout.words, name="new")
        for field in layout.fields.values():
            value = chosen if field.name == "v" else fields[field.name]
            m.d.comb += record[field.start : field.start + field.width].eq(value)
        # The next neuron has begun.
        neuron, was_used, moved = Signal.like(state.record), Signal(), Signal()
        with m.If(self._last):
            m.d.sync += [neuron.eq(self._neuron), was_used.eq(self._used), moved.eq(self._moves)]
        which, writes = Signal.like(state.write_word), Signal()
        for bit, word in zip(self._behind, program.state_writes, strict=True):
            if word is not None:
                with m.If(bit):
                    m.d.comb += [which.eq(word), writes.eq(moved if alone and word == 0 else 1)]
        # A potential that stays is not looked at.
        goes_on = Cat(
            b for b, word in zip(self._behind, program.state_writes, strict=True) if word is not None
        )
        self._leaves = was_used & goes_on.any() & (state.write.any() | ~writes)
        m.d.comb += [
            state.write_record.eq(neuron),
            state.write_word.eq(which),
            state.write.eq(choose([record[16 * n : 16 * n + 16] for n in range(layout.words)], which)),
            state.write_en.eq(was_used & writes),
        ]

    def _count(self, m: Module):
        """Report spikes and clips; shift the spikes into a word until it is full."""
        program = self._program
        clips = [
            self._adds & self._clips_current,
            self._at(program.currents + 2) & self._moves & self._clips_u,
            self._at(program.reset) & self._fires & self._subtract & self._clips_reduced,
        ]
        if self.params.adaptation:
            clips.append(self._rises & self._clips_rise)
        earlier, clipped = Signal(15), Signal()
        with m.If(self._last):
            m.d.sync += earlier.eq(self.word >> 1)
        # A register, because sums that clip come late. No clip is in a neuron's last clock.
        m.d.sync += clipped.eq(self._used & Cat(clips).any())
        m.d.comb += [
            self.saturations.eq(clipped),
            self.spikes.eq(self._last & self._fires),
            self.moves.eq(self._leaves | self.spikes),
            self.word.eq(Cat(earlier, self._fires)),
            self.word_en.eq(self._last & self._neuron[:4].all()),
            self.word_index.eq(self._neuron >> 4),
        ]
