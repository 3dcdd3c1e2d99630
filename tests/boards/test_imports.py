"""The packages of boards import downwards only, and name what others may take from them."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import synloom_boards

ROOT = Path(synloom_boards.__file__).parent
PACKAGES = Path(__file__).parents[2]
FILES = {
    ".".join(["synloom_boards", *path.relative_to(ROOT).with_suffix("").parts]).removesuffix(
        ".__init__"
    ): path
    for path in sorted(ROOT.rglob("*.py"))
}


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """Yield a module of boards and a name taken from it, for all imports of a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("synloom_boards"):
            for alias in node.names:
                module = f"{node.module}.{alias.name}"
                yield (module, "") if module in FILES else (node.module, alias.name)


def place(module: str) -> str:
    """Return the folder of a module, or the module where it lies at the top."""
    return module.split(".")[1] if "." in module else module


@pytest.mark.parametrize("unit", [str, place], ids=["modules", "folders"])
def test_nothing_imports_in_a_circle(unit):
    graph = {}
    for module, path in FILES.items():
        used = {unit(name) for name, _ in imports(path)} - {unit(module)}
        graph.setdefault(unit(module), set()).update(used)
    assert len(graph) > 10
    TopologicalSorter(graph).prepare()


def test_what_others_import_is_in_all():
    users = [*(PACKAGES / "boards").rglob("*.py"), *(PACKAGES / "host").rglob("*.py")]
    taken = {pair for path in users for pair in imports(path) if pair[1]}
    assert len(taken) > 40
    missing = []
    for module, name in sorted(taken):
        tree = ast.parse(FILES[module].read_text())
        (public,) = [
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        ]
        if name not in public:
            missing.append(f"{module}.{name}")
    assert missing == []
