"""The published graphs of the NIR paper (Pedersen et al. 2024) in the array, against float loops."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synloom.base.errors import SynloomError
from synloom.base.warning import SynloomWarning
from synloom.compiler import compile
from synloom.device.targets import connect
from synloom.nir import from_nir, to_nir
from synloom.nir.graph import Graph, nir_package, read_graph
from synloom_sim.accuracy.nir import DT_MS, STEPS, published
from synloom_sim.nir.loops import Floats, Recurrent, recurrent

__all__ = ["Bar", "all_bars", "correlations", "runs_of_braille", "same_after_a_round"]

BRAILLE: Final = {
    "03_rnn/braille_noDelay_bias_zero.nir": "to_value",
    "03_rnn/braille_noDelay_noBias_subtract.nir": "subtract",
}
"""The recurrent graphs, and what a spike does in their training."""
_LIF: Final = "01_lif/lif_norse.nir"
_TRAINING_DT: Final = 0.1
_LENGTH, _TRIALS, _RATES = 256, 10, (0.3, 0.1)
_WANTED: Final = 0.98


@dataclass(frozen=True)
class Bar:
    """One thing that was measured.

    Parameters
    ----------
    name : str
        What.
    figure : str
        The figure.
    met : bool
        Whether it is as good as it should be.
    """

    name: str
    figure: str
    met: bool


def all_bars(checkout: Path, target: str = "software") -> Iterator[Bar]:
    """Yield all bars of a checkout of the repository neuromorphs/NIR.

    Raises
    ------
    SynloomError
        If the folder has no graphs.
    """
    paper = checkout / "paper"
    graphs = sorted(paper.rglob("*.nir"))
    if not graphs:
        raise SynloomError(f"{checkout} has no graphs in paper/; give a checkout of neuromorphs/NIR")
    yield _single(paper / _LIF, target)
    for name, reset in BRAILLE.items():
        for integration in ("euler", "exact"):
            for rate in _RATES:
                yield _braille(paper / name, reset, integration, target, rate)
    for path in graphs:
        yield from _loads(path, paper)


def _single(path: Path, target: str) -> Bar:
    """Run the single neuron with the published input; its spikes are those of the published solution."""
    trace = published()
    raster = np.zeros((STEPS, 1), dtype=bool)
    raster[trace.pulses] = True
    made = from_nir(path, dt=DT_MS, reset="subtract")
    with connect(target, compile(made.network)) as device:
        device.inject(made.network.inputs[0], raster)
        found = np.flatnonzero(device.run(STEPS * DT_MS).raster(made.outputs["output"][0])[:, 0])
    text = f"fires in steps {found.tolist()}, published {trace.spikes.tolist()}"
    return Bar("single LIF, published trace", text, found.tolist() == trace.spikes.tolist())


def _braille(path: Path, reset: str, integration: str, target: str, rate: float) -> Bar:
    """Compare rasters; the bar is set at the first rate, figures at others are for information."""
    wanted, got = runs_of_braille(path, reset, integration, target, rate=rate)
    worst = [float(correlations(w, g).min()) for w, g in zip(wanted, got, strict=True)]
    trials = np.sum([_differ(w, g) for w, g in zip(wanted, got, strict=True)], axis=0) > 0
    sizes = f"12-{wanted[0].shape[1]}-{wanted[1].shape[1]}"
    text = (
        f"least correlation of a neuron {worst[0]:.4f} (layer), {worst[1]:.4f} (readout); "
        f"{int((~trials).sum())} of {len(trials)} trials equal spike by spike"
    )
    name = f"Braille {sizes}, {integration}, rate {rate:g}"
    return Bar(
        name if rate == _RATES[0] else f"{name} (no bar)", text, min(worst) >= _WANTED or rate != _RATES[0]
    )


def _differ(wanted: Floats, got: Floats) -> Floats:
    """Return in how many places the trials differ, (trials,)."""
    return np.asarray((wanted != got).reshape(_TRIALS, -1).sum(axis=1), dtype=np.float64)


def runs_of_braille(
    path: Any,
    reset: str,
    integration: str,
    target: str,
    *,
    trials: int = _TRIALS,
    length: int = _LENGTH,
    rate: float = _RATES[0],
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Return the rasters of layer and readout, of the float loop and of the array, one trial after the other.

    Every input channel spikes in each step with probability `rate`; the seed of a trial is its number. The
    array's readout lags by the one step that a spike takes, and is shifted back.
    """
    made = from_nir(path, dt=_TRAINING_DT, reset=reset, integration=integration, weight_bits=16)
    image = compile(made.network)
    network = _recurrent(read_graph(path))
    wanted: tuple[list[Floats], list[Floats]] = ([], [])
    got: tuple[list[Floats], list[Floats]] = ([], [])
    for seed in range(trials):
        inputs = np.random.default_rng(seed).random((length, network.feed.shape[1])) < rate
        loop = recurrent(
            network,
            inputs.astype(np.float64),
            _TRAINING_DT / 1000.0,
            subtract=reset == "subtract",
            euler=integration == "euler",
        )
        with connect(target, image) as device:
            device.inject("input", inputs)
            recording = device.run((length + 1) * _TRAINING_DT)
        for k, (name, lag) in enumerate((("lif1.lif", 0), ("lif2", 1))):
            wanted[k].append(loop[k])
            got[k].append(recording.raster(name)[lag : lag + length].astype(np.float64))
    return (
        (np.concatenate(wanted[0]), np.concatenate(wanted[1])),
        (np.concatenate(got[0]), np.concatenate(got[1])),
    )


def _recurrent(graph: Graph) -> Recurrent:
    nodes = {name: dict(node.fields) for name, node in graph.nodes.items()}

    def bias(name: str) -> Any:
        return np.asarray(nodes[name].get("bias", 0.0), dtype=np.float64)

    return Recurrent(
        feed=np.asarray(nodes["fc1"]["weight"], dtype=np.float64),
        back=np.asarray(nodes["lif1.w_rec"]["weight"], dtype=np.float64),
        out=np.asarray(nodes["fc2"]["weight"], dtype=np.float64),
        feed_bias=bias("fc1") + bias("lif1.w_rec"),
        out_bias=bias("fc2"),
        layer=nodes["lif1.lif"],
        readout=nodes["lif2"],
    )


def correlations(wanted: Floats, got: Floats) -> Floats:
    """Return Pearson's correlation of two rasters for each neuron; 1 if both are silent, 0 if one is."""
    values = np.zeros(wanted.shape[1])
    for k in range(wanted.shape[1]):
        one, other = wanted[:, k], got[:, k]
        if one.std() and other.std():
            values[k] = np.corrcoef(one, other)[0, 1]
        else:
            values[k] = float(np.array_equal(one, other))
    return values


def _loads(path: Path, paper: Path) -> Iterator[Bar]:
    """Import a graph, and export and import it again."""
    name = str(path.relative_to(paper))
    try:
        made = from_nir(path, dt=_TRAINING_DT)
    except SynloomError as error:
        yield Bar(name, f"refused: {error}", "\n" not in str(error))
        return
    yield Bar(name, f"loads, {len(made.notes)} notes", True)
    same = same_after_a_round(made.network)
    yield Bar(f"{name}, exported and imported", "the same image" if same else "another image", same)


def same_after_a_round(network: Any) -> bool:
    """Return whether a network that is exported and imported again compiles to the same contents."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SynloomWarning)  # of what other programs do not see
        graph = to_nir(network)
    with TemporaryDirectory() as folder:
        nir_package().write(Path(folder) / "network.nir", graph)
        back = from_nir(Path(folder) / "network.nir").network
    first, second = compile(network), compile(back)
    names = (
        "weights",
        "neuron_params",
        "neuron_state",
        "source",
        "target",
        "program",
        "gen_rate",
        "registers",
    )
    return all(_same(getattr(first, name), getattr(second, name)) for name in names)


def _same(one: npt.NDArray[Any] | dict[str, int], other: Any) -> bool:
    return bool(np.array_equal(one, other)) if isinstance(one, np.ndarray) else one == other
