"""Graphs of NIR as plain nodes and edges: read from a file or an object, nested graphs unfolded.

Pedersen et al. 2024, Neuromorphic intermediate representation: a unified instruction set for interoperable
brain-inspired computing, *Nature Communications* 15, 8122.
"""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from synloom.base.checks import FloatArray
from synloom.base.errors import NetworkError, ParameterError
from synloom.base.requirements import install_command
from synloom.base.wording import shown

__all__ = ["Graph", "Node", "nir_package", "read_graph"]

_MOST_BYTES: Final = 1 << 30
"""Most bytes of a file's arrays: a damaged or malicious file cannot fill the memory."""
_MOST_DEPTH: Final = 20
_UNREADABLE: Final = (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError, ImportError)


@dataclass(frozen=True, eq=False)
class Node:
    """One node.

    Parameters
    ----------
    name : str
        Its name; that of a node in a nested graph is ``graph.node``.
    kind : str
        NIR's name of its type; "Pass" where a nested graph begins or ends.
    fields : mapping of str to value
        Its parameters, as NIR names them.
    extra : mapping of str to value
        Its metadata.
    """

    name: str
    kind: str
    fields: Mapping[str, Any]
    extra: Mapping[str, Any] = field(default_factory=dict)

    def error(self, reason: str) -> NetworkError:
        """Return an error that names the node."""
        return NetworkError(f"node {self.name!r} ({self.kind}): {reason}")

    def numbers(self, name: str) -> FloatArray:
        """Return a parameter as float64 of any shape.

        Raises
        ------
        NetworkError
            If it is missing, is not numeric or has a value that is not finite.
        """
        if name not in self.fields:
            raise self.error(f"has no {name}")
        try:
            values = np.asarray(self.fields[name])
            if values.dtype.kind not in "biuf":
                raise TypeError
            values = values.astype(np.float64)
        except (TypeError, ValueError):
            raise self.error(f"{name} must be numbers, not {shown(self.fields[name])}") from None
        if not np.isfinite(values).all():
            raise self.error(f"{name} must be finite, not {values[~np.isfinite(values)][0]:g}")
        return values

    def whole(self, name: str, default: int | None = None) -> int:
        """Return a parameter as a whole number.

        Raises
        ------
        NetworkError
            If it is none.
        """
        if default is not None and name not in self.fields:
            return default
        value = self.numbers(name)
        if value.size != 1 or value != np.rint(value):
            raise self.error(f"{name} must be a whole number, not {shown(self.fields[name])}")
        return int(value.reshape(()))


@dataclass(frozen=True, eq=False)
class Graph:
    """A graph without nested graphs.

    Parameters
    ----------
    nodes : dict of str to Node
        Its nodes by name.
    before : dict of str to list of str
        For each node those whose signals it adds up.
    extra : mapping of str to value
        The metadata of the whole.
    """

    nodes: dict[str, Node]
    before: dict[str, list[str]]
    extra: Mapping[str, Any]

    def of_kind(self, kinds: Iterable[str]) -> list[Node]:
        """Return the nodes of some kinds, in the graph's order."""
        wanted = set(kinds)
        return [node for node in self.nodes.values() if node.kind in wanted]


def nir_package() -> Any:
    """Return the package nir.

    Raises
    ------
    ParameterError
        If it is not installed.
    """
    try:
        import nir
    except ImportError as error:
        raise ParameterError(
            f"NIR graphs need the package nir (extra [nir]), which is not installed; try: "
            f"{install_command('nir')}"
        ) from error
    return nir


def read_graph(source: Any) -> Graph:
    """Return the graph of a file's path, or of an object of the package nir.

    Raises
    ------
    ParameterError
        If `source` is neither.
    NetworkError
        If the file is no NIR file, or the graph is not well-formed.
    """
    if isinstance(source, (str, os.PathLike)):
        values = _read_file(Path(source))
    elif hasattr(source, "to_dict") and hasattr(source, "nodes"):
        values = source.to_dict()
    else:
        raise ParameterError(
            f"graph must be the path of a NIR file or a nir.NIRGraph, not {type(source).__name__}"
        )
    nodes: dict[str, Node] = {}
    edges: list[tuple[str, str]] = []
    _unfold(values, "", nodes, edges, 0)
    # Files keep their nodes in the order of the alphabet; `to_nir` notes theirs.
    nodes = dict(sorted(nodes.items(), key=lambda item: _index(item[1])))
    before: dict[str, list[str]] = {name: [] for name in nodes}
    for first, second in edges:
        before[second].append(first)
    return Graph(nodes, before, _extra(values))


def _read_file(path: Path) -> dict[str, Any]:
    """Return what a file holds, as nested dictionaries."""
    nir_package()
    import h5py

    if not path.is_file():
        raise NetworkError(f"{path}: there is no such file")
    try:
        with h5py.File(path, "r") as file:
            sizes: list[int] = []
            file.visititems(lambda _, item: sizes.append(_bytes_of(item)))
            if sum(sizes) > _MOST_BYTES:
                raise NetworkError(f"{path}: its arrays have {sum(sizes):,} bytes; at most {_MOST_BYTES:,}")
            return _plain(file["node"], h5py.Group, 0)
    except _UNREADABLE as error:
        if isinstance(error, NetworkError):
            raise
        reason = str(error.args[0] if error.args else error).splitlines()[0]
        raise NetworkError(f"{path}: this is no NIR file, or a damaged one: {reason}") from error


def _bytes_of(item: Any) -> int:
    return int(getattr(item, "nbytes", 0) or 0)


def _plain(group: Any, kind: type, depth: int) -> dict[str, Any]:
    if depth > 4 * _MOST_DEPTH:
        raise NetworkError("its groups are nested too deeply")
    values: dict[str, Any] = {}
    for name, item in group.items():
        values[str(name)] = _plain(item, kind, depth + 1) if isinstance(item, kind) else _text(item[()])
    return values


def _text(value: Any) -> Any:
    return value.decode("utf8") if isinstance(value, bytes) else value


def _extra(values: Mapping[str, Any]) -> Mapping[str, Any]:
    extra = values.get("metadata")
    return extra if isinstance(extra, Mapping) else {}


def _index(node: Node) -> float:
    """Return the place of a node among those of `to_nir`; others are last."""
    index = node.extra.get("synloom_index", np.inf)
    if isinstance(index, bool) or not isinstance(index, numbers.Real) or math.isnan(index):
        raise node.error(f"metadata: synloom_index must be a number, not {shown(index)}")
    return float(index)


def _unfold(
    values: Mapping[str, Any], prefix: str, nodes: dict[str, Node], edges: list[tuple[str, str]], depth: int
) -> tuple[list[str], list[str]]:
    """Add the nodes and edges of a graph; return the names of where it begins and where it ends."""
    where = f"graph {prefix.rstrip('.')!r}" if prefix else "the graph"
    inside, links = values.get("nodes"), values.get("edges")
    if not isinstance(inside, Mapping) or links is None:
        raise NetworkError(f"{where} has no nodes and edges; is it a NIR graph?")
    if depth > _MOST_DEPTH:
        raise NetworkError(f"{where} is nested more than {_MOST_DEPTH} deep")
    ends: dict[str, tuple[list[str], list[str]]] = {}
    begin: list[str] = []
    end: list[str] = []
    for name, content in inside.items():
        full = f"{prefix}{name}"
        if not isinstance(content, Mapping) or not isinstance(content.get("type"), str):
            raise NetworkError(f"node {full!r} has no type")
        kind = content["type"]
        if kind == "NIRGraph":
            ends[name] = _unfold(content, f"{full}.", nodes, edges, depth + 1)
            continue
        border = kind in ("Input", "Output") and depth > 0
        if border:
            (begin if kind == "Input" else end).append(full)
        fields = {key: value for key, value in content.items() if key not in ("type", "metadata")}
        nodes[full] = Node(full, "Pass" if border else kind, fields, _extra(content))
        ends[name] = ([full], [full])
    for first, second in _links(links, where):
        for name in (first, second):
            if name not in ends:
                raise NetworkError(
                    f"{where}: an edge leads from {first!r} to {second!r}, but there is no node {name!r}; "
                    f"its nodes are: {', '.join(map(repr, ends))}"
                )
        edges.append((_one(ends[first][1], first, "Output"), _one(ends[second][0], second, "Input")))
    return begin, end


def _links(links: Any, where: str) -> list[tuple[str, str]]:
    try:
        pairs = [(str(_text(first)), str(_text(second))) for first, second in links]
    except (TypeError, ValueError):
        raise NetworkError(f"{where}: its edges must be pairs of names, not {shown(links)}") from None
    twice = next((pair for k, pair in enumerate(pairs) if pair in pairs[:k]), None)
    if twice is not None:
        raise NetworkError(f"{where}: the edge from {twice[0]!r} to {twice[1]!r} is there twice")
    return pairs


def _one(names: list[str], graph: str, kind: str) -> str:
    if len(names) != 1:
        raise NetworkError(
            f"graph {graph!r} has {len(names)} nodes of type {kind}; an edge to or from it needs exactly one"
        )
    return names[0]
