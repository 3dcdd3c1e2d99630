"""Files of snapshots: all of a file is checked before it is used, and what is wrong is one line."""

import json
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from small_networks import learner, open_model

from archive_files import bomb, repacked
from synloom import MismatchError, ParameterError, Snapshot
from synloom.image.waiting import MOST_CHANGES, MOST_NUMBERS


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    device = open_model(learner())
    device.record("out", "v", [0, 2], every=3.0)
    device.inject("out", [(150.0, 3), (151.0, 4)])
    device.schedule(160.0, learning=False)
    device.schedule(130.0, rates={"in": 12.0}, offsets={"out": np.linspace(0.0, 0.2, 20)})
    device.schedule(131.0, neurons={"out": {"v_thresh": -49.0, "v_reset": np.full(20, -66.0)}})
    device.schedule(140.0, rates={"in": 15.0}, rules={("w",): {"A_plus": 0.01}})
    device.run(100.0)
    path = tmp_path_factory.mktemp("snapshot") / "a.snap"
    return device.snapshot(path), path


def test_a_file_has_all_of_a_snapshot(taken):
    snapshot, path = taken
    again = Snapshot.load(path)
    assert again.digest() == snapshot.digest()
    assert again.image.digest() == snapshot.image.digest()
    for name in ("now", "total", "spikes", "probes", "every", "inputs_merged"):
        assert getattr(again, name) == getattr(snapshot, name), name
    assert dict(again.counters) == dict(snapshot.counters)
    assert len(again.changes) == 5
    for one, other in zip(again.changes, snapshot.changes, strict=True):
        assert one[:3] == other[:3]
        assert [(name, values.tolist()) for name, values in one.parts] == [
            (name, values.tolist()) for name, values in other.parts
        ]
    assert "at 100 ms" in repr(again)
    assert Snapshot.from_bytes(snapshot.to_bytes(), "bytes").digest() == snapshot.digest()


def test_a_flipped_or_missing_byte_is_refused(taken, tmp_path):
    content = taken[1].read_bytes()
    changed = tmp_path / "changed.snap"
    rng = np.random.default_rng(1)
    digest = taken[0].digest()
    for at in rng.integers(0, len(content), 60).tolist():
        for new in (content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :], content[:at]):
            changed.write_bytes(new)
            # The directory of an archive has bytes that say nothing.
            with suppress(ParameterError, MismatchError):
                assert Snapshot.load(changed).digest() == digest


def form(which, place, value):
    """Return a change of one item of a form of the changes that wait."""
    return lambda header: header["changes"][which].__setitem__(place, value)


WRONG_HEADERS = {
    "now": (lambda h: h.update(now=-1), "now must be in 0"),
    "now differs": (lambda h: h.update(now=5), "register now must be 5"),
    "total": (lambda h: h.update(total="9"), "total must be a whole number"),
    "format": (lambda h: h.update(format=7), "format version 7"),
    "keys": (lambda h: h.pop("every"), "are missing"),
    "registers": (lambda h: h["registers"].pop("mode"), "registers must be a table"),
    "random state": (lambda h: h["registers"].update(gen_rng=0), "gen_rng must not be 0"),
    "mode": (lambda h: h["registers"].update(mode=8), "mode must have 3 bits"),
    "reward": (lambda h: h["registers"].update(reward=1 << 16), "reward must be in 0..65535"),
    "counters": (lambda h: h["counters"].update(spikes=-1), "spikes must be in 0"),
    "spikes": (lambda h: h.update(spikes=["nobody"]), "no population 'nobody'"),
    "spikes twice": (lambda h: h.update(spikes=["out", "out"]), "there twice"),
    "probes": (lambda h: h.update(probes=[["out", "v", 20]]), "no 'v' of 'out' 20"),
    "probe": (lambda h: h.update(probes=[["out", 1, 2]]), "a label, a variable and an index"),
    "many probes": (lambda h: h.update(probes=[["out", "v", k] for k in range(9)]), "at most 8 probes"),
    "every": (lambda h: h.update(every=0), "every must be in 1..65535"),
    "digest": (lambda h: h.update(digest="0" * 32), "digest is wrong"),
    "changes": (lambda h: h.update(changes={}), "changes must be a list of at most 4096"),
    "changes of other sizes": (lambda h: h["changes"].pop(), "changes must be of the 3 forms"),
    "change": (lambda h: h["changes"].__setitem__(0, 5), "a kind, labels and parts, not 5"),
    "kind of a change": (form(0, 0, ["rates"]), "a kind, labels and parts"),
    "population of a change": (form(0, 1, ["nobody"]), "does not fit the image: .* 'nobody'"),
    "inputs without a rate": (form(0, 1, ["out"]), "does not fit the image"),
    "labels of a change": (form(0, 1, "in"), "a list of labels, not 'in'"),
    "no labels": (form(3, 1, []), "a list of labels"),
    "two labels": (form(0, 1, ["in", "in"]), "one label, not 2"),
    "projection of a change": (form(3, 1, ["out"]), "does not fit the image"),
    "parts of a change": (form(0, 2, []), "a list of parts"),
    "part of a change": (form(2, 2, [["tau_m", 1]]), "can be of v_thresh, .* not \\['tau_m', 1\\]"),
    "part of a rule": (form(3, 2, [["v_thresh", 1]]), "can be of A_minus, A_plus, not"),
    "part that is no name": (form(3, 2, [[["A_plus"], 1]]), "can be of A_minus"),
    "numbers of a change": (form(1, 2, [["bias", 9]]), "must have 20 of bias"),
    "number that is none": (form(1, 2, [["bias", 20.0]]), "must have 20 of bias"),
    "a part twice": (form(2, 2, [["v_reset", 1], ["v_reset", 20]]), "a part twice"),
    "other numbers": (form(2, 2, [["v_reset", 20]]), "must have .* numbers, not"),
}


@pytest.mark.parametrize("wrong", WRONG_HEADERS)
def test_a_wrong_header_is_refused_and_named(taken, tmp_path, wrong):
    change, message = WRONG_HEADERS[wrong]
    path = tmp_path / "wrong.snap"
    repacked(taken[1], path, change, sign=True)
    with pytest.raises((ParameterError, MismatchError), match=message):
        Snapshot.load(path)


def with_bit(place, bit):
    def change(words):
        words = words.copy()
        words.reshape(-1)[place] |= bit
        return words

    return change


WRONG_ARRAYS = {
    "weights": (lambda w: w.astype(np.int16), "weights must be int8"),
    "weight where there is none": (lambda w: np.zeros_like(w), "weights must be where the image has"),
    "neuron_state": (with_bit(7, 1), "neuron_state has bits outside"),
    "x_trace": (lambda w: w[:-1], "x_trace must be uint16 of shape"),
    "wheel": (with_bit(0, 1), "wheel must have spikes of neurons"),
    "events": (lambda e: e[::-1], "events must be sorted"),
    "events too early": (lambda e: e - [[100, 0]], "events must have steps of 100"),
    "events of nobody": (lambda e: e * 0 + [[200, 0x1FFF]], "ids that exist, not 8191"),
    "changes": (lambda c: c[:, :1], "changes must be int64 of shape"),
    "changes too early": (lambda c: c - [[100, 0]], "changes must have steps of 100"),
    "changes too late": (lambda c: c + np.array([[1 << 60, 0]]), "changes must have steps of 100"),
    "changes out of order": (lambda c: c[::-1], "sorted"),
    "changes of no form": (lambda c: c + np.array([[0, 9]]), "of the 4 forms"),
    "changes of a form below": (lambda c: c - [[0, 1]], "of the 4 forms"),
    "change_values": (lambda v: v[1:], "must have .* numbers, not"),
    "change_values that are no words": (lambda v: v + 0.5, "rates of 'in' must have whole numbers"),
    "change_values that are none": (lambda v: v * np.nan, "rates of 'in' must have numbers of 0..65535"),
    "change_values beyond words": (lambda v: v + 1e300, "rates of 'in' must have numbers of 0..65535"),
    "gen_phase": (with_bit(0, 1 << 15), "gen_phase has bits outside"),
}


@pytest.mark.parametrize("wrong", WRONG_ARRAYS)
def test_a_wrong_array_is_refused_and_named(taken, tmp_path, wrong):
    change, message = WRONG_ARRAYS[wrong]
    name = "weights" if wrong.startswith("weight ") else wrong.split(" ")[0]
    path = tmp_path / "wrong.snap"
    repacked(taken[1], path, arrays={name: change}, sign=True)
    with pytest.raises(ParameterError, match=message):
        Snapshot.load(path)


def test_the_lowest_value_of_a_field_is_refused():
    # The array never computes with it.
    snapshot = open_model(learner()).snapshot()
    words = snapshot.memories["neuron_state"].copy()
    words[1] |= 0x80
    wrong = replace(snapshot, memories={**snapshot.memories, "neuron_state": words})
    with pytest.raises(ParameterError, match="v must be at least -"):
        Snapshot.from_bytes(wrong.to_bytes(), "bytes")


def test_its_image_is_checked_as_an_images_file_is(taken, tmp_path):
    path = tmp_path / "wrong.snap"
    repacked(taken[1], path, arrays={"image/weights": lambda w: w * 0}, sign=True)
    with pytest.raises(ParameterError, match="digest is wrong"):
        Snapshot.load(path)


def test_a_member_that_unpacks_to_gigabytes_is_refused_unread(taken, tmp_path):
    for name in ("wheel", "change_values", "image/source"):
        path = tmp_path / "bomb.snap"
        bomb(taken[1], path, name, 1 << 30)
        with pytest.raises(ParameterError, match="must"):
            Snapshot.load(path)


def test_more_changes_than_a_file_holds_are_refused_when_it_is_written(taken):
    change = taken[0].changes[0]
    many = replace(taken[0], changes=(change,) * (MOST_CHANGES + 1))
    assert many.digest()
    with pytest.raises(ParameterError, match="at most 131,072 changes that wait, not 131,073"):
        many.to_bytes()
    long = change._replace(parts=(("words", np.zeros(MOST_NUMBERS + 1)),))
    with pytest.raises(ParameterError, match="at most 8,388,608 numbers of changes"):
        replace(taken[0], changes=(long,)).to_bytes()
    other = [change._replace(kind="rules", labels=(str(k),)) for k in range(4097)]
    with pytest.raises(ParameterError, match="at most 4,096 kinds of changes"):
        replace(taken[0], changes=tuple(other)).to_bytes()


def test_a_file_that_cannot_be_written_is_one_line(taken, tmp_path):
    with pytest.raises(ParameterError, match="give another path"):
        taken[0].save(tmp_path / "no folder" / "a.snap")
    for path in (3, b"bytes"):
        with pytest.raises(ParameterError, match="path must be"):
            taken[0].save(path)


def test_the_header_says_what_it_is(taken):
    with np.load(taken[1]) as file:
        header = json.loads(file["header"].tobytes())
    assert header["magic"] == "synloom snapshot"
    assert header["digest"] == taken[0].digest()
