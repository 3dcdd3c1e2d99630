"""Families count the cells of their parts."""

import pytest

from synloom_boards.fpga.families import FAMILIES, count_cells
from synloom_boards.toolchain.tools import TOOLS


def test_cells_count_as_what_they_take():
    numbers = {"LUT4": 100, "CCU2C": 7, "TRELLIS_DPR16X4": 2, "PFUMX": 9, "TRELLIS_FF": 31, "DP16KD": 4}
    assert count_cells(FAMILIES["ecp5"], numbers) == {
        "LUT4": 100 + 2 * 7 + 4 * 2,
        "flip-flops": 31,
        "DP16KD": 4,
        "MULT18X18D": 0,
    }


def test_patterns_gather_the_variants_of_a_cell():
    numbers = {"SB_DFF": 1, "SB_DFFESR": 2, "SB_DFFSS": 4, "SB_LUT4": 8, "SB_CARRY": 16, "SB_RAM40_4K": 3}
    counted = count_cells(FAMILIES["ice40"], numbers)
    assert (counted["flip-flops"], counted["LUT4"], counted["RAM40"]) == (7, 8, 3)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_has_a_placer_and_synthesises_top(name):
    family = FAMILIES[name]
    assert family.name == name
    assert f"nextpnr-{family.placer}" in TOOLS
    assert "-top top" in family.synthesis
