"""Events that teach: neurons that are forced to fire, and settings that change at exact steps."""

import numpy as np
import pytest
from small_networks import BreakingPort, delta_cell, learner, open_model, relay

from synloom import (
    LIF,
    STDP,
    AllToAll,
    ArrayParams,
    CapacityError,
    Device,
    DeviceError,
    InputPopulation,
    Network,
    NetworkError,
    OneToOne,
    ParameterError,
    Population,
    Projection,
    SynloomWarning,
    compile,
    connect,
)
from synloom.contract.frames import RunFlag
from synloom.contract.regions import Region
from synloom.contract.registers import Mode, control
from synloom.device.settings import settings_of, without_values
from synloom_sim.model_port import ModelPort


def register(device, name):
    word = int(device.port.read(Region.CTRL, control(name).offset, 1)[0])
    return word - 0x10000 if name == "reward" and word & 0x8000 else word


def chain(n=4, *, delay=3.0, refractory=5.0):
    """Neurons 'cells' that pass each spike to 'after', and inputs 'in' that fire them too."""
    network = Network(seed=1)
    source = network.add(InputPopulation(n, label="in"))
    cells = network.add(Population(n, delta_cell(tau_refrac=refractory), label="cells"))
    after = network.add(Population(n, delta_cell(), label="after"))
    network.add(Projection(source, cells, OneToOne(), weight=20.0))
    network.add(Projection(cells, after, OneToOne(), weight=20.0, delay=delay))
    return network


def associator(**rule):
    """Inputs 'cue' onto neurons 'cells' that learn from them, and that they cannot fire at first."""
    network = Network(seed=1)
    cue = network.add(InputPopulation(8, label="cue"))
    cells = network.add(Population(4, delta_cell(tau_refrac=2.0), label="cells"))
    plasticity = STDP(**{"w_min": 0.0, "w_max": 10.0, "A_plus": 0.9, "A_minus": 0.0, **rule})
    network.add(Projection(cue, cells, AllToAll(), weight=0.0, plasticity=plasticity, label="w"))
    return network


# ---- forced spikes -----------------------------------------------------------------------------


def test_a_forced_neuron_fires_in_its_step_whatever_its_refractory_time():
    device = open_model(chain())
    device.inject("cells", [(2.0, 0), (3.0, 0), (4.0, 0), (3.0, 2), (19.0, 3)])
    recording = device.run(30.0)
    steps = [np.flatnonzero(row).tolist() for row in recording.raster("cells").T]
    assert steps == [[2, 3, 4], [], [3], [19]]
    steps = [np.flatnonzero(row).tolist() for row in recording.raster("after").T]
    assert steps == [[5, 6, 7], [], [6], [22]]
    assert device.counters().losses == {}
    assert device.counters()["events_invalid"] == 0


def test_a_forced_spike_starts_the_refractory_time():
    device = open_model(chain(refractory=5.0))
    device.inject("cells", [(0.0, 1)])
    device.inject("in", [(float(ms), 1) for ms in range(20)])
    fired = np.flatnonzero(device.run(20.0).raster("cells")[:, 1])
    assert fired[0] == 0
    assert (np.diff(fired) == 6).all()


def test_a_delay_of_the_neurons_is_not_added():
    device = open_model(chain(delay=7.0))
    device.inject("cells", np.eye(4, dtype=bool))
    assert (device.run(4.0).raster("cells") == np.eye(4)).all()


@pytest.mark.parametrize(
    "spikes",
    [
        np.eye(4, dtype=bool),
        np.eye(4, dtype=np.uint8),
        [(0.0, 0), (1.0, 1), (2.0, 2), (3.0, 3)],
        np.array([[0.0, 0], [1.0, 1], [2.0, 2], [3.0, 3]]),
    ],
)
def test_neurons_take_the_forms_of_inputs(spikes):
    network = chain()
    device = open_model(network)
    (cells,) = (population for population in network.populations if population.label == "cells")
    device.inject(cells, spikes)
    assert (device.run(4.0).raster("cells") == np.eye(4)).all()


def test_step_and_present_force_neurons():
    device = open_model(chain())
    assert device.step({"cells": [2]})["cells"].tolist() == [2]
    assert device.step({"cells": [2, 3], "in": [0]})["cells"].tolist() == [0, 2, 3]
    assert device.step({"cells": np.ones(4, dtype=bool)})["cells"].tolist() == [0, 1, 2, 3]
    raster = np.random.default_rng(1).random((50, 4)) < 0.5
    assert device.present({"cells": raster}, 50.0)["cells"].tolist() == raster.sum(0).tolist()


def test_two_forced_spikes_of_a_step_merge():
    device = open_model(chain())
    with pytest.warns(SynloomWarning, match="1 of 2 spikes for 'cells'.* a neuron spikes at most once a st"):
        device.inject("cells", [(1.0, 0), (1.0, 0)])
    device.inject("in", [(0.0, 1)])
    with pytest.warns(SynloomWarning, match="2 of 3 spikes for 'in', 'cells' .* channel or neuron that has"):
        device.present({"in": np.eye(2, 4, 1, dtype=bool), "cells": np.eye(2, 4, -1, dtype=bool)}, 10.0)
    assert device.counters().losses == {"inputs_merged": 3}
    assert device.spike_counts("cells").tolist() == [0, 0, 0, 0]


def test_a_forced_spike_between_two_steps_is_warned_of():
    device = open_model(chain())
    with pytest.warns(SynloomWarning, match="1 of 2 spike times for 'cells' are between steps"):
        device.inject("cells", [(1.5, 0), (1.0, 1)])
    assert np.flatnonzero(device.run(5.0).raster("cells")[:, 0]).tolist() == [2]


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda d: d.inject("cells", [(1.0, 4)]), ParameterError, r"'cells' must be in 0\.\.3, not 4"),
        (lambda d: d.inject("cells", [(-1.0, 0)]), ParameterError, "at least 0 ms from now"),
        (lambda d: d.inject("cells", [(np.nan, 0)]), ParameterError, "finite .* not nan"),
        (lambda d: d.inject("cells", [(1e30, 0)]), ParameterError, "under 2147483648 steps"),
        (lambda d: d.inject("cells", np.eye(3, dtype=bool)), ParameterError, r"shape \(T, 4\)"),
        (lambda d: d.step({"cells": [0, 1, 0, 1]}), ParameterError, r"has neurons \(4\).* a row or indices"),
        (lambda d: d.step({"cells": [2, 2]}), ParameterError, "since a neuron spikes at most once"),
        (lambda d: d.present({"cells": 50.0}, 10.0), NetworkError, "no input population 'cells'"),
        (lambda d: d.present({"cells": np.eye(4, dtype=bool)}, 3.0), ParameterError, "at most 3 rows"),
        (lambda d: d.inject("nobody", []), NetworkError, "no population 'nobody'; it has 'in', 'cells'"),
    ],
)
def test_what_neurons_do_not_take_is_refused(call, error, match):
    device = open_model(chain())
    with pytest.raises(error, match=match):
        call(device)
    assert not device.run(10.0).counts("cells").any()


def test_one_shot_association():
    device = open_model(associator())
    cue, other = np.arange(8) < 4, np.arange(8) >= 4
    assert not device.step({"cue": cue})["cells"].any()
    device.reset()
    device.step({"cue": cue, "cells": [1]})
    device.set_learning(False)
    device.run(200.0)
    assert device.step({"cue": cue})["cells"].tolist() == [1]
    device.run(200.0)
    assert device.step({"cue": other})["cells"].tolist() == []
    assert device.read_weights("w")[:, 1] == pytest.approx([9.0] * 4 + [0.0] * 4, abs=0.1)


# ---- settings ----------------------------------------------------------------------------------


def test_learning_ends_at_the_step_that_was_scheduled():
    cut, whole = open_model(learner(rate=200.0)), open_model(learner(rate=200.0))
    cut.run(137.0)
    cut.set_learning(False)
    middle = cut.read_weights("w", raw=True)
    end = cut.run(163.0)
    whole.schedule(137.0, learning=False)
    both = whole.run(300.0)
    assert (both.raster("out")[137:] == end.raster("out")).all()
    assert (whole.read_weights("w", raw=True) == middle).all()
    assert len(np.unique(middle)) > 1
    assert whole.counters()["spikes"] == cut.counters()["spikes"]


def test_every_setting_acts_at_its_step():
    cut, whole = open_model(learner(rate=200.0)), open_model(learner(rate=200.0))
    changes = [
        (20.0, {"learning": False}),
        (41.0, {"learning": True, "adaptation": False}),
        (41.0, {"adaptation": True}),
        (60.0, {"adaptation": False}),
        (90.0, {"adaptation": True, "learning": False}),
    ]
    for time, change in changes:
        cut.run(time - cut.time)
        for name, value in change.items():
            getattr(cut, f"set_{name}")(value)
        whole.schedule(time, **change)
    cut.run(150.0 - cut.time)
    whole.run(150.0)
    for name, value in cut.read_state("out").items():
        assert (whole.read_state("out")[name] == value).all(), name
    assert (whole.read_weights("w", raw=True) == cut.read_weights("w", raw=True)).all()
    assert register(whole, "mode") == register(cut, "mode")


def test_the_sign_of_the_reward_is_switched_at_a_step():
    device = open_model(associator(reward=True, A_plus=0.3))
    for step in (10, 20, 30):
        device.inject("cue", [(float(step), 0)])
        device.inject("cells", [(float(step), 0)])
    device.schedule(11.0, reward=0.5)
    device.schedule(21.0, reward=-1.0)
    weights = []
    for duration in (11.0, 10.0, 10.0):
        device.run(duration)
        weights.append(device.read_weights("w")[0, 0])
    # The trace is 1 at the first pair, and holds a part of earlier spikes at the next ones.
    assert weights[0] == pytest.approx(3.0, abs=0.1)
    assert 1.5 < weights[1] - weights[0] < 3.0
    assert weights[2] < weights[1] - 3.0
    assert register(device, "reward") == -256


@pytest.mark.parametrize("reward", [-127.99, -1.0, -1 / 256, 0.0, 1 / 256, 1.5, 127.99])
def test_a_scheduled_reward_is_what_set_reward_writes(reward):
    device = open_model(associator(reward=True))
    device.set_reward(reward)
    word = register(device, "reward")
    device.set_reward(3.0)
    device.schedule(5.0, reward=reward)
    device.run(5.0)
    assert register(device, "reward") == 768
    device.run(1.0)
    assert register(device, "reward") == word


def test_a_later_call_replaces_the_earlier_one():
    device = open_model(associator(reward=True))
    device.schedule(5.0, learning=False, reward=-2.25)
    device.schedule(5.0, learning=True)
    device.schedule(5.0, adaptation=True)
    device.schedule(5.0, reward=1.25)
    device.schedule(6.0, reward=7.0)
    device.inject("cells", [(5.0, 0)])
    assert len(device._session.queue) == 7
    device.run(6.0)
    assert register(device, "mode") & 3 == 3
    assert register(device, "reward") == 320
    assert device.counters().losses == {}


def test_the_host_knows_what_the_array_has_after_a_scheduled_setting():
    device = open_model(learner(rate=200.0))
    device.schedule(5.0, learning=False, adaptation=False)
    device.run(10.0)
    before = device.read_weights("w", raw=True)
    device.record_nothing()  # the next run writes the mode, to record no spikes
    device.run(50.0)
    assert (device.read_weights("w", raw=True) == before).all()
    device.set_learning(True)  # differs from what the array has, so it is written
    device.run(50.0)
    assert (device.read_weights("w", raw=True) != before).any()
    assert register(device, "mode") & 3 == 1
    device.schedule(0.0, learning=False)
    device.present({}, 10.0)
    assert register(device, "mode") & 3 == 0
    device.schedule(0.0, learning=True)
    device.step()
    assert register(device, "mode") & 3 == 1


def test_a_setting_for_now_acts_after_what_was_set_before_the_run():
    device = open_model(associator(reward=True))
    device.schedule(0.0, learning=False, reward=2.0)
    device.set_learning(True)
    device.set_reward(4.0)
    assert register(device, "reward") == 1024
    assert register(device, "mode") & 1 == 1
    device.run(1.0)
    assert register(device, "reward") == 512
    assert register(device, "mode") & 1 == 0


def test_a_setting_acts_in_its_own_step():
    device = open_model(associator())
    device.schedule(3.0, learning=False)
    device.inject("cue", [(2.0, 0), (3.0, 1)])
    device.inject("cells", [(2.0, 0), (3.0, 1)])
    device.run(10.0)
    learned = device.read_weights("w") > 0
    assert learned[0, 0]
    assert learned.sum() == 1


@pytest.mark.parametrize("what", ["dynamics", "all"])
def test_a_reset_drops_what_waits(what):
    device = open_model(associator(reward=True))
    device.schedule(5.0, learning=False, reward=2.0)
    device.inject("cells", [(5.0, 0)])
    device.schedule(1.0, adaptation=True)
    device.run(2.0)
    device.reset(what)
    assert register(device, "mode") >> 1 & 1 == (what == "dynamics")
    assert not device.run(20.0).counts("cells").any()
    assert register(device, "mode") & 1 == 1
    assert register(device, "reward") == 256


def test_a_time_between_two_steps_is_warned_of():
    device = open_model(associator())
    with pytest.warns(
        SynloomWarning, match=r"times of settings are between steps of 1 ms and act at the near"
    ):
        device.schedule(2.5, learning=False)
    device.run(3.0)
    assert register(device, "mode") & 1 == 1
    device.run(1.0)
    assert register(device, "mode") & 1 == 0


WRONG = [
    ((), {}, ParameterError, "needs a setting"),
    ((1.0,), {}, ParameterError, "give learning=, adaptation=, reward=, rates="),
    (("1",), {"learning": True}, ParameterError, "time must be a number"),
    ((True,), {"learning": True}, ParameterError, "time must be a number"),
    ((None,), {"learning": True}, ParameterError, "time must be a number"),
    (([1.0, 2.0],), {"learning": True}, ParameterError, "time must be one number"),
    ((np.nan,), {"learning": True}, ParameterError, "at least 0, not nan"),
    ((np.inf,), {"learning": True}, ParameterError, "at least 0, not inf"),
    ((-1.0,), {"learning": True}, ParameterError, "at least 0, not -1"),
    ((1e30,), {"learning": True}, ParameterError, "under 2147483648 steps"),
    ((1.0,), {"learning": 1}, ParameterError, "learning must be True or False, not 1"),
    ((1.0,), {"learning": "off"}, ParameterError, "learning must be True or False"),
    ((1.0,), {"adaptation": 0.0}, ParameterError, "adaptation must be True or False"),
    ((1.0,), {"reward": True}, ParameterError, "reward must be a number"),
    ((1.0,), {"reward": np.nan}, ParameterError, "not nan"),
    ((1.0,), {"reward": 128.0}, ParameterError, "not 128"),
    ((1.0,), {"reward": [1.0]}, ParameterError, "one number"),
    ((1.0,), {"learning": False, "reward": "x"}, ParameterError, "reward must be a number"),
]


@pytest.mark.parametrize(("args", "settings", "error", "match"), WRONG)
def test_wrong_settings_are_refused_and_change_nothing(args, settings, error, match):
    device = open_model(associator(reward=True))
    with pytest.raises(error, match=match):
        device.schedule(*(args or (0.0,)), **settings)
    assert len(device._session.queue) == 0


def test_a_reward_that_changes_is_warned_of():
    device = open_model(associator(reward=True))
    with pytest.warns(SynloomWarning, match="rewards are in steps of 1/256"):
        device.schedule(1.0, reward=0.001)


@pytest.mark.parametrize(
    ("lacking", "settings"),
    [
        (("reward",), {"reward": 1.0}),
        (("adaptation",), {"adaptation": True}),
        (("plasticity", "soft_bounds", "stochastic_rounding", "reward"), {"learning": True}),
    ],
)
def test_a_setting_needs_what_its_call_needs(lacking, settings):
    device = open_model(relay(), ArrayParams(**dict.fromkeys(lacking, False)))
    with pytest.raises(CapacityError, match="this array lacks the feature"):
        device.schedule(1.0, **settings)
    if "reward" not in settings:
        device.schedule(1.0, **dict.fromkeys(settings, False))


def test_an_array_without_teaching_refuses_both():
    device = open_model(chain(), ArrayParams(teaching=False))
    for call in (
        lambda: device.schedule(0.0, learning=False),
        lambda: device.inject("cells", [(0.0, 0)]),
        lambda: device.step({"cells": [0]}),
        lambda: device.present({"cells": np.eye(4, dtype=bool)}, 10.0),
    ):
        with pytest.raises(CapacityError, match=r"lacks the feature .teaching.; compile for params\.replace"):
            call()
    device.inject("in", np.eye(4, dtype=bool))
    assert device.run(10.0).counts("cells").tolist() == [1] * 4


def test_both_need_an_image():
    with connect("model") as device:
        for call in (lambda: device.schedule(0.0, learning=False), lambda: device.inject("cells", [])):
            with pytest.raises(DeviceError, match="no image is loaded"):
                call()


def test_each_setting_has_an_id_of_its_own():
    ids = np.array([0, 15, 4095, *settings_of(True, False, -256 & 0xFFFF), *settings_of(False, True, 255)])
    assert ids[3:].tolist() == [0x4011, 0x4020, 0x5000, 0x60FF, 0x4010, 0x4022, 0x50FF, 0x6000]
    kinds = [0x4010, 0x4020, 0x5000, 0x6000]
    assert without_values(ids).tolist() == [0, 15, 4095, *kinds, *kinds]
    assert ids.max() < 0x7000


# ---- interruptions -----------------------------------------------------------------------------


@pytest.mark.parametrize("countdown", [1, 2, 5, 9])
@pytest.mark.parametrize("event_words", [256, 8192])
def test_an_interrupted_run_goes_on_with_what_is_not_yet_due(countdown, event_words):
    random = np.random.default_rng(5)
    forced, cue = random.random((3000, 4)) < 0.05, random.random((3000, 8)) < 0.05
    devices = []
    for port in (ModelPort, BreakingPort):
        image = compile(associator(A_plus=0.02, A_minus=0.02, reward=True))
        device = Device(port(image.params.replace(event_words=event_words)))
        device.load(image)
        device.inject("cells", forced)
        device.inject("cue", cue)
        for step in range(0, 3000, 7):
            device.schedule(float(step), learning=step % 2 == 0, reward=(step % 5) - 2.0)
        devices.append(device)
    whole, cut = devices
    expected = whole.run(3000.0).raster("cells")
    cut.port.break_at("records", countdown, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        cut.run(3000.0)
    stopped = round(cut.time)
    assert 0 <= stopped < 3000
    assert register(cut, "mode") & 1 == cut._session.mode(Mode.LEARN)
    assert (cut.run(3000.0 - stopped).raster("cells") == expected[stopped:]).all()
    assert (cut.read_weights("w", raw=True) == whole.read_weights("w", raw=True)).all()
    assert cut.counters().losses == whole.counters().losses == {}
    assert register(cut, "reward") == register(whole, "reward")


@pytest.mark.parametrize("resets", [False, True])
def test_what_has_come_for_a_step_that_did_not_begin_is_sent_again_or_dropped(resets):
    device = open_model(chain())
    device.inject("cells", np.ones((100, 4), bool))
    device.schedule(39.0, adaptation=True)
    words, port = device._session.queue.take(40), device.port
    assert port.events(words)
    port.run(100, RunFlag.GATED)
    for _ in range(10):  # step 39 waits, since more might come for it
        port.records(0.01)
    with pytest.raises(KeyboardInterrupt), device._session._guard():
        raise KeyboardInterrupt
    assert device.time == 39.0
    if resets:
        device.reset()
        assert not device.run(100.0).raster("cells").any()
    else:
        assert device.run(61.0).raster("cells").all()
    assert device.counters().losses == {}
    assert register(device, "mode") & 1 == device._session.mode(Mode.LEARN)


def test_a_setting_that_has_acted_does_not_act_again_after_an_interruption():
    image = compile(learner())
    device = Device(BreakingPort(image.params))
    device.load(image)
    device.schedule(0.0, learning=False)
    device.schedule(9_999.0, adaptation=False)
    device.port.break_at("records", 2, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        device.run(10_000.0)
    assert 0 < device.time < 9_999
    assert not device._session.mode(Mode.LEARN)
    device.set_learning(True)
    device.run(10_000.0 - device.time)
    assert register(device, "mode") & 3 == 1


def test_neurons_go_on_as_if_nothing_had_been_forced():
    network = Network(seed=1)
    network.add(InputPopulation(1, label="in"))
    network.add(Population(3, LIF(tau_refrac=3.0), label="cells"))
    device = open_model(network)
    device.inject("cells", [(4.0, 1)])
    assert device.run(20.0).counts("cells").tolist() == [0, 1, 0]
    state = device.read_state("cells")
    assert (state["v"] == state["v"][0]).all()
    assert not state["refrac"].any()
