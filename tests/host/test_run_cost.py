"""The cost of a run is exact: the model's own passes count the same synapses and updates."""

import pickle

import numpy as np
import pytest
from small_networks import dense, learner, open_model, relay

import synloom as sl
from synloom import (
    LIF,
    STDP,
    AllToAll,
    FixedProbability,
    InputPopulation,
    Network,
    PoissonInput,
    Population,
    Projection,
    RegularInput,
    Uniform,
)
from synloom.contract.frames import RunFlag
from synloom_sim.model.passes import Passes


class Counted:
    """Counts what the model's passes do."""

    def __init__(self, monkeypatch):
        self.clear()
        row, column = Passes._row_group, Passes._column_group

        def count_row(passes, group, states, learns):
            for segment in group.passes.segments:
                there = (
                    passes._state.weights[group.ids, segment.lo : segment.hi] != passes._params.weight_absent
                )
                self.synapses += int(there.sum())
                self.updates += int(there.sum()) if learns and segment.plastic else 0
                self.passes += len(group.ids)
            row(passes, group, states, learns)

        def count_column(passes, group, states):
            for segment in group.passes.segments:
                part = passes._state.weights.T[group.ids, segment.lo : segment.hi]
                there = part != passes._params.weight_absent
                self.updates += int(there.sum()) if segment.plastic else 0
                self.passes += len(group.ids)
            column(passes, group, states)

        monkeypatch.setattr(Passes, "_row_group", count_row)
        monkeypatch.setattr(Passes, "_column_group", count_column)

    def clear(self):
        self.synapses = self.updates = self.passes = 0


@pytest.fixture
def counted(monkeypatch):
    return Counted(monkeypatch)


def mixed(delay=2.0, seed=3):
    """Generators of both kinds, spikes from the host, random synapses with delays, rules on both sides."""
    network = Network(seed=seed)
    noise = network.add(PoissonInput(20, rate=np.linspace(1.0, 400.0, 20), label="noise"))
    clock = network.add(RegularInput(5, rate=[10.0, 33.0, 100.0, 0.7, 250.0], label="clock"))
    kicks = network.add(InputPopulation(7, label="kicks"))
    cells = network.add(Population(24, LIF(tau_refrac=2.0), label="cells"))
    rule = STDP(A_plus=0.05, A_minus=0.04, w_max=3.0)
    network.add(Projection(noise, cells, FixedProbability(0.4), weight=Uniform(0.0, 3.0), plasticity=rule))
    network.add(Projection(clock, cells, FixedProbability(0.6), weight=1.0, delay=3.0))
    network.add(Projection(kicks, cells, AllToAll(), weight=Uniform(0.0, 2.0)))
    network.add(Projection(cells, cells, FixedProbability(0.3), weight=-0.2, delay=delay))
    return network


@pytest.mark.parametrize("delay", [2.0, Uniform(1.0, 40.0)])
@pytest.mark.parametrize("spikes", ["recorded", "counted"])
def test_operations_and_updates_are_those_of_the_model(delay, spikes, counted):
    device = open_model(mixed(delay))
    device.record_nothing() if spikes == "counted" else None
    raster = np.random.default_rng(1).random((300, 7)) < 0.2
    device.inject("kicks", raster)
    device.inject("noise", np.random.default_rng(2).random((300, 20)) < 0.1)
    costs = [device.run(200.0).cost, device.run(300.0).cost]
    assert costs[0].synaptic_operations > 1000
    before = device.counters()
    for name in ("noise", "clock"):
        device.set_rates(name, 0.0)
    device.set_offset("cells", -1.0)
    costs.append(device.run(100.0).cost)
    assert sum(cost.synaptic_operations for cost in costs) == counted.synapses
    assert sum(cost.weight_updates for cost in costs) == counted.updates
    assert sum(cost.steps for cost in costs) == 600
    assert sum(cost.spikes for cost in costs) == device.counters()["spikes"] >= before["spikes"] > 0
    lanes = device.params.lanes
    assert sum(cost.chunks(lanes)[0] for cost in costs) == device.counters()["chunks"]
    assert sum(cost.chunks(lanes)[1] for cost in costs) == counted.passes


def test_generators_are_drawn_again_wherever_a_run_begins(counted):
    device = open_model(mixed())
    device.run(37.0)
    device.step()
    device.present({"noise": 50.0}, 21.0, rest=4.0)
    device.reset()
    device.set_rates("noise", 90.0)
    counted.clear()
    cost = device.run(400.0).cost
    assert abs(cost.input_spikes - 20 * 0.09 * 400 - 5 * 0.0787 * 400) < 400
    quiet_cost = []
    for name in ("noise", "clock"):
        device.set_rates(name, 0.0)
    device.set_offset("cells", -5.0)
    quiet_cost.append(device.run(50.0).cost)
    assert cost.synaptic_operations + quiet_cost[0].synaptic_operations == counted.synapses


def test_learning_counts_only_while_it_is_on(counted):
    device = open_model(learner())
    source = next(iter(device.image.inputs))
    raster = np.random.default_rng(1).random((300, device.image.inputs[source].n)) < 0.1
    device.inject(source, raster)
    device.schedule(100.0, learning=False)
    device.schedule(180.0, learning=True)
    cost = device.run(320.0).cost
    assert cost.weight_updates == counted.updates > 0
    device.set_learning(False)
    device.inject(source, raster)
    assert device.run(320.0).cost.weight_updates == 0


def test_a_streamed_stimulus_costs_the_same():
    raster = np.random.default_rng(4).random((3000, 20)) < 0.1
    whole, streamed = open_model(dense()), open_model(dense())
    whole.inject("in", raster)
    one = whole.run(3000.0).cost
    two = streamed.run(3000.0, stimulus=({"in": raster[k : k + 10]} for k in range(0, 3000, 10))).cost
    assert one.synaptic_operations == two.synaptic_operations == raster.sum() * 30
    assert (one.spikes, one.input_spikes) == (two.spikes, two.input_spikes)
    assert one.input_spikes == raster.sum()


def test_bytes_are_those_of_the_words_on_the_line():
    device = open_model(relay())
    device.inject("in", np.ones((10, 4), bool))
    cost = device.run(10.0).cost
    events, records = 10 * 4 + 9, 10 * (1 + 1) - 1 + 10 * 0
    assert cost.line_bytes > 2 * (events + records)
    assert device.run(10.0).cost.line_bytes < 40


def test_a_cost_travels_and_adds_up():
    device = open_model(mixed())
    recording = device.run(100.0)
    there = pickle.loads(pickle.dumps(recording))
    assert str(there.cost) == str(recording.cost)
    assert "steps, " in str(recording.cost)
    assert len(pickle.dumps(recording)) < 400_000


def test_an_unknown_cost_is_told():
    network = mixed()
    small = sl.compile(network).params.replace(spike_counters=False)
    device = open_model(network, small)
    device.record_nothing()
    with pytest.raises(sl.DeviceError, match="record the spikes of a population"):
        _ = device.run(10.0).cost
    assert device.run(0.0).cost.steps == 0


def test_an_interruption_does_not_confuse_the_generators(counted):
    device = open_model(mixed())
    port = device.port
    port.run(50, RunFlag(0))
    port.records(0.01)
    with pytest.raises(KeyboardInterrupt), device._session._guard():
        raise KeyboardInterrupt
    assert device._session.total == device.time == device.counters()["steps"] > 0
    began = counted.synapses
    cost = device.run(300.0).cost
    assert cost.input_spikes > 0
    assert abs(cost.synaptic_operations - (counted.synapses - began)) < 500
