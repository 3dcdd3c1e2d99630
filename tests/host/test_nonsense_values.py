"""Every argument of every call of a device, with values that nobody means: one clear error, or it works."""

import inspect
import warnings
from collections.abc import Hashable

import numpy as np
import pytest
from small_networks import delta_cell, dense

from synloom import (
    STDP,
    AllToAll,
    Device,
    InputPopulation,
    Network,
    PoissonInput,
    Population,
    Projection,
    RegularInput,
    SynloomError,
    SynloomWarning,
    TraceTarget,
    compile,
)
from synloom_sim.model_port import ModelPort

NAN, INF = float("nan"), float("inf")
MOST_LETTERS = 1000


def nested(depth):
    value = 1.0
    for _ in range(depth):
        value = [value]
    return value


class Strange:
    """An object that cannot be shown."""

    def __repr__(self):
        raise RuntimeError("no repr")


VALUES = {
    "10**400": 10**400,
    "-10**400": -(10**400),
    "10**5000": 10**5000,
    "2**64": 2**64,
    "1e308": 1e308,
    "-1e308": -1e308,
    "5e-324": 5e-324,
    "nan": NAN,
    "inf": INF,
    "-inf": -INF,
    "None": None,
    "True": True,
    "text": "text",
    "long text": "x" * 100_000,
    "bytes": b"\x00\xff",
    "complex": 1j,
    "object": object(),
    "strange": Strange(),
    "type": int,
    "empty list": [],
    "empty dict": {},
    "dict": {"a": 1.0},
    "set": {1.0},
    "array": np.ones((3, 4)),
    "array of 1e308": np.full(4, 1e308),
    "array of nan": np.full(4, NAN),
    "array of bool": np.zeros(4, dtype=bool),
    "array of objects": np.array([1.0, None, "x", 10**400], dtype=object),
    "array of text": np.array(["a", "b"]),
    "array of times": np.array(["2020-01-01"], dtype="datetime64[D]"),
    "records": np.zeros(4, dtype=[("a", "f8"), ("b", "i4")]),
    "0-d": np.array(1.0),
    "numpy nan": np.float32(NAN),
    "list of 10**400": [10**400] * 4,
    "list of 10**5000": [10**5000],
    "ragged": [[1.0], [1.0, 2.0]],
    "deep": nested(200),
    "long": [NAN] * 20_000,
    "iterator": iter([1.0]),
    "masked": np.ma.masked_array([1.0, 2.0], mask=[True, False]),
    "int8": np.zeros((4, 6), dtype=np.int8),
}


def network():
    made = Network(seed=1)
    source = made.add(InputPopulation(4, label="in"))
    noise = made.add(PoissonInput(4, rate=20.0, label="noise"))
    clock = made.add(RegularInput(4, rate=20.0, label="clock"))
    out = made.add(Population(6, delta_cell(theta_plus=0.1), label="out"))
    rule = STDP(A_plus=0.05, A_minus=0.02, w_max=20.0, reward=True)
    made.add(Projection(source, out, AllToAll(), weight=10.0, plasticity=rule, label="w"))
    target = TraceTarget(A=0.05, target=0.3, w_max=20.0, reward=True)
    made.add(Projection(noise, out, AllToAll(), weight=5.0, plasticity=target, label="t"))
    made.add(Projection(clock, out, AllToAll(), weight=1.0, label="c"))
    return made


IMAGE = compile(network())
OTHER = compile(dense())
DEVICE = Device(ModelPort(IMAGE.params))
DEVICE.load(IMAGE)
SNAPSHOT = DEVICE.snapshot()
WEIGHTS = DEVICE.read_weights("w")

RIGHT = {
    "close": [{}],
    "counters": [{}],
    "end_log": [{}],
    "forget": [{}],
    "inject": [{"population": "in", "spikes": [(1.0, 2)]}, {"population": "out", "spikes": [(1.0, 2)]}],
    "load": [{"image": IMAGE}],
    "logged": [{"path": "some.log"}],
    "present": [
        {
            "inputs": {"in": np.ones((2, 4), dtype=bool), "noise": 20.0},
            "duration": 3.0,
            "rest": 1.0,
            "bits": 8,
        }
    ],
    "read_state": [{"population": "out"}],
    "read_weights": [{"projection": "w", "raw": False}],
    "record": [{"population": "out", "variable": "v", "indices": [0], "every": 2.0}],
    "record_nothing": [{}],
    "reset": [{"what": "dynamics", "keep_theta": False}],
    "restore": [{"snapshot": SNAPSHOT}],
    "run": [
        {"duration": 3.0, "paced": False, "stimulus": [{"in": [(1.0, 2)]}]},
        {"duration": 4.0, "weights": {"w": 2.0}},
    ],
    "schedule": [
        {"time": 1.0, "learning": True, "adaptation": False, "reward": 1.0},
        {
            "time": 1.0,
            "rates": {"noise": 30.0},
            "offsets": {"out": 0.1},
            "neurons": {"out": {"v_thresh": -50.0}},
            "rules": {"w": {"A_plus": 0.04}},
        },
    ],
    "set_adaptation": [{"on": True}],
    "set_baud": [{"baud": 115_200}],
    "set_learning": [{"on": True}],
    "set_neurons": [
        {
            "population": "out",
            "v_thresh": -50.0,
            "v_reset": -65.0,
            "tau_refrac": 2.0,
            "theta_plus": 0.2,
            "tau_theta": 100.0,
        }
    ],
    "set_offset": [{"population": "out", "current": 0.1}],
    "set_rates": [{"population": "noise", "hz": 30.0, "bits": 12}, {"population": "clock", "hz": 30.0}],
    "set_reward": [{"reward": 1.0}],
    "set_rule": [
        {"projection": "w", "A_plus": 0.04, "A_minus": 0.01},
        {"projection": "t", "A": 0.04, "target": 0.2},
    ],
    "snapshot": [{"path": None}],
    "spike_counts": [{"population": "out", "clear": True}],
    "step": [{"inputs": {"in": [1, 2], "out": [1]}}],
    "write_weights": [{"projection": "w", "weights": WEIGHTS}],
}
"""For each call of a device arguments that are right."""

NESTED = {"inputs", "stimulus"}
"""Arguments that hold values for populations: these are replaced, too."""

PLANNED = {"rates": {}, "offsets": {}, "neurons": {"out": ["v_thresh"]}, "rules": {"w": ["A_plus"]}}
"""Arguments that hold values, or mappings of parameters, for labels: all of these are replaced, too."""


def public_calls():
    members = inspect.getmembers(Device, inspect.isfunction)
    return sorted(name for name, _ in members if not name.startswith("_"))


def variants(arguments):
    """Yield arguments with one of them replaced, and its name."""
    for name, right in arguments.items():
        for kind, value in VALUES.items():
            yield f"{name}={kind}", {**arguments, name: value}
            if name in NESTED:
                inside = dict.fromkeys(("in",), value)
                yield f"{name}: in={kind}", {**arguments, name: inside if name == "inputs" else [inside]}
                if name == "inputs":
                    yield f"{name}: noise={kind}", {**arguments, name: {"noise": value}}
            elif name in PLANNED:
                yield f"{name}: values={kind}", {**arguments, name: dict.fromkeys(right, value)}
                for label, inner in PLANNED[name].items():
                    inside = dict.fromkeys(inner, value)
                    yield f"{name}: {label}: inner={kind}", {**arguments, name: {label: inside}}
                if isinstance(value, Hashable):
                    yield f"{name}: label={kind}", {**arguments, name: {value: next(iter(right.values()))}}
            elif isinstance(right, float):
                yield f"{name}=array of {kind}", {**arguments, name: [value] * 6}


def called(name, arguments):
    """Call a device, and return it with the error."""
    device = Device(ModelPort(IMAGE.params))
    device.load(IMAGE)
    parameters = inspect.signature(getattr(Device, name)).parameters.values()
    alone = [p.name for p in parameters if p.kind is p.POSITIONAL_ONLY and p.name != "self"]
    named = {key: value for key, value in arguments.items() if key not in alone}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", SynloomWarning)
            getattr(device, name)(*(arguments[each] for each in alone), **named)
    except SynloomError as error:
        return device, error
    finally:
        if name == "logged":
            device.end_log()
    return device, None


def test_every_call_is_walked_from_arguments_that_are_right(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert public_calls() == sorted(RIGHT)
    for name, examples in RIGHT.items():
        named = set(inspect.signature(getattr(Device, name)).parameters) - {"self", "parameters"}
        assert named <= set().union(*examples), name
        for arguments in examples:
            _, error = called(name, arguments)
            assert error is None or name == "set_baud", error


@pytest.mark.parametrize("name", [name for name in RIGHT if any(RIGHT[name])])
def test_values_that_nobody_means_are_one_clear_error_or_work(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wrong = []
    for arguments in RIGHT[name]:
        for what, changed in variants(arguments):
            try:
                device, error = called(name, changed)
            except Exception as bare:
                wrong.append(f"{what}: {type(bare).__name__}: {bare!s:.100}")
                continue
            said = "" if error is None else str(error)
            if len(said) > MOST_LETTERS or not said.isprintable():
                wrong.append(f"{what}: {len(said)} letters: {said!r:.100}")
            if device._session.loaded and not device._turns.closed:
                device.run(1.0)
    assert not wrong, "\n" + "\n".join(wrong)
