"""The machine code of the fast engine on disk: damaged, out of date or without room, it is never believed."""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import synloom
import synloom_sim
from synloom_sim.fast.compiled import cache_folder, cached, called_first


def doubled(values):
    for k in range(len(values)):
        values[k] = 2.0 * values[k]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNLOOM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def first_call():
    """What is told when a process calls the function for the first time; the result must be right."""
    told, values = [], np.arange(5.0)
    called_first(cached(doubled), (values,), lambda kept, share: told.append((kept, share)))
    assert values.tolist() == [0.0, 2.0, 4.0, 6.0, 8.0]
    return told


COMPILED = [(True, 0.0), (True, 1.0)]


def flipped(content):
    first = len(content) // 2
    return (
        content[:first] + bytes(byte ^ 0x55 for byte in content[first : first + 100]) + content[first + 100 :]
    )


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize(
    "damage",
    [lambda content: b"", lambda content: content[:-9], lambda content: b"x" * len(content), flipped],
    ids=["empty", "cut", "overwritten", "flipped"],
)
def test_damaged_code_is_compiled_again(cache, kind, damage):
    assert first_call() == COMPILED
    assert first_call() == []
    (file,) = cache.rglob(f"*.{kind}")
    file.write_bytes(damage(file.read_bytes()))
    assert first_call() == COMPILED
    assert first_call() == []


def test_code_that_nothing_vouches_for_is_compiled_again(cache):
    first_call()
    (seal,) = cache.rglob("*.nbc.sha256")
    seal.unlink()
    assert first_call() == COMPILED
    assert first_call() == []


@pytest.fixture
def no_room():
    """No file may grow beyond some bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("no_room")
def test_without_room_on_the_disk_each_process_compiles(cache):
    for _ in range(2):
        assert first_call() == COMPILED
        assert not list(cache.rglob("*.nbc"))


def test_a_cache_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SYNLOOM_CACHE", str(tmp_path / "file" / "cache"))
    assert cache_folder() is None
    assert first_call() == [(False, 0.0), (False, 1.0)]


def test_without_a_home_there_is_no_cache(monkeypatch):
    for name in ("SYNLOOM_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def none():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", none)
    assert cache_folder() is None


@pytest.mark.parametrize(
    "source",
    ["synloom/contract/dither.py", "synloom_sim/model/random_numbers.py", "synloom_sim/fast/sweep.py"],
)
def test_code_with_other_constants_is_not_found_again(cache, tmp_path, source):
    """Constants of the contract and of the model are compiled in, so the folder is named after them, too."""
    for package in (synloom, synloom_sim):
        folder = Path(package.__file__).parent
        shutil.copytree(folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("__pycache__"))

    def folder():
        script = "from synloom_sim.fast.compiled import cache_folder; print(cache_folder())"
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True
        )
        return Path(done.stdout.strip())

    before = folder()
    assert before.is_relative_to(cache)
    assert folder() == before
    with (tmp_path / source).open("a") as file:
        file.write("\nCHANGED = 1\n")
    assert folder() != before
