"""Data in and out: encoders, and spikes in the forms of the field (docs/data.md)."""

from synloom.data.encoders import Delta, Encoder, Latency, Levels, Phase, Rate, Receptive
from synloom.data.events import AddressMap, pairs_of_raster, raster_of_pairs, read_pairs, write_pairs

__all__ = [
    "AddressMap",
    "Delta",
    "Encoder",
    "Latency",
    "Levels",
    "Phase",
    "Rate",
    "Receptive",
    "pairs_of_raster",
    "raster_of_pairs",
    "read_pairs",
    "write_pairs",
]
