"""Building the shared library of a design, with Verilator, a C++ compiler and a cache."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from synloom.base.errors import BuildError
from synloom.base.progress import Progress
from synloom_sim.board.cache import BoardCache
from synloom_sim.board.design import Design
from synloom_sim.board.tools import Compiler, Verilator, find_compiler, find_verilator

__all__ = ["COMPILER_FLAGS", "LINKER_FLAGS", "build_board"]

_HARNESS = Path(__file__).with_name("harness.cpp")
_SHELL = Path(__file__).with_name("shell.py")
_VERILATOR_FLAGS = (
    "--cc",
    "--prefix",
    "Vtop",
    "--top-module",
    "top",
    "-O3",
    "--x-assign",
    "fast",
    "--x-initial",
    "fast",
    "--no-assert",
    "--no-timing",
    "--output-split",
    "20000",
    "-Wno-fatal",
    "-Werror-USERFATAL",  # a Verilog model of a cell rejects its parameters
)
COMPILER_FLAGS = (
    "-std=c++17",
    "-fPIC",
    "-fno-plt",
    "-fvisibility=hidden",
    "-fno-sanitize=undefined",  # Zig's default; it stops at shifts that Verilator means
    "-g0",  # Zig has debug information by default
    "-DNDEBUG",  # an assertion of the runtime needs a library that clang++ does not bring
    "-DVL_TIME_CONTEXT",
)
LINKER_FLAGS = ("-shared", "-fno-sanitize=undefined", "-g0")
_FAST = "-O1"
"""For code that runs every clock; -O2 and -O3 take twice as long to compile and are hardly faster."""
_EDGE = re.compile(r"@\(posedge (?=\w+\))")
"""What makes a register take one edge of a clock."""
_SLOW = "-O0"
"""For code that runs once: set-up of the model."""
_VERILATED_SOURCES = ("verilated.cpp", "verilated_threads.cpp")


def build_board(design: Design, *, cache: BoardCache | None = None, progress: Progress | None = None) -> Path:
    """Return the shared library of a design, built if the cache does not have it.

    Parameters
    ----------
    design : Design
        What to build.
    cache : BoardCache, optional
        Cache of built boards; default: the user's cache.
    progress : callable, optional
        Called as ``progress(what, share)`` during a build; not called for a board from the cache.

    Raises
    ------
    BuildError
        If a tool is missing or fails; the message names the log.
    """
    cache = cache or BoardCache.default()
    key = _digest(design.key(), _recipe())
    if (library := cache.find(key)) is not None:
        return library
    report = progress or _silent
    with cache.lock(key):
        if (library := cache.find(key)) is not None:
            return library
        verilator, compiler = find_verilator(), find_compiler()
        report("generating Verilog", 0.0)
        verilog = design.verilog(enclosed=True)
        tools = verilator.version, *compiler.command[1:], compiler.version
        content = _digest(verilog, _recipe(), str(design.pins), str(design.both_edges), *tools)
        library = cache.library(content)
        if library is None:
            with cache.workplace(key) as folder:
                _Build(folder, verilator, compiler, design, cache.log(key), report).run(verilog)
                library = cache.store(content, folder)
        cache.remember(key, content)
        return library


@dataclass(frozen=True, slots=True)
class _Build:
    """A build in a temporary folder."""

    folder: Path
    verilator: Verilator
    compiler: Compiler
    design: Design
    kept_log: Path
    report: Progress

    def run(self, verilog: str) -> None:
        """Build `board.so`; only it, the Verilog and the log remain in the folder."""
        if self.design.both_edges:
            verilog = _EDGE.sub("@(edge ", verilog)
        (self.folder / "top.v").write_text(verilog)
        self.report("verilating", 0.1)
        self._call(
            "Verilator",
            [self.verilator.binary, *_VERILATOR_FLAGS, "--Mdir", "obj", "top.v"],
            {"VERILATOR_ROOT": str(self.verilator.root)},
        )
        include = self.verilator.root / "include"
        sources = [_HARNESS, *(include / name for name in _VERILATED_SOURCES)]
        sources += sorted((self.folder / "obj").glob("*.cpp"))
        objects = self._compile(sorted(sources, key=self._cost, reverse=True))
        self.report("linking", 0.97)
        command = [*self.compiler.command, *LINKER_FLAGS, "-o", "board.so", *objects, "-lpthread"]
        self._call(f"the C++ compiler {self.compiler}", command)
        for path in (self.folder / "obj").iterdir():
            path.unlink()
        (self.folder / "obj").rmdir()

    def _compile(self, sources: Sequence[Path]) -> list[str]:
        """Compile on all cores, the slowest files first; the first failure raises its error."""
        total = sum(map(self._cost, sources))
        done = 0.0
        pool = ThreadPoolExecutor(max_workers=len(os.sched_getaffinity(0)))
        try:
            running = {pool.submit(self._compile_one, path): path for path in sources}
            pending = set(running)
            self.report("compiling", 0.15)
            while pending:
                finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                    done += self._cost(running[future])
                self.report("compiling", 0.15 + 0.8 * done / total)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        return [self._object(path) for path in sources]

    def _compile_one(self, source: Path) -> None:
        include = self.verilator.root / "include"
        self._call(
            f"the C++ compiler {self.compiler}",
            [
                *self.compiler.command,
                *COMPILER_FLAGS,
                _FAST if self._is_hot(source) else _SLOW,
                f"-DSYNLOOM_PINS={int(self.design.pins)}",
                f"-DSYNLOOM_BOTH_EDGES={int(self.design.both_edges)}",
                "-I",
                "obj",
                "-isystem",
                include,
                "-isystem",
                include / "vltstd",
                "-c",
                source,
                "-o",
                self._object(source),
            ],
        )

    def _call(
        self, name: str, command: Sequence[str | Path], variables: dict[str, str] | None = None
    ) -> None:
        environment = {**os.environ, **(variables or {})}
        with open(self.folder / "build.log", "ab") as log:
            log.write((" ".join(map(str, command)) + "\n").encode())
            log.flush()
            result = subprocess.run(
                list(map(str, command)),
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
            )
        if result.returncode != 0:
            raise BuildError(
                f"{name} failed with exit code {result.returncode} while the simulated "
                f"board was built; see {self.kept_log}"
            )

    @staticmethod
    def _is_hot(source: Path) -> bool:
        return not source.name.startswith("Vtop") or "Slow" not in source.name

    def _cost(self, source: Path) -> float:
        """Estimate the time to compile, in arbitrary units: a constant for the headers, plus the size."""
        return 20_000 + source.stat().st_size * (3 if self._is_hot(source) else 1)

    @staticmethod
    def _object(source: Path) -> str:
        return f"obj/{source.stem}.o"


def _recipe() -> str:
    """Return a digest of everything but the design that affects the library."""
    return _digest(
        _HARNESS.read_text(),
        _SHELL.read_text(),
        *_VERILATOR_FLAGS,
        *COMPILER_FLAGS,
        *LINKER_FLAGS,
        _FAST,
        _SLOW,
        _EDGE.pattern,
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _silent(what: str, share: float) -> None:
    """Ignore the progress."""
