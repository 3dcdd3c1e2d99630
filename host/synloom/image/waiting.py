"""Changes that wait for their step on the host, and how a snapshot's file holds them."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray
from synloom.base.errors import NetworkError, ParameterError
from synloom.base.wording import one_line, shown
from synloom.image.places import LIVE_PARAMETERS, ProjectionInfo

if TYPE_CHECKING:
    from synloom.image.image import Image

__all__ = ["MOST_CHANGES", "MOST_NUMBERS", "Change", "changes_from", "check_room", "packed_changes"]

MOST_CHANGES: Final = 131_072
"""Most changes that a snapshot's file holds."""
MOST_NUMBERS: Final = 8_388_608
"""Most numbers of all of them, 64 MiB."""
_MOST_FORMS: Final = 4_096
_MOST_STEPS: Final = 1 << 33
"""More than the largest step and the longest time from it."""
_ANY: Final[FloatArray] = np.zeros(0)

Part = tuple[str, FloatArray]
"""The name of what changes, and its new values."""


class Change(NamedTuple):
    """A change that waits.

    Parameters
    ----------
    step : int
        It is made before this step.
    kind : str
        ``rates``, ``offsets``, ``neurons`` or ``rules``.
    labels : tuple of str
        The population, or the projections of a rule.
    parts : sequence of (str, (K,) float64)
        What changes, and its new values. Of rates these are ``words`` of GEN_RATE, of offsets the field
        ``bias``, one for each channel or neuron. Of neurons they are parameters in SI units, one for all or
        one for each; of rules parameters, one each.
    """

    step: int
    kind: str
    labels: tuple[str, ...]
    parts: tuple[Part, ...]

    @property
    def what(self) -> str:
        """What changes, in words."""
        names = ", ".join(map(repr, self.labels))
        return f"{_WORDS[self.kind]} of {names}"


_WORDS: Final = {"rates": "rates", "offsets": "currents", "neurons": "neurons", "rules": "the rule"}


def packed_changes(changes: Sequence[Change]) -> tuple[list[Any], dict[str, npt.NDArray[Any]]]:
    """Return what a file has of changes: a list of plain values, and arrays.

    Most changes differ from others by nothing but their step and their numbers, so the list has each *form*
    once: its kind, its labels, and the name and count of each part. ``changes``, (C, 2) int64, has step and
    form of each change, ``change_values`` all numbers one after the other.

    """
    forms: dict[Any, int] = {}
    rows = []
    for change in changes:
        form = change.kind, change.labels, tuple((name, len(values)) for name, values in change.parts)
        rows.append((change.step, forms.setdefault(form, len(forms))))
    table = [[kind, list(labels), [list(part) for part in parts]] for kind, labels, parts in forms]
    numbers: FloatArray = np.concatenate([_ANY, *(values for each in changes for _, values in each.parts)])
    arrays = {"changes": np.array(rows, dtype=np.int64).reshape(-1, 2), "change_values": numbers}
    return table, arrays


def check_room(table: list[Any], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Check that a file can hold these changes, as `packed_changes` has returned them.

    Raises
    ------
    ParameterError
        If there are more than 131,072 changes, 8,388,608 numbers or 4,096 forms.
    """
    for what, count, most in (
        ("changes", len(arrays["changes"]), MOST_CHANGES),
        ("numbers of changes", len(arrays["change_values"]), MOST_NUMBERS),
        ("kinds of changes", len(table), _MOST_FORMS),
    ):
        if count > most:
            raise ParameterError(
                f"a snapshot's file holds at most {most:,} {what} that wait, not {count:,}; schedule them in "
                f"parts"
            )


def changes_from(
    image: Image, now: int, table: Any, arrays: Mapping[str, npt.NDArray[Any]]
) -> tuple[Change, ...]:
    """Return the changes that wait at step `now`, checked: all that their forms say is what the image has.

    Whether new parameters of neurons and rules fit to those that are there then is seen when they are made.

    Raises
    ------
    ParameterError
        If they are none, or the image cannot have them.
    """
    if not isinstance(table, list) or len(table) > _MOST_FORMS:
        raise ParameterError(f"changes must be a list of at most {_MOST_FORMS} forms")
    forms = [_Form(image, form) for form in table]
    steps, numbers = arrays["changes"].T
    values = np.array(arrays["change_values"], dtype=np.float64)
    if len(steps) and (steps.min() < now or steps.max() > _MOST_STEPS or (np.diff(steps) < 0).any()):
        raise ParameterError(f"changes must have steps of {now}..{_MOST_STEPS}, sorted")
    if len(steps) and not 0 <= numbers.min() <= numbers.max() < len(forms):
        raise ParameterError(f"changes must be of the {len(forms)} forms that are there")
    counts = np.array([form.count for form in forms], dtype=np.int64)
    if counts[numbers].sum() != len(values):
        raise ParameterError(f"changes must have {counts[numbers].sum()} numbers, not {len(values)}")
    changes, at = [], 0
    for step, number in zip(steps.tolist(), numbers.tolist(), strict=True):
        form = forms[number]
        changes.append(form.change(step, values[at : at + form.count]))
        at += form.count
    return tuple(changes)


class _Form:
    """What changes of one form have in common.

    Parameters
    ----------
    image : Image
        The image.
    form : object
        Plain values of any origin.

    Raises
    ------
    ParameterError
        If they are no form that a change of this image has.
    """

    def __init__(self, image: Image, form: Any):
        if not isinstance(form, list) or len(form) != 3 or not _among(form[0], _WORDS):
            raise ParameterError(f"a change must be a kind, labels and parts, not {shown(form)}")
        self._kind, labels, parts = form
        if not isinstance(labels, list) or not labels or not all(isinstance(each, str) for each in labels):
            raise ParameterError(f"a change must have a list of labels, not {shown(labels)}")
        if self._kind != "rules" and len(labels) > 1:
            raise ParameterError(f"a change of {_WORDS[self._kind]} must have one label, not {len(labels)}")
        if not isinstance(parts, list) or not parts:
            raise ParameterError(f"a change must have a list of parts, not {shown(parts)}")
        self._labels = tuple(labels)
        self._low, self._high = {
            "rates": (0.0, 65535.0),
            "offsets": (-image.params.state_max, image.params.state_max),
        }.get(self._kind, (-np.inf, np.inf))
        try:
            counts = self._counts(image)
        except NetworkError as error:
            raise ParameterError(f"a change does not fit the image: {one_line(str(error), 200)}") from error
        self._parts: list[tuple[str, int]] = []
        for part in parts:
            if not isinstance(part, list) or len(part) != 2 or not _among(part[0], counts):
                names = ", ".join(counts) or "nothing"
                raise ParameterError(f"a change of {self._what} can be of {names}, not {shown(part)}")
            name, count = part
            if type(count) is not int or count not in counts[name]:
                raise ParameterError(f"a change of {self._what} must have {max(counts[name])} of {name}")
            self._parts.append((name, count))
        if len({name for name, _ in self._parts}) < len(self._parts):
            raise ParameterError(f"a change of {self._what} has a part twice")
        self.count = sum(count for _, count in self._parts)

    @property
    def _what(self) -> str:
        return one_line(Change(0, self._kind, self._labels, ()).what, 200)

    def _counts(self, image: Image) -> dict[str, set[int]]:
        """Return how many values each part can have, by its name."""
        label = self._labels[0]
        if self._kind == "rates":
            info = image.input(label)
            if info.generator is None:
                raise NetworkError(f"{label!r} has no generators")
            return {"words": {info.n}}
        if self._kind == "rules":
            names = set.intersection(*(_rule_names(image.projection(each)) for each in self._labels))
            return {name: {1} for name in sorted(names)}
        n = image.population(label).n
        return {"bias": {n}} if self._kind == "offsets" else {name: {1, n} for name in LIVE_PARAMETERS}

    def change(self, step: int, values: FloatArray) -> Change:
        """Return the change at a step; `ParameterError` if it cannot have these numbers."""
        if not ((values >= self._low) & (values <= self._high)).all():
            raise ParameterError(
                f"a change of {self._what} must have numbers of {self._low:g}..{self._high:g}"
            )
        if np.isfinite(self._high) and (values % 1.0).any():
            raise ParameterError(f"a change of {self._what} must have whole numbers")
        parts, at = [], 0
        for name, count in self._parts:
            parts.append((name, values[at : at + count]))
            at += count
        return Change(step, self._kind, self._labels, tuple(parts))


def _among(name: Any, names: Container[str]) -> bool:
    return isinstance(name, str) and name in names


def _rule_names(info: ProjectionInfo) -> set[str]:
    """Return the names of what can change of a projection's rule."""
    if info.rule is None:
        return set()
    halves = [half for half in (info.rule.rows, info.rule.columns) if half is not None]
    return {name for half in halves for name in (half.amplitude, half.offset) if name is not None}
