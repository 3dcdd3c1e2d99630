"""Ctrl-C anywhere: an exception at every line of a call, and signals at any moment of it.

After each the next calls work, or say that the image must be loaded again; nothing hangs; what the device
does is what the caller last asked for.
"""

import os
import signal
import threading

import interrupting
import numpy as np
import pytest
from interrupting import AtLine, Cut, others_may_call, wants_a_load
from small_networks import delta_cell

from synloom import (
    STDP,
    AllToAll,
    ArrayLostError,
    Device,
    DeviceError,
    InputPopulation,
    Network,
    PoissonInput,
    Population,
    Projection,
    compile,
    replay,
)
from synloom.base import signals
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom.contract.registers import Mode
from synloom.device.loader import read_register
from synloom_sim.model_port import ModelPort

INPUTS, STEPS = 8, 40


def plastic():
    network = Network(seed=3)
    source = network.add(InputPopulation(INPUTS, label="in"))
    target = network.add(Population(INPUTS, delta_cell(), label="out"))
    rule = STDP(A_plus=0.05, A_minus=0.02, w_max=20.0)
    network.add(Projection(source, target, AllToAll(), weight=10.0, plasticity=rule, label="plastic"))
    return network


IMAGE = compile(plastic())


def new_device():
    device = Device(ModelPort(IMAGE.params))
    device.load(IMAGE)
    return device


def cut(k, call, *arguments, **options):
    """Cut a call at its k-th line; return whether it was over before, and the injector."""
    at = AtLine(k)
    return interrupting.cut(at, call, *arguments, **options), at


def expected_after(raster, learning):
    """Spike counts of the whole of a run, of a device that nobody interrupted."""
    device = new_device()
    device.set_learning(learning)
    device.inject("in", raster)
    return device.run(float(STEPS)).raster("out")


def check_works(device, wanted_learning):
    """Let the device work, or say that it must be loaded; return whether it worked."""

    def work():
        assert device.time >= 0
        learning = device._session.mode(Mode.LEARN)
        assert learning == bool(read_register(device.port, "mode") & 1)
        if wanted_learning is not None:
            assert learning == wanted_learning
        device.run(5.0)
        device.read_weights("plastic")

    if not wants_a_load(work):
        return True
    device.load(IMAGE)
    device.run(5.0)
    return False


def every_line(call, prepare=lambda device: None, after=lambda device: None, stride=1):
    """Cut `call` at each of its lines; return how often the device went on and how often it wants a load."""
    went_on = wants = k = 0
    while True:
        device = new_device()
        prepare(device)
        finished, at = cut(k, call, device)
        if finished and at.lines <= k:
            return went_on, wants
        assert not finished, f"the interruption at {at.where} was swallowed"
        if check_works(device, None):
            went_on += 1
            after(device)
        else:
            wants += 1
        assert others_may_call(device.counters), at.where
        k += stride


def test_reads_are_left_at_any_line():
    went_on, wants = every_line(lambda device: device.read_weights("plastic"))
    assert went_on > 20
    assert wants == 0


@pytest.mark.parametrize("on", [False, True])
def test_learning_is_what_was_asked_for_last(on):
    def ask_again(device):
        device.set_learning(on)
        assert bool(read_register(device.port, "mode") & 1) is on
        device.set_learning(not on)
        assert bool(read_register(device.port, "mode") & 1) is not on

    went_on, wants = every_line(
        lambda device: device.set_learning(on), lambda device: device.set_learning(not on), ask_again
    )
    assert went_on > 8
    assert wants == 0


def test_parameters_are_what_the_array_has():
    def change(device):
        device.set_neurons("out", v_thresh=-45.0)
        device.set_rule("plastic", A_plus=0.03)

    def held(device):
        segments = device.snapshot().memories["program"]
        segments = memory_of(IMAGE.params, Region.PROGRAM).unpack(segments)
        neurons = memory_of(IMAGE.params, Region.NEURON_PARAMS).unpack(
            device.snapshot().memories["neuron_params"]
        )
        ups = (segments["plastic"] == 1) & (segments["a_negative"] == 0)
        return segments["a"][ups].tolist(), neurons["thr"].tolist()

    def keeps(device):
        # A change of something else leaves in the array what is there.
        before = held(device)
        device.set_rule("plastic", A_minus=0.01)
        device.set_neurons("out", tau_refrac=3.0)
        assert held(device) == before
        seen.add(str(before))

    seen = set()
    went_on, wants = every_line(change, after=keeps)
    assert went_on > 50
    assert wants == 0
    assert len(seen) == 3


def test_shown_rates_end_whatever_happened():
    # A presentation of another rate, then a run at the population's own: the array has that one again.
    network = Network(seed=3)
    source = network.add(PoissonInput(INPUTS, rate=50.0, label="noise"))
    network.add(
        Projection(source, network.add(Population(2, delta_cell(), label="out")), AllToAll(), weight=1.0)
    )
    image = compile(network)

    def rates(device):
        return device.port.read(Region.GEN_RATE, 0, INPUTS).tolist()

    k, cuts = 0, 0
    while True:
        device = Device(ModelPort(image.params))
        device.load(image)
        own = rates(device)
        finished, at = cut(k, device.present, {"noise": 400.0}, 4.0, rest=2.0)
        if finished and at.lines <= k:
            break
        cuts += 1
        if not wants_a_load(device.run, 2.0):
            assert rates(device) == own, at.where
        k += 1
    assert cuts > 200


@pytest.mark.parametrize("call", ["set_learning", "write_weights", "step", "run", "set_rule", "reset"])
def test_a_log_replays_after_an_interruption_at_any_line(call, tmp_path):
    calls = {
        "set_learning": lambda device: device.set_learning(False),
        "write_weights": lambda device: device.write_weights("plastic", np.full((INPUTS, INPUTS), 3.0)),
        "step": lambda device: device.step({"in": [1]}),
        "run": lambda device: device.run(6.0),
        "set_rule": lambda device: device.set_rule("plastic", A_plus=0.03),
        "reset": lambda device: device.reset(),
    }
    k, cuts = 0, 0
    while True:
        path = tmp_path / f"{k}.log"
        device = new_device()
        with device.logged(path):
            device.inject("in", [(3.0 * t, t % INPUTS) for t in range(12)])
            device.run(5.0)
            finished, at = cut(k, calls[call], device)
            wants_a_load(device.run, 9.0)
        if finished and at.lines <= k:
            break
        cuts += 1
        done = replay(path, "model")
        assert done.agrees, (at.where, str(done))
        k += 1 if call in ("set_learning", "set_rule") else 7
    assert cuts > 8


def test_a_run_that_did_not_begin_leaves_no_recording_of_another():
    k, kept = 0, 0
    while True:
        device = new_device()
        device.inject("out", [(2.0, 1)])  # the first run has a spike, the second none
        assert device.run(6.0).counts("out").sum() == 1
        finished, at = cut(k, device.run, 4.0)
        if finished and at.lines <= k:
            break
        last = device.last_recording
        if last is not None:
            kept += 1
            # Before the call began, the first run is still the last one.
            assert last.counts("out").sum() == int(last.first == 0), at.where
            assert last.raster("out").sum() == int(last.first == 0), at.where
        k += 1
    assert kept > 10


def test_recorders_are_in_the_array_before_the_next_run():
    def still_records(device):
        before = device.run(5.0)
        device.record("out", "v", [1])
        recording = device.run(5.0)
        assert recording.series[("out", "v")].values.shape[0] == 5
        assert before.raster("out").shape == recording.raster("out").shape

    went_on, wants = every_line(lambda device: device.record("out", "v", [0]), after=still_records)
    assert went_on > 20
    assert wants == 0


def test_a_presentation_is_left_at_any_line_and_the_next_run_records():
    raster = np.random.default_rng(1).random((STEPS, INPUTS)) < 0.2

    def next_run_records(device):
        device.reset("all")
        device.inject("in", raster)
        assert (device.run(float(STEPS)).raster("out") == whole).all()

    whole = expected_after(raster, True)
    assert whole.any()
    went_on, wants = every_line(
        lambda device: device.present({"in": raster}, float(STEPS)), after=next_run_records, stride=7
    )
    assert went_on + wants > 20
    assert went_on > wants


def test_a_load_is_left_at_any_line():
    went_on, wants = every_line(lambda device: device.load(IMAGE), stride=5)
    assert went_on > 2
    assert wants > 2


def test_a_snapshot_is_left_at_any_line_and_nothing_changed():
    def prepare(device):
        device.run(7.0)

    def same(device):
        assert device.run(5.0).raster("out").tobytes() == wanted

    alone = new_device()
    prepare(alone)
    alone.run(5.0)  # that of `check_works`
    wanted = alone.run(5.0).raster("out").tobytes()
    went_on, wants = every_line(lambda device: device.snapshot(), prepare, same, stride=7)
    assert went_on > 20
    assert wants == 0


def test_a_restore_is_left_at_any_line_and_is_never_half_done():
    source = new_device()
    source.set_learning(False)
    source.inject("in", np.random.default_rng(1).random((STEPS, INPUTS)) < 0.2)
    source.run(11.0)
    taken = source.snapshot()
    before = new_device().snapshot().digest()
    results = {"before": 0, "after": 0, "loads": 0}
    for k in range(0, 1 << 20, 11):
        device = new_device()
        finished, at = cut(k, device.restore, taken)
        if finished and at.lines <= k:
            break
        try:
            digest = device.snapshot().digest()
        except DeviceError as error:
            digest, said = None, str(error)
        if digest is None:
            assert "call device.load" in said
            results["loads"] += 1
        else:
            assert digest in (before, taken.digest()), at.where
            results["before" if digest == before else "after"] += 1
        device.restore(taken)
        assert device.snapshot().digest() == taken.digest()
    assert results["before"] > 3
    assert results["loads"] > 10


def test_a_run_is_left_at_any_line_and_its_records_and_inputs_stay():
    raster = np.random.default_rng(1).random((STEPS, INPUTS)) < 0.2
    whole = expected_after(raster, True)
    k, begun = 0, 0
    while True:
        device = new_device()
        device.inject("in", raster)
        finished, at = cut(k, device.run, float(STEPS))
        if finished and at.lines <= k:
            break
        now, last = round(device.time), device.last_recording
        assert (last.steps if last else 0) == now, at.where
        if now:
            begun += 1
            assert (last.raster("out") == whole[:now]).all(), at.where
        rest = device.run(float(STEPS - now)).raster("out")
        assert (rest == whole[now:]).all(), at.where
        k += 3
    assert begun > 20


class Torn(ModelPort):
    """A model that is cut short within a step."""

    countdown = -1
    fault: BaseException = Cut()

    def __init__(self, params):
        super().__init__(params)
        step = self.model.step

        def torn():
            self.countdown -= 1
            if self.countdown == 0:
                raise self.fault
            return step()

        self.model.step = torn


@pytest.mark.parametrize("fault", [Cut(), ZeroDivisionError(), MemoryError()])
@pytest.mark.parametrize("after", ["run", "read_weights", "load"])
def test_an_array_that_is_cut_short_within_a_step_says_that_it_is_empty(after, fault):
    device = Device(Torn(IMAGE.params))
    device.load(IMAGE)
    device.port.countdown, device.port.fault = 7, fault
    with pytest.raises(ArrayLostError, match=f"interrupted by {type(fault).__name__} while") as raised:
        device.run(20.0)
    assert raised.value.__context__ is fault
    if after != "load":
        for _ in range(2):
            with pytest.raises(DeviceError, match=r"call device\.load"):
                getattr(device, after)(*{"run": (5.0,), "read_weights": ("plastic",)}[after])
    device.load(IMAGE)
    assert device.run(20.0).steps == 20


def test_an_array_that_was_lost_is_restored():
    device = Device(Torn(IMAGE.params))
    device.load(IMAGE)
    device.inject("in", np.ones((30, INPUTS), dtype=bool))
    device.run(3.0)
    taken = device.snapshot()
    device.port.countdown = 7
    with pytest.raises((Cut, ArrayLostError)):
        device.run(20.0)
    device.restore(taken)
    assert device.snapshot().digest() == taken.digest()
    assert device.run(20.0).raster("out").any()


# ---- signals -----------------------------------------------------------------------------------


@pytest.fixture
def handler():
    """SIGINT raises, as it does in a program of one's own; what it was comes back."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Signalling(ModelPort):
    """A model that gets a signal within a call."""

    send_at = None

    def _maybe(self, what):
        if self.send_at == what:
            self.send_at = None
            os.kill(os.getpid(), signal.SIGINT)

    def write(self, region, offset, values):
        self._maybe("before write")
        super().write(region, offset, values)
        self._maybe("write")

    def records(self, timeout):
        records = super().records(timeout)
        self._maybe("records")
        return records


def signalled(at):
    device = Device(Signalling(IMAGE.params))
    device.load(IMAGE)
    device.port.send_at = at
    return device


@pytest.mark.usefixtures("handler")
@pytest.mark.parametrize("at", ["before write", "write"])
def test_a_signal_waits_for_the_end_of_a_write(at):
    device = signalled(at)
    with pytest.raises(KeyboardInterrupt):
        device.set_learning(False)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert read_register(device.port, "mode") & 1 == 0
    device.set_learning(True)
    assert read_register(device.port, "mode") & 1 == 1


@pytest.mark.usefixtures("handler")
def test_a_run_that_a_signal_cuts_short_keeps_its_records():
    raster = np.random.default_rng(1).random((5000, INPUTS)) < 0.2
    alone = new_device()
    alone.inject("in", raster)
    whole = alone.run(5000.0).raster("out")
    device = signalled(None)
    device.inject("in", raster)
    device.port.send_at = "records"
    with pytest.raises(KeyboardInterrupt):
        device.run(5000.0)
    first = device.last_recording
    assert 0 < first.steps < 5000
    assert first.duration == device.time
    rest = device.run(5000.0 - device.time)
    assert (np.concatenate([first.raster("out"), rest.raster("out")]) == whole).all()
    with pytest.raises(DeviceError, match="cost of a run that was cut short"):
        _ = first.cost


class Impatient(ModelPort):
    """A model that gets some signals in the middle of a step."""

    def __init__(self, params):
        super().__init__(params)
        self.signals_in_step = {}
        step, self.steps = self.model.step, 0

        def interrupted():
            self.steps += 1
            fired = step()
            for _ in range(self.signals_in_step.get(self.steps, 0)):
                os.kill(os.getpid(), signal.SIGINT)
                sum(range(10))  # where the handler may run
            return fired

        self.model.step = interrupted


@pytest.mark.usefixtures("handler")
@pytest.mark.parametrize("times", [{9: 1}, {9: 2}, {9: 1, 10: 1}, {9: 3}])
def test_more_signals_wait_for_the_end_of_a_step_and_the_device_goes_on(times):
    raster = np.random.default_rng(1).random((STEPS, INPUTS)) < 0.2
    whole = expected_after(raster, True)
    device = Device(Impatient(IMAGE.params))
    device.load(IMAGE)
    device.inject("in", raster)
    device.port.signals_in_step = times
    with pytest.raises(KeyboardInterrupt):
        device.run(float(STEPS))
    first = device.last_recording
    assert 9 <= first.steps == device.time
    got = [first.raster("out")]
    if first.steps < STEPS:
        got.append(device.run(STEPS - device.time).raster("out"))
    assert (np.concatenate(got) == whole).all()


@pytest.mark.usefixtures("handler")
def test_a_fourth_signal_waits_for_nothing():
    device = Device(Impatient(IMAGE.params))
    device.load(IMAGE)
    device.port.signals_in_step = {9: 4}
    with pytest.raises(ArrayLostError, match="interrupted by KeyboardInterrupt"):
        device.run(float(STEPS))
    with pytest.raises(DeviceError, match=r"call device\.load"):
        device.run(1.0)
    device.load(IMAGE)
    assert device.run(5.0).steps == 5


@pytest.mark.usefixtures("handler")
def test_a_second_signal_does_not_wait():
    signals.hold()
    try:
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        signals.release()


@pytest.mark.usefixtures("handler")
def test_an_ignored_signal_stays_ignored_and_other_threads_are_left_alone():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signals.hold()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    signals.release()
    seen = []

    def work():
        signals.hold()
        seen.append(signal.getsignal(signal.SIGTERM))
        signals.release()

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
