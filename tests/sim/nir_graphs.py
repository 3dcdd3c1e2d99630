"""Graphs of NIR for tests."""

from itertools import pairwise

import nir
import numpy as np


def chain(**nodes):
    """Return a graph whose nodes follow each other in the order given."""
    names = list(nodes)
    return nir.NIRGraph(nodes, list(pairwise(names)), type_check=False)


def lif(n=1, **changes):
    values = {"tau": 0.01, "r": 1.0, "v_leak": 0.0, "v_threshold": 0.1} | changes
    return nir.LIF(**{name: np.full(n, value) for name, value in values.items()})


def cuba(n, seed, **changes):
    values = {"tau_mem": 1e-3, "tau_syn": 3e-4, "r": 8.0, "v_leak": 0.0, "v_threshold": 1.0, "w_in": 3.0}
    return nir.CubaLIF(**{name: np.full(n, value) for name, value in (values | changes).items()})


def small(**changes):
    """Return input, weights, LIF and output of sizes 2, 3."""
    nodes = {
        "input": nir.Input(np.array([2])),
        "w": nir.Linear(np.array([[0.5, 1.0], [1.0, -0.5], [0.25, 0.75]])),
        "cells": lif(3),
        "output": nir.Output(np.array([3])),
    }
    return chain(**(nodes | changes))


def recurrent(inputs=6, hidden=12, outputs=4, seed=0, bias=True):
    """Return a recurrent CubaLIF layer and a readout, with the names of the published Braille graphs."""
    rng = np.random.default_rng(seed)

    def affine(n, m, scale):
        weight = rng.normal(0.0, scale, (n, m))
        return nir.Affine(weight, rng.normal(0.0, 0.1, n)) if bias else nir.Linear(weight)

    nodes = {
        "input": nir.Input(np.array([inputs])),
        "fc1": affine(hidden, inputs, 0.4),
        "lif1.lif": cuba(hidden, seed),
        "lif1.w_rec": affine(hidden, hidden, 0.25),
        "fc2": affine(outputs, hidden, 0.5),
        "lif2": cuba(outputs, seed, tau_mem=4e-4),
        "output": nir.Output(np.array([outputs])),
    }
    edges = [
        ("input", "fc1"),
        ("fc1", "lif1.lif"),
        ("lif1.lif", "lif1.w_rec"),
        ("lif1.w_rec", "lif1.lif"),
        ("lif1.lif", "fc2"),
        ("fc2", "lif2"),
        ("lif2", "output"),
    ]
    return nir.NIRGraph(nodes, edges, type_check=False)
