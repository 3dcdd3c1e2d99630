"""An experiment that is right, small and has a bit of everything, for tests to spoil."""

from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

RIGHT = """\
title = "A bit of everything"

[run]
duration = 40.0
dt = 1.0
seed = 3

[array]
lanes = 4

[inputs.noise]
n = 6
kind = "poisson"
rate = { linear = [50.0, 300.0] }

[inputs.kicks]
n = 3
kind = "spikes"
times = [[1.0, 5.0], [], [2.0]]
bursts = [{ at = [10.0, 20.0], channels = [0, 2], spikes = 2, interval = 3.0 }]

[populations.left]
n = 5
tau_m = 20.0
tau_refrac = 2.0
v_init = { uniform = [-65.0, -52.0] }

[populations.right]
like = "left"
n = 4
theta_plus = 1.0
i_offset = [0.1, 0.2, 0.3, 0.4]

[projections.feed]
from = "noise"
to = "left"
connector = "all_to_all"
weight = { uniform = [0.0, 2.0] }

[projections.feed.plasticity]
rule = "stdp"
A_plus = 0.05
w_max = 2.0

[projections.poke]
from = "kicks"
to = "right"
connector = "list"
pairs = [[0, 0, 9.0], [1, 1, 9.0], [2, 3, 9.0]]

[projections.cross]
from = "left"
to = "right"
connector = "fixed_in_degree"
k = 2
weight = -0.5
delay = 3.0

[[changes]]
at = 20.0
rates = { noise = 400.0 }
offsets = { right = 0.0 }
learning = false

[record]
counts = ["left", "right"]
every = 2.0
state = [
    { of = "left", variable = "v", indices = [0, 4] },
    { of = "right", variable = "v", indices = [1] },
    { of = "noise", variable = "trace", indices = [5] },
]
weights = [{ of = "feed", every = 10.0 }, { of = "cross" }]
"""


def write(folder: Path, *changes: tuple[str, str], text: str = RIGHT) -> Path:
    """Write the experiment with some pieces of its text replaced, each of which must be there once."""
    for old, new in changes:
        assert text.count(old) == 1, (old, text.count(old))
        text = text.replace(old, new)
    path = folder / "experiment.toml"
    path.write_text(text)
    return path
