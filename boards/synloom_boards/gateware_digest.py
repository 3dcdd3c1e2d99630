"""A digest of what decides a board's bitstream, without making it: quick enough for a test."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import io
import json
import tokenize
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Final

from synloom.base.errors import BuildError
from synloom_boards.board import Board

__all__ = ["code_of", "gateware_digest"]

_SOURCES: Final = (
    "synloom_hdl",
    "synloom.contract",
    "synloom_boards.gateware",
    "synloom_boards.families",
    "synloom_boards.pinout",
    "synloom_boards.pll",
    "synloom_boards.synthesis",
)
"""Packages and modules whose code decides the design."""

_DOCUMENTED: Final = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def gateware_digest(board: Board) -> str:
    """Return 32 hex digits that change with the code, the parameters or the pins of a board's design.

    Comments and docstrings do not count, nor do the versions of the tools.

    Raises
    ------
    BuildError
        If a part of Synloom is not installed.
    """
    facts = {**asdict(board), "params": board.array.digest()}
    text = json.dumps(facts, sort_keys=True) + _code()
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def code_of(source: str) -> str:
    """Return a module's text without comments, docstrings and empty lines."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node) is not None:
            first = node.body[0]
            end = first.end_lineno or first.lineno
            lines[first.lineno - 1 : end] = [""] * (end - first.lineno + 1)
    return "\n".join(stripped for line in lines if (stripped := line.rstrip()))


@cache
def _code() -> str:
    return "\0".join(f"{path.name}\0{code_of(path.read_text(encoding='utf-8'))}" for path in _files())


def _files() -> Iterator[Path]:
    for module in _SOURCES:
        spec = importlib.util.find_spec(module)
        if spec is None or spec.origin is None:
            raise BuildError(f"the module {module!r} is not there; install all of Synloom again")
        origin = Path(spec.origin)
        yield from sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]
