"""The project's Python as trees: what a module imports, when, which names it has and which it offers."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("hdl", "host", "sim", "boards")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_MODULE_IN_TEXT = re.compile(r"(synloom\w*(?:\.\w+)*)(?::\w*)?")
"""A module that is imported by its name: "synloom_hdl.top:ArrayTop"."""


@dataclass(frozen=True)
class Import:
    """One imported module or name.

    Parameters
    ----------
    module : str
        The module, in full.
    name : str or None
        The name that is taken from it; None if it is the module itself.
    lazy : bool
        Whether it happens inside a function, for types only, or by a module's name in a string: not when
        the importing module is imported.
    line : int
        Where.
    """

    module: str
    name: str | None
    lazy: bool
    line: int


@dataclass(frozen=True, eq=False)
class Source:
    """One Python file."""

    module: str
    path: Path
    tree: ast.Module

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))

    def imports(self) -> Iterator[Import]:
        """Yield everything that is imported, wherever it stands."""
        for node, lazy in _walk(self.tree, lazy=False):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(alias.name, None, lazy, node.lineno)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self}:{node.lineno}: a relative import; write the module in full"
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    if inner in modules():
                        yield Import(inner, None, lazy, node.lineno)
                    else:
                        yield Import(str(node.module), alias.name, lazy, node.lineno)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found = _MODULE_IN_TEXT.fullmatch(node.value)
                if found and "." in found[1] and found[1] in modules():
                    yield Import(found[1], None, True, node.lineno)

    def attributes(self) -> Iterator[tuple[int, str, str]]:
        """Yield (line, module, name) of every name that is taken as an attribute of an imported module."""
        known = {
            (alias.asname or alias.name): f"{node.module}.{alias.name}"
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if f"{node.module}.{alias.name}" in modules()
        }
        for node in ast.walk(self.tree):
            if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
                continue
            if node.value.id in known and not node.attr.startswith("__"):
                yield node.lineno, known[node.value.id], node.attr

    def names(self) -> set[str]:
        """Return the names that the module itself binds."""
        return set(_bound(self.tree.body))

    def offers(self) -> list[str]:
        """Return `__all__`; nothing if there is none."""
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                return list(ast.literal_eval(node.value))
        return []

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Yield every function and method."""
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield node


@cache
def modules() -> dict[str, Source]:
    """Return all modules of the four packages by name."""
    return {
        source.module: source
        for top in FOLDERS
        for source in (_read(path, ROOT / top) for path in sorted((ROOT / top).rglob("*.py")))
    }


@cache
def suite() -> tuple[Source, ...]:
    """Return all files of the tests."""
    return tuple(_read(path, ROOT / "tests") for path in sorted((ROOT / "tests").rglob("*.py")))


def outsider(module: str) -> str | None:
    """Return the package of a module that is neither ours nor Python's, else None."""
    top = module.partition(".")[0]
    return None if top in sys.stdlib_module_names or top in modules() else top


def _read(path: Path, folder: Path) -> Source:
    parts = path.relative_to(folder).with_suffix("").parts
    module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Source(module, path, ast.parse(path.read_text(encoding="utf-8"), str(path)))


def _walk(node: ast.AST, lazy: bool) -> Iterator[tuple[ast.AST, bool]]:
    yield node, lazy
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        for child in node.body:
            yield from _walk(child, True)
        for child in node.orelse:
            yield from _walk(child, lazy)
        return
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, lazy or isinstance(node, _FUNCTIONS))


def _bound(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield from (part.id for part in ast.walk(target) if isinstance(part, ast.Name))
        for block in ("body", "orelse", "finalbody"):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                yield from _bound(getattr(node, block, []))
