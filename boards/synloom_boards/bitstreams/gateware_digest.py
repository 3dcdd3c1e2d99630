"""A digest of what decides a board's bitstream, quick enough for every command: nothing is elaborated."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, Final

from synloom.base.errors import BuildError
from synloom_boards.board import Board

__all__ = ["code_of", "design_modules", "gateware_digest"]

_ROOTS: Final = (
    "synloom_boards.gateware.top",
    "synloom_boards.fpga.families",
    "synloom_boards.fpga.pinout",
    "synloom_boards.toolchain.synthesis",
)
"""The modules that make a design and map it to cells."""

_CONTRACT: Final = "synloom.contract"
_DESIGN: Final = ("synloom_hdl", _CONTRACT, "synloom_boards.gateware", "synloom_boards.fpga")
"""Packages whose modules decide a design if one of its modules imports them."""

_NOT_DESIGN: Final = frozenset({"title", "loader", "loader_tool", "usb", "volatile", "bridge_baud", "source"})
"""Fields of a board that its bitstream does not depend on."""


def gateware_digest(board: Board, modules: Mapping[str, str] | None = None) -> str:
    """Return 32 hex digits that change with the code, the parameters or the pins of a board's design.

    Words for people do not count: comments, docstrings, and in the contract the documentation of fields and
    registers and the messages of errors. Nor do the versions of the tools.

    Parameters
    ----------
    board : Board
    modules : mapping of str to str, optional
        The design's modules: name and text. Those of `design_modules` by default.

    Raises
    ------
    BuildError
        If a part of Synloom is not installed.
    """
    facts = {name: value for name, value in asdict(board).items() if name not in _NOT_DESIGN}
    facts["params"] = board.array.digest()
    text = json.dumps(facts, sort_keys=True, default=repr) + (
        _installed_code() if modules is None else _code(modules)
    )
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def design_modules() -> dict[str, str]:
    """Return the text of each module that a design is made from, by name.

    These are the modules that make a design, and what they import from the gateware and the contract. A
    module of the contract that no gateware imports, such as a renderer of documentation, is not among them.

    Raises
    ------
    BuildError
        If a part of Synloom is not installed.
    """
    found: dict[str, str] = {}
    queue = list(_ROOTS)
    while queue:
        module = queue.pop()
        path = _path(module)
        if module not in found and path is not None:
            found[module] = path.read_text(encoding="utf-8")
            queue += (name for name in _imports(found[module]) if _decides(name))
    return found


def code_of(source: str, *, names_only: bool = False) -> str:
    """Return what a module does as text, without comments, layout, docstrings and ``doc=`` arguments.

    Parameters
    ----------
    source : str
        The module's text.
    names_only : bool
        Leave out strings with a space in them, too: no name has one, so they are prose.
    """
    return _shape(ast.parse(source), names_only)


def _shape(node: Any, names_only: bool) -> str:
    """Return a tree as text. Unlike `ast.dump`, it gives the same in every version of Python."""
    match node:
        case list():
            return f"[{', '.join(_shape(part, names_only) for part in node if not _is_for_people(part))}]"
        case ast.Constant() | ast.JoinedStr() if names_only and _is_prose(node):
            return "prose"
        case ast.Constant():
            return repr(node.value)
        case ast.AST():
            fields = ((name, value) for name, value in ast.iter_fields(node) if value not in (None, []))
            shapes = (f"{name}={_shape(value, names_only)}" for name, value in fields)
            return f"{type(node).__name__}({', '.join(shapes)})"
    return repr(node)


def _is_for_people(node: Any) -> bool:
    """Whether a part of a tree is a docstring, or an argument with documentation."""
    match node:
        case ast.Expr(value=ast.Constant(value=str())) | ast.keyword(arg="doc"):
            return True
    return False


def _is_prose(node: ast.Constant | ast.JoinedStr) -> bool:
    """Whether a string or the fixed text of an f-string has a space."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    texts = [part.value for part in parts if isinstance(part, ast.Constant)]
    return any(isinstance(text, str) and " " in text for text in texts)


@cache
def _installed_code() -> str:
    return _code(design_modules())


def _code(modules: Mapping[str, str]) -> str:
    return "\0".join(
        f"{name}\0{code_of(text, names_only=name.startswith(_CONTRACT))}"
        for name, text in sorted(modules.items())
    )


def _decides(module: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in _DESIGN)


def _imports(source: str) -> Iterator[str]:
    """Yield what a module imports, and each name that it takes from there: it may be a module, too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _path(module: str) -> Path | None:
    """Return a module's file, without importing a part of it; None if it is no module."""
    package, *parts = module.split(".")
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise BuildError(f"the package {package!r} is not there; install all of Synloom again")
    place = Path(spec.origin).parent.joinpath(*parts)
    return next((p for p in (place / "__init__.py", place.with_suffix(".py")) if p.is_file()), None)
