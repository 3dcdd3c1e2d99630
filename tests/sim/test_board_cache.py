"""The cache of boards on machines with faults: one clear line each, or a rebuild."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_board_library_build import DESIGN, use_compiler

from synloom.base.errors import BuildError
from synloom_sim.board import Board, BoardCache, build_board


@pytest.fixture
def cache(tmp_path):
    return BoardCache(tmp_path / "cache")


@pytest.fixture
def library(cache, tmp_path, monkeypatch):
    """A board that a quick compiler built: what is built is empty, and is not loaded."""
    body = 'echo fake; while [ $# -gt 0 ]; do [ "$1" = -o ] && echo board > "$2"; shift; done'
    use_compiler(tmp_path, monkeypatch, body)
    return build_board(DESIGN, cache=cache)


def built_again(cache):
    """Return what is reported while the board is asked for."""
    reports = []
    library = build_board(DESIGN, cache=cache, progress=lambda what, _: reports.append(what))
    assert library.read_text() == "board\n"
    return reports


def test_a_board_in_the_cache_is_not_built_again(cache, library):
    assert built_again(cache) == []


@pytest.mark.parametrize("damage", [b"", b"boarD\n", b"board\n" * 9])
def test_a_damaged_library_is_built_again(cache, library, damage):
    library.write_bytes(damage)
    assert "compiling" in built_again(cache)
    assert built_again(cache) == []
    assert not list(library.parent.glob("*damaged*"))


@pytest.mark.parametrize("name", ["board.so", "digest"])
def test_a_missing_file_is_built_again(cache, library, name):
    (library.parent / name).unlink()
    assert "compiling" in built_again(cache)
    assert built_again(cache) == []


@pytest.mark.parametrize("text", [b"\xff\xfe", b"", b"../../etc", b"0" * 31, b"\0" * 32, b"f" * 32])
def test_a_damaged_key_is_found_by_its_content(cache, library, text):
    (key,) = (cache.root / "keys").iterdir()
    key.write_bytes(text)
    assert built_again(cache) == ["generating Verilog"]
    assert built_again(cache) == []


def test_a_library_that_is_no_board_is_a_clear_error(tmp_path):
    (tmp_path / "board.so").write_text("no library")
    with pytest.raises(BuildError, match="cannot be loaded"):
        Board(tmp_path / "board.so")
    maps = Path("/proc/self/maps").read_text().splitlines()
    libc = next(Path(line.split()[-1]) for line in maps if "/libc" in line)
    with pytest.raises(BuildError, match="is no simulated board"):
        Board(libc)


CALLS = ("mkdir", "rename", "replace")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EACCES])
@pytest.mark.parametrize("call", CALLS)
def test_a_disk_that_takes_no_more_is_one_line(cache, tmp_path, monkeypatch, number, call):
    body = 'echo fake; while [ $# -gt 0 ]; do [ "$1" = -o ] && echo board > "$2"; shift; done'
    use_compiler(tmp_path, monkeypatch, body)

    def full(*arguments, **options):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, full)
    if call == "replace":  # only the key is not kept
        assert build_board(DESIGN, cache=cache).is_file()
        return
    with pytest.raises(BuildError, match=f"{os.strerror(number)}.*set SYNLOOM_CACHE") as caught:
        build_board(DESIGN, cache=cache)
    assert len(str(caught.value).splitlines()) == 1


def test_a_compiler_that_fails_on_a_full_disk_says_so(cache, tmp_path, monkeypatch):
    use_compiler(tmp_path, monkeypatch, '[ "$1" = --version ] && echo fake && exit; exit 1')
    monkeypatch.setattr("shutil.disk_usage", lambda path: os.terminal_size((0, 0)) and Usage())
    with pytest.raises(BuildError, match=r"is full \(1 MiB are free"):
        build_board(DESIGN, cache=cache)


class Usage:
    free = 1 << 20


def test_a_cache_on_a_small_disk_is_one_line(tmp_path):
    """A real full disk, where this user may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("this user cannot mount a disk")
    try:
        with pytest.raises(BuildError, match="set SYNLOOM_CACHE") as caught:
            build_board(DESIGN, cache=BoardCache(disk / "cache"))
        assert len(str(caught.value).splitlines()) == 1
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with pytest.raises(BuildError, match="Read-only file system"):
            build_board(DESIGN, cache=BoardCache(disk / "other"))
    finally:
        subprocess.run(["umount", disk], check=True)


def test_no_home_is_one_line(monkeypatch):
    for name in ("SYNLOOM_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)

    def none():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", none)
    with pytest.raises(BuildError, match=r"no home folder.*set SYNLOOM_CACHE"):
        BoardCache.default()
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    with pytest.raises(BuildError, match="no home folder"):
        BoardCache.default()


def test_doctor_finds_a_missing_home(monkeypatch):
    monkeypatch.delenv("SYNLOOM_CACHE", raising=False)
    code = (
        "import pathlib\ndef none(): raise RuntimeError\npathlib.Path.home = none\n"
        "from synloom.cli.doctor import checks\n"
        "print([c.detail for c in checks() if c.name == 'cache'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "no home folder" in done.stdout
