"""The code of docs/nir.md runs."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "nir.md"


@pytest.mark.filterwarnings("ignore:NIR has no words for")
def test_the_pages_code_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)
    printed = capsys.readouterr().out
    assert "- dt: a step is 1 ms; NIR has no time step" in printed
    assert "has 4,096 neurons; the largest array has 2,048" in printed
