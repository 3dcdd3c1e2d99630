"""Our cell models do what the memories and products do that synthesis made them from."""

from collections import Counter
from functools import cache

import pytest
from cell_tops import CLOCKS, SETTLED, TOPS, Ram, expected

from synloom.contract import ArrayParams
from synloom_boards.netlist import NetlistDesign, connect

FAMILIES = tuple(TOPS)


def design(family: str) -> NetlistDesign:
    return NetlistDesign(ArrayParams(), pins=False, top=f"cell_tops:{TOPS[family].__name__}", family=family)


@cache
def mismatches(family: str) -> Counter:
    """Return how often each unit of a family's netlist showed something else than it should."""
    transport = connect(design(family))
    try:
        transport.write(b"G")
        sent = b""
        while len(sent) < CLOCKS and (more := transport.read(1.0)):
            sent += more
    finally:
        transport.close()
    assert len(sent) == CLOCKS
    units = TOPS[family].units
    pairs = zip(sent, expected(units), strict=True)
    return Counter(k % len(units) for k, (got, want) in enumerate(pairs) if k >= SETTLED and got != want)


@pytest.mark.parametrize("family", FAMILIES)
def test_memories_and_products_are_those_of_the_gateware(family):
    units = TOPS[family].units
    wrong = {units[n]: count for n, count in mismatches(family).items()}
    assert not {unit: count for unit, count in wrong.items() if not getattr(unit, "careless", False)}


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_can_rely_on_reading_what_is_written_in_the_same_clock(family):
    (careless,) = [n for n, unit in enumerate(TOPS[family].units) if isinstance(unit, Ram) and unit.careless]
    assert mismatches(family)[careless] > 0
