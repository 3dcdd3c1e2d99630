"""`synloom build` shows the last build, and what the tools write."""

import json
import os

import pytest

from synloom.cli.main import main


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def test_a_board_that_was_not_built_says_how_to_build_it(capsys, flow):
    flow()
    code, _, err = run(capsys, "build", "icebreaker", "--report")
    assert code == 1
    assert err == "error: icebreaker has not been built on this machine; try: synloom build icebreaker\n"


def test_the_last_build_is_shown_and_nothing_is_built(capsys, flow, tmp_path):
    placed = flow(fmax={3: 25.0, 5: 26.0})
    for seed in (5, 3):
        assert run(capsys, "build", "icebreaker", "--seed", seed, "--seeds", 1)[0] == 0
    # Files of one second would be equally old.
    for folder in (tmp_path / "cache" / "bitstreams").glob("*-5"):
        os.utime(folder / "report.json", (1e9, 1e9))
    code, out, _ = run(capsys, "build", "icebreaker", "--report")
    assert code == 0
    assert "timing (seed 3)" in out
    assert "25.0 MHz of 24.0 MHz" in out
    assert "RAM  11 of 30 (37 %)" in out
    report = json.loads(run(capsys, "build", "icebreaker", "--report", "--json")[1])
    assert (report["seed"], report["fmax"], report["resources"]["LUT"]) == (3, 25.0, [2000, 5280])
    assert report["built"] > "2020"
    assert report["log"].endswith("-3/build.log")
    assert placed() == [5, 3]
    # Its file has the same name.
    assert run(capsys, "build", "icesugar", "--report")[0] == 1


def test_a_damaged_report_is_no_build(capsys, flow, tmp_path):
    flow()
    assert run(capsys, "build", "icebreaker", "--seed", 1)[0] == 0
    for report in (tmp_path / "cache" / "bitstreams").glob("*/report.json"):
        report.write_text("[]")
    assert run(capsys, "build", "icebreaker", "--report")[0] == 1


def test_the_tools_are_shown_and_logged(capsys, flow, tmp_path):
    flow()
    log = tmp_path / "own.log"
    code, _, err = run(capsys, "build", "icebreaker", "--seed", 1, "-v", "--log", log)
    assert code == 0
    assert "at initial placer iter 0" in err
    assert "at initial placer iter 0" in log.read_text()
    whole = log.with_name("again.log")
    code, _, err = run(capsys, "build", "icebreaker", "--seed", 1, "-v", "--log", whole)
    assert code == 0
    assert "initial placer" not in err
    assert "$ nextpnr-ice40 " in whole.read_text()


def test_a_log_of_a_build_that_does_not_begin_is_not_made(capsys, flow, tmp_path):
    flow()
    code, _, err = run(capsys, "build", "icebreaker", "--lanes", 3, "--log", tmp_path / "own.log")
    assert (code, err.count("\n")) == (1, 1)
    assert not (tmp_path / "own.log").exists()
    assert run(capsys, "build", "icebreaker", "--log", tmp_path / "no" / "own.log")[0] == 2
