"""Building a top for cocotb once per content, and running a module of benches on it."""

import hashlib
import os
import shlex
import shutil
import sys
from contextlib import contextmanager
from importlib import metadata

from cocotb_tools.runner import get_runner

from synloom_sim.board import BoardCache
from synloom_sim.board.tools import find_compiler, find_verilator

__all__ = ["run_benches"]

_BUILD_ARGS = ["-Wno-fatal", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-timing"]
# The runner makes every signal visible, which costs most of the speed; benches need only the top's.
_BUILD_ARGS += ["--no-public-flat-rw"]
_VISIBLE = '`verilator_config\npublic_flat_rw -module "top" -var "*"\n'


def run_benches(design, module, folder, *, testcase=None, seed=1, **variables):
    """Build the design's top unless it is in the cache, and run the benches of a module on it.

    Parameters
    ----------
    design : Design
        The top.
    module : str
        Python module with functions decorated by `cocotb.test`.
    folder : Path
        For results; a test's `tmp_path`.
    testcase : str or list of str, optional
        Only these benches.
    seed : int
        Of cocotb's random generator.
    **variables
        Environment of the benches.
    """
    build_dir = _build(design)
    runner = get_runner("verilator")
    runner.test(
        test_module=module,
        hdl_toplevel="top",
        hdl_toplevel_lang="verilog",
        testcase=testcase,
        seed=seed,
        build_dir=build_dir,
        test_dir=folder,
        log_file=folder / "bench.log",
        extra_env={name: str(value) for name, value in variables.items()},
    )


def _build(design):
    cache = BoardCache.default()
    verilog = design.verilog()
    # The makefile links cocotb's libraries, which are made for the system's compilers.
    compiler, verilator = find_compiler(zig=False), find_verilator()
    facts = (verilog, *_BUILD_ARGS, _VISIBLE, verilator.version, compiler.version, metadata.version("cocotb"))
    key = "cocotb-" + hashlib.sha256("\0".join(facts).encode()).hexdigest()[:32]
    build_dir = cache.root / "cocotb" / key
    with cache.lock(key):
        if not (build_dir / "finished").exists():
            shutil.rmtree(build_dir, ignore_errors=True)
            build_dir.mkdir(parents=True)
            (build_dir / "top.v").write_text(verilog)
            (build_dir / "visible.vlt").write_text(_VISIBLE)
            with _tools(compiler, verilator, build_dir):
                get_runner("verilator").build(
                    sources=[build_dir / "visible.vlt", build_dir / "top.v"],
                    hdl_toplevel="top",
                    build_dir=build_dir,
                    build_args=_BUILD_ARGS,
                    timescale=("1ps", "1ps"),
                    log_file=build_dir / "build.log",
                )
            (build_dir / "finished").touch()
    return build_dir


@contextmanager
def _tools(compiler, verilator, build_dir):
    """Let the runner find Verilator without its Perl wrapper, and make this machine's tools.

    The package's makefile names the tools of the machine that built it.
    """
    programs = build_dir / "bin"
    programs.mkdir()
    (programs / "verilator").symlink_to(verilator.binary)
    command = shlex.join(compiler.command).replace(" ", "\\ ")
    settings = {
        "CXX": command,
        "LINK": command,
        "AR": "ar",
        "PYTHON3": sys.executable,
        "CFG_CXXFLAGS_PCH_I": "-include",
        "OPT_FAST": "-O1",
    }
    wanted = {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "VERILATOR_ROOT": str(verilator.root),
        "MAKEFLAGS": "-- " + " ".join(f"{name}={value}" for name, value in settings.items()),
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
