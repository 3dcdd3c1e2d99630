"""The documentation's tables, rendered from the contract, the last measurements (docs/bench), or by running.

A page holds ``<!-- table: NAME -->`` and ``<!-- /table -->``; ``python docs/tables.py PAGE ...``
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
from synloom.contract.memory_map import memory_map
from synloom.contract.params import ArrayParams, allowed
from synloom.contract.regions import Region
from synloom.contract.registers import (
    CONTROL_REGISTERS,
    COUNTERS,
    LINK_REGISTERS,
    WIDE_COUNTER_BITS,
    Register,
)
from synloom_boards.accuracy import accuracy_table
from synloom_boards.boards import board_names, load_board
from synloom_sim.bench.report import read_report
from synloom_sim.bench.tables import TABLES as BENCH_TABLES
from synloom_sim.bench.tables import machine_line
from synloom_sim.nir.support import support_table as nir_support

__all__ = ["TABLES", "fill", "main", "render"]

_ARRAY: Final = ArrayParams()
_MEMORIES: Final = memory_map(_ARRAY)

_LAYOUTS: Final[dict[str, Region]] = {
    "segment": Region.PROGRAM,
    "source": Region.SOURCE,
    "target": Region.TARGET,
    "neuron_params": Region.NEURON_PARAMS,
    "neuron_state": Region.NEURON_STATE,
    "generator": Region.GEN_RATE,
    "probe": Region.PROBES,
}
"""Tables of fields by the memory that has them."""

_BENCH: Final = Path(__file__).parent / "bench"
"""Reports of the last measurements, one for each kind."""

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
    memory = _MEMORIES[Region.COUNTERS]
    return _table(
        ("offset", "name", "bits", "counts"),
        (
            (memory.offset(k), c.name, WIDE_COUNTER_BITS if c.wide else "counter_bits", c.doc)
            for k, c in enumerate(COUNTERS.values())
        ),
    )


def _region_map() -> str:
    rows = []
    for memory in _MEMORIES.values():
        words = memory.offset(1) if len(memory.shape) == 1 else 1
        each = f", {words} words each" if words > 1 else ""
        needs = f" (only with `{memory.feature}`)" if memory.feature else ""
        rows.append(
            (int(memory.region), memory.region.name, f"{memory.size:,}", f"{memory.doc}{each}{needs}")
        )
    return _table(("region", "name", "offsets of the default array", "what"), rows)


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
    rows = []
    for field in _MEMORIES[_LAYOUTS[name]].layout.fields.values():
        if field.name == "reserved":
            continue
        word, bit = divmod(field.start, 16)
        last_word, last_bit = divmod(field.start + field.width - 1, 16)
        if last_word != word:
            bits = f"{word}.{bit} to {last_word}.{last_bit}"
        else:
            bits = f"{word}.{bit}" if bit == last_bit else f"{word}.{last_bit}:{bit}"
        rows.append((bits, field.name, f"{'signed ' * field.signed}{field.width}", field.doc))
    return _table(("word.bits", "field", "bits", "meaning"), rows)


def _measured(kind: str, name: str) -> str:
    if not (_BENCH / f"{kind}.json").exists():
        return f"Not measured since the last change ({kind}).\n"
    return BENCH_TABLES[kind][name](read_report(_BENCH / f"{kind}.json").rows)


def _machine(kind: str) -> str:
    if not (_BENCH / f"{kind}.json").exists():
        return ""
    report = read_report(_BENCH / f"{kind}.json")
    return f"`{report.command}` on {machine_line(report)}.\n"


def _pynn_support() -> str:
    """Run everything that PyNN has; imported here, since only one page needs it."""
    from synloom.pynn.support import table

    return table()


TABLES: Final[dict[str, Callable[[], str]]] = {
    "params": _params,
    "nir_nodes": nir_support,
    "regions": _region_map,
    "control": lambda: _registers(CONTROL_REGISTERS),
    "counters": _counters,
    "pynn_support": _pynn_support,
    "link": lambda: _registers(LINK_REGISTERS),
    **{name: partial(_layout, name) for name in _LAYOUTS},
    **{name: partial(_measured, kind, name) for kind, tables in BENCH_TABLES.items() for name in tables},
    "board_accuracy": lambda: accuracy_table([load_board(name) for name in board_names()]),
    **{f"machine_{kind}": partial(_machine, kind) for kind in ("calls", "clocks", "peers", "startup")},
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
