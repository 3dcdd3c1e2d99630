"""A plot of a metric over each setting of a sweep."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from synloom.batch.table import Row
from synloom.experiment.settings import setting_text
from synloom.experiment.style import colour, new_figure, styled

__all__ = ["draw_metric"]


def draw_metric(title: str, rows: Sequence[Row], keys: Sequence[str], metric: str) -> bytes:
    """Return a PNG with a panel for each key: every task a point, and the mean over all other keys.

    Tasks without a finite value are left out, and counted in the heading.
    """
    there = [row for row in rows if math.isfinite(row.get(metric, math.nan))]
    missing = len(rows) - len(there)
    heading = f"{title}: {metric}" + (f" ({missing} of {len(rows)} without a value)" if missing else "")
    with styled():
        figure = new_figure(heading, max(4.0, 3.4 * len(keys)), 3.4)
        panels: Any = figure.subplots(1, len(keys), sharey=True, squeeze=False)[0]
        for k, (axes, key) in enumerate(zip(panels, keys, strict=True)):
            _panel(axes, there, key, metric, colour(k))
        panels[0].set_ylabel(metric)
        picture = io.BytesIO()
        figure.savefig(picture, format="png")
    return picture.getvalue()


def _panel(axes: Axes, rows: Sequence[Row], key: str, metric: str, shade: str) -> None:
    values = [row[key] for row in rows]
    labels = list(dict.fromkeys(setting_text(value) for value in values))
    numeric = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
    places = [float(value) if numeric else labels.index(setting_text(value)) for value in values]
    y = np.array([row[metric] for row in rows], dtype=np.float64)
    x = np.array(places, dtype=np.float64)
    axes.scatter(x, y, s=9.0, color=shade, alpha=0.5, linewidth=0.0)
    at = np.unique(x)
    means = np.array([y[x == place].mean() for place in at])
    if len(at):
        axes.plot(at, means, color=shade, linewidth=1.5, marker="o", markersize=4.0)
    if not numeric:
        axes.set_xticks(range(len(labels)), labels, rotation=20, horizontalalignment="right")
    elif len(at) > 2 and at.min() > 0.0 and at.max() / at.min() >= 50.0:
        axes.set_xscale("log")
    axes.set_xlabel(key)
