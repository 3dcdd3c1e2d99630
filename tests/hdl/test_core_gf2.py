from random import Random

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from core_benches import simulate
from naive_array import field_word, xorshift32

from synloom_hdl import gf2

FIELD = (1 << 31) - 1
CORNERS = [0, 1, 1 << 30, FIELD, 1 << 31, 0xFFFFFFFF, 0x7FFFFFFE]


class Numbers(wiring.Component):
    """One state, and all that is made of it."""

    def __init__(self, powers):
        self.powers = powers
        super().__init__({"state": In(32), "key": Out(31), "successor": Out(32)})
        self.products = {n: Signal(31, name=f"power{n}") for n in powers}
        self.low = {n: Signal(12, name=f"low{n}") for n in powers}

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.key.eq(gf2.field_key(self.state)),
            self.successor.eq(gf2.xorshift32(self.state)),
            *[self.products[n].eq(gf2.times_power(self.key, n)) for n in self.powers],
            *[self.low[n].eq(gf2.times_power(self.key, n, 12)) for n in self.powers],
        ]
        return m


def check(powers, look):
    rng = Random(5)
    dut = Numbers(powers)

    async def main(ctx):
        for state in CORNERS + [rng.getrandbits(32) for _ in range(100)]:
            ctx.set(dut.state, state)
            look(ctx, dut, state)

    simulate(dut, main)


@pytest.mark.parametrize("powers", [range(16), (30, 31, 32, 62), [12 * n for n in range(3, 17)], (60, 240)])
def test_multiplies_by_powers_of_x_as_polynomials_do(powers):
    def look(ctx, dut, state):
        for n in powers:
            assert ctx.get(dut.products[n]) == field_word(state, n, 31)
            assert ctx.get(dut.low[n]) == field_word(state, n, 12)

    check(powers, look)


def test_a_key_is_the_states_low_bits_and_never_zero():
    def look(ctx, dut, state):
        assert ctx.get(dut.key) == (state & FIELD or 1)

    check((), look)


def test_advances_as_marsaglias_generator():
    # The published sequence of xorshift32 from 2463534242.
    assert xorshift32(2463534242) == 723471715

    def look(ctx, dut, state):
        assert ctx.get(dut.successor) == xorshift32(state)

    check((), look)


def test_a_step_of_all_lanes_is_the_product_of_the_lanes_steps():
    for lanes in (1, 2, 4, 8, 16):
        key = 0x2545F491
        for _ in range(lanes):
            key = field_word(key, 12, 31)
        assert key == field_word(0x2545F491, 12 * lanes, 31)
        masks = gf2.power_map(12 * lanes)
        assert key == sum(((0x2545F491 & mask).bit_count() & 1) << k for k, mask in enumerate(masks))


@pytest.mark.parametrize("lanes", [1, 2, 16])
def test_bit_sequence_holds_the_numbers_of_all_lanes(lanes):
    m = Module()
    key = Signal(31)
    sequence = gf2.BitSequence(m, key, 12 * (lanes - 1))
    numbers = [Signal(12, name=f"number{n}") for n in range(lanes)]
    m.d.comb += [number.eq(sequence.number(12 * n, 12)) for n, number in enumerate(numbers)]
    rng = Random(8)

    async def main(ctx):
        for state in [1, 1 << 30, FIELD, *(rng.randrange(1, FIELD) for _ in range(30))]:
            ctx.set(key, state)
            await ctx.tick()
            assert [ctx.get(number) for number in numbers] == [
                field_word(state, 12 * n, 12) for n in range(lanes)
            ]

    simulate(m, main)
