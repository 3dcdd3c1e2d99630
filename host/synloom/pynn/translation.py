"""Synloom's errors as PyNN's, so that scripts can catch them by PyNN's types."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pyNN import errors

from synloom.base.errors import CapacityError, NetworkError, ParameterError

__all__ = ["ArrayTooSmallError", "translated"]


class ArrayTooSmallError(CapacityError, errors.NoModelAvailableError):
    """A network or a recording that no array of this target holds: the message says what is missing."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise the errors of the SDK in this context as PyNN's."""
    try:
        yield
    except CapacityError as error:
        raise ArrayTooSmallError(str(error)) from error
    except NetworkError as error:
        raise errors.ConnectionError(str(error)) from error
    except ParameterError as error:
        raise errors.InvalidParameterValueError(str(error)) from error
