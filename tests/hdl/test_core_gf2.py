from random import Random

import pytest
from amaranth.hdl import Module, Signal
from core_benches import simulate
from naive_array import later, number

from synloom_hdl.gf2 import STATE_BITS, BitSequence

CORNERS = [1, 1 << 63, (1 << 64) - 1, 0x0123456789ABCDEF]


@pytest.mark.parametrize(
    ("numbers", "bits"), [(1, 12), (2, 12), (8, 12), (16, 12), (1, 30), (2, 30), (4, 30)]
)
def test_a_bit_sequence_holds_numbers_and_what_follows_them(numbers, bits):
    m, rng = Module(), Random(8)
    state, after, used = Signal(STATE_BITS), Signal(STATE_BITS), numbers * bits
    sequence = BitSequence(m, state, used + STATE_BITS)
    found = [Signal(bits, name=f"number{n}") for n in range(numbers)]
    m.d.comb += [each.eq(sequence.window(bits * n, bits)) for n, each in enumerate(found)]
    m.d.comb += after.eq(sequence.window(used))

    async def main(ctx):
        for value in [*CORNERS, *(rng.getrandbits(64) for _ in range(20))]:
            ctx.set(state, value)
            await ctx.delay(1e-9)
            assert [ctx.get(each) for each in found] == [number(value, n, bits) for n in range(numbers)]
            assert ctx.get(after) == later(value, used)

    simulate(m, main)
