"""Pair STDP against NEST's stdp_synapse, for 161 time differences from -80 to 80 ms."""

import numpy as np
import pytest

from synloom import (
    LIF,
    STDP,
    AllToAll,
    ArrayParams,
    InputPopulation,
    Network,
    OneToOne,
    Population,
    Projection,
    compile,
    connect,
)

pytestmark = pytest.mark.oracle

REPEATS = 256
"""Targets that see the same pairs. Stochastic rounding is right on average: the standard error of the mean of
256 changes is at most 0.03 LSB, far below the bar; a single change is off by up to 1 LSB."""
DRIVE = 20.0
"""Weight in mV that fires a neuron at once."""
W_MAX = DRIVE / 128
"""In mV; as far below DRIVE as the array's scales of one target allow, so that weights use all of 127 LSB."""
A_PLUS, A_MINUS, TAU_PLUS, TAU_MINUS = 0.1, 0.12, 20.0, 15.0
BAR = 0.4
"""In LSB of an 8-bit weight; the largest changes are about 14 LSB with additive bounds, 7 with soft ones."""
DIFFERENCES = np.arange(-80, 81)


def synloom_changes(dt, bounds, axonal, dendritic):
    """Mean change by one pair of each difference, (161,), the LSB and the weight before, all in mV.

    Each source is a neuron that fires once; all targets fire in one step. The difference is between the
    arrival of the target's spike and that of the source's at the synapse, `dendritic` and `axonal` steps
    after each fired.
    """
    post = round(100 / dt)
    pre = post + dendritic - axonal - np.rint(DIFFERENCES / dt).astype(int)
    assert pre.min() > 0
    network = Network(dt=dt, seed=3)
    drive = network.add(InputPopulation(len(pre), spike_times=(pre[:, None] * dt).tolist(), label="drive"))
    teacher = network.add(InputPopulation(1, spike_times=[[post * dt]], label="teacher"))
    cell = LIF(tau_syn_E=0.0, tau_syn_I=0.0)
    sources = network.add(Population(len(pre), cell, label="sources"))
    targets = network.add(Population(REPEATS, cell, label="targets"))
    network.add(Projection(drive, sources, OneToOne(), weight=DRIVE))
    network.add(Projection(teacher, targets, AllToAll(), weight=DRIVE))
    rule = STDP(
        A_plus=A_PLUS,
        A_minus=A_MINUS,
        tau_plus=TAU_PLUS,
        tau_minus=TAU_MINUS,
        w_max=W_MAX,
        bounds=bounds,
        rounding="stochastic",
    )
    network.add(
        Projection(
            sources,
            targets,
            AllToAll(),
            weight=W_MAX / 2,
            delay=(axonal + dendritic) * dt,
            dendritic=dendritic / (axonal + dendritic),
            plasticity=rule,
            label="w",
        )
    )
    image = compile(
        network,
        ArrayParams(
            inputs=len(pre) + 1, neurons=len(pre) + REPEATS, dendritic_delays=dendritic > 0, event_words=4096
        ),
    )
    device = connect("model", image)
    device.record("sources")
    device.record("targets")
    before = device.read_weights("w")
    assert np.ptp(before) == 0.0
    lsb = float(before[0, 0]) / int(device.read_weights("w", raw=True)[0, 0])
    recording = device.run(float(post * dt + 100.0))
    assert (recording.counts("sources") == 1).all()
    assert (recording.counts("targets") == 1).all()
    changes = (device.read_weights("w") - before).mean(axis=1)
    return changes, lsb, float(before[0, 0])


@pytest.mark.parametrize(("axonal", "dendritic"), [(1, 0), (3, 0), (0, 1), (0, 3), (2, 3)])
@pytest.mark.parametrize("bounds", ["additive", "soft"])
@pytest.mark.parametrize("dt", [1.0, 0.1])
def test_a_pair_changes_a_weight_as_in_nest(nest_runs, dt, bounds, axonal, dendritic):
    changes, lsb, weight = synloom_changes(dt, bounds, axonal, dendritic)
    # NEST's delay is all dendritic and at least a step: where the array's is not, the target spikes earlier.
    # An axonal delay is a source that spikes later.
    delay = max(dendritic, 1)
    post = round(100 / dt)
    pre = post + delay - np.rint(DIFFERENCES / dt).astype(int)
    mu = float(bounds == "soft")
    rule = {
        "tau_plus": TAU_PLUS,
        "tau_minus": TAU_MINUS,
        "lambda": A_PLUS,
        "alpha": A_MINUS / A_PLUS,
        "mu_plus": mu,
        "mu_minus": mu,
        "Wmax": W_MAX,
    }
    wanted = nest_runs.pair_weights(pre, post, delay, dt, weight, rule) - weight
    # A pair that meets in one step: NEST counts it neither way, the array counts it as pre before post.
    meets = DIFFERENCES == 0
    assert wanted[meets] == 0.0
    wanted[meets] = A_PLUS * (W_MAX - weight if mu else W_MAX)
    error = np.abs(changes - wanted) / lsb
    print(f"dt {dt:g} ms, {bounds}, axonal {axonal}, dendritic {dendritic}: {error.max():.3f} LSB at most")
    assert np.abs(wanted).max() / lsb > 5.0
    assert error.max() <= BAR, DIFFERENCES[error > BAR]
