"""How the blocks work together in each phase of a step."""
