"""Stand-ins for the tools."""

import sys

import pytest


@pytest.fixture
def stand_in(monkeypatch, tmp_path):
    """Let a variable of the environment name a program that runs some Python."""

    def make(variable, code):
        program = tmp_path / variable.lower()
        program.write_text(f"#!{sys.executable}\nimport sys, time\n{code}\n")
        program.chmod(0o755)
        monkeypatch.setenv(variable, str(program))
        return program

    return make
