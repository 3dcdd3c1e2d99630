"""Look-up tables become expressions of the same value."""

import random

import pytest

from synloom_boards.netlist.luts import LUTS, expression

COLUMNS = {"a": 0xAAAA, "b": 0xCCCC, "c": 0xF0F0, "d": 0xFF00}
"""What each input is for the 16 combinations of four."""


def value(text: str, inputs: str) -> int:
    """Evaluate an expression for all combinations at once; bit k is combination k."""
    ones = (1 << (1 << len(inputs))) - 1
    text = text.replace("1'b0", "0").replace("1'b1", "-1")
    return eval(text, {}, {name: COLUMNS[name] for name in inputs}) & ones


@pytest.mark.parametrize("inputs", ["a", "ab", "abc"])
def test_every_small_table_is_its_expression(inputs):
    size = 1 << len(inputs)
    for table in range(1 << size):
        assert value(expression(f"{table:0{size}b}", inputs), inputs) == table


def test_tables_of_four_inputs_are_their_expressions():
    rng = random.Random(4)
    for table in [0, 0xFFFF, 0x6996, 0x8000, *rng.sample(range(1 << 16), 4000)]:
        assert value(expression(f"{table:016b}", "abcd"), "abcd") == table


def test_constant_inputs_and_unknown_bits_vanish():
    assert expression("1000000000000000", ["a", "1'b1", "b", "1'b1"]) == "(a & b)"
    assert expression("1000000000000000", ["a", "1'b0", "b", "1'b1"]) == "1'b0"
    assert expression("1x", ["a"]) == "a"
    assert expression("10", ["1'bx"]) == "1'b0"


def test_short_functions_have_short_expressions():
    assert expression("0110100110010110", "abcd") == "(a ^ (b ^ (c ^ d)))"
    assert expression("01", "a") == "~a"


def test_each_family_has_tables():
    assert all(lut.table and lut.output and lut.inputs for luts in LUTS.values() for lut in luts.values())
