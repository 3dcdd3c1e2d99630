"""Neurons that share one multiplier: the same update in a fraction of the logic."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, enum

from synloom.contract.dither import DITHER_BITS, INDEX
from synloom.contract.memory_map import layout_of
from synloom.contract.regions import Region
from synloom_hdl.arithmetic import decay_dither, decay_shift, minimum, saturated
from synloom_hdl.core.neuron_lane import record_layout
from synloom_hdl.core.neuron_sweep import Neurons
from synloom_hdl.core.timing import PassTiming

__all__ = ["SerialNeurons"]


class _Step(enum.Enum, shape=3):
    """A step of a neuron's update, two or three clocks: a product first, then its result."""

    EXCITATION = 0
    INHIBITION = 1
    POTENTIAL = 2
    EXCITATION_DECAY = 3
    INHIBITION_DECAY = 4
    THRESHOLD_DECAY = 5
    """Only with adaptation."""
    FINISH = 6
    """The potential is compared, then the new state is written."""
    FETCH = 7
    """The next neuron is read; one clock only."""


class SerialNeurons(Neurons):
    """The sweep of `Neurons`, one neuron at a time, `ArrayParams.serial_clocks` clocks each.

    Gains and decays take turns at one multiplier; a gain is a product with a power of two. Meanwhile the
    neuron's parameters and state stay at the outputs of their memories.
    """

    def elaborate(self, platform):
        m = Module()
        self._parameters, self._state = self._stores(m)
        self._p = data.View(record_layout(layout_of(self.params, Region.NEURON_PARAMS)), self._parameters.row)
        self._s = data.View(record_layout(layout_of(self.params, Region.NEURON_STATE)), self._state.row)
        self._step, self._second = Signal(_Step, init=_Step.FETCH), Signal(init=1)
        self._middle = Signal()
        self._active, self._used = Signal(), Signal()
        self._sequence(m)
        self._multiply(m)
        self._update(m)
        self._decide(m)
        return m

    def _at(self, step: _Step, second: int):
        """Return whether this is the last clock of a step (1), or an earlier one (0)."""
        return self._active & (self._step == step) & (self._second == second)

    def _sequence(self, m: Module):
        """Go through the steps of each neuron, and through the neurons up to a whole bitmap word."""
        params, step, second, active = self.params, self._step, self._second, self._active
        self._neuron = neuron = Signal(range(16 * params.neuron_words + 1))
        fetches = Signal()
        m.d.comb += [
            self._used.eq(neuron < self.sweep_count[: len(neuron)]),
            fetches.eq(self._at(_Step.FETCH, 1) & (self._used | neuron[:4].any())),
            self.busy.eq(self.start | active),
            self._parameters.read_row.eq(neuron),
            self._parameters.read_en.eq(fetches),
            self._state.read_row.eq(neuron),
            self._state.read_en.eq(fetches),
            self.sweep_en.eq(fetches | self._at(_Step.EXCITATION, 1)),
            self.sweep_group.eq(Cat(step == _Step.EXCITATION, neuron)),
            self.forced_en.eq(fetches),
            self.forced_index.eq(neuron >> 4),
        ]
        after = Signal(_Step)
        m.d.comb += after.eq(step.as_value() + 1)
        if not params.adaptation:
            with m.If(step == _Step.INHIBITION_DECAY):
                m.d.comb += after.eq(_Step.FINISH)
        with m.If(self.start):
            m.d.sync += [active.eq(self.sweep_count != 0), neuron.eq(0)]
        with m.Elif(self._at(_Step.FETCH, 1) & ~fetches):
            m.d.sync += active.eq(0)
        with m.Elif(active):
            decays = Signal()
            with m.Switch(step):
                with m.Case(
                    _Step.POTENTIAL, _Step.EXCITATION_DECAY, _Step.INHIBITION_DECAY, _Step.THRESHOLD_DECAY
                ):
                    m.d.comb += decays.eq(1)
            # The loss of a decay has a clock for itself. Fetching is a single clock, the last one of its
            # step.
            with m.If(decays & ~second & ~self._middle):
                m.d.sync += self._middle.eq(1)
            with m.Else():
                m.d.sync += [self._middle.eq(0), second.eq(~second | (step == _Step.FINISH))]
            with m.If(second):
                m.d.sync += step.eq(after)
            with m.If(self._at(_Step.FINISH, 1)):
                m.d.sync += neuron.eq(neuron + 1)

    def _multiply(self, m: Module):
        """Multiply, and turn the product into a current after its gain or a magnitude after its decay."""
        params, p, s, step = self.params, self._p, self._s, self._step
        bits, top = params.state_bits, params.state_max
        self._e, self._i = e, i = Signal(bits - 1), Signal(bits - 1)
        v_size = Mux(s.v < 0, -s.v, s.v)[:bits]
        theta = s.theta if params.adaptation else Const(0, 1)
        inhibitory = (step == _Step.INHIBITION) | (step == _Step.INHIBITION_DECAY)

        # The factors: a magnitude, and a coefficient or a power of two.
        size = Signal(max(bits, params.accumulator_bits))
        coefficient, exponent = Signal(16), Signal(3)
        gain = Mux(inhibitory, p.g_i, p.g_e)
        with m.Switch(step):
            with m.Case(_Step.EXCITATION, _Step.INHIBITION):
                m.d.comb += [size.eq(self.sums[0]), coefficient.eq(Const(1, 16) << gain)]
            with m.Case(_Step.POTENTIAL):
                m.d.comb += [size.eq(v_size), coefficient.eq(p.dm), exponent.eq(p.exponent_m)]
            with m.Case(_Step.EXCITATION_DECAY):
                m.d.comb += [size.eq(e), coefficient.eq(p.de), exponent.eq(p.exponent_e)]
            with m.Case(_Step.INHIBITION_DECAY):
                m.d.comb += [size.eq(i), coefficient.eq(p.di), exponent.eq(p.exponent_i)]
            if params.adaptation:
                with m.Case(_Step.THRESHOLD_DECAY):
                    m.d.comb += [
                        size.eq(theta),
                        coefficient.eq(Mux(self.adapt, p.dth, 0)),
                        exponent.eq(p.exponent_th),
                    ]
        # A register without a reset is part of the multiplier, and the sum of its product too. A gain has no
        # dither.
        product = Signal(len(size) + 16, reset_less=True)
        dither = self._dither(m)
        gains = (step == _Step.EXCITATION) | (step == _Step.INHIBITION)
        rounded = Signal(max(len(product), DITHER_BITS) + 1)
        m.d.sync += product.eq(size * coefficient)
        m.d.comb += rounded.eq(product + Mux(gains, 0, decay_dither(dither, exponent)))

        # A gain adds to the old current, clipped.
        old, total = Signal(bits - 1), Signal(bits)
        self._current, self._clips_current = current, clips = Signal(bits - 1), Signal()
        m.d.comb += [
            old.eq(Mux(inhibitory, s.ii, s.ie)),
            total.eq(rounded[: bits - 1] + old),
            clips.eq(total[-1] | rounded[bits - 1 :].any()),
            current.eq(Mux(clips, top, total)),
        ]

        # A decay takes its loss from the magnitude (docs/numbers.md).
        loss = Signal(bits)
        self._left = left = Signal(bits)
        m.d.comb += left.eq(size - loss)
        m.d.sync += loss.eq(decay_shift(rounded, exponent, bits))
        with m.If((coefficient == 0xFFFF) & (exponent == 0)):
            m.d.sync += loss.eq(size)

    def _dither(self, m: Module) -> Signal:
        """Return the dither of the neuron; it is not used before the neuron's fourth clock."""
        place, dither = Signal(DITHER_BITS, reset_less=True), Signal(DITHER_BITS)
        domain = m.d.sync if PassTiming.of(self.params).quick else m.d.comb
        domain += place.eq(self._neuron * INDEX)
        m.d.sync += dither.eq(self.dither + place)
        return dither

    def _update(self, m: Module):
        """Keep the results of the steps."""
        params, p, s, e, i = self.params, self._p, self._s, self._e, self._i
        bits = params.state_bits
        self._theta = theta = Signal(bits - 1, name="theta")
        # The potential is exact, in three sums, and clipped in the clock after the last one.
        drive, rest, u = Signal(signed(bits)), Signal(signed(bits + 2)), Signal(signed(bits + 3))
        self._u_sat, self._clips_u = Signal(signed(bits), name="u_sat"), Signal(name="clips_u")
        with m.If(self._at(_Step.EXCITATION, 1)):
            m.d.sync += e.eq(self._current)
        with m.If(self._at(_Step.INHIBITION, 1)):
            m.d.sync += i.eq(self._current)
        with m.If(self._at(_Step.POTENTIAL, 0)):
            m.d.sync += drive.eq(e - i)
        with m.If(self._at(_Step.POTENTIAL, 1)):
            m.d.sync += rest.eq(Mux(s.v < 0, p.bias - self._left, p.bias + self._left))
        with m.If(self._at(_Step.EXCITATION_DECAY, 0)):
            m.d.sync += u.eq(rest + drive)
        with m.If(self._at(_Step.EXCITATION_DECAY, 1)):
            m.d.sync += [e.eq(self._left), Cat(self._u_sat, self._clips_u).eq(Cat(*saturated(u, bits)))]
        with m.If(self._at(_Step.INHIBITION_DECAY, 1)):
            m.d.sync += i.eq(self._left)
        if params.adaptation:
            with m.If(self._at(_Step.THRESHOLD_DECAY, 1)):
                m.d.sync += theta.eq(self._left)

    def _decide(self, m: Module):
        """Compare, choose the new state, and write it."""
        params, p, s, theta, u_sat = self.params, self._p, self._s, self._theta, self._u_sat
        bits, top = params.state_bits, params.state_max
        ready, moves, fires, forced = Signal(), Signal(), Signal(), Signal()
        self._fires = fires
        threshold = p.thr + theta if params.adaptation else p.thr
        m.d.comb += [ready.eq(s.refr == 0), moves.eq(ready | p.integrate | forced)]
        if params.teaching:
            m.d.comb += [
                forced.eq(self.forced.bit_select(self._neuron[:4], 1)),
                self.forced_done.eq(self._at(_Step.FINISH, 1) & self._neuron[:4].all()),
            ]
        with m.If(self._at(_Step.FINISH, 0)):
            m.d.sync += fires.eq(self._used & (forced | (ready & (u_sat >= threshold))))

        reduced = Signal(signed(bits + 1))
        reduced_sat, clips_reduced = saturated(reduced, bits)
        new = data.View(s.shape(), Signal(s.shape().size, name="new"))
        m.d.comb += [
            reduced.eq(u_sat - p.reset),
            new.v.eq(Mux(moves, Mux(fires, Mux(p.subtract, reduced_sat, p.reset), u_sat), s.v)),
            new.refr.eq(Mux(fires, p.refractory, Mux(ready, 0, s.refr - 1))),
            new.ie.eq(self._e),
            new.ii.eq(self._i),
        ]
        clips = [self._clips_u & moves, fires & p.subtract & clips_reduced]
        if params.adaptation:
            raised = theta + p.th_step
            rises = fires & self.adapt
            m.d.comb += new.theta.eq(Mux(rises, minimum(raised, top), theta))
            clips.append(rises & (raised > top))
        self._write(m, new, clips)

    def _write(self, m: Module, new: data.View, clips: list):
        """Write the new state; report spikes and clips."""
        writes = self._at(_Step.FINISH, 1)
        adds = self._at(_Step.EXCITATION, 1) | self._at(_Step.INHIBITION, 1)
        m.d.comb += [
            self._state.write_row.eq(self._neuron),
            self._state.write_en.eq((writes & self._used).replicate(len(self._state.write_en))),
            self._state.write.eq(new.as_value()),
            self.spikes.eq(writes & self._fires),
        ]
        with m.If(self._used & writes):
            m.d.comb += self.saturations.eq(sum(clips))
        with m.Elif(self._used & adds):
            m.d.comb += self.saturations.eq(self._clips_current)

        # The spikes are shifted into a word until it is full.
        earlier = Signal(15)
        with m.If(writes):
            m.d.sync += earlier.eq(self.word >> 1)
        m.d.comb += [
            self.word.eq(Cat(earlier, self._fires)),
            self.word_en.eq(writes & self._neuron[:4].all()),
            self.word_index.eq(self._neuron >> 4),
        ]
