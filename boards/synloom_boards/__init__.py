"""Open FPGA boards: one file a board."""
