"""Delays of single synapses against a plain event loop: every arrival in its step, and no other."""

import numpy as np
import pytest
from small_networks import open_model

import synloom as sl

STEPS = 400


def counter(**changes):
    """Neurons that add up what arrives, and never fire."""
    return sl.LIF(tau_m=np.inf, tau_syn_E=0.0, tau_syn_I=0.0, v_rest=0.0, v_reset=0.0, **changes)


def arrivals(spikes, synapses, n_post):
    """The event loop: what arrives at each target in each step, (STEPS, n_post)."""
    found = np.zeros((STEPS, n_post))
    for source, targets in synapses.items():
        for time in spikes.get(source, ()):
            for target, delay in targets:
                if time + delay < STEPS:
                    found[time + delay, target] += 1
    return found


def drawn(rng, n_pre, n_post, count, least):
    """Random pairs with random delays: a connector and a matrix of delays."""
    pairs = rng.choice(n_pre * n_post, count, replace=False)
    pre, post = np.divmod(pairs, n_post)
    delays = np.full((n_pre, n_post), float(least))
    delays[pre, post] = rng.integers(max(least, 1), 101, count)
    matrix = np.full((n_pre, n_post), np.nan)
    matrix[pre, post] = 1.0
    synapses = {i: [(int(j), int(delays[i, j])) for j in post[pre == i]] for i in range(n_pre)}
    return sl.FromMatrix(matrix), delays, synapses


def received(device, *populations):
    """Run; return what arrived in each step at each population: the change of the potential, in weights."""
    before = [np.zeros(p.n) for p in populations]
    seen = [np.zeros((STEPS, p.n), dtype=int) for p in populations]
    for t in range(STEPS):
        device.step()
        for k, population in enumerate(populations):
            v = device.read_state(population)["v"]
            seen[k][t] = np.rint(v - before[k])
            before[k] = v
    return seen


@pytest.mark.parametrize("slots", [None, 16, 4], ids=["as needed", "16 slots", "4 slots"])
@pytest.mark.parametrize("kind", ["events", "generators", "neurons"])
def test_a_thousand_random_delays_arrive_in_their_steps(kind, slots):
    rng = np.random.default_rng(3)
    n_pre, n_post = 25, 50
    connector, delays, synapses = drawn(rng, n_pre, n_post, 1000, int(kind == "neurons"))
    network = sl.Network(dt=1.0, seed=1)
    times = [sorted(rng.choice(250, 6, replace=False).tolist()) for _ in range(n_pre)]
    targets = sl.Population(n_post, counter(v_thresh=1e4), label="targets")
    if kind == "generators":
        sources = network.add(sl.RegularInput(n_pre, rate=rng.uniform(5.0, 60.0, n_pre), label="sources"))
    else:
        sources = network.add(sl.InputPopulation(n_pre, spike_times=times, label="sources"))
    if kind == "neurons":
        inputs = sources
        sources = network.add(sl.Population(n_pre, counter(v_thresh=1.0), label="relays"))
        network.add(sl.Projection(inputs, sources, sl.OneToOne(), weight=2.0))
    network.add(targets)
    network.add(sl.Projection(sources, targets, connector, delay=delays))
    # A second look at the same sources, with no delay of their own.
    watch = network.add(sl.Population(n_pre, counter(v_thresh=1e4), label="watch"))
    network.add(sl.Projection(sources, watch, sl.OneToOne(), weight=1.0))
    params = None
    if slots is not None:
        params = sl.compile(network).params.replace(delay_slots=slots, axons=2000)
    device = open_model(network, params)
    found, seen = received(device, targets, watch)
    first = int(kind == "neurons")
    spikes = {i: (np.flatnonzero(seen[:, i]) - first).tolist() for i in range(n_pre)}
    if kind == "events":
        assert spikes == dict(enumerate(times))
    assert sum(map(len, spikes.values())) >= 100
    np.testing.assert_array_equal(found, arrivals(spikes, synapses, n_post))


def test_an_endless_delay_is_refused_at_once():
    network = sl.Network(dt=1.0)
    cells = network.add(sl.Population(100, sl.LIF(), label="cells"))
    network.add(sl.Projection(cells, cells, sl.OneToOne(), weight=1.0, delay=1e6))
    # Its 3,922 axons fit for one neuron, not for a hundred.
    with pytest.raises(sl.CapacityError, match=r"a delay of 1,000,000 steps needs an axon for each 255 of"):
        sl.compile(network)
    network.projections[0] = sl.Projection(cells, cells, sl.OneToOne(), weight=1.0, delay=2e9)
    with pytest.raises(sl.CapacityError, match=r"a delay of 2,000,000,000 steps"):
        sl.compile(network)
