"""Changes between two steps: what rates, currents, parameters and rules become in the array."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from synloom.base.checks import FloatArray, IntArray, label_of, per_item, reals, whole
from synloom.base.errors import CapacityError, NetworkError, ParameterError
from synloom.base.warning import SynloomWarning
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
from synloom.image.waiting import Change

__all__ = [
    "bias_fields",
    "changes_of",
    "make_changes",
    "neuron_fields_of",
    "rate_words_of",
    "segments_of",
]


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


def changes_of(session: Session, rates: Any, offsets: Any, neurons: Any, rules: Any) -> list[Change]:
    """Return the changes that are asked for, at step 0; parameters and errors are those of `schedule`."""
    return [
        *_rate_changes(session, rates),
        *_offset_changes(session, offsets),
        *_neuron_changes(session, neurons),
        *_rule_changes(session, rules),
    ]


def _rate_changes(session: Session, wanted: Any) -> Iterator[Change]:
    """Yield the changes of rates in Hz by population; errors as in `set_rates`."""
    for which, hz in _items("rates", wanted):
        info = session.image.input(which)
        with _named("rates", info.label):
            words = rate_words_of(session.image, info, hz, RATE_BITS)
        yield Change(0, "rates", (info.label,), (("words", words.astype(np.float64)),))


def _offset_changes(session: Session, wanted: Any) -> Iterator[Change]:
    """Yield the changes of currents in nA by population; errors as in `set_offset`."""
    for which, current in _items("offsets", wanted):
        info = session.image.population(which)
        with _named("offsets", info.label):
            bias = bias_fields(session.image, info, current)["bias"]
        yield Change(0, "offsets", (info.label,), (("bias", bias.astype(np.float64)),))


def _neuron_changes(session: Session, wanted: Any) -> Iterator[Change]:
    """Yield the changes of parameters by population; errors as in `set_neurons`."""
    for which, parameters in _items("neurons", wanted):
        info = session.image.population(which)
        with _named("neurons", info.label):
            neuron_fields_of(session, info, _parameters("neurons", which, parameters))
        parts = ((name, np.array(value, dtype=np.float64).reshape(-1)) for name, value in parameters.items())
        yield Change(0, "neurons", (info.label,), tuple(parts))


def _rule_changes(session: Session, wanted: Any) -> Iterator[Change]:
    """Yield the changes of rules by projection, or by a tuple of them; errors as in `set_rule`."""
    for which, parameters in _items("rules", wanted):
        labels = tuple(session.image.projection(each).label for each in _several(which))
        with _named("rules", *labels):
            segments_of(session, which, _parameters("rules", which, parameters))
        parts = ((name, np.array([value], dtype=np.float64)) for name, value in parameters.items())
        yield Change(0, "rules", labels, tuple(parts))


def make_changes(session: Session) -> bool:
    """Make the changes that are due at the next step; return whether there were some.

    Their warnings were shown when they were asked for.

    Raises
    ------
    ParameterError
        If one does not fit to what was set in between; it is dropped.
    """
    before = session.changes
    while session.changes and (change := session.changes[0]).step <= session.now:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SynloomWarning)
                _make(session, change)
        except (ParameterError, NetworkError, CapacityError) as error:
            session.changes = session.changes[1:]
            raise ParameterError(
                f"the change of {change.what} that was scheduled for {change.step * session.image.dt:g} ms "
                f"cannot be made, and is dropped: {error}"
            ) from error
        # One that an exception cuts short is made again.
        session.changes = session.changes[1:]
    return session.changes is not before


def _make(session: Session, change: Change) -> None:
    image, parts = session.image, dict(change.parts)
    if change.kind == "rules":
        numbers = {name: float(value[0]) for name, value in change.parts}
        session.write_segments(*segments_of(session, change.labels, numbers))
        return
    (label,) = change.labels
    if change.kind == "rates":
        session.set_rates(image.input(label), parts["words"].astype(np.uint16))
    elif change.kind == "offsets":
        session.write_neurons(image.population(label), {"bias": parts["bias"].astype(np.int64)})
    else:
        info = image.population(label)
        # One number is for all neurons.
        wanted = {name: value if len(value) == info.n else float(value[0]) for name, value in change.parts}
        session.write_neurons(info, neuron_fields_of(session, info, wanted))


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


@contextmanager
def _named(name: str, *labels: str) -> Iterator[None]:
    """Let an error say for which population or projections a value is: one call gives several."""
    try:
        yield
    except ParameterError as error:
        said = str(error)
        if not labels or any(repr(label) in said for label in labels):
            raise
        raise ParameterError(f"{name} of {', '.join(map(repr, labels))}: {said}") from None


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
