"""An array with an image in it: targets, runs, recorders, counters, state and weights in SI units."""
