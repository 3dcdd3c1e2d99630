"""The USB devices that are plugged in, as Linux lists them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["UsbDevice", "usb_devices"]

_DEVICES: Final = Path("/sys/bus/usb/devices")


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """One USB device.

    Attributes
    ----------
    identity : str
        "vendor:product", four hex digits each.
    title : str
        What it calls itself; may be empty.
    place : str
        Its bus and its ports, such as "1-2.3".
    """

    identity: str
    title: str
    place: str


def usb_devices(root: Path = _DEVICES) -> list[UsbDevice] | None:
    """Return the USB devices, hubs among them; None if the system does not tell.

    Parameters
    ----------
    root : Path
        The folder in which the system lists them.
    """
    try:
        folders = sorted(root.iterdir())
    except OSError:
        return None
    found = []
    for folder in folders:
        vendor, product = _text(folder / "idVendor"), _text(folder / "idProduct")
        if vendor and product:
            title = " ".join(filter(None, (_text(folder / "manufacturer"), _text(folder / "product"))))
            found.append(UsbDevice(f"{vendor}:{product}".lower(), title, folder.name))
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
