"""One neuron lane: the LIF update of docs/numbers.md, one neuron a clock."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract import ArrayParams
from synloom.contract.layout import Layout
from synloom.contract.memory_map import layout_of
from synloom.contract.regions import Region
from synloom_hdl.arithmetic import minimum, rounded_shift

__all__ = ["LIF_CLOCKS", "NeuronLane", "record_layout"]

LIF_CLOCKS = 10
"""Clocks from the inputs of a neuron to its outputs."""


def record_layout(layout: Layout) -> data.FlexibleLayout:
    """Return the shape of a memory record whose fields the contract has placed."""
    return data.FlexibleLayout(
        16 * layout.words,
        {
            f.name: data.Field(signed(f.width) if f.signed else unsigned(f.width), f.start)
            for f in layout.fields.values()
        },
    )


class NeuronLane(wiring.Component):
    """Leaky integrate-and-fire with exponential currents, refractoriness and adaptive threshold.

    Ten stages, one neuron a clock; every intermediate is wide enough and clipped once.

    Members
    -------
    valid : In(1)
        The neuron is in use; else it neither fires nor counts.
    parameters : In(neuron_params_layout), state : In(neuron_state_layout), sums : In({e, i})
        One neuron.
    adapt : In(1)
        Register MODE.adapt; constant during a sweep.
    next_state : Out(neuron_state_layout)
        `LIF_CLOCKS` later, like the following.
    fires : Out(1)
    saturations : Out(range(6))
    """

    def __init__(self, params: ArrayParams):
        self.params = params
        pair = data.StructLayout({"e": params.accumulator_bits, "i": params.accumulator_bits})
        state = record_layout(layout_of(params, Region.NEURON_STATE))
        super().__init__(
            {
                "valid": In(1),
                "parameters": In(record_layout(layout_of(params, Region.NEURON_PARAMS))),
                "state": In(state),
                "sums": In(pair),
                "adapt": In(1),
                "next_state": Out(state),
                "fires": Out(1),
                "saturations": Out(range(6)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params = self.params
        bits, top = params.state_bits, params.state_max
        adapts = params.adaptation

        def later(value: Value, clocks: int, name: str) -> Value:
            """Return a value some clocks later."""
            for k in range(clocks):
                register = Signal(Value.cast(value).shape(), name=f"{name}_{k + 1}")
                m.d.sync += register.eq(value)
                value = register
            return value

        # Clock 0: all of it comes from memories, which are slow.
        p, s, sums, valid = (
            Signal(member.shape(), name=f"{name}_0")
            for name, member in (
                ("parameters", self.parameters),
                ("state", self.state),
                ("sums", self.sums),
                ("valid", self.valid),
            )
        )
        m.d.sync += [p.eq(self.parameters), s.eq(self.state), sums.eq(self.sums), valid.eq(self.valid)]

        # Clock 1: gains. Clock 2: the currents, clipped.
        shifted = {}
        for side, gain in (("e", p.g_e), ("i", p.g_i)):
            shifted[side] = Signal(params.accumulator_bits + 15, name=f"shifted_{side}")
            m.d.sync += shifted[side].eq(sums[side] << gain)
        current, clip_current = {}, {}
        for side, old in (("e", s.ie), ("i", s.ii)):
            total = Signal(40, name=f"total_{side}")
            current[side] = Signal(bits - 1, name=f"current_{side}")
            clip_current[side] = Signal(name=f"clip_{side}")
            m.d.comb += total.eq(shifted[side] + later(old, 1, f"old_{side}"))
            m.d.sync += [current[side].eq(minimum(total, top)), clip_current[side].eq(total > top)]

        # Clocks 3 to 5: four decays side by side.
        negative = later(s.v < 0, 2, "negative")
        size = Signal(bits)
        m.d.sync += size.eq(Mux(s.v < 0, -s.v, s.v))
        v_left = self._decay(
            m, "v", later(size, 1, "size"), later(p.dm, 2, "dm"), later(p.exponent_m, 2, "exponent_m")
        )
        e_left = self._decay(m, "e", current["e"], later(p.de, 2, "de"), later(p.exponent_e, 2, "exponent_e"))
        i_left = self._decay(m, "i", current["i"], later(p.di, 2, "di"), later(p.exponent_i, 2, "exponent_i"))
        if adapts:
            coefficient = Mux(self.adapt, p.dth, 0)
            theta = self._decay(
                m,
                "theta",
                later(s.theta, 2, "theta"),
                later(coefficient, 2, "dth"),
                later(p.exponent_th, 2, "exponent_th"),
            )

        # Clock 6: the potential and what it is compared with, exact.
        u = Signal(signed(bits + 3))
        threshold = Signal(signed(bits + 1))
        signed_v = Mux(later(negative, 3, "negative_v"), -v_left, v_left)
        e5, i5 = later(current["e"], 3, "e"), later(current["i"], 3, "i")
        m.d.sync += u.eq(signed_v + e5 - i5 + later(p.bias, 5, "bias"))
        m.d.sync += threshold.eq(later(p.thr, 5, "thr") + (theta if adapts else 0))

        # Clock 7: clip. Clock 8: compare. Clock 9: choose.
        u_sat = Signal(signed(bits))
        clip_u = Signal()
        m.d.sync += [
            u_sat.eq(Mux(u > top, top, Mux(u < -top, -top, u))),
            clip_u.eq((u > top) | (u < -top)),
        ]
        refractory_left = later(s.refr, 7, "refr")
        ready = Signal()
        m.d.comb += ready.eq(refractory_left == 0)
        fires = Signal()
        reset = later(p.reset, 7, "reset")
        reduced = Signal(signed(bits + 1))
        m.d.sync += [
            fires.eq(ready & later(valid, 7, "valid") & (u_sat >= later(threshold, 1, "threshold"))),
            reduced.eq(u_sat - reset),
        ]
        subtract = later(p.subtract, 8, "subtract")
        ready8, refr8, u8 = (
            later(ready, 1, "ready"),
            later(refractory_left, 1, "refr8"),
            later(u_sat, 1, "u8"),
        )
        reduced_sat = Mux(reduced > top, top, Mux(reduced < -top, -top, reduced))
        clip_reduced = fires & subtract & ((reduced > top) | (reduced < -top))
        new = Signal.like(self.next_state)
        kept = later(s.v, 8, "v")
        after_spike = Mux(subtract, reduced_sat, later(reset, 1, "reset8"))
        m.d.comb += new.v.eq(Mux(ready8, Mux(fires, after_spike, u8), kept))
        m.d.comb += [
            new.refr.eq(Mux(fires, later(p.refractory, 8, "refractory"), Mux(ready8, 0, refr8 - 1))),
            new.ie.eq(later(e_left, 3, "e_left")),
            new.ii.eq(later(i_left, 3, "i_left")),
        ]
        clips = [
            later(clip_current["e"], 6, "clip_e"),
            later(clip_current["i"], 6, "clip_i"),
            later(clip_u, 1, "clip_u") & ready8,
            clip_reduced,
        ]
        if adapts:
            raised = Signal(bits)
            m.d.sync += raised.eq(later(theta, 2, "theta7") + later(p.th_step, 7, "th_step"))
            steps = fires & self.adapt
            m.d.comb += new.theta.eq(Mux(steps, minimum(raised, top), later(theta, 3, "theta8")))
            clips.append(steps & (raised > top))
        valid8 = later(valid, 8, "valid8")
        m.d.sync += [
            self.next_state.eq(new),
            self.fires.eq(fires),
            self.saturations.eq(Mux(valid8, sum(clips), 0)),
        ]
        return m

    def _decay(self, m: Module, name: str, size: Value, coefficient: Value, exponent: Value) -> Value:
        """Return ``decay`` of a magnitude, three clocks later (docs/numbers.md)."""
        width = len(size)
        product = Signal(width + 16, name=f"{name}_product")
        size1, size2 = Signal(width, name=f"{name}_size1"), Signal(width, name=f"{name}_size2")
        all_of_it, any_of_it, exponent1 = (
            Signal(width, name=f"{name}_{n}") for n, width in (("all", 1), ("any", 1), ("exponent", 2))
        )
        loss, left = Signal(width, name=f"{name}_loss"), Signal(width, name=f"{name}_left")
        quotient = Signal(width + 1, name=f"{name}_quotient")
        m.d.sync += [
            product.eq(size * coefficient),
            size1.eq(size),
            all_of_it.eq((coefficient == 0xFFFF) & (exponent == 0)),
            any_of_it.eq((coefficient != 0) & (size != 0)),
            exponent1.eq(exponent),
            size2.eq(size1),
            left.eq(size2 - loss),
        ]
        m.d.comb += quotient.eq(rounded_shift(product, exponent1))
        m.d.sync += loss.eq(Mux(all_of_it, size1, Mux((quotient == 0) & any_of_it, 1, quotient)))
        return left
