"""A cell model that does not do what a parameter asks for stops the build."""

import re
import subprocess
from dataclasses import dataclass

import pytest

from synloom.base.errors import BuildError
from synloom.contract import ArrayParams
from synloom_boards.netlist.cell_models import own_cells
from synloom_sim.board import BoardCache, Design, build_board
from synloom_sim.board.tools import find_verilator

REFUSED = [
    ("ecp5", "DP16KD", 'REGMODE_A("OUTREG")', "output registers"),
    ("ecp5", "DP16KD", 'REGMODE_B("OUTREG")', "output registers"),
    ("ecp5", "DP16KD", 'CSDECODE_A("0b001")', "CSDECODE"),
    ("ecp5", "DP16KD", 'CLKBMUX("INV")', "inverted clocks"),
    ("ecp5", "DP16KD", 'RESETMODE("ASYNC")', "a late release"),
    ("ecp5", "DP16KD", 'WRITEMODE_A("OTHER")', "WRITEMODE_A"),
    ("ecp5", "DP16KD", "DATA_WIDTH_A(3)", "3 bits"),
    ("ecp5", "DP16KD", "DATA_WIDTH_B(36)", "36 bits of port B"),
    ("ecp5", "DP16KD", 'INIT_DATA("DYNAMIC")', "INIT_DATA"),
    ("ecp5", "DP16KD", 'OCEAMUX("OCEA")', "OCEAMUX"),
    ("ecp5", "MULT18X18D", 'REG_INPUTA_CLK("CLK0")', "registers"),
    ("ecp5", "MULT18X18D", 'REG_OUTPUT_CLK("CLK0")', "registers"),
    ("ecp5", "MULT18X18D", 'MULT_BYPASS("ENABLED")', "MULT_BYPASS"),
    ("ecp5", "EHXPLLL", 'CLKOS2_ENABLE("ENABLED")', "secondary clock"),
    ("ecp5", "EHXPLLL", 'DPHASE_SOURCE("ENABLED")', "phases"),
    ("ecp5", "TRELLIS_IO", 'DIR("SIDEWAYS")', "DIR"),
    ("gowin", "SDPB", "READ_MODE(1'b1)", "READ_MODE"),
    ("gowin", "SDPB", "BIT_WIDTH_0(9)", "width"),
    ("gowin", "SDPX9B", "BIT_WIDTH_1(16)", "width"),
    ("gowin", "SDPX9B", 'RESET_MODE("OTHER")', "RESET_MODE"),
    ("gowin", "SP", "WRITE_MODE(2'b11)", "write mode 3"),
    ("gowin", "SPX9", "READ_MODE(1'b1)", "READ_MODE"),
    ("gowin", "MULT9X9", "AREG(1'b1)", "registers"),
    ("gowin", "MULT18X18", "PIPE_REG(1'b1)", "registers"),
    ("gowin", "MULT36X36", "OUT0_REG(1'b1)", "registers"),
    ("gowin", "rPLL", 'DYN_IDIV_SEL("true")', "moving dividers"),
    ("gowin", "rPLL", 'CLKFB_SEL("external")', "external feedback"),
    ("ice40", "SB_RAM40_4K", "READ_MODE(4)", "a mode above 3"),
    ("ice40", "SB_RAM40_4K", 'INIT_FILE("x.hex")', "INIT_FILE"),
    ("ice40", "SB_IO", "PIN_TYPE(6'b000000)", "PIN_TYPE 000000"),
    ("ice40", "SB_PLL40_PAD", 'FEEDBACK_PATH("DELAY")', "FEEDBACK_PATH"),
    ("ice40", "SB_PLL40_PAD", 'PLLOUT_SELECT("SHIFTREG_0deg")', "PLLOUT_SELECT"),
]
FINE = {"ice40": {"SB_IO": "#(.PIN_TYPE(6'b000001))"}}


def elaborate(folder, family: str, instances: str) -> subprocess.CompletedProcess:
    verilator = find_verilator()
    (folder / "top.v").write_text(f"module top; {instances} endmodule\n{own_cells(family)}")
    command = [
        verilator.binary,
        "--lint-only",
        "-Wno-fatal",
        "-Werror-USERFATAL",
        "-Wno-lint",
        "--top-module",
        "top",
        "top.v",
    ]
    environment = {"VERILATOR_ROOT": str(verilator.root), "PATH": ""}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("family", "cell", "setting", "complaint"), REFUSED)
def test_a_parameter_that_is_not_modelled_stops_the_build(tmp_path, family, cell, setting, complaint):
    done = elaborate(tmp_path, family, f"{cell} #(.{setting}) c ();")
    assert done.returncode != 0
    errors = [line for line in done.stderr.splitlines() if line.startswith("%Error")]
    assert any(complaint in line for line in errors), done.stderr


@dataclass(frozen=True, slots=True)
class Refused(Design):
    """A design with a cell that is not modelled."""

    def key(self) -> str:
        return "refused"

    def verilog(self, *, enclosed: bool = False, family: str | None = None) -> str:
        return f'module top; DP16KD #(.REGMODE_A("OUTREG")) c (); endmodule\n{own_cells("ecp5")}'


def test_nothing_is_simulated_then(tmp_path):
    cache = BoardCache(tmp_path)
    with pytest.raises(BuildError, match="Verilator failed"):
        build_board(Refused(ArrayParams()), cache=cache)
    (log,) = tmp_path.glob("logs/*")
    assert "DP16KD: output registers are not modelled" in log.read_text()


@pytest.mark.parametrize("family", ["ice40", "ecp5", "gowin"])
def test_every_model_of_our_own_elaborates(tmp_path, family):
    cells = [name for name in re.findall(r"^module (\w+)", own_cells(family), re.MULTILINE) if name.isupper()]
    assert len(cells) >= 2
    settings = FINE.get(family, {})
    done = elaborate(
        tmp_path, family, "\n".join(f"{name} {settings.get(name, '')} c_{name} ();" for name in cells)
    )
    assert done.returncode == 0, done.stderr
