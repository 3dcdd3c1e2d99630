"""Tables are drawn on terminals that can, whatever their width, and plain elsewhere."""

import os
import re
import subprocess
import sys

import pytest

from synloom.cli import tables
from synloom.cli.tables import show_grid, show_table

HEADS = ("board", "what it is")
ROWS = [("icebreaker", "iCE40UP5K [bold]with[/bold] SPRAM"), ("ulx3s", 1234567)]


@pytest.fixture
def terminal(monkeypatch):
    """Make standard output a terminal of some columns."""

    def make(columns, term="xterm-256color", **variables):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        for name in ("NO_COLOR", "FORCE_COLOR", "LINES"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {"COLUMNS": str(columns), "TERM": term, **variables}.items():
            monkeypatch.setenv(name, value)

    return make


def test_elsewhere_a_table_is_plain_lines(capsys):
    show_grid(HEADS, ROWS)
    assert capsys.readouterr().out == (
        "  board       what it is\n  icebreaker  iCE40UP5K [bold]with[/bold] SPRAM\n  ulx3s       1,234,567\n"
    )
    show_table("link", [("crc errors", 0), ("ok", True)])
    assert capsys.readouterr().out == "link\n  crc errors  0\n  ok          True\n"


def test_on_a_terminal_the_cells_are_the_same(capsys, terminal):
    terminal(100)
    show_grid(HEADS, ROWS)
    out = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    for cell in (*HEADS, "icebreaker", "iCE40UP5K [bold]with[/bold] SPRAM", "1,234,567"):
        assert cell in out


def test_a_narrow_terminal_breaks_cells_and_loses_nothing(capsys, terminal):
    terminal(24)
    show_grid(HEADS, [("icebreaker", "abcdefghijklmnopqrstuvwxyz0123456789")])
    out = capsys.readouterr().out
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in out.splitlines()]
    assert all(len(line) <= 24 for line in lines)
    assert "abcdefghijklmnopqrstuvwxyz0123456789" in "".join(line[13:].strip() for line in lines)


def test_no_color_has_no_color(capsys, terminal):
    terminal(80, NO_COLOR="1")
    show_grid(HEADS, ROWS)
    assert not re.search(r"\x1b\[[0-9;]*3\d", capsys.readouterr().out)


def test_a_dumb_terminal_gets_plain_lines(capsys, terminal):
    terminal(24, term="dumb")
    show_grid(HEADS, ROWS)
    assert capsys.readouterr().out.startswith("  board       what it is\n  icebreaker  iCE40UP5K [bold]")
    assert not tables.is_drawn()


def test_an_empty_table_is_nothing(capsys, terminal):
    terminal(80)
    show_grid(HEADS, [])
    assert capsys.readouterr().out == ""


def test_rich_is_imported_only_where_it_draws():
    script = (
        "import sys\n"
        "from synloom.cli.tables import show_table\n"
        "show_table('a', [('b', 1)])\n"
        "print('rich' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("False\n")


@pytest.mark.parametrize("columns", [40, 90, 200])
def test_boards_fit_a_real_terminal(columns):
    pty = pytest.importorskip("pty")
    controller, terminal_end = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm", "NO_COLOR": "1"}
    command = [sys.executable, "-c", "from synloom.cli.main import main; main(['boards'])"]
    with subprocess.Popen(command, stdout=terminal_end, env=environment) as process:
        os.close(terminal_end)
        out = b""
        try:
            while piece := os.read(controller, 65536):
                out += piece
        except OSError:
            pass
    os.close(controller)
    assert process.returncode == 0
    text = re.sub(r"\x1b\[[0-9;]*m", "", out.decode())
    assert "icebreaker" in text
    assert (max(map(len, text.splitlines())) <= columns) or columns < 120
