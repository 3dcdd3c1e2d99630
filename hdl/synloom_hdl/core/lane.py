"""One lane: the update of a synapse and the decay of a trace, on one pair of multipliers."""

from __future__ import annotations

from types import SimpleNamespace

from amaranth.hdl import Module, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract import ArrayParams
from synloom.contract.dither import DITHER_BITS
from synloom_hdl.arithmetic import decay_shift
from synloom_hdl.core.timing import PassTiming
from synloom_hdl.pipeline import Pipeline, Staged, mux

__all__ = ["LANE_INPUTS", "DecayScale", "Lane"]


_FACTOR_BITS = 18
"""Width of a hardware multiplier's factor."""

DecayScale = data.StructLayout({"exponent": 3, "takes_all": 1})
"""A decay's coefficient: its unit, and whether it is 1 (all is taken)."""

LANE_INPUTS = (
    ("trace", "t0", "a_negative"),
    ("weight", "a", "w_min", "w_max"),
    ("soft", "decay", "dither"),
    ("noise",),
    (),
    ("lowest", "highest"),
)
"""The inputs of a lane in each stage."""


class Lane(wiring.Component):
    """The general pair rule and the trace decay of docs/numbers.md, one a clock.

    Pair STDP by traces (Morrison, Diesmann and Gerstner 2008), rounded to nearest or stochastically (Gupta et
    al. 2015). There are six stages, each of which may end in a register (`PassTiming.registers`): the
    distance of the trace from its offset; the product, for learning or decay; soft bounds, and the loss of
    the decay; rounding; the sum; its bounds. All lanes share the rule, so its fields are kept outside; each
    comes in the stage that uses it (`LANE_INPUTS`). In a decay `a` is the coefficient and `t0` must be 0.
    Both results are computed every time, and the pass engine uses one or none.

    Members
    -------
    trace : In(trace_bits), t0 : In(trace_bits), a_negative : In(1)
        Stage 0.
    weight : In(signed(weight_bits)), a : In(16), w_min : In(signed(8)), w_max : In(signed(8))
        Stage 1.
    soft : In(1), decay : In(DecayScale), dither : In(32)
        Stage 2; the dither is that of the decay, and 0 for learning.
    noise : In(12)
        Stage 3: random bits of this position, or 2048 to round to nearest.
    lowest, highest : In(signed(8))
        Stage 5: w_min and w_max again.
    updated : Out(signed(weight_bits))
        After stage 5.
    clips : Out(1)
        With `updated`: the sum was outside the rule's bounds.
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
                "dither": In(DITHER_BITS),
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
        pipe = Pipeline(m, PassTiming.of(self.params).registers)
        self._in = SimpleNamespace(
            **{
                name: pipe.enter(name, getattr(self, name), stage)
                for stage, names in enumerate(LANE_INPUTS)
                for name in names
            }
        )
        size, up = self._distance(pipe)
        product = self._product(pipe, size)
        rounded = pipe.wire("rounded_product", product + self._in.dither)
        # Without a dither both are the same. Where there is time, the product has one reader, the sum, which
        # is then part of the multiplier.
        change = rounded if self.params.single_port else product
        step = self._bound(pipe, change[: len(product)], up)
        delta = self._round(pipe, step)
        self._sum(m, pipe, delta, up)
        self._decay(m, pipe, rounded, size)
        return m

    def _distance(self, pipe: Pipeline) -> tuple[Staged, Staged]:
        """Stage 0: return how far the trace is from its offset, and whether the weight goes up."""
        bits = self.params.trace_bits
        diff = pipe.wire("diff", self._in.trace - self._in.t0, signed(bits + 1))
        size = pipe.next("size", mux(diff < 0, -diff, diff), bits)
        return size, pipe.next("up", (diff >= 0) ^ self._in.a_negative)

    def _product(self, pipe: Pipeline, size: Staged) -> Staged:
        """Stage 1: return the amplitude times the distance, or the coefficient times the trace."""
        # A register without a reset is part of the multiplier. If a second product follows, it must be kept:
        # yosys 0.70 would make it part of both multipliers of an iCE40.
        chained = {"keep": True} if self.params.soft_bounds else {}
        return pipe.next("product", size * self._in.a, reset_less=True, attrs=chained)

    def _bound(self, pipe: Pipeline, product: Staged, up: Staged) -> Staged:
        """Stages 1 and 2: return the change of the weight, which soft bounds scale."""
        weight = self._in.weight
        to_bound = mux(up, self._in.w_max - weight, weight - self._in.w_min)
        to_bound = pipe.wire("to_bound", to_bound, signed(10))
        room = pipe.next("room", mux(to_bound < 0, 0, to_bound), 8)
        # In 2**-12 of a weight's unit.
        step = product[self.params.trace_bits - 4 :]
        if not self.params.soft_bounds:
            return pipe.next("step", step, len(step) + 1)
        # A multiplier takes 18 bits; the few others are added up.
        over = [mux(step[n], room << n, 0) for n in range(_FACTOR_BITS, len(step))]
        scaled = sum(over, step[:_FACTOR_BITS] * room) >> (self.params.weight_bits - 1)
        return pipe.next("step", mux(self._in.soft, scaled, step), len(step) + 1)

    def _round(self, pipe: Pipeline, step: Staged) -> Staged:
        """Stage 3: return the change of the weight, rounded."""
        bits = len(step) + 1 - 12
        # A change of 511 exceeds any range of weights, so that larger ones need not be told apart.
        delta_bits = min(9, bits)
        rounded = pipe.wire("rounded", (step + self._in.noise) >> 12, bits)
        most = (1 << delta_bits) - 1
        return pipe.next("delta", mux(rounded[delta_bits:].any(), most, rounded), delta_bits)

    def _sum(self, m: Module, pipe: Pipeline, delta: Staged, up: Staged):
        """Stages 4 and 5: change the weight, within its bounds."""
        up, weight = up.at(4), self._in.weight.at(4)
        lowest, highest = self._in.lowest, self._in.highest
        total = pipe.next("total", mux(up, weight + delta, weight - delta), signed(11))
        above, below = total > highest, total < lowest
        updated = mux(above, highest, mux(below, lowest, total))
        m.d.comb += [
            self.updated.eq(pipe.next("bounded", updated, self.updated.shape())),
            self.clips.eq(pipe.next("clipped", above | below)),
        ]

    def _decay(self, m: Module, pipe: Pipeline, rounded: Staged, size: Staged):
        """Stages 2 and 3: take the loss from the trace."""
        bits, scale = self.params.trace_bits, self._in.decay
        if PassTiming.of(self.params).holds_traces:
            size = pipe.steady(size.value)
        quotient = decay_shift(rounded, scale.exponent, bits)
        loss = pipe.next("loss", mux(scale.takes_all, size.at(2), quotient), bits)
        m.d.comb += self.decayed.eq(pipe.next("left", size.at(3) - loss, bits))
