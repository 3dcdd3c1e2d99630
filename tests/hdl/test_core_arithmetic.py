from random import Random

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from core_benches import simulate

from synloom_hdl.arithmetic import minimum, popcount, rounded_shift


class Function(wiring.Component):
    """A combinational function of some inputs."""

    def __init__(self, function, *widths):
        self.function = function
        super().__init__({f"i{n}": In(width) for n, width in enumerate(widths)} | {"o": Out(40)})
        self.i = [getattr(self, f"i{n}") for n in range(len(widths))]

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.eq(self.function(*self.i))
        return m


def check(dut, cases, expected):
    async def main(ctx):
        for values in cases:
            for signal, value in zip(dut.i, values, strict=True):
                ctx.set(signal, value)
            assert ctx.get(dut.o) == expected(*values), values

    simulate(dut, main)


@pytest.mark.parametrize("width", [1, 2, 3, 5, 8, 16])
def test_population_counts_the_ones(width):
    rng = Random(width)
    cases = [(0,), ((1 << width) - 1,)] + [(rng.getrandbits(width),) for _ in range(60)]
    check(Function(popcount, width), cases, int.bit_count)


def test_population_of_nothing_is_zero():
    check(Function(lambda bits: popcount(bits[:0]), 1), [(0,), (1,)], lambda bits: 0)


@pytest.mark.parametrize("top", [0, 1, 7, 254, 255])
def test_minimum_is_the_smaller_one(top):
    cases = [(value,) for value in range(256)]
    check(Function(lambda value: minimum(value, top), 8), cases, lambda value: min(value, top))


def test_a_rounded_shift_rounds_halves_up():
    rng = Random(1)
    products = [0, (1 << 40) - 1] + [rng.getrandbits(40) for _ in range(50)]
    for s in (16, 20, 24, 28):
        products += [k << s - 1 for k in (1, 2, 3)] + [(k << s - 1) - 1 for k in (1, 2, 3)]
    cases = [(product, exponent) for product in products for exponent in range(4)]

    def expected(product, exponent):
        s = 16 + 4 * exponent
        return product + (1 << s - 1) >> s

    check(Function(rounded_shift, 40, 2), cases, expected)


def test_a_rounded_shift_keeps_the_carry():
    check(Function(rounded_shift, 32, 2), [((1 << 32) - 1, 0)], lambda product, exponent: 1 << 16)
