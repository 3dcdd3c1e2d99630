"""Settings: values of an experiment that are given outside its file, by key."""

from __future__ import annotations

import copy
import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final

from synloom.base.errors import ExperimentError
from synloom.experiment.document import Experiment, checked_experiment
from synloom.experiment.location import Location, meant
from synloom.experiment.value_types import Number

__all__ = ["parse_values", "setting_text", "with_settings"]

_PART: Final = re.compile(r"([A-Za-z0-9_-]+)((?:\[\d{1,9}\])*)")
_WORD: Final = re.compile(r"[A-Za-z][\w./-]*")
_OPTIONAL: Final = ("array", "record")
"""Tables that a file may leave out."""


def with_settings(experiment: Experiment, settings: Mapping[str, Any]) -> Experiment:
    """Return the experiment with other values for some keys; length and seed stay unless they are among them.

    Parameters
    ----------
    experiment : Experiment
        The experiment.
    settings : mapping of str to object
        TOML values by key, such as ``{"populations.cortex.tau_m": 10.0, "changes[0].at": 50.0}``. A table
        that is like another one takes the other's settings, too.

    Raises
    ------
    ExperimentError
        If a table of a key is not in the file, or a key or a value is wrong.
    """
    values = tomllib.loads(experiment.text)
    merged = {**experiment.settings, **settings}
    for key, value in merged.items():
        if key != "run.duration":
            _put(values, key, copy.deepcopy(value), experiment.where)
    made = checked_experiment(experiment.path, experiment.text, values, merged)
    # As with the option --duration, changes after the end of a shorter run do not happen.
    place = experiment.where.key("run").key("duration")
    given = settings.get("run.duration", experiment.duration)
    return made.changed(
        duration=Number(low=0.0, above=True).check(given, place),
        seed=None if "run.seed" in settings else experiment.seed,
    )


def _put(values: dict[str, Any], key: str, value: Any, where: Location) -> None:
    *tables, last = _steps(key, where)
    node: Any = values
    for depth, step in enumerate(tables):
        if depth == 0 and step in _OPTIONAL:
            values.setdefault(step, {})
        node = _entered(values, node, step, where)
        where = where.item(step) if isinstance(step, int) else where.key(step)
    if isinstance(node, dict):
        if isinstance(last, str):
            node[last] = value
            return
    elif isinstance(node, list) and isinstance(last, int) and last < len(node):
        node[last] = value
        return
    raise where.error(f"has no {key.rpartition('.')[2]!r} to set; it is {_described(node)}")


def _entered(values: dict[str, Any], node: Any, step: str | int, where: Location) -> Any:
    """Return a table or list inside another one."""
    if isinstance(step, int):
        if not isinstance(node, list) or step >= len(node):
            raise where.error(f"has no entry {step}; it is {_described(node)}")
        return node[step]
    if not isinstance(node, dict):
        raise where.error(f"has no key {step!r}; it is {_described(node)}")
    if step not in node:
        inherited = _inherited(values, node, step, where)
        if inherited is None:
            tables = [name for name, value in node.items() if isinstance(value, (dict, list))]
            raise where.key(step).error(f"is not in the file, so it has no keys to set{meant(step, tables)}")
        node[step] = copy.deepcopy(inherited)
    return node[step]


def _inherited(values: dict[str, Any], node: dict[str, Any], step: str, where: Location) -> Any:
    """Return what a table has of the one that it is like; None if it has nothing."""
    siblings = values.get(where.path.partition(".")[0])
    like = node.get("like")
    while isinstance(siblings, dict) and isinstance(like, str) and isinstance(siblings.get(like), dict):
        if step in siblings[like]:
            return siblings[like][step]
        like = siblings[like].get("like")
    return None


def _steps(key: str, where: Location) -> list[str | int]:
    steps: list[str | int] = []
    for part in key.split("."):
        found = _PART.fullmatch(part)
        if found is None:
            raise ExperimentError(
                f"{where.file}: {key!r} is no key; give tables and key, such as populations.cortex.tau_m or "
                f"changes[0].at"
            )
        steps += [found[1], *(int(index) for index in re.findall(r"\d+", found[2]))]
    return steps


def _described(node: Any) -> str:
    if isinstance(node, dict):
        return f"a table with {', '.join(node) or 'no keys'}"
    return f"a list of {len(node)}" if isinstance(node, list) else repr(node)


def parse_values(text: str) -> list[Any]:
    """Return the values of a list as a user writes it: TOML values or bare words, between commas.

    Raises
    ------
    ExperimentError
        If it is empty or no such list.
    """
    try:
        values: list[Any] = tomllib.loads(f"values = [{text}]")["values"]
    except tomllib.TOMLDecodeError:
        values = [_value(part.strip(), text) for part in text.split(",")]
    if not values:
        raise ExperimentError("there are no values; give some between commas, such as tau_m=10,20,30")
    return values


def _value(part: str, text: str) -> Any:
    try:
        return tomllib.loads(f"value = {part}")["value"]
    except tomllib.TOMLDecodeError:
        if _WORD.fullmatch(part):
            return part
    raise ExperimentError(
        f"{part!r} in {text!r} is no value; give numbers, true or false, words, lists [1, 2] or tables "
        f"{{ uniform = [0.0, 1.0] }} between commas"
    )


def setting_text(value: Any) -> str:
    """Return a value as one short line, for tables and labels."""
    if isinstance(value, (str, float)):
        return str(value)
    return json.dumps(value, default=str)
