"""Line rates that are not clean are found, the best is told, and the line is left as it was."""

import json
import threading
from random import Random

import pytest
from rated_line import RatedLine

from synloom import ArrayParams
from synloom.base.errors import LinkError
from synloom.cli.main import main
from synloom.device.execution import is_running
from synloom.link import LinkPort
from synloom.selftest import Outcome, run_selftest
from synloom.selftest.line import rates_to_try, try_rates
from synloom_sim.board import Design, SimTransport
from synloom_sim.board.pty import PtyBoard

# The board of test_selftest.py, so that it is built once.
PARAMS = ArrayParams(
    inputs=20,
    neurons=24,
    lanes=4,
    segments=32,
    record_words=512,
    event_words=64,
    clock_hz=4_000_000,
    baud=500_000,
)


class NoisyLine:
    """A transport that changes bytes from the board above a rate."""

    def __init__(self, transport, limit, share):
        self.transport, self.limit, self.share = transport, limit, share
        self.rng = Random(5)

    def __getattr__(self, name):
        return getattr(self.transport, name)

    def set_baud(self, baud):
        self.transport.set_baud(baud)

    @property
    def baud(self):
        return self.transport.baud

    def read(self, timeout):
        data = self.transport.read(timeout)
        if self.baud <= self.limit:
            return data
        return bytes(byte ^ (self.rng.random() < self.share) for byte in data)


@pytest.fixture
def board():
    transport = SimTransport.build(Design(PARAMS, pins=True))
    yield transport
    transport.close()


def sweep(line, **options):
    return {
        rate.baud: rate
        for rate in try_rates(LinkPort(line), seed=1, quick=True, report=lambda what, share: None, **options)
    }


def clean(rates):
    return [baud for baud, rate in rates.items() if rate.is_clean]


def test_rates_are_those_that_the_array_has():
    assert rates_to_try(48_000_000, 1_000_000)[-1] == 12_000_000
    assert rates_to_try(12_000_000, 1_000_000)[-3:] == [1_500_000, 2_000_000, 3_000_000]
    assert rates_to_try(12_000_000, 750_000)[4] == 750_000
    assert 230_400 not in rates_to_try(4_000_000, 500_000)


def test_a_perfect_line_is_clean_at_every_rate():
    line = RatedLine()
    rates = sweep(line)
    assert clean(rates) == list(rates) == rates_to_try(48_000_000, 1_000_000)
    assert (line.baud, line.device_baud) == (1_000_000, 1e6)


def test_a_dirty_rate_is_told_with_its_errors():
    line = RatedLine(dirty_above=3_000_000)
    rates = sweep(line)
    assert clean(rates)[-1] == 3_000_000
    assert all(sum(rates[baud].errors.values()) > 0 for baud in rates if baud > 3_000_000)
    assert (line.baud, line.device_baud) == (1_000_000, 1e6)


def test_a_rate_without_an_answer_is_told():
    line = RatedLine(mute_above=2_000_000)
    rates = sweep(line)
    assert clean(rates)[-1] == 2_000_000
    assert rates[3_000_000].note == "no answer at this rate"
    assert (line.baud, line.device_baud) == (1_000_000, 1e6)


def test_a_rate_that_the_host_lacks_is_told():
    line = RatedLine(host_rates={115_200, 1_000_000, 3_000_000})
    rates = sweep(line)
    assert clean(rates) == [115_200, 1_000_000, 3_000_000]
    assert "not possible here: no 2000000 baud" in rates[2_000_000].note


def test_a_line_that_is_lost_is_an_error():
    with pytest.raises(LinkError, match="switch its power off and on"):
        sweep(RatedLine(deaf_above=4_000_000))


def test_errors_at_a_high_rate_do_not_fail_the_board(board):
    report = run_selftest(LinkPort(NoisyLine(board, 600_000, 0.01)), quick=True)
    assert report.passed, report.faults
    assert (report.baud, report.best_baud) == (500_000, 500_000)
    last = report.rates[-1]
    assert not last.is_clean
    assert last.errors["host_crc_errors"] > 0
    assert "crc (host)" in str(report)


def test_errors_at_the_rate_of_the_board_fail_it(board):
    line = NoisyLine(board, 1 << 30, 0.02)

    def progress(what, _):
        line.limit = 400_000 if what == "link at 500,000 baud" else 1 << 30

    report = run_selftest(LinkPort(line, retries=30), quick=True, progress=progress)
    link = report.checks[0]
    assert link.outcome is Outcome.FAIL
    assert any("host_crc_errors at 500,000 baud" in fault for fault in link.faults)
    assert (report.baud, report.best_baud) == (500_000, 1_000_000)


@pytest.mark.parametrize("share", [0.001, 1.0])
def test_a_rate_that_fails_later_is_not_the_best(board, share):
    line = NoisyLine(board, 1 << 30, share)

    def progress(what, _):
        line.limit = 600_000 if what == "testing PROGRAM" else line.limit

    report = run_selftest(LinkPort(line), quick=True, progress=progress)
    assert report.passed, report.faults
    assert (report.baud, report.best_baud) == (500_000, 500_000)
    assert report.rates[-1].note == "errors in later tests"


def test_a_line_that_dies_ends_the_test(board):
    line = NoisyLine(board, 1 << 30, 1.0)

    def progress(what, _):
        line.limit = 0 if what == "testing PROGRAM" else line.limit

    report = run_selftest(LinkPort(line), quick=True, progress=progress)
    assert [check.outcome.value for check in report.checks] == ["pass", "FAIL", "not run", "not run", "FAIL"]
    assert "switch its power off and on" in report.faults[-1]


def test_the_best_rate_is_kept_on_request(board):
    port = LinkPort(board)
    report = run_selftest(port, quick=True, keep_rate=True)
    assert report.passed, report.faults
    assert report.baud == report.best_baud == port.baud == 1_000_000
    again = LinkPort(board)  # as a program that connects later at that rate
    assert again.params == PARAMS
    assert run_selftest(again, quick=True).baud == 1_000_000


def test_an_interrupt_puts_the_rate_back(board):
    port = LinkPort(board)

    def progress(what, share):
        if "1,000,000" in what:
            port.set_baud(1_000_000)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_selftest(port, progress=progress)
    assert port.baud == 500_000
    assert port.read(1, 0, 1).tolist() == [0]


def test_a_board_at_a_pseudo_terminal_passes():
    transport = SimTransport.build(Design(PARAMS, pins=True))
    with PtyBoard(transport.board) as pty:
        server = threading.Thread(target=pty.serve)
        server.start()
        report = run_selftest(pty.device, PARAMS, quick=True, timeout=5.0)
        pty.stop()
        server.join(10)
    transport.close()
    assert report.passed, report.faults
    assert (report.rates, report.baud) == ((), None)


def test_an_interrupt_during_the_run_ends_it(board, monkeypatch):
    port = LinkPort(board)
    real = port.records

    def records(timeout):
        monkeypatch.setattr(port, "records", real)
        raise KeyboardInterrupt

    def progress(what, share):
        if what == "running a random network":
            monkeypatch.setattr(port, "records", records)

    with pytest.raises(KeyboardInterrupt):
        run_selftest(port, quick=True, progress=progress)
    assert port.baud == 500_000
    assert not is_running(port)


def test_a_run_that_ends_early_is_told(board, monkeypatch):
    port = LinkPort(board)
    real = port.run
    monkeypatch.setattr(port, "run", lambda steps, flags: real(steps // 2, flags))
    report = run_selftest(port, quick=True)
    assert [check.name for check in report.checks if check.outcome is Outcome.FAIL] == ["network"]
    assert "the run ended at step 32 instead of 64" in report.faults[0]


# ---- the command -------------------------------------------------------------------------------


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["selftest", *arguments])
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


OPTIONS = [
    text
    for name, value in PARAMS.to_dict().items()
    if not isinstance(value, bool)
    for text in (f"--{name.replace('_', '-')}", str(value))
]


def test_the_command_prints_tables(capsys):
    code, out, _ = run(capsys, "sim-pins", "--quick", *OPTIONS)
    assert code == 0
    assert "the array is left empty" in out
    assert "1,000,000 baud is the best rate without errors" in out
    assert out.count("pass  ") == 4
    assert "the line is at 500,000 baud" in out


def test_the_command_prints_json(capsys):
    code, out, _ = run(capsys, "model", "--json", "--seed", "7", *OPTIONS)
    assert code == 0
    report = json.loads(out)
    assert report["passed"]
    assert report["seed"] == 7
    assert report["parameters"] == PARAMS.to_dict()
    assert [check["name"] for check in report["checks"]] == ["link", "memory", "network", "counters"]
    assert {check["outcome"] for check in report["checks"]} == {"pass"}


def test_a_fault_is_exit_code_1(capsys, monkeypatch):
    from faulty_port import StuckBit

    from synloom.contract.regions import Region
    from synloom_sim.model_port import ModelPort

    broken = StuckBit(ModelPort(PARAMS), Region.X_TRACE, 3, 0, 1)
    broken.close = lambda: None
    monkeypatch.setattr("synloom.selftest.suite.open_port", lambda *arguments, **options: broken)
    code, out, _ = run(capsys, "model")
    assert code == 1
    assert "FAIL    memory" in out
    assert "- the source trace of input 3: bit 0 stuck at 1" in out


def test_a_board_takes_only_its_rate(capsys):
    code, _, err = run(capsys, "/dev/no-such-board", "--neurons", "3")
    assert code == 2
    assert "leave out all array options but --baud" in err
    code, _, err = run(capsys, "/dev/no-such-board", "--baud", "115200")
    assert code == 1
    assert "there is no serial port" in err
