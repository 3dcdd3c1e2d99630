"""Netlists become Verilog: nets, ports, parameters, contents of memories."""

import copy

import pytest

from synloom.base.errors import BuildError
from synloom_boards.netlist.cell_models import cell_models
from synloom_boards.netlist.verilog import cell_types, netlist_verilog

NETLIST = {
    "modules": {
        "top": {
            "ports": {
                "clk": {"direction": "input", "bits": [2]},
                "d": {"direction": "input", "bits": [3, 4]},
                "a.q": {"direction": "output", "bits": [5, "1"]},
                "pad": {"direction": "inout", "bits": [6]},
            },
            "cells": {
                "$where": {"type": "$scopeinfo", "parameters": {}, "connections": {}},
                "lut": {
                    "type": "LUT4",
                    "parameters": {"INIT": "1000000000000000"},
                    "connections": {"A": [3], "B": [4], "C": ["1"], "D": ["1"], "Z": [7]},
                },
                "ff": {
                    "type": "TRELLIS_FF",
                    "parameters": {"CEMUX": "1 ", "REGSET": "SET", "GSR": "DISABLED"},
                    "connections": {"CLK": [2], "DI": [7], "LSR": ["x"], "Q": [5], "CE": []},
                },
            },
        }
    }
}


def test_nets_are_wires_of_one_bit_and_tables_are_written_out():
    text = netlist_verilog(NETLIST, "named", "ecp5")
    assert "module named (clk, d, \\a.q , pad);" in text
    assert "input [1:0] d;" in text
    assert "assign {n4, n3} = d;" in text
    assert "assign \\a.q  = {1'b1, n5};" in text
    assert "assign n7 = (n3 & n4);" in text
    assert "scopeinfo" not in text


def test_texts_that_look_like_numbers_stay_texts():
    text = netlist_verilog(NETLIST, "named", "ecp5")
    assert 'TRELLIS_FF #(.CEMUX("1"), .REGSET("SET"), .GSR("DISABLED"))' in text
    assert "(.CLK(n2), .DI(n7), .LSR(1'bx), .Q(n5));" in text


def test_a_pin_of_both_directions_is_what_the_caller_says():
    assert "output pad;\nassign pad = n6;" in netlist_verilog(NETLIST, "named", "ecp5")
    assert "input pad;\nassign n6 = pad;" in netlist_verilog(NETLIST, "named", "ecp5", ["pad"])


def memory(parts: dict[str, str]) -> dict:
    netlist = copy.deepcopy(NETLIST)
    cell = {"type": "SB_RAM40_4K", "parameters": {"READ_MODE": "00", **parts}, "connections": {}}
    netlist["modules"]["top"]["cells"] = {"ram": cell}
    return netlist


def test_contents_are_joined_with_the_first_part_lowest():
    text = netlist_verilog(memory({f"INIT_{k:X}": f"{k:04b}" for k in range(16)}), "named", "ice40")
    joined = "".join(f"{k:04b}" for k in reversed(range(16)))
    assert f".READ_MODE(2'b00), .INIT(64'b{joined})" in text


def test_missing_contents_are_an_error():
    with pytest.raises(
        BuildError, match="SB_RAM40_4K of the netlist must have 16 parts of its contents, not 15"
    ):
        netlist_verilog(memory({f"INIT_{k:X}": "0" for k in range(15)}), "named", "ice40")


def test_types_are_those_of_cells_that_do_something():
    assert cell_types(NETLIST) == {"LUT4", "TRELLIS_FF"}


def test_models_come_with_what_they_are_made_from():
    text = cell_models("ecp5", {"CCU2C"})
    assert [f"module {name}" in text for name in ("CCU2C", "LUT4", "LUT2", "DP16KD")] == [True] * 4
    assert "module TRELLIS_FF" not in text
    assert "specify" not in text


def test_our_own_models_replace_the_vendors():
    assert cell_models("ice40", {"SB_SPRAM256KA", "SB_DFFE"}).count("module SB_SPRAM256KA") == 1


def test_a_cell_without_a_model_is_an_error():
    with pytest.raises(BuildError, match=r"no model of the cell DPB of gowin; add one to .*gowin\.v"):
        cell_models("gowin", {"DFFE", "DPB"})
