"""Targets by name: from a word to a device."""

from __future__ import annotations

from typing import Any

from synloom.contract.params import ArrayParams
from synloom.device import Device
from synloom.errors import ParameterError, TargetError
from synloom.image import Image

__all__ = ["connect"]


def connect(
    target: str = "model", image_or_params: Image | ArrayParams | None = None, **options: Any
) -> Device:
    """Connect to a target.

    Parameters
    ----------
    target : str
        ``"model"``: the NumPy model, in process.
    image_or_params : Image or ArrayParams, optional
        The array that a target which can be any array shall be; of an image its array is taken, and the image
        is loaded.

    Raises
    ------
    TargetError
        If there is no such target.
    """
    if target != "model" or options:
        raise TargetError(f"there is no target {target!r} with options {sorted(options)}; try 'model'")
    from synloom_sim.port import ModelPort

    if isinstance(image_or_params, Image):
        device = Device(ModelPort(image_or_params.params))
        device.load(image_or_params)
        return device
    if image_or_params is not None and not isinstance(image_or_params, ArrayParams):
        raise ParameterError(f"image_or_params must be an Image or ArrayParams, not {image_or_params!r}")
    return Device(ModelPort(image_or_params or ArrayParams()))
