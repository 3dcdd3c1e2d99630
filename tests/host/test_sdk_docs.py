"""The code of docs/sdk.md runs, in order, and the page and the package name the same things."""

import re
from pathlib import Path

import synloom

PAGE = Path(__file__).parents[2] / "docs" / "sdk.md"


def test_the_pages_code_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) >= 4
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    printed = capsys.readouterr().out
    assert re.search(r"^[1-9][0-9]* spikes", printed)
    assert "would hold it" in printed
    assert "quantisation:" in printed


def test_every_public_name_is_on_the_page():
    text = PAGE.read_text()
    hidden = {"ArrayParams", "Counters", "Recording", "Report", "BuildError", "ExperimentError"}
    for name in set(synloom.__all__) - hidden:
        assert re.search(rf"\b{name}\b", text), name


def test_every_call_of_a_device_is_on_the_page():
    text = PAGE.read_text()
    for name, member in vars(synloom.Device).items():
        if callable(member) and not name.startswith("_") and name not in ("close", "record_nothing"):
            assert re.search(rf"\b{name}\b", text), name
