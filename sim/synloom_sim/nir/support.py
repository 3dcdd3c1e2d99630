"""The table of NIR's nodes in docs/nir.md: each is built, imported, run on the model, compared with a loop.

``python docs/tables.py docs/nir.md`` writes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from synloom.base.errors import NetworkError
from synloom.compiler import compile
from synloom.device.targets import connect
from synloom.nir import from_nir
from synloom.nir.graph import nir_package
from synloom_sim.nir.loops import Floats, cuba, integrator, leaky

__all__ = ["CASES", "Case", "support_table"]

_STEPS, _CHANNELS, _NEURONS, _DT = 300, 6, 4, 1e-4
_CLOSE: Final = 5e-3
_LIF: Final[dict[str, Any]] = {"tau": 2e-3, "v_threshold": 0.1}
_CUBA: Final[dict[str, Any]] = {"tau_mem": 2e-3, "tau_syn": 1e-3, "r": 1.0, "v_leak": 0.0, "w_in": 3.0}


@dataclass(frozen=True)
class Case:
    """A node, what the array makes of it, and the run that shows it.

    Parameters
    ----------
    node : str
        The node or the combination.
    words : str
        What it becomes; for approximate ones what changes, for unsupported ones what to use.
    run : callable
        Returns what was found and what it should be, spikes (whole numbers) or potentials.
    exact : bool
        Whether it is all that NIR says.
    """

    node: str
    words: str
    run: Callable[[], tuple[Floats, Floats]]
    exact: bool = True


def support_table() -> str:
    """Return the table in Markdown, from runs of all cases."""
    rows = ["| node | support | in the array | measured |", "|---|---|---|---|"]
    rows += [f"| {case.node} | {' | '.join(_row(case))} |" for case in CASES]
    return "\n".join(rows) + "\n"


def _row(case: Case) -> tuple[str, str, str]:
    try:
        got, wanted = case.run()
    except NetworkError as error:
        return "unsupported", case.words, f"`{error}`"
    if np.array_equal(wanted, np.rint(wanted)):
        apart = int((got != wanted).sum())
        measured, good = f"{apart} of {int(wanted.sum())} spikes differ", apart == 0
    else:
        off = float(np.abs(got - wanted).max() / np.abs(wanted).max())
        good = off < _CLOSE
        measured = f"V within {100 * _CLOSE:g} % of its largest" if good else f"V is {100 * off:.1f} % off"
    if not good or not wanted.any():
        return "**fails**", case.words, measured
    return "faithful" if case.exact else "approximate", case.words, measured


# ---- running ---------------------------------------------------------------------------------------


def _inputs(channels: int = _CHANNELS) -> Floats:
    return (np.random.default_rng(5).random((_STEPS, channels)) < 0.2).astype(np.float64)


def _weights(rows: int = _NEURONS, columns: int = _CHANNELS) -> Floats:
    """Return weights that 8 bits hold exactly."""
    return np.random.default_rng(6).integers(-40, 120, (rows, columns)) / 100.0


def _graph(nodes: dict[str, Any]) -> Any:
    """Return a chain of nodes in the order of their names in the mapping."""
    nir = nir_package()
    names = list(nodes)
    return nir.NIRGraph(nodes, list(pairwise(names)), type_check=False)


def _run(graph: Any, inputs: Floats, *, spikes: bool = True, **options: Any) -> Floats:
    """Return what the only Output of a graph shows, (T, n): spikes, or V in volts."""
    made = from_nir(graph, dt=1000.0 * _DT, **options)
    (names,) = made.outputs.values()
    with connect("model", compile(made.network)) as device:
        if not spikes:
            device.record(names[0], "v")
        device.inject(made.network.inputs[0], inputs.astype(bool))
        recording = device.run(len(inputs) * 1000.0 * _DT)
    if spikes:
        return recording.raster(names[0]).astype(np.float64)
    return recording.values(names[0], "v") / 1000.0


def _chain(*middle: tuple[str, Any], shape: tuple[int, ...] = (_CHANNELS,), out: int = _NEURONS) -> Any:
    nir = nir_package()
    return _graph(
        {"input": nir.Input(np.array(shape)), **dict(middle), "output": nir.Output(np.array([out]))}
    )


def _lif(n: int = _NEURONS, **changes: Any) -> Any:
    values = {"tau": 2e-3, "r": 1.0, "v_leak": 0.0, "v_threshold": 0.1} | changes
    return nir_package().LIF(**{name: np.full(n, value) for name, value in values.items()})


def _through_lif(
    *middle: tuple[str, Any], drive: Floats, shape: tuple[int, ...] = (_CHANNELS,)
) -> tuple[Floats, Floats]:
    """Compare linear nodes before LIF neurons."""
    n = drive.shape[1]
    got = _run(_chain(*middle, ("lif", _lif(n)), shape=shape, out=n), _inputs(int(np.prod(shape))))
    return got, leaky(drive, _DT, **_LIF)[1]


# ---- nodes -----------------------------------------------------------------------------------------


def _affine() -> tuple[Floats, Floats]:
    bias = np.linspace(-0.05, 0.15, _NEURONS)
    node = nir_package().Affine(weight=_weights(), bias=bias)
    return _through_lif(("affine", node), drive=_inputs() @ _weights().T + bias)


def _linear() -> tuple[Floats, Floats]:
    return _through_lif(("linear", nir_package().Linear(_weights())), drive=_inputs() @ _weights().T)


def _scale() -> tuple[Floats, Floats]:
    scale = np.arange(1, _CHANNELS + 1) / 4.0
    return _through_lif(("scale", nir_package().Scale(scale)), drive=_inputs() * scale)


def _flatten() -> tuple[Floats, Floats]:
    nir = nir_package()
    flat = nir.Flatten({"input": np.array([2, 3])}, start_dim=0)
    drive = _inputs() @ _weights().T
    return _through_lif(("flatten", flat), ("linear", nir.Linear(_weights())), drive=drive, shape=(2, 3))


def _conv1d() -> tuple[Floats, Floats]:
    kernel = _weights(3, 6).reshape(3, 2, 3)
    node = nir_package().Conv1d(
        input_shape=8, weight=kernel, stride=2, padding=1, dilation=1, groups=1, bias=np.zeros(3)
    )
    images = np.pad(_inputs(16).reshape(-1, 2, 8), ((0, 0), (0, 0), (1, 1)))
    drive = np.stack(
        [np.einsum("tck,ock->to", images[:, :, 2 * x : 2 * x + 3], kernel) for x in range(4)], axis=2
    )
    return _through_lif(("conv", node), drive=drive.reshape(len(drive), -1), shape=(2, 8))


def _conv2d() -> tuple[Floats, Floats]:
    kernel = _weights(2, 4).reshape(2, 1, 2, 2)
    node = nir_package().Conv2d(
        input_shape=(4, 5),
        weight=kernel,
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        bias=np.array([0.0, 0.1]),
    )
    images = _inputs(20).reshape(-1, 4, 5)
    drive = np.array(
        [
            [
                [[(image[y : y + 2, x : x + 2] * k[0]).sum() for x in range(4)] for y in range(3)]
                for k in kernel
            ]
            for image in images
        ]
    )
    drive += np.array([0.0, 0.1])[:, None, None]
    return _through_lif(("conv", node), drive=drive.reshape(len(drive), -1), shape=(1, 4, 5))


def _pool(kind: str, factor: float) -> tuple[Floats, Floats]:
    two = np.array([2, 2])
    node = getattr(nir_package(), kind)(kernel_size=two, stride=two, padding=np.array([0, 0]))
    blocks = _inputs(16).reshape(-1, 2, 2, 2, 2)
    drive = factor * blocks.sum(axis=(2, 4)).reshape(-1, 4)
    return _through_lif(("pool", node), drive=drive, shape=(1, 4, 4))


def _delay() -> tuple[Floats, Floats]:
    steps = np.array([0, 1, 3, 3, 20, 40])
    late = np.zeros((_STEPS, _CHANNELS))
    for k, d in enumerate(steps):
        late[d:, k] = _inputs()[: _STEPS - d, k]
    nir = nir_package()
    middle = (("delay", nir.Delay(steps * _DT)), ("linear", nir.Linear(_weights())))
    return _through_lif(*middle, drive=late @ _weights().T)


def _lif_case(**changes: Any) -> tuple[Floats, Floats]:
    linear = nir_package().Linear(_weights())
    given = dict(changes)
    options: dict[str, Any] = {"reset": "subtract"} if given.pop("subtract", False) else {}
    options |= {"integration": "euler"} if given.pop("euler", False) else {}
    got = _run(_chain(("linear", linear), ("lif", _lif(**given))), _inputs(), **options)
    return got, leaky(_inputs() @ _weights().T, _DT, **(_LIF | changes))[1]


def _cuba(spikes: bool) -> tuple[Floats, Floats]:
    nir = nir_package()
    names = dict(_CUBA) | ({"v_threshold": 0.1003} if spikes else {})
    node = {name: np.full(_NEURONS, value) for name, value in names.items()}
    made = (nir.CubaLIF if spikes else nir.CubaLI)(**node)
    linear = nir.Linear(_weights())
    got = _run(
        _chain(("linear", linear), ("cuba", made)),
        _inputs(),
        spikes=spikes,
        integration="euler",
        weight_bits=16,
    )
    trace, fired = cuba(_inputs() @ _weights().T, _DT, node, euler=True)
    return got, fired if spikes else trace


def _if(spikes: bool) -> tuple[Floats, Floats]:
    nir, ones = nir_package(), np.ones(_NEURONS)
    node = nir.IF(r=100.0 * ones, v_threshold=0.055 * ones) if spikes else nir.I(r=100.0 * ones)
    got = _run(_chain(("linear", nir.Linear(_weights())), ("if", node)), _inputs(), spikes=spikes)
    threshold = 0.055 if spikes else np.inf
    trace, fired = integrator(_inputs() @ _weights().T, _DT, r=100.0, v_threshold=threshold)
    return got, fired if spikes else trace


def _li() -> tuple[Floats, Floats]:
    nir, ones = nir_package(), np.ones(_NEURONS)
    node = nir.LI(tau=2e-3 * ones, r=ones, v_leak=0.0 * ones)
    got = _run(_chain(("linear", nir.Linear(_weights())), ("li", node)), _inputs(), spikes=False)
    return got, leaky(_inputs() @ _weights().T, _DT, tau=2e-3)[0]


def _threshold() -> tuple[Floats, Floats]:
    nir = nir_package()
    node = nir.Threshold(np.full(_NEURONS, 0.505))
    got = _run(_chain(("linear", nir.Linear(_weights())), ("threshold", node)), _inputs())
    return got, (_inputs() @ _weights().T > 0.505).astype(np.float64)


def _watched() -> tuple[Floats, Floats]:
    nir, ones = nir_package(), np.ones(_NEURONS)
    li = nir.LI(tau=2e-3 * ones, r=ones, v_leak=0.0 * ones)
    middle = (("linear", nir.Linear(_weights())), ("li", li), ("threshold", nir.Threshold(0.1 * ones)))
    trace = leaky(_inputs() @ _weights().T, _DT, tau=2e-3)[0]
    return _run(_chain(*middle), _inputs()), (trace > 0.1).astype(np.float64)


def _sum() -> tuple[Floats, Floats]:
    got = _run(_chain(("linear", nir_package().Linear(_weights()))), _inputs(), spikes=False)
    return got, _inputs() @ _weights().T


def _nested() -> tuple[Floats, Floats]:
    nir = nir_package()
    inner = _chain(("linear", nir.Linear(_weights())), ("lif", _lif()))
    return _run(_chain(("inner", inner)), _inputs()), leaky(_inputs() @ _weights().T, _DT, **_LIF)[1]


def _recurrent() -> tuple[Floats, Floats]:
    nir, back = nir_package(), _weights(_NEURONS, _NEURONS)
    nodes = {
        "input": nir.Input(np.array([_CHANNELS])),
        "linear": nir.Linear(_weights()),
        "lif": _lif(),
        "back": nir.Linear(-back),
        "output": nir.Output(np.array([_NEURONS])),
    }
    edges = [("input", "linear"), ("linear", "lif"), ("lif", "back"), ("back", "lif"), ("lif", "output")]
    got = _run(nir.NIRGraph(nodes, edges, type_check=False), _inputs())
    # One step of each neuron at a time, with what fired in the step before.
    drive, fired = _inputs() @ _weights().T, np.zeros((_STEPS, _NEURONS))
    for t in range(_STEPS):
        drive[t] -= back @ (fired[t - 1] if t else fired[0] * 0.0)
        fired[t] = leaky(drive[: t + 1], _DT, **_LIF)[1][t]
    return got, fired


def _refused(*middle: tuple[str, Any]) -> tuple[Floats, Floats]:
    return _run(_chain(*middle), _inputs()), np.zeros(1)


def _graded() -> tuple[Floats, Floats]:
    nir, ones = nir_package(), np.ones(_CHANNELS)
    li = nir.LI(tau=2e-3 * ones, r=ones, v_leak=0.0 * ones)
    return _refused(("li", li), ("linear", nir.Linear(_weights())), ("lif", _lif()))


def _large() -> tuple[Floats, Floats]:
    nir = nir_package()
    return _refused(("linear", nir.Linear(np.ones((4096, _CHANNELS)))), ("lif", _lif(4096)))


CASES: Final = (
    Case("Input", "channels of spikes, 0 or 1 in a step; encode graded values", _linear, exact=False),
    Case("Output", "names the populations that it shows", _linear),
    Case("Output of a weighted sum", "V of neurons that forget it after each step", _sum),
    Case("Linear", "synapses", _linear),
    Case("Affine", "synapses, and constant currents", _affine),
    Case("Scale", "factors of weights", _scale),
    Case("Flatten", "the order of neurons", _flatten),
    Case("Conv1d", "unrolled into synapses", _conv1d),
    Case("Conv2d", "unrolled into synapses", _conv2d),
    Case("SumPool2d", "unrolled into synapses", lambda: _pool("SumPool2d", 1.0)),
    Case("AvgPool2d", "unrolled into synapses", lambda: _pool("AvgPool2d", 0.25)),
    Case("Delay", "delays in whole steps, at least one from neurons", _delay, exact=False),
    Case("LIF", "neurons with delta synapses", _lif_case),
    Case("LIF, reset by subtraction", "`reset='subtract'`", lambda: _lif_case(subtract=True)),
    Case("LIF, forward Euler", "`integration='euler'`", lambda: _lif_case(euler=True)),
    Case("IF", "neurons without leak", lambda: _if(True)),
    Case(
        "CubaLIF",
        "neurons with exponential synapses; with `integration='exact'` the charge of a spike comes at the "
        "beginning of its step, with `'euler'` (measured) all is as in training",
        lambda: _cuba(True),
        exact=False,
    ),
    Case("LI", "neurons that cannot reach their threshold; record v", _li),
    Case("CubaLI", "the same with exponential synapses", lambda: _cuba(False), exact=False),
    Case(
        "I", "the same without leak, with room for 4096 steps of all inputs", lambda: _if(False), exact=False
    ),
    Case("Threshold", "neurons that forget V after each step", _threshold),
    Case("Threshold of LI, CubaLI, I", "one population, which no spike resets", _watched),
    Case("NIRGraph in a graph", "unfolded; names are `graph.node`", _nested),
    Case("recurrent edges", "spikes act one step later", _recurrent),
    Case(
        "LI, CubaLI, I before weights",
        "spikes only are sent: put the weights before, or a Threshold",
        _graded,
    ),
    Case("more than 2048 neurons or inputs in a node", "a smaller layer", _large),
)
"""All rows of the table, in its order."""
