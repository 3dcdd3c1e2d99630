"""Building and compiling the network of an experiment."""

from __future__ import annotations

import dataclasses
import zlib
from typing import Any

import numpy as np

from synloom.base.checks import FloatArray
from synloom.base.errors import CapacityError
from synloom.compiler import compile as compile_network
from synloom.contract.params import ArrayParams
from synloom.device.neuron_state import require_probes
from synloom.experiment.data_files import read_table
from synloom.experiment.document import Experiment
from synloom.experiment.location import Location
from synloom.experiment.stimulus import make_input
from synloom.experiment.values import spread
from synloom.image.image import Image
from synloom.network.cells import LIF
from synloom.network.connectors import (
    AllToAll,
    Connector,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    FromList,
    FromMatrix,
    OneToOne,
    SmallWorld,
)
from synloom.network.distributions import Distribution
from synloom.network.network import Network, Population, Projection
from synloom.network.plasticity import STDP, PairRule, Plasticity, TraceTarget

__all__ = ["build_network", "compile_experiment", "count_probes", "random_of"]

_RULES: dict[str, type[STDP] | type[TraceTarget] | type[PairRule]] = {
    "stdp": STDP,
    "trace_target": TraceTarget,
    "pair_rule": PairRule,
}
_CELL_KEYS = tuple(field.name for field in dataclasses.fields(LIF))


def random_of(experiment: Experiment, where: Location) -> np.random.Generator:
    """Return the random generator of a key, which depends only on the seed and the key."""
    return np.random.default_rng([experiment.seed, zlib.crc32(where.path.encode())])


def build_network(experiment: Experiment) -> Network:
    """Return the network that an experiment describes.

    Raises
    ------
    ExperimentError
        If the SDK rejects a part of it; the message gives the file and the table.
    """
    with experiment.where.key("run").explains(("dt", "seed")):
        network = Network(dt=experiment.dt, seed=experiment.seed)
    parts: dict[str, Any] = {}
    for name, table in experiment.tables["inputs"].items():
        where = experiment.where.key("inputs").key(name)
        with where.explains(table):
            parts[name] = network.add(make_input(experiment, name, table, random_of(experiment, where)))
    for name, table in experiment.tables["populations"].items():
        where = experiment.where.key("populations").key(name)
        with where.explains(table):
            parts[name] = network.add(_population(experiment, name, table, where))
    for name, table in experiment.tables["projections"].items():
        where = experiment.where.key("projections").key(name)
        with where.explains(table):
            network.add(_projection(experiment, name, table, parts, where))
    return network


def compile_experiment(experiment: Experiment, network: Network, params: ArrayParams | None = None) -> Image:
    """Compile for a given array, or for the smallest that fits, changed by ``[array]``.

    Raises
    ------
    ExperimentError
        If parts of the network do not fit each other, or ``[array]`` is wrong.
    CapacityError
        If the network does not fit the array.
    """
    wishes = {name: value for name, value in experiment.tables["array"].items() if value is not None}
    with experiment.where.explains():
        try:
            if params is not None:
                require_probes(count_probes(experiment), params)
                return compile_network(network, params)
            image = compile_network(network)
            wishes = {"probes": max(image.params.probes, count_probes(experiment)), **wishes}
            with experiment.where.key("array").explains(wishes):
                params = image.params.replace(**wishes)
            return image if params == image.params else compile_network(network, params)
        except CapacityError as error:
            raise CapacityError(f"{experiment.where.file}: {error}") from error


def count_probes(experiment: Experiment) -> int:
    """Return the number of values in a sample of the recorded state."""
    tables = experiment.tables
    sizes = {name: table["n"] for name, table in (*tables["inputs"].items(), *tables["populations"].items())}
    return len(
        {
            (state["of"], state["variable"], index)
            for state in tables["record"]["state"]
            for index in state["indices"] or range(sizes[state["of"]])
        }
    )


def _population(experiment: Experiment, name: str, table: dict[str, Any], where: Location) -> Population:
    values: dict[str, Any] = {
        key: value
        if value is None or isinstance(value, str)
        # Checks the length of a list here, so that the message names the key.
        else spread(value, table["n"], random_of(experiment, where.key(key)), where.key(key))
        for key, value in table.items()
        if key != "n"
    }
    cell = LIF(**{key: values.pop(key) for key in _CELL_KEYS})
    return Population(table["n"], cell, label=name, **values)


def _projection(
    experiment: Experiment, name: str, table: dict[str, Any], parts: dict[str, Any], where: Location
) -> Projection:
    pre, post = parts[table["from"]], parts[table["to"]]
    delay = _delay(experiment, table, (pre.n, post.n), where)
    rule: Plasticity | None = None
    if (wanted := table["plasticity"]) is not None:
        with where.key("plasticity").explains(wanted):
            rule = _RULES[wanted["rule"]](**{key: value for key, value in wanted.items() if key != "rule"})
    connector = _connector(experiment, table, where)
    _try_out(connector, pre, post, table["weight"] is not None, where)
    return Projection(
        pre,
        post,
        connector,
        weight=table["weight"],
        delay=delay,
        dendritic=table["dendritic"],
        plasticity=rule,
        label=name,
    )


def _delay(
    experiment: Experiment, table: dict[str, Any], shape: tuple[int, int], where: Location
) -> float | FloatArray | Distribution | None:
    """Return one delay, those of each source or of each pair, or what each synapse draws."""
    delay, name = table["delay"], table["delay_file"]
    if name is None:
        if delay is None or isinstance(delay, Distribution):
            return delay
        return spread(delay, shape[0], random_of(experiment, where.key("delay")), where.key("delay"))
    if delay is not None:
        raise where.error("must have delay or delay_file, not both")
    where = where.key("delay_file")
    delays = read_table(name, experiment.path.parent, where)
    if delays.shape != shape:
        raise where.error(
            f"({name}) must have a row for each source and a column for each target, "
            f"{shape[0]} x {shape[1]}, not {delays.shape[0]} x {delays.shape[1]}"
        )
    wrong = np.argwhere(~(np.isfinite(delays) & (delays >= 0.0)))
    if len(wrong):
        row, column = wrong[0]
        raise where.error(
            f"({name}) must have numbers of at least 0; that of source {row} and target {column} is "
            f"{delays[row, column]:g}"
        )
    return delays


def _try_out(
    connector: Connector, pre: Population, post: Population, weighted: bool, where: Location
) -> None:
    """Draw the synapses of a connector once, so that its errors name a location in the file."""
    made = connector.synapses(pre.n, post.n, np.random.default_rng(0), pre is post)
    if weighted and made.weights is not None:
        raise where.key("weight").error("must be left out, because the connector has weights of its own")
    if not weighted and made.weights is None:
        raise where.key("weight").error("is missing; allowed: number (or random), nA (mV for delta synapses)")


def _connector(experiment: Experiment, table: dict[str, Any], where: Location) -> Connector:
    kind: str = table["connector"]
    if kind == "one_to_one":
        return OneToOne()
    if kind == "small_world":
        return SmallWorld(table["k"], table["p"])
    if kind in ("list", "matrix"):
        return _from_numbers(experiment, table, where)
    alone: bool = table["allow_self_connections"]
    if kind == "fixed_probability":
        return FixedProbability(table["p"], alone)
    if kind == "fixed_in_degree":
        return FixedInDegree(table["k"], alone)
    if kind == "fixed_out_degree":
        return FixedOutDegree(table["k"], alone)
    return AllToAll(allow_self_connections=alone)


def _from_numbers(experiment: Experiment, table: dict[str, Any], where: Location) -> Connector:
    pairs, file = table.get("pairs"), table["file"]
    if (pairs is None) == (file is None):
        sources = "pairs or file" if table["connector"] == "list" else "file"
        raise where.error(
            f'needs {sources} for connector = "{table["connector"]}"' + (", not both" if file else "")
        )
    numbers: Any = pairs if file is None else read_table(file, experiment.path.parent, where.key("file"))
    with where.key("pairs" if file is None else "file").explains():
        return FromList(numbers) if table["connector"] == "list" else FromMatrix(numbers)
