import numpy as np
import pytest
from small_networks import delta_cell, dense, learner, open_model, relay

from synloom import (
    AllToAll,
    CapacityError,
    Image,
    InputPopulation,
    Network,
    NetworkError,
    OneToOne,
    ParameterError,
    Population,
    Projection,
    RegularInput,
    compile,
    connect,
)

# ---- runs --------------------------------------------------------------------------------------


def test_runs_in_parts_equal_one_run():
    whole, parts = open_model(learner()), open_model(learner())
    one = whole.run(100.0)
    two = [parts.run(37.0), parts.run(63.0)]
    assert (np.concatenate([r.raster("out") for r in two]) == one.raster("out")).all()
    assert one.counts("out").sum() > 20
    assert np.concatenate([r.spikes("out")[0] for r in two]).tolist() == one.spikes("out")[0].tolist()
    assert (whole.read_weights("w") == parts.read_weights("w")).all()
    assert parts.time == 100.0


def test_single_steps_equal_one_run():
    whole, stepped = open_model(learner()), open_model(learner())
    raster = whole.run(60.0).raster("out")
    for t in range(60):
        assert stepped.step()["out"].tolist() == np.flatnonzero(raster[t]).tolist()


@pytest.mark.parametrize("event_words", [16, 64, 1024])
def test_long_stimuli_stream_while_the_network_runs(event_words):
    raster = np.random.default_rng(0).random((700, 20)) < 0.3
    reference = open_model(dense())
    reference.inject("in", raster)
    expected = reference.run(700.0).raster("out")
    network = dense()
    params = compile(network).params
    device = open_model(network, params.replace(event_words=event_words))
    device.inject("in", raster)
    assert (device.run(700.0).raster("out") == expected).all()
    assert expected.sum() > 100
    assert device.counters().losses == {}


def test_small_record_buffers_hold_the_array_but_lose_nothing():
    network = learner(rate=200.0)
    params = compile(network).params
    expected = open_model(learner(rate=200.0)).run(400.0).raster("out")
    device = open_model(network, params.replace(record_words=256))
    assert (device.run(400.0).raster("out") == expected).all()


def test_silence_longer_than_a_time_word_keeps_the_time():
    device = open_model(relay())
    device.inject("in", [(33_000.0, 2)])
    recording = device.run(33_010.0)
    assert recording.spikes("out")[0].tolist() == [33_000.0]
    assert recording.spikes("out")[1].tolist() == [2]
    device.inject("in", [(500.0, 1)])
    assert device.run(501.0).spikes("out")[0].tolist() == [33_510.0]


def test_events_of_later_runs_wait():
    device = open_model(relay())
    device.inject("in", [(0.0, 0), (25.0, 1), (25.0, 3)])
    assert device.run(10.0).spikes("out")[0].tolist() == [0.0]
    assert device.run(10.0).spikes("out")[0].tolist() == []
    later = device.run(10.0)
    assert later.spikes("out")[0].tolist() == [25.0, 25.0]
    assert later.spikes("out")[1].tolist() == [1, 3]
    assert later.raster("out")[5].tolist() == [0, 1, 0, 1]


def test_rasters_and_pairs_say_the_same():
    raster = np.random.default_rng(1).random((50, 4)) < 0.2
    pairs = [(float(t), int(k)) for t, k in np.argwhere(raster)]
    results = []
    for spikes in (raster, raster.astype(np.uint8), pairs):
        device = open_model(relay())
        device.run(7.0)
        device.inject("in", spikes)
        results.append(device.run(50.0).raster("out"))
    assert (results[0] == raster).all()
    assert (results[1] == raster).all()
    assert (results[2] == raster).all()


def test_the_closed_loop_answers_in_the_same_step():
    device = open_model(relay())
    assert device.step({"in": [1, 2]})["out"].tolist() == [1, 2]
    assert device.step()["out"].tolist() == []
    assert device.step({"in": np.array([True, False, False, True])})["out"].tolist() == [0, 3]
    assert device.time == 3.0


def test_a_networks_own_spike_times_belong_to_its_image(tmp_path):
    network = Network()
    source = network.add(InputPopulation(2, spike_times=[[1.0, 5.0], []], label="in"))
    target = network.add(Population(2, delta_cell(), label="out"))
    network.add(Projection(source, target, AllToAll(), weight=20.0, delay=2.0))
    compile(network).save(tmp_path / "x")
    device = connect("model", Image.load(tmp_path / "x"))
    for _ in range(2):
        assert np.unique(device.run(10.0).spikes("out")[0]).tolist() == [3.0, 7.0]
        device.reset()


def test_presenting_counts_and_is_quiet():
    device = open_model(relay_of_generators())
    counts = device.present({"in": [500.0, 0.0, 250.0, 0.0]}, 40.0, rest=10.0)["out"]
    # From rest on, a spike after each whole period: the last one would be in step 40.
    assert counts.tolist() == [19, 0, 9, 0]
    assert device.time == 50.0
    assert device.spike_counts("out").tolist() == [0, 0, 0, 0]
    assert device.run(10.0).counts("out").sum() == 0


def relay_of_generators():
    network = Network()
    source = network.add(RegularInput(4, label="in"))
    target = network.add(Population(4, delta_cell(), label="out"))
    network.add(Projection(source, target, OneToOne(), weight=20.0))
    return network


def test_presenting_takes_rasters_too():
    raster = np.random.default_rng(2).random((30, 4)) < 0.4
    device = open_model(relay())
    assert device.present({"in": raster}, 30.0)["out"].tolist() == raster.sum(axis=0).tolist()


# ---- recorders ---------------------------------------------------------------------------------


def test_probes_agree_with_the_state_at_the_end():
    device = open_model(learner())
    for variable in ("v", "theta"):
        device.record("out", variable, [3])
    device.record("out", "isyn_exc", [3])
    device.record("out", "isyn_inh", [3])
    device.record("in", "trace", [7])
    device.record("out", "trace", [3])
    device.record("out", "trace_post", [3])
    recording = device.run(50.0)
    state = device.read_state("out")
    for variable in ("v", "isyn_exc", "isyn_inh", "theta", "trace", "trace_post"):
        assert recording.values("out", variable).shape == (50, 1)
        assert recording.values("out", variable)[-1, 0] == pytest.approx(state[variable][3]), variable
    assert recording.values("in", "trace").max() > 0.5


def test_probes_can_sample_less_often():
    device = open_model(learner())
    device.record("out", "v", [0, 5])
    every = device.run(40.0).values("out", "v")
    device.reset("all")
    device.record("out", "v", [0, 5], every=4.0)
    recording = device.run(40.0)
    assert recording.times("out", "v").tolist() == list(np.arange(0, 40, 4) + 1.0)
    assert (recording.values("out", "v") == every[::4]).all()
    with pytest.raises(ParameterError, match="every must be the same for all probes, 4 ms so far, not 2 ms"):
        device.record("out", "v", [1], every=2.0)


def test_recorders_are_limited_and_say_so():
    device = open_model(learner())
    with pytest.raises(CapacityError, match=r"20 probes are wanted, the array has 8"):
        device.record("out", "v")
    device.record("out", "v", range(8))
    with pytest.raises(CapacityError, match=r"replace\(probes=9\)"):
        device.record("out", "theta", [0])
    device.record("out", "v", range(8))
    assert device.run(3.0).values("out", "v").shape == (3, 8)


def test_nothing_is_recorded_on_request():
    device = open_model(learner())
    device.record("out", "v", [0])
    device.record_nothing()
    recording = device.run(20.0)
    with pytest.raises(NetworkError, match="spikes of 'out' were not recorded"):
        recording.spikes("out")
    with pytest.raises(NetworkError, match="was not recorded"):
        recording.values("out", "v")
    device.record("out")
    assert device.run(20.0).raster("out").shape == (20, 20)


# ---- state and weights -------------------------------------------------------------------------


def test_weights_are_read_as_written():
    device = open_model(learner())
    before = device.read_weights("lateral")
    assert np.isnan(before).mean() == pytest.approx(0.525, abs=0.1)
    assert np.isnan(before.diagonal()).all()
    half = before / 2
    device.write_weights("lateral", half)
    lsb = np.nanmax(-before) / 127
    assert np.nanmax(np.abs(device.read_weights("lateral") - half)) <= lsb / 2 + 1e-12
    assert (np.isnan(device.read_weights("lateral")) == np.isnan(before)).all()
    assert device.read_weights("lateral", raw=True).dtype == np.int8


@pytest.mark.parametrize("n", [5, 40])
def test_weights_of_small_and_large_projections_stay_apart(n):
    network = Network(seed=8)
    source = network.add(InputPopulation(6, label="in"))
    rng = np.random.default_rng(0)
    for k in range(3):
        target = network.add(Population(n if k == 1 else 20, delta_cell(), label=f"n{k}"))
        network.add(
            Projection(source, target, AllToAll(), weight=rng.uniform(1, 2, (6, target.n)), label=f"w{k}")
        )
    device = open_model(network)
    others = [device.read_weights(name) for name in ("w0", "w2")]
    device.write_weights("w1", np.full((6, n), 0.5))
    assert device.read_weights("w1") == pytest.approx(np.full((6, n), 0.5), abs=0.01)
    assert (device.read_weights("w0") == others[0]).all()
    assert (device.read_weights("w2") == others[1]).all()


def test_reset_of_the_dynamics_keeps_what_was_learnt():
    device = open_model(learner())
    device.run(100.0)
    weights, theta = device.read_weights("w"), device.read_state("out")["theta"]
    assert theta.max() > 0.1
    device.reset()
    state = device.read_state("out")
    assert (device.read_weights("w") == weights).all()
    assert (state["theta"] == theta).all()
    assert (state["v"] == -65.0).all()
    for name in ("isyn_exc", "isyn_inh", "trace", "trace_post", "refrac"):
        assert not state[name].any()
    assert device.spike_counts("out").sum() == 0
    assert device.time == 0.0
    device.run(20.0)
    device.reset(keep_theta=False)
    assert not device.read_state("out")["theta"].any()


def test_reset_of_everything_repeats_the_experiment():
    device = open_model(learner())
    first = device.run(100.0).raster("out")
    device.set_rates("in", 5.0)
    device.set_learning(False)
    device.run(50.0)
    device.reset("all")
    assert (device.run(100.0).raster("out") == first).all()
    assert first.any()


def test_spikes_on_their_way_are_forgotten_by_a_reset():
    network = relay()
    target = network.add(Population(4, delta_cell(), label="late"))
    network.add(Projection(network.populations[0], target, AllToAll(), weight=20.0, delay=10.0))
    device = open_model(network)
    device.inject("in", [(0.0, 0), (15.0, 1)])
    device.run(5.0)
    device.reset()
    recording = device.run(30.0)
    assert recording.spikes("late")[0].tolist() == []
    assert recording.spikes("out")[0].tolist() == []


def test_spike_counters_count_until_cleared():
    device = open_model(relay())
    device.inject("in", [(float(t), 1) for t in range(5)])
    device.run(10.0)
    assert device.spike_counts("out", clear=False).tolist() == [0, 5, 0, 0]
    assert device.spike_counts("out").tolist() == [0, 5, 0, 0]
    assert device.spike_counts("out").tolist() == [0, 0, 0, 0]


def test_losses_are_counted_and_told():
    network = Network()
    source = network.add(InputPopulation(40, label="in"))
    target = network.add(Population(1, delta_cell(), label="out", v_range=16.0))
    network.add(Projection(source, target, AllToAll(), weight=10.0))
    device = open_model(network)
    assert device.counters().losses == {}
    assert "nothing was lost" in str(device.counters())
    device.inject("in", np.ones((1, 40), dtype=bool))
    device.run(2.0)
    counters = device.counters()
    assert counters.losses == {"state_saturations": counters["state_saturations"]}
    assert "Neuron state clipped" in str(counters)
    assert counters["steps"] == 2
