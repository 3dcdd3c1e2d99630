"""Payloads of the pass pipeline: jobs, rules, addresses and chunks."""

from __future__ import annotations

from amaranth.hdl import signed, unsigned
from amaranth.lib import data, enum
from amaranth.utils import bits_for, ceil_log2

from synloom.contract import ArrayParams
from synloom.contract.traces import TRACES, Trace
from synloom_hdl.gf2 import GROUP

__all__ = ["PassKind", "Rule", "chunk_layout", "decay_of", "job_layout", "loom_address_layout"]


class PassKind(enum.Enum, shape=bits_for(1 + len(TRACES))):
    """What a pass does: the spike of a source, the spike of a target, or the decay of a trace."""

    ROW = 0
    COLUMN = 1
    vars().update({f"DECAY_{trace.name.upper()}": number for number, trace in enumerate(TRACES, 2)})


def decay_of(trace: Trace) -> PassKind:
    """Return the kind of pass in which a trace decays."""
    return PassKind[f"DECAY_{trace.name.upper()}"]


Rule = data.StructLayout(
    {
        "a": unsigned(16),
        "t0": unsigned(16),
        "w_min": signed(8),
        "w_max": signed(8),
        "shift": unsigned(3),
        "a_negative": unsigned(1),
        "soft": unsigned(1),
        "stochastic": unsigned(1),
        "exponent": unsigned(3),
    }
)
"""A segment's rule; `a` and `a_negative` include the reward."""


def job_layout(params: ArrayParams) -> data.StructLayout:
    """Return a pass to do: its kind, its row (source id) or column (neuron), its first segment."""
    return data.StructLayout({"kind": PassKind, "index": ceil_log2(params.sources), "list": 8})


def loom_address_layout(params: ArrayParams) -> data.StructLayout:
    """Return the address of a chunk of weights; in bank b it is ``high * B + low(b)``.

    For rows every bank has low = rotate; for columns bank b has low = (b - rotate) mod B.
    """
    depth = params.target_chunks * params.source_chunks
    return data.StructLayout(
        {
            "column": 1,
            "rotate": ceil_log2(params.lanes),
            "high": max(1, ceil_log2(depth)),
        }
    )


def chunk_layout(params: ArrayParams) -> data.StructLayout:
    """Return B neighbouring synapses of a pass: operand lane l is position chunk * B + l.

    If B is two groups of random numbers, `groups` says for which of them numbers are drawn.
    """
    return data.StructLayout(
        {
            "kind": PassKind,
            "chunk": max(1, ceil_log2(params.source_chunks)),
            "mask": params.lanes,
            "address": loom_address_layout(params),
            "learns": 1,
            "rule": Rule,
            **({"groups": params.lanes // GROUP} if params.lanes > GROUP else {}),
        }
    )
