"""Pins of a board for which there is no Amaranth platform, or whose platform lacks some."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from synloom.base.errors import ParameterError
from synloom.base.wording import one_line

__all__ = ["Pinout", "import_platform"]

_BASES: Final = {
    "ice40": "LatticeICE40Platform",
    "ecp5": "LatticeECP5Platform",
    "gowin": "GowinPlatform",
}


@dataclass(frozen=True, kw_only=True)
class Pinout:
    """The few pins that Synloom needs: all of them with `part`, or those that a platform lacks with `base`.

    Parameters
    ----------
    part : mapping of str to str
        Attributes of Amaranth's platform of the family: device, package and speed, or part and family.
    base : str or type
        An Amaranth platform instead of `part`: its class, or "module:class". The pins that are given take
        the place of the platform's own; all others stay as they are.
    clock, rx, tx : str
        Names of the pins; the FPGA receives on `rx`. A pin of a connector of `base` is "connector_0:pin".
    leds : str
        Names of the LEDs' pins, with spaces between them.
    leds_low : bool
        Whether an LED is lit while its pin is low.
    attributes : mapping of str to str
        Attributes of all these pins, such as the I/O standard.
    led_attributes : mapping of str to str
        Attributes of the LEDs' pins that differ from `attributes`.

    Raises
    ------
    ParameterError
        If both of `part` and `base` are given or none, one of `rx` and `tx` without the other, or with `part`
        not all pins.
    """

    part: Mapping[str, str] = field(default_factory=dict)
    base: str | Callable[[], Any] = ""
    clock: str = ""
    rx: str = ""
    tx: str = ""
    leds: str = ""
    leds_low: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)
    led_attributes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("clock", "rx", "tx", "leds"):
            if not isinstance(value := getattr(self, name), str):
                raise ParameterError(f"Pinout.{name} must be a text such as 'A1', not {value!r}")
        for name in ("part", "attributes", "led_attributes"):
            if not isinstance(value := getattr(self, name), Mapping):
                raise ParameterError(f"Pinout.{name} must map names to texts, not be {value!r}")
        if bool(self.part) == bool(self.base):
            raise ParameterError(
                "a Pinout has either part, the attributes of the FPGA, or base, the platform to which it adds"
            )
        if bool(self.rx) != bool(self.tx):
            raise ParameterError("a Pinout has both rx and tx, or none of them: a serial port has both")
        missing = [name for name in ("clock", "rx", "tx", "leds") if not getattr(self, name)]
        if self.part and missing:
            raise ParameterError(f"a Pinout with part has all pins; it lacks {', '.join(missing)}")

    def platform(self, family: str, clock: str, input_hz: int) -> Any:
        """Return a new Amaranth platform whose clock resource has the given name."""
        import amaranth.vendor

        resources = self._resources(clock, input_hz)
        if self.base:
            platform = import_platform(self.base)
            for resource in resources:
                platform.resources.pop((resource.name, resource.number), None)
            platform.add_resources(resources)
            return platform
        members = {"resources": resources, "connectors": [], "default_clk": clock, **self.part}
        return type("PinoutPlatform", (getattr(amaranth.vendor, _BASES[family]),), members)()

    def _resources(self, clock: str, input_hz: int) -> list[Any]:
        """Return the resources of the pins that are given."""
        from amaranth.build import Attrs, Clock, Pins, Resource, Subsignal

        attributes = Attrs(**self.attributes)
        resources = []
        if self.clock:
            pins = Pins(self.clock, dir="i")
            resources.append(Resource(clock, 0, pins, Clock(float(input_hz)), attributes))
        if self.rx:
            rx = Subsignal("rx", Pins(self.rx, dir="i"))
            tx = Subsignal("tx", Pins(self.tx, dir="o"))
            resources.append(Resource("uart", 0, rx, tx, attributes))
        led_attributes = Attrs(**{**self.attributes, **self.led_attributes})
        for number, pin in enumerate(self.leds.split()):
            pins = Pins(pin, dir="o", invert=self.leds_low)
            resources.append(Resource("led", number, pins, led_attributes))
        return resources


def import_platform(platform: str | Callable[[], Any]) -> Any:
    """Return a new platform of a class, or of the class that "module:class" names.

    Raises
    ------
    ModuleNotFoundError
        If the module, or one that it imports, is not installed.
    ParameterError
        If the name has another form, the module has no such class, or the class cannot be used.
    """
    kind = _imported(platform) if isinstance(platform, str) else platform
    try:
        made = kind()
    except Exception as error:
        raise ParameterError(f"the platform {platform!r} cannot be made: {one_line(str(error))}") from error
    if not hasattr(made, "prepare") or not hasattr(made, "resources"):
        raise ParameterError(f"{platform!r} is no Amaranth platform")
    return made


def _imported(name: str) -> Any:
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise ParameterError(f"a platform is named 'module:class', not {name!r}")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError:
        raise
    except AttributeError:
        raise ParameterError(f"the module {module!r} has no platform {attribute!r}") from None
    except Exception as error:
        raise ParameterError(
            f"the module {module!r} cannot be imported: {type(error).__name__}: {one_line(str(error))}"
        ) from error
