"""The model behind the port interface that all targets share."""

from __future__ import annotations

from synloom.contract.params import ArrayParams
from synloom_sim.model import ArrayModel
from synloom_sim.software_port import SoftwarePort

__all__ = ["ModelPort"]


class ModelPort(SoftwarePort):
    """A port to an `ArrayModel`.

    Parameters
    ----------
    params : ArrayParams
        The array to model.
    """

    def __init__(self, params: ArrayParams):
        super().__init__(lambda: ArrayModel(params))
