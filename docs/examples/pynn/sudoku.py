"""A Sudoku of 4 x 4, solved by groups of neurons that compete (Habenschuss, Jonke and Maass 2013 did so).

Each digit of each cell has a group of neurons, which noise keeps active; groups that contradict each other,
in a cell, a row, a column or a box, inhibit each other. Clues get a current. After some hundred ms the groups
that are left are those of the solution.

python -m synloom.pynn docs/examples/pynn/sudoku.py synloom
python docs/examples/pynn/sudoku.py nest
"""

import numpy as np
from pyNN.utility import get_simulator

sim, options = get_simulator(("--ms", "length of the run", {"type": float, "default": 2000.0}))

PUZZLE = ["1...", "..3.", ".4..", "...2"]
SIDE, BOX, SIZE, BIN = 4, 2, 5, 100.0  # SIZE neurons a group; answers are read every BIN ms

sim.setup(timestep=1.0, min_delay=1.0, spike_precision="on_grid")
row, column, digit = (k.ravel() for k in np.indices((SIDE, SIDE, SIDE)))
box = row // BOX * BOX + column // BOX
alike = [a[:, None] == a[None, :] for a in (row, column, digit, box)]
cell_is_same = alike[0] & alike[1]
contradicts = np.where(cell_is_same, ~alike[2], alike[2] & (alike[0] | alike[1] | alike[3]))
clue = np.array([PUZZLE[r][c] == str(d + 1) for r, c, d in zip(row, column, digit, strict=True)])

neurons = len(clue) * SIZE
cell = sim.IF_curr_exp(tau_m=20.0, cm=0.25, v_rest=-65.0, v_reset=-65.0, v_thresh=-50.0, tau_refrac=2.0,
                       tau_syn_E=5.0, tau_syn_I=10.0)  # fmt: skip
groups = sim.Population(neurons, cell, label="groups")
rng = sim.NumpyRNG(seed=5)
groups.initialize(v=sim.RandomDistribution("uniform", low=-65.0, high=-50.0, rng=rng))
groups.set(i_offset=np.repeat(np.where(clue, 0.5, 0.15), SIZE))
noise = sim.Population(neurons, sim.SpikeSourcePoisson(rate=40.0), label="noise")
sim.Projection(noise, groups, sim.OneToOneConnector(), sim.StaticSynapse(weight=0.5, delay=1.0),
               receptor_type="excitatory")  # fmt: skip

whole = np.ones((SIZE, SIZE), dtype=bool)
inhibits = sim.ArrayConnector(np.kron(contradicts, whole).astype(bool))
supports = sim.ArrayConnector(np.kron(np.eye(len(clue), dtype=bool), whole).astype(bool))
sim.Projection(
    groups, groups, inhibits, sim.StaticSynapse(weight=-0.04, delay=2.0), receptor_type="inhibitory"
)
sim.Projection(
    groups, groups, supports, sim.StaticSynapse(weight=0.02, delay=2.0), receptor_type="excitatory"
)
groups.record("spikes")
sim.run(options.ms)

trains = groups.get_data().segments[0].spiketrains
bins = np.arange(0.0, options.ms + BIN, BIN)
counts = np.array([np.histogram(np.asarray(train.magnitude), bins)[0] for train in trains])
by_digit = counts.reshape(SIDE, SIDE, SIDE, SIZE, -1).sum(axis=3)
answers = by_digit.argmax(axis=2) + 1  # (row, column, bin)


def is_right(answer):
    """Whether each row, column and box has each digit once, and the clues are kept."""
    lines = [*answer, *answer.T, *answer.reshape(BOX, BOX, BOX, BOX).swapaxes(1, 2).reshape(SIDE, SIDE)]
    kept = all(PUZZLE[r][c] in (".", str(answer[r, c])) for r in range(SIDE) for c in range(SIDE))
    return kept and all(sorted(line) == list(range(1, SIDE + 1)) for line in lines)


solved = [is_right(answers[:, :, k]) for k in range(answers.shape[2])]
first = solved.index(True) if any(solved) else None
print(f"{options.simulator}: " + ("not solved" if first is None else f"solved after {bins[first + 1]:g} ms"))
for line in answers[:, :, -1]:
    print(" ".join(map(str, line)))
print(f"right in {sum(solved)} of {len(solved)} bins of {BIN:g} ms")
sim.end()
