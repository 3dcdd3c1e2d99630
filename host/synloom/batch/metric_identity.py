"""What names a metric: a result of other code, or of other values that the code holds, is not its own."""

from __future__ import annotations

import functools
import hashlib
import inspect
import pickle
from collections.abc import Callable
from typing import Any

__all__ = ["metric_identity"]


def metric_identity(metric: Callable[..., Any] | None) -> str:
    """Return what names a metric: its code, and all values that it holds.

    These are the arguments of a `functools.partial`, defaults, variables of an enclosing function, and the
    attributes of an object. Functions that it calls, and variables of its module, are not part of it.
    """
    if metric is None:
        return ""
    if isinstance(metric, functools.partial):
        held = [metric.args, sorted(metric.keywords.items())]
        return f"{metric_identity(metric.func)}({_digest(held)})"
    if inspect.ismethod(metric):
        owner = metric.__self__
        kind = owner if isinstance(owner, type) else type(owner)
        return f"{_named(metric)}:{_digest([_code(kind), *_attributes(owner)])}"
    held = [*_held(metric), *_attributes(metric)]
    return _named(metric) + (f":{_digest(held)}" if held else "")


def _named(metric: Any) -> str:
    kind = metric if hasattr(metric, "__qualname__") else type(metric)
    name = f"{getattr(metric, '__module__', '')}:{kind.__qualname__}"
    return f"{name}:{hashlib.sha256(_code(kind).encode()).hexdigest()}"


def _code(kind: Any) -> str:
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        return ""


def _held(function: Any) -> list[Any]:
    """Return the values that a function holds besides its code."""
    cells = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
    defaults = (getattr(function, "__defaults__", None), getattr(function, "__kwdefaults__", None))
    return [each for each in (*defaults, cells) if each]


def _attributes(owner: Any) -> list[Any]:
    values = {} if isinstance(owner, type) else getattr(owner, "__dict__", {})
    return sorted(values.items())


def _digest(held: Any) -> str:
    try:
        content = pickle.dumps(held, protocol=4)
    except Exception:
        content = repr(held).encode()
    return hashlib.sha256(content).hexdigest()
