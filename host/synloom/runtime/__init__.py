"""What a device does while a network runs: events in, records out."""
