"""A network that learns digits in the array: compile, show images, learn with STDP, test.

The learning rule and the evaluation of the unsupervised form follow Diehl and Cook 2015. The code is the
same for all targets. While the network learns, the host only sends rates (of the pixels, and of the teacher
if there is one) and the global reward factor.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import numpy as np

from synloom.base.checks import FloatArray, IntArray
from synloom.base.errors import ParameterError
from synloom.base.progress import Progress
from synloom.compiler import compile
from synloom.contract.params import ArrayParams
from synloom.demo.data import CLASSES, PIXELS, Digits, contrast_rates
from synloom.demo.readout import accuracy, names_of, shares_by_response, shares_by_teacher, vote
from synloom.demo.settings import FORMS, DigitSettings
from synloom.device.device import Device
from synloom.image.image import Image
from synloom.network.cells import LIF
from synloom.network.connectors import AllToAll, FromMatrix
from synloom.network.distributions import Uniform
from synloom.network.inputs import PoissonInput, RegularInput
from synloom.network.network import Network, Population, Projection
from synloom.network.plasticity import TraceTarget

__all__ = ["Outcome", "build", "compile_digits", "learn", "teacher_classes"]

_CHANNELS: Final = 2 * PIXELS
_ALWAYS_HZ: Final = 1000.0
_RATE_BITS: Final = 8
_REPORT_EVERY: Final = 8
_RANGE_MV: Final = 1000.0
"""Untrained neurons may all fire at once and then inhibit each other very strongly."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """The results of one form of the experiment on one target.

    Parameters
    ----------
    form : str
        ``"supervised"`` or ``"unsupervised"``.
    spike_steps, spike_neurons : (K,) int64
        Step since the start, and neuron, of every spike of training and test.
    steps, test_start : int
        Number of steps, and the first step of the test.
    look_ms : int
        Duration of one test image, ms; a step is 1 ms.
    weights : (128, N) int8
        The learned weights as the array holds them, -127..127.
    shares : (N, 10) float64
        Share of each neuron's vote for each class.
    predicted, labels : (images,) int64
        Predicted and true class of each test image.
    silent : int
        Test images for which no neuron fired.
    clocks : int
        Clocks of the array spent in steps; 0 if it has no clock.
    seconds : float
        Duration, including compilation.
    losses : dict
        Counters of clipped or dropped values that are not 0.
    """

    form: str
    spike_steps: IntArray
    spike_neurons: IntArray
    steps: int
    test_start: int
    look_ms: int
    weights: np.ndarray[tuple[int, ...], np.dtype[np.int8]]
    shares: FloatArray
    predicted: IntArray
    labels: IntArray
    silent: int
    clocks: int
    seconds: float
    losses: dict[str, int]

    @property
    def accuracy(self) -> float:
        """Share of the test images that were classified correctly."""
        return accuracy(self.predicted, self.labels)

    @property
    def names(self) -> IntArray:
        """The class of each neuron, (N,) int64; -1 if it never spiked."""
        return names_of(self.shares)


def teacher_classes(neurons: int) -> IntArray:
    """Return the class that the teacher assigns to each neuron, (N,) int64: equal numbers, in order.

    Raises
    ------
    ParameterError
        If `neurons` is not a multiple of 10.
    """
    if neurons % CLASSES:
        raise ParameterError(f"neurons must be a multiple of {CLASSES}, not {neurons}")
    return np.repeat(np.arange(CLASSES, dtype=np.int64), neurons // CLASSES)


def build(settings: DigitSettings, *, supervised: bool, seed: int) -> Network:
    """Return the network of one form (docs/digits.md).

    Parameters
    ----------
    settings : DigitSettings
        The parameters.
    supervised : bool
        Whether there is a teacher.
    seed : int
        Seed of the initial weights and of stochastic rounding.
    """
    network = Network(dt=1.0, seed=seed)
    pixels = network.add(RegularInput(_CHANNELS, label="pixels"))
    metronome = network.add(RegularInput(1, rate=1000.0 / settings.show_ms, label="metronome"))
    cell = LIF(
        tau_m=settings.tau_m,
        tau_syn_E=0.0,
        tau_syn_I=0.0,
        v_rest=0.0,
        v_thresh=settings.threshold,
        v_reset=settings.threshold - settings.fall,
        reset_mode="subtract",
    )
    cortex = network.add(Population(settings.neurons, cell, label="cortex", v_range=_RANGE_MV))
    rule = TraceTarget(
        A=settings.A,
        tau=settings.tau_trace,
        target=settings.target,
        w_min=-1.0,
        w_max=1.0,
        bounds="soft",
        pairing="nearest",
        reward=True,
    )
    start = Uniform(settings.w_low, settings.w_high)
    network.add(Projection(pixels, cortex, AllToAll(), weight=start, plasticity=rule, label="sight"))
    others = AllToAll(allow_self_connections=False)
    network.add(Projection(cortex, cortex, others, weight=-settings.rivalry, label="rivalry"))
    network.add(Projection(metronome, cortex, AllToAll(), weight=-settings.blank, label="blank"))
    if supervised:
        teacher = network.add(PoissonInput(CLASSES, label="teacher"))
        classes = teacher_classes(settings.neurons)
        other = classes[None, :] != np.arange(CLASSES)[:, None]
        lesson = FromMatrix(np.where(other, -settings.teacher, np.nan))
        network.add(Projection(teacher, cortex, lesson, label="lesson"))
    return network


def learn(
    device: Device,
    digits: Digits,
    settings: DigitSettings,
    *,
    supervised: bool,
    seed: int = 0,
    progress: Progress | None = None,
) -> Outcome:
    """Run one form of the experiment: compile, load, train, test.

    Parameters
    ----------
    device : Device
        Any target; its image is replaced.
    digits : Digits
        The images.
    settings : DigitSettings
        The parameters of the network.
    supervised : bool
        Train with a teacher; otherwise labels only assign classes to neurons after training.
    seed : int
        Seed of all random numbers.
    progress : callable, optional
        Called as ``progress(what, share)``.
    """
    started = time.perf_counter()
    image = compile_digits(settings, device.params, supervised=supervised, seed=seed)
    run = _Run(device, image, digits, settings, supervised, progress)
    counts, labels = run.train(np.random.default_rng([seed, int(supervised)]))
    if supervised:
        shares = shares_by_teacher(teacher_classes(settings.neurons))
    else:
        shares = shares_by_response(counts, labels)
    test_start = run.steps
    answers = run.test()
    counters = device.counters()
    return Outcome(
        form=FORMS[0] if supervised else FORMS[1],
        spike_steps=np.concatenate(run.spike_steps),
        spike_neurons=np.concatenate(run.spike_neurons),
        steps=run.steps,
        test_start=test_start,
        look_ms=settings.looks * settings.show_ms,
        weights=device.read_weights("sight", raw=True),
        shares=shares,
        predicted=vote(answers, shares, settings.vote_power),
        labels=digits.test_labels,
        silent=int((answers.sum(axis=1) == 0).sum()),
        clocks=counters["busy_clocks"],
        seconds=time.perf_counter() - started,
        losses=counters.losses,
    )


def compile_digits(
    settings: DigitSettings, params: ArrayParams | None = None, *, supervised: bool, seed: int = 0
) -> Image:
    """Return the compiled network; `Image.report` lists the quantisation errors."""
    return compile(build(settings, supervised=supervised, seed=seed), params)


class _Run:
    """Shows images one after the other, and records all spikes."""

    def __init__(
        self,
        device: Device,
        image: Image,
        digits: Digits,
        settings: DigitSettings,
        supervised: bool,
        progress: Progress | None,
    ):
        self.device = device
        self.digits = digits
        self.settings = settings
        self.supervised = supervised
        self.progress = progress
        self.form = FORMS[0] if supervised else FORMS[1]
        self.steps = 0
        self.spike_steps: list[IntArray] = []
        self.spike_neurons: list[IntArray] = []
        self._shown = 0
        self._images = settings.epochs * len(digits.train) + len(digits.test)
        self._reward = 1.0
        device.load(image)

    def train(self, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """Show the training part; return the spike counts (images, N) and labels of the last epoch."""
        digits, settings = self.digits, self.settings
        rates = contrast_rates(digits.train, digits.mean, settings.strength_hz)
        n, epochs = len(rates), settings.epochs
        self.device.set_learning(True)
        for epoch in range(epochs):
            order = rng.permutation(n)
            counts = np.zeros((n, settings.neurons), dtype=np.int64)
            for k, index in enumerate(order):
                self._cool((epoch * n + k) / (epochs * n))
                if self.supervised:
                    lesson = _ALWAYS_HZ * (np.arange(CLASSES) == digits.train_labels[index])
                    self.device.set_rates("teacher", lesson, bits=_RATE_BITS)
                counts[k] = self._show(rates[index], f"learning, epoch {epoch + 1} of {epochs}")
        return counts, digits.train_labels[order]

    def test(self) -> IntArray:
        """Show the test part without teacher and learning; return the spike counts, (images, N) int64."""
        self.device.set_learning(False)
        if self.supervised:
            self.device.set_rates("teacher", 0.0, bits=_RATE_BITS)
        rates = contrast_rates(self.digits.test, self.digits.mean, self.settings.strength_hz)
        return np.stack([self._show(row, "testing", self.settings.looks) for row in rates])

    def _cool(self, share: float) -> None:
        """Lower the learning rate exponentially, in steps of 1/256 of the reward register."""
        end = self.settings.A_end / self.settings.A
        reward = round(256.0 * end**share) / 256.0
        if reward != self._reward:
            self.device.set_reward(reward)
            self._reward = reward

    def _show(self, rates: FloatArray, what: str, looks: int = 1) -> IntArray:
        self.device.set_rates("pixels", rates, bits=_RATE_BITS)
        recording = self.device.run(float(looks * self.settings.show_ms))
        self.spike_steps.append(recording.spike_steps["cortex"])
        self.spike_neurons.append(recording.spike_indices["cortex"])
        self.steps += recording.steps
        self._shown += 1
        if self.progress is not None and (self._shown % _REPORT_EVERY == 0 or self._shown == self._images):
            self.progress(f"{self.form}: {what}", self._shown / self._images)
        return recording.counts("cortex")
