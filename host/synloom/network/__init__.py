"""Networks in SI units: populations, inputs, connectors, projections, learning rules."""
