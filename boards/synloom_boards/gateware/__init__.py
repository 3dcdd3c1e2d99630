"""What surrounds the array on a board: clock, reset, LEDs, pins."""
