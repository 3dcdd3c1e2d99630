"""Netlists are refused if a memory or a multiplier is not what it must be."""

import json

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from synloom.base.errors import BuildError
from synloom.contract import ArrayParams
from synloom_boards.fpga.families import FAMILIES
from synloom_boards.toolchain.netlist_checks import check_netlist, large_memories, most_multipliers
from synloom_boards.toolchain.synthesis import Netlist


class Example(wiring.Component):
    """A great memory, one that is meant to be distributed, a small one, a table, and three products."""

    a: In(12)
    b: In(16)
    c: In(24)
    o: Out(64)

    def elaborate(self, platform):
        m = Module()
        memories = ("great", 256, True), ("meant", 256, True), ("small", 16, True), ("table", 512, False)
        for name, depth, written in memories:
            attributes = {"ram_style": "distributed"} if name == "meant" else {}
            store = m.submodules[name] = memory.Memory(shape=16, depth=depth, init=[], attrs=attributes)
            read = store.read_port()
            m.d.comb += read.addr.eq(self.a)
            total = Signal(24, name=f"total_{name}")
            m.d.sync += total.eq(total + read.data)
            m.d.comb += self.o[: len(total)].eq(total) if name == "great" else []
            if written:
                write = store.write_port()
                m.d.comb += [write.addr.eq(self.a), write.data.eq(self.b), write.en.eq(1)]
        m.d.sync += self.o[24:].eq(self.a * self.b + self.a * 5 + self.c * self.b)
        return m


@pytest.fixture(scope="module")
def design():
    m = Module()
    m.submodules.inner = inner = Example()
    a, b, c, o = Signal(12, name="a"), Signal(16, name="b"), Signal(24, name="c"), Signal(64, name="o")
    m.d.comb += [inner.a.eq(a), inner.b.eq(b), inner.c.eq(c), o.eq(inner.o)]
    return rtlil.convert(m, name="top", ports=[a, b, c, o])


@pytest.fixture
def netlist(tmp_path):
    """Make a netlist of cells: types by name."""

    def make(cells):
        text = {"modules": {"top": {"cells": {name: {"type": kind} for name, kind in cells.items()}}}}
        (tmp_path / "top.json").write_text(json.dumps(text))
        kinds = list(cells.values())
        return Netlist(tmp_path / "top.json", {kind: kinds.count(kind) for kind in kinds})

    return make


PARAMS = ArrayParams(inputs=16, neurons=16, lanes=1, neuron_lanes=1)


def great(design):
    (path,) = large_memories(design)
    return f"{path}.0.0"


def test_only_great_written_memories_must_be_block_memory(design):
    assert design.count("memory width 16 size 256") == 2
    assert list(large_memories(design).values()) == [4096]
    assert great(design).startswith("inner.great")


def test_products_take_multipliers_by_their_width(design):
    assert most_multipliers(FAMILIES["ecp5"], design) == 1 + 2
    assert most_multipliers(FAMILIES["ice40"], design) == 1 + 2


def test_an_instance_of_a_multiplier_counts():
    text = "module \\top\n  cell \\SB_MAC16 \\mine\n  end\nend\n"
    assert most_multipliers(FAMILIES["ice40"], text) == 1


def test_a_right_netlist_passes(design, netlist):
    cells = {great(design): "DP16KD", "m0": "MULT18X18D", "m1": "MULT18X18D", "m2": "MULT18X18D"}
    check_netlist(FAMILIES["ecp5"], PARAMS, design, netlist(cells))


def test_a_great_memory_of_registers_is_refused(design, netlist):
    with pytest.raises(BuildError, match=r"inner\.great.* of 4,096 bits did not become block memory"):
        check_netlist(FAMILIES["ecp5"], PARAMS, design, netlist({"another.0.0": "DP16KD", "x": "TRELLIS_FF"}))


def test_a_multiplier_too_many_is_refused(design, netlist):
    cells = {great(design): "DP16KD"} | {f"m{k}": "MULT18X18D" for k in range(4)}
    with pytest.raises(BuildError, match="used 4 multipliers, but the products of the design need 3"):
        check_netlist(FAMILIES["ecp5"], PARAMS, design, netlist(cells))


@pytest.mark.parametrize("cell", ["DPB", "DPX9B"])
def test_gowin_has_no_true_dual_port(design, netlist, cell):
    with pytest.raises(BuildError, match=f"used 1 {cell}, but GW1NR-9C has no true dual port"):
        check_netlist(FAMILIES["gowin"], PARAMS, design, netlist({great(design): cell}))


def test_single_ported_weights_of_ice40_are_in_spram(netlist):
    params = ArrayParams(
        inputs=256, neurons=256, lanes=4, neuron_lanes=1, single_port=True, serial_neurons=True
    )
    blocks = {f"w{k}": "SB_SPRAM256KA" for k in range(4)}
    check_netlist(FAMILIES["ice40"], params, "", netlist(blocks))
    del blocks["w3"]
    with pytest.raises(BuildError, match="need 4 SB_SPRAM256KA, but synthesis used 3"):
        check_netlist(FAMILIES["ice40"], params, "", netlist(blocks))
