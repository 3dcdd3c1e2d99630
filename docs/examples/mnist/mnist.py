"""MNIST by STDP: 256 neurons compete for 4,000 handwritten digits, with and without a teacher.

The rule and the naming of neurons follow Diehl and Cook 2015. See README.md beside this file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Picture

import synloom as sl
from synloom.demo.data import Digits, contrast_rates
from synloom.demo.example import ARRAY, Example, Figure, Trial, lost_events
from synloom.demo.mnist import load_mnist, scaled, upright
from synloom.demo.pictures import CLASS_COLOURS, DIVERGING, INK, new_picture
from synloom.demo.readout import accuracy, confusion, log_shares, names_of, shares_by_response, vote
from synloom_boards.arrays import LFE5U_25F, UP5K

SHOW_MS = 16
GAINS = (1.0, 1.3, 1.7, 2.2, 2.9, 3.8, 5.0, 7.0)
"""How much brighter an image is shown, one after the other, until neurons answer (Diehl and Cook 2015)."""
ENOUGH = 5
"""Spikes that are an answer, as there."""
MOST_HZ = 1000.0


@dataclass(frozen=True, kw_only=True)
class Form:
    """What fits one board: the array, and settings that were searched on a part of the learning images."""

    array: sl.ArrayParams
    side: int = 14
    neurons: int = 256
    teacher: float = 0.0
    epochs: int = 3
    bounds: str = "soft"
    strength: float = 2600.0
    tau_m: float = 4.8
    threshold: float = 16.5
    fall: float = 0.7
    rivalry: float = 2.6
    blank: float = 40.0
    A: float = 0.1
    A_end: float = 0.02
    tau: float = 0.9
    target: float = 0.18
    w_low: float = 0.25
    w_high: float = 0.7
    looks: int = 2
    upright: bool = True

    @property
    def generators(self) -> bool:
        """Whether the array makes the spikes of an image itself; else the host sends them."""
        return self.array.generators


ECP5_85F = sl.ArrayParams(
    inputs=416, neurons=256, lanes=16, neuron_lanes=2, state_bits=18, adaptation=False, clock_hz=65_000_000
)
SMALL = {"side": 11, "bounds": "additive", "A_end": 0.02, "rivalry": 3.6}
PART_25F = {"A": 0.0366, "target": 0.19, "w_low": 0.36, "w_high": 0.65, "threshold": 18.9, "epochs": 5}
PART_UP5K = {"A": 0.06, "target": 0.2, "w_low": 0.13, "threshold": 16.7, "fall": 0.88}
WITH_TEACHER = {"A": 0.06, "teacher": 11.0}
A_25F = LFE5U_25F.replace(inputs=256, neurons=176)
FORMS = {
    "85F": Form(array=ECP5_85F, tau_m=5.3),
    "85F, teacher": Form(array=ECP5_85F, neurons=250, teacher=11.0),
    "85F, slanted": Form(array=ECP5_85F, tau_m=5.3, upright=False),
    "25F": Form(array=A_25F, neurons=176, **SMALL, **PART_25F),
    "25F, teacher": Form(array=A_25F, neurons=170, **SMALL, **WITH_TEACHER),
    "iCEBreaker": Form(array=UP5K, **SMALL, **PART_UP5K),
    "iCEBreaker, teacher": Form(array=UP5K, neurons=250, **SMALL, **WITH_TEACHER),
}
CENTRES = {
    "k-means, 256 centres": (256, True),
    "k-means, 256 centres, slanted": (256, False),
    "k-means, 176 centres": (176, True),
}
"""Baselines: how many centres, and whether the images are upright."""
SHORT = Form(array=ARRAY, side=8, neurons=100, epochs=1)


def network(form: Form, seed: int) -> sl.Network:
    """Return the network: pixels drive neurons that inhibit each other; a metronome separates the images."""
    net = sl.Network(dt=1.0, seed=seed)
    channels = 2 * form.side**2
    kind = sl.RegularInput if form.generators else sl.InputPopulation
    pixels = net.add(kind(channels, label="pixels"))
    metronome = net.add(kind(1, label="metronome"))
    cell = sl.LIF(
        tau_m=form.tau_m,
        tau_syn_E=0.0,
        tau_syn_I=0.0,
        v_rest=0.0,
        v_thresh=form.threshold,
        v_reset=form.threshold - form.fall,
        reset_mode="subtract",
    )
    cortex = net.add(sl.Population(form.neurons, cell, label="cortex", v_range=1000.0))
    rule = sl.TraceTarget(
        A=form.A,
        tau=form.tau,
        target=form.target,
        w_min=-1.0,
        w_max=1.0,
        bounds=form.bounds,
        pairing="nearest",
    )
    start = sl.Uniform(form.w_low, form.w_high)
    net.add(sl.Projection(pixels, cortex, sl.AllToAll(), weight=start, plasticity=rule, label="sight"))
    others = sl.AllToAll(allow_self_connections=False)
    net.add(sl.Projection(cortex, cortex, others, weight=-form.rivalry, label="rivalry"))
    net.add(sl.Projection(metronome, cortex, sl.AllToAll(), weight=-form.blank, label="blank"))
    if form.teacher:
        teacher = net.add(sl.InputPopulation(10, label="teacher"))
        other = classes(form)[None, :] != np.arange(10)[:, None]
        net.add(sl.Projection(teacher, cortex, sl.FromMatrix(np.where(other, -form.teacher, np.nan))))
    return net


def classes(form: Form) -> np.ndarray:
    """Return the class that the teacher assigns to each neuron."""
    return np.arange(form.neurons) * 10 // form.neurons


class Pupil:
    """A network on a device, to which images are shown."""

    def __init__(self, device: sl.Device, form: Form):
        self.device, self.form = device, form
        self.phase = np.zeros(2 * form.side**2)
        if form.generators:
            device.set_rates("metronome", 1000.0 / SHOW_MS)

    def show(self, rates: np.ndarray, looks: int = 1, label: int | None = None) -> np.ndarray:
        """Show one image, given as rates in Hz; return how often each neuron fired."""
        steps = looks * SHOW_MS
        shown: dict[str, np.ndarray] = {}
        if self.form.generators:
            self.device.set_rates("pixels", rates, bits=8)
        else:  # the same regular spikes, made by the host
            angles = self.phase + rates / 1000.0 * np.arange(1, steps + 1)[:, None]
            shown["pixels"] = np.diff(np.floor(angles), axis=0, prepend=np.floor(self.phase)[None]) > 0
            shown["metronome"] = (np.arange(steps) % SHOW_MS == SHOW_MS - 1)[:, None]
            self.phase = angles[-1] % 1.0
        if label is not None:
            shown["teacher"] = np.tile(np.arange(10) == label, (steps, 1))
        return self.device.present(shown, float(steps))["cortex"]


def look(pupil: Pupil, rates: np.ndarray, looks: int = 1) -> np.ndarray:
    """Show an image, brighter and brighter until some neuron fires; return how often each did."""
    for gain in GAINS:
        counts = pupil.show(np.minimum(gain * rates, MOST_HZ), looks)
        if counts.sum() >= ENOUGH:
            break
    return counts


def learn(
    device: sl.Device, form: Form, digits: Digits, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Learn the images, then show the test images; return the predicted classes, and the neurons' names."""
    pupil = Pupil(device, form)
    seen, tested = (contrast_rates(part, digits.mean, form.strength) for part in (digits.train, digits.test))
    device.set_learning(True)
    for epoch in range(form.epochs):
        for k, index in enumerate(rng.permutation(len(seen))):
            if k % 100 == 0:
                done = (epoch + k / len(seen)) / form.epochs
                device.set_rule("sight", A=form.A * (form.A_end / form.A) ** done)
            pupil.show(seen[index], label=int(digits.train_labels[index]) if form.teacher else None)
    device.set_learning(False)
    if form.teacher:
        names, votes = classes(form), np.eye(10)[classes(form)]
    else:
        counts = np.stack([look(pupil, row) for row in seen])
        names = names_of(shares_by_response(counts, digits.train_labels))
        votes = log_shares(counts, digits.train_labels)
    return vote(np.stack([look(pupil, row, form.looks) for row in tested]), votes), names


def prepared(images: Digits, side: int, straight: bool = True) -> Digits:
    """Return the images upright, or with their slant, and scaled down."""
    train, test = (upright(part) if straight else part for part in (images.train, images.test))
    return replace(images, train=scaled(train, side), test=scaled(test, side))


def k_means(digits: Digits, clusters: int, seed: int) -> float:
    """Return the accuracy, %, of k-means with centres that are named by most of their images."""
    from sklearn.cluster import KMeans

    found = KMeans(clusters, n_init=1, random_state=seed).fit(digits.train)
    table = np.zeros((clusters, 10))
    np.add.at(table, (found.labels_, digits.train_labels), 1)
    return 100.0 * accuracy(table.argmax(axis=1)[found.predict(digits.test)], digits.test_labels)


def trial(trial: Trial) -> dict[str, Any]:
    """Learn the 4,000 images in every form, and look at the 1,000 test images once."""
    images = load_mnist()
    found: dict[str, Any] = dict.fromkeys((*FORMS, *CENTRES), np.nan)
    lost = 0
    for name, form in {"85F": SHORT}.items() if trial.short else FORMS.items():
        digits = prepared(images.first(24, 8) if trial.short else images, form.side, form.upright)
        with trial.connect(sl.compile(network(form, trial.seed), form.array)) as device:
            predicted, names = learn(device, form, digits, trial.rng)
            lost += lost_events(device)
            found[name] = 100.0 * accuracy(predicted, digits.test_labels)
            print(f"seed {trial.seed}, {name}: {found[name]:.1f} %", flush=True)
            if name == "85F":
                found["fields"], found["names"] = device.read_weights("sight"), names
                found["table"], found["side"] = confusion(predicted, digits.test_labels), form.side
    for name, (clusters, straight) in {} if trial.short else CENTRES.items():
        found[name] = k_means(prepared(images, 14, straight), clusters, trial.seed)
    return found | {"lost": lost}


def draw(found: list[dict[str, Any]]) -> Picture:
    """Draw what the neurons of the first form have learned to see, sorted by the digit they vote for."""
    one = found[0]
    side, pixels = one["side"], one["side"] ** 2
    fields = one["fields"][:pixels] - one["fields"][pixels : 2 * pixels]
    order = np.argsort(one["names"], kind="stable")
    columns = 32
    pitch, rows = side + 2, -(-len(order) // columns)
    mosaic = np.full((rows * pitch, columns * pitch, 4), 1.0)
    limit = np.abs(fields).max()
    for place, neuron in enumerate(order):
        top, left = (pitch * part for part in divmod(place, columns))
        tile = DIVERGING(0.5 + 0.5 * fields[:, neuron].reshape(side, side) / limit)
        mosaic[top : top + side, left : left + side] = tile
        name = one["names"][neuron]
        mosaic[top + side, left : left + side] = CLASS_COLOURS[name] if name >= 0 else (0.8, 0.8, 0.8, 1.0)
    picture = new_picture(11.0, 3.9)
    left, right = picture.subplots(1, 2, width_ratios=(3.3, 1.0))
    left.imshow(mosaic)
    left.set(
        xticks=[],
        yticks=[],
        title="what each neuron has learned to see, without a teacher: orange is ink, blue is none",
    )
    for spine in left.spines.values():
        spine.set_visible(False)
    share = np.sum([each["table"] for each in found], axis=0).astype(float)
    share /= np.maximum(share.sum(axis=1, keepdims=True), 1.0)
    right.imshow(np.sqrt(share), cmap="Blues", vmin=0.0, vmax=1.0)
    for row, column in np.argwhere(share >= 0.02):
        dark = share[row, column] > 0.3
        text = f"{100 * share[row, column]:.0f}"
        right.text(column, row, text, ha="center", va="center", fontsize=7, color="white" if dark else INK)
    right.set(xticks=range(10), yticks=range(10), xlabel="read as", ylabel="digit", title="test images (%)")
    return picture


EXAMPLE = Example(
    name="mnist",
    trial=trial,
    draw=draw,
    figures={
        "85F": Figure(unit="% right", digits=1, least=88.0),
        "85F, teacher": Figure(unit="% right", digits=1, least=91.5),
        "85F, slanted": Figure(unit="% right", digits=1),
        "25F": Figure(unit="% right", digits=1, least=85.0),
        "25F, teacher": Figure(unit="% right", digits=1),
        "iCEBreaker": Figure(unit="% right", digits=1, least=85.0),
        "iCEBreaker, teacher": Figure(unit="% right", digits=1),
        "k-means, 256 centres": Figure(unit="% right", digits=1),
        "k-means, 256 centres, slanted": Figure(unit="% right", digits=1),
        "k-means, 176 centres": Figure(unit="% right", digits=1),
    },
)

if __name__ == "__main__":
    EXAMPLE.main()
