"""Contents of an array as fields, and how they get into the model through its port."""

import numpy as np
from naive_array import NaiveArray

from places import fields_of
from synloom.contract.memory_map import memory_of
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.device.counters import read_counters
from synloom.device.loader import read_register, write_register
from synloom.selftest.random_array import random_array
from synloom_sim.model_port import ModelPort

SEGMENT = dict.fromkeys(fields_of(Region.PROGRAM).fields, 0) | {"last": 1, "w_min": -7, "w_max": 7}


def write_records(port, region, records):
    """Write a list of field dictionaries; fields that the layout lacks are left out."""
    memory = memory_of(port.params, region)
    fields = memory.layout.fields.values()
    port.write(*memory.write({f.name: [record.get(f.name, f.default) for record in records] for f in fields}))


def write_neurons(port, records):
    write_records(port, Region.NEURON_PARAMS, records)


def write_segments(port, records):
    write_records(port, Region.PROGRAM, [SEGMENT | record for record in records])


def write_sources(port, records):
    write_records(port, Region.SOURCE, records)


def write_targets(port, records):
    write_records(port, Region.TARGET, records)


def write_probes(port, records):
    write_records(port, Region.PROBES, records)


def write_weights(port, weights):
    port.write(*memory_of(port.params, Region.WEIGHTS).write({"weight": np.ravel(weights)}))


def read_weights(port):
    memory = memory_of(port.params, Region.WEIGHTS)
    return memory.unpack(port.read(*memory.span()))["weight"].reshape(memory.shape)


def write_state(port, **fields):
    port.write(*memory_of(port.params, Region.NEURON_STATE).write(fields))


def read_state(port):
    memory = memory_of(port.params, Region.NEURON_STATE)
    return {name: values.tolist() for name, values in memory.unpack(port.read(*memory.span())).items()}


set_register, get_register = write_register, read_register


def get_counter(port, name):
    return read_counters(port)[name]


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


def random_pair(params, seed):
    """Return a model's port and a naive array with the same random, legal contents."""
    port, naive, array = ModelPort(params), NaiveArray(params), random_array(params, seed)
    for write in array.writes():
        port.write(*write)
    naive.load(array)
    return port, naive
