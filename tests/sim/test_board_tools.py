"""The choice of the C++ compiler, and a library that Zig compiles."""

import ctypes
import importlib.util
import shlex
import subprocess
import sys

import pytest

from synloom.base.errors import BuildError
from synloom_sim.board.tools import find_compiler

HAS_ZIG = importlib.util.find_spec("ziglang") is not None


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Return a function that makes a program; PATH has no others, and there is neither $CXX nor Zig."""
    folder = tmp_path / "some programs"
    folder.mkdir()
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setitem(sys.modules, "ziglang", None)

    def make(name, body="echo $0 $*"):
        path = folder / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return str(path)

    return make


def test_cxx_is_a_command_of_several_words(programs, monkeypatch):
    programs("g++")
    path = programs("launcher")
    monkeypatch.setenv("CXX", "launcher 'my compiler' -m64")
    compiler = find_compiler()
    assert compiler.command == (path, "my compiler", "-m64")
    assert compiler.version == f"{path} my compiler -m64 --version"
    assert shlex.split(str(compiler)) == list(compiler.command)


def test_cxx_that_is_no_command_is_named(programs, monkeypatch):
    monkeypatch.setenv("CXX", "g++ 'never closed")
    with pytest.raises(BuildError, match=r"never closed.*no command"):
        find_compiler()


def test_clang_is_preferred_unless_it_has_no_library(programs):
    programs("c++")
    gcc = programs("g++")
    assert find_compiler().command == (gcc,)
    clang = programs("clang++")
    assert find_compiler().command == (clang,)
    programs("clang++", '[ "$1" = --version ]')
    assert find_compiler().command == (gcc,)


def test_installed_zig_is_taken_before_the_system_s(programs, tmp_path, monkeypatch):
    programs("g++")
    (tmp_path / "ziglang").mkdir()
    (tmp_path / "ziglang" / "__init__.py").touch()
    (tmp_path / "ziglang" / "__main__.py").write_text("import sys; print('zig', *sys.argv[1:])")
    monkeypatch.delitem(sys.modules, "ziglang")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    compiler = find_compiler()
    assert compiler.command == (sys.executable, "-m", "ziglang", "c++", "-mcpu=baseline")
    assert compiler.version == "zig c++ -mcpu=baseline --version"


def test_no_compiler_at_all_names_both_remedies(programs):
    with pytest.raises(BuildError, match=r"no C\+\+ compiler.*pip install 'ziglang.*apt install g\+\+"):
        find_compiler()


def test_compiler_that_does_not_start_is_named(programs, monkeypatch):
    path = programs("broken", "exit 3")
    monkeypatch.setenv("CXX", "broken")
    with pytest.raises(BuildError, match=r"broken.*does not start.*another one with \$CXX") as caught:
        find_compiler()
    assert path in str(caught.value).replace("'", "")


@pytest.mark.skipif(not HAS_ZIG, reason="needs ziglang: pip install 'synloom[compiler]'")
def test_zig_compiles_a_library(tmp_path, monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    compiler = find_compiler()
    assert "ziglang" in compiler.command
    source, library = tmp_path / "shift.cpp", tmp_path / "shift.so"
    source.write_text(
        "#include <vector>\n"
        'extern "C" int shifted(int x) { std::vector<int> v(3, x); return v.back() << 2; }\n'
    )
    flags = ["-std=c++17", "-O1", "-fPIC", "-shared", "-fno-sanitize=undefined"]
    subprocess.run([*compiler.command, *flags, "-o", library, source], check=True)
    assert ctypes.CDLL(str(library)).shifted(-5) == -20
