"""Contents of an array as fields, and how they get into the model through its port."""

import numpy as np
from naive_array import NaiveArray

from synloom.contract.layout import (
    neuron_params_layout,
    neuron_state_layout,
    segment_layout,
    source_layout,
    target_layout,
)
from synloom.contract.params import ArrayParams
from synloom.contract.regions import (
    NEURON_PARAMS_STRIDE,
    NEURON_STATE_STRIDE,
    SEGMENT_STRIDE,
    Region,
    counter_offset,
    weight_offset,
)
from synloom.contract.registers import CONTROL_REGISTERS
from synloom_sim.model_port import ModelPort

SEGMENT = dict.fromkeys(segment_layout().fields, 0) | {"last": 1, "w_min": -7, "w_max": 7}


def write_records(port, region, stride, layout, records):
    """Write a list of field dictionaries; fields that the layout lacks are left out."""
    columns = {name: [record.get(name, 0) for record in records] for name in layout.fields}
    words = np.zeros((len(records), stride), dtype=np.uint16)
    words[:, : layout.words] = layout.pack(columns)
    port.write(region, 0, words.ravel())


def write_neurons(port, records):
    write_records(
        port, Region.NEURON_PARAMS, NEURON_PARAMS_STRIDE, neuron_params_layout(port.params), records
    )


def write_segments(port, records):
    records = [SEGMENT | record for record in records]
    write_records(port, Region.PROGRAM, SEGMENT_STRIDE, segment_layout(), records)


def write_sources(port, records):
    write_records(port, Region.SOURCE, 1, source_layout(), records)


def write_targets(port, records):
    write_records(port, Region.TARGET, 1, target_layout(), records)


def write_weights(port, weights):
    for i, row in enumerate(np.asarray(weights)):
        port.write(Region.WEIGHTS, weight_offset(i, 0), (row & 0xFF).astype(np.uint16))


def read_weights(port):
    p = port.params
    words = port.read(Region.WEIGHTS, 0, p.sources * p.neurons)
    return words.astype(np.uint8).view(np.int8).astype(int).reshape(p.sources, p.neurons)


def write_state(port, **fields):
    layout = neuron_state_layout(port.params)
    records = [{name: int(values[n]) for name, values in fields.items()} for n in range(port.params.neurons)]
    write_records(port, Region.NEURON_STATE, NEURON_STATE_STRIDE, layout, records)


def read_state(port):
    p = port.params
    words = port.read(Region.NEURON_STATE, 0, NEURON_STATE_STRIDE * p.neurons)
    fields = neuron_state_layout(p).unpack(words.reshape(p.neurons, NEURON_STATE_STRIDE))
    return {name: values.tolist() for name, values in fields.items()}


def set_register(port, name, value):
    register = CONTROL_REGISTERS[name]
    port.write(Region.CTRL, register.offset, [value >> 16 * k & 0xFFFF for k in range(register.words)])


def get_register(port, name):
    register = CONTROL_REGISTERS[name]
    words = port.read(Region.CTRL, register.offset, register.words)
    return sum(int(word) << 16 * k for k, word in enumerate(words))


def get_counter(port, name):
    words = port.read(Region.COUNTERS, counter_offset(name), 4)
    return sum(int(word) << 16 * k for k, word in enumerate(words))


def finish(port):
    """Take the record stream up to the end of the run."""
    words = []
    while port.model.running:
        words += port.records(1.0).tolist()
    return words + port.records(0.0).tolist()


def quiet_port(**sizes):
    """A port on a small array in which nothing happens: no connection, thresholds out of reach."""
    params = ArrayParams(**({"inputs": 16, "neurons": 8, "segments": 8} | sizes))
    port = ModelPort(params)
    write_neurons(port, [{"thr": params.state_max}] * params.neurons)
    write_segments(port, [{}])
    set_register(port, "sweep_count", params.neurons)
    return port


def random_pair(params, rng, busy=True):
    """Return a model's port and a naive array with the same random, legal contents."""
    port, naive = ModelPort(params), NaiveArray(params)
    n, s, top = params.neurons, params.sources, params.state_max

    def pick(low, high):
        return int(rng.integers(low, high + 1))

    def flag(p=0.5):
        return int(rng.random() < p)

    def coefficient():
        return int(rng.choice([0, 1, pick(2, 500), pick(500, 65534), 65535]))

    def segment(limit, plastic):
        lo, hi = sorted((pick(0, limit), pick(0, limit)))
        bounds = sorted(pick(-params.weight_max, params.weight_max) for _ in range(2))
        flags = {name: flag() for name in ("a_negative", "soft", "stochastic", "reward")} | {
            "exponent": int(rng.integers(4))
        }
        return SEGMENT | flags | {
            "lo": lo * flag(0.7), "hi": hi, "last": flag(0.6), "a": pick(0, int(rng.choice([300, 65535]))),
            "t0": pick(0, params.trace_max) * flag(0.3), "w_min": bounds[0], "w_max": bounds[1],
            "shift": pick(0, 7), "plastic": plastic,
        }  # fmt: skip

    rows = [segment(n, flag(0.7)) for _ in range(4)]
    columns = [segment(s, flag(0.8)) for _ in range(3)]
    decays = [{**segment(limit, 0), "a": coefficient(), "last": 1} for limit in (s, n)]
    rows[-1]["last"] = columns[-1]["last"] = 1
    naive.segments = rows + columns + decays

    naive.sources = [{"list": pick(0, 3), "connected": flag(0.8), "nearest": flag(0.3)} for _ in range(s)]
    naive.targets = [
        {
            "list": pick(4, 6),
            "delay": pick(0, params.delay_slots - 1),
            "learns": flag(0.8),
            "nearest": flag(0.3),
        }
        for _ in range(n)
    ]
    threshold = top // 20 if busy else top
    naive.neurons = [
        {
            "dm": coefficient(), "de": coefficient(), "di": coefficient(), "dth": coefficient(),
            "thr": pick(-threshold // 4, threshold), "reset": pick(-threshold, threshold // 2),
            "bias": pick(-threshold // 8, threshold // 2) * flag(), "th_step": pick(0, top // 4) * flag(0.3),
            "refractory": pick(0, 4) * flag(), "g_e": pick(0, 15), "g_i": pick(0, 15),
            **{f"exponent_{k}": int(rng.integers(4)) for k in ("m", "e", "i", "th")}, "subtract": flag(),
        }
        for _ in range(n)
    ]  # fmt: skip
    if not params.adaptation:
        for record in naive.neurons:
            record |= {"dth": 0, "th_step": 0, "exponent_th": 0}
    naive.w = rng.integers(-params.weight_max, params.weight_max + 1, (s, n)).tolist()
    for i, j in zip(*np.nonzero(rng.random((s, n)) < 0.2), strict=True):
        naive.w[i][j] = params.weight_absent
    naive.v = rng.integers(-top, top + 1, n).tolist()
    naive.ie, naive.ii = (rng.integers(0, top + 1, (2, n)) // 4).tolist()
    naive.theta = (rng.integers(0, top + 1, n) // 8 * params.adaptation).tolist()
    naive.refr = [pick(0, 3) * flag(0.3) for _ in range(n)]
    naive.x = rng.integers(0, params.trace_max + 1, s).tolist()
    naive.y = rng.integers(0, params.trace_max + 1, n).tolist()
    naive.rates = [pick(0, 0x7FFF) * flag() | flag() << 15 for _ in range(16 * params.input_words)]
    naive.count = [65534 * flag(0.2) * params.spike_counters for _ in range(n)]

    values = {
        "now": pick(0, 100), "learn_rng": pick(1, 0xFFFFFFFF), "gen_rng": pick(1, 0xFFFFFFFF),
        "sweep_count": n, "gen_words": pick(0, params.input_words), "x_list": flag(0.8) << 15 | 7,
        "y_list": flag(0.8) << 15 | 8, "one_x": pick(0, params.trace_max),
        "one_y": pick(0, params.trace_max), "mode": pick(0, 7), "reward": pick(-600, 600),
    }  # fmt: skip
    for name, value in values.items():
        setattr(naive.reg, name, value)
        set_register(port, name, value)
    write_segments(port, naive.segments)
    write_sources(port, naive.sources)
    write_targets(port, naive.targets)
    write_neurons(port, naive.neurons)
    write_weights(port, naive.w)
    write_state(port, v=naive.v, ie=naive.ie, ii=naive.ii, refr=naive.refr, **theta_of(params, naive))
    port.write(Region.X_TRACE, 0, naive.x)
    port.write(Region.Y_TRACE, 0, naive.y)
    port.write(Region.GEN_RATE, 0, naive.rates)
    port.write(Region.SPIKE_COUNTS, 0, naive.count)
    return port, naive


def theta_of(params, naive):
    return {"theta": naive.theta} if params.adaptation else {}
