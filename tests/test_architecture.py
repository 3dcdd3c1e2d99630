"""The structure of the code: imports (CONTRIBUTING.md's table), public names, lengths, places of records."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from python_sources import FOLDERS, ROOT, Import, Source, modules, outsider, suite

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MOST_ENTRIES = 17
MOST_LINES = {"hdl": 100, "host": 60, "sim": 60, "boards": 60}
NO_PLACES = {
    "hdl/synloom_hdl/core/lane.py": "the 12 bits of a change of weight below the point",
    "sim/synloom_sim/model/arithmetic.py": "the same",
    "tests/sim/naive_array.py": "the same",
    "tests/sim/test_model_arithmetic.py": "the same",
    "host/synloom/selftest/random_network.py": "the same, upwards: an amplitude from a change",
    "tests/hdl/test_link_records.py": "the bytes of a word on the line",
    "tests/hdl/test_core_generators.py": "the fields of a word of GEN_RATE",
    "tests/hdl/test_link.py": "the same",
    "tests/host/fake_device.py": "the same",
    "tests/host/test_link_client.py": "the same",
    "tests/sim/test_model_stimulus.py": "the same",
    "tests/sim/test_noise.py": "the bits of random numbers",
    "tests/sim/test_random_numbers.py": "the same",
}
"""Files in which what looks like a place of a record is arithmetic, and which."""


@dataclass(frozen=True)
class Row:
    """One row of the table: the modules it is about, what they may import, and what only in functions."""

    members: tuple[str, ...]
    always: frozenset[str]
    lazily: frozenset[str]

    def __str__(self) -> str:
        return " + ".join(self.members)


def table() -> list[Row]:
    """Return the rows of CONTRIBUTING.md's table of imports, in its order."""
    _, found, rest = PAGE.partition("| package | may import | only in functions |\n")
    assert found, "CONTRIBUTING.md has no table with the columns: package, may import, only in functions"
    rows = []
    for line in rest.splitlines()[1:]:
        if not line.startswith("|"):
            break
        members, always, lazily = (re.findall(r"`([^`]+)`", cell) for cell in line.strip("|").split("|"))
        rows.append(Row(tuple(members), frozenset(always), frozenset(lazily)))
    return rows


ROWS = table()


def row_of(module: str) -> Row:
    """Return the row that names a module, or else the nearest package around it."""
    names = [".".join(module.split(".")[:k]) for k in range(module.count(".") + 1, 0, -1)]
    unlisted = Row((module,), frozenset(), frozenset())
    return next((row for name in names for row in ROWS if name in row.members), unlisted)


def foreign(source: Source) -> Iterator[tuple[Import, str, Row | None]]:
    """Yield what a module imports from outside its row: a third-party package, or a module of another row."""
    here = row_of(source.module)
    for each in source.imports():
        if package := outsider(each.module):
            yield each, package, None
        elif each.module in modules() and (row := row_of(each.module)) != here:
            yield each, each.module, row


def grants(allowed: frozenset[str], name: str, row: Row | None) -> bool:
    """Return whether a cell allows a package, or one of a row's members."""
    return name in allowed if row is None else not allowed.isdisjoint(row.members)


def test_every_import_obeys_the_table():
    wrong = []
    for source in modules().values():
        here = row_of(source.module)
        for each, name, row in foreign(source):
            if grants(here.always, name, row) or (each.lazy and grants(here.lazily, name, row)):
                continue
            how = "only in functions" if grants(here.lazily, name, row) else "nowhere"
            wrong.append(f"{source}:{each.line}: {here} may import {name} {how}")
    assert not wrong, "\n".join(wrong)


def test_the_table_allows_nothing_that_nobody_needs():
    idle = []
    for here in ROWS:
        found = [
            found
            for source in modules().values()
            if row_of(source.module) == here
            for found in foreign(source)
        ]
        for column, names, counted in (
            ("may import", here.always, [f for f in found if not f[0].lazy]),
            ("only in functions", here.lazily, [f for f in found if f[0].lazy]),
        ):
            idle += [
                f"{here}: strike {name} from {column!r}"
                for name in sorted(names)
                if not any(grants(frozenset([name]), package, row) for _, package, row in counted)
            ]
    assert not idle, "\n".join(idle)


def test_every_package_imports_only_packages_above_it():
    above: set[str] = set()
    wrong = []
    for row in ROWS:
        ours = {name for name in row.always | row.lazily if name.split(".")[0] in modules()}
        wrong += [f"{row}: {name} has no row above it" for name in sorted(ours - above)]
        above |= set(row.members)
    assert not wrong, "\n".join(wrong)


def test_every_folder_has_its_row_and_its_place_in_the_tree():
    named = {name for row in ROWS for name in row.members}
    _, tree = PAGE.split("## Where things are", 1)
    drawn = set(re.findall(r"^ *([\w/]+)/ ", tree.split("```")[1], re.MULTILINE))
    for top in FOLDERS:
        folders = [p.parent for p in sorted((ROOT / top).glob("synloom*/*/__init__.py"))]
        assert folders
        for folder in folders:
            package = f"{folder.parent.name}.{folder.name}"
            assert package in named, f"CONTRIBUTING.md: the table of imports has no {package}"
            assert folder.name in drawn, f"CONTRIBUTING.md: the tree has no {folder.name}/"


def test_a_name_in_the_table_is_a_module():
    assert [name for row in ROWS for name in row.members if name not in modules()] == []


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """Return one circle of a graph, its first member again at the end; nothing if there is none."""
    done: set[str] = set()

    def search(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        found = next(filter(None, (search(n, [*path, node]) for n in sorted(graph.get(node, ())))), [])
        done.add(node)
        return found

    return next(filter(None, (search(node, []) for node in sorted(graph))), [])


def test_modules_do_not_import_each_other_in_a_circle():
    graph = {
        name: {each.module for each in source.imports() if not each.lazy and each.module in modules()}
        for name, source in modules().items()
    }
    found = circle(graph)
    assert not found, " imports ".join(found)


def test_a_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c", "d"}, "c": set(), "d": {"b"}}) == ["b", "d", "b"]


def test_imports_are_seen_wherever_they_stand():
    text = """
import numpy
from synloom.contract import params
if TYPE_CHECKING:
    from synloom.base.errors import LinkError
class Example:
    from synloom.base.errors import DeviceError
    def method(self):
        import amaranth
        return "synloom_hdl.top:ArrayTop", "synloom", "synloom.no_module"
"""
    source = Source("example", ROOT / "example.py", ast.parse(text))
    assert [(each.module, each.name, each.lazy) for each in source.imports()] == [
        ("numpy", None, False),
        ("synloom.contract.params", None, False),
        ("synloom.base.errors", "LinkError", True),
        ("synloom.base.errors", "DeviceError", False),
        ("amaranth", None, True),
        ("synloom_hdl.top", None, True),
    ]


def test_the_sdk_has_few_packages():
    entries = [p.name for p in (ROOT / "host" / "synloom").iterdir() if p.name != "__pycache__"]
    assert len(entries) <= MOST_ENTRIES, sorted(entries)


def test_modules_take_only_what_others_offer():
    taken = []
    for source in (*modules().values(), *suite()):
        wanted = [(each.line, each.module, each.name) for each in source.imports() if each.name]
        for line, module, name in [*wanted, *source.attributes()]:
            if module in modules() and name not in modules()[module].offers():
                taken.append(f"{source}:{line}: {name} is not in __all__ of {module}")
    assert not taken, "\n".join(taken)


def test_modules_have_what_they_offer():
    missing = [
        f"{source}: {name}"
        for source in modules().values()
        for name in source.offers()
        if name not in source.names() and f"{source.module}.{name}" not in modules()
    ]
    assert not missing, "\n".join(missing)


def test_no_function_is_too_long():
    long = []
    for source in modules().values():
        most = MOST_LINES[source.path.relative_to(ROOT).parts[0]]
        for function in source.functions():
            assert function.end_lineno is not None
            lines = function.end_lineno - function.lineno + 1
            if lines > most:
                long.append(f"{source}: {function.name} has {lines} lines, {most} are allowed")
    assert not long, "\n".join(long)


def is_number(node: ast.AST | None, *numbers: int) -> bool:
    return isinstance(node, ast.Constant) and node.value in numbers


def is_place(node: ast.AST) -> bool:
    """Return whether an expression looks like the place of a record, computed by hand.

    A weight's offset is source << 12 | target, a word of the wheel's slot << 8 | word; other records lie
    4, 8 or 16 words apart (docs/protocol.md).
    """
    match node:
        case ast.Attribute(attr="strides"):
            return True
        case ast.BinOp(op=ast.LShift() | ast.RShift(), right=right):
            return is_number(right, 12)
        case ast.BinOp(left=left, op=ast.BitAnd(), right=right):
            return is_number(left, 0xFFF) or is_number(right, 0xFFF)
        case ast.BinOp(left=left, op=ast.Mult() | ast.FloorDiv() | ast.Mod(), right=right):
            return is_number(left, 4096) or is_number(right, 4096)
        case ast.BinOp(left=left, op=ast.BitOr() | ast.Add(), right=right):
            shifts = [p for p in (left, right) if isinstance(p, ast.BinOp) and isinstance(p.op, ast.LShift)]
            return any(is_number(part.right, 8) for part in shifts)
        case ast.Subscript(slice=ast.Slice(lower=lower, upper=upper)):
            return is_number(lower, 12) or is_number(upper, 12)
        case ast.Call(args=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts):
            after_region = [b for a, b in pairwise(parts) if ast.unparse(a).startswith("Region.")]
            inside = [each for part in after_region for each in ast.walk(part) if isinstance(each, ast.BinOp)]
            products = [each for each in inside if isinstance(each.op, ast.Mult)]
            return any(is_number(part, 4, 8, 16) for each in products for part in (each.left, each.right))
    return False


def places_by_hand(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of every place that is computed by hand."""
    for node in ast.walk(tree):
        if is_place(node):
            assert isinstance(node, ast.expr)
            yield node.lineno, ast.unparse(node)


def test_only_the_contract_knows_where_records_lie():
    outside = [s for name, s in modules().items() if not name.startswith("synloom.contract")]
    found = {str(s): list(places_by_hand(s.tree)) for s in (*outside, *suite())}
    wrong = [
        f"{path}:{line}: {text}; places are Memory.offset, .advance and .index, in tests those of places.py"
        for path, places in found.items()
        if path not in NO_PLACES
        for line, text in places
    ]
    assert not wrong, "\n".join(wrong)
    assert [path for path in NO_PLACES if not found[path]] == []


def test_places_by_hand_are_found():
    for text in (
        "source << 12 | target",
        "offset >> 12",
        "offset & 0xFFF",
        "slot << 8 | word",
        "(slot << 8) + word",
        "host.offset[12:]",
        "host.offset[:12]",
        "source * 4096 + target",
        "memory.strides[0]",
        "port.read(Region.NEURON_STATE, 8 * 39, 4)",
        "[Region.NEURON_STATE | 0x8000, 8 * neuron + 2, 0, 0]",
    ):
        assert list(places_by_hand(ast.parse(text))), text
    for text in (
        "value << 8",
        "offset & 0xFFFF",
        "values[12]",
        "memory.offset(12)",
        "3 << 14 | 12",
        "f(Region.INFO, 8)",
    ):
        assert not list(places_by_hand(ast.parse(text))), text
