"""Quantities and numbers of experiment files: which infinities each takes."""

from math import inf

import pytest

from synloom import ParameterError
from synloom.base.errors import ExperimentError
from synloom.experiment.location import Location
from synloom.experiment.value_types import Number
from synloom.network.quantities import Dimension, Quantity


@pytest.mark.parametrize("infinite", [(), (inf,), (-inf,), (-inf, inf)])
def test_only_the_named_infinities_are_allowed(infinite):
    declared = Quantity(dimension=Dimension.POTENTIAL, doc="", infinite=infinite, example=1.0)
    number = Number(infinite=infinite)
    where = Location("file.toml", "key")
    for value in (-inf, inf):
        if value in infinite:
            assert declared.check("v", value) == value == number.check(value, where)
        else:
            with pytest.raises(ParameterError, match="v must be"):
                declared.check("v", value)
            with pytest.raises(ExperimentError, match="key must be a number"):
                number.check(value, where)


def test_a_number_tells_of_its_infinities():
    assert Number(infinite=(-inf,)).words == "number or -inf"
    assert Number(low=0.0, above=True, infinite=(inf,)).words == "number above 0 or inf"
