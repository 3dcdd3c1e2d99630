"""NIR graphs become networks, with what was assumed; what cannot be is one line."""

import sys

import nir
import numpy as np
import pytest
from nir_graphs import chain, lif, recurrent, small

import synloom as sl


def one_line(error, *words):
    text = str(error.value)
    assert "\n" not in text
    for word in words:
        assert word in text, text


def refused(graph, *words, **options):
    with pytest.raises(sl.NetworkError) as error:
        sl.from_nir(graph, **({"dt": 1.0} | options))
    one_line(error, *words)


def test_parameters_are_those_of_the_graph():
    network, notes, outputs = sl.from_nir(small(cells=lif(3, v_leak=-0.02, v_reset=-0.05, r=2.0)), dt=0.5)
    (cells,) = network.populations
    values = cells.cell.values(3)
    assert (network.dt, cells.label, outputs) == (0.5, "cells", {"output": ["cells"]})
    assert values["tau_m"] == pytest.approx([10.0] * 3)
    assert values["v_thresh"] == pytest.approx([100.0] * 3)
    assert values["v_reset"] == pytest.approx([-50.0] * 3)
    assert values["v_rest"] == pytest.approx([-20.0] * 3)
    assert values["tau_m"] / values["cm"] == pytest.approx([2000.0] * 3)  # MOhm
    assert cells.v_init == pytest.approx([0.0] * 3)
    (projection,) = network.projections
    made = projection.connector.synapses(2, 3, np.random.default_rng(0), False)
    # A current of w during a step raises V by r * w * (1 - exp(-dt / tau)).
    assert made.weights.max() == pytest.approx(2000.0 * -np.expm1(-0.05))
    assert projection.label == "w"
    assert any(note.startswith("reset:") for note in notes)
    assert any(note.startswith("dt: a step is 0.5 ms; NIR has no time step") for note in notes)


def test_a_file_gives_the_graphs_network(tmp_path):
    nir.write(tmp_path / "small.nir", small())
    from_file = sl.compile(sl.from_nir(tmp_path / "small.nir", dt=1.0).network)
    assert from_file.digest() == sl.compile(sl.from_nir(small(), dt=1.0).network).digest()


def test_the_kind_of_reset_and_of_integration_are_choices():
    made = sl.from_nir(small(), dt=1.0, reset="subtract", integration="euler")
    assert made.network.populations[0].cell.reset_mode == "subtract"
    assert made.network.populations[0].cell.tau_m == pytest.approx([-1.0 / np.log(0.9)] * 3)
    assert not any(note.startswith("reset:") for note in made.notes)
    for wrong in ({"reset": "zero"}, {"integration": "rk4"}, {"weight_bits": 12}, {"dt": 0.0}):
        with pytest.raises(sl.ParameterError):
            sl.from_nir(small(), **({"dt": 1.0} | wrong))
    refused(small(cells=lif(3, tau=5e-4)), "'cells' (LIF)", "tau of 0.0005 s", integration="euler")


def test_a_step_that_is_coarse_for_the_time_constants_is_said():
    assert any("integration='euler'" in note for note in sl.from_nir(small(), dt=2.0).notes)
    assert not any("integration='euler'" in note for note in sl.from_nir(small(), dt=0.5).notes)


def test_a_time_step_is_asked_for():
    with pytest.raises(sl.ParameterError) as error:
        sl.from_nir(small())
    one_line(error, "give dt=")


def test_delays_of_one_pair_of_populations_are_one_projection():
    delay = nir.Delay(np.array([0.0, 0.004]))
    graph = chain(
        input=nir.Input(np.array([2])),
        late=delay,
        w=nir.Linear(np.ones((3, 2))),
        cells=lif(3),
        later=nir.Delay(np.array([0.0, 0.002, 0.0])),
        back=nir.Linear(np.ones((1, 3))),
        last=lif(1),
    )
    network = sl.from_nir(graph, dt=1.0).network
    first, second = network.projections
    assert np.array_equal(first.delay, [[0.0] * 3, [4.0] * 3])
    assert np.array_equal(second.delay, [[1.0], [2.0], [1.0]])  # a neuron's least delay is a step


def test_two_ways_with_two_delays_are_two_projections():
    nodes = {
        "input": nir.Input(np.array([2])),
        "now": nir.Linear(np.ones((2, 2))),
        "late": nir.Delay(np.full(2, 0.003)),
        "then": nir.Linear(np.full((2, 2), 0.5)),
        "cells": lif(2),
    }
    edges = [("input", "now"), ("input", "late"), ("late", "then"), ("now", "cells"), ("then", "cells")]
    network = sl.from_nir(nir.NIRGraph(nodes, edges, type_check=False), dt=1.0).network
    assert sorted(0.0 if p.delay is None else float(p.delay.max()) for p in network.projections) == [0.0, 3.0]
    assert {p.label for p in network.projections} == {"now", "then"}


def test_parallel_ways_add_up():
    nodes = {
        "input": nir.Input(np.array([1])),
        "one": nir.Linear(np.array([[0.25]])),
        "two": nir.Affine(np.array([[0.5]]), np.array([0.01])),
        "cell": lif(1),
    }
    edges = [("input", "one"), ("input", "two"), ("one", "cell"), ("two", "cell")]
    network = sl.from_nir(nir.NIRGraph(nodes, edges, type_check=False), dt=1.0).network
    (projection,) = network.projections
    weights = projection.connector.synapses(1, 1, np.random.default_rng(0), False).weights
    assert weights == pytest.approx(750.0 * -np.expm1(-0.1))
    assert network.populations[0].cell.i_offset == pytest.approx([0.01])


def test_a_readout_never_fires_and_shows_its_potential():
    ones = np.ones(3)
    readout = nir.LI(tau=0.01 * ones, r=ones, v_leak=0.0 * ones)
    made = sl.from_nir(small(cells=readout), dt=1.0)
    with sl.connect("model", sl.compile(made.network)) as device:
        device.record("cells", "v")
        device.inject("input", np.ones((200, 2), dtype=bool))
        recording = device.run(200.0)
    assert recording.counts("cells").sum() == 0
    # All inputs in all steps: V goes to r times the sum of the weights.
    assert recording.values("cells", "v")[-1] == pytest.approx([1500.0, 500.0, 1000.0], rel=5e-3)
    assert any("record v" in note for note in made.notes)


WRONG = {
    "unknown": (small, {"cells": type("Strange", (nir.Scale,), {})(np.ones(3))}, ["'cells' (Strange)"]),
    "sizes": (small, {"cells": lif(4)}, ["'cells' (LIF)", "4 neurons", "3 values"]),
    "weights": (small, {"input": nir.Input(np.array([5]))}, ["'w' (Linear)", "takes 2 values", "has 5"]),
    "tau": (small, {"cells": lif(3, tau=0.0)}, ["'cells' (LIF)", "tau must be above 0"]),
    "r": (small, {"cells": lif(3, r=-1.0)}, ["'cells' (LIF)", "r must be above 0"]),
    "nan": (small, {"w": nir.Linear(np.full((3, 2), np.nan))}, ["'w' (Linear)", "finite"]),
    "reset": (small, {"cells": lif(3, v_reset=0.2)}, ["'cells' (LIF)", "v_reset must be below"]),
    "delay": (small, {"w": nir.Delay(np.array([-1.0, 0.0]))}, ["'w' (Delay)", "at least 0"]),
    "three dimensions": (small, {"w": nir.Linear(np.ones((2, 3, 2)))}, ["'w' (Linear)", "two dimensions"]),
    "scale": (small, {"w": nir.Scale(np.ones(5))}, ["'w' (Scale)", "5 values for a signal of 2"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_names_the_node_and_the_reason(name):
    make, changes, words = WRONG[name]
    refused(make(**changes), *words)


def test_graphs_that_are_no_networks_are_refused():
    one = nir.Linear(np.ones((1, 1)))
    ends = {"input": nir.Input(np.array([1])), "output": nir.Output(np.array([1]))}
    loop = [("input", "a"), ("a", "b"), ("b", "a"), ("b", "output")]
    refused(nir.NIRGraph({**ends, "a": one, "b": one}, loop, type_check=False), "a loop without neurons")
    refused(nir.NIRGraph({"cell": lif(1)}, [], type_check=False), "no Input")
    refused(nir.NIRGraph(dict(ends), [("input", "output")], type_check=False), "no neurons")
    refused(nir.NIRGraph({**ends, "cell": lif(1)}, [("input", "call")], type_check=False), "no node 'call'")
    refused(
        nir.NIRGraph({**ends, "cell": lif(1)}, [("input", "output")], type_check=False), "nothing leads to"
    )
    with pytest.raises(sl.ParameterError):
        sl.from_nir({"nodes": {}}, dt=1.0)


def test_a_damaged_file_is_one_line(tmp_path):
    path = tmp_path / "graph.nir"
    refused(path, "there is no such file")
    nir.write(path, recurrent())
    whole = path.read_bytes()
    rng = np.random.default_rng(3)
    outcomes = set()
    for k in range(60):
        damaged = bytearray(whole)
        if k % 3 == 0:
            del damaged[int(rng.integers(0, len(whole))) :]
        else:
            for place in rng.integers(0, len(whole), 8):
                damaged[place] ^= int(rng.integers(1, 256))
        path.write_bytes(damaged)
        try:
            sl.from_nir(path, dt=0.1)
            told = ""
        except sl.SynloomError as error:
            told = str(error)
        outcomes.add(told.count("\n") if told else "read")
    assert outcomes == {"read", 0}
    path.write_text("no HDF5 at all")
    refused(path, "no NIR file")


def test_a_missing_package_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "nir", None)
    for call in (lambda: sl.from_nir("graph.nir", dt=1.0), lambda: sl.to_nir(sl.Network())):
        with pytest.raises(sl.ParameterError) as error:
            call()
        one_line(error, "extra [nir]", "pip install")


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("n", {"index": "a"}, "node 'n' .*synloom_index must be a number, not 'a'"),
        ("n", {"index": None}, "node 'n' .*synloom_index must be a number, not None"),
        ("n", {"tau_refrac": "x"}, "node 'n' .*synloom_tau_refrac must be numbers, not 'x'"),
        ("n", {"tau_refrac": [1.0, 2.0, 3.0]}, "node 'n' .*synloom_tau_refrac must be a number or 2 numbers"),
        ("n", {"tau_refrac": -1.0}, "node 'n' .*tau_refrac must be"),
        ("n", {"v_init": np.ones((2, 2))}, "node 'n' .*synloom_v_init must be a number or 2"),
        ("n", {"v_range": "a"}, "node 'n' .*synloom_v_range must be numbers, not 'a'"),
        ("n", {"v_range": [1.0, 2.0]}, "node 'n' .*synloom_v_range must be one number"),
        ("n", {"v_rest": "a"}, "node 'n' .*synloom_v_rest must be numbers"),
        ("n", {"reset_mode": 3}, "node 'n' .*reset_mode must be one of"),
        ("w", {"projection": 3}, "node 'w' .*synloom_projection must be a label, not 3"),
        ("i", {"spike_times": [1.0]}, "node 'i' .*must be pairs"),
        ("i", {"spike_times": [[1, 9]]}, "node 'i' .*must be in 0..1, not 9"),
        ("i", {"spike_times": [[-1, 1]]}, "node 'i' .*at least 0"),
        ("i", {"generator": "pink"}, "node 'i' .*must be 'poisson' or 'regular', not 'pink'"),
        ("i", {"generator": "poisson", "rate": "a"}, "node 'i' .*synloom_rate must be numbers"),
    ],
)
def test_wrong_metadata_are_one_line_that_names_the_node(name, values, said):
    nodes = {
        "i": nir.Input(np.array([2])),
        "w": nir.Linear(np.eye(2)),
        "n": nir.IF(np.ones(2), np.ones(2)),
        "o": nir.Output(np.array([2])),
    }
    nodes[name].metadata = {f"synloom_{key}": value for key, value in values.items()}
    graph = nir.NIRGraph(nodes, [("i", "w"), ("w", "n"), ("n", "o")], type_check=False)
    with pytest.raises(sl.NetworkError, match=said) as error:
        sl.from_nir(graph, dt=1.0)
    assert str(error.value).isprintable()


def test_complex_weights_are_one_line_that_names_the_node():
    nodes = {
        "i": nir.Input(np.array([40])),
        "w": nir.Linear(np.ones((40, 40)) * 1j),
        "n": nir.IF(np.ones(40), np.ones(40)),
        "o": nir.Output(np.array([40])),
    }
    graph = nir.NIRGraph(nodes, [("i", "w"), ("w", "n"), ("n", "o")], type_check=False)
    with pytest.raises(sl.NetworkError, match=r"node 'w' .*weight must be numbers") as error:
        sl.from_nir(graph, dt=1.0)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 250
