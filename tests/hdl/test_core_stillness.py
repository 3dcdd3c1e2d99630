"""Steps with nothing to do: they are quick, and whatever ends the quiet is seen by the next step."""

from random import Random

import numpy as np
import pytest
from array_setups import (
    get_counter,
    get_register,
    set_register,
    write_neurons,
    write_segments,
    write_sources,
    write_state,
    write_targets,
    write_weights,
)
from core_port import CorePort

from places import record_offset, wheel_offset
from synloom.contract import ArrayParams
from synloom.contract.memory_map import memory_of
from synloom.contract.records import END_WORD, EVENT_ADVANCE, SettingKind, setting
from synloom.contract.regions import Region
from synloom.contract.registers import LIST_VALID, Mode
from synloom.contract.step_bound import step_bound
from synloom.device.counters import read_counters
from synloom_sim.model_port import ModelPort

SMALL = ArrayParams(
    inputs=18, neurons=7, lanes=4, neuron_lanes=2, state_bits=14, trace_bits=10, delay_slots=4, segments=8
)
STRUCTURES = {
    "parallel": SMALL.replace(dendritic_delays=True),
    "serial": SMALL.replace(serial_neurons=True, neuron_lanes=1, axons=3),
    "serial with 16 bits": SMALL.replace(serial_neurons=True, neuron_lanes=1, state_bits=18),
    "few features": SMALL.replace(
        adaptation=False, teaching=False, generators=False, stochastic_rounding=False
    ),
}
NEURON = {
    "thr": 200, "reset": 0, "refractory": 2, "th_step": 9,
    "dm": 0x8000, "de": 0xFFFF, "di": 0xC000, "dth": 0xA000, "g_e": 1, "g_i": 1,
}  # fmt: skip
STATE = (Region.NEURON_STATE, Region.X_TRACE, Region.Y_TRACE)
LEFT = (Region.WEIGHTS, Region.WHEEL, Region.SPIKE_COUNTS)
CLOCKS = ("busy_clocks", "stall_clocks")


def fill(port):
    """A plastic all-to-all network, in which all that spikes has died out after some ten steps."""
    params = port.params
    n, s = params.neurons, params.sources
    rng = np.random.default_rng(5)
    write_weights(port, rng.integers(-30, 120, (s, n)))
    write_neurons(port, [NEURON] * n)
    rule = {"plastic": 1, "stochastic": int(params.stochastic_rounding), "a": 300, "w_min": -90, "w_max": 90}
    write_segments(
        port,
        [rule | {"hi": n, "a_negative": 1}, rule | {"hi": s}, {"hi": s, "a": 0x9000}, {"hi": n, "a": 0xB000}],
    )
    write_sources(port, [{"list": 0, "connected": i % 3 != 1, "nearest": i % 2} for i in range(s)])
    write_targets(port, [{"list": 1, "learns": 1, "delay": j % 4, "back": j % 3} for j in range(n)])
    for name, value in {
        "sweep_count": n,
        "gen_words": 2 if params.generators else 0,
        "gen_rng": 0x0123456789ABCDEF,
        "learn_rng": 0xFEDCBA9876543210,
        "x_list": LIST_VALID | 2,
        "y_list": LIST_VALID | 3,
        "one_x": 90,
        "one_y": 70,
        "mode": 1 << Mode.LEARN | 1 << Mode.RASTER | 1 << Mode.ADAPT,
    }.items():
        set_register(port, name, value)


def run(port, steps):
    port.run(steps)
    words = []
    while END_WORD not in words:
        words += port.records(1.0).tolist()
    return words


def states(port):
    """State and traces, in which nothing that was missed is hidden for long."""
    return {region: port.read(*memory_of(port.params, region).span()).tolist() for region in STATE}


def leftovers(port):
    """All else that steps change, but for the clocks that they took."""
    regions = [*LEFT, *([Region.GEN_PHASE] if port.params.generators else [])]
    found = {region: port.read(*memory_of(port.params, region).span()).tolist() for region in regions}
    found |= {name: get_register(port, name) for name in ("now", "gen_rng", "learn_rng", "reward", "mode")}
    return found | {name: count for name, count in read_counters(port).items() if name not in CLOCKS}


def write_one(port, region, offset, value):
    port.write(region, offset, [value])


def toggle(port, name, value, fixed):
    """Change a register for three steps."""
    set_register(port, name, value)
    words = run(port, 3)
    set_register(port, name, fixed)
    return words


def neuron_for_a_step(port, field, value):
    """Change a parameter of the last neuron in use for a step."""
    count = port.params.neurons
    write_neurons(port, [NEURON] * (count - 1) + [NEURON | {field: value}])
    words = run(port, 1)
    write_neurons(port, [NEURON] * count)
    return words


def listen_now(port, words):
    """Send events, as far as the array knows them, for the next step but one."""
    now = [EVENT_ADVANCE | 1]
    assert port.events(now + words) is not False
    return []


DISTURBANCES = {
    "a spike of an input": lambda port, rng: listen_now(port, [rng.randrange(18)]),
    "spikes long after": lambda port, rng: listen_now(port, [3, EVENT_ADVANCE | 6, rng.randrange(18)]),
    "a forced neuron": lambda port, rng: listen_now(
        port, [port.params.first_neuron_source + rng.randrange(7)]
    ),
    "a mode": lambda port, rng: listen_now(port, [setting(SettingKind.MODE, 0x30 | rng.randrange(4))]),
    "a reward": lambda port, rng: listen_now(port, [setting(SettingKind.REWARD_LOW, rng.randrange(256))]),
    "a bit of the wheel": lambda port, rng: write_one(
        port, Region.WHEEL, wheel_offset((get_register(port, "now") + 2) % 4, 0), 1 << rng.randrange(16)
    ),
    "state": lambda port, rng: write_one(
        port, Region.NEURON_STATE, record_offset(Region.NEURON_STATE, rng.randrange(7)), rng.randrange(150)
    ),
    "all state": lambda port, rng: write_state(
        port, v=[rng.randrange(-90, 90)] * 7, refr=[rng.randrange(3)] * 7
    ),
    "a trace": lambda port, rng: write_one(
        port, rng.choice([Region.X_TRACE, Region.Y_TRACE]), rng.randrange(7), rng.randrange(1, 1000)
    ),
    "a bias": lambda port, rng: neuron_for_a_step(port, "bias", rng.choice([-50, 1, 300])),
    "a threshold": lambda port, rng: neuron_for_a_step(port, "thr", rng.choice([-1, 0, 1])),
    "fewer neurons": lambda port, rng: toggle(port, "sweep_count", rng.randrange(7), 7),
    "no decay of sources": lambda port, rng: toggle(port, "x_list", 0, LIST_VALID | 2),
    "another step": lambda port, rng: set_register(port, "now", rng.getrandbits(20)),
    "a count": lambda port, rng: write_one(port, Region.SPIKE_COUNTS, rng.randrange(7), 0),
    "a rate": lambda port, rng: (
        write_one(port, Region.GEN_RATE, rng.randrange(18), rng.choice([0x7FFF, 0x6800, 0xF400, 0xF000])),
        run(port, 2),
        port.fill(Region.GEN_RATE, 0, 18, 0),
    )[1],
    "a random state": lambda port, rng: set_register(port, "gen_rng", rng.getrandbits(64) | 1),
    "fewer generators": lambda port, rng: toggle(port, "gen_words", rng.randrange(2), 2),
}
NEEDS = {
    "a forced neuron": "teaching",
    "a mode": "teaching",
    "a reward": "teaching",
    "a rate": "generators",
    "a random state": "generators",
    "fewer generators": "generators",
}


def disturbances(params):
    return [name for name in DISTURBANCES if getattr(params, NEEDS.get(name, "inputs"))]


@pytest.mark.parametrize("structure", STRUCTURES)
def test_whatever_ends_the_quiet_is_seen_by_the_next_step(structure):
    params = STRUCTURES[structure]
    core, model = CorePort(params, pause=0.1), ModelPort(params)
    for port in (core, model):
        fill(port)
    choice = Random(structure)
    names = disturbances(params)
    spikes = 0
    # Each at least once after a long silence, and then at random.
    for k, name in enumerate([*names, *choice.choices(names, k=6)]):
        seed = choice.random()
        steps = choice.choice([1, 2, 3, 9]) if k >= len(names) else 22
        records, expected = (
            [DISTURBANCES[name](port, Random(seed)), run(port, steps)] for port in (core, model)
        )
        assert records == expected, name
        assert states(core) == states(model), name
        spikes += len(records[1]) > 4
    assert spikes > 1
    for port in (core, model):
        run(port, 60)
    assert not any(any(words) for words in states(core).values())
    assert leftovers(core) == leftovers(model)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_a_step_with_nothing_to_do_takes_its_bound(structure):
    # The bound knows no scan for late columns.
    params = STRUCTURES[structure].replace(dendritic_delays=False)
    port = CorePort(params)
    fill(port)
    run(port, 3)
    before = get_counter(port, "busy_clocks")
    run(port, 10)
    assert get_counter(port, "busy_clocks") - before == 10 * step_bound(params, 0, 0, learning=True).clocks
