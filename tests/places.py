"""Where things lie in the memories of any array: distances do not depend on its parameters."""

from synloom.contract import ArrayParams
from synloom.contract.memory_map import memory_map
from synloom.contract.regions import Region
from synloom.contract.registers import COUNTERS

_MAP = memory_map(ArrayParams())
COUNTER_WORDS = _MAP[Region.COUNTERS].offset(1)


def fields_of(region):
    """Return the layout of a memory's records, of the default array."""
    return _MAP[region].layout


def record_offset(region, index, field=None):
    """Return the offset of a record, or of one of its fields."""
    return _MAP[region].offset(index, field=field)


def weight_offset(source, target):
    return _MAP[Region.WEIGHTS].offset(source, target)


def wheel_offset(slot, word):
    return _MAP[Region.WHEEL].offset(slot, word)


def counter_offset(name):
    return _MAP[Region.COUNTERS].offset(list(COUNTERS).index(name))
