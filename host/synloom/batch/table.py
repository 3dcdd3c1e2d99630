"""The results of a sweep as one table: CSV, and Parquet where pyarrow is installed."""

from __future__ import annotations

import csv
import importlib.util
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from synloom.base.workers import Failure
from synloom.batch.task import Record, Task
from synloom.experiment.settings import setting_text

__all__ = ["Row", "as_csv", "as_parquet", "table_of"]

Row = dict[str, Any]
"""Values by column: the settings, seed, metrics, losses, seconds, digest, error."""


def table_of(
    tasks: Sequence[Task], records: Mapping[str, Record], failures: Mapping[str, Failure]
) -> list[Row]:
    """Return a row for each task, in order, all with the same columns.

    Metrics of a task without a result are NaN; `digest` is that of the result.
    """
    keys = list(dict.fromkeys(key for task in tasks for key in task.settings))
    names = list(dict.fromkeys(name for record in records.values() for name in record.metrics))
    rows = []
    for task in tasks:
        record, failure = records.get(task.digest), failures.get(task.digest)
        row: Row = {key: task.settings.get(key) for key in keys} | {"seed": task.seed}
        row |= {name: record.metrics.get(name, math.nan) if record else math.nan for name in names}
        row["losses"] = sum(record.losses.values()) if record else None
        row["seconds"] = record.seconds if record else None
        row["digest"] = record.digest() if record else ""
        row["error"] = "" if record else str(failure or "not run")
        rows.append(row)
    return rows


def as_csv(rows: Sequence[Row]) -> bytes:
    """Return the table as CSV in UTF-8; lists and tables are JSON, numbers have all digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if rows:
        writer.writerow(rows[0])
    for row in rows:
        writer.writerow("" if value is None else setting_text(value) for value in row.values())
    return text.getvalue().encode()


def as_parquet(rows: Sequence[Row]) -> bytes | None:
    """Return the table as Parquet; None if pyarrow is not installed."""
    if not rows or importlib.util.find_spec("pyarrow") is None:
        return None
    import pyarrow
    import pyarrow.parquet

    columns = {name: _column([row[name] for row in rows]) for name in rows[0]}
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), buffer)
    return buffer.getvalue()


def _column(values: list[Any]) -> list[Any]:
    """Return values of one type: whole numbers, numbers, truth values or text."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) <= 1 and kinds <= {int, float, bool, str}:
        return values
    if kinds == {int, float}:
        return [None if value is None else float(value) for value in values]
    return [None if value is None else setting_text(value) for value in values]
