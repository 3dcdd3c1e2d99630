"""One lane: a synapse's update and a trace's decay, on one pair of multipliers."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from synloom.contract import ArrayParams
from synloom_hdl.arithmetic import rounded_shift
from synloom_hdl.core.rule import Rule

__all__ = ["DECAY_CLOCKS", "UPDATE_CLOCKS", "Lane"]

UPDATE_CLOCKS = 6
"""Clocks from `trace` to `updated` and `clips`."""

DECAY_CLOCKS = 4
"""Clocks from `trace` to `decayed`."""


class Lane(wiring.Component):
    """The general pair rule and the trace decay of docs/numbers.md, one a clock.

    Clock 0 takes `trace` and `rule`, clock 1 `weight`, clock 3 `noise`; `decayed` is valid in clock
    `DECAY_CLOCKS` and `updated` in clock `UPDATE_CLOCKS`. In a decay `rule.a` is the coefficient and
    `rule.t0` must be 0. Whether the result is used is the caller's affair.

    Members
    -------
    trace : In(trace_bits)
    rule : In(Rule)
    weight : In(signed(weight_bits))
    noise : In(12)
        Random bits of this position, or 2048 for rounding to nearest.
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
                "rule": In(Rule),
                "weight": In(signed(params.weight_bits)),
                "noise": In(12),
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
        rule1 = Signal.like(self.rule)
        m.d.comb += diff.eq(self.trace - self.rule.t0)
        m.d.sync += [
            size1.eq(Mux(diff < 0, -diff, diff)),
            up1.eq((diff >= 0) ^ self.rule.a_negative),
            rule1.eq(self.rule),
        ]

        # Clock 1: the product of both paths; the room to the bound ahead.
        product2 = Signal(32)
        room2 = Signal(8)
        room = Signal(signed(10))
        up2 = Signal()
        weight2 = Signal(signed(width))
        rule2 = Signal.like(self.rule)
        size2 = Signal(16)
        m.d.comb += room.eq(Mux(up1, rule1.w_max - self.weight, self.weight - rule1.w_min))
        m.d.sync += [
            product2.eq(size1 * rule1.a),
            room2.eq(Mux(room < 0, 0, room)),
            up2.eq(up1),
            weight2.eq(self.weight),
            rule2.eq(rule1),
            size2.eq(size1),
        ]

        # Clock 2: soft bounds; the amount of decay.
        step = product2[12:]
        step3 = Signal(21)
        if self.params.soft_bounds:
            m.d.sync += step3.eq(Mux(rule2.soft, (step * room2) >> (width - 1), step))
        else:
            m.d.sync += step3.eq(step)
        quotient = Signal(17)
        loss3 = Signal(bits)
        kept3 = Signal(bits)
        m.d.comb += quotient.eq(rounded_shift(product2, rule2.fine))
        with m.If((rule2.a == 0xFFFF) & (rule2.fine == 0)):
            m.d.sync += loss3.eq(size2)
        with m.Elif((quotient == 0) & (rule2.a != 0) & (size2 != 0)):
            m.d.sync += loss3.eq(1)
        with m.Else():
            m.d.sync += loss3.eq(quotient)
        m.d.sync += kept3.eq(size2)

        # Clock 3: rounding; what is left of the trace.
        delta4 = Signal(9)
        up3, up4 = Signal(), Signal()
        weight3, weight4 = Signal.like(weight2), Signal.like(weight2)
        low3, high3 = Signal(signed(width)), Signal(signed(width))
        low4, high4 = Signal(signed(width)), Signal(signed(width))
        low5, high5 = Signal(signed(width)), Signal(signed(width))
        rounded = Signal(10)
        m.d.comb += rounded.eq((step3 + self.noise) >> 12)
        m.d.sync += [
            up3.eq(up2),
            up4.eq(up3),
            weight3.eq(weight2),
            weight4.eq(weight3),
            low3.eq(rule2.w_min),
            high3.eq(rule2.w_max),
            low4.eq(low3),
            high4.eq(high3),
            low5.eq(low4),
            high5.eq(high4),
            # A change of 511 leaves any range of weights: more makes no difference.
            delta4.eq(Mux(rounded[9], 511, rounded)),
            self.decayed.eq(kept3 - loss3),
        ]

        # Clocks 4 and 5: the sum, then its bounds.
        sum5 = Signal(signed(11))
        m.d.sync += sum5.eq(Mux(up4, weight4 + delta4, weight4 - delta4))
        with m.If(sum5 > high5):
            m.d.sync += [self.updated.eq(high5), self.clips.eq(1)]
        with m.Elif(sum5 < low5):
            m.d.sync += [self.updated.eq(low5), self.clips.eq(1)]
        with m.Else():
            m.d.sync += [self.updated.eq(sum5), self.clips.eq(0)]
        return m
