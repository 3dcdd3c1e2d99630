"""`python -m synloom_sim.accuracy`: measure all cases and print the tables of docs/accuracy.md."""

from __future__ import annotations

from synloom_sim.accuracy.cases import CASES, Case, LearningDistance, measure, measure_nir
from synloom_sim.accuracy.distance import Distance

__all__ = ["main"]

_SPIKES = "spikes | alone | shift max | shift mean | V error max / mV | V error rms / mV"


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _header(titles: str) -> str:
    return f"| {titles} |\n" + "|---" * (titles.count("|") + 1) + "|"


def _distance(apart: Distance) -> tuple[object, ...]:
    return (
        apart.spikes,
        apart.unmatched,
        apart.shift_max,
        f"{apart.shift_mean:.4f}",
        f"{apart.v_max:.2g}",
        f"{apart.v_rms:.2g}",
    )


def _learned(learned: LearningDistance) -> tuple[str, ...]:
    return tuple(
        f"{100 * value:.2f}" for value in (learned.moved, learned.error_mean, learned.error_max, learned.bias)
    )


def _name(case: Case) -> tuple[object, ...]:
    return case.name, f"{case.dt:g}", f"{case.tau_m:g}", case.state_bits


def main() -> None:
    """Print the tables, in Markdown."""
    print(_header(f"case | dt / ms | tau_m / ms | state bits | range / mV | {_SPIKES}"))
    learning: list[tuple[Case, LearningDistance]] = []
    for case in CASES:
        found = measure(case)
        if found.learned is None:
            print(_row(*_name(case), f"{found.v_range:.0f}", *_distance(found.apart)), flush=True)
        else:
            learning.append((case, found.learned))
    print()
    print(
        _header(
            "case | dt / ms | tau_m / ms | state bits | moved / % | error mean / % | error max / % | bias / %"
        )
    )
    for case, learned in learning:
        print(_row(*_name(case), *_learned(learned)))
    print()
    print(_header(f"NIR trace | state bits | {_SPIKES}"))
    for state_bits in (24, 16, 12):
        to_published, to_reference = measure_nir(state_bits)
        print(_row("published, exact in time", state_bits, *_distance(to_published)))
        print(_row("float reference on the grid", state_bits, *_distance(to_reference)))


if __name__ == "__main__":
    main()
