"""What differs between FPGAs: families of cells, PLLs, pins."""
