"""A build goes through all tools once, says what it reached, and is kept."""

import json
import os
from pathlib import Path

import pytest

from synloom.base.errors import BuildError
from synloom.cli.main import main
from synloom_boards.bitstreams.build import build_bitstream, require_timing
from synloom_boards.boards import load_board

BOARD = load_board("icebreaker")


def build(**options):
    return build_bitstream(BOARD, BOARD.array, **options)


def test_a_bitstream_its_report_and_its_log_are_kept(flow, small_plan):
    flow()
    bitstream = build()
    report = bitstream.report
    assert bitstream.path.read_text() == "bits"
    assert report.params == small_plan.params.to_dict()
    assert report.resources == {"LUT": (2000, 5280), "RAM": (11, 30), "DSP": (3, 8)}
    assert (report.fmax, report.met, report.seed) == (25.0, True, 1)
    assert "a stand-in" in report.tools["yosys"]
    log = bitstream.path.with_name("build.log").read_text()
    assert log.index("$ yosys") < log.index("$ nextpnr-ice40") < log.index("$ icepack")


def test_the_critical_path_has_the_gatewares_names(flow):
    flow()
    critical = build().report.critical
    assert (critical.source, critical.sink) == ("core.now", "link.busy")
    assert (critical.logic, critical.routing, critical.levels) == (2.6, 5.0, 1)


def test_what_was_built_once_is_not_built_again(flow):
    placed = flow()
    first = build()
    again = build()
    assert placed() == [1]
    assert again.path == first.path
    assert again.report.to_json() == first.report.to_json()


def test_another_version_of_a_tool_builds_again(flow, stand_in):
    placed = flow()
    build()
    stand_in("ICEPACK", "print('newer'); open(sys.argv[-1], 'w').write('bits')")
    build()
    assert placed() == [1, 1]


def test_seeds_are_tried_until_one_is_fast_enough(flow):
    placed = flow(fmax={3: 20.0, 4: 24.5, 5: 30.0})
    assert build(seeds=range(3, 8)).report.seed == 4
    assert placed() == [3, 4]


def test_every_seed_is_tried_if_asked_for_and_the_fastest_kept(flow):
    placed = flow(fmax={1: 24.5, 2: 20.0, 3: 30.0, 4: 25.0})
    assert build(seeds=[1]).report.seed == 1
    assert build(seeds=range(1, 5), every=True).report.seed == 3
    assert placed() == [1, 2, 3, 4]
    assert build(seeds=range(1, 5), every=True).report.seed == 3
    assert placed() == [1, 2, 3, 4]


def test_the_fastest_is_kept_if_none_is_fast_enough(flow):
    flow(fmax={1: 20.0, 2: 22.0, 3: 21.0})
    bitstream = build(seeds=[1, 2, 3])
    assert (bitstream.report.seed, bitstream.report.met) == (2, False)
    expected = r"sync reaches 22\.0 MHz of 24\.0 MHz, from core\.now to link\.busy; try other seeds"
    with pytest.raises(BuildError, match=expected):
        require_timing(bitstream)


def test_what_does_not_fit_says_which_resource_and_what_to_try(flow):
    flow(used={"ICESTORM_LC": (6000, 5280), "ICESTORM_RAM": (11, 30)})
    with pytest.raises(BuildError, match=r"iCEBreaker .*: ICESTORM_LC 6,000 of 5,280; try fewer --lanes"):
        build()
    flow(used={"ICESTORM_LC": (6000, 5280), "ICESTORM_RAM": (60, 30)})
    with pytest.raises(BuildError, match=r"ICESTORM_RAM 60 of 30; try fewer --neurons"):
        build()


def test_a_failed_build_says_where_its_log_is(flow, stand_in):
    flow()
    stand_in("ICEPACK", "print('Error: bad file'); sys.exit('--version' not in sys.argv)")
    with pytest.raises(BuildError, match=r"icepack failed .*: Error: bad file; the log is (.*)") as caught:
        build()
    log = Path(str(caught.value).rpartition(" is ")[2])
    assert "Error: bad file" in log.read_text()


def test_progress_goes_forward(flow):
    flow()
    told = []
    build(progress=lambda what, share: told.append((share, what)))
    assert told == sorted(told, key=lambda entry: entry[0])
    stages = list(dict.fromkeys(what for _, what in told))
    assert stages[:3] == ["elaborating", "synthesising", "checking the netlist"]
    assert stages[-2:] == ["routing (seed 1)", "packing the bitstream"]


def test_nothing_runs_or_stays_after_an_interrupt(flow, tmp_path):
    flow()
    program = os.environ["NEXTPNR_ICE40"]
    with open(program, "a") as file:
        file.write("\nprint('Info: Routing..', flush=True)\ntime.sleep(60)\n")

    def interrupt(what, share):
        if what.startswith("routing"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(progress=interrupt)
    assert list((tmp_path / "cache").glob("build-*")) == []
    assert not (tmp_path / "cache" / "bitstreams").exists()


def command(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code, *capsys.readouterr()


def test_the_command_prints_a_report_and_copies_the_bitstream(flow, tmp_path, capsys):
    flow()
    out = tmp_path / "mine.bin"
    code, printed, _ = command(capsys, "build", "icebreaker", "--seed", "1", "--out", str(out))
    assert (code, out.read_text()) == (0, "bits")
    for text in (
        "2,000 of 5,280 (38 %)",
        "25.0 MHz of 24.0 MHz",
        "core.now to link.busy",
        "steps/s, at most",
    ):
        assert text in printed


def test_the_command_refuses_what_is_too_slow(flow, capsys):
    flow(fmax={1: 20.0})
    code, _, complaint = command(capsys, "build", "icebreaker", "--seed", "1")
    assert code == 1
    assert "timing is not met" in complaint
    assert "--allow-slow" in complaint
    code, printed, _ = command(capsys, "build", "icebreaker", "--seed", "1", "--allow-slow", "--json")
    assert (code, json.loads(printed)["met"]) == (0, False)


def test_an_unknown_board_is_told(capsys):
    code, _, complaint = command(capsys, "build", "icebraker")
    assert code == 1
    assert (
        "no board 'icebraker' (did you mean icebreaker?); boards are: colorlight-i5, icebreaker" in complaint
    )
