"""The simulated board as a transport, with small tops."""

import time

import pytest

from board_tops import GO, RUN_CLOCKS
from synloom.base.errors import LinkError
from synloom.contract import ArrayParams
from synloom_sim.board import BoardStatus, Design, RunReason, SimTransport

PARAMS = ArrayParams(baud=12_000_000)  # 4 clocks a bit
BYTES = bytes(set(range(256)) - {GO, ord("P")})


@pytest.fixture
def echo():
    transport = SimTransport.build(Design(PARAMS, top="board_tops:EchoTop"))
    yield transport
    transport.close()


@pytest.fixture
def pins():
    transport = SimTransport.build(Design(PARAMS, pins=True, top="board_tops:PinsTop"))
    yield transport
    transport.close()


def drain(transport):
    received = b""
    while data := transport.read(1.0):
        received += data
    return received


def test_gives_back_what_the_board_sends(echo):
    echo.write(BYTES)
    assert echo.read(1.0) == BYTES


def test_nothing_is_lost_beyond_the_output_queue(echo):
    sent = BYTES * 1000
    echo.write(sent)
    assert drain(echo) == sent


def test_a_full_output_queue_holds_the_board(echo):
    echo.write(BYTES * 1000)
    while echo.board.run(1_000_000) is not RunReason.OUTPUT or echo.board.waiting < 1 << 16:
        pass
    clocks = echo.clocks
    assert echo.board.run(1000) is RunReason.OUTPUT
    assert echo.clocks == clocks


def test_an_idle_board_answers_at_once_whatever_the_time_out(echo):
    echo.write(b"x")
    assert drain(echo) == b"x"
    before, started = echo.clocks, time.monotonic()
    assert echo.read(3600.0) == b""
    assert echo.clocks - before < 100
    assert time.monotonic() - started < 1.0


def test_waits_for_the_end_of_a_run(echo):
    echo.write(bytes([GO]))
    assert echo.read(1.0) == bytes([GO])
    assert RUN_CLOCKS < echo.clocks < RUN_CLOCKS + 100


def test_time_out_is_in_the_boards_time(echo):
    echo.write(bytes([GO]))
    assert echo.read(1000 / PARAMS.clock_hz) == b""
    assert 1000 <= echo.clocks < RUN_CLOCKS
    assert echo.board.status == BoardStatus.RUNNING | BoardStatus.LINK_IDLE


def test_a_paused_run_is_idle(echo):
    echo.write(b"P")
    assert echo.read(1.0) == b"P"
    echo.write(bytes([GO]))
    assert echo.read(3600.0) == b""
    assert echo.clocks < RUN_CLOCKS
    assert BoardStatus.PAUSED in echo.board.status


def test_closed_transport_is_a_clear_error(echo):
    echo.close()
    echo.close()
    with pytest.raises(LinkError, match="closed"):
        echo.read(0.0)


def test_boards_do_not_share_state(echo):
    other = SimTransport.build(Design(PARAMS, top="board_tops:EchoTop"))
    echo.write(b"one")
    other.write(b"two")
    assert (echo.read(1.0), other.read(1.0)) == (b"one", b"two")
    other.close()


def test_pins_carry_every_byte(pins):
    sent = bytes(range(256))
    pins.write(sent)
    assert drain(pins) == sent
    assert pins.clocks >= 256 * 10 * 4
    assert pins.board.framing_errors == 0


@pytest.mark.parametrize("divisor", [2, 7, 416])
def test_pins_follow_the_divisor(pins, divisor):
    pins.board.set_divisor(divisor)
    pins.write(b"\x00\xa5\xff")
    assert drain(pins) == b"\x00\xa5\xff"
    assert pins.clocks >= 30 * divisor
