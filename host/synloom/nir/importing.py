"""Networks from NIR graphs, and a list of what NIR leaves open and what is changed."""

from __future__ import annotations

from typing import Any, NamedTuple

from synloom.base.checks import choice, real
from synloom.base.errors import ParameterError
from synloom.base.wording import shown
from synloom.network.network import Network
from synloom.nir.assumptions import assumptions
from synloom.nir.building import Builder
from synloom.nir.cells import INTEGRATIONS
from synloom.nir.fine import WEIGHT_BITS
from synloom.nir.graph import read_graph
from synloom.nir.neurons import Resolver

__all__ = ["NirImport", "from_nir"]


class NirImport(NamedTuple):
    """A network that was imported.

    Parameters
    ----------
    network : Network
        The network. Populations have the names of their nodes, inputs those of Input nodes.
    notes : list of str
        What was assumed because NIR does not say it, and what is not as NIR says it; one line each.
    outputs : dict of str to list of str
        For each Output the populations it shows. Those that do not spike have V to record.
    """

    network: Network
    notes: list[str]
    outputs: dict[str, list[str]]


def from_nir(
    graph: Any,
    *,
    dt: float | None = None,
    reset: str | None = None,
    integration: str = "exact",
    weight_bits: int = 8,
    seed: int = 0,
) -> NirImport:
    """Make a network of a NIR graph (Pedersen et al. 2024); docs/nir.md says what each node becomes.

    Seconds become ms and volts mV; 1 of NIR's current is 1 nA. A spike is a current of its weight during one
    step; with CubaLIF and CubaLI the charge of one.

    Parameters
    ----------
    graph : str, path or nir.NIRGraph
        The graph, or the file that has it.
    dt : float, optional
        Time step, ms. NIR has none; only graphs from `to_nir` know theirs.
    reset : str, optional
        What a spike does: ``"to_value"`` sets V to v_reset, ``"subtract"`` lowers it by v_threshold -
        v_reset. Default: that of `to_nir`, else ``"to_value"``.
    integration : str
        ``"exact"``: a step multiplies by ``exp(-dt / tau)``, as NIR's equations say. ``"euler"``: by
        ``1 - dt / tau``, as in the frameworks that train with forward Euler.
    weight_bits : int
        8: each synapse is one of the array. 14: a coarse one and a fine one, in two rows. 16: the same, and
        up to three further rows for sources with large weights. Recurrent networks may need it.
    seed : int
        Seed of the network's random numbers, if the graph does not know one.

    Returns
    -------
    NirImport
        The network, the notes, and the populations of each Output.

    Raises
    ------
    ParameterError
        If an argument is wrong, or the package nir is not installed.
    NetworkError
        If the file is damaged, or a node is unknown or cannot be built; one line names it.
    """
    if reset is not None:
        choice("reset", reset, ("to_value", "subtract"))
    choice("integration", integration, INTEGRATIONS)
    if weight_bits not in WEIGHT_BITS:
        allowed = ", ".join(map(str, WEIGHT_BITS))
        raise ParameterError(f"weight_bits must be one of {allowed}, not {shown(weight_bits)}")
    read = read_graph(graph)
    given = read.extra.get("synloom_dt") if dt is None else dt
    if given is None:
        raise ParameterError("NIR graphs have no time step: give dt=, in ms, such as that of the training")
    step = real("dt", given, low=1e-3, high=1e3)
    network = Network(dt=step, seed=read.extra.get("synloom_seed", seed))
    notes = assumptions(read, step, told=dt is None, reset=reset, integration=integration)
    resolver = Resolver(read, step, integration)
    Builder(resolver, network, reset, weight_bits).build()
    return NirImport(network, notes + resolver.notes, resolver.outputs)
