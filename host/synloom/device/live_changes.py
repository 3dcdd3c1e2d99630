"""Changes between two steps: what rates, currents, parameters and rules become in the array."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from synloom.base.checks import FloatArray, IntArray, label_of, per_item, reals, whole
from synloom.base.errors import NetworkError, ParameterError
from synloom.base.wording import shown
from synloom.compiler.stimulus import RATE_BITS, rate_words, rates_of
from synloom.contract.array_port import Words
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom.device.changes import warn_of_change
from synloom.device.neuron_parameters import changed_parameters
from synloom.device.rule_parameters import changed_segments
from synloom.device.session import Session
from synloom.image.image import Image
from synloom.image.places import InputInfo, PopulationInfo

__all__ = [
    "bias_fields",
    "changes_of",
    "neuron_fields_of",
    "rate_words_of",
    "segments_of",
]

_Change = tuple[str, Callable[[], None]]
"""What changes, in words, and what makes the change."""


def rate_words_of(image: Image, info: InputInfo, hz: Any, bits: int) -> Words:
    """Return the words of GEN_RATE for rates in Hz, (n,) uint16; parameters and errors as in `set_rates`."""
    if info.generator is None:
        raise NetworkError(f"{info.label!r} has no generators; make it a PoissonInput or a RegularInput")
    rates, dt = per_item("hz", reals("hz", hz, low=0.0), info.n), image.dt
    words = rate_words(rates, info.generator, dt, whole("bits", bits, 1, RATE_BITS))
    # Who asks for fewer bits knows that; regular generators have all of them.
    exact = (
        words if bits == RATE_BITS or info.generator == "regular" else rate_words(rates, info.generator, dt)
    )
    nearest = rates_of(exact, dt)
    warn_of_change(
        f"rates of {info.label!r}", rates, nearest, "Hz", "a rate of 0 is silence; use a larger dt"
    )
    return words


def bias_fields(image: Image, info: PopulationInfo, current: Any) -> dict[str, IntArray]:
    """Return the fields of NEURON_PARAMS for constant currents in nA, a number or (n,).

    Raises
    ------
    ParameterError
        If a current is out of the range of the array.
    """
    wanted: FloatArray = per_item("current", reals("current", current), info.n)
    with np.errstate(over="ignore"):
        steps = np.rint((wanted - info.offset_zero) / info.offset_lsb)
    most = image.params.state_max
    bad = np.abs(steps) > most
    if bad.any():
        limit = most * info.offset_lsb[bad][0]
        raise ParameterError(
            f"currents of {info.label!r} must be in {-limit:.6g}..{limit:.6g} nA, not "
            f"{wanted[bad][0]:g} nA; use a smaller current, or compile with a larger v_range"
        )
    got = steps * info.offset_lsb + info.offset_zero
    hint = "use a larger current, or compile with a smaller v_range or for more state_bits"
    warn_of_change(f"currents of {info.label!r}", wanted, got, "nA", hint)
    return {"bias": steps.astype(np.int64)}


def neuron_fields_of(
    session: Session, info: PopulationInfo, parameters: Mapping[str, Any]
) -> dict[str, IntArray]:
    """Return the fields of NEURON_PARAMS that change; parameters and errors as in `set_neurons`."""
    image = session.image
    layout = memory_of(image.params, Region.NEURON_PARAMS).layout
    return changed_parameters(parameters, session.neuron_fields(info), info, layout, image.dt)


def segments_of(
    session: Session, projection: Any, parameters: Mapping[str, Any]
) -> tuple[IntArray, dict[str, IntArray]]:
    """Return the segments that change, and their fields; parameters and errors as in `set_rule`."""
    infos = [session.image.projection(each) for each in _several(projection)]
    if not infos:
        raise ParameterError("set_rule needs a projection, not an empty sequence")
    return changed_segments(parameters, session.segment_fields(), infos, session.image)


# ---- changes that wait: each is computed once for its errors and warnings --------------------------------


def changes_of(session: Session, rates: Any, offsets: Any, neurons: Any, rules: Any) -> list[_Change]:
    """Return the changes that are asked for; parameters and errors are those of `Device.schedule`."""
    return [
        *_rate_changes(session, rates),
        *_offset_changes(session, offsets),
        *_neuron_changes(session, neurons),
        *_rule_changes(session, rules),
    ]


def _rate_changes(session: Session, wanted: Any) -> list[_Change]:
    """Return the changes of rates in Hz by population; errors as in `set_rates`."""
    changes: list[_Change] = []
    for which, hz in _items("rates", wanted):
        info = session.image.input(which)
        words = rate_words_of(session.image, info, hz, RATE_BITS)
        changes.append((f"rates of {info.label!r}", partial(session.set_rates, info, words)))
    return changes


def _offset_changes(session: Session, wanted: Any) -> list[_Change]:
    """Return the changes of currents in nA by population; errors as in `set_offset`."""
    changes: list[_Change] = []
    for which, current in _items("offsets", wanted):
        info = session.image.population(which)
        fields = bias_fields(session.image, info, current)
        changes.append((f"currents of {info.label!r}", partial(session.write_neurons, info, fields)))
    return changes


def _neuron_changes(session: Session, wanted: Any) -> list[_Change]:
    """Return the changes of parameters by population; errors as in `set_neurons`."""
    changes: list[_Change] = []
    for which, parameters in _items("neurons", wanted):
        info = session.image.population(which)
        neuron_fields_of(session, info, _parameters("neurons", which, parameters))
        kept = {name: np.array(value, dtype=np.float64) for name, value in parameters.items()}
        changes.append((f"neurons of {info.label!r}", partial(_set_neurons, session, info, kept)))
    return changes


def _set_neurons(session: Session, info: PopulationInfo, parameters: Mapping[str, Any]) -> None:
    session.write_neurons(info, neuron_fields_of(session, info, parameters))


def _rule_changes(session: Session, wanted: Any) -> list[_Change]:
    """Return the changes of rules by projection, or by a tuple of them; errors as in `set_rule`."""
    changes: list[_Change] = []
    for which, parameters in _items("rules", wanted):
        segments_of(session, which, _parameters("rules", which, parameters))
        labels = [session.image.projection(each).label for each in _several(which)]
        kept = {name: float(value) for name, value in parameters.items()}
        what = "the rule of " + ", ".join(map(repr, labels))
        changes.append((what, partial(_set_rule, session, labels, kept)))
    return changes


def _set_rule(session: Session, labels: list[str], parameters: Mapping[str, float]) -> None:
    session.write_segments(*segments_of(session, labels, parameters))


def _several(projection: Any) -> Sequence[Any]:
    return projection if isinstance(projection, (list, tuple)) else [projection]


def _items(name: str, wanted: Any) -> Iterable[tuple[Any, Any]]:
    if wanted is None:
        return ()
    if not isinstance(wanted, Mapping) or not wanted:
        raise ParameterError(
            f"{name} must be a mapping from what changes to its new values, such as {_SUCH[name]}, not "
            f"{shown(wanted)}"
        )
    return wanted.items()


def _parameters(name: str, which: Any, parameters: Any) -> Mapping[str, Any]:
    if not isinstance(parameters, Mapping) or not all(isinstance(key, str) for key in parameters):
        raise ParameterError(
            f"{name} of {shown(label_of(which))} must be a mapping of parameters, such as {_SUCH[name]}, not "
            f"{shown(parameters)}"
        )
    return parameters


_SUCH: Final = {
    "rates": "{'in': 40.0}",
    "offsets": "{'cells': 0.5}",
    "neurons": "{'cells': {'v_thresh': -45.0}}",
    "rules": "{'w': {'A_plus': 0.01}}",
}
