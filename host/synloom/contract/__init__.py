"""What gateware, models and host must both know, written once: sizes, formats, words, addresses."""

from synloom.contract.params import SEMANTICS_VERSION, ArrayParams

__all__ = ["SEMANTICS_VERSION", "ArrayParams"]
