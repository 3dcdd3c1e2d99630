"""On-chip noise as a network sees it: coincidences of Poisson channels come as often as chance makes them."""

from math import comb

import numpy as np
from small_networks import open_model

import synloom as sl

CHANNELS, RATE, SECONDS = 64, 5.0, 60
SIGMA = 4.5
"""Chance exceeds this once in 150,000 tests."""


def tail(least):
    """The probability that at least so many channels spike in one step, if they are independent."""
    p = RATE / 1000.0
    return sum(comb(CHANNELS, k) * p**k * (1 - p) ** (CHANNELS - k) for k in range(least, CHANNELS + 1))


def fired():
    """How often detectors of each size fire; a detector forgets its potential within a step."""
    network = sl.Network(dt=1.0, seed=5)
    channels = network.add(sl.PoissonInput(CHANNELS, rate=RATE))
    cell = sl.LIF(tau_m=0.01, tau_syn_E=0.0, v_rest=0.0, v_reset=-1.0, v_thresh=np.array([0.5, 1.5, 2.5]))
    detectors = network.add(sl.Population(3, cell, v_range=64.0))
    network.add(sl.Projection(channels, detectors, sl.AllToAll(), weight=1.0))
    return open_model(network).run(1000.0 * SECONDS).counts(detectors)


def test_detectors_of_coincidences_fire_as_often_as_chance_says():
    counts = fired()
    steps = 1000 * SECONDS
    for count, least in zip(counts, (1, 2, 3), strict=True):
        expected = steps * tail(least)
        assert abs(count - expected) < SIGMA * np.sqrt(expected), (least, count, expected)


def test_channels_that_share_spikes_would_be_seen():
    """Pairs of channels that share an eighth of their spikes, as those two apart once did."""
    rng = np.random.default_rng(1)
    steps, p = 1000 * SECONDS, RATE / 1000.0
    raster = rng.random((steps, CHANNELS)) < p
    shared = np.roll(raster, 2, axis=1) & (rng.random((steps, CHANNELS)) < 1 / 8)
    together = int(((raster | shared).sum(axis=1) >= 2).sum())
    expected = steps * tail(2)
    assert together - expected > 5 * SIGMA * np.sqrt(expected)
