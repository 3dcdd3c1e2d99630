"""The dither of a step, from its number: docs/numbers.md, decay."""

from __future__ import annotations

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from synloom.contract import ArrayParams
from synloom.contract.dither import DITHER, DITHER_BITS
from synloom_hdl.core.timing import PassTiming
from synloom_hdl.pipeline import Pipeline

__all__ = ["Dither"]


class Dither(wiring.Component):
    """w(0) of docs/numbers.md: the low 32 bits of the product of `now` and a constant.

    Weyl's sequence as a function of the step's number, so that it is no state of its own. The sum of the
    products has a register, and the products too if the clock is quick.

    Parameters
    ----------
    params : ArrayParams

    Members
    -------
    now : In(32)
        Register NOW.
    word : Out(32)
        One or two clocks later.
    """

    def __init__(self, params: ArrayParams):
        self.params = params
        super().__init__({"now": In(32), "word": Out(DITHER_BITS)})

    def elaborate(self, platform):
        m = Module()
        low, high = DITHER & 0xFFFF, DITHER >> 16
        pipe = Pipeline(m, [PassTiming.of(self.params).quick, True])
        now = pipe.enter("now", self.now)
        products = [
            pipe.next("low", now[:16] * low, 32, reset_less=True),
            pipe.next("cross", now[:16] * high, 16, reset_less=True),
            pipe.next("high", now[16:] * low, 16, reset_less=True),
        ]
        word = products[0] + ((products[1] + products[2]) << 16)
        m.d.comb += self.word.eq(pipe.next("sum", word, DITHER_BITS))
        return m
