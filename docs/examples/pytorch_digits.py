"""A network of spiking neurons that learns digits in plain PyTorch, and is written as a NIR graph.

Needs torch, nir and scikit-learn beside Synloom:

    python docs/examples/pytorch_digits.py --out digits.nir

Spikes have no derivative; learning takes that of a steep sigmoid (surrogate gradients: Neftci, Mostafa and
Zenke 2019, *IEEE Signal Processing Magazine* 36, 51).
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import nir
import numpy as np
import torch

from synloom.data import Rate
from synloom.demo.data import load_digits, validation_split

DT = 1.0
"""Time step, ms."""
STEPS = 24
"""Steps that an image is shown."""
HIDDEN = 256
TAU = 10.0
"""Membrane time constant, ms."""
KEEP = float(np.exp(-DT / TAU))
"""What a step leaves of the potential."""
EPOCHS, BATCH = 60, 64


def spikes_of(images: np.ndarray) -> torch.Tensor:
    """Return the input spikes of images, (n, STEPS, 64): at even intervals, white is one in two steps."""
    encoder = Rate(steps=STEPS, most=0.5, regular=True)
    return torch.tensor(np.stack([encoder(image) for image in images]), dtype=torch.float32)


class Spike(torch.autograd.Function):
    """1 above 0, else 0; backwards the slope of a fast sigmoid."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, v: torch.Tensor) -> torch.Tensor:
        """Return where V is above the threshold."""
        ctx.save_for_backward(v)
        return (v > 0.0).float()

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: torch.Tensor) -> torch.Tensor:
        """Return the gradient, as if the step had been a slope."""
        (v,) = ctx.saved_tensors
        return gradient / (1.0 + 5.0 * v.abs()) ** 2


class Digits(torch.nn.Module):
    """64 inputs, a layer of spiking neurons, and ten that answer with their numbers of spikes."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(64, HIDDEN, bias=False)
        self.second = torch.nn.Linear(HIDDEN, 10, bias=False)

    def forward(self, spikes: torch.Tensor, drop: float = 0.0) -> torch.Tensor:
        """Return how often each of the ten neurons fires, (n, 10)."""
        n = len(spikes)
        hidden, out, counts = torch.zeros(n, HIDDEN), torch.zeros(n, 10), torch.zeros(n, 10)
        keep = (torch.rand(n, HIDDEN) >= drop).float() / (1.0 - drop)
        for t in range(spikes.shape[1]):
            hidden = KEEP * hidden + self.first(spikes[:, t])
            fired = Spike.apply(hidden - 1.0)
            hidden = hidden - fired
            out = KEEP * out + self.second(fired * keep)
            answers = Spike.apply(out - 1.0)
            out = out - answers
            counts = counts + answers
        return counts


def train(images: np.ndarray, labels: np.ndarray, seed: int, epochs: int) -> Digits:
    """Return a network that has learned the images."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = Digits()
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    targets = torch.tensor(labels)
    for _ in range(epochs):
        noisy = np.clip(images + rng.normal(0.0, 0.08, images.shape), 0.0, 1.0)
        spikes, order = spikes_of(noisy), torch.randperm(len(images))
        for k in range(0, len(order), BATCH):
            part = order[k : k + BATCH]
            loss = torch.nn.functional.cross_entropy(0.5 * network(spikes[part], 0.2), targets[part])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        schedule.step()
    return network


def accuracy(network: Digits, images: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of images that are named right."""
    with torch.no_grad():
        return float((network(spikes_of(images)).argmax(1).numpy() == labels).mean())


def graph_of(network: Digits) -> nir.NIRGraph:
    """Return the network as NIR: r makes a spike of weight 1 raise the potential by 1."""

    def neurons(n: int) -> nir.LIF:
        ones = np.ones(n)
        return nir.LIF(tau=TAU / 1000.0 * ones, r=ones / (1.0 - KEEP), v_leak=0.0 * ones, v_threshold=ones)

    weights = [layer.weight.detach().numpy() for layer in (network.first, network.second)]
    nodes = {
        "input": nir.Input(np.array([64])),
        "first": nir.Linear(weights[0]),
        "hidden": neurons(HIDDEN),
        "second": nir.Linear(weights[1]),
        "digit": neurons(10),
        "output": nir.Output(np.array([10])),
    }
    names = list(nodes)
    return nir.NIRGraph(nodes, list(pairwise(names)))


def main() -> None:
    """Train, print the accuracy, and write the graph."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="file to write, such as digits.nir")
    parser.add_argument("--validate", type=int, metavar="SEED", help="train on 3/4 of the training part")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    options = parser.parse_args()
    digits = load_digits()
    if options.validate is not None:
        digits = validation_split(digits, options.validate)
    network = train(digits.train, digits.train_labels, options.seed, options.epochs)
    print(f"training images: {100 * accuracy(network, digits.train, digits.train_labels):.2f} %")
    what = "test" if options.validate is None else "validation"
    print(f"{what} images: {100 * accuracy(network, digits.test, digits.test_labels):.2f} %")
    if options.out is not None:
        nir.write(options.out, graph_of(network))


if __name__ == "__main__":
    main()
