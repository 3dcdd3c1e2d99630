"""Parameters of learning rules that can change while a network is loaded: amplitudes and offsets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from synloom.base.checks import IntArray, real
from synloom.base.errors import ParameterError
from synloom.compiler.rule_report import pair_share
from synloom.contract.layout import Layout
from synloom.contract.memory_map import layout_of
from synloom.contract.regions import Region
from synloom.contract.traces import TRACES, Side
from synloom.device.changes import warn_of_change
from synloom.image.image import Image
from synloom.image.places import RULE_FIELDS, HalfRuleInfo, ProjectionInfo

__all__ = ["changed_segments"]

_SIDES: Final = {"rows": Side.TARGET, "columns": Side.SOURCE}
"""Rows read the trace of the target, columns that of the source."""


def changed_segments(
    wanted: Mapping[str, Any], held: Mapping[str, IntArray], infos: Sequence[ProjectionInfo], image: Image
) -> tuple[IntArray, dict[str, IntArray]]:
    """Return segments of the program, (K,) int64, and their new fields, (K,) each.

    A warning says what is changed by rounding.

    Parameters
    ----------
    wanted : mapping of str to float
        New values of parameters, as the rules call them.
    held : mapping of str to (S,) int64
        The fields of all segments as they are.
    infos : sequence of ProjectionInfo
        The projections.
    image : Image
        The image.

    Raises
    ------
    ParameterError
        If no value is given, if a rule has no such parameter or was compiled without that side, if a value is
        wrong or out of range, or if a projection that is not named shares a segment.
    """
    values = {name: real(name, value) for name, value in wanted.items()}
    program = _Program(image)
    layout = layout_of(image.params, Region.PROGRAM)
    fields = {name: held[name].copy() for name in RULE_FIELDS}
    touched: set[int] = set()
    for info in infos:
        _check_names(info, values)
        for side in _SIDES:
            half = _half(info, side)
            mine = sorted(program.segments(info, side))
            if half is None or not {half.amplitude, half.offset} & set(values) or not mine:
                continue
            _check_alone(program, info, side, infos)
            if half.amplitude in values:
                a = _amplitude(info, half, values[half.amplitude], layout)
                _warn_of_amplitude(info, half, values[half.amplitude], a, held, mine[0], image, side)
                fields["a"][mine], fields["a_negative"][mine] = (
                    a,
                    int(values[half.amplitude] * half.scale < 0.0),
                )
            if half.offset in values:
                fields["t0"][mine] = _offset(info, half, values[half.offset], image)
            touched |= set(mine)
    chosen = np.array(sorted(touched), dtype=np.int64)
    return chosen, {name: column[chosen] for name, column in fields.items()}


class _Program:
    """Which segments of an image's program belong to which projections."""

    def __init__(self, image: Image):
        self._image = image
        self._fields = layout_of(image.params, Region.PROGRAM).unpack(image.program)
        self._lists = {
            "rows": layout_of(image.params, Region.SOURCE).unpack(image.source)["list"],
            "columns": layout_of(image.params, Region.TARGET).unpack(image.target)["list"],
        }

    def segments(self, info: ProjectionInfo, side: str) -> set[int]:
        """Return the segments by which the rows or columns of a projection learn."""
        synapses = self._image.synapses[info.first : info.first + info.count].astype(np.int64)
        if info.rule is None or not len(synapses) or getattr(info.rule, side) is None:
            return set()
        target = self._image.populations[info.post]
        rows = np.unique(synapses[:, 1])
        if side == "rows":
            ids, learners = np.array([target.first]), rows
        else:
            ids, learners = rows, np.array([target.first])
        return {
            segment
            for start in np.unique(self._lists[side][learners]).tolist()
            for segment in self._listed(start)
            if ((ids >= self._fields["lo"][segment]) & (ids < self._fields["hi"][segment])).any()
        }

    def _listed(self, start: int) -> range:
        last = self._fields["last"]
        return range(start, start + int(np.argmax(last[start:])) + 1)

    def others(self, side: str, infos: Sequence[ProjectionInfo]) -> dict[str, set[int]]:
        """Return the segments of all other projections by their label."""
        named = {info.label for info in infos}
        return {
            label: self.segments(other, side)
            for label, other in self._image.projections.items()
            if label not in named
        }


def _half(info: ProjectionInfo, side: str) -> HalfRuleInfo | None:
    return None if info.rule is None else getattr(info.rule, side)


def _check_names(info: ProjectionInfo, values: Mapping[str, float]) -> None:
    if info.rule is None:
        raise ParameterError(
            f"projection {info.label!r} has no learning rule; compile it with plasticity=, with amplitudes "
            f"that are not 0"
        )
    halves = [half for half in (info.rule.rows, info.rule.columns) if half is not None]
    known = [name for half in halves for name in (half.amplitude, half.offset) if name is not None]
    can = ", ".join(known) or "nothing"
    if not values:
        raise ParameterError(f"set_rule needs a parameter to change; {can} of {info.label!r} can change")
    if unknown := sorted(set(values) - set(known)):
        raise ParameterError(
            f"{unknown[0]!r} of the rule of {info.label!r} cannot be changed while it is loaded; {can} can; "
            f"compile again for others, and with an amplitude that is not 0 for a side that is off"
        )


def _check_alone(program: _Program, info: ProjectionInfo, side: str, infos: Sequence[ProjectionInfo]) -> None:
    mine = program.segments(info, side)
    sharing = [label for label, theirs in program.others(side, infos).items() if theirs & mine]
    if sharing:
        every = [*(each.label for each in infos), *sharing]
        raise ParameterError(
            f"the rule of {info.label!r} shares its place in the array with that of {sharing[0]!r}; change "
            f"both: set_rule({every!r}, ...), or give one of them other amplitudes before you compile"
        )


def _amplitude(info: ProjectionInfo, half: HalfRuleInfo, wanted: float, layout: Layout) -> int:
    exact, most = abs(wanted * half.scale), layout["a"].high
    if not exact < most + 0.5:
        limit = most / abs(half.scale)
        raise ParameterError(
            f"{half.amplitude} of {info.label!r} must be in -{limit:.4g}..{limit:.4g}, not {wanted:g}; "
            f"compile with the largest amplitude that you need"
        )
    return round(exact)


def _warn_of_amplitude(
    info: ProjectionInfo,
    half: HalfRuleInfo,
    wanted: float,
    a: int,
    held: Mapping[str, IntArray],
    segment: int,
    image: Image,
    side: str,
) -> None:
    got, hint = a / abs(half.scale), "use an array with more trace_bits, or compile with it"
    exact = abs(wanted * half.scale)
    if not held["stochastic"][segment] and exact:
        one = next(image.registers[trace.increment] for trace in TRACES if trace.side is _SIDES[side])
        room = int(held["w_max"][segment] - held["w_min"][segment]) if held["soft"][segment] else None
        got = abs(wanted) * pair_share(a * one, exact * one, room, image.params)
        hint = "rounding='nearest' makes whole units of the weight; compile with rounding='stochastic'"
    warn_of_change(
        f"amplitudes {half.amplitude} of {info.label!r}", np.array([abs(wanted)]), np.array([got]), "", hint
    )


def _offset(info: ProjectionInfo, half: HalfRuleInfo, wanted: float, image: Image) -> int:
    most = image.params.trace_max
    if not 0.0 <= wanted * half.spike <= most:
        raise ParameterError(
            f"{half.offset} of {info.label!r} must be in 0..{most / half.spike:.4g} spikes, not {wanted:g}; "
            f"compile with the largest offset that you need"
        )
    t0 = round(wanted * half.spike)
    hint = f"traces have {image.params.trace_bits} bits; use an array with more trace_bits"
    got = np.array([t0 / half.spike])
    warn_of_change(f"offsets {half.offset} of {info.label!r}", np.array([wanted]), got, "spikes", hint)
    return t0
