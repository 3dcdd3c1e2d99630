"""A self-test keeps the line's best rate for a board, and later connections find or raise it."""

from types import SimpleNamespace

import pytest
from rated_line import RatedLine
from test_selftest_line import PARAMS as PINS

import synloom
from synloom import SynloomWarning, TargetError, connect
from synloom.link import kept_rates, transport
from synloom.link.kept_rates import forget_rate, keep_rate, kept_rate
from synloom.selftest import run_selftest
from synloom_sim.board import Design, SimTransport

PORT = "/dev/ttyUSB7"
USB = SimpleNamespace(device=PORT, serial_number="AB12", vid=0x0403, pid=0x6010, location="1-2:1.1")


@pytest.fixture
def board(monkeypatch, tmp_path):
    """A board at a serial port, whose line is the one of the returned list; its adapter has a number."""
    lines, ports = [RatedLine()], [USB]
    monkeypatch.setattr(kept_rates, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: ports)

    def open_serial(path, baud):
        if isinstance(lines[0], RatedLine):
            lines[0].baud = baud
        lines[0].name = path
        return lines[0]

    monkeypatch.setattr(transport, "SerialTransport", open_serial)
    return SimpleNamespace(lines=lines, ports=ports)


def test_a_selftest_that_passes_keeps_the_best_rate(board):
    board.lines[0] = SimTransport.build(Design(PINS, pins=True))
    without = run_selftest(PORT, quick=True, baud=500_000)
    assert (without.passed, without.best_baud, kept_rate(PORT)) == (True, 1_000_000, None)
    board.lines[0] = SimTransport.build(Design(PINS, pins=True))
    assert run_selftest(PORT, quick=True, keep_rate=True, baud=500_000).passed
    assert kept_rate(PORT) == 1_000_000


def test_a_selftest_that_fails_forgets_it(board):
    keep_rate(PORT, 2_000_000)
    report = run_selftest(PORT, quick=True, keep_rate=True, baud=1_000_000)
    assert not report.passed  # the fake device has no network
    assert kept_rate(PORT) is None


def test_a_connection_finds_the_array_at_the_rate(board):
    keep_rate(PORT, 2_000_000)
    connect(PORT).close()
    board.lines[0].tried.clear()
    with connect(PORT) as device:
        assert device.port.baud == 2_000_000
        assert board.lines[0].device_baud == 2e6
    assert board.lines[0].tried == [2_000_000]


def test_after_power_up_the_rate_is_raised(board):
    keep_rate(PORT, 3_000_000)
    with connect(PORT) as device:
        assert device.port.baud == 3_000_000
        assert board.lines[0].device_baud == 3e6
    with connect(PORT) as device:
        assert device.port.baud == 3_000_000


def test_a_stated_rate_is_the_one_that_is_used(board):
    keep_rate(PORT, 3_000_000)
    with connect(PORT, baud=1_000_000) as device:
        assert device.port.baud == 1_000_000
        assert board.lines[0].tried == []


def test_a_line_that_does_not_carry_it_any_more_stays_as_it_is_and_says_so(board):
    keep_rate(PORT, 3_000_000)
    board.lines[0] = RatedLine(mute_above=2_500_000)
    with pytest.warns(SynloomWarning, match="the line stays at 1,000,000 baud"):
        device = connect(PORT)
    assert device.port.baud == 1_000_000
    assert board.lines[0].device_baud == 1e6
    device.close()
    # An adapter that does not have the rate.
    board.lines[0] = RatedLine(host_rates=(1_000_000,))
    with pytest.warns(SynloomWarning, match="the line stays at 1,000,000 baud"):
        connect(PORT).close()


def test_a_board_with_another_clock_keeps_its_own_rate(board):
    keep_rate(PORT, 12_000_000)
    board.lines[0] = RatedLine(synloom.ArrayParams(inputs=8, neurons=20, clock_hz=24_000_000))
    with pytest.warns(SynloomWarning, match="the line stays at 1,000,000 baud"):
        device = connect(PORT)
    assert device.port.baud == 1_000_000


def test_where_nothing_answers_the_error_is_the_usual_one(board):
    keep_rate(PORT, 3_000_000)
    board.lines[0] = RatedLine(deaf_above=0)
    with pytest.raises(TargetError, match="the baud rate, and that the board is flashed"):
        connect(PORT)


def test_a_rate_belongs_to_the_adapter_or_else_to_the_port(board):
    keep_rate(PORT, 2_000_000)
    moved = SimpleNamespace(**{**vars(USB), "device": "/dev/ttyUSB9"})
    board.ports[:] = [moved]
    assert kept_rate("/dev/ttyUSB9") == 2_000_000
    assert kept_rate(PORT) is None
    board.ports[:] = [SimpleNamespace(**{**vars(USB), "serial_number": None})]
    keep_rate(PORT, 921_600)
    assert kept_rate(PORT) == 921_600
    forget_rate(PORT)
    assert kept_rate(PORT) is None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"/dev/ttyUSB7": "x"}', b"[" * 90_000, b'{"a": 1e999}', b"\xff"]
)
def test_a_damaged_file_is_as_good_as_none(board, tmp_path, content):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "line-rates.json").write_bytes(content)
    assert kept_rate(PORT) is None
    with connect(PORT) as device:
        assert device.port.baud == 1_000_000
    assert keep_rate(PORT, 2_000_000)
    assert kept_rate(PORT) == 2_000_000


def test_a_cache_that_cannot_be_written_costs_only_the_rate(board, tmp_path):
    (tmp_path / "cache").write_text("a file")
    assert not keep_rate(PORT, 2_000_000)
    assert kept_rate(PORT) is None
    forget_rate(PORT)
