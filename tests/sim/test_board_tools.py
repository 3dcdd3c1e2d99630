"""The choice of the C++ compiler, and a library that Zig compiles."""

import ctypes
import importlib.util
import os
import shlex
import subprocess
import sys

import pytest

from synloom.base.errors import BuildError
from synloom_sim.board.library_build import COMPILER_FLAGS, LINKER_FLAGS
from synloom_sim.board.tools import find_compiler


@pytest.fixture
def zig():
    """Zig's compiler; with CI a missing one is a failure."""
    if importlib.util.find_spec("ziglang") is None and not os.environ.get("CI"):
        pytest.skip("needs ziglang; try: pip install 'synloom[compiler]'")


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


# 411 MB, which few need: not among the tools of `make test`.
@pytest.mark.slow
@pytest.mark.usefixtures("zig")
def test_zig_compiles_a_library(tmp_path, monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    compiler = find_compiler()
    assert "ziglang" in compiler.command
    source, library = tmp_path / "shift.cpp", tmp_path / "shift.so"
    source.write_text(
        "#include <vector>\n"
        'extern "C" __attribute__((visibility("default")))\n'
        "int shifted(int x) { std::vector<int> v(3, x); return v.back() << 2; }\n"
    )
    subprocess.run([*compiler.command, *COMPILER_FLAGS, *LINKER_FLAGS, "-o", library, source], check=True)
    assert ctypes.CDLL(str(library)).shifted(-5) == -20
