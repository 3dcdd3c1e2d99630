"""One network with a part of every kind, made twice: by the SDK and as an experiment file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from every_parameter import BASE, Made, N

import synloom
from synloom import Network

Changes = Mapping[str, Mapping[str, Any]]

WORDS: Final = {
    "InputPopulation": "spikes",
    "PoissonInput": "poisson",
    "RegularInput": "regular",
    "STDP": "stdp",
    "PairRule": "pair_rule",
    "TraceTarget": "trace_target",
    "AllToAll": "all_to_all",
    "OneToOne": "one_to_one",
    "FixedProbability": "fixed_probability",
    "FixedInDegree": "fixed_in_degree",
    "FixedOutDegree": "fixed_out_degree",
    "SmallWorld": "small_world",
    "FromList": "list",
    "FromMatrix": "matrix",
}
"""What an experiment file calls a class."""

KEYS: Final = {
    ("InputPopulation", "spike_times"): "times",
    ("Projection", "pre"): "from",
    ("Projection", "post"): "to",
    ("FromMatrix", "matrix"): "file",
}
"""Parameters that have another name in an experiment file."""

_RANDOM: Final = ("FixedProbability", "FixedInDegree", "FixedOutDegree", "SmallWorld")
_CONNECTORS: Final = ("AllToAll", "OneToOne", *_RANDOM, "FromList", "FromMatrix")


@dataclass(frozen=True)
class Parts:
    """A network in pieces. A projection's `pre` and `post` are keys of `ends`.

    Parameters
    ----------
    network : Made
        The `Network`.
    ends : dict
        Inputs and populations.
    projections : dict
        Projections.
    """

    network: Made
    ends: Mapping[str, Made]
    projections: Mapping[str, Made]

    def label(self, end: str) -> str:
        """Return the name of an input or a population."""
        return str(self.ends[end].arguments["label"])


def parts(changes: Changes) -> Parts:
    """Return a part of every kind; changes of a kind are made in one part of it."""

    def made(kind: str, **arguments: Any) -> Made:
        return Made(kind, {**BASE[kind], **arguments, **changes.get(kind, {})})

    def cells(label: str) -> Made:
        return Made("Population", {"n": N, "cell": Made("LIF"), "label": label})

    def joined(label: str, pre: str, post: str, connector: Made, **arguments: Any) -> Made:
        return Made(
            "Projection", {"pre": pre, "post": post, "connector": connector, "label": label, **arguments}
        )

    every = Made("AllToAll")
    projections = {
        "feed": made("Projection", pre="right", post="left", connector=every, label="feed"),
        "uniform": joined("uniform", "noise", "left", every, weight=made("Uniform")),
        "normal": joined("normal", "clock", "left", every, weight=made("Normal")),
    }
    for pre, rule in (("noise", "STDP"), ("exact", "PairRule"), ("clock", "TraceTarget")):
        projections[rule] = joined(rule, pre, f"of_{rule}", every, weight=0.5, plasticity=made(rule))
    for kind in _CONNECTORS:
        weight = None if kind.startswith("From") else 1.0
        projections[kind] = joined(kind, f"of_{kind}", f"of_{kind}", made(kind), weight=weight)
    ends = {
        "exact": made("InputPopulation", label="exact"),
        "noise": made("PoissonInput", label="noise"),
        "clock": made("RegularInput", label="clock"),
        "left": made("Population", cell=made("LIF"), label="left"),
        "right": cells("right"),
    }
    for projection in projections.values():
        post = projection.arguments["post"]
        ends.setdefault(post, cells(post))
    return Parts(made("Network"), ends, projections)


def by_sdk(changes: Changes) -> Network:
    """Return the network, made by the SDK's classes."""
    found = parts(changes)
    network: Network = _made(found.network)
    ends = {key: network.add(_made(end)) for key, end in found.ends.items()}
    for projection in found.projections.values():
        joins = {key: ends[projection.arguments[key]] for key in ("pre", "post")}
        network.add(_made(Made("Projection", {**projection.arguments, **joins})))
    return network


def _made(value: Any) -> Any:
    if not isinstance(value, Made):
        return value
    return getattr(synloom, value.kind)(**{name: _made(each) for name, each in value.arguments.items()})


def as_file(changes: Changes, folder: Path) -> Path:
    """Write the network as an experiment file with the same names; return its path."""
    found = parts(changes)
    tables = {"run": {"duration": 10.0, **_keys(found.network, folder)}}
    for end in found.ends.values():
        table = _keys(end, folder)
        if end.kind == "InputPopulation":
            table.setdefault("times", [[] for _ in range(table["n"])])
        kind = {} if end.kind == "Population" else {"kind": WORDS[end.kind]}
        tables[f"{'inputs' if kind else 'populations'}.{end.arguments['label']}"] = {**kind, **table}
    for projection in found.projections.values():
        table = _keys(projection, folder)
        table |= {key: found.label(table[key]) for key in ("from", "to")}
        rule = table.pop("plasticity", None)
        name = f"projections.{projection.arguments['label']}"
        tables[name] = table
        if rule is not None:
            tables[f"{name}.plasticity"] = {"rule": WORDS[rule.kind], **_keys(rule, folder)}
    path = folder / "experiment.toml"
    path.write_text("\n".join(f"[{name}]\n{''.join(_lines(table))}" for name, table in tables.items()))
    return path


def _keys(part: Made, folder: Path) -> dict[str, Any]:
    """Return a part's arguments as a table has them; those of cells and connectors are the table's own."""
    keys: dict[str, Any] = {}
    for name, value in part.arguments.items():
        if name == "cell":
            keys |= _keys(value, folder)
        elif name == "connector":
            keys |= {"connector": WORDS[value.kind], **_keys(value, folder)}
        elif name == "matrix":
            np.savetxt(folder / "matrix.csv", value, delimiter=",")
            keys["file"] = "matrix.csv"
        elif name != "label" and value is not None:
            keys[KEYS.get((part.kind, name), name)] = value
    return keys


def _lines(table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        yield f"{key} = {_toml(value)}\n"


def _toml(value: Any) -> str:
    if not isinstance(value, Made):
        return json.dumps(value)
    numbers = dict(value.arguments)
    names = ("low", "high") if value.kind == "Uniform" else ("mean", "sd")
    pair = [numbers.pop(name) for name in names]
    beside = "".join(f", {name} = {json.dumps(each)}" for name, each in numbers.items())
    return f"{{ {value.kind.lower()} = {json.dumps(pair)}{beside} }}"
