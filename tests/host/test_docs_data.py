"""The code of docs/data.md and docs/pytorch.md runs, and the kept digits network has the stated accuracy."""

import re
import runpy
import shutil
from pathlib import Path

import numpy as np
import pytest

from synloom.demo.data import load_digits

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["data", "pytorch"])
def test_the_pages_code_runs(name, tmp_path, monkeypatch):
    shutil.copy(DOCS / "examples" / "digits.nir", tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / f"{name}.md").read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, name, "exec"), names)


def test_the_kept_network_reads_digits_as_in_training():
    script = runpy.run_path(str(DOCS / "examples" / "nir_digits.py"))
    digits = load_digits()
    floats = script["answers_of_floats"](digits.test)
    assert round(100 * np.mean(floats == digits.test_labels), 2) == 98.32
    answers = script["answers_of"]("fast", digits.test[:150])
    assert (answers != floats[:150]).sum() <= 1
    assert np.mean(answers == digits.test_labels[:150]) >= 0.97
