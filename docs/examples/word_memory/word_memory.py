"""A memory of spiking neurons beside a language model: it is told facts, and finds what belongs to a word.

After the idea of EMBER (Savage 2026). See README.md beside this file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure as Picture

import synloom as sl
from synloom.demo.attractors import AttractorMemory, hopfield, nearest
from synloom.demo.example import ARRAY, Example, Figure, Trial, lost_events
from synloom.demo.patterns import cue_of
from synloom.demo.pictures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    new_picture,
    plot_range,
)
from synloom.demo.words import KINDS, Bigrams, Codes, Fact, Speaker, draw_facts, words_of

NEURONS = 256
ACTIVE = 8
FACTS = 48
WHO = ("facts", "Willshaw", "Hopfield", "list")
COUNTS = (12, 24, 36, 48, 60, 72, 96)
SPEAKER: Speaker = Bigrams()
"""What makes sentences of words: any function may stand here, a large model too. No figure needs it."""

# One volley brings a synapse from -3 to 1: words of a fact excite each other, all others inhibit. A reward of
# -1 takes that back. A neuron that fires lowers its synapses onto silent ones by 0.08: slow forgetting.
HEBB = sl.PairRule(
    A_post=2.0,
    A_pre=2.0,
    y0=0.01,
    tau_pre=5.0,
    tau_post=5.0,
    w_min=-3.0,
    w_max=1.0,
    pairing="nearest",
    reward=True,
)


def network(seed: int) -> sl.Network:
    """Return the network: cells without memory of their own, all-to-all, and an input that silences them."""
    net = sl.Network(dt=1.0, seed=seed)
    cell = sl.LIF(tau_m=0.05, v_rest=0.0, v_reset=0.0, v_thresh=1.5, tau_syn_E=0.0, tau_syn_I=0.0)
    cells = net.add(sl.Population(NEURONS, cell, label="cells", v_range=800.0))
    stop = net.add(sl.InputPopulation(1, label="stop"))
    net.add(sl.Projection(stop, cells, sl.AllToAll(), weight=-100.0))
    others = sl.AllToAll(allow_self_connections=False)
    synapses = sl.Projection(
        cells, cells, others, weight=-3.0, delay=1.0, dendritic=1.0, plasticity=HEBB, label="memory"
    )
    net.add(synapses)
    return net


class WordMemory:
    """The memory that a language model asks: it is told facts, and asked with words."""

    def __init__(self, device: sl.Device, codes: Codes):
        self.codes, self._memory = codes, AttractorMemory(device, cells="cells")

    def tell(self, *words: str) -> None:
        """Learn that words belong together: all their neurons fire at once."""
        self._memory.device.set_reward(1.0)
        self._memory.learn(self.codes.of(words))

    def deny(self, *words: str) -> None:
        """Unlearn that words belong together: the same, rewarded by -1; then learn each word alone again."""
        self._memory.device.set_reward(-1.0)
        self._memory.learn(self.codes.of(words))
        for word in words:
            self.tell(word)

    def ask(self, cue: np.ndarray) -> np.ndarray:
        """Return which neurons fire three steps after those of the cue, (N,) bool."""
        return self._memory.recall(cue)

    def who(self, word: str) -> list[str]:
        """Return the persons that a thing or a place belongs to: all that fire one step after the word."""
        return self.codes.read_all("who", self._memory.recall(self.codes[word], after_ms=1.0), ACTIVE - 1)

    def think(self, cue: np.ndarray) -> np.ndarray:
        """Return the raster of eight steps after a cue, (8, N) bool."""
        return self._memory.answers(cue)


def right(codes: Codes, fired: np.ndarray, facts: list[Fact]) -> float:
    """Return for how many facts both the thing and the place are read from what fired, in %."""
    return 100.0 * float(
        np.mean(
            [
                (codes.read("what", row), codes.read("where", row)) == fact[1:]
                for row, fact in zip(fired, facts, strict=True)
            ]
        )
    )


def told(trial: Trial, device: sl.Device, image: sl.Image, count: int) -> tuple[Any, ...]:
    """Return an empty memory that was told so many new facts, the facts, their neurons, and a generator."""
    device.load(image)
    rng = np.random.default_rng([trial.seed, count])
    memory, facts = WordMemory(device, Codes(rng, NEURONS, ACTIVE)), draw_facts(rng, count)
    for fact in facts:
        memory.tell(*fact)
    return memory, facts, np.array([memory.codes.mask(memory.codes.of(fact)) for fact in facts]), rng


def compared(memory: WordMemory, facts: list[Fact], stored: np.ndarray, cues: list[np.ndarray]) -> Any:
    """Return how many facts are right from the cues: by the array, two float networks, and a list."""
    codes, masks = memory.codes, np.array([memory.codes.mask(cue) for cue in cues])
    return [
        right(codes, np.array([memory.ask(cue) for cue in cues]), facts),
        right(codes, hopfield(stored, masks, 3 * ACTIVE, clipped=True), facts),
        right(codes, hopfield(stored, masks, 3 * ACTIVE), facts),
        right(codes, nearest(stored, masks), facts),
    ]


def persons_found(memory: WordMemory, facts: list[Fact]) -> float:
    """Ask each thing and place of the facts who it belongs to; return the F1 score of all answers, in %."""
    hits = asked = named = 0
    for kind in (1, 2):
        for word in sorted({fact[kind] for fact in facts}):
            wanted, answer = {fact[0] for fact in facts if fact[kind] == word}, set(memory.who(word))
            hits, asked, named = hits + len(wanted & answer), asked + len(wanted), named + len(answer)
    return 200.0 * hits / (asked + named)


def moved(memory: WordMemory, facts: list[Fact], count: int, rng: np.random.Generator) -> tuple[float, float]:
    """Move some persons to other places, ask for all; return how many of these and of others are right."""
    new = []
    for who, what, where in facts[:count]:
        new.append((who, what, str(rng.choice([word for word in words_of("where") if word != where]))))
        memory.deny(who, where)
        memory.deny(what, where)
        memory.tell(*new[-1])
    shares = [
        right(memory.codes, np.array([memory.ask(memory.codes[fact[0]]) for fact in part]), part)
        for part in (new, facts[count:])
    ]
    return shares[0], shares[1]


def trial(trial: Trial) -> dict[str, Any]:
    """Tell facts and ask for them: with whole names, half of their neurons, wrong ones; then change some."""
    image, count = sl.compile(network(trial.seed), ARRAY), 4 if trial.short else FACTS
    found: dict[str, Any] = {"capacity": {}, "cues": {}}
    with trial.connect(image) as device:
        memory, facts, stored, rng = told(trial, device, image, count)
        codes = memory.codes
        names = [codes[fact[0]] for fact in facts]
        whole = compared(memory, facts, stored, names)
        half = compared(memory, facts, stored, [cue_of(rng, name, ACTIVE // 2) for name in names])
        wrong = compared(
            memory, facts, stored, [cue_of(rng, name, ACTIVE, wrong=2, among=NEURONS) for name in names]
        )
        for part, shares in (("", whole), (", half a name", half), (", two wrong", wrong)):
            found |= {f"{who}{part}": s for who, s in zip(WHO, shares, strict=True)}
        for bits in () if trial.short else (1, 2, 3, 4, 6, 8):
            found["cues"][bits] = compared(memory, facts, stored, [cue_of(rng, n, bits) for n in names])
        found["who"] = persons_found(memory, facts)
        found["chance"] = 100.0 / (len(words_of("what")) * len(words_of("where")))
        found |= {"talk": talk(memory, facts, rng), "facts told": facts, "codes": codes}
        found["weights"] = np.nan_to_num(device.read_weights("memory"))
        found["moved"], found["moved, others"] = moved(memory, facts, 1 if trial.short else 8, rng)
        for more in () if trial.short else COUNTS:
            memory, facts, stored, rng = told(trial, device, image, more)
            cues = [cue_of(rng, memory.codes[fact[0]], ACTIVE // 2) for fact in facts]
            found["capacity"][more] = compared(memory, facts, stored, cues)
        for more in (60, 96):
            found[f"{more} facts, half a name"] = found["capacity"].get(more, [np.nan])[0]
        found["lost"] = lost_events(device)
    return found


def talk(memory: WordMemory, facts: list[Fact], rng: np.random.Generator) -> list[dict[str, Any]]:
    """Ask for three facts with half of a name's neurons; return rasters, words, and what the speaker says."""
    turns = []
    for fact in facts[:3]:
        raster = memory.think(cue_of(rng, memory.codes[fact[0]], ACTIVE // 2))
        words = {kind: memory.codes.read(kind, raster[3]) for kind in KINDS}
        turns.append({"raster": raster, "words": words, "fact": fact, "says": SPEAKER(words)})
    return turns


COLOURS = dict(zip(KINDS, (BLUE, ORANGE, GREEN), strict=True))


def draw(found: list[dict[str, Any]]) -> Picture:
    """Draw which words the synapses bind, three questions and what is said, and how many facts it holds."""
    picture = new_picture(11.0, 7.4)
    left, right = picture.subfigures(1, 2, width_ratios=(1.0, 1.25))
    bound(left.subplots(), found[0])
    above, below = right.subfigures(2, 1, height_ratios=(1.25, 1.0))
    panels = above.subplots(3, 1, sharex=True)
    for axes, turn in zip(panels, found[0]["talk"], strict=True):
        asked(axes, turn, found[0]["codes"])
    panels[-1].set_xlabel("time (ms)")
    if found[0]["capacity"]:
        curves(below, found)
    return picture


def bound(axes: Any, one: dict[str, Any]) -> None:
    """Draw the words of all facts, and a line between two whose neurons excite each other on average."""
    facts, codes, weights = one["facts told"], one["codes"], one["weights"]
    columns = [list(dict.fromkeys(fact[k] for fact in sorted(facts, key=lambda f: f[1:]))) for k in range(3)]
    columns[2].sort(key=lambda word: np.mean([columns[0].index(f[0]) for f in facts if f[2] == word]))
    places = {
        word: (x, (k + 0.5) / len(columns[kind]))
        for kind, x in ((1, 0.0), (0, 1.0), (2, 2.0))
        for k, word in enumerate(columns[kind])
    }
    asked_for = [turn["fact"] for turn in one["talk"]]
    for kind in (1, 2):
        for person in columns[0]:
            for word in columns[kind]:
                tie = weights[np.ix_(codes[person], codes[word])].mean()
                told_so = any(fact[0] == person and fact[kind] == word for fact in facts)
                if tie > 0.0 or told_so:
                    one_end, other_end = places[person], places[word]
                    shift = -0.24 if kind == 1 else 0.24
                    strong = told_so and any(fact[0] == person for fact in asked_for)
                    colour = (COLOURS[KINDS[kind]] if strong else "#9aa5b1") if told_so and tie > 0 else INK
                    axes.plot(
                        [one_end[0] + shift, other_end[0] - 0.5 * shift],
                        [one_end[1], other_end[1]],
                        color=colour,
                        linewidth=2.0 if strong else 0.7,
                        zorder=2 if strong else 1,
                    )
    for word, (x, y) in places.items():
        where = {0.0: "right", 1.0: "center", 2.0: "left"}[x]
        axes.text(x, y, word, ha=where, va="center", fontsize=6.3, color=INK)
    axes.set(xlim=(-0.55, 2.55), ylim=(1.0, 0.0), xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title("words whose neurons excite each other (dark: were never told)")


def asked(axes: Any, turn: dict[str, Any], codes: Codes) -> None:
    """Draw the spikes after a cue: those of the fact's words by kind, others grey, and what is said."""
    rows, labels = [], []
    for kind, word in zip(KINDS, turn["fact"], strict=True):
        axes.axhspan(len(rows) - 0.5, len(rows) + ACTIVE - 0.5, color=COLOURS[kind], alpha=0.1, linewidth=0)
        labels.append((len(rows) + (ACTIVE - 1) / 2, word))
        rows += codes[word].tolist()
    shown = turn["raster"][:6]
    for row, neuron in enumerate(rows):
        steps = np.flatnonzero(shown[:, neuron])
        axes.scatter(
            steps,
            np.full(len(steps), row),
            s=13,
            color=COLOURS[KINDS[row // ACTIVE]],
            linewidths=0,
            marker="s",
        )
    steps, cells = np.nonzero(shown[:, np.setdiff1d(np.arange(NEURONS), rows)])
    axes.scatter(steps, len(rows) + 1.0 + cells / 60.0, s=9, color=INK, linewidths=0.7, marker="x")
    axes.text(5.7, len(rows) + 2.5, "all others", fontsize=7, ha="right", va="center")
    axes.set(xlim=(-0.5, 5.8), ylim=(len(rows) + 6.0, -1.0), xticks=range(6))
    axes.set_yticks([y for y, _ in labels], [word for _, word in labels], fontsize=8)
    axes.tick_params(axis="y", length=0)
    wrong = "" if tuple(turn["words"].values()) == turn["fact"] else ", which is wrong"
    axes.set_title(f"half of a name, then: \u201c{turn['says'] or 'nothing'}\u201d{wrong}")


def curves(part: Any, found: list[dict[str, Any]]) -> None:
    """Draw how many facts are right against facts told, and against the size of the cue."""
    panels = part.subplots(1, 2, sharey=True)
    kinds = (
        ("array", BLUE, "o"),
        ("Willshaw, float", GREEN, "D"),
        ("Hopfield, float", ORANGE, "s"),
        ("nearest in a list", INK, "^"),
    )
    for axes, name in zip(panels, ("capacity", "cues"), strict=True):
        points = list(found[0][name])
        for k, (label, colour, mark) in enumerate(kinds):
            band = [[each[name][point][k] for point in points] for each in found]
            plot_range(axes, points, band, colour=colour, marker=mark, markersize=4, label=label)
        axes.grid(color=GREY, linewidth=0.4)
    panels[0].set(xlabel="facts told, asked by half a name", ylabel="facts right (%)", ylim=(-3, 103))
    panels[1].set(xlabel=f"neurons of the name in the cue, of {ACTIVE}", title=f"{FACTS} facts")
    panels[0].legend(fontsize=8, loc="lower left")


def share(**more: Any) -> Figure:
    """Return a figure in per cent of the facts."""
    return Figure(unit="% right", digits=1, **more)


EXAMPLE = Example(
    name="word_memory",
    trial=trial,
    draw=draw,
    figures={
        "facts": share(least=95.0),
        "facts, half a name": share(least=90.0),
        "facts, two wrong": share(),
        "60 facts, half a name": share(),
        "96 facts, half a name": share(),
        "who": Figure(unit="F1, %", digits=1, least=95.0),
        "moved": share(least=90.0),
        "moved, others": share(least=85.0),
        **{f"{who}{part}": share() for who in WHO[1:] for part in ("", ", half a name", ", two wrong")},
        "chance": share(),
    },
)

if __name__ == "__main__":
    EXAMPLE.main()
