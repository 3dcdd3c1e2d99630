"""The quantisation report: for each parameter the value asked for, the value in the array, and the error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synloom.base.checks import real
from synloom.base.errors import ParameterError
from synloom.base.wording import shown

__all__ = ["MOST_CHANGE", "Report", "ReportBuilder", "ReportRow"]

MOST_CHANGE: Final = 0.02
"""The largest relative change of a value that is no remark."""
_MOST_ROWS: Final = 40


@dataclass(frozen=True)
class ReportRow:
    """The quantisation error of one parameter of a population or projection.

    If the parameter has many values, the row shows the one with the largest relative error.

    Parameters
    ----------
    where : str
        Label of the population or projection.
    parameter : str
        Name, with its unit.
    wanted, got : float
        The value asked for and the value in the array, in that unit.
    note : str
        A remark such as "out of range"; may be empty.
    mean : float
        Mean magnitude of the errors of all values, relative to the mean magnitude of the values asked for.
    """

    where: str
    parameter: str
    wanted: float
    got: float
    note: str = ""
    mean: float = 0.0

    @property
    def error(self) -> float:
        """`got - wanted`; 0 if both are the same infinity."""
        return 0.0 if self.wanted == self.got else self.got - self.wanted

    @property
    def relative(self) -> float:
        """Magnitude of the error relative to `wanted`; the magnitude itself if `wanted` is 0 or infinite."""
        if self.error == 0.0 or not np.isfinite(self.wanted):
            return abs(self.error)
        return abs(self.error) / (abs(self.wanted) or 1.0)


@dataclass(frozen=True)
class Report:
    """All quantisation errors of a compiled network; `print` shows them as a table.

    Parameters
    ----------
    rows : tuple of ReportRow
        One row per parameter.
    notes : tuple of str
        Remarks: what vanishes, is changed by more than 2 %, or may be limited.
    title : str
        Heading of the table.
    """

    rows: tuple[ReportRow, ...] = ()
    notes: tuple[str, ...] = ()
    title: str = field(default="quantisation")

    def worst(self) -> ReportRow | None:
        """Return the row with the largest relative error; None if there are no rows."""
        return max(self.rows, key=lambda row: row.relative, default=None)

    def row(self, where: str, parameter: str) -> ReportRow:
        """Return the row of a parameter.

        Parameters
        ----------
        where : str
            Label of the population or projection.
        parameter : str
            Name of the parameter, with or without its unit and what is subtracted from it.

        Raises
        ------
        KeyError
            If the report has no such row.
        """
        mine = [row for row in self.rows if row.where == where]
        for end in ("", " (", " - "):
            for row in mine:
                if row.parameter == parameter or (end and row.parameter.startswith(parameter + end)):
                    return row
        known = ", ".join(repr(row.parameter) for row in self.rows if row.where == where) or "none"
        raise KeyError(f"the report has no row for {parameter!r} of {where!r}; its rows are: {known}")

    def __str__(self) -> str:
        lines = [f"{self.title}: {len(self.rows)} parameters, {len(self.notes)} remarks"]
        lines += [f"- {note}" for note in self.notes]
        shown = self.rows
        if len(shown) > _MOST_ROWS:
            # Those with the largest errors, in the order of the network.
            worst = sorted(range(len(shown)), key=lambda k: -shown[k].relative)[:_MOST_ROWS]
            shown = tuple(shown[k] for k in sorted(worst))
        head = ("where", "parameter", "wanted", "got", "error", "mean", "")
        body = [
            (r.where, r.parameter, f"{r.wanted:.6g}", f"{r.got:.6g}", _error_text(r), _mean_text(r), r.note)
            for r in shown
        ]
        if body:
            lines += _table([head, *body])
        if len(shown) < len(self.rows):
            lines.append(f"and {len(self.rows) - len(shown)} parameters with smaller errors, in .rows")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        return {"rows": [asdict(row) for row in self.rows], "notes": list(self.notes), "title": self.title}

    @classmethod
    def from_dict(cls, values: Any) -> Report:
        """Make a report from the values of `to_dict`.

        Raises
        ------
        ParameterError
            If a value is missing, has the wrong type or is not a number.
        """
        if not isinstance(values, dict) or set(values) != {"rows", "notes", "title"}:
            raise ParameterError(f"report must be a table of rows, notes and title, not {shown(values)}")
        rows, notes = values["rows"], values["notes"]
        if not isinstance(rows, list) or not isinstance(notes, list):
            raise ParameterError("rows and notes of the report must be lists")
        if not all(isinstance(text, str) for text in (*notes, values["title"])):
            raise ParameterError("notes and title of the report must be text")
        return cls(tuple(map(_row, rows)), tuple(notes), values["title"])


class ReportBuilder:
    """Collects the rows and notes of a report while a network is compiled."""

    def __init__(self) -> None:
        self.rows: list[ReportRow] = []
        self.notes: list[str] = []

    def add(
        self,
        where: str,
        parameter: str,
        wanted: npt.ArrayLike,
        got: npt.ArrayLike,
        note: str = "",
        *,
        hint: str = "",
        quiet: bool = False,
    ) -> None:
        """Add the row of a parameter; of many values, the one with the largest relative error is kept.

        A change by more than 2 % is also a remark.

        Parameters
        ----------
        where, parameter, note : str
            As in `ReportRow`.
        wanted, got : array_like
            Values asked for and values in the array; their shapes are broadcast.
        hint : str
            What the remark adds: what follows, and what to try.
        quiet : bool
            Make no remark.
        """
        want, have = np.broadcast_arrays(
            np.atleast_1d(wanted).astype(float), np.atleast_1d(got).astype(float)
        )
        same = want == have
        error = np.abs(np.where(same, 0.0, have) - np.where(same, 0.0, want))
        known = np.isfinite(want) & (want != 0.0)
        relative = error / np.where(known, np.abs(want), 1.0)
        worst = int(np.argmax(relative))
        mean = float(error.mean() / np.abs(want).mean()) if np.isfinite(error).all() and known.any() else 0.0
        mean = mean if np.isfinite(mean) and len(want) > 1 else 0.0
        row = ReportRow(where, parameter, float(want[worst]), float(have[worst]), note, mean)
        self.rows.append(row)
        changed = int((known & (relative > MOST_CHANGE)).sum())
        if changed and not quiet:
            self.note(_change_text(row, changed, len(want)) + (f": {hint}" if hint else ""))

    def note(self, text: str) -> None:
        """Add a remark, once."""
        if text not in self.notes:
            self.notes.append(text)

    def report(self) -> Report:
        """Return the finished report."""
        return Report(tuple(self.rows), tuple(self.notes))


def _row(values: Any) -> ReportRow:
    """Make a row from plain values; what was asked for may be infinite."""
    if not isinstance(values, dict) or set(values) != set(ReportRow.__dataclass_fields__):
        raise ParameterError(f"a row of the report must have all its fields, not {shown(values)}")
    if not all(isinstance(values[name], str) for name in ("where", "parameter", "note")):
        raise ParameterError(
            f"where, parameter and note of a row of the report must be text, not {shown(values)}"
        )
    numbers = {name: real(name, values[name], infinite=True) for name in ("wanted", "got", "mean")}
    return ReportRow(**{**values, **numbers})


def _change_text(row: ReportRow, changed: int, count: int) -> str:
    name, _, unit = row.parameter.partition(" (")
    unit = unit.rstrip(")")
    many = f" of {changed} of {count}" if count > 1 else ""
    change = f"{row.wanted:.4g} becomes {row.got:.4g} {unit}".rstrip()
    return f"{row.where}: {name}{many}: {change} ({_error_text(row)})"


def _mean_text(row: ReportRow) -> str:
    return f"{100 * row.mean:.2g} %" if row.mean else ""


def _error_text(row: ReportRow) -> str:
    if row.error == 0.0:
        return "0"
    if row.wanted == 0.0 or not np.isfinite(row.error):
        return f"{row.error:+.3g}"
    return f"{100 * row.error / abs(row.wanted):+.3g} %"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            c.ljust(w) if k in (0, 1, 6) else c.rjust(w)
            for k, (c, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("-" * w for w in widths).rstrip())
    return lines
