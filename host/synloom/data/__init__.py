"""Data in and out: encoders, spikes in the forms of the field, tables (docs/data.md)."""

from synloom.data.encoders import Delta, Encoder, Latency, Levels, Phase, Rate, Receptive

__all__ = ["Delta", "Encoder", "Latency", "Levels", "Phase", "Rate", "Receptive"]
