from random import Random

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from core_benches import simulate

from synloom_hdl.arithmetic import decay_dither, decay_shift, minimum, popcount


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


@pytest.mark.parametrize("top", [0, 1, 2, 7, 64, 128, 254, 255])
def test_minimum_is_the_smaller_one(top):
    cases = [(value,) for value in range(256)]
    check(Function(lambda value: minimum(value, top), 8), cases, lambda value: min(value, top))


def shift_of(exponent):
    return 16 + 4 * min(exponent, 4)


def test_the_dither_of_a_decay_has_the_bits_below_its_unit():
    rng = Random(1)
    cases = [(rng.getrandbits(32), exponent) for _ in range(50) for exponent in range(8)]
    check(Function(decay_dither, 32, 3), cases, lambda word, exponent: word % 2 ** shift_of(exponent))


def test_the_loss_of_a_decay_is_what_is_above_its_unit():
    rng = Random(2)
    cases = [(rng.getrandbits(41), exponent) for _ in range(50) for exponent in range(8)]
    function = Function(lambda total, exponent: decay_shift(total, exponent, 24), 41, 3)
    check(function, cases, lambda total, exponent: (total >> shift_of(exponent)) % 2**24)
