"""How bad a line is: a rate for each kind of fault, and the text that says it."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass, fields
from typing import Any, Final, Self

from synloom.base.errors import ParameterError
from synloom.base.wording import shown

__all__ = ["PRESETS", "Faults"]

_LARGEST_SKEW: Final = 0.1
_LARGEST_SEED: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Rates of the faults of a line, each from 0 (never) to 1 (always); both directions have them.

    Parameters
    ----------
    flips : float
        For each byte: one of its bits changes.
    drops : float
        For each byte: it is lost.
    duplicates : float
        For each byte: it comes twice.
    garbage : float
        For each byte: 1 to 8 random bytes come before it.
    damage : float
        For each frame: it is damaged in one of the ways above or below, taken at random, anywhere in it.
    losses : float
        For each frame: it is lost as a whole.
    repeats : float
        For each frame: it comes twice.
    truncations : float
        For each frame: its end is lost, with the flag that closes it.
    delays : float
        For each frame: it, and all that follows it, comes after the reader has given up waiting once.
    replays : float
        For each frame: one of the last 60 frames of its direction comes again after it. No cable does that.
    stalls : float
        For each read: nothing comes, and the board does not go on.
    resets : float
        For each write to the board: the board is switched off and on before it. Simulated boards only.
    glitches : float
        For each bit to the board's pin: it is inverted for one clock. ``sim-pins`` only.
    framing : float
        For each character to the board: its stop bit is 0. ``sim-pins`` only.
    skew : float
        Relative error of the host's bit length, -0.1 to 0.1; 0.02 sends bits that are 2 % too long.
        ``sim-pins`` only.
    seed : int
        The same seed, faults and traffic give the same faults.

    Raises
    ------
    ParameterError
        If a rate is not a number from 0 to 1, or the seed is no whole number from 0 to 2**63 - 1.
    """

    flips: float = 0.0
    drops: float = 0.0
    duplicates: float = 0.0
    garbage: float = 0.0
    damage: float = 0.0
    losses: float = 0.0
    repeats: float = 0.0
    truncations: float = 0.0
    delays: float = 0.0
    replays: float = 0.0
    stalls: float = 0.0
    resets: float = 0.0
    glitches: float = 0.0
    framing: float = 0.0
    skew: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        if (
            isinstance(self.seed, bool)
            or not isinstance(self.seed, int)
            or not 0 <= self.seed <= _LARGEST_SEED
        ):
            raise ParameterError(f"seed must be a whole number in 0..{_LARGEST_SEED}, not {shown(self.seed)}")
        for name in _RATES:
            value = getattr(self, name)
            least, most = (-_LARGEST_SKEW, _LARGEST_SKEW) if name == "skew" else (0.0, 1.0)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or not least <= value <= most:
                raise ParameterError(f"{name} must be a number in {least:g}..{most:g}, not {shown(value)}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the faults of a text such as ``flips=1e-4&drops=1e-4&seed=3`` or ``faults=light&seed=7``.

        Parameters
        ----------
        text : str
            ``name=value``, joined by ``&``. ``faults`` names one of `PRESETS`; others replace its rates.

        Raises
        ------
        ParameterError
            If a name is unknown or comes twice, or a value is wrong.
        """
        given: dict[str, str] = {}
        for part in text.split("&"):
            name, equals, value = part.partition("=")
            if not equals or not name or not value:
                raise ParameterError(
                    f"faults must be name=value, joined by &, such as flips=1e-4&seed=3; {shown(part)} is not"
                )
            if name in given:
                raise ParameterError(f"{shown(name)} stands twice in the faults {shown(text)}; leave one out")
            given[name] = value
        preset = given.pop("faults", None)
        if preset is not None and preset not in PRESETS:
            raise ParameterError(f"there are no faults {shown(preset)}; there are: {', '.join(PRESETS)}")
        values: dict[str, Any] = dict(PRESETS[preset]) if preset is not None else {}
        return cls(**{**values, **_numbers(given)})

    @property
    def at_pins(self) -> bool:
        """Whether there are faults that only a line with pins has."""
        return bool(self.glitches or self.framing or self.skew)

    def __str__(self) -> str:
        given = [f"{name}={getattr(self, name):g}" for name in _RATES if getattr(self, name)]
        return "&".join([*given, f"seed={self.seed}"])


_RATES: Final = tuple(field.name for field in fields(Faults) if field.name != "seed")

PRESETS: Final[dict[str, dict[str, float]]] = {
    "light": {"flips": 1e-5, "drops": 1e-5, "garbage": 1e-5, "damage": 1e-3, "stalls": 1e-3},
    "heavy": {"flips": 1e-4, "drops": 1e-4, "garbage": 1e-4, "damage": 1e-2, "delays": 1e-3, "stalls": 1e-2},
}
"""Faults by name: a cable that is a little bad, and one that is very bad."""


def _numbers(given: dict[str, str]) -> dict[str, float | int]:
    values: dict[str, float | int] = {}
    for name, text in given.items():
        if name not in (*_RATES, "seed"):
            near = difflib.get_close_matches(name, (*_RATES, "seed", "faults"), 1)
            raise ParameterError(
                f"there is no fault {shown(name)}{f' (is it {near[0]!r}?)' if near else ''}; there are: "
                f"{', '.join(_RATES)}; and seed and faults"
            )
        try:
            value = int(text) if name == "seed" else float(text)
        except ValueError:
            kind = "a whole number" if name == "seed" else "a number"
            raise ParameterError(f"{name} must be {kind}, not {shown(text)}") from None
        # No float is as large as some whole numbers.
        if isinstance(value, float) and not math.isfinite(value):
            raise ParameterError(f"{name} must be a finite number, not {shown(text)}")
        values[name] = value
    return values
