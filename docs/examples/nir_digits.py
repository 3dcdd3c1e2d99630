"""The digits network that was trained in PyTorch (pytorch_digits.py), from its NIR file to an array.

    python docs/examples/nir_digits.py --target sim

prints the share of test images that are named right, in floating point and on the target.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import nir
import numpy as np

import synloom as sl
from synloom.data import Rate
from synloom.demo.data import load_digits

GRAPH = Path(__file__).with_name("digits.nir")
STEPS = 24
ENCODER = Rate(steps=STEPS, most=0.5, regular=True)


def answers_of_floats(images: np.ndarray) -> np.ndarray:
    """Return what the network answers in float64, as in training: (n,) digits."""
    graph = nir.read(GRAPH)
    first, second = graph.nodes["first"].weight, graph.nodes["second"].weight
    neurons = graph.nodes["hidden"]
    keep = np.exp(-0.001 / neurons.tau[0])
    spikes = np.stack([ENCODER(image) for image in images]).astype(np.float64)
    hidden, out = np.zeros((len(images), len(first))), np.zeros((len(images), len(second)))
    counts = np.zeros_like(out)
    for t in range(STEPS):
        hidden = keep * hidden + spikes[:, t] @ first.T
        fired = hidden > 1.0
        hidden -= fired
        out = keep * out + fired @ second.T
        answers = out > 1.0
        out -= answers
        counts += answers
    return counts.argmax(axis=1)


def answers_of(target: str, images: np.ndarray) -> np.ndarray:
    """Return what the network answers on a target: (n,) digits."""
    network = sl.from_nir(GRAPH, dt=1.0, reset="subtract").network
    answers = []
    with sl.connect(target, sl.compile(network)) as device:
        for image in images:
            device.reset()
            # A spike takes one step to the second layer.
            counts = device.present({"input": ENCODER(image)}, STEPS + 1.0)["digit"]
            answers.append(counts.argmax())
    return np.array(answers)


def main() -> None:
    """Print both accuracies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="software", help="as in synloom.connect; default: software")
    parser.add_argument("--images", type=int, help="the first test images; default: all 594")
    options = parser.parse_args()
    digits = load_digits()
    images, labels = digits.test[: options.images], digits.test_labels[: options.images]
    floats, answers = answers_of_floats(images), answers_of(options.target, images)
    print(f"float: {100 * (floats == labels).mean():.2f} % of {len(labels)} test images")
    share, differ = 100 * (answers == labels).mean(), (answers != floats).sum()
    print(f"{options.target}: {share:.2f} %; {differ} answers differ")


if __name__ == "__main__":
    main()
