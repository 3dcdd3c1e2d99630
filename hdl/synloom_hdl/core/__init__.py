"""The array itself: loom, lanes, neurons, stimulus, recorder and the sequencer that plays a step."""
