"""Energies in text: a range in the unit that fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from synloom.device.cost import Cost

__all__ = ["energy_line", "range_text"]

_UNITS: Final = ((1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"), (1e-12, "p"))


def range_text(values: tuple[float, float], unit: str) -> str:
    """Return a range with two digits, such as "2.4 to 13 nJ"."""
    most = max(values)
    scale, prefix = next((entry for entry in _UNITS if most >= entry[0]), _UNITS[-1])
    low, high = (f"{float(f'{value / scale:.2g}'):g}" for value in values)
    return f"{low if low == high else f'{low} to {high}'} {prefix}{unit}"


def energy_line(cost: Cost) -> str:
    """Return the energy of a run on each board that holds its network, in one line."""
    parts = []
    for board in cost.boards.values():
        if not board.lacks:
            each = f" ({range_text(board.joules_per_operation, 'J')} an operation)"
            has = cost.synaptic_operations > 0
            parts.append(f"{board.board} {range_text(board.joules, 'J')}{each if has else ''}")
    return "; ".join(parts) or "no board's default array holds the network"
