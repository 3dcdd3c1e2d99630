"""Changes that make any board's array so small that it is elaborated quickly."""

__all__ = ["SMALL"]

SMALL = {
    "inputs": 16,
    "neurons": 16,
    "lanes": 1,
    "neuron_lanes": 1,
    "state_bits": 12,
    "trace_bits": 8,
    "accumulator_bits": 10,
    "delay_slots": 2,
    "segments": 2,
    "probes": 1,
    "record_words": 256,
    "event_words": 16,
    "counter_bits": 16,
    "generators": False,
    "spike_counters": False,
}
