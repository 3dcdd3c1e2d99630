"""Words as codes, facts, the stand-in of a language model, and the memories that are compared."""

import re

import numpy as np
import pytest

from python_sources import ROOT
from synloom.base.errors import ParameterError
from synloom.demo.attractors import hopfield, nearest
from synloom.demo.words import KINDS, Bigrams, Codes, draw_facts, words_of


def test_facts_are_of_different_persons_and_of_known_words():
    facts = draw_facts(np.random.default_rng(1), 192)
    assert len({who for who, _, _ in facts}) == 192
    for kind, words in zip(KINDS, zip(*facts, strict=True), strict=True):
        assert set(words) <= set(words_of(kind))
    assert len(words_of("what")) == len(set(words_of("what"))) == 24
    assert len(words_of("where")) == len(set(words_of("where"))) == 24
    with pytest.raises(ParameterError, match=r"count must be in 1\.\.192, not 193"):
        draw_facts(np.random.default_rng(1), 193)
    with pytest.raises(ParameterError, match="kind must be one of who, what, where, not 'why'"):
        words_of("why")


def test_a_word_is_read_where_more_than_half_of_its_neurons_fire():
    codes = Codes(np.random.default_rng(1), 4096, 8)
    chess = codes["chess"]
    assert len(set(chess.tolist())) == 8
    assert codes.read("what", codes.mask(chess[:5])) == "chess"
    assert codes.read("what", codes.mask(chess[:4])) == ""
    both = codes.mask(codes.of(("chess", "Oslo", "Paris")))
    assert codes.read("what", both) == "chess"
    assert codes.read_all("where", both, 7) == ["Paris", "Oslo"]
    assert codes.overlap("where", both)[words_of("where").index("Oslo")] == 8


def test_the_stand_in_says_each_word_once_and_takes_the_likeliest_way():
    words = {"who": "Anna Brook", "what": "chess", "where": "Oslo"}
    page = (ROOT / "docs" / "examples" / "word_memory" / "README.md").read_text()
    said = re.search(r"print\(Bigrams\(\)\(words\)\) +# (.*)", page)
    assert said is not None
    assert Bigrams()(words) == said[1]
    # After "a" comes "b" twice in three: log(2/3) of a way with b, log(1/3) of one with c.
    few = ("<who> plays <what>", "<who> plays <what>", "<who> wants <what>")
    assert Bigrams(few)({"who": "Anna", "what": "chess"}) == "Anna plays chess"
    assert Bigrams(few[2:])({"who": "Anna", "what": "chess"}) == "Anna wants chess"
    assert Bigrams(few)(words) == ""


def test_float_memories_are_those_of_plain_loops():
    rng = np.random.default_rng(3)
    patterns = np.zeros((6, 40), dtype=bool)
    for row in patterns:
        row[rng.choice(40, 5, replace=False)] = True
    cues = patterns.copy()
    for row in cues:
        row[np.flatnonzero(row)[:2]] = False
    mean = patterns.mean()
    for clipped in (False, True):
        for cue, found in zip(cues, hopfield(patterns, cues, 5, clipped=clipped, steps=1), strict=True):
            sums = np.zeros(40)
            for i in range(40):
                for j in range(40):
                    weight = sum((p[i] - mean) * (p[j] - mean) for p in patterns)
                    if clipped:
                        weight = float(any(p[i] and p[j] for p in patterns))
                    sums[i] += weight * cue[j] * (i != j)
            assert found.sum() == 5
            assert sums[found].min() >= sums[~found].max() - 1e-9
    for cue, found in zip(cues, nearest(patterns, cues), strict=True):
        away = [sum(a != b for a, b in zip(cue, p, strict=True)) for p in patterns]
        assert (found == patterns[int(np.argmin(away))]).all()


def test_one_stored_pattern_comes_back_from_one_of_its_neurons():
    pattern = np.arange(30) < 6
    cue = np.arange(30) == 2
    for clipped in (False, True):
        assert (hopfield(pattern[None], cue[None], 6, clipped=clipped)[0] == pattern).all()
