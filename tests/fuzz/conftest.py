"""The table that `make fuzz` prints."""

import sys
from pathlib import Path

import pytest

# Its helpers are those of the host's tests.
sys.path.append(str(Path(__file__).parents[1] / "host"))
TALLIES = pytest.StashKey[list]()


@pytest.fixture
def tallies(pytestconfig):
    return pytestconfig.stash.setdefault(TALLIES, [])


def pytest_terminal_summary(terminalreporter, config):
    rows = config.stash.get(TALLIES, [])
    if not rows:
        return
    head = (
        f"{'kind':<18}{'cases':>8}{'refused':>9}{'equal':>8}{'other':>8}{'slowest':>10}{'largest memory':>16}"
    )
    terminalreporter.write_line(head)
    for row in rows:
        cases = row.refused + row.equal + row.other
        terminalreporter.write_line(
            f"{row.kind:<18}{cases:>8}{row.refused:>9}{row.equal:>8}{row.other:>8}{row.slowest:>8.2f} s"
            f"{row.largest:>12.0f} MiB"
        )
