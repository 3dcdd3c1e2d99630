"""The sequence of random numbers, bit by bit and by tables."""

import numpy as np
import pytest
from naive_array import later, number

from synloom_sim.model.random_numbers import Jump, Numbers, advance

STATES = [1, 1 << 63, (1 << 64) - 1, 0x0123456789ABCDEF, 0x9E3779B97F4A7C15]
VECTOR = 0x0123456789ABCDEF
"""The state of the published numbers."""


def times(a, b):
    """The product of two polynomials modulo x**64 + x**31 + x**25 + x**12 + 1."""
    product = 0
    while b:
        product ^= a * (b & 1)
        b >>= 1
        a <<= 1
        if a >> 64:
            a ^= 1 << 64 | 1 << 31 | 1 << 25 | 1 << 12 | 1
    return product


def power(exponent):
    """x to a power."""
    result, base = 1, 2
    while exponent:
        if exponent & 1:
            result = times(result, base)
        base = times(base, base)
        exponent >>= 1
    return result


def test_the_polynomial_is_primitive():
    order, factors = 2**64 - 1, (3, 5, 17, 257, 641, 65537, 6700417)
    assert np.prod(np.array(factors, dtype=object)) == order
    assert power(order) == 1
    assert all(power(order // factor) != 1 for factor in factors)


def test_the_numbers_of_the_published_state():
    assert [number(VECTOR, p, 30) for p in range(4)] == [0x09ABCDEF, 0x048D159E, 0x0376E580, 0x1EA9F8D3]
    assert [number(VECTOR, p, 12) for p in range(4)] == [0xDEF, 0xABC, 0x789, 0x456]
    assert number(VECTOR, 2047, 30) == 0x304D6E72
    assert number(VECTOR, 2047, 12) == 0x11E
    assert later(VECTOR, 4 * 480) == 0x87070E7814103A34


@pytest.mark.parametrize("bits", [0, 1, 32, 33, 34, 192, 480, 1000])
def test_a_jump_is_so_many_bits_of_the_sequence(bits):
    assert [Jump(bits)(state) for state in STATES] == [later(state, bits) for state in STATES]
    advanced = advance(np.array(STATES, dtype=np.uint64), bits)
    assert advanced.tolist() == [later(state, bits) for state in STATES]


@pytest.mark.parametrize("bits", [12, 30])
def test_numbers_are_words_of_the_sequence(bits):
    numbers = Numbers(bits).at(STATES, 3, 21)
    assert numbers.tolist() == [[number(state, p, bits) for p in range(3, 21)] for state in STATES]


def test_numbers_are_the_same_however_the_table_grew():
    grown, at_once = Numbers(12), Numbers(12)
    for stop in (1, 16, 17, 100):
        grown.at([5], 0, stop)
    assert (grown.at([99], 0, 300) == at_once.at([99], 0, 300)).all()
