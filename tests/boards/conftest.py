"""Stand-ins for the tools, and a plan that is made once."""

import sys

import pytest
from small_boards import SMALL

from synloom_boards.bitstreams.build import build_bitstream
from synloom_boards.bitstreams.elaboration import make_plan
from synloom_boards.bitstreams.stamp import write_stamp
from synloom_boards.boards import load_board

YOSYS = """
names = {cells}
open("top.json", "w").write(json.dumps({{"modules": {{"top": {{"cells": {{
    name: {{"type": kind}} for name, kind in names.items()}}}}}}}}))
kinds = {{kind: list(names.values()).count(kind) for kind in names.values()}}
open("cells.json", "w").write(json.dumps({{"design": {{"num_cells_by_type": kinds}}}}))
"""

NEXTPNR = """
seed = int(sys.argv[sys.argv.index("--seed") + 1])
open(r"{folder}/placed", "a").write(f"{{seed}}\\n")
for kind, (used, there) in {used}.items():
    print(f"Info: \\t  {{kind}}: {{used}}/ {{there}}  7%")
if any(used > there for used, there in {used}.values()):
    print("ERROR: Unable to place cell 'x', no BELs remaining to implement cell type 'y'")
    sys.exit(1)
print("Info:     at initial placer iter 0, wirelen = 52")
print("Info:     at iteration #1, type ALL: wirelen solved = 4, spread = 5, legal = 6; time = 0.1s")
print("Info: Routing..")
print("Info:    1 | 0 5 | 0 5 | 10 | 0.1 0.1|")
part = lambda kind, source, sink, delay: dict(
    type=kind, delay=delay, **{{"from": dict(cell=source, port="O"), "to": dict(cell=sink, port="I0")}})
path = [
    part("clk-to-q", "array.array.core.now_SB_DFFESR_Q_3", "array.array.core.now_SB_DFFESR_Q_3", 1.4),
    part("routing", "array.array.core.now_SB_DFFESR_Q_3", "x_SB_LUT4_I0", 3.0),
    part("logic", "x_SB_LUT4_I0", "x_SB_LUT4_I0", 1.2),
    part("routing", "x_SB_LUT4_I0", "array.array.link.busy_SB_DFF_Q", 2.0),
]
clock = "posedge clocking.pll_clk"
fmax = {fmax}.get(seed, 10.0)
open("report.json", "w").write(json.dumps(dict(
    fmax={{"clocking.pll_clk": dict(achieved=fmax, constraint=24.0)}},
    utilization={{kind: dict(used=used, available=there) for kind, (used, there) in {used}.items()}},
    critical_paths=[{{"from": clock, "to": clock, "path": path}},
                    {{"from": "<async>", "to": clock, "path": path}}])))
"""


@pytest.fixture
def stand_in(monkeypatch, tmp_path):
    """Let a variable of the environment name a program that runs some Python."""

    def make(variable, code):
        program = tmp_path / variable.lower()
        program.write_text(f"#!{sys.executable}\nimport json, sys, time\n{code}\n")
        program.chmod(0o755)
        monkeypatch.setenv(variable, str(program))
        return program

    return make


@pytest.fixture(scope="session")
def small_plan():
    """The plan of a small array for the iCEBreaker."""
    board = load_board("icebreaker")
    return make_plan(board, board.array.replace(**SMALL))


@pytest.fixture
def flow(monkeypatch, tmp_path, stand_in, small_plan):
    """Stand-ins for all tools of the iCEBreaker, and a cache of its own.

    Call it with `fmax` (MHz by seed), `used` (cells by kind) and `cells` (types by name); it returns a list
    that tells which seeds were placed.
    """
    monkeypatch.setenv("SYNLOOM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("synloom_boards.bitstreams.build.make_plan", lambda board, params: small_plan)
    version = "if '--version' in sys.argv: print('a stand-in'); sys.exit(0)\n"

    def make(*, fmax=None, used=None, cells=None):
        used = used or {"ICESTORM_LC": (2000, 5280), "ICESTORM_RAM": (11, 30), "ICESTORM_DSP": (3, 8)}
        names = memories() if cells is None else cells
        stand_in("YOSYS", version + YOSYS.format(cells=names))
        stand_in(
            "NEXTPNR_ICE40", version + NEXTPNR.format(folder=tmp_path, used=used, fmax=fmax or {1: 25.0})
        )
        stand_in("ICEPACK", version + "open(sys.argv[2], 'w').write('bits')")

        def placed():
            file = tmp_path / "placed"
            return [int(line) for line in file.read_text().split()] if file.exists() else []

        return placed

    def memories():
        from synloom_boards.toolchain.netlist_checks import large_memories

        blocks = {f"{path}.0.0": "SB_RAM40_4K" for path in large_memories(small_plan.rtlil)}
        return {**blocks, "weights": "SB_SPRAM256KA"}

    return make


@pytest.fixture
def stamp_folder(monkeypatch, tmp_path):
    """A folder of its own for stamps."""
    folder = tmp_path / "stamps"
    monkeypatch.setattr(
        "synloom_boards.bitstreams.stamp.stamp_path", lambda board: folder / f"{board.name}.json"
    )
    return folder


@pytest.fixture
def stamped(flow, stamp_folder):
    """The report of a stand-in's build of the iCEBreaker, whose stamp is kept."""
    board = load_board("icebreaker")
    flow(fmax={7: 25.0})
    report = build_bitstream(board, board.array, seeds=[7]).report
    write_stamp(board, report)
    return report
