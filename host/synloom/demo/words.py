"""Words as sparse codes, facts about people, and a stand-in for a language model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.base.checks import IntArray
from synloom.base.errors import ParameterError

__all__ = ["KINDS", "SENTENCES", "Bigrams", "Codes", "Fact", "Speaker", "draw_facts", "words_of"]

Fact = tuple[str, str, str]
"""A person, what the person likes, and where the person lives."""

Speaker = Callable[[Mapping[str, str]], str]
"""Whatever makes a sentence of words: it is given a word for each kind."""

_GIVEN: Final = """
anna bernard carla daniel elena felix gloria hannes irene jakob katrin leonard marie norbert
olivia patrick quentin rosa stefan theresa ursula viktor wanda yvonne
"""
_FAMILY: Final = """
ames brook cole dunn ellis frost grant hale
"""
_THINGS: Final = """
chess violin gardening football astronomy pottery sailing poetry cycling baking painting archery
robotics opera climbing fencing weaving judo history mathematics beekeeping ballet rowing origami
"""
_PLACES: Final = """
Paris London Vienna Oslo Madrid Lisbon Warsaw Athens Dublin Helsinki Prague Budapest Zurich
Hamburg Venice Krakow Seville Bergen Geneva Porto Naples Lyon Gdansk Tallinn
"""
KINDS: Final = ("who", "what", "where")
"""The kinds of words, in the order of a `Fact`."""

SENTENCES: Final = (
    "<who> lives in <where> and likes <what>",
    "<who> of <where> likes <what>",
    "in <where> <who> likes <what>",
    "<what> is what <who> of <where> likes",
    "<who> likes <what> and lives in <where>",
)
"""What `Bigrams` learns from: sentences that name the kinds of words, and know no fact."""


def words_of(kind: str) -> list[str]:
    """Return all words of a kind: 192 persons, 24 things, 24 places.

    Raises
    ------
    ParameterError
        If there is no such kind.
    """
    if kind not in KINDS:
        raise ParameterError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    persons = [f"{given} {family}".title() for family in _FAMILY.split() for given in _GIVEN.split()]
    return {"who": persons, "what": _THINGS.split(), "where": _PLACES.split()}[kind]


def draw_facts(rng: np.random.Generator, count: int) -> list[Fact]:
    """Return random facts, each of another person; things and places are shared.

    Raises
    ------
    ParameterError
        If there are not so many persons.
    """
    persons, things, places = (words_of(kind) for kind in KINDS)
    if not 1 <= count <= len(persons):
        raise ParameterError(f"count must be in 1..{len(persons)}, not {count}")
    who = rng.permutation(len(persons))[:count]
    what, where = rng.integers(len(things), size=count), rng.integers(len(places), size=count)
    return [
        (persons[a], things[b], places[c])
        for a, b, c in zip(who.tolist(), what.tolist(), where.tolist(), strict=True)
    ]


class Codes:
    """A sparse code for each word: a random set of neurons of one population.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where chance comes from.
    neurons, active : int
        Number of neurons, and of those in a code.
    """

    def __init__(self, rng: np.random.Generator, neurons: int, active: int):
        self.neurons, self.active = neurons, active
        self._words = {kind: words_of(kind) for kind in KINDS}
        self._codes = {
            word: rng.choice(neurons, active, replace=False).astype(np.int64)
            for words in self._words.values()
            for word in words
        }
        self._sets = {
            kind: np.array([self.mask(self[word]) for word in words]) for kind, words in self._words.items()
        }

    def __getitem__(self, word: str) -> IntArray:
        """Return the neurons of a word, (active,) int64."""
        return self._codes[word]

    def mask(self, neurons: IntArray) -> npt.NDArray[np.bool_]:
        """Return which neurons are in a set, (neurons,) bool."""
        return np.isin(np.arange(self.neurons), neurons)

    def of(self, words: Sequence[str]) -> IntArray:
        """Return the neurons of all these words together, ascending."""
        return np.unique(np.concatenate([self[word] for word in words]))

    def overlap(self, kind: str, fired: npt.NDArray[np.bool_]) -> IntArray:
        """Return how many neurons of each word of a kind have fired, (words,) int64."""
        shared: IntArray = (self._sets[kind] & fired).sum(axis=1).astype(np.int64)
        return shared

    def read(self, kind: str, fired: npt.NDArray[np.bool_]) -> str:
        """Return the word of a kind of which most neurons have fired; empty if it is not more than half."""
        found = self.overlap(kind, fired)
        best = int(found.argmax())
        return self._words[kind][best] if 2 * found[best] > self.active else ""

    def read_all(self, kind: str, fired: npt.NDArray[np.bool_], least: int) -> list[str]:
        """Return all words of a kind of which at least so many neurons have fired."""
        return [self._words[kind][k] for k in np.flatnonzero(self.overlap(kind, fired) >= least)]


@dataclass(frozen=True)
class Bigrams:
    """A bigram model of text: a stand-in where a language model may stand. It is a `Speaker`.

    It knows only which word follows which in its sentences, and of all ways through them that say each kind
    once it takes the likeliest. The words themselves are filled in.

    Parameters
    ----------
    sentences : sequence of str
        What it learns from; kinds are in angle brackets.
    most : int
        Words of the longest sentence that it makes.
    """

    sentences: Sequence[str] = SENTENCES
    most: int = 9

    def __call__(self, words: Mapping[str, str]) -> str:
        """Return a sentence with these words, one for each kind; empty if it knows no way to say them."""
        after: dict[str, dict[str, int]] = {}
        for sentence in self.sentences:
            for one, other in pairwise(["<begin>", *sentence.split(), "<end>"]):
                after.setdefault(one, {}).setdefault(other, 0)
                after[one][other] += 1
        slots = frozenset(f"<{kind}>" for kind in words)
        every = frozenset(f"<{kind}>" for kind in KINDS)
        ways: list[tuple[float, list[str]]] = [(0.0, ["<begin>"])]
        best: tuple[float, list[str]] = (-np.inf, [])
        for _ in range(self.most + 1):
            longer = []
            for chance, way in ways:
                total = sum(after[way[-1]].values())
                for word, count in after[way[-1]].items():
                    new = chance + float(np.log(count / total))
                    if word == "<end>":
                        if slots <= set(way) and new > best[0]:
                            best = new, way
                    elif word not in way and (word not in every or word in slots):
                        longer.append((new, [*way, word]))
            ways = longer
        return " ".join(words.get(word.strip("<>"), word) for word in best[1][1:])
