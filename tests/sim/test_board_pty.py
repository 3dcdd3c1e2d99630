"""The simulated board behind a pseudo-terminal."""

import threading

import pytest
import serial

from board_tops import GO
from synloom.base.errors import TargetError
from synloom.contract import ArrayParams
from synloom_sim.board import Board, Design, build_board
from synloom_sim.board.pty import PtyBoard

BYTES = bytes(set(range(256)) - {GO, ord("P")})


@pytest.fixture
def board():
    board = Board(build_board(Design(ArrayParams(), top="board_tops:EchoTop")))
    yield board
    board.close()


@pytest.fixture
def pty(board):
    with PtyBoard(board) as pty:
        server = threading.Thread(target=pty.serve)
        server.start()
        yield pty
        pty.stop()
        server.join(10)
        assert not server.is_alive()


def test_clients_come_and_go(pty):
    for _ in range(3):
        with serial.Serial(pty.device, timeout=10) as port:
            port.write(BYTES)
            assert port.read(len(BYTES)) == BYTES


def test_a_client_that_reads_late_loses_nothing(pty):
    sent = BYTES * 1000
    with serial.Serial(pty.device, timeout=10) as port:
        writer = threading.Thread(target=port.write, args=(sent,))
        writer.start()
        writer.join(0.3)
        assert writer.is_alive()  # held by the terminal, not dropped
        assert port.read(len(sent)) == sent
        writer.join(10)


def test_an_idle_board_stands_still(pty):
    with serial.Serial(pty.device, timeout=10) as port:
        port.write(b"x")
        assert port.read(1) == b"x"
        assert port.read(0) == b""
        clocks = -1
        while clocks != pty.board.clocks:
            clocks = pty.board.clocks
            threading.Event().wait(0.1)


def test_link_is_made_and_removed(board, tmp_path):
    link = tmp_path / "board"
    link.symlink_to("left-over")
    with PtyBoard(board, link=link) as pty:
        assert str(link.readlink()) == pty.device
    assert not link.is_symlink()


def test_a_link_that_another_server_took_over_stays(board, tmp_path):
    link = tmp_path / "board"
    with PtyBoard(board, link=link), PtyBoard(board, link=link) as second:
        taken = second.device
        second._link = None  # as if it were another process
    assert str(link.readlink()) == taken


def test_link_that_cannot_be_made_is_a_clear_error(board, tmp_path):
    with pytest.raises(TargetError, match="another path"):
        PtyBoard(board, link=tmp_path / "missing" / "board")
