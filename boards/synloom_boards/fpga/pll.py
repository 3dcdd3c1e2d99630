"""PLL settings that make a frequency, by the vendors' formulas and limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Final

from synloom.base.errors import ParameterError

__all__ = ["SOLVERS", "PllSetting", "solve"]

_TOLERANCE: Final = Fraction(1, 50)
_MHZ: Final = 1_000_000
_ROOM: Final = Fraction(1, 20)
"""Least distance of the oscillator and the phase detector from a limit, as a share of it."""
_ICE40_FILTERS: Final = ((17, 1), (26, 2), (44, 3), (66, 4), (101, 5), (134, 6))
_GOWIN_OUTPUTS: Final = (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)


@dataclass(frozen=True, slots=True)
class PllSetting:
    """One setting of a PLL.

    Parameters
    ----------
    primitive : str
        The vendor's name of the cell.
    parameters : mapping of str to int or str
        Its parameters.
    frequency : Fraction
        The exact output frequency, in Hz.
    comparison : Fraction
        Frequency at the phase detector, in Hz; the higher it is, the less jitter.
    oscillator : Fraction
        Frequency of the voltage-controlled oscillator, in Hz.
    """

    primitive: str
    parameters: Mapping[str, int | str]
    frequency: Fraction
    comparison: Fraction
    oscillator: Fraction

    @property
    def hz(self) -> int:
        """The output frequency, in whole Hz."""
        return round(self.frequency)


def solve(solver: str, input_hz: int, wanted_hz: int) -> PllSetting:
    """Return the setting whose output is nearest to a frequency, with room to the vendor's limits.

    The frequencies of the oscillator and of the phase detector stay 5 % away from their limits: a setting on
    a limit has nothing left for the tolerance of the input clock.

    Parameters
    ----------
    solver : str
        Key in `SOLVERS`.
    input_hz, wanted_hz : int
        Frequency of the input, and the one wanted at the output.

    Raises
    ------
    ParameterError
        If no setting comes within 2 % of `wanted_hz`; the message gives the nearest frequency.
    """
    settings = list(SOLVERS[solver](Fraction(input_hz)))
    if not settings:
        raise ParameterError(f"the PLL cannot work with a clock of {input_hz / _MHZ:g} MHz")
    best = min(
        settings, key=lambda s: (abs(s.frequency - wanted_hz), -s.comparison, abs(s.oscillator - 600 * _MHZ))
    )
    if abs(best.frequency - wanted_hz) > _TOLERANCE * wanted_hz:
        raise ParameterError(
            f"the PLL cannot make {wanted_hz / _MHZ:g} MHz from {input_hz / _MHZ:g} MHz; "
            f"the nearest is clock_hz = {best.hz}"
        )
    return best


def _within(low: int, value: Fraction, high: int) -> bool:
    """Return whether a frequency in Hz is between two in MHz."""
    return low * _MHZ <= value <= high * _MHZ


def _inside(low: int, value: Fraction, high: int) -> bool:
    """Return whether a frequency in Hz is between two in MHz, with room to both."""
    return low * _MHZ * (1 + _ROOM) <= value <= high * _MHZ * (1 - _ROOM)


def _ice40(clock: Fraction) -> Iterator[PllSetting]:
    """SB_PLL40 with simple feedback (Lattice FPGA-TN-02052)."""
    for divr in range(16):
        comparison = clock / (divr + 1)
        if not _inside(10, comparison, 133):
            continue
        filter_range = next(number for limit, number in _ICE40_FILTERS if comparison < limit * _MHZ)
        for divf in range(128):
            oscillator = comparison * (divf + 1)
            if not _inside(533, oscillator, 1066):
                continue
            for divq in range(1, 7):
                frequency = oscillator / (1 << divq)
                if _within(16, frequency, 275):
                    parameters = {
                        "FEEDBACK_PATH": "SIMPLE",
                        "DIVR": divr,
                        "DIVF": divf,
                        "DIVQ": divq,
                        "FILTER_RANGE": filter_range,
                    }
                    yield PllSetting("SB_PLL40_PAD", parameters, frequency, comparison, oscillator)


def _ecp5(clock: Fraction) -> Iterator[PllSetting]:
    """EHXPLLL that feeds CLKOP back, and whose output is CLKOS (Lattice FPGA-TN-02200)."""
    for divider in range(1, 129):
        comparison = clock / divider
        if not _inside(10, comparison, 400):
            continue
        for multiple in range(1, 129):
            oscillator = comparison * multiple
            if not _inside(400, oscillator, 800):
                continue
            for output in range(1, 129):
                parameters = {
                    "CLKI_DIV": divider,
                    "CLKFB_DIV": 1,
                    "CLKOP_DIV": multiple,
                    "CLKOP_CPHASE": multiple // 2,
                    "CLKOP_FPHASE": 0,
                    "CLKOP_ENABLE": "ENABLED",
                    "CLKOS_DIV": output,
                    "CLKOS_CPHASE": multiple // 2,
                    "CLKOS_FPHASE": 0,
                    "CLKOS_ENABLE": "ENABLED",
                    "FEEDBK_PATH": "CLKOP",
                    "PLLRST_ENA": "DISABLED",
                    "INTFB_WAKE": "DISABLED",
                    "STDBY_ENABLE": "DISABLED",
                    "DPHASE_SOURCE": "DISABLED",
                    "OUTDIVIDER_MUXA": "DIVA",
                    "OUTDIVIDER_MUXB": "DIVB",
                    "OUTDIVIDER_MUXC": "DIVC",
                    "OUTDIVIDER_MUXD": "DIVD",
                }
                yield PllSetting("EHXPLLL", parameters, oscillator / output, comparison, oscillator)


def _gowin(
    clock: Fraction, *, device: str, comparisons: int, oscillators: tuple[int, int]
) -> Iterator[PllSetting]:
    """RPLL with internal feedback (Gowin UG286, and the device's data sheet for the limits)."""
    for divider in range(1, 65):
        comparison = clock / divider
        if not _inside(3, comparison, comparisons):
            continue
        for feedback in range(1, 65):
            frequency = comparison * feedback
            for output in _GOWIN_OUTPUTS:
                oscillator = frequency * output
                if _inside(oscillators[0], oscillator, oscillators[1]):
                    parameters = {
                        "DEVICE": device,
                        "FCLKIN": f"{float(clock / _MHZ):g}",
                        "IDIV_SEL": divider - 1,
                        "FBDIV_SEL": feedback - 1,
                        "ODIV_SEL": output,
                        "DYN_IDIV_SEL": "false",
                        "DYN_FBDIV_SEL": "false",
                        "DYN_ODIV_SEL": "false",
                        "DYN_DA_EN": "false",
                        "PSDA_SEL": "0000",
                        "DUTYDA_SEL": "1000",
                        "CLKFB_SEL": "internal",
                        "CLKOUT_BYPASS": "false",
                        "CLKOUTP_BYPASS": "false",
                        "CLKOUTD_BYPASS": "false",
                        "CLKOUTD_SRC": "CLKOUT",
                        "CLKOUTD3_SRC": "CLKOUT",
                        "DYN_SDIV_SEL": 2,
                    }
                    yield PllSetting("rPLL", parameters, frequency, comparison, oscillator)


SOLVERS: Final[Mapping[str, Callable[[Fraction], Iterator[PllSetting]]]] = {
    "ice40": _ice40,
    "ecp5": _ecp5,
    "gw1nr-9": partial(_gowin, device="GW1NR-9C", comparisons=400, oscillators=(400, 1200)),
    "gw2ar-18": partial(_gowin, device="GW2AR-18C", comparisons=500, oscillators=(500, 1250)),
}
"""For each kind of PLL: a function from the input frequency to all settings inside the vendor's limits."""
