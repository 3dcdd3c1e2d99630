"""The tables of a report, in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from synloom_sim.bench.report import Report

__all__ = ["TABLES", "machine_line", "tables_of"]

Row = dict[str, Any]

_NEUROCOREX: Final = 96_000
"""Clocks of every step of NeuroCoreX, with 94 inputs and 90 neurons (arXiv 2506.14138): 1,042 steps/s."""


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    body = "".join(f"| {' | '.join(map(str, row))} |\n" for row in rows)
    return f"| {' | '.join(head)} |\n|{'---|' * len(head)}\n{body}"


def _is_neurocorex(row: Row) -> bool:
    return (row["inputs"], row["neurons"]) == (94, 90)


def _on(flag: bool) -> str:
    return "on" if flag else "off"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _steps(rate: float) -> str:
    return f"{float(f'{rate:.3g}'):,.0f}"


def _range(pair: Sequence[float] | None) -> str:
    return "-" if pair is None else " to ".join(f"{float(f'{each:.2g}'):g}" for each in pair)


def clocks_table(rows: Sequence[Row]) -> str:
    """Return clocks against the bound, one row for an array and whether it learns."""
    head = ("inputs + neurons", "lanes", "learning")
    groups: dict[tuple[str, int, bool], list[Row]] = {}
    for row in rows:
        if not _is_neurocorex(row):
            key = (f"{row['inputs']} + {row['neurons']}", row["lanes"], row["learning"])
            groups.setdefault(key, []).append(row)
    levels = max((len(group) for group in groups.values()), default=0)
    names = next((g for g in groups.values() if len(g) == levels), [])
    titles = [f"{round(100 * row['active'])} %" for row in names]
    body = []
    for (size, lanes, learning), group in groups.items():
        cells = [f"{row['clocks']:,.0f} ({row['ratio']:.3f})" for row in group]
        body.append((size, lanes, _on(learning), *cells))
    return _table((*head, *titles), body)


def phases_table(rows: Sequence[Row]) -> str:
    """Return what the bound consists of, for the array of 64 inputs and 256 neurons with 16 lanes."""
    chosen = [r for r in rows if (r["inputs"], r["neurons"], r["lanes"]) == (64, 256, 16)]
    head = ("active", "learning", "rows", "sweep", "columns", "rest", "bound", "clocks", "steps/s simulated")
    return _table(
        head,
        (
            (
                _percent(row["active"]),
                _on(row["learning"]),
                *(f"{row[name]:,.0f}" for name in ("rows", "sweep", "columns", "rest", "bound", "clocks")),
                _steps(row["steps_per_second"]),
            )
            for row in chosen
        ),
    )


def neurocorex_table(rows: Sequence[Row]) -> str:
    """Return our clocks at the size of NeuroCoreX, beside those of its every step."""
    head = ("active", "learning", "clocks", "NeuroCoreX", "as many steps per clock")
    return _table(
        head,
        (
            (
                _percent(row["active"]),
                _on(row["learning"]),
                f"{row['clocks']:,.0f}",
                f"{_NEUROCOREX:,}",
                f"{_NEUROCOREX / row['clocks']:,.0f} x",
            )
            for row in rows
            if _is_neurocorex(row)
        ),
    )


def line_table(rows: Sequence[Row]) -> str:
    """Return steps per second of each board by its clock, and as its line carries them with rasters."""
    head = (
        "board",
        "inputs + neurons",
        "clock / MHz",
        "baud",
        "active",
        "words a step",
        "steps/s by the clock",
        "steps/s on the line",
        "nJ a synaptic operation",
    )
    return _table(
        head,
        (
            (
                row["board"],
                f"{row['inputs']} + {row['neurons']}",
                f"{row['clock'] / 1e6:g}",
                f"{row['baud']:,}",
                _percent(row["active"]),
                f"{row['words']:.1f}",
                _steps(row["steps_per_second"]),
                _steps(row["line_steps_per_second"]),
                _range(row["nanojoules"]),
            )
            for row in rows
        ),
    )


def calls_table(rows: Sequence[Row]) -> str:
    """Return what each call of a device costs."""
    return _table(
        ("target", "call", "processor time / us", "steps/s"),
        (
            (row["target"], row["call"], f"{row['microseconds']:.3g}", _steps(row["steps_per_second"]))
            for row in rows
        ),
    )


def startup_table(rows: Sequence[Row]) -> str:
    """Return what it takes to begin."""
    head = ("case", "time / s", "processor time / s", "memory / MB", "loads")
    return _table(
        head,
        (
            (
                row["case"],
                f"{row['wall']:.2f}",
                f"{row['cpu']:.2f}",
                f"{row['memory']:.0f}",
                row["loads"] or "-",
            )
            for row in rows
        ),
    )


def peers_table(rows: Sequence[Row]) -> str:
    """Return steps per second of processor time, a column for each size."""
    sizes = sorted({row["neurons"] for row in rows})
    titles = list(dict.fromkeys(row["title"] for row in rows))
    body = []
    for learning in (True, False):
        for title in titles:
            found = {
                row["neurons"]: row for row in rows if row["title"] == title and row["learning"] == learning
            }
            if found:
                cells = [_steps(found[n]["steps_per_second"]) if n in found else "-" for n in sizes]
                body.append((title, "all" if learning else "none", *cells))
    return _table(("simulator", "synapses that learn", *(f"N = {n}" for n in sizes)), body)


def ratios_table(rows: Sequence[Row]) -> str:
    """Return how many times quicker the quickest target of Synloom is than each other simulator."""
    sizes = sorted({row["neurons"] for row in rows})
    rates = {(r["title"], r["learning"], r["neurons"]): r["steps_per_second"] for r in rows}
    ours = [title for title in ("fast engine", "model") if any(r["title"] == title for r in rows)][:1]
    titles = [t for t in dict.fromkeys(r["title"] for r in rows) if t not in ours]
    body = []
    for learning in (True, False):
        for title in titles:
            pairs = [
                (rates.get((mine, learning, n)), rates.get((title, learning, n)))
                for mine in ours
                for n in sizes
            ]
            if any(other for _, other in pairs):
                cells = [f"{mine / other:.3g} x" if mine and other else "-" for mine, other in pairs]
                body.append((title, "all" if learning else "none", *cells))
    return _table((f"{''.join(ours)} against", "synapses that learn", *(f"N = {n}" for n in sizes)), body)


def batch_table(rows: Sequence[Row]) -> str:
    """Return steps per second of a batch on one core and on two."""
    head = ("target", "networks", "neurons", "steps each", "processes", "time / s", "steps/s", "gain")
    return _table(
        head,
        (
            (
                row["target"],
                row["networks"],
                row["neurons"],
                f"{row['steps']:,}",
                row["processes"],
                f"{row['seconds']:.1f}",
                _steps(row["steps_per_second"]),
                f"{row['gain']:.2f} x",
            )
            for row in rows
        ),
    )


def activity_table(rows: Sequence[Row]) -> str:
    """Return the share of neurons that spiked in a step, as each simulator counted it."""
    sizes = sorted({row["neurons"] for row in rows})
    body = []
    for learning in (True, False):
        for title in dict.fromkeys(row["title"] for row in rows):
            found = {r["neurons"]: r for r in rows if r["title"] == title and r["learning"] == learning}
            if found:
                cells = [f"{100 * found[n]['active']:.3f} %" if n in found else "-" for n in sizes]
                body.append((title, "all" if learning else "none", *cells))
    return _table(("simulator", "synapses that learn", *(f"N = {n}" for n in sizes)), body)


TABLES: Final[dict[str, dict[str, Callable[[Sequence[Row]], str]]]] = {
    "clocks": {
        "bench_clocks": clocks_table,
        "bench_phases": phases_table,
        "bench_neurocorex": neurocorex_table,
    },
    "line": {"bench_line": line_table},
    "calls": {"bench_calls": calls_table},
    "startup": {"bench_startup": startup_table},
    "peers": {
        "bench_peers": peers_table,
        "bench_ratios": ratios_table,
        "bench_activity": activity_table,
    },
    "batch": {"bench_batch": batch_table},
}
"""Tables of each kind of report, by the name that a page's marker gives."""


def tables_of(report: Report) -> dict[str, str]:
    """Return all tables of a report in Markdown, a line break at the end of each."""
    return {name: make(report.rows) for name, make in TABLES[report.kind].items()}


def machine_line(report: Report) -> str:
    """Return one line about the machine and the versions."""
    facts = report.machine
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    return (
        f"{facts['processor']}, {facts['cores']} cores, {facts['memory']} GB, {facts['architecture']}, "
        f"{facts['system']}; {versions}"
    )
