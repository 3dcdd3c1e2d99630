"""One lane: a synapse's update and a trace's decay, on one pair of multipliers."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract import ArrayParams
from synloom_hdl.arithmetic import rounded_shift
from synloom_hdl.core.timing import PassTiming

__all__ = ["DecayScale", "Lane"]


_FACTOR_BITS = 18
"""Width of a hardware multiplier's factor."""

DecayScale = data.StructLayout({"exponent": 2, "takes_all": 1, "is_nonzero": 1})
"""How a decay reads its coefficient: its unit, whether it takes all at once, whether it is not 0."""


class Lane(wiring.Component):
    """The general pair rule and the trace decay of docs/numbers.md, one a clock.

    The work has six stages, each of which may end in a register (`PassTiming.registers`): the distance of the
    trace from its offset; the product, of both paths; soft bounds and the amount of decay; rounding; the sum;
    its bounds. The rule is common to all lanes, so its fields are kept outside: each comes in the clock of
    the stage that uses it. In a decay `a` is the coefficient and `t0` must be 0. Whether the result is
    used is the caller's affair.

    Members
    -------
    trace : In(trace_bits), t0 : In(trace_bits), a_negative : In(1)
        Stage 0.
    weight : In(signed(weight_bits)), a : In(16), w_min : In(signed(8)), w_max : In(signed(8))
        Stage 1.
    soft : In(1), decay : In(DecayScale)
        Stage 2.
    noise : In(12)
        Stage 3: random bits of this position, or 2048 for rounding to nearest.
    lowest, highest : In(signed(8))
        Stage 5: w_min and w_max again.
    updated : Out(signed(weight_bits))
        After stage 5.
    clips : Out(1)
        The sum was outside the rule's bounds; with `updated`.
    decayed : Out(trace_bits)
        After stage 3.
    """

    def __init__(self, params: ArrayParams):
        self.params = params
        super().__init__(
            {
                "trace": In(params.trace_bits),
                "t0": In(params.trace_bits),
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
        params = self.params
        width, bits = params.weight_bits, params.trace_bits
        # What a stage assigns is a register's next value, or the value itself.
        stages = ["sync" if register else "comb" for register in PassTiming.of(params).registers]

        # Stage 0: the distance of the trace from its offset.
        diff = Signal(signed(bits + 1))
        size1 = Signal(bits)
        up1 = Signal()
        m.d.comb += diff.eq(self.trace - self.t0)
        m.d[stages[0]] += [
            size1.eq(Mux(diff < 0, -diff, diff)),
            up1.eq((diff >= 0) ^ self.a_negative),
        ]

        # Stage 1: the product of both paths; the room to the bound ahead.
        # Without a reset it is a register of the multiplier itself.
        # Where a second product follows, yosys 0.70 would give that register to both multipliers of an iCE40.
        chained = {"keep": True} if params.soft_bounds else {}
        product2 = Signal(bits + 16, reset_less=True, attrs=chained)
        room2 = Signal(8)
        room = Signal(signed(10))
        up2 = Signal()
        weight2 = Signal(signed(width))
        size2 = Signal(bits)
        m.d.comb += room.eq(Mux(up1, self.w_max - self.weight, self.weight - self.w_min))
        m.d[stages[1]] += [
            product2.eq(size1 * self.a),
            room2.eq(Mux(room < 0, 0, room)),
            up2.eq(up1),
            weight2.eq(self.weight),
            size2.eq(size1),
        ]

        # Stage 2: soft bounds; the amount of decay.
        step = product2[12:]
        step3 = Signal(len(step) + 1)
        if params.soft_bounds:
            # The bits beyond a multiplier's 18 are too few for a second one.
            scaled = step[:_FACTOR_BITS] * room2
            over = [Mux(step[n], room2 << n, 0) for n in range(_FACTOR_BITS, len(step))]
            m.d[stages[2]] += step3.eq(Mux(self.soft, sum(over, scaled) >> (width - 1), step))
        else:
            m.d[stages[2]] += step3.eq(step)
        quotient = Signal(bits + 1)
        loss3 = Signal(bits)
        kept3 = Signal(bits)
        m.d.comb += quotient.eq(rounded_shift(product2, self.decay.exponent))
        with m.If(self.decay.takes_all):
            m.d[stages[2]] += loss3.eq(size2)
        with m.Elif((quotient == 0) & self.decay.is_nonzero & (size2 != 0)):
            m.d[stages[2]] += loss3.eq(1)
        with m.Else():
            m.d[stages[2]] += loss3.eq(quotient)
        up3 = Signal()
        weight3 = Signal.like(weight2)
        m.d[stages[2]] += [kept3.eq(size2), up3.eq(up2), weight3.eq(weight2)]

        # Stage 3: rounding; what is left of the trace.
        # A change of 511 leaves any range of weights: more makes no difference.
        rounded_bits = len(step3) + 1 - 12
        delta_bits = min(9, rounded_bits)
        delta4 = Signal(delta_bits)
        up4 = Signal()
        weight4 = Signal.like(weight2)
        rounded = Signal(rounded_bits)
        m.d.comb += rounded.eq((step3 + self.noise) >> 12)
        m.d[stages[3]] += [
            up4.eq(up3),
            weight4.eq(weight3),
            delta4.eq(Mux(rounded[delta_bits:].any(), (1 << delta_bits) - 1, rounded)),
            self.decayed.eq(kept3 - loss3),
        ]

        # Stages 4 and 5: the sum, then its bounds.
        sum5 = Signal(signed(11))
        m.d[stages[4]] += sum5.eq(Mux(up4, weight4 + delta4, weight4 - delta4))
        with m.If(sum5 > self.highest):
            m.d[stages[5]] += [self.updated.eq(self.highest), self.clips.eq(1)]
        with m.Elif(sum5 < self.lowest):
            m.d[stages[5]] += [self.updated.eq(self.lowest), self.clips.eq(1)]
        with m.Else():
            m.d[stages[5]] += [self.updated.eq(sum5), self.clips.eq(0)]
        return m
