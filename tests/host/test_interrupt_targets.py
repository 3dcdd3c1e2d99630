"""An exception at any line of a call, on every target: the next call works, or says that it needs a load.

What works has the bits of the model: nothing is lost, nothing comes twice, nothing is half done.
"""

import random
from contextlib import contextmanager

import numpy as np
import pytest
from forked import forked
from interrupting import AtNth, Lines, cut, firsts, once, others_may_call, wants_a_load

from synloom import (
    LIF,
    STDP,
    AllToAll,
    ArrayLostError,
    Device,
    InputPopulation,
    Network,
    PoissonInput,
    Population,
    Projection,
    compile,
)
from synloom.contract.records import END_WORD
from synloom.contract.regions import Region
from synloom.contract.registers import Mode
from synloom.device.loader import read_register
from synloom.device.targets import connect
from synloom.link import LinkPort, SerialTransport
from synloom.link.assembly import RecordAssembly
from synloom_sim.board import Design, SimTransport
from synloom_sim.model_port import ModelPort
from synloom_sim.soak.served import served, served_board
from synloom_sim.soak.session import PARAMS, image
from synloom_sim.soak.watchdog import Watchdog

pytestmark = pytest.mark.filterwarnings("ignore::synloom.SynloomWarning")
IN_PROCESS, BOARDS = ("model", "fast"), ("sim", "pty")
IMAGE, STEPS, SHORT = image(), 24, 5


def other_image():
    """Return an image with the same names at other places."""
    network = Network(seed=8)
    kicks = network.add(InputPopulation(8, label="kicks"))
    noise = network.add(PoissonInput(10, rate=80.0, label="noise"))
    cells = network.add(Population(20, LIF(), label="cells"))
    rule = STDP(A_plus=0.02, A_minus=0.05, w_max=3.0)
    network.add(Projection(noise, cells, AllToAll(), weight=1.5, plasticity=rule, label="learns"))
    network.add(Projection(kicks, cells, AllToAll(), weight=2.5, label="drives"))
    return compile(network, PARAMS)


OTHER = other_image()
RNG = np.random.default_rng(3)
RASTER = RNG.random((STEPS, 8)) < 0.3
SAMPLE, FEW = 24, 6
"""Lines of each call that the short form cuts on a board; and of those that write as others do."""
CASE_S = 60.0


@contextmanager
def opened(target):
    if target == "sim":
        with Device(LinkPort(SimTransport.build(Design(PARAMS)), timeout=0.05)) as device:
            yield device
    elif target == "pty":
        with served_board() as path, connect(path) as device:
            yield device
    else:
        with connect(target, PARAMS) as device:
            yield device


def finished(device, steps=STEPS):
    """Run on with inputs, recorded; return spikes and weights."""
    device.inject("kicks", RASTER[:steps])
    return device.run(float(steps)).raster("cells"), device.read_weights("learns")


def same(one, other):
    return all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(one, other, strict=True))


def on_the_model(prepare, *rest):
    with Device(ModelPort(PARAMS)) as device:
        device.load(IMAGE)
        prepare(device)
        return finished(device, *rest)


def goes_on_as_the_model(device):
    """Compare what comes with what the model makes of the device's own snapshot."""
    device.run(1.0)  # what was left over ends here
    taken = device.snapshot()
    assert (taken.memories["gen_rate"][: len(taken.rates)] == taken.rates).all()
    with Device(ModelPort(PARAMS)) as model:
        model.restore(taken)
        assert same(finished(device, SHORT), finished(model, SHORT))


class Call:
    """A call of a device, what comes before it, and what must be true after it was cut short."""

    def prepare(self, device):
        pass

    def make(self, device):
        raise NotImplementedError

    def judge(self, device):
        goes_on_as_the_model(device)


class Read(Call):
    """The weights are there, and were not changed."""

    wanted = on_the_model(lambda device: None, SHORT)

    def make(self, device):
        device.read_weights("learns")

    def judge(self, device):
        assert same(finished(device, SHORT), self.wanted)


class SetLearning(Call):
    """Learning is on or off, as the host knows, and then as it is asked."""

    on = on_the_model(lambda device: device.set_learning(True), SHORT)
    off = on_the_model(lambda device: device.set_learning(False), SHORT)

    def make(self, device):
        device.set_learning(False)

    def judge(self, device):
        on = device._session.mode(Mode.LEARN)
        assert on == bool(read_register(device.port, "mode") >> Mode.LEARN & 1)
        assert same(finished(device, SHORT), self.on if on else self.off)
        for asked in (True, False):
            device.set_learning(asked)
            assert bool(read_register(device.port, "mode") >> Mode.LEARN & 1) is asked


class Present(Call):
    """Rates are the network's again, and spikes are recorded."""

    def make(self, device):
        device.present({"kicks": RASTER[:6], "noise": 180.0}, 8.0, rest=2.0)

    def judge(self, device):
        goes_on_as_the_model(device)
        assert (device.port.read(Region.GEN_RATE, 0, len(IMAGE.gen_rate)) == IMAGE.gen_rate).all()
        before = device.counters()["spikes"]
        spikes = finished(device, 10)[0].sum()
        assert spikes == device.counters()["spikes"] - before > 0


class Load(Call):
    """The image is there as a whole."""

    wanted = Read.wanted

    def prepare(self, device):
        device.set_learning(False)
        device.set_rates("noise", 10.0)
        device.run(4.0)

    def make(self, device):
        device.load(IMAGE)

    def judge(self, device):
        if device.time == 4.0:  # it had not begun
            goes_on_as_the_model(device)
        else:
            assert same(finished(device, SHORT), self.wanted)


class LoadOther(Call):
    """The image that the device names is the one that is there."""

    wanted = on_the_model(lambda device: device.load(OTHER), SHORT)

    def prepare(self, device):
        device.run(4.0)

    def make(self, device):
        device.load(OTHER)

    def judge(self, device):
        if device.image.digest() == OTHER.digest():
            assert same(finished(device, SHORT), self.wanted)
        else:
            assert device.time == 4.0
            goes_on_as_the_model(device)


class Run(Call):
    """Records so far and records of the rest are those of the whole; so are the weights."""

    wanted = on_the_model(lambda device: None)

    def prepare(self, device):
        device.record("cells", "v", [0, 5])
        device.inject("kicks", RASTER)

    def make(self, device):
        device.run(float(STEPS))

    def judge(self, device):
        spikes, weights = self.wanted
        now, last = round(device.time), device.last_recording
        assert (last.steps if last is not None else 0) == now
        if now:
            assert last.raster("cells").tolist() == spikes[:now].tolist()
            assert len(last.values("cells", "v")) == now
        if now < STEPS:
            assert device.run(float(STEPS - now)).raster("cells").tolist() == spikes[now:].tolist()
        assert same([device.read_weights("learns")], [weights])


def three_changes(device):
    device.schedule(7.0, neurons={"cells": {"v_thresh": -53.0}})
    device.schedule(15.0, rates={"noise": 150.0}, rules={"learns": {"A_plus": 0.01}})


class RunDivided(Run):
    """The same for a run in which rates, thresholds and a rule change, each at its step."""

    wanted = on_the_model(three_changes)

    def prepare(self, device):
        super().prepare(device)
        three_changes(device)


class WriteWeights(Call):
    """All weights are the old ones, or all the new ones."""

    old = Device(ModelPort(PARAMS))
    old.load(IMAGE)
    old = old.read_weights("holds")
    new = np.where(np.isnan(old), np.nan, -0.25)

    def make(self, device):
        device.write_weights("holds", self.new)

    def judge(self, device):
        weights = device.read_weights("holds")
        assert any(np.allclose(weights, each, rtol=0.02, equal_nan=True) for each in (self.old, self.new))
        goes_on_as_the_model(device)


class SetNeurons(Call):
    """All neurons have the old threshold, or all the new one."""

    def make(self, device):
        device.set_neurons("cells", v_thresh=-51.0, tau_refrac=3.0)

    def judge(self, device):
        device.counters()
        fields = device._session.neuron_fields(IMAGE.populations["cells"])
        assert all(len(set(fields[name].tolist())) == 1 for name in ("thr", "refractory"))
        goes_on_as_the_model(device)


class SetOffset(Call):
    """All neurons have the old current, or all the new one."""

    def make(self, device):
        device.set_offset("cells", 0.2)

    def judge(self, device):
        device.counters()
        fields = device._session.neuron_fields(IMAGE.populations["cells"])
        assert len(set(fields["bias"].tolist())) == 1
        goes_on_as_the_model(device)


class SetRule(Call):
    """Both sides of the rule are the old ones, or both the new ones."""

    def make(self, device):
        device.set_rule("learns", A_plus=0.01, A_minus=0.03)

    def judge(self, device):
        device.counters()
        segments = device._session.segment_fields()
        assert segments["a"][segments["plastic"] == 1].tobytes() in self.amplitudes
        goes_on_as_the_model(device)

    @staticmethod
    def _amplitudes(prepare):
        with Device(ModelPort(PARAMS)) as device:
            device.load(IMAGE)
            prepare(device)
            segments = device._session.segment_fields()
            return segments["a"][segments["plastic"] == 1].tobytes()

    def prepare(self, device):
        self.amplitudes = [self._amplitudes(change) for change in (lambda device: None, self.make)]
        assert len(set(self.amplitudes)) == 2


class SetRates(Call):
    """The rates are the old ones or the new ones, and stay."""

    def make(self, device):
        device.set_rates("noise", np.linspace(20.0, 170.0, 12))

    def judge(self, device):
        goes_on_as_the_model(device)
        own = device._session.rates.own
        assert (device.port.read(Region.GEN_RATE, 0, len(own)) == own).all()


class Schedule(Call):
    """All of it waits, or nothing; what the array switches itself is no exception."""

    def make(self, device):
        device.schedule(2.0, learning=False, rates={"noise": 150.0}, neurons={"cells": {"v_thresh": -53.0}})

    def judge(self, device):
        session = device._session
        assert (len(session.changes), len(session.queue.settings(STEPS))) in ((0, 0), (2, 1))
        device.run(3.0)
        goes_on_as_the_model(device)


class TakeSnapshot(Call):
    """Nothing was changed."""

    wanted = on_the_model(lambda device: None, SHORT)

    def make(self, device):
        device.snapshot()

    def judge(self, device):
        assert same(finished(device, SHORT), self.wanted)


class Restore(Call):
    """All is there that the snapshot has, spikes and changes that wait included; or what was there before."""

    def prepare(self, device):
        with Device(ModelPort(PARAMS)) as model:
            model.load(IMAGE)
            model.record("cells", "v", [1])
            model.set_learning(False)
            model.inject("kicks", RASTER)
            three_changes(model)
            model.run(9.0)
            self.taken = model.snapshot()
        assert len(self.taken.events)
        assert len(self.taken.changes)
        device.set_rates("noise", 10.0)
        device.run(4.0)

    def make(self, device):
        device.restore(self.taken)

    def judge(self, device):
        if device.time != 4.0:  # it had begun
            assert device.snapshot().digest() == self.taken.digest()
        goes_on_as_the_model(device)


class Reset(Call):
    """The time is 0 and nothing is on its way; or all is as it was."""

    def prepare(self, device):
        device.inject("kicks", RASTER)
        device.run(4.0)

    def make(self, device):
        device.reset()

    def judge(self, device):
        taken = device.snapshot()
        assert device.time in (0.0, 4.0)
        assert bool(len(taken.events)) == bool(device.time)
        assert device.time or not taken.memories["wheel"].any()
        goes_on_as_the_model(device)


CALLS = {
    "read": Read,
    "set_learning": SetLearning,
    "present": Present,
    "load": Load,
    "load_other": LoadOther,
    "run": Run,
    "run_divided": RunDivided,
    "write_weights": WriteWeights,
    "set_neurons": SetNeurons,
    "set_offset": SetOffset,
    "set_rule": SetRule,
    "set_rates": SetRates,
    "schedule": Schedule,
    "snapshot": TakeSnapshot,
    "restore": Restore,
    "reset": Reset,
}
MAY_WANT_A_LOAD = ("load", "load_other", "present", "run", "run_divided", "restore", "reset")
"""Calls that leave nothing of what was there, or that run."""
AS_OTHERS = ("set_offset", "set_rule", "snapshot", "restore", "reset")
MOSTLY_WANT_A_LOAD = ("load", "load_other", "restore", "reset")


def lines_of(device, call, ports):
    device.load(IMAGE)
    call.prepare(device)
    tracer = Lines(ports)
    cut(tracer, call.make, device)
    return tracer.lines


def try_line(device, call, line, ports):
    """Cut a call at a line; return whether the device went on, and did not want a load."""
    device.load(IMAGE)
    call.prepare(device)
    return judged(device, call, line, ports)


def judged(device, call, line, ports):
    """Cut a call of a device that is loaded and prepared, and judge what is left."""
    lost = False
    try:
        cut(AtNth(line, ports), call.make, device)
    except ArrayLostError:  # of an array in this process that was cut within a change
        lost = True
    assert ports or others_may_call(device.port.read, Region.CTRL, 0, 1)
    if not wants_a_load(call.judge, device):
        assert not lost
        return True
    assert ports or not lost
    device.load(IMAGE)
    assert same(finished(device, SHORT), Read.wanted)
    return False


def try_kept(device, transport, call, line, target):
    """Cut a call of a device that is loaded and prepared; on its own line, or at a pseudo-terminal."""
    if target == "sim":
        return judged(device, call, line, False)
    with served(transport.board) as path:
        device.port._line.transport = SerialTransport(path, 1_000_000)
        device.port._line.virtual_time, device.port.timeout = False, 1.0
        return judged(device, call, line, False)


def check_kept(target, name, choose):
    """Do as `check` on a board, each time in a copy of this process with the loaded board in it."""
    call, transport = CALLS[name](), SimTransport.build(Design(PARAMS))
    with Device(LinkPort(transport, timeout=0.05)) as device:
        lines = choose(lines_of(device, call, False))
        device.load(IMAGE)
        call.prepare(device)
        went_on = 0
        for line in lines:

            def attempt(line=line):
                with Watchdog(CASE_S, f"{name} on {target}, cut at {line}"):
                    return try_kept(device, transport, call, line, target)

            try:
                went_on += forked(attempt)
            except AssertionError as error:
                raise AssertionError(f"{name} on {target}, cut at {line}: {error}") from error
    print(f"{name} on {target}: {len(lines)} lines, {went_on} went on, {len(lines) - went_on} want a load")
    return went_on, len(lines)


def check(target, name, choose):
    """Cut a call at the lines that are chosen of all that it executes."""
    ports, call, went_on = target in IN_PROCESS, CALLS[name](), 0
    with opened(target) as device:
        lines = choose(lines_of(device, call, ports))
        for line in lines:
            with Watchdog(CASE_S, f"{name} on {target}, cut at {line}"):
                try:
                    went_on += try_line(device, call, line, ports)
                except AssertionError as error:
                    raise AssertionError(f"{name} on {target}, cut at {line}: {error}") from error
    print(f"{name} on {target}: {len(lines)} lines, {went_on} went on, {len(lines) - went_on} want a load")
    return went_on, len(lines)


def sampled(lines, most):
    rng = random.Random(7)
    every = once(lines, rng)
    return sorted(rng.sample(every, min(most, len(every))))


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("target", BOARDS)
def test_a_call_is_left_at_some_lines_of_a_host_of_a_board(target, name):
    most = FEW if name in AS_OTHERS else SAMPLE
    went_on, tried = check(target, name, lambda lines: sampled(lines, most))
    assert tried == most
    assert went_on == tried or (name in MAY_WANT_A_LOAD and (went_on > 0 or most == FEW))


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("target", IN_PROCESS)
def test_a_call_is_left_at_every_line_of_the_host(target, name):
    went_on, tried = check(target, name, lambda lines: once(lines, random.Random(11)))
    assert tried > 30
    assert went_on > (10 if name in MOSTLY_WANT_A_LOAD else 0.9 * tried)


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("target", IN_PROCESS)
def test_a_call_is_left_at_every_execution_of_every_line(target, name):
    check(target, name, lambda lines: lines)


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("target", BOARDS)
def test_a_call_is_left_at_every_line_of_the_host_of_a_board(target, name):
    went_on, tried = check_kept(target, name, firsts)
    assert tried > 30
    assert went_on > 0


@pytest.mark.parametrize("target", BOARDS)
def test_the_last_frame_of_records_is_asked_for_again(monkeypatch, target):
    """Nothing comes after it that would show the gap which an exception left."""
    add, armed = RecordAssembly.add, []

    def interrupted(assembly, offset, data):
        words = np.frombuffer(data, dtype="<u2")
        if armed and len(words) >= 4 and (words[-4:-1] == [END_WORD, STEPS, 0]).all():
            armed.clear()
            raise KeyboardInterrupt
        add(assembly, offset, data)

    monkeypatch.setattr(RecordAssembly, "add", interrupted)
    call = CALLS["run"]()
    with opened(target) as device:
        device.load(IMAGE)
        call.prepare(device)
        armed.append(True)
        with pytest.raises(KeyboardInterrupt):
            call.make(device)
        assert device.time == STEPS
        call.judge(device)
