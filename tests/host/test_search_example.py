"""The example of a search runs: Optuna asks, sweeps answer."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "search.py"


def test_optuna_asks_and_is_told(tmp_path):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, str(SCRIPT), "2", "40"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "best of " in done.stdout
    assert "Hz from the target" in done.stdout
    rows = (tmp_path / "results" / "search" / "table.csv").read_text().splitlines()
    assert "distance" in rows[0]
    assert all(not row.endswith("Error") for row in rows)
