"""The page of the PyNN backend and its examples run; `import synloom` loads nothing of PyNN."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyNN")


from synloom.pynn.support import rows

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "pynn.md").read_text()


def test_the_pages_python_runs(capsys):
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "docs/pynn.md", "exec"), {})
    said = capsys.readouterr().out
    assert re.search(r"\(2001, 20\) [1-9]\d* spikes", said)
    assert "held weights, in nA: {0.3}" in said


def test_the_table_has_every_model_once():
    found = list(rows())
    assert len({(row.kind, row.name) for row in found}) == len(found)
    assert {row.verdict for row in found} == {"faithful", "approximate", "unsupported", "untested"}
    for row in found:
        assert row.name in PAGE, row
        assert row.note in PAGE, row


def test_what_does_not_run_needs_no_pynn():
    lines = "import sys, synloom, synloom.cli.main; print([m for m in ('pyNN', 'neo') if m in sys.modules])"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-c", lines], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_pynn_one_line_says_what_to_install():
    lines = (
        "import sys, importlib.util as u; found = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'pyNN' else found(name, *a)\n"
        "try:\n    import synloom.pynn\nexcept ImportError as error:\n    print(error)"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-c", lines], env=env, capture_output=True, text=True, check=True)
    assert re.fullmatch(
        r"synloom.pynn needs PyNN; install it with: .* -m pip install 'PyNN.*'", done.stdout.strip()
    )
