"""One lane: a synapse's update and a trace's decay, on one pair of multipliers."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract import ArrayParams
from synloom_hdl.arithmetic import rounded_shift

__all__ = ["DECAY_CLOCKS", "UPDATE_CLOCKS", "DecayScale", "Lane"]

UPDATE_CLOCKS = 6
"""Clocks from `trace` to `updated` and `clips`."""

DECAY_CLOCKS = 4
"""Clocks from `trace` to `decayed`."""


DecayScale = data.StructLayout({"fine": 2, "everything": 1, "anything": 1})
"""How a decay reads its coefficient: its unit, whether it takes everything, whether it is not 0."""


class Lane(wiring.Component):
    """The general pair rule and the trace decay of docs/numbers.md, one a clock.

    Clock 0 takes `trace`, clock 1 `weight`, clock 3 `noise`; `decayed` is valid in clock `DECAY_CLOCKS` and
    `updated` in clock `UPDATE_CLOCKS`. The rule is common to all lanes, so its fields are kept outside: each
    comes in the clock in which it is used. In a decay `a` is the coefficient and `t0` must be 0. Whether
    the result is used is the caller's affair.

    Members
    -------
    trace : In(trace_bits), t0 : In(16), a_negative : In(1)
        Clock 0.
    weight : In(signed(weight_bits)), a : In(16), w_min : In(signed(8)), w_max : In(signed(8))
        Clock 1.
    soft : In(1), decay : In(DecayScale)
        Clock 2.
    noise : In(12)
        Clock 3: random bits of this position, or 2048 for rounding to nearest.
    lowest, highest : In(signed(8))
        Clock 5: w_min and w_max again.
    updated : Out(signed(weight_bits))
    clips : Out(1)
        The sum was outside the rule's bounds.
    decayed : Out(trace_bits)
    """

    def __init__(self, params: ArrayParams):
        self.params = params
        super().__init__(
            {
                "trace": In(params.trace_bits),
                "t0": In(16),
                "a_negative": In(1),
                "weight": In(signed(params.weight_bits)),
                "a": In(16),
                "w_min": In(signed(8)),
                "w_max": In(signed(8)),
                "soft": In(1),
                "decay": In(DecayScale),
                "noise": In(12),
                "lowest": In(signed(8)),
                "highest": In(signed(8)),
                "updated": Out(signed(params.weight_bits)),
                "clips": Out(1),
                "decayed": Out(params.trace_bits),
            }
        )

    def elaborate(self, platform):
        m = Module()
        width = self.params.weight_bits
        bits = self.params.trace_bits

        # Clock 0: the distance of the trace from its offset.
        diff = Signal(signed(18))
        size1 = Signal(16)
        up1 = Signal()
        m.d.comb += diff.eq(self.trace - self.t0)
        m.d.sync += [
            size1.eq(Mux(diff < 0, -diff, diff)),
            up1.eq((diff >= 0) ^ self.a_negative),
        ]

        # Clock 1: the product of both paths; the room to the bound ahead.
        product2 = Signal(32)
        room2 = Signal(8)
        room = Signal(signed(10))
        up2 = Signal()
        weight2 = Signal(signed(width))
        size2 = Signal(16)
        m.d.comb += room.eq(Mux(up1, self.w_max - self.weight, self.weight - self.w_min))
        m.d.sync += [
            product2.eq(size1 * self.a),
            room2.eq(Mux(room < 0, 0, room)),
            up2.eq(up1),
            weight2.eq(self.weight),
            size2.eq(size1),
        ]

        # Clock 2: soft bounds; the amount of decay.
        step = product2[12:]
        step3 = Signal(21)
        if self.params.soft_bounds:
            m.d.sync += step3.eq(Mux(self.soft, (step * room2) >> (width - 1), step))
        else:
            m.d.sync += step3.eq(step)
        quotient = Signal(17)
        loss3 = Signal(bits)
        kept3 = Signal(bits)
        m.d.comb += quotient.eq(rounded_shift(product2, self.decay.fine))
        with m.If(self.decay.everything):
            m.d.sync += loss3.eq(size2)
        with m.Elif((quotient == 0) & self.decay.anything & (size2 != 0)):
            m.d.sync += loss3.eq(1)
        with m.Else():
            m.d.sync += loss3.eq(quotient)
        m.d.sync += kept3.eq(size2)

        # Clock 3: rounding; what is left of the trace.
        delta4 = Signal(9)
        up3, up4 = Signal(), Signal()
        weight3, weight4 = Signal.like(weight2), Signal.like(weight2)
        rounded = Signal(10)
        m.d.comb += rounded.eq((step3 + self.noise) >> 12)
        m.d.sync += [
            up3.eq(up2),
            up4.eq(up3),
            weight3.eq(weight2),
            weight4.eq(weight3),
            # A change of 511 leaves any range of weights: more makes no difference.
            delta4.eq(Mux(rounded[9], 511, rounded)),
            self.decayed.eq(kept3 - loss3),
        ]

        # Clocks 4 and 5: the sum, then its bounds.
        sum5 = Signal(signed(11))
        m.d.sync += sum5.eq(Mux(up4, weight4 + delta4, weight4 - delta4))
        with m.If(sum5 > self.highest):
            m.d.sync += [self.updated.eq(self.highest), self.clips.eq(1)]
        with m.Elif(sum5 < self.lowest):
            m.d.sync += [self.updated.eq(self.lowest), self.clips.eq(1)]
        with m.Else():
            m.d.sync += [self.updated.eq(sum5), self.clips.eq(0)]
        return m
