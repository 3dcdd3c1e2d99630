"""nextpnr's report is read, whatever family it is from."""

import pytest

from synloom_boards.toolchain.place_and_route import ClockTiming, read_report


def part(kind, source, sink, delay):
    return {"type": kind, "delay": delay, "from": {"cell": source}, "to": {"cell": sink}}


def report(path, clock="posedge x", fmax=None):
    return {
        "fmax": {"array.array.clk": {"achieved": 50.0, "constraint": 45.0}} if fmax is None else fmax,
        "utilization": {"LUT4": {"used": 3, "available": 8}},
        "critical_paths": [{"from": clock, "to": clock, "path": path}],
    }


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("array.array.core.wheel.picked_TRELLIS_FF_Q_2", "core.wheel.picked"),
        ("array.array.core.events.cursor_TRELLIS_FF_Q_14_DI_LUT4_Z_D_CCU2C_S1", "core.events.cursor"),
        ("array.array.core.gen_rng_DFFRE_Q_15_D_LUT3_F_I1", "core.gen_rng"),
        ("array.array.core.now_SB_DFFESR_Q_3_LC", "core.now"),
        ("array.array.core.fired_bits.0.0$DPRAM_COMB0", "core.fired_bits.0.0"),
        ("lights.error_TRELLIS_FF_Q_3", "lights.error"),
    ],
)
def test_cells_are_called_as_the_gateware_calls_them(cell, name):
    path = [part("clk-to-q", cell, cell, 1.0), part("routing", cell, cell, 2.0)]
    critical = read_report(report(path), 45.0).critical
    assert (critical.source, critical.sink) == (name, name)
    assert (critical.logic, critical.routing) == (1.0, 2.0)


def test_a_clock_without_a_constraint_has_the_goal():
    placement = read_report(report([], fmax={"a.clk": {"achieved": 50.0}}), 45.0)
    assert placement.clocks == [ClockTiming("sync", 50.0, 45.0)]
    assert placement.critical is None
    assert placement.met


def test_one_slow_clock_is_too_slow():
    fmax = {"a.clk": {"achieved": 50.0, "constraint": 45.0}, "usb": {"achieved": 47.0, "constraint": 48.0}}
    placement = read_report(report([], fmax=fmax), 45.0)
    assert not placement.met
    assert placement.clocks[1] == ClockTiming("usb", 47.0, 48.0)


def test_the_arrays_clock_must_be_there_and_reach_the_goal():
    assert not read_report(report([], fmax={}), 45.0).met
    assert not read_report(report([], fmax={"usb": {"achieved": 50.0, "constraint": 48.0}}), 45.0).met
    lower = {"a.clk": {"achieved": 44.0, "constraint": 27.0}}
    assert not read_report(report([], fmax=lower), 45.0).met


def test_paths_between_domains_are_not_critical():
    path = [part("clk-to-q", "a", "a", 100.0)]
    values = report([part("clk-to-q", "b", "b", 1.0)])
    values["critical_paths"].append({"from": "<async>", "to": "posedge x", "path": path})
    assert read_report(values, 45.0).critical.source == "b"
