"""The self-test passes on every target that is well, and finds and names every fault that is put in."""

import pytest
from faulty_port import DeadMemory, OtherParameter, SharedCell, SlowLearner, StuckBit, WrongSpike

from places import record_offset, weight_offset, wheel_offset
from synloom import LIF, ArrayParams, Device, DeviceError, Network, Population, compile
from synloom.base.errors import ParameterError, TargetError
from synloom.contract.regions import Region
from synloom.contract.registers import control
from synloom.selftest import Outcome, run_selftest
from synloom.selftest.comparison import agreement, play
from synloom.selftest.memories import clear, memories
from synloom.selftest.random_network import random_network
from synloom_sim.model_port import ModelPort

# The array of test_targets.py, so that its boards are built once.
PARAMS = ArrayParams(
    inputs=20, neurons=24, lanes=4, segments=32, record_words=512, event_words=64, baud=12_000_000
)
LEAST = {
    "weight_bits": 4,
    "state_bits": 12,
    "trace_bits": 8,
    "accumulator_bits": 10,
    "delay_slots": 2,
    "segments": 2,
    "probes": 1,
    "record_words": 256,
    "event_words": 16,
    "counter_bits": 16,
    "plasticity": False,
    "soft_bounds": False,
    "stochastic_rounding": False,
    "reward": False,
    "adaptation": False,
    "generators": False,
    "spike_counters": False,
}
ARRAYS = {
    "default": ArrayParams(),
    "one neuron": ArrayParams(inputs=1, neurons=1, lanes=1, neuron_lanes=1),
    "least": ArrayParams(inputs=1, neurons=1, lanes=1, neuron_lanes=1, **LEAST),
    "no features": ArrayParams(inputs=17, neurons=20, **LEAST),
    "learning only": ArrayParams(inputs=17, neurons=20, **{**LEAST, "plasticity": True}),
    "board": ArrayParams(inputs=64, neurons=128, lanes=8, state_bits=16, weight_bits=4, reward=False),
}


def failing(report):
    return {check.name for check in report.checks if check.outcome is not Outcome.PASS}


def test_the_simulated_board_passes():
    report = run_selftest("sim", PARAMS)
    assert report.passed, report.faults
    assert (report.rates, report.baud, report.best_baud) == ((), None, None)
    assert "the line has no rate" in report.checks[0].summary
    assert "all equal to the model's" in str(report)


def test_the_simulated_board_with_pins_passes_at_every_rate():
    report = run_selftest("sim-pins", PARAMS.replace(clock_hz=4_000_000, baud=500_000), quick=True)
    assert report.passed, report.faults
    assert [rate.baud for rate in report.rates] == [115_200, 500_000, 1_000_000]
    assert all(rate.is_clean for rate in report.rates)
    assert (report.baud, report.best_baud) == (500_000, 1_000_000)
    speeds = [rate.throughput for rate in report.rates]
    assert speeds == sorted(speeds)
    assert 0.4 < speeds[-1] / 1e5 < 1.0


@pytest.mark.parametrize("params", ARRAYS.values(), ids=ARRAYS)
def test_any_model_passes(params):
    report = run_selftest("model", params)
    assert report.passed, report.faults


@pytest.mark.parametrize("params", ARRAYS.values(), ids=ARRAYS)
def test_the_random_network_fires_and_learns(params):
    network = random_network(params, 1, 256)
    played = play(ModelPort(params), network)
    rate = len(played.spikes) / 256 / params.neurons
    assert 0.01 < rate < 0.5
    assert bool(agreement(network, played, played).learned) == params.plasticity


def test_the_array_is_left_empty():
    port = ModelPort(PARAMS)
    assert run_selftest(port).passed
    fresh = ModelPort(PARAMS)
    clear(fresh)
    for memory in memories(PARAMS):
        found = [memory.read_all(p).tolist() for p in (port, fresh)]
        assert found[0] == found[1], memory.region
        if memory.region is Region.WEIGHTS:
            assert set(found[0]) == {0x80}


def test_a_device_must_be_loaded_again():
    network = Network()
    network.add(Population(3, LIF(), label="p"))
    port = ModelPort(PARAMS)
    with Device(port) as device:
        device.load(compile(network, PARAMS))
        assert run_selftest(device, quick=True).passed
        with pytest.raises(DeviceError, match="no image is loaded"):
            device.run(1.0)
        device.load(compile(network, PARAMS))
        device.run(1.0)


# ---- faults ------------------------------------------------------------------------------------


@pytest.mark.parametrize("quick", [False, True], ids=["whole", "quick"])
@pytest.mark.parametrize("value", [0, 1])
def test_a_stuck_bit_of_a_weight_is_named(value, quick):
    report = run_selftest(
        StuckBit(ModelPort(PARAMS), Region.WEIGHTS, weight_offset(3, 5), 2, value), quick=quick
    )
    assert "memory" in failing(report)
    assert report.faults[0] == f"the weight of input 3 to neuron 5: bit 2 stuck at {value}"


@pytest.mark.parametrize(
    ("region", "record", "bit", "name"),
    [
        (Region.NEURON_PARAMS, (7, "de"), 15, "word 1 (de) of NEURON_PARAMS of neuron 7"),
        (Region.NEURON_STATE, (2, "refr"), 0, "word 1 (v, refr) of NEURON_STATE of neuron 2"),
        (Region.X_TRACE, (PARAMS.first_neuron_source + 4,), 9, "the source trace of neuron 4"),
        (Region.PROGRAM, (31, "lo"), 3, "word 0 (lo) of segment 31"),
        (Region.GEN_PHASE, (19,), 12, "the phase of input 19"),
        (Region.PROBES, (1, "offset"), 1, "word 1 (offset) of probe 1"),
        (Region.CTRL, (control("learn_rng").offset + 1,), 8, "register learn_rng"),
    ],
)
def test_a_stuck_bit_of_any_record_is_named(region, record, bit, name):
    report = run_selftest(StuckBit(ModelPort(PARAMS), region, record_offset(region, *record), bit, 1))
    assert f"{name}: bit {bit} stuck at 1" in report.faults


def test_a_stuck_bit_of_the_wheel_is_named():
    report = run_selftest(StuckBit(ModelPort(PARAMS), Region.WHEEL, wheel_offset(15, 3), 15, 1))
    assert "word 3 of slot 15 of the delay wheel: bit 15 stuck at 1" in report.faults


@pytest.mark.parametrize("quick", [False, True], ids=["whole", "quick"])
@pytest.mark.parametrize(("a", "b"), [((3, 5), (3, 6)), ((50, 23), (2, 0))])
def test_addresses_that_share_a_cell_are_named(a, b, quick):
    port = SharedCell(ModelPort(PARAMS), Region.WEIGHTS, weight_offset(*a), weight_offset(*b))
    report = run_selftest(port, quick=quick)
    assert "memory" in failing(report)
    sources = {2: "input 2", 3: "input 3", 50: "neuron 18"}
    names = [f"the weight of {sources[i]} to neuron {j}" for i, j in (a, b)]
    assert any(all(name in fault for name in names) and "share a cell" in fault for fault in report.faults)


def test_a_dead_memory_is_named():
    report = run_selftest(DeadMemory(ModelPort(PARAMS), Region.Y_TRACE))
    assert "24 of 24 elements of Y_TRACE are wrong" in "\n".join(report.faults)


def test_a_wrong_spike_is_named():
    expected = play(ModelPort(PARAMS), random_network(PARAMS, 1, 256)).spikes
    port = WrongSpike(ModelPort(PARAMS), 20)
    report = run_selftest(port)
    assert failing(report) == {"network"}
    fault = report.faults[0]
    assert fault.endswith("a spike was expected, none came")
    step, neuron = (int(word.strip(",:")) for word in fault.split() if word.strip(",:").isdigit())
    assert [step, neuron] in expected.tolist()
    assert f"the potential of neuron {neuron} does not differ when it is probed" in report.faults[1]


def test_a_wrong_weight_is_named():
    report = run_selftest(SlowLearner(ModelPort(PARAMS), weight_offset(7, 9)))
    assert failing(report) == {"network"}
    assert "1 of 1,536 words of WEIGHTS differ; first the weight of input 7 to neuron 9" in report.faults[-1]


def test_a_wrong_parameter_is_found_in_the_step_that_shows_it():
    port = OtherParameter(ModelPort(PARAMS), record_offset(Region.NEURON_PARAMS, 4))
    report = run_selftest(port, quick=True)
    assert failing(report) >= {"network"}
    assert "memory" not in failing(report)
    shown = next(fault for fault in report.faults if "the potential of neuron 4 is" in fault)
    assert shown.startswith("step ")
    assert "expected" in shown


@pytest.mark.parametrize("options", [{"quick": 1}, {"seed": -1}, {"baud": 9600}, {"keep_rate": "yes"}])
def test_wrong_arguments_are_named(options):
    with pytest.raises(ParameterError, match=next(iter(options))):
        run_selftest("model", **options)


def test_what_is_not_there_is_an_error():
    with pytest.raises(TargetError, match="no serial port"):
        run_selftest("/dev/no-such-board")
    with pytest.raises(ParameterError, match="connected already"):
        run_selftest(ModelPort(PARAMS), PARAMS)


def test_progress_rises_to_the_end():
    shares = []
    run_selftest("model", PARAMS, progress=lambda what, share: shares.append(share))
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[-1] > 0.9
