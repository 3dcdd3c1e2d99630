"""The documentation's tables, rendered from the contract.

A page holds ``<!-- table: NAME -->`` and ``<!-- /table -->``; ``python -m synloom.contract.tables PAGE ...``
writes the table between them. A test proves that the committed pages are current.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from synloom.base.errors import ParameterError
from synloom.contract import regions
from synloom.contract.info import INFO_WORDS
from synloom.contract.layout import (
    Layout,
    neuron_params_layout,
    neuron_state_layout,
    segment_layout,
    source_layout,
    target_layout,
)
from synloom.contract.params import ArrayParams, allowed
from synloom.contract.regions import Region, Register, region_size

__all__ = ["TABLES", "fill", "main", "render"]

_REGION_MEANINGS: Final[dict[Region, str]] = {
    Region.INFO: f"Magic, versions, all fields of ArrayParams, both digests: {INFO_WORDS} words",
    Region.CTRL: "Control registers",
    Region.COUNTERS: f"Event counters, {regions.COUNTER_STRIDE} words each",
    Region.LINK: "Registers of the link",
    Region.WEIGHTS: "Weights, one byte each: offset = source << 12 \\| target",
    Region.NEURON_PARAMS: f"Parameters, {regions.NEURON_PARAMS_STRIDE} words a neuron",
    Region.NEURON_STATE: f"State, {regions.NEURON_STATE_STRIDE} words a neuron",
    Region.X_TRACE: "Pre trace of each source id",
    Region.Y_TRACE: "Post trace of each neuron",
    Region.SOURCE: "What a spike of each source id sets off",
    Region.TARGET: "What a spike of each neuron sets off",
    Region.PROGRAM: f"Segments, {regions.SEGMENT_STRIDE} words each",
    Region.GEN_RATE: "Generator of each input: bits 14:0 rate, bit 15 mode (1 is regular)",
    Region.GEN_PHASE: "Phase of each input's regular generator",
    Region.WHEEL: "Spikes on their way: offset = slot << 8 \\| word of 16 source ids",
    Region.SPIKE_COUNTS: "Spikes of each neuron since it was last written",
    Region.PROBES: f"Probes, {regions.PROBE_STRIDE} words each: region \\| wide << 15, offset (low, high), 0",
}

_FIELD_MEANINGS: Final[dict[str, dict[str, str]]] = {
    "source": {
        "list": "First segment of its row list",
        "connected": "It has a row pass",
        "nearest": "Its trace is set to ONE_X instead of raised by it",
    },
    "target": {
        "list": "First segment of its column list",
        "delay": "Steps until its spike arrives; 0 sends it nowhere",
        "learns": "It has a column pass",
        "nearest": "Its trace is set to ONE_Y instead of raised by it",
    },
    "segment": {
        "lo": "First position",
        "hi": "Position after the last",
        "last": "The list ends here",
        "a": "Amplitude; in decay lists the coefficient",
        "t0": "Offset of the trace",
        "w_min": "Lower bound of weights",
        "w_max": "Upper bound of weights",
        "shift": "Weights are added shifted left by so much (rows)",
        "plastic": "It learns",
        "a_negative": "The amplitude is negative",
        "soft": "The change is scaled by the room to the bound",
        "stochastic": "Rounds at random instead of to nearest",
        "reward": "The change is scaled by REWARD",
        "exponent": "Unit of the coefficient (decay lists)",
    },
    "neuron_params": {
        "dm": "Decay of V",
        "de": "Decay of the excitatory current",
        "di": "Decay of the inhibitory current",
        "dth": "Decay of the adaptive threshold",
        "thr": "Threshold",
        "reset": "V after a spike, or what a spike takes away",
        "bias": "Constant current",
        "th_step": "What a spike adds to the adaptive threshold",
        "refractory": "Steps of refractoriness after a spike",
        "g_e": "Excitatory sums are shifted left by so much",
        "g_i": "Inhibitory sums are shifted left by so much",
        "exponent_m": "Unit of dm",
        "exponent_e": "Unit of de",
        "exponent_i": "Unit of di",
        "exponent_th": "Unit of dth",
        "subtract": "A spike lowers V by reset instead of setting it",
    },
    "neuron_state": {
        "v": "Potential; 0 is rest",
        "refr": "Steps of refractoriness left",
        "ie": "Excitatory current",
        "ii": "Inhibitory current, stored positive",
        "theta": "What the adaptive threshold adds",
    },
}

_LAYOUTS: Final[dict[str, Callable[[], Layout]]] = {
    "segment": segment_layout,
    "source": source_layout,
    "target": target_layout,
    "neuron_params": lambda: neuron_params_layout(ArrayParams()),
    "neuron_state": lambda: neuron_state_layout(ArrayParams()),
}

_LIMITS = re.compile(r"[,:] \d[\d, ]*(?:to|or) \d+(?=[.;])")
"""Limits in a docstring's words; the table has a column for them."""

_MARKED = re.compile(r"(<!-- table: (\w+) -->\n)(?:.*?\n)??(<!-- /table -->)", re.DOTALL)


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    names = list(head)
    body = "".join(f"| {' | '.join(map(str, row))} |\n" for row in rows)
    return f"| {' | '.join(names)} |\n|{'---|' * len(names)}\n{body}"


def _registers(registers: Mapping[str, Register]) -> str:
    return _table(
        ("offset", "name", "access", "meaning"),
        (
            (
                r.offset if r.words == 1 else f"{r.offset}, {r.offset + r.words - 1}",
                r.name,
                "rw" if r.writable else "r",
                r.doc,
            )
            for r in registers.values()
        ),
    )


def _counters() -> str:
    return _table(
        ("offset", "name", "bits", "counts"),
        (
            (
                regions.counter_offset(name),
                name,
                48 if name in regions.WIDE_COUNTERS else "counter_bits",
                doc,
            )
            for name, doc in regions.COUNTERS
        ),
    )


def _region_map() -> str:
    params = ArrayParams()
    return _table(
        ("region", "name", "offsets of the default array", "what"),
        ((int(r), r.name, f"{region_size(params, r):,}", _REGION_MEANINGS[r]) for r in Region),
    )


def _params() -> str:
    """Render the fields of ArrayParams: names and meanings from its docstring, limits from its checks."""
    text = (ArrayParams.__doc__ or "").split("Raises\n", 1)[0]
    meanings: dict[str, str] = {}
    for names, body in re.findall(r"^ {4}([a-z_, ]+) : \w+\n((?: {8}.*\n)+)", text, re.MULTILINE):
        for name in names.split(", "):
            meanings[name] = " ".join(body.split())
    semantic = ArrayParams().semantics()
    return _table(
        ("field", "default", "allowed", "changes results", "meaning"),
        (
            (
                f.name,
                f"{f.default:,}" if type(f.default) is int else f.default,
                allowed(f.name),
                "yes" if f.name in semantic else "no",
                _LIMITS.sub("", meanings[f.name]).replace("*", ""),
            )
            for f in dataclasses.fields(ArrayParams)
        ),
    )


def _layout(name: str) -> str:
    meanings = _FIELD_MEANINGS[name]
    rows = []
    for field in _LAYOUTS[name]().fields.values():
        if field.name == "reserved":
            continue
        word, bit = divmod(field.start, 16)
        last_word, last_bit = divmod(field.start + field.width - 1, 16)
        if last_word != word:
            bits = f"{word}.{bit} to {last_word}.{last_bit}"
        else:
            bits = f"{word}.{bit}" if bit == last_bit else f"{word}.{last_bit}:{bit}"
        rows.append((bits, field.name, f"{'signed ' * field.signed}{field.width}", meanings[field.name]))
    return _table(("word.bits", "field", "bits", "meaning"), rows)


TABLES: Final[dict[str, Callable[[], str]]] = {
    "params": _params,
    "regions": _region_map,
    "control": lambda: _registers(regions.CONTROL_REGISTERS),
    "counters": _counters,
    "link": lambda: _registers(regions.LINK_REGISTERS),
    **{name: partial(_layout, name) for name in _LAYOUTS},
}
"""Tables by the name that a page's marker gives."""


def render(name: str) -> str:
    """Return one table in Markdown, a line break at its end.

    Raises
    ------
    ParameterError
        If there is no such table.
    """
    if name not in TABLES:
        raise ParameterError(f"there is no table {name!r}; tables are: {', '.join(TABLES)}")
    return TABLES[name]()


def fill(text: str) -> str:
    """Return a page with every marked table as the contract has it."""
    return _MARKED.sub(lambda match: match[1] + render(match[2]) + match[3], text)


def main() -> None:
    """Bring the pages named on the command line up to date."""
    for name in sys.argv[1:]:
        page = Path(name)
        page.write_text(fill(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
