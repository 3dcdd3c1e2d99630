"""Synloom: a neuromorphic FPGA emulator and its host SDK."""
