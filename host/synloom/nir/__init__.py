"""NIR, the neuromorphic intermediate representation: networks from and to other frameworks (docs/nir.md)."""

from synloom.nir.exporting import to_nir
from synloom.nir.importing import NirImport, from_nir

__all__ = ["NirImport", "from_nir", "to_nir"]
