import dataclasses
import json
import zipfile

import numpy as np
import pytest
from small_networks import relay

from synloom import (
    LIF,
    STDP,
    AllToAll,
    Image,
    InputPopulation,
    MismatchError,
    Network,
    NetworkError,
    ParameterError,
    Population,
    Projection,
    compile,
)
from synloom.contract.memory_map import memory_map


def rich_image():
    network = Network(dt=0.5, seed=9)
    source = network.add(InputPopulation(5, spike_times=[[1.0, 2.0]] * 5, label="in"))
    cell = LIF(theta_plus=0.5, tau_m=[10.0, 20.0, 30.0], v_rest=[-60.0, -65.0, -70.0], v_reset=-71.0)
    target = network.add(Population(3, cell, label="out"))
    network.add(Projection(source, target, AllToAll(), weight=0.3, delay=1.0, plasticity=STDP(), label="w"))
    return compile(network)


def test_an_image_and_its_file_have_an_array_for_each_memory_that_is_a_setting(tmp_path):
    image = rich_image()
    image.save(tmp_path / "net")
    with np.load(tmp_path / "net") as file:
        stored = {name: file[name].dtype for name in file.files if name != "header"}
    members = {field.name: getattr(image, field.name) for field in dataclasses.fields(Image)}
    arrays = {name: value.dtype for name, value in members.items() if isinstance(value, np.ndarray)}
    settings = {memory.region.name.lower() for memory in memory_map(image.params).values() if memory.setting}
    assert stored == arrays
    # No memories: the host sends events during a run, and needs the places of synapses for their weights.
    assert set(arrays) - {"events", "synapses"} == settings


def test_an_image_comes_back_from_its_file(tmp_path):
    image = rich_image()
    image.save(tmp_path / "net.synloom")
    again = Image.load(tmp_path / "net.synloom")
    assert again.digest() == image.digest()
    for field in dataclasses.fields(Image):
        mine, theirs = getattr(image, field.name), getattr(again, field.name)
        if isinstance(mine, np.ndarray):
            assert mine.dtype == theirs.dtype
            assert (mine == theirs).all()
        elif field.name in ("populations", "inputs", "projections"):
            assert [info.to_dict() for info in mine.values()] == [info.to_dict() for info in theirs.values()]
        else:
            assert mine == theirs
    assert str(again.report) == str(image.report)
    assert [path.name for path in tmp_path.iterdir()] == ["net.synloom"]


def test_no_pickle_is_in_the_file(tmp_path):
    rich_image().save(tmp_path / "x")
    with np.load(tmp_path / "x", allow_pickle=False) as file:
        assert all(file[name].dtype != object for name in file.files)


def test_every_truncation_is_one_clear_error(tmp_path):
    path = tmp_path / "net"
    rich_image().save(path)
    whole = path.read_bytes()
    for length in [0, 1, 3, 4, 100, *range(200, len(whole), 997), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ParameterError, match="compile"):
            Image.load(path)


def test_flipped_bytes_never_go_unnoticed(tmp_path):
    path = tmp_path / "net"
    image = rich_image()
    image.save(path)
    whole = path.read_bytes()
    for place in np.random.default_rng(0).integers(0, len(whole), 150):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            again = Image.load(path)
        except (ParameterError, MismatchError):
            continue
        assert again.digest() == image.digest()


def rewritten(path, **changes):
    """Change the header of a saved image."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    header = json.loads(arrays.pop("header").tobytes()) | changes
    with path.open("wb") as out:
        np.savez(out, header=np.frombuffer(json.dumps(header).encode(), dtype=np.uint8), **arrays)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"magic": "other"}, ParameterError, "not a Synloom image"),
        ({"format": 99}, MismatchError, "format version 99"),
        ({"semantics": 99}, MismatchError, "semantics version 99"),
        ({"semantics_digest": "0" * 32}, ParameterError, "damaged"),
        ({"digest": "0" * 32}, ParameterError, "digest"),
        ({"registers": {"sweep": 3}}, ParameterError, "damaged"),
        ({"params": {"neurons": -1}}, ParameterError, "damaged"),
        ({"dt": None}, ParameterError, "damaged"),
        ({"populations": [{}]}, ParameterError, "damaged"),
    ],
)
def test_wrong_headers_are_one_clear_error(tmp_path, changes, error, words):
    path = tmp_path / "net"
    rich_image().save(path)
    rewritten(path, **changes)
    with pytest.raises(error, match=words):
        Image.load(path)


def test_foreign_files_are_one_clear_error(tmp_path):
    path = tmp_path / "x.npz"
    for content in (b"", b"hello", b"\x93NUMPY junk", b"PK\x03\x04 junk"):
        path.write_bytes(content)
        with pytest.raises(ParameterError, match="is not a Synloom image"):
            Image.load(path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", "nothing")
    with pytest.raises(ParameterError, match="is not a Synloom image"):
        Image.load(path)
    np.savez(path, a=np.arange(3))
    with pytest.raises(ParameterError, match="is not a Synloom image"):
        Image.load(path)
    np.save(tmp_path / "y.npy", np.arange(3))
    with pytest.raises(ParameterError, match="is not a Synloom image"):
        Image.load(tmp_path / "y.npy")


def test_missing_files_and_folders_are_one_clear_error(tmp_path):
    with pytest.raises(ParameterError, match="cannot read the image"):
        Image.load(tmp_path / "nothing")
    with pytest.raises(ParameterError, match="cannot read the image"):
        Image.load(tmp_path)
    with pytest.raises(ParameterError, match="cannot write the image"):
        rich_image().save(tmp_path / "no" / "folder")


def test_things_are_found_by_object_and_by_label():
    network = relay()
    image = compile(network)
    assert image.population(network.populations[0]) is image.population("out")
    assert image.input(network.inputs[0]) is image.input("in")
    assert image.projection(network.projections[0]) is image.projection("relay")
    with pytest.raises(NetworkError, match="no population of neurons 'exc'; it has 'out'"):
        image.population("exc")
    with pytest.raises(ParameterError, match="or its label, not 3"):
        image.population(3)


def test_the_report_is_a_table_with_the_worst_first_at_hand():
    report = rich_image().report
    lines = str(report).splitlines()
    assert lines[0].startswith("quantisation: ")
    notes = len(report.notes)
    assert all(line.startswith("- ") for line in lines[1 : 1 + notes])
    assert lines[1 + notes].split() == ["where", "parameter", "wanted", "got", "error", "mean"]
    assert report.row("out", "tau_m").wanted in (10.0, 20.0, 30.0)
    worst = report.worst()
    assert worst is not None
    assert worst.relative == max(row.relative for row in report.rows)
    with pytest.raises(KeyError, match="no row for 'tau_x'"):
        report.row("out", "tau_x")
