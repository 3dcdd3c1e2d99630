"""The dither of a step, from its number: docs/numbers.md, decay."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from synloom.contract import ArrayParams
from synloom.contract.dither import DITHER, DITHER_BITS
from synloom_hdl.core.timing import PassTiming

__all__ = ["Dither"]


class Dither(wiring.Component):
    """w(0) of docs/numbers.md: the low 32 bits of the product of `now` and a constant.

    Weyl's sequence as a function of the step's number, so that it is no state of its own. The sum of the
    products has a register, and the products too if the clock is quick. Else one product has a register,
    which is part of the multiplier and serves as the low half of the sum, too.

    Parameters
    ----------
    params : ArrayParams

    Members
    -------
    now : In(32)
        Register NOW.
    word : Out(32)
        Valid from the second clock behind a change of `now` on.
    """

    def __init__(self, params: ArrayParams):
        self.params = params
        super().__init__({"now": In(32), "word": Out(DITHER_BITS)})

    def elaborate(self, platform):
        m = Module()
        low, high = DITHER & 0xFFFF, DITHER >> 16
        whole, upper = Signal(32, reset_less=True, name="whole"), Signal(16, name="upper")
        lower = Signal(16, name="lower")
        cross, rest = (Signal(16, reset_less=True, name=name) for name in ("cross", "rest"))
        m.d.sync += whole.eq(self.now[:16] * low)
        domain = m.d.sync if PassTiming.of(self.params).quick else m.d.comb
        domain += [cross.eq(self.now[:16] * high), rest.eq(self.now[16:] * low), lower.eq(whole[:16])]
        m.d.sync += upper.eq(whole[16:] + cross + rest)
        m.d.comb += self.word.eq(Cat(lower, upper))
        return m
