"""Pins of a board for which there is no Amaranth platform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Pinout"]

_BASES = {
    "ice40": "LatticeICE40Platform",
    "ecp5": "LatticeECP5Platform",
    "gowin": "GowinPlatform",
}


@dataclass(frozen=True, kw_only=True)
class Pinout:
    """The few pins that Synloom needs.

    Parameters
    ----------
    part : mapping of str to str
        Attributes of Amaranth's platform of the family: device, package and speed, or part and family.
    clock, rx, tx : str
        Names of the pins; the FPGA receives on `rx`.
    leds : str
        Names of the LEDs' pins, with spaces between them.
    leds_low : bool
        Whether an LED is lit while its pin is low.
    attributes : mapping of str to str
        Attributes of all pins, such as the I/O standard.
    """

    part: Mapping[str, str]
    clock: str
    rx: str
    tx: str
    leds: str
    leds_low: bool
    attributes: Mapping[str, str] = field(default_factory=dict)

    def platform(self, family: str, clock: str, input_hz: int) -> Any:
        """Return a new Amaranth platform whose clock resource has the given name."""
        import amaranth.vendor
        from amaranth.build import Attrs, Clock, Pins, Resource, Subsignal

        attributes = Attrs(**self.attributes)
        resources = [
            Resource(clock, 0, Pins(self.clock, dir="i"), Clock(float(input_hz)), attributes),
            Resource(
                "uart",
                0,
                Subsignal("rx", Pins(self.rx, dir="i")),
                Subsignal("tx", Pins(self.tx, dir="o")),
                attributes,
            ),
        ]
        for number, pin in enumerate(self.leds.split()):
            resources.append(Resource("led", number, Pins(pin, dir="o", invert=self.leds_low), attributes))
        members = {"resources": resources, "connectors": [], "default_clk": clock, **self.part}
        return type("PinoutPlatform", (getattr(amaranth.vendor, _BASES[family]),), members)()
