"""Places and scales of a network's populations and projections in an image."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from synloom.base.checks import FloatArray, IntArray, real, reals, whole
from synloom.base.errors import ParameterError
from synloom.base.wording import shown

__all__ = [
    "LIVE_PARAMETERS",
    "RULE_FIELDS",
    "HalfRuleInfo",
    "InputInfo",
    "PopulationInfo",
    "ProjectionInfo",
    "RuleInfo",
]

LIVE_PARAMETERS: Final = ("v_thresh", "v_reset", "tau_refrac", "theta_plus", "tau_theta")
"""Parameters of neurons that can change while a network is loaded: those that no scale depends on."""

RULE_FIELDS: Final = ("a", "t0", "a_negative")
"""Fields of a learning segment that can change while a network is loaded."""

_MOST_PARTS: Final = 2048
_MOST_SOURCES: Final = 4096
_MOST_SYNAPSES: Final = _MOST_SOURCES * _MOST_PARTS
_MOST_STEPS: Final = 2**31
_MOST_SHIFT: Final = 15
_GENERATORS: Final = (None, "poisson", "regular")


def _plain(value: Any) -> Any:
    if isinstance(value, RuleInfo):
        return value.to_dict()
    return value.tolist() if isinstance(value, np.ndarray) else value


class _Info:
    """Conversion to plain values and back."""

    __dataclass_fields__: Any

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as plain values for JSON."""
        return {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}

    @classmethod
    def _table(cls, values: Any) -> dict[str, Any]:
        """Return plain values, checked to be a table with the fields of this class and a label."""
        table = _table_of(cls, values)
        return {**table, "label": _text("label", table["label"])}


def _table_of(cls: Any, values: Any) -> dict[str, Any]:
    """Return plain values, checked to be a table with the fields of a class."""
    if not isinstance(values, dict) or set(values) != set(cls.__dataclass_fields__):
        names = ", ".join(cls.__dataclass_fields__)
        raise ParameterError(f"must be a table of {names}, not {shown(values)}")
    return dict(values)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ParameterError(f"{name} must be a non-empty str, not {shown(value)}")
    return value


def _floats(name: str, value: Any, n: int, *, above: bool) -> FloatArray:
    """Return (n,) float64 of finite numbers, with `above` all above 0."""
    array = reals(name, value, low=0.0 if above else -np.inf, above=above)
    if array.shape != (n,):
        raise ParameterError(f"{name} must have {n} numbers, not an array of shape {array.shape}")
    return array


def _delays(value: Any, n: int) -> IntArray:
    """Return (n,) int64 of numbers of steps."""
    if not isinstance(value, list) or len(value) != n:
        raise ParameterError(f"delay must be a list of {n} whole numbers, not {shown(value)}")
    return np.array([whole("delay", each, 0, _MOST_STEPS) for each in value], dtype=np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class PopulationInfo(_Info):
    """Place and scales of a population of neurons.

    Parameters
    ----------
    label : str
        Label.
    n, first, source : int
        Number of neurons; index and source id of the first one.
    v_zero, v_lsb : (n,) float64
        Potential at V = 0, and one LSB of V, mV.
    i_lsb_exc, i_lsb_inh : (n,) float64
        One LSB of the excitatory and of the inhibitory current, nA (of delta synapses: mV).
    offset_zero, offset_lsb : (n,) float64
        Constant current at a bias of 0, and one LSB of the bias, nA.
    gain_exc, gain_inh : int
        Left shifts of the accumulators, g_e and g_i.
    delay : (n,) int64
        Steps until the spikes of its own row arrive; those of its axons come later.
    """

    label: str
    n: int
    first: int
    source: int
    v_zero: FloatArray
    v_lsb: FloatArray
    i_lsb_exc: FloatArray
    i_lsb_inh: FloatArray
    offset_zero: FloatArray
    offset_lsb: FloatArray
    gain_exc: int
    gain_inh: int
    delay: IntArray

    @classmethod
    def from_dict(cls, values: Any) -> PopulationInfo:
        """Make a PopulationInfo from the values of `to_dict`.

        Raises
        ------
        ParameterError
            If a value is missing, has the wrong type or length, or is out of range.
        """
        table = cls._table(values)
        n = whole("n", table["n"], 1, _MOST_PARTS)
        zeros, units = ("v_zero", "offset_zero"), ("v_lsb", "i_lsb_exc", "i_lsb_inh", "offset_lsb")
        return cls(
            label=table["label"],
            n=n,
            first=whole("first", table["first"], 0, _MOST_PARTS - 1),
            source=whole("source", table["source"], 0, _MOST_SOURCES - 1),
            **{name: _floats(name, table[name], n, above=False) for name in zeros},
            **{name: _floats(name, table[name], n, above=True) for name in units},
            gain_exc=whole("gain_exc", table["gain_exc"], 0, _MOST_SHIFT),
            gain_inh=whole("gain_inh", table["gain_inh"], 0, _MOST_SHIFT),
            delay=_delays(table["delay"], n),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class InputInfo(_Info):
    """Place of an input population.

    Parameters
    ----------
    label : str
        Label.
    n, source : int
        Number of channels; source id of the first one.
    generator : str or None
        ``"poisson"`` or ``"regular"``; None if the host sends the spikes.
    delay : (n,) int64
        Steps until the spikes of its own row arrive; those of its axons come later.
    """

    label: str
    n: int
    source: int
    generator: str | None
    delay: IntArray

    @classmethod
    def from_dict(cls, values: Any) -> InputInfo:
        """Make an InputInfo from the values of `to_dict`.

        Raises
        ------
        ParameterError
            If a value is missing, has the wrong type or length, or is out of range.
        """
        table = cls._table(values)
        n = whole("n", table["n"], 1, _MOST_PARTS)
        if table["generator"] not in _GENERATORS:
            raise ParameterError(f"generator must be poisson, regular or null, not {table['generator']!r}")
        return cls(
            label=table["label"],
            n=n,
            source=whole("source", table["source"], 0, _MOST_PARTS - 1),
            generator=table["generator"],
            delay=_delays(table["delay"], n),
        )


@dataclass(frozen=True, kw_only=True)
class HalfRuleInfo:
    """One side of a learning rule that is at work: what its numbers in the array stand for.

    Parameters
    ----------
    amplitude : str
        What the rule calls its amplitude.
    offset : str or None
        What it calls the offset of the trace; None if it has none.
    scale : float
        The amplitude of a segment for an amplitude of 1, before rounding; negative if the pair rule has the
        other sign.
    spike : float
        Value of the trace that counts as one spike when it is read.
    """

    amplitude: str
    offset: str | None
    scale: float
    spike: float

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as plain values for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Any) -> HalfRuleInfo:
        """Make a HalfRuleInfo from the values of `to_dict`.

        Raises
        ------
        ParameterError
            If a value is missing, has the wrong type, or is out of range.
        """
        table = _table_of(cls, values)
        scale = real("scale", table["scale"])
        if not scale:
            raise ParameterError("scale must not be 0")
        return cls(
            amplitude=_text("amplitude", table["amplitude"]),
            offset=None if table["offset"] is None else _text("offset", table["offset"]),
            scale=scale,
            spike=real("spike", table["spike"], low=0.0, above=True),
        )


@dataclass(frozen=True, kw_only=True)
class RuleInfo:
    """The learning rule of a projection.

    Parameters
    ----------
    rows, columns : HalfRuleInfo or None
        What happens when a spike of the source arrives, and when the target fires; None if nothing does.
    """

    rows: HalfRuleInfo | None
    columns: HalfRuleInfo | None

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as plain values for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Any) -> RuleInfo:
        """Make a RuleInfo from the values of `to_dict`; errors as in `HalfRuleInfo.from_dict`."""
        table = _table_of(cls, values)
        rows, columns = (
            None if table[name] is None else HalfRuleInfo.from_dict(table[name])
            for name in ("rows", "columns")
        )
        return cls(rows=rows, columns=columns)


@dataclass(frozen=True, kw_only=True, eq=False)
class ProjectionInfo(_Info):
    """Place and scale of a projection.

    Parameters
    ----------
    label : str
        Label.
    pre, post : str
        Labels of the source and the target population.
    shift : int
        Left shift of the weights.
    rule : RuleInfo or None
        The learning rule; None if the weights are static.
    first, count : int
        Its part of the image's `synapses`.
    """

    label: str
    pre: str
    post: str
    shift: int
    rule: RuleInfo | None
    first: int
    count: int

    @property
    def plastic(self) -> bool:
        """Whether a learning rule changes the weights."""
        return self.rule is not None

    @classmethod
    def from_dict(cls, values: Any) -> ProjectionInfo:
        """Make a ProjectionInfo from the values of `to_dict`.

        Raises
        ------
        ParameterError
            If a value is missing, has the wrong type, or is out of range.
        """
        table = cls._table(values)
        return cls(
            label=table["label"],
            pre=_text("pre", table["pre"]),
            post=_text("post", table["post"]),
            shift=whole("shift", table["shift"], 0, _MOST_SHIFT),
            rule=None if table["rule"] is None else RuleInfo.from_dict(table["rule"]),
            first=whole("first", table["first"], 0, _MOST_SYNAPSES),
            count=whole("count", table["count"], 0, _MOST_SYNAPSES),
        )
