"""Gateware of Synloom: Amaranth components, one a file, joined in `top`."""
