"""From a board to its bitstream: elaboration, build, cache, report and stamp."""
