import pytest
from array_setups import get_counter, get_register, set_register, write_neurons, write_probes, write_sources
from core_port import CorePort

from places import wheel_offset
from synloom.contract import ArrayParams
from synloom.contract.frames import ControlAction, RunFlag
from synloom.contract.records import (
    END_WORD,
    EVENT_ADVANCE,
    EndReason,
    RecordKind,
    SettingKind,
    setting,
)
from synloom.contract.regions import Region
from synloom.contract.registers import COUNTERS, Mode
from synloom.selftest.comparison import agreement, play
from synloom.selftest.random_array import random_array
from synloom_hdl.core.counters import ROUND_CLOCKS, apart, most
from synloom_sim.model_port import ModelPort

SMALL = ArrayParams(
    inputs=5, neurons=3, lanes=4, neuron_lanes=2, state_bits=12, delay_slots=4, segments=12, probes=2
)
EVERY = SMALL.replace(axons=6, dendritic_delays=True)
PLAIN = SMALL.replace(
    lanes=1,
    neuron_lanes=1,
    weight_bits=4,
    accumulator_bits=10,
    plasticity=False,
    soft_bounds=False,
    stochastic_rounding=False,
    reward=False,
    adaptation=False,
    generators=False,
    spike_counters=False,
    teaching=False,
)


@pytest.mark.parametrize(
    ("params", "seeds"), [(EVERY, (0, 3)), (PLAIN, (2,))], ids=["every feature", "no feature"]
)
def test_generated_arrays_give_the_models_bits_at_the_cores_own_ports(params, seeds):
    core, model = CorePort(params, pause=0.2), ModelPort(params)
    for seed in seeds:
        array = random_array(params, seed, steps=8)
        assert agreement(array, play(model, array), play(core, array)).differing == {}


@pytest.mark.parametrize(
    "params",
    [
        SMALL.replace(lanes=2, neuron_lanes=1, single_port=True, serial_neurons=True, clock_hz=20_000_000),
        SMALL,
    ],
    ids=["one port", "two ports"],
)
def test_no_round_of_the_counters_has_more_events_than_they_have_bits_for(params):
    core = CorePort(params)
    seen = {name: [] for name in COUNTERS}

    async def watch(ctx):
        ports = [getattr(core.core.blocks.counters, name) for name in COUNTERS]
        clock = 0
        while True:
            numbers = await ctx.tick().sample(*ports)
            clock += 1
            for name, number in zip(COUNTERS, numbers[-len(ports) :], strict=True):
                if number:
                    assert number <= most(params, name), name
                    seen[name].append((clock, number))

    core.sim.add_testbench(watch, background=True)
    play(core, random_array(params, 3, steps=8))
    for name, events in seen.items():
        highest = most(params, name) * -(-ROUND_CLOCKS // apart(params, name))
        for k, (clock, _) in enumerate(events):
            window = (number for at, number in events[k : k + ROUND_CLOCKS] if at < clock + ROUND_CLOCKS)
            assert sum(window) <= highest, name
    assert all(seen[name] for name in ("steps", "row_passes", "column_passes", "chunks", "spikes"))


def quiet(port):
    """Let nothing fire: thresholds out of reach."""
    write_neurons(port, [{"thr": port.params.state_max}] * port.params.neurons)
    set_register(port, "sweep_count", port.params.neurons)
    return port


def test_ids_that_no_source_has_never_spike():
    params = SMALL.replace(inputs=18, neurons=17)
    traces = []
    for port in (quiet(CorePort(params)), quiet(ModelPort(params))):
        set_register(port, "one_x", 7)
        for word in range(params.source_words):
            port.write(Region.WHEEL, wheel_offset(0, word), [0xFFFF])
        port.run(1)
        assert port.records(1.0).tolist() == [END_WORD, 1, 0, EndReason.DONE]
        traces.append(port.read(Region.X_TRACE, 0, params.sources).tolist())
    ids = [*range(18), *range(32, 49)]
    assert traces == [[7 * (i in ids) for i in range(params.sources)]] * 2


def test_the_host_reads_and_writes_while_a_run_goes_on():
    port = quiet(CorePort(SMALL))
    port.run(1 << 20)
    first = get_register(port, "now")
    assert get_register(port, "status") == 1
    port.wait(100)
    port.write(Region.X_TRACE, 2, [0x1234])
    assert port.read(Region.X_TRACE, 2, 1).tolist() == [0x1234]
    assert first < get_register(port, "now") < 1000
    port.control(ControlAction.PAUSE)
    assert port.records()[-1] == EndReason.PAUSED
    assert port.running() == (1, 1)
    assert get_register(port, "status") == 3
    now = get_register(port, "now")
    port.control(ControlAction.ABORT)
    assert port.records().tolist() == [END_WORD, now, 0, EndReason.ABORTED]
    assert port.running() == (0, 0)
    assert get_counter(port, "steps") == now


def test_gated_steps_wait_for_the_events_that_they_are_told_of():
    port = quiet(CorePort(SMALL))
    write_sources(port, [{}] * SMALL.sources)
    set_register(port, "one_x", 1)
    port.run(3, RunFlag.GATED)
    assert len(port.records()) == 0
    assert get_register(port, "now") == 0
    assert port.events([4, EVENT_ADVANCE | 1, 4, EVENT_ADVANCE | 1])
    assert len(port.records()) == 0
    assert get_register(port, "now") == 2
    assert port.events([4, 4, EVENT_ADVANCE | 1, SMALL.inputs])
    assert port.records().tolist() == [END_WORD, 3, 0, EndReason.DONE]
    assert port.read(Region.X_TRACE, 4, 1).tolist() == [3]
    names = ("events_merged", "events_invalid", "events_late")
    assert [get_counter(port, name) for name in names] == [1, 1, 0]
    assert get_counter(port, "stall_clocks") > 100


def test_a_step_waits_for_room_for_all_that_it_may_record():
    port = quiet(CorePort(SMALL))
    port.full = True
    port.run(2)
    port.wait(50)
    assert get_register(port, "now") == 0
    assert get_counter(port, "stall_clocks") > 0
    port.full = False
    assert port.records().tolist() == [END_WORD, 2, 0, EndReason.DONE]


def test_low_latency_runs_flush_after_every_step():
    port = quiet(CorePort(SMALL))
    for flags, flushes in ((RunFlag(0), 1), (RunFlag.FLUSH, 6)):
        port.flushes = 0
        port.run(5, flags)
        port.records()
        assert port.flushes == flushes


def test_probes_come_every_so_many_steps_and_after_the_spikes():
    results = []
    for port in (CorePort(SMALL), ModelPort(SMALL)):
        write_neurons(port, [{"thr": 3, "bias": 1}, {"thr": 1, "bias": 1}, {"thr": SMALL.state_max}])
        set_register(port, "sweep_count", 3)
        set_register(port, "mode", 1 << Mode.RASTER)
        write_probes(port, [{"region": Region.CTRL, "wide": 1}, {"region": Region.NEURON_STATE}])
        for name, value in (("probe_count", 9), ("probe_every", 3), ("probe_wait", 1)):
            set_register(port, name, value)
        port.run(9)
        results.append((port.records(1.0).tolist(), get_register(port, "probe_wait")))
    assert results[0] == results[1]
    assert len(results[0][0]) > 30


def test_neurons_that_are_not_swept_do_not_fire_again():
    port = CorePort(SMALL.replace(neurons=20, lanes=4, neuron_lanes=4))
    write_neurons(port, [{"thr": 0}] * 20)
    set_register(port, "mode", 1 << Mode.RASTER)
    for swept, bitmap in ((20, [0xFFFF, 0xF]), (2, [3, 0]), (17, [0xFFFF, 1])):
        set_register(port, "sweep_count", swept)
        port.run(1)
        assert port.records()[:3].tolist() == [RecordKind.BITMAP << 14 | 2, *bitmap]


def lessons(port):
    """An array in which nothing fires by itself, and whose neurons are refractory for two steps."""
    write_neurons(port, [{"thr": port.params.state_max, "refractory": 2}] * port.params.neurons)
    set_register(port, "sweep_count", 2)
    set_register(port, "mode", 1 << Mode.RASTER)
    return port


@pytest.mark.parametrize("serial", [False, True])
def test_events_fire_neurons_and_change_settings_in_their_step(serial):
    params = SMALL.replace(serial_neurons=serial, neuron_lanes=1)
    first = params.first_neuron_source
    mode, low, high = (
        setting(kind, value)
        for kind, value in (
            (SettingKind.MODE, 0x33),
            (SettingKind.REWARD_LOW, 0x34),
            (SettingKind.REWARD_HIGH, 0xFE),
        )
    )
    words = [first, first, first + 2, EVENT_ADVANCE | 1, first, mode, first + 1, EVENT_ADVANCE | 1]
    words += [low, high, 0x7000, EVENT_ADVANCE | 1]
    got = []
    for port in (lessons(CorePort(params)), lessons(ModelPort(params))):
        assert port.events(words) is not False
        port.run(4, RunFlag.GATED)
        port.events([EVENT_ADVANCE | 1])
        records = []
        while END_WORD not in records:
            records += port.records(1.0).tolist()
        names = ("events_merged", "events_invalid")
        counts = [get_counter(port, name) for name in names]
        got.append((records, get_register(port, "mode"), get_register(port, "reward"), counts))
    assert got[0] == got[1]
    # Neuron 0 fires although it is refractory; neuron 2 is not in use.
    assert got[0][1:] == (7, 0xFE34, [1, 2])
    bitmap, next_step = RecordKind.BITMAP << 14 | 1, RecordKind.TIME << 14 | 1
    assert got[0][0] == [bitmap, 1, next_step, bitmap, 3, END_WORD, 4, 0, EndReason.DONE]


def test_an_abort_within_a_gated_step_leaves_the_step_to_the_next_run():
    port = lessons(CorePort(SMALL))
    first = SMALL.first_neuron_source
    port.events([first])
    port.run(3, RunFlag.GATED)
    port.wait(100)
    # The step has begun, and waits for the rest of its events; the host may look in.
    assert get_register(port, "now") == 0
    assert get_register(port, "status") == 1
    port.control(ControlAction.ABORT)
    assert port.records().tolist() == [END_WORD, 0, 0, EndReason.ABORTED]
    set_register(port, "now", 0)
    port.run(1)
    # The neuron was forgotten with the events.
    assert port.records().tolist() == [END_WORD, 1, 0, EndReason.DONE]


def test_an_access_while_a_step_waits_for_its_events_costs_no_spike():
    port = quiet(CorePort(SMALL))
    write_sources(port, [{}] * SMALL.sources)
    set_register(port, "one_x", 1)
    events = [SMALL.first_neuron_source, EVENT_ADVANCE | 1, 4, EVENT_ADVANCE | 1]
    for clocks in range(16):
        set_register(port, "now", 0)
        port.fill(Region.X_TRACE, 0, 5, 0)
        port.write(Region.WHEEL, wheel_offset(0, 0), [1 << 2])
        port.events(events)
        port.run(2, RunFlag.GATED)
        port.wait(clocks)
        get_register(port, "status")
        assert port.records().tolist() == [END_WORD, 2, 0, EndReason.DONE]
        assert port.read(Region.X_TRACE, 0, 5).tolist() == [0, 0, 1, 0, 1]
