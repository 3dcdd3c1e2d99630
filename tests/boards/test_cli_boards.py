"""The commands about boards that build nothing."""

import json
from pathlib import Path

import pytest

from synloom.cli import main
from synloom_boards.board import board_names

ROOT = Path(__file__).parents[2]

EXPERIMENT = """
[run]
duration = 10.0

[inputs.in]
n = {inputs}
rate = 20.0

[populations.out]
n = {neurons}
cell = "lif"
tau_m = 10.0

[projections.up]
pre = "in"
post = "out"
weight = 0.5
"""


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_boards_are_shown_one_after_the_other(capsys):
    printed = run(capsys, "boards")
    assert [name for name in board_names() if f"\n{name} " in f"\n{printed}"] == list(board_names())
    assert "steps/s at 5 % activity" in printed


def test_boards_as_json(capsys):
    rows = json.loads(run(capsys, "boards", "--json"))
    assert [row["name"] for row in rows] == list(board_names())
    assert all(row["synapses"] == (row["inputs"] + row["neurons"]) * row["neurons"] for row in rows)


def test_an_estimate_says_who_holds_it_and_who_does_not(capsys):
    example = ROOT / "docs" / "examples" / "winner_take_all.toml"
    found = json.loads(run(capsys, "estimate", example, "--json"))
    boards = {entry["board"]: entry for entry in found["boards"]}
    assert set(boards) == set(board_names())
    large = boards["ulx3s-85f"]
    assert large["fits"]
    assert large["steps_per_second"] > 10_000
    assert large["real_time"] == pytest.approx(large["steps_per_second"] / 1000)
    assert found["needs"]["neurons"] >= 1


def test_an_estimate_counts_the_probes(capsys, tmp_path):
    text = """
        [run]
        duration = 10.0
        [populations.cells]
        n = 12
        [[record.state]]
        of = "cells"
        variable = "v"
    """
    file = tmp_path / "many.toml"
    file.write_text("\n".join(line.strip() for line in text.splitlines()))
    found = json.loads(run(capsys, "estimate", str(file), "--json"))
    assert found["needs"]["probes"] == 12
    assert not any(entry["fits"] for entry in found["boards"])
    assert all("records 12 state variables" in entry["reason"] for entry in found["boards"])


def test_an_estimate_depends_on_the_activity(capsys):
    example = ROOT / "docs" / "examples" / "winner_take_all.toml"

    def speed(percent):
        found = json.loads(run(capsys, "estimate", example, "--activity", percent, "--json"))
        return {entry["board"]: entry["steps_per_second"] for entry in found["boards"]}["ulx3s-85f"]

    assert speed(0) > speed(5) > speed(50)


def test_verilog_has_the_ports_that_the_help_names(capsys, tmp_path):
    out = tmp_path / "array.v"
    small = ["--inputs", 16, "--neurons", 16, "--lanes", 1, "--neuron-lanes", 1, "--record-words", 256]
    run(capsys, "verilog", *small, "--out", out)
    text = out.read_text()
    for port in ("clk", "rst", "rx", "tx", "idle", "running", "paused", "error"):
        assert f"{port}" in text.partition("module top(")[2].partition(")")[0].replace(" ", "").split(",")
