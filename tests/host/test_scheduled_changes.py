"""Changes at a stated step: within a run they are those between two runs, on all targets and in replays."""

import itertools
import time
from dataclasses import replace

import numpy as np
import pytest
from small_networks import BreakingPort, delta_cell, open_model

from synloom import (
    LIF,
    STDP,
    AllToAll,
    Device,
    InputPopulation,
    Network,
    NetworkError,
    ParameterError,
    PoissonInput,
    Population,
    Projection,
    RegularInput,
    Snapshot,
    compile,
    connect,
    replay,
)
from synloom.device.log_file import LogReader, LogWriter

TARGETS = ("model", "fast", "sim")
STEPS, CUT = 90, 37
SETTINGS = {
    "rates": {"rates": {"noise": 190.0, "beat": np.array([20.0, 90.0])}},
    "offsets": {"offsets": {"cells": np.linspace(0.1, 0.6, 8)}},
    "neurons": {"neurons": {"cells": {"v_thresh": -58.0, "tau_refrac": 4.0}}},
    "rules": {"rules": {"w": {"A_plus": 0.001, "A_minus": 0.08}}},
    "learning": {"learning": False},
    "adaptation": {"adaptation": False},
    "reward": {"reward": -1.5},
}
BY_HAND = {
    "rates": lambda device, value: [device.set_rates(label, hz) for label, hz in value.items()],
    "offsets": lambda device, value: [device.set_offset(label, nA) for label, nA in value.items()],
    "neurons": lambda device, value: [device.set_neurons(label, **each) for label, each in value.items()],
    "rules": lambda device, value: [device.set_rule(label, **each) for label, each in value.items()],
    "learning": lambda device, value: device.set_learning(value),
    "adaptation": lambda device, value: device.set_adaptation(value),
    "reward": lambda device, value: device.set_reward(value),
}
ENTRIES = {"rates": "rates", "offsets": "neurons", "neurons": "neurons", "rules": "segments"}
"""The entries of a log of those changes for which a run is divided."""
MODES = {"learning": "mode", "adaptation": "mode", "reward": "reward"}
"""Those of the switches and the reward between two runs."""
WAITING = [
    (50.0, SETTINGS["rates"]),
    (11.0, SETTINGS["rules"]),
    (37.0, SETTINGS["offsets"]),
    (77.0, SETTINGS["neurons"]),
    (60.0, SETTINGS["learning"]),
    (44.0, {"rules": {("w",): {"A_plus": 0.03}}}),
    (61.0, SETTINGS["reward"]),
]
"""Changes around the step CUT."""
RASTER = np.random.default_rng(4).random((STEPS, 6)) < 0.2


def network():
    """Everything that can change: generators, currents, thresholds that adapt, a rule with a reward."""
    made = Network(seed=5)
    noise = made.add(PoissonInput(12, rate=60.0, label="noise"))
    beat = made.add(RegularInput(2, rate=50.0, label="beat"))
    kicks = made.add(InputPopulation(6, label="kicks"))
    cells = made.add(Population(8, LIF(theta_plus=0.4, tau_theta=500.0), label="cells"))
    rule = STDP(A_plus=0.04, A_minus=0.08, w_max=4.0, reward=True)
    made.add(Projection(noise, cells, AllToAll(), weight=1.2, plasticity=rule, label="w"))
    made.add(Projection(beat, cells, AllToAll(), weight=0.9))
    made.add(Projection(kicks, cells, AllToAll(), weight=1.1, delay=3.0))
    return made


IMAGE = compile(network())


def opened(target, **options):
    device = connect(target, IMAGE, **options)
    device.record("cells", "v", [0, 3], every=4.0)
    device.record("noise")
    device.inject("kicks", RASTER)
    return device


def results(device, recordings):
    """Return all that runs have recorded, and a digest of what comes."""
    return (
        np.concatenate([each.raster("cells") for each in recordings]).tolist(),
        np.concatenate([each.raster("noise") for each in recordings]).tolist(),
        np.concatenate([each.values("cells", "v") for each in recordings]).tolist(),
        device.snapshot().digest(),
    )


def by_hand(target, kind):
    """Run up to the step, change, and run on."""
    with opened(target) as device:
        before = device.run(float(CUT))
        BY_HAND[kind](device, SETTINGS[kind][kind])
        return results(device, [before, device.run(float(STEPS - CUT))])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kind", SETTINGS)
def test_a_change_within_a_run_is_that_between_two_runs(kind, target):
    with opened(target) as device:
        device.schedule(float(CUT), **SETTINGS[kind])
        recording = device.run(float(STEPS))
        assert recording.steps == STEPS
        assert recording.cost.spikes > 0
        whole = results(device, [recording])
    assert whole == by_hand("model", kind) == by_hand(target, kind)
    with opened("model") as device:
        assert results(device, [device.run(float(STEPS))]) != whole


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("kind", SETTINGS)
def test_a_log_has_each_change_with_its_step_and_replays_on_every_target(kind, within, tmp_path):
    path = tmp_path / "run.log"
    with opened("model", log=path) as device:
        if within:
            device.schedule(float(CUT), **SETTINGS[kind])
            device.run(float(STEPS))
        else:
            device.run(float(CUT))
            BY_HAND[kind](device, SETTINGS[kind][kind])
            device.run(float(STEPS - CUT))
    for target in TARGETS:
        assert replay(path, target).agrees
    with LogReader(path) as reader:
        entries = list(reader)
    runs = [(e.values["first"], e.values["steps"]) for e in entries if e.kind == "run"]
    divided = not within or kind in ENTRIES
    assert runs == ([(0, CUT), (CUT, STEPS - CUT)] if divided else [(0, STEPS)])
    # Without the change the replay finds the difference, at its step or later.
    scheduled = within and kind not in ENTRIES
    begun = next(entry.number for entry in entries if entry.kind == "run")
    writer = LogWriter(tmp_path / "without.log")
    for entry in entries:
        changes = entry.kind == ("settings" if scheduled else ENTRIES.get(kind, MODES.get(kind)))
        if not (changes and (scheduled or entry.number > begun)):
            writer.add(entry.kind, entry.values, entry.arrays)
    writer.close()
    found = replay(tmp_path / "without.log", "model").difference
    assert found is not None
    assert found.step >= CUT


def test_a_divided_run_costs_what_one_run_does():
    """A rate that is what it was divides it; the ends of the parts take bytes on the line."""
    costs = []
    for cuts in ((), (10.0, 11.0, 40.0)):
        with opened("model") as device:
            for cut in cuts:
                device.schedule(cut, rates={"noise": 60.0})
            costs.append(device.run(float(STEPS)).cost)
    whole, divided = costs
    names = ("steps", "duration", "spikes", "input_spikes", "synaptic_operations", "weight_updates")
    assert [getattr(whole, name) for name in names] == [getattr(divided, name) for name in names]
    assert 0 < divided.line_bytes - whole.line_bytes < 3 * 40


def test_several_changes_at_any_steps_are_made_in_order():
    calls = [
        (50.0, "rules"),
        (13.0, "rates"),
        (50.0, "neurons"),
        (0.0, "offsets"),
        (61.0, "reward"),
        (13.0, "rules"),
    ]
    with opened("fast") as device:
        for time, kind in calls:
            device.schedule(time, **SETTINGS[kind])
        # A later one for the same step wins.
        device.schedule(50.0, neurons={"cells": {"v_thresh": -57.0}}, rules={("w",): {"A_plus": 0.002}})
        whole = results(device, [device.run(20.0), device.run(float(STEPS - 20))])
    with opened("model") as device:
        parts, at = [], 0.0
        for time, group in itertools.groupby(
            sorted(calls, key=lambda call: call[0]), key=lambda call: call[0]
        ):
            parts.append(device.run(time - at))
            at = time
            for _, kind in group:
                BY_HAND[kind](device, SETTINGS[kind][kind])
            if time == 50.0:
                device.set_neurons("cells", v_thresh=-57.0)
                device.set_rule("w", A_plus=0.002)
        parts.append(device.run(STEPS - at))
        assert results(device, parts) == whole


@pytest.mark.parametrize("target", TARGETS)
def test_a_threshold_changes_at_its_very_step(target):
    """6 mV a step, without a leak: the first step with the new threshold is the one that was named."""
    plain = Network(seed=1)
    source = plain.add(InputPopulation(1, label="in"))
    cells = plain.add(Population(2, delta_cell(tau_m=np.inf), label="a", v_range=200.0))
    plain.add(Projection(source, cells, AllToAll(), weight=6.0))
    image = compile(plain)
    for cut in (30, 31, 32):
        with connect(target, image) as device:
            device.inject("in", np.ones((60, 1), dtype=bool))
            device.schedule(float(cut), neurons={"a": {"v_thresh": [-50.0, -40.0]}})
            raster = device.run(60.0).raster("a")
        for k, later in enumerate((15.0, 25.0)):
            height, fired = 0.0, []
            for step in range(60):
                height += 6.0
                fired.append(height >= (later if step >= cut else 15.0))
                height = 0.0 if fired[-1] else height
            assert raster[:, k].tolist() == fired


def test_a_rate_changes_at_its_step():
    made = Network(seed=1)
    beat = made.add(RegularInput(1, rate=100.0, label="beat"))
    cells = made.add(Population(1, LIF(), label="cells"))
    made.add(Projection(beat, cells, AllToAll(), weight=0.1))
    device = open_model(made)
    device.record("beat")
    device.schedule(40.0, rates={beat: 250.0})
    (steps,) = np.nonzero(device.run(100.0).raster("beat")[:, 0])
    # A regular generator adds its rate in each step: every tenth, and then every fourth step.
    assert set(np.diff(steps[steps < 40])) == {10}
    assert set(np.diff(steps[steps >= 44])) == {4}
    assert len(steps) == pytest.approx(4 + 15, abs=1)


def test_an_amplitude_changes_at_its_step():
    made = Network(seed=1)
    cells = made.add(Population(1, LIF(tau_syn_E=0.0, tau_syn_I=0.0), label="cells"))
    source = made.add(InputPopulation(1, label="in"))
    rule = STDP(A_plus=0.2, A_minus=0.0, w_min=-8.0, w_max=8.0)
    made.add(Projection(source, cells, AllToAll(), weight=0.0, plasticity=rule, label="w"))
    device = open_model(made)
    device.inject("in", [(5.0, 0), (205.0, 0)])
    device.inject("cells", [(8.0, 0), (208.0, 0)])
    device.schedule(208.0, rules={"w": {"A_plus": -0.1}})
    weights = device.run(300.0, weights={"w": 100.0}).weights("w").values[:, 0, 0]
    pair = 16.0 * np.exp(-3.0 / 20.0)
    assert weights.tolist() == pytest.approx([0.0, 0.2 * pair, 0.2 * pair, 0.1 * pair], abs=0.15)


def test_chunks_of_a_stimulus_go_on_over_a_change():
    def chunks():
        for row in range(0, STEPS, 7):
            asked.append(row)
            yield {"kicks": RASTER[row : row + 7]}

    def run(stimulus):
        device = connect("model", IMAGE)
        for cut in (3.0, 21.0, 40.0):
            device.schedule(cut, rates={"noise": 20.0 + cut})
        if stimulus is None:
            device.inject("kicks", RASTER)
        return device.run(60.0, stimulus=stimulus).raster("cells").tolist(), device

    asked = []
    streamed, device = run(chunks())
    whole, other = run(None)
    assert streamed == whole
    # No more is taken than the run needs: up to the chunk that reaches its end.
    assert max(asked) <= 63
    other.schedule(0.0, learning=True)
    assert device.run(2.0).raster("cells").shape == other.run(2.0).raster("cells").shape


@pytest.mark.parametrize("kind", ["neurons", "rules", "rates"])
def test_what_is_presented_stays_while_its_rates_change(kind):
    def presented(device, steps):
        return device.present({"noise": 150.0}, steps, rest=6.0)["cells"].tolist()

    with connect("model", IMAGE) as device, connect("model", IMAGE) as other:
        device.schedule(20.0, **SETTINGS[kind])
        counts = presented(device, 40.0)
        if kind == "rates":
            other.schedule(20.0, rates={"beat": SETTINGS["rates"]["rates"]["beat"]})
            assert presented(other, 40.0) == counts
            other.set_rates("noise", 190.0)
        else:
            with_hand = other
            with_hand.present({"noise": 150.0}, 20.0)
            BY_HAND[kind](with_hand, SETTINGS[kind][kind])
        if kind == "rates":
            assert device.snapshot().digest() == other.snapshot().digest()
        else:
            before = connect("model", IMAGE).present({"noise": 150.0}, 20.0)["cells"]
            assert (before + presented(other, 20.0)).tolist() == counts


def test_single_steps_take_changes_too():
    with connect("model", IMAGE) as device, connect("model", IMAGE) as other:
        device.schedule(2.0, offsets={"cells": 1.5})
        fired = [device.step()["cells"].tolist() for _ in range(20)]
        mine = [other.step()["cells"].tolist() for _ in range(2)]
        other.set_offset("cells", 1.5)
        assert mine + [other.step()["cells"].tolist() for _ in range(18)] == fired
        assert any(fired)


@pytest.mark.parametrize("call", ["records", "write"])
def test_an_interruption_leaves_changes_that_are_not_yet_due(call):
    """Wherever a run over three changes is cut short, it goes on to the same end."""
    wanted = None
    for countdown in (0, *range(1, 40)):
        device = Device(BreakingPort(IMAGE.params))
        device.load(IMAGE)
        device.inject("kicks", RASTER)
        for cut, kind in ((11.0, "neurons"), (40.0, "rates"), (40.0, "rules")):
            device.schedule(cut, **SETTINGS[kind])
        if not countdown:
            spikes = device.run(60.0).raster("cells").tolist()
            wanted = spikes, device.snapshot().digest()
            continue
        device.port.break_at(call, countdown, KeyboardInterrupt())
        spikes = []
        try:
            spikes = device.run(60.0).raster("cells").tolist()
        except KeyboardInterrupt:
            last = device.last_recording
            spikes = [] if last is None else last.raster("cells").tolist()
            assert len(spikes) == device.time
            spikes += device.run(60.0 - device.time).raster("cells").tolist() if device.time < 60.0 else []
        assert (spikes, device.snapshot().digest()) == wanted


def test_what_no_longer_fits_is_told_and_dropped():
    device = connect("model", IMAGE)
    device.schedule(10.0, neurons={"cells": {"v_reset": -56.0}})
    device.set_neurons("cells", v_thresh=-60.0)
    with pytest.raises(
        ParameterError, match="neurons of 'cells' that was scheduled for 10 ms cannot be made"
    ):
        device.run(30.0)
    assert device.time == device.last_recording.steps == 10
    assert device.run(20.0).steps == 20


def test_a_load_a_reset_and_a_restore_drop_what_is_not_yet_due():
    device = connect("model", IMAGE)
    taken = device.snapshot()
    for drop in (lambda: device.load(IMAGE), device.reset, lambda: device.restore(taken)):
        device.schedule(5.0, offsets={"cells": 1.0})
        drop()
        digest = device.snapshot().digest()
        device.restore(taken)
        device.run(10.0)
        assert device._session.neuron_fields(IMAGE.populations["cells"])["bias"].max() < 10
        assert digest


@pytest.mark.parametrize("source", TARGETS)
@pytest.mark.parametrize("target", TARGETS)
def test_changes_that_wait_go_on_from_a_snapshot_on_every_target(source, target, tmp_path):
    """All kinds wait: behind, before and beside each other; with one number, and with one for each."""
    with opened("model") as device:
        for time, settings in WAITING:
            device.schedule(time, **settings)
        whole = results(device, [device.run(float(STEPS))])
    with opened(source) as device:
        for time, settings in WAITING:
            device.schedule(time, **settings)
        before = device.run(float(CUT))
        device.snapshot(tmp_path / "a.snap")
        assert results(device, [before, device.run(float(STEPS - CUT))]) == whole
    with connect(target, IMAGE) as device:
        device.restore(tmp_path / "a.snap")
        assert device.snapshot().digest() == Snapshot.load(tmp_path / "a.snap").digest()
        assert results(device, [before, device.run(float(STEPS - CUT))]) == whole


def test_every_change_that_waits_decides_what_comes(tmp_path):
    with opened("model") as device:
        for time, settings in WAITING:
            device.schedule(time, **settings)
        device.run(float(CUT))
        taken = device.snapshot(tmp_path / "a.snap")
    assert [change.kind for change in taken.changes] == ["offsets", "rules", "rates", "rates", "neurons"]

    def future(changes):
        with connect("fast", IMAGE) as device:
            device.restore(replace(taken, changes=changes))
            return results(device, [device.run(float(STEPS - CUT))])

    whole = future(Snapshot.load(tmp_path / "a.snap").changes)
    for k, change in enumerate(taken.changes):
        rest = taken.changes[:k] + taken.changes[k + 1 :]
        assert future(rest) != whole, change
        assert replace(taken, changes=rest).digest() != taken.digest()
        later = (*rest[:k], change._replace(step=change.step + 1), *rest[k:])
        assert replace(taken, changes=later).digest() != taken.digest()


@pytest.mark.parametrize("way", ["logged", "restored"])
def test_a_log_that_begins_while_changes_wait_has_each_once(way, tmp_path):
    """It has them where they are made; a replay that made those of the snapshot, too, would differ."""
    path = tmp_path / "run.log"
    with opened("model") as device:
        for time, settings in WAITING:
            device.schedule(time, **settings)
        device.run(float(CUT))
        taken = device.snapshot()
        with device.logged(path):
            if way == "restored":
                device.restore(taken)
            # What was set by hand after the change was scheduled, and before it is due.
            device.set_offset("cells", 0.05)
            device.run(float(STEPS - CUT))
    for target in TARGETS:
        done = replay(path, target)
        assert done.agrees
        assert done.runs > 3


def test_changes_of_an_interrupted_run_wait_in_a_snapshot():
    def chunks():
        yield {"kicks": RASTER[:25]}
        raise KeyboardInterrupt

    with connect("model", IMAGE) as device, connect("fast", IMAGE) as other:
        for time, kind in ((10.0, "neurons"), (60.0, "rates")):
            device.schedule(time, **SETTINGS[kind])
        with pytest.raises(KeyboardInterrupt):
            device.run(float(STEPS), stimulus=chunks())
        taken = device.snapshot()
        assert [change.step for change in taken.changes] == [60, 60]
        other.restore(taken)
        rest = STEPS - device.time
        assert (device.run(rest).raster("cells") == other.run(rest).raster("cells")).all()
        assert device.snapshot().digest() == other.snapshot().digest()


def test_a_paced_run_is_not_divided():
    device = connect("model", IMAGE)
    device.schedule(5.0, rates={"noise": 30.0})
    with pytest.raises(ParameterError, match="scheduled for 5 ms: leave out paced"):
        device.run(8.0, paced=True)
    assert device.time == 0.0
    device.run(5.0, paced=True)
    assert device.run(3.0, paced=True).steps == 3


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({}, ParameterError, "schedule needs a setting"),
        ({"rates": {}}, ParameterError, "rates must be a mapping"),
        ({"rates": 30.0}, ParameterError, "such as {'in': 40.0}, not 30"),
        ({"rates": {"kicks": 1.0}}, NetworkError, "no generators"),
        ({"rates": {"noise": -1.0}}, ParameterError, "hz must be"),
        ({"rates": {"noise": 1.0}, "learning": "yes"}, ParameterError, "learning"),
        (
            {"rates": {"noise": 30.0, "beat": [1.0] * 3}},
            ParameterError,
            "rates of 'beat': hz must be .* length 2",
        ),
        (
            {"offsets": {"cells": [0.1] * 7}},
            ParameterError,
            "offsets of 'cells': current must be .* length 8",
        ),
        ({"neurons": {"cells": {}}}, ParameterError, "neurons of 'cells': .* needs a parameter"),
        ({"neurons": {"cells": {"v_thresh": None}}}, ParameterError, "of 'cells': v_thresh must be"),
        ({"rules": {"w": {"A_plus": [0.1]}}}, ParameterError, "rules of 'w': A_plus must be one number"),
        ({"rates": [("noise", 3.0)]}, ParameterError, "rates must be a mapping from what changes"),
        ({"offsets": {"cells": 1e300}}, ParameterError, "currents of 'cells' must be in"),
        ({"offsets": {"nobody": 1.0}}, NetworkError, "nobody"),
        ({"neurons": {"cells": -40.0}}, ParameterError, "neurons of 'cells' must be a mapping of parameters"),
        ({"neurons": {"cells": {"tau_m": 1.0}}}, ParameterError, "cannot be changed"),
        ({"neurons": {"cells": {1: 1.0}}}, ParameterError, "mapping of parameters"),
        ({"rules": {"w": {}}}, ParameterError, "needs a parameter"),
        ({"rules": {(): {"A_plus": 0.1}}}, ParameterError, "empty sequence"),
        ({"rules": {"w": {"A_plus": np.nan}}}, ParameterError, "A_plus must be"),
    ],
)
def test_a_wrong_change_is_refused_when_it_is_scheduled(change, error, message):
    device = connect("model", IMAGE)
    before = device.snapshot().digest()
    with pytest.raises(error, match=message):
        device.schedule(3.0, **change)
    with pytest.raises(ParameterError, match="time"):
        device.schedule(-1.0, offsets={"cells": 0.1})
    assert device.snapshot().digest() == before


def test_ten_thousand_changes_are_scheduled_in_the_time_of_ten_times_a_thousand():
    """Another rate for every step of a long run, without a look at all that wait already in each call."""

    def seconds(calls):
        device = connect("fast", IMAGE)
        begun = time.process_time()
        for call in range(calls):
            device.schedule(float(call), rates={"noise": 30.0})
        return time.process_time() - begun

    assert seconds(10_000) < 2.5 * 10 * seconds(1_000)


def test_values_are_those_of_the_call():
    """What the caller does to an array afterwards changes nothing."""
    ends = []
    for later in (0.0, 0.3):
        current, threshold = np.full(8, 0.5), np.full(8, -52.0)
        device = connect("model", IMAGE)
        device.schedule(3.0, offsets={"cells": current}, neurons={"cells": {"v_thresh": threshold}})
        current += later
        threshold += later
        device.run(20.0)
        ends.append(device.snapshot().digest())
    assert ends[0] == ends[1]
