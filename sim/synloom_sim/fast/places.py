"""Places of values in the flat arrays that the compiled loop reads and writes."""

from __future__ import annotations

from typing import Final

from synloom.contract.registers import CONTROL_REGISTERS, COUNTERS

__all__ = [
    "ACC_SATURATIONS",
    "A_NEGATIVE",
    "BACK",
    "BIAS",
    "CHAIN",
    "CHUNKS",
    "CHUNK_COUNT",
    "COLUMN_PASSES",
    "CONTROL_WORDS",
    "COUNTED",
    "CURSOR",
    "DECAY_M",
    "DECAY_SHIFT",
    "DELAY",
    "EVENTS_INVALID",
    "EVENTS_LATE",
    "EVENTS_MERGED",
    "EXISTS",
    "FIRED",
    "FIRST",
    "FIRST_EVENT",
    "GAIN",
    "GEN_RNG",
    "GEN_WORDS",
    "GROUPS",
    "HI",
    "HOP",
    "INTEGRATE",
    "LAST",
    "LEARN_RNG",
    "LIST",
    "LO",
    "MODE",
    "NEAREST",
    "NEURON_FIELDS",
    "NEURON_M",
    "NEURON_SHIFT",
    "NOW",
    "ONE_X",
    "ONE_Y",
    "PLASTIC",
    "PROBE_COUNT",
    "PROBE_EVERY",
    "PROBE_WAIT",
    "RECORDED",
    "RECORD_TIME",
    "REFRACTORY",
    "REGISTERS",
    "RESET",
    "REWARD",
    "REWARDED",
    "ROW_PASSES",
    "SEGMENT_FIELDS",
    "SHIFT",
    "SOFT",
    "SOURCE_FIELDS",
    "SPIKES",
    "STATE_SATURATIONS",
    "STEPS",
    "STOCHASTIC",
    "SUBTRACT",
    "SWEEP_COUNT",
    "T0",
    "TARGET_FIELDS",
    "THR",
    "TH_STEP",
    "TRACE_SATURATIONS",
    "WAITING_EVENTS",
    "WAITING_PROBES",
    "WEIGHT_CLIPS",
    "W_MAX",
    "W_MIN",
    "X_LIST",
    "Y_LIST",
    "A",
]

REGISTERS: Final = tuple(
    name
    for name, register in CONTROL_REGISTERS.items()
    if register.writable and name not in ("learn_rng", "gen_rng", "period")
)
"""The registers at the beginning of the control array, in this order."""

NOW: Final = REGISTERS.index("now")
SWEEP_COUNT: Final = REGISTERS.index("sweep_count")
GEN_WORDS: Final = REGISTERS.index("gen_words")
X_LIST: Final = REGISTERS.index("x_list")
Y_LIST: Final = REGISTERS.index("y_list")
ONE_X: Final = REGISTERS.index("one_x")
ONE_Y: Final = REGISTERS.index("one_y")
REWARD: Final = REGISTERS.index("reward")
MODE: Final = REGISTERS.index("mode")
PROBE_COUNT: Final = REGISTERS.index("probe_count")
PROBE_EVERY: Final = REGISTERS.index("probe_every")
PROBE_WAIT: Final = REGISTERS.index("probe_wait")

FIRST_EVENT: Final = len(REGISTERS)
"""Where the first word of the event queue is."""
WAITING_EVENTS: Final = FIRST_EVENT + 1
"""How many words the event queue has."""
CURSOR: Final = FIRST_EVENT + 2
"""The step of the next events."""
RECORDED: Final = FIRST_EVENT + 3
"""How many words the record buffer has."""
RECORD_TIME: Final = FIRST_EVENT + 4
"""The time that the record stream has reached."""
FIRED: Final = FIRST_EVENT + 5
"""How many neurons fired in the last step."""
WAITING_PROBES: Final = FIRST_EVENT + 6
"""Whether the last step waits for a record of probes that the loop cannot read."""
CONTROL_WORDS: Final = FIRST_EVENT + 7

LEARN_RNG: Final = 0
GEN_RNG: Final = 1

COUNTED: Final = tuple(COUNTERS)
"""The counters, in this order."""

STEPS: Final = COUNTED.index("steps")
ROW_PASSES: Final = COUNTED.index("row_passes")
COLUMN_PASSES: Final = COUNTED.index("column_passes")
CHUNK_COUNT: Final = COUNTED.index("chunks")
SPIKES: Final = COUNTED.index("spikes")
ACC_SATURATIONS: Final = COUNTED.index("acc_saturations")
STATE_SATURATIONS: Final = COUNTED.index("state_saturations")
TRACE_SATURATIONS: Final = COUNTED.index("trace_saturations")
WEIGHT_CLIPS: Final = COUNTED.index("weight_clips")
EVENTS_LATE: Final = COUNTED.index("events_late")
EVENTS_MERGED: Final = COUNTED.index("events_merged")
EVENTS_INVALID: Final = COUNTED.index("events_invalid")

# Columns of the segments.
LO: Final = 0
HI: Final = 1
FIRST: Final = 2
GROUPS: Final = 3
CHUNKS: Final = 4
SHIFT: Final = 5
PLASTIC: Final = 6
A: Final = 7
T0: Final = 8
W_MIN: Final = 9
W_MAX: Final = 10
A_NEGATIVE: Final = 11
SOFT: Final = 12
STOCHASTIC: Final = 13
REWARDED: Final = 14
DECAY_M: Final = 15
DECAY_SHIFT: Final = 16
LAST: Final = 17
SEGMENT_FIELDS: Final = 18

# Columns of the sources, and the first two of the targets: -1 for no list and for no next row.
LIST: Final = 0
NEAREST: Final = 1
CHAIN: Final = 2
HOP: Final = 3
EXISTS: Final = 4
SOURCE_FIELDS: Final = 5

DELAY: Final = 2
BACK: Final = 3
TARGET_FIELDS: Final = 4

# Rows of the neurons; a gain for each current; coefficients and shifts of theta, both currents and V.
THR: Final = 0
RESET: Final = 1
BIAS: Final = 2
TH_STEP: Final = 3
REFRACTORY: Final = 4
SUBTRACT: Final = 5
INTEGRATE: Final = 6
GAIN: Final = 7
NEURON_M: Final = 9
NEURON_SHIFT: Final = 13
NEURON_FIELDS: Final = 17
