"""What is put around the array on a board: clock, reset, LEDs, pins."""
