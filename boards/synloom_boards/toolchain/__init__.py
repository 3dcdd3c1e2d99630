"""The open tools: yosys, nextpnr, the packers and openFPGALoader, and the checks of what they made."""
