"""The power of the boards' FPGAs, as ranges with their sources: estimates, not measurements.

Power is a static part and a dynamic part. The dynamic part is the logic in use, times the clock, times what
one cell takes at full toggle (it changes in every clock), times the share of that which a design reaches. All
measurements below but those of the iCE40UP5K were made at the supply of a whole board, regulators included.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from synloom.base.errors import ParameterError

__all__ = ["TOGGLE", "Power", "power_of"]

TOGGLE: Final = (0.05, 0.25)
"""Share of full toggle: vendors' estimators begin with 0.125 for unknown designs."""

_TOGGLED: Final = "power of registers at full toggle, 22 boards: github.com/targeted/fpga-reg-power"


@dataclass(frozen=True, slots=True)
class Power:
    """What an FPGA takes.

    Parameters
    ----------
    static : tuple of float
        Least and most static power, W.
    cell : float
        One cell at full toggle, W per Hz of its clock.
    source : str
        Where the figures come from.
    """

    static: tuple[float, float]
    cell: float
    source: str

    def watts(self, cells: int, clock_hz: float) -> tuple[float, float]:
        """Return the least and the most power in W of a design with so many cells at a clock."""
        full = self.cell * cells * clock_hz
        return self.static[0] + TOGGLE[0] * full, self.static[1] + TOGGLE[1] * full


_POWERS: Final = {
    "iCE40UP5K": Power(
        # 85.6 uA at 1.219 V for a blank design; with the PLL and its clock, without logic, about 1.5 mA.
        (0.1e-3, 1.9e-3),
        # iCE40HX1K: 29.4 mW for 1,280 registers at 25 MHz.
        0.92e-12,
        f"static: rails of an iCE40UP5K, github.com/tinyvision-ai-inc/ice40_power; {_TOGGLED} (iCE40HX1K)",
    ),
    "LFE5U-25F": Power(
        # 77 mA at 1.1 V typical; 0.147 W is a whole OrangeCrab at rest.
        (0.085, 0.147),
        # 557.9 mW for 24,288 registers at 100 MHz.
        0.230e-12,
        f"static: standby current, FPGA-DS-02012 (ECP5 data sheet); {_TOGGLED} (LFE5U-25F)",
    ),
    "LFE5U-85F": Power(
        # 0.202 W is a whole ULX3S at rest; 212 mA at 1.1 V typical is more than that.
        (0.202, 0.233),
        # 2,102.1 mW for 83,640 registers at 100 MHz.
        0.251e-12,
        f"static: standby current, FPGA-DS-02012 (ECP5 data sheet); {_TOGGLED} (LFE5U-85F)",
    ),
    "GW1NR": Power(
        # 0.402 W is a whole TEC0117 at rest; how much of that is the FPGA is not known.
        (0.0, 0.402),
        # 845.4 mW for 6,480 registers at 100 MHz.
        1.30e-12,
        f"{_TOGGLED} (GW1NR-9; static: its board at rest at most)",
    ),
    "GW2AR": Power(
        # 0.855 W is a whole DK_START board at rest.
        (0.0, 0.855),
        # 1,775.8 mW for 15,550 registers at 100 MHz.
        1.14e-12,
        f"{_TOGGLED} (GW2A-18; static: its board at rest at most)",
    ),
}
"""By the beginning of the chip's name."""


def power_of(chip: str) -> Power:
    """Return the power of a chip.

    Raises
    ------
    ParameterError
        If there is no figure for it.
    """
    for name, power in _POWERS.items():
        if chip.startswith(name):
            return power
    raise ParameterError(f"there is no power figure for {chip}; figures are there for {', '.join(_POWERS)}")
