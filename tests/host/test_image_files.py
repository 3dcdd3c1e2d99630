"""Files of images that somebody changed, made or damaged: one clear error each, and little memory."""

import json
import os
import resource
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from small_networks import rich_network

from archive_files import bomb, repacked
from synloom import LIF, Image, Network, ParameterError, Population, compile
from synloom.base.errors import SynloomError


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("images") / "net.synloom"
    compile(rich_network()).save(path)
    return path


def test_the_digest_covers_scales_and_places(saved, tmp_path):
    """A scale x 1000, repacked, once made 617.6 nA of 0.6176."""

    def larger(header):
        unit = header["populations"][0]["i_lsb_exc"]
        header["populations"][0]["i_lsb_exc"] = [1000.0 * each for each in unit]

    repacked(saved, tmp_path / "x", larger)
    with pytest.raises(ParameterError, match="damaged: its digest is wrong"):
        Image.load(tmp_path / "x")


def change_note(header):
    header["report"]["notes"].append("nothing vanishes")


def rename(header):
    header["populations"][0]["label"] = "other"
    header["projections"][0]["post"] = "other"


@pytest.mark.parametrize("change", [change_note, rename])
def test_the_headers_digest_covers_names_and_the_report(saved, tmp_path, change):
    repacked(saved, tmp_path / "x", change)
    with pytest.raises(ParameterError, match="its digest is wrong"):
        Image.load(tmp_path / "x")


WRONG = [
    ("dt", float("inf"), "dt must be a finite number|dt must be"),
    ("dt", float("nan"), "dt must be"),
    ("dt", 0.0, "dt must be in"),
    ("dt", "1.0", "dt must be a number"),
    ("dt", 10**400, "dt must be a number"),
    ("seed", -1, "seed must be in 0"),
    ("seed", 1.5, "seed must be a whole number"),
    ("seed", True, "seed must be a whole number"),
    ("params", [], "params must be a table"),
    ("params", {"neurons": 1e3}, "neurons must be a whole number"),
    ("params", {"neurones": 3}, "unknown array parameter"),
    ("registers", [], "registers must be a table"),
    ("registers", {"reward": 1 << 15}, "register reward must be in -32768..32767"),
    ("registers", {"learn_rng": 0}, "register learn_rng must be in 1.."),
    ("registers", {"status": 1}, "no register 'status' to set"),
    ("registers", {"mode": 1.0}, "register mode must be a whole number"),
    ("populations", {}, "populations must be a list"),
    ("populations", [[]], "must be a table of label"),
    ("report", {"rows": [], "notes": [], "title": 3}, "must be text"),
    ("report", {"rows": [{}], "notes": [], "title": ""}, "must have all its fields"),
    ("report", None, "report must be a table"),
]


@pytest.mark.parametrize(("key", "value", "words"), WRONG)
def test_wrong_metadata_is_named(saved, tmp_path, key, value, words):
    repacked(saved, tmp_path / "x", lambda header: header.update({key: value}), sign=True)
    with pytest.raises(ParameterError, match=words) as caught:
        Image.load(tmp_path / "x")
    assert len(str(caught.value).splitlines()) == 1


def half(**changes):
    """One side of a learning rule, as a header has it."""
    return {"amplitude": "A_plus", "offset": None, "scale": 1.0, "spike": 1.0, **changes}


PLACES = [
    ("populations", 0, {"n": 4}, "v_zero must have 4 numbers"),
    ("populations", 0, {"n": 0}, "n must be in 1..2048"),
    ("populations", 0, {"first": 4095, "source": 4095}, "first must be in 0..2047"),
    ("populations", 0, {"source": 3}, "source that is not its first neuron's"),
    ("populations", 0, {"v_lsb": [float("inf")] * 3}, "v_lsb must be above 0, not inf"),
    ("populations", 0, {"v_lsb": [0.0] * 3}, "v_lsb must be above 0, not 0"),
    ("populations", 0, {"v_zero": [float("nan")] * 3}, "v_zero must be a finite number, not nan"),
    ("populations", 0, {"v_zero": [[1.0]] * 3}, "v_zero must be a number or a 1-D array"),
    ("populations", 0, {"delay": [1.5] * 3}, "delay must be a whole number"),
    ("populations", 0, {"delay": 1}, "delay must be a list of 3"),
    ("populations", 0, {"gain_exc": 99}, "gain_exc must be in 0..15"),
    ("populations", 0, {"label": ""}, "label must be a non-empty str"),
    ("populations", 0, {"label": None}, "label must be a non-empty str"),
    ("populations", 0, {"label": "in"}, "'in' is a population and an input"),
    ("populations", 1, {"label": "out"}, "'out' is there twice"),
    ("populations", 1, {"first": 2, "source": 18}, "'out' and 'more' share neurons"),
    ("inputs", 0, {"source": 2047}, "the array has"),
    ("inputs", 0, {"generator": "noise"}, "generator must be poisson, regular or null"),
    ("projections", 0, {"pre": "nobody"}, "'w' joins populations that are not there"),
    ("projections", 0, {"post": "in"}, "'w' joins populations that are not there"),
    ("projections", 0, {"rule": 1}, "must be a table of rows, columns"),
    ("projections", 0, {"rule": {"rows": None}}, "must be a table of rows, columns"),
    ("projections", 0, {"rule": {"rows": None, "columns": 7}}, "must be a table of amplitude, offset, scale"),
    ("projections", 0, {"rule": {"rows": half(scale=0.0), "columns": None}}, "scale must not be 0"),
    ("projections", 0, {"rule": {"rows": half(scale=1e999), "columns": None}}, "scale must be"),
    ("projections", 0, {"rule": {"rows": half(spike=-1.0), "columns": None}}, "spike must be"),
    ("projections", 0, {"rule": {"rows": half(amplitude=3), "columns": None}}, "amplitude must be"),
    ("projections", 0, {"first": 1}, "must begin at synapse 0, not 1"),
    ("projections", 0, {"count": 3}, "the projections have 3 synapses, the file has 15"),
    ("projections", 0, {"pre": "more"}, "synapses outside of its populations"),
]


@pytest.mark.parametrize(("kind", "index", "changes", "words"), PLACES)
def test_wrong_places_are_named(saved, tmp_path, kind, index, changes, words):
    repacked(saved, tmp_path / "x", lambda header: header[kind][index].update(changes), sign=True)
    with pytest.raises(ParameterError, match=words):
        Image.load(tmp_path / "x")


ARRAYS = [
    ("weights", lambda a: a[:-1], "weights must have 48 rows of 32"),
    ("weights", lambda a: a.astype(np.int16), "weights must be of int8"),
    ("program", lambda a: np.zeros((300, a.shape[1]), np.uint16), "program must have at most"),
    ("synapses", lambda a: a[:, :2], "synapses must have at most"),
    ("synapses", lambda a: a + 16, "synapses outside of its populations"),
    ("gen_rate", lambda a: a[:-1], "gen_rate must have"),
    ("events", lambda a: a[::-1], "events must be sorted"),
    ("events", lambda a: a + 100, "events must have steps"),
    ("events", lambda a: a - 9, "events must have steps"),
    ("source", lambda a: a | 0x8000, "source has bits outside of its fields"),
]


@pytest.mark.parametrize(("name", "change", "words"), ARRAYS)
def test_wrong_arrays_are_named(saved, tmp_path, name, change, words):
    repacked(saved, tmp_path / "x", arrays={name: change}, sign=True)
    with pytest.raises(ParameterError, match=words):
        Image.load(tmp_path / "x")


@pytest.mark.parametrize("name", ["weights", "header", "unknown"])
def test_a_small_file_that_unpacks_to_gigabytes_is_refused_unread(saved, tmp_path, name):
    """A file of 1.57 MB once took 1.59 GiB."""
    path = tmp_path / "x"
    bomb(saved, path, name, 600_000_000)
    assert path.stat().st_size < 3_000_000
    code = "import sys, synloom\ntry: synloom.Image.load(sys.argv[1])\nexcept synloom.ParameterError: pass"

    def limited():
        resource.setrlimit(resource.RLIMIT_DATA, (300 << 20,) * 2)

    subprocess.run([sys.executable, "-c", code, path], check=True, preexec_fn=limited, timeout=60)


def test_a_directory_that_fills_the_memory_is_refused_unread(tmp_path):
    path = tmp_path / "x"
    with zipfile.ZipFile(path, "w") as file:
        for k in range(60_000):
            file.writestr(f"{k:060}.npy", "")
    with pytest.raises(ParameterError, match="its directory is too large"):
        Image.load(path)


def test_devices_pipes_and_impossible_names_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/zero", "/dev/null", tmp_path / "pipe"):
        with pytest.raises(ParameterError, match="is not a regular file"):
            Image.load(path)
    for path in ("a\0b", "x" * 5000, "", b"x"):
        with pytest.raises(ParameterError) as caught:
            Image.load(path)
        assert len(str(caught.value).splitlines()) == 1
        with pytest.raises(ParameterError):
            compile(rich_network()).save(path)


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 50_000, b"9" * 5000, b"\xff", b"", b"[0,"])
def test_headers_that_are_no_json_are_refused(saved, tmp_path, text):
    repacked(saved, tmp_path / "x", text=text)
    with pytest.raises(ParameterError, match="JSON"):
        Image.load(tmp_path / "x")


def test_long_and_unprintable_names_give_one_line(saved, tmp_path):
    def spoil(header):
        header["populations"][0]["label"] = "a\nb\0" * 100_000

    repacked(saved, tmp_path / "x", spoil, sign=True)
    with pytest.raises(ParameterError) as caught:
        Image.load(tmp_path / "x")
    assert len(str(caught.value)) < 1500
    assert str(caught.value).isprintable()


@pytest.mark.slow
def test_an_image_of_the_most_populations_is_saved_and_loaded(tmp_path):
    network = Network()
    for _ in range(2048):
        network.add(Population(1, LIF()))
    image = compile(network)
    image.save(tmp_path / "x")
    assert Image.load(tmp_path / "x").digest() == image.digest()


def test_every_error_is_one_of_synloom(saved, tmp_path):
    """A file in which each key in turn is missing or has a value of another kind."""
    with np.load(saved) as file:
        header = json.loads(file["header"].tobytes())
    for key in set(header) - {"header_digest"}:
        for value in (None, "", -1, 2.5, [], {}, [None], {"label": None}, "x" * 1000, 10**30):
            repacked(saved, tmp_path / "x", lambda h, k=key, v=value: h.update({k: v}), sign=True)
            with pytest.raises(SynloomError):
                Image.load(tmp_path / "x")
        repacked(saved, tmp_path / "x", lambda h, k=key: h.pop(k), sign=True)
        with pytest.raises(SynloomError):
            Image.load(tmp_path / "x")
