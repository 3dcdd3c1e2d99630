"""The traces: what each keeps of the spikes on one side of a synapse."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from synloom.contract.regions import Region

__all__ = ["TRACES", "Side", "Trace", "trace_of"]


class Side(Enum):
    """The two ends of a synapse."""

    SOURCE = "source"
    """Where the spike comes from: an input or a neuron (presynaptic)."""
    TARGET = "target"
    """Where it goes to: a neuron (postsynaptic)."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One trace: a number for each source id or each neuron, raised by its spikes, that decays in each step.

    Rows (spikes of sources) read target traces and raise source traces; columns (spikes of targets) read
    source traces and raise target traces (Morrison, Diesmann and Gerstner 2008).

    Parameters
    ----------
    name : str
        As in docs/numbers.md; names of signals are made of it.
    side : Side
        Whose spikes raise it.
    region : Region
        Where it is kept.
    increment : str
        The CTRL register with what a spike adds.
    decay_list : str
        The CTRL register with its list of decay segments.
    variable : str
        What recorders call it.
    doc : str
        What it is.
    """

    name: str
    side: Side
    region: Region
    increment: str
    decay_list: str
    variable: str
    doc: str


TRACES: Final = (
    Trace("x", Side.SOURCE, Region.X_TRACE, "one_x", "x_list", "trace", "Trace of each source id"),
    Trace(
        "y", Side.TARGET, Region.Y_TRACE, "one_y", "y_list", "trace_post", "Trace of each neuron as a target"
    ),
)
"""All traces, in the order in which they decay."""


def trace_of(side: Side) -> Trace:
    """Return the trace that the spikes of a side raise, and that a pass from the other side reads."""
    return next(trace for trace in TRACES if trace.side is side)
