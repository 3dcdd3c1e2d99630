"""Endurance in short, and that its judge sees what is wrong, crashes or hangs."""

import json
import signal
import time
from functools import partial

import numpy as np
import pytest

from synloom.base.errors import LinkError
from synloom.contract.records import RecordKind
from synloom.device.device import Device
from synloom_sim.model_port import ModelPort
from synloom_sim.soak import session
from synloom_sim.soak.__main__ import PARTS, main, soak
from synloom_sim.soak.verdict import Tally, Verdict, judge
from synloom_sim.soak.watchdog import Hang, Watchdog

SHORT = {
    "frames": 1500,
    "throughput": 2,
    "spoilt-bytes": 2,
    "kills": 2,
    "resets": 20,
    "signals": 8,
    "bytes": 50_000,
    "commands": 200,
    "steps": 200_000,
    "relay": 1200,
}


def quiet(part, done, all_):
    pass


def held(part, size, seed=1):
    return list(soak({part: size}, seed, quiet))


@pytest.mark.parametrize("part", list(SHORT))
def test_nothing_is_wrong_crashes_or_hangs(part):
    tallies = held(part, SHORT[part])
    assert tallies
    assert [tally.row() for tally in tallies if not tally.passed] == []
    if part in ("frames", "throughput", "kills", "spoilt-bytes"):
        assert all(tally.verdicts.keys() == {Verdict.RIGHT} for tally in tallies)


@pytest.mark.slow
@pytest.mark.parametrize("part", list(PARTS))
def test_nothing_is_wrong_crashes_or_hangs_for_long(part):
    """A tenth of what `make soak` does."""
    tallies = held(part, max(2, PARTS[part][0] // 10), seed=3)
    assert [tally.row() for tally in tallies if not tally.passed] == []


# ---- the judge ---------------------------------------------------------------------------------


def test_a_hang_is_ended_and_shown(capfd):
    with pytest.raises(Hang, match="the case"), Watchdog(0.2, "the case"):
        hangs_here()
    err = capfd.readouterr().err
    assert "the case hangs: no end after 0.2 s" in err
    assert "hangs_here" in err
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def hangs_here():
    while True:
        time.sleep(0.01)


def hangs_twice():
    signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
    try:
        hangs_here()
    finally:
        hangs_here()


def test_a_hang_while_cleaning_up_is_ended_too():
    with pytest.raises(Hang), Watchdog(0.1, "the case"):
        hangs_twice()


def raises(error):
    raise error


@pytest.mark.parametrize(
    ("work", "verdict"),
    [
        (lambda: True, Verdict.RIGHT),
        (lambda: False, Verdict.WRONG),
        (partial(raises, LinkError("the cable was pulled")), Verdict.NOTICED),
        (partial(raises, ZeroDivisionError()), Verdict.CRASHED),
        (hangs_here, Verdict.HUNG),
    ],
)
def test_a_case_is_judged(work, verdict):
    tally = Tally("part", "cases")
    assert judge(tally, "a case", work, 0.2) is verdict
    assert tally.verdicts == {verdict: 1}
    assert tally.passed == (verdict in (Verdict.RIGHT, Verdict.NOTICED))
    assert tally.row()[verdict] == 1


def test_a_part_that_did_nothing_did_not_pass():
    assert not Tally("part", "cases").passed


class WrongWeight(ModelPort):
    """Every read of weights has one bit wrong."""

    def read(self, region, offset, count):
        words = np.array(super().read(region, offset, count))
        if region.name == "WEIGHTS":
            words[0] ^= 1
        return words


class LostSpike(ModelPort):
    """One spike of the first record is lost, if that is a bitmap."""

    def records(self, timeout):
        words = np.array(super().records(timeout))
        if len(words) and words[0] >> 14 == RecordKind.BITMAP:
            words[1] &= words[1] - 1
        return words


def test_a_session_is_right_on_the_model_and_no_other():
    for port, right in ((ModelPort, True), (WrongWeight, False), (LostSpike, False)):
        with Device(port(session.PARAMS)) as device:
            assert session.agrees(device, 5) == right, port.__name__


def test_sessions_spike_learn_and_differ():
    first, second = session.expected(1), session.expected(2)
    assert [name for name, _ in first] == [name for name, _ in second]
    for (name, one), (_, other) in zip(first, second, strict=True):
        assert name in ("counters", "step") or not np.array_equal(one, other), name
    assert first[0][1].sum() > 50
    weights = [values for name, values in first if name == "weights"]
    assert (np.sort(weights[0]) != np.sort(weights[1])).any()


# ---- the command -------------------------------------------------------------------------------


def test_the_command_prints_a_table_and_writes_json(tmp_path, capsys):
    file = tmp_path / "new" / "soak.json"
    assert main(["bytes", "steps", "--bytes", "5,000", "--steps", "20000", "--json", str(file)]) == 0
    captured = capsys.readouterr()
    assert "| random bytes to the board | 5,000 bytes | 1 | 0 | 0 | 0 | 0 |" in captured.out
    parts = json.loads(file.read_text())["parts"]
    assert [part["passed"] for part in parts] == [True] * 2
    assert parts[0]["unit"] == "bytes"


def test_a_wrong_part_or_size_is_refused(capsys):
    for arguments, message in ((["byte"], "there is no part 'byte'"), (["--bytes", "0"], "at least 1")):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
        assert message in capsys.readouterr().err


def test_something_wrong_is_the_exit_code(monkeypatch, capsys):
    def wrong(size, seed, tell):
        tally = Tally("part", "cases", amount=size)
        judge(tally, "a case", lambda: False)
        yield tally

    monkeypatch.setitem(PARTS, "bytes", (1, "", wrong))
    assert main(["bytes"]) == 1
    assert "wrong: part: a case" in capsys.readouterr().err
