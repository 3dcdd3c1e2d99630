"""An inference ends when its answer is sure: most digits need few steps, and only the doubtful ones more.

After the dynamic confidence of Li, Jones and Furber 2023. See README.md beside this file.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Picture

import synloom as sl
from synloom.data import Rate
from synloom.demo.data import SIDE, load_digits, validation_split
from synloom.demo.example import ARRAY, Example, Figure, Trial, lost_events
from synloom.demo.pictures import BLUE, DASHES, GREY, INK, ORANGE, SKY, VERMILION, new_picture

STEPS = 32
"""Steps after which every answer is taken."""

ENCODE = Rate(steps=STEPS, most=1.0, regular=True)


def trained(images: np.ndarray, labels: np.ndarray, seed: int) -> Any:
    """Return a network of rectified units 64-128-10, trained by gradients outside of the array."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(
        (128,), alpha=1e-2, learning_rate_init=3e-3, max_iter=40, tol=0.0, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has not converged, and need not
        return model.fit(images, labels)


def spiking(model: Any, images: np.ndarray, seed: int) -> sl.Network:
    """Return the spiking network: rates stand for activations (Diehl et al. 2015, Rueckauer et al. 2017).

    Each layer is scaled so that a unit that is as active as 99.9 % of all fires in every step.
    """
    (first, second), (bias, last) = model.coefs_, model.intercepts_
    hidden = np.maximum(images @ first + bias, 0.0)
    most = float(np.percentile(hidden, 99.9))
    logits = hidden @ second + last
    top = float(np.percentile(logits - logits.mean(axis=1, keepdims=True), 99.9))
    centred = second - second.mean(axis=1, keepdims=True)  # answers compare classes, so their mean is nothing
    net = sl.Network(dt=1.0, seed=seed)
    before: Any = net.add(sl.InputPopulation(SIDE**2, label="pixels"))
    for label, weights, current in (
        ("hidden", first / most, bias / most),
        ("answer", centred * most / top, (last - last.mean()) / top),
    ):
        cell = sl.LIF(
            tau_m=float("inf"),
            v_rest=0.0,
            v_reset=0.0,
            v_thresh=1.0,
            i_offset=current,
            tau_syn_E=0.0,
            tau_syn_I=0.0,
            reset_mode="subtract",
        )
        layer = net.add(sl.Population(len(current), cell, label=label, v_range=200.0))
        net.add(sl.Projection(before, layer, sl.FromMatrix(weights)))
        before = layer
    return net


def evidence(device: sl.Device, images: np.ndarray) -> np.ndarray:
    """Return how often each class has fired after each step, (n, STEPS, 10)."""
    counts = []
    for image in images:
        device.reset("dynamics")
        device.inject("pixels", ENCODE(image))
        counts.append(np.cumsum(device.run(float(STEPS)).raster("answer"), axis=0, dtype=np.int64))
    return np.array(counts)


def confidence(counts: np.ndarray, sharpness: float) -> np.ndarray:
    """Return the probability of the best class, by a softmax of spike counts."""
    shifted = sharpness * (counts - counts.max(axis=-1, keepdims=True))
    return 1.0 / np.exp(shifted).sum(axis=-1)


def sharpness_of(counts: np.ndarray, labels: np.ndarray) -> float:
    """Return the factor before the softmax under which the labels are most probable."""
    candidates = np.geomspace(0.1, 5.0, 60)
    right = counts[np.arange(len(labels)), :, labels][..., None] - counts
    return float(min(candidates, key=lambda s: np.log(np.exp(-s * right).sum(axis=-1)).mean()))


def stopped(counts: np.ndarray, sharpness: float, sure: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the step at which each inference ends, from 1, and its answer."""
    enough = confidence(counts, sharpness) >= sure
    enough[:, -1] = True
    steps = enough.argmax(axis=1)
    return steps + 1, counts[np.arange(len(counts)), steps].argmax(axis=1)


def sure_enough(counts: np.ndarray, labels: np.ndarray, sharpness: float) -> float:
    """Return the least confidence with which no more images are wrong than after all steps."""
    goal = np.mean(counts[:, -1].argmax(axis=1) == labels)
    sure = 1.0
    for level in 1.0 - np.geomspace(1e-4, 0.5, 80):  # every higher confidence must do as well
        if np.mean(stopped(counts, sharpness, level)[1] == labels) < goal:
            break
        sure = float(level)
    return sure


def live(device: sl.Device, images: np.ndarray, sharpness: float, sure: float) -> list[tuple[int, int]]:
    """Return the last step and the answer of inferences that really end when they are sure."""
    found = []
    for image in images:
        device.reset("dynamics")
        counts, steps = np.zeros(10, dtype=np.int64), 0
        for row in ENCODE(image):
            counts[device.step({"pixels": row})["answer"]] += 1
            steps += 1
            if confidence(counts, sharpness) >= sure:
                break
        found.append((steps, int(counts.argmax())))
    return found


def trial(trial: Trial) -> dict[str, Any]:
    """Train, calibrate on images apart from both other parts, and judge the test images once."""
    digits = load_digits()
    parts = validation_split(digits, trial.seed)
    shown = 6 if trial.short else len(digits.test)
    few = slice(0, 100 if trial.short else None)
    model = trained(parts.train[few], parts.train_labels[few], trial.seed)
    image = sl.compile(spiking(model, parts.train, trial.seed), ARRAY)
    test, labels = digits.test[:shown], digits.test_labels[:shown]
    calibrating = slice(0, 10 if trial.short else None)
    with trial.connect(image) as device:
        known = evidence(device, parts.test[calibrating])
        sharpness = sharpness_of(known, parts.test_labels[calibrating])
        sure = sure_enough(known, parts.test_labels[calibrating], sharpness)
        counts = evidence(device, test)
        really = live(device, test[: 3 if trial.short else 60], sharpness, sure)
        lost = lost_events(device)
    steps, answers = stopped(counts, sharpness, sure)
    ever = counts.argmax(axis=2) == labels[:, None]
    by_step = 100.0 * ever.mean(axis=0)
    early = 100.0 * float(np.mean(answers == labels))
    same = [a == b for a, b in zip(really, zip(steps, answers, strict=True), strict=False)]
    ideal = np.where(ever.any(axis=1), ever.argmax(axis=1) + 1, STEPS)
    return {
        "all steps": by_step[-1],
        "early exit": early,
        "steps": float(steps.mean()),
        "fixed steps for the same": float((by_step >= early).argmax() + 1),
        "as many fixed steps": by_step[int(np.rint(steps.mean())) - 1],
        "live": 100.0 * float(np.mean(same)),
        "not spiking": 100.0 * float(model.score(test, labels)),
        "lost": lost,
        "by step": by_step,
        "ideal": (float(ideal.mean()), 100.0 * float(ever.any(axis=1).mean())),
        "curve": [pareto(counts, labels, sharpness, s) for s in 1.0 - np.geomspace(0.8, 1e-4, 25)],
        "taken": steps,
        "images": test,
        "counts": counts,
    }


def pareto(counts: np.ndarray, labels: np.ndarray, sharpness: float, sure: float) -> tuple[float, float]:
    """Return mean steps and accuracy in % for a confidence."""
    steps, answers = stopped(counts, sharpness, sure)
    return float(steps.mean()), 100.0 * float(np.mean(answers == labels))


def draw(found: list[dict[str, Any]]) -> Picture:
    """Draw the evidence for a plain and for a doubtful digit, and accuracy against steps."""
    one = found[0]
    order = np.argsort(one["taken"], kind="stable")
    picture = new_picture(11.0, 6.4)
    top, bottom = picture.subfigures(2, 1, height_ratios=(1.0, 1.1))
    plain, race, doubtful, longer = top.subplots(1, 4, width_ratios=(0.55, 1.0, 0.55, 1.0))
    for which, digit, axes, title in (
        (order[0], plain, race, "sure at once"),
        (order[-3:][0], doubtful, longer, "in doubt for long"),
    ):
        digit.imshow(one["images"][which].reshape(SIDE, SIDE), cmap="gray_r")
        digit.set(xticks=[], yticks=[])
        digit.set_title(title)
        evidence_of(axes, one["counts"][which], int(one["taken"][which]))
    accuracy, when = bottom.subplots(1, 2, width_ratios=(1.2, 1.0))
    steps = np.arange(1, STEPS + 1)
    fixed = np.array([each["by step"] for each in found])
    curve = np.array([each["curve"] for each in found]).mean(axis=0)
    ideal = np.array([each["ideal"] for each in found]).mean(axis=0)
    accuracy.plot(
        steps, fixed.mean(axis=0), color=INK, marker="s", markersize=3, label="the same steps for all"
    )
    accuracy.plot(*curve.T, color=BLUE, marker="o", markersize=4, label="ends when sure")
    accuracy.scatter(*ideal, color=ORANGE, marker="*", s=120, zorder=3, label="ends at the first right step")
    accuracy.set(
        xscale="log",
        xlabel="steps, mean over images",
        ylabel="digits right (%)",
        xlim=(2.7, 34),
        ylim=(60, 100),
    )
    accuracy.set_xticks([4, 8, 16, 32], ["4", "8", "16", "32"])
    accuracy.set_xticks([], minor=True)
    accuracy.legend(fontsize=8, loc="lower right")
    accuracy.set_title("accuracy against steps, mean of seeds")
    taken = np.concatenate([each["taken"] for each in found])
    when.bar(steps, [100.0 * np.mean(taken == k) for k in steps], color=SKY, width=0.85)
    when.set(xlabel="step at which the answer is sure", ylabel="images (%)", xlim=(0, STEPS + 1))
    when.set_title("most are sure early")
    return picture


def evidence_of(axes: Any, counts: np.ndarray, end: int) -> None:
    """Draw the spikes of each class against steps, and where the inference ends."""
    best = np.argsort(-counts[-1], kind="stable")
    steps = np.arange(1, len(counts) + 1)
    for rank, label in enumerate(best):
        colour, width = ((BLUE, 2.2), (VERMILION, 1.6))[rank] if rank < 2 else (GREY, 0.8)
        axes.plot(steps, counts[:, label], color=colour, linewidth=width, zorder=3 - min(rank, 2))
        if rank < 2:
            down = 0.07 * counts[-1].max() * rank if counts[-1, best[0]] - counts[-1, label] < 2 else 0.0
            axes.text(len(counts) + 0.5, counts[-1, label] - down, str(label), color=colour, va="center")
    axes.axvline(end, color=INK, linewidth=1.0, linestyle=DASHES)
    axes.set(xlabel="step", ylabel="spikes of each class", xlim=(0, len(counts) + 2))
    axes.set_title(f"ends after {end} steps")


EXAMPLE = Example(
    name="early_exit",
    trial=trial,
    draw=draw,
    figures={
        "all steps": Figure(unit="% right", digits=1, least=96.0),
        "early exit": Figure(unit="% right", digits=1, least=95.5),
        "steps": Figure(unit="of 32, mean", digits=1, most=10.0),
        "fixed steps for the same": Figure(digits=1, published="40 % fewer steps by early exit"),
        "as many fixed steps": Figure(unit="% right", digits=1),
        "live": Figure(unit="% as reckoned", digits=0, least=100.0),
        "not spiking": Figure(unit="% right", digits=1),
    },
)

if __name__ == "__main__":
    EXAMPLE.main()
