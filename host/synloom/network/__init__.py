"""What a user describes, in SI units: populations, inputs, connectors, projections, learning rules."""
