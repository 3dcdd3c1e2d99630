from itertools import pairwise
from random import Random

import pytest
from core_benches import simulate, ticks
from link_benches import receive, send

from synloom.contract import ArrayParams
from synloom.contract.frames import ControlAction, RunFlag
from synloom.contract.records import EndReason
from synloom_hdl.core.recorder import RecorderCommand
from synloom_hdl.core.sequencer import Phase, Sequencer

PHASES = ("rows", "sweep", "columns", "probes")
BUSY = {
    "rows": Phase.ROWS,
    "sweep": Phase.SWEEP,
    "columns": Phase.COLUMNS,
    "probes": Phase.PROBES,
    "due": Phase.COLUMNS,
}


class Bench:
    """A sequencer among engines that are busy for a random time; `log` is what it told them."""

    def __init__(self, seed=0, longest=5, pause=0.3, **features):
        params = ArrayParams(**features)
        self.dut = Sequencer(params)
        self.phases = (*PHASES, "due") if params.dendritic_delays else PHASES
        self.rng = Random(seed)
        self.longest, self.pause = longest, pause
        self.log, self.wants = [], []
        self.clock = self.steps = self.late = self.stalls = 0
        self.begins, self.flushed_at = [], []

    def idle_inputs(self, ctx):
        for name in ("settled", "events_idle", "has_room", "reaches", "recorder_idle"):
            ctx.set(getattr(self.dut, name), 1)

    async def engines(self, ctx):
        dut, rng = self.dut, self.rng
        left = dict.fromkeys(self.phases, 0)
        self.idle_inputs(ctx)
        while True:
            _, _, phase, ends, late, stalls, flushes, *strobes = await ctx.tick().sample(
                dut.phase, dut.step_ends, dut.late, dut.stalls, dut.flushes,
                *(getattr(dut, f"{name}_start") for name in self.phases),
            )  # fmt: skip
            self.clock += 1
            self.steps, self.late, self.stalls = self.steps + ends, self.late + late, self.stalls + stalls
            if flushes:
                self.flushed_at.append(self.steps)
            starts = dict(zip(self.phases, strobes, strict=True))
            for name in self.phases:
                if left[name]:
                    assert phase == BUSY[name]
                    left[name] -= 1
                if starts[name]:
                    assert not any(left.values())
                    self.log.append(name)
                    left[name] = rng.randint(0, self.longest)
                ctx.set(getattr(dut, f"{name}_busy"), left[name] > 0)
            if starts["rows"]:
                self.begins.append(self.clock)
                want = {name: rng.randrange(2) for name in ("head_wanted", "columns_wanted", "probes_wanted")}
                want["head_wanted"] &= want["columns_wanted"]
                want |= {"head_word": rng.getrandbits(16), "probe_head": rng.getrandbits(16)}
                for name, value in want.items():
                    ctx.set(getattr(dut, name), value)
                self.wants.append(want)

    async def recorder(self, ctx):
        def command(payload):
            told = payload.command in (RecorderCommand.HEAD, RecorderCommand.END)
            self.log.append((payload.command, payload.argument if told else 0))

        await receive(ctx, self.dut.recorder, command, self.rng, self.pause)

    def step(self, want):
        """Return the log of one step."""
        log = ["rows", "sweep"]
        if want["head_wanted"]:
            log.append((RecorderCommand.HEAD, want["head_word"]))
        if want["columns_wanted"]:
            log.append("columns")
        if "due" in self.phases:
            log.append("due")
        if want["probes_wanted"]:
            log += [(RecorderCommand.HEAD, want["probe_head"]), "probes"]
        return [*log, (RecorderCommand.STEP, 0)]

    async def start(self, ctx, steps, flags=0):
        await send(ctx, self.dut.run, [{"steps": steps, "flags": flags}], self.rng)

    async def control(self, ctx, action):
        await send(ctx, self.dut.control, [action], self.rng)

    async def wait(self, ctx, name, value, limit=3000):
        for _ in range(limit):
            if ctx.get(getattr(self.dut, name)) == value:
                return
            await ctx.tick()
        pytest.fail(f"{name} is not {value} after {limit} clocks")

    async def finish(self, ctx):
        await self.wait(ctx, "running", 0)
        await ticks(ctx, 3)

    @property
    def ends(self):
        return [entry[1] for entry in self.log if entry[0] == RecorderCommand.END]

    def run(self, main):
        simulate(self.dut, main, background=[self.recorder, self.engines])


START = (RecorderCommand.START, 0)
DONE = (RecorderCommand.END, EndReason.DONE)


@pytest.mark.parametrize("pause", [0.0, 0.7])
def test_plays_the_phases_of_each_step_in_order(pause):
    bench = Bench(seed=1, pause=pause)

    async def main(ctx):
        await bench.start(ctx, 20)
        assert ctx.get(bench.dut.remaining) == 20
        await bench.finish(ctx)
        assert ctx.get(bench.dut.remaining) == 0

    bench.run(main)
    steps = [entry for want in bench.wants for entry in bench.step(want)]
    assert (len(bench.wants), bench.steps) == (20, 20)
    assert bench.log == [START, *steps, DONE]
    assert (bench.late, bench.stalls) == (0, 0)


def test_a_run_of_no_steps_ends_at_once():
    bench = Bench()

    async def main(ctx):
        await bench.start(ctx, 0)
        await bench.finish(ctx)

    bench.run(main)
    assert bench.log == [START, DONE]


def test_pause_stops_between_steps_and_resume_goes_on():
    bench = Bench(seed=2)

    async def main(ctx):
        dut = bench.dut
        await bench.start(ctx, 12)
        for _ in range(4):
            await ticks(ctx, bench.rng.randrange(4, 25))
            await bench.control(ctx, ControlAction.PAUSE)
            await bench.wait(ctx, "paused", 1)
            steps = bench.steps
            assert ctx.get(dut.running)
            assert ctx.get(dut.run.ready) == 0
            await ticks(ctx, 30)
            assert (bench.steps, ctx.get(dut.remaining)) == (steps, 12 - steps)
            await bench.control(ctx, ControlAction.RESUME)
            await bench.wait(ctx, "paused", 0)
        await bench.finish(ctx)

    bench.run(main)
    assert bench.steps == 12
    assert bench.ends == [EndReason.PAUSED] * 4 + [EndReason.DONE]
    assert bench.log.count(START) == 5


def test_resume_before_the_pause_takes_it_back():
    bench = Bench(seed=3)

    async def main(ctx):
        await bench.start(ctx, 4)
        await bench.wait(ctx, "phase", Phase.SWEEP)
        await bench.control(ctx, ControlAction.PAUSE)
        await bench.control(ctx, ControlAction.RESUME)
        await bench.finish(ctx)

    bench.run(main)
    assert (bench.steps, bench.ends) == (4, [EndReason.DONE])


def test_resume_while_the_pause_is_being_recorded_is_not_lost():
    bench = Bench(seed=3)

    async def main(ctx):
        await bench.start(ctx, 4)
        await bench.wait(ctx, "phase", Phase.SWEEP)
        await bench.control(ctx, ControlAction.PAUSE)
        while not bench.ends:
            await ctx.tick()
        await bench.control(ctx, ControlAction.RESUME)
        await bench.finish(ctx)

    bench.run(main)
    assert (bench.steps, bench.ends) == (4, [EndReason.PAUSED, EndReason.DONE])


def test_a_pause_in_the_last_step_is_too_late():
    bench = Bench(seed=4)

    async def main(ctx):
        await bench.start(ctx, 1)
        await bench.wait(ctx, "phase", Phase.SWEEP)
        await bench.control(ctx, ControlAction.PAUSE)
        await bench.finish(ctx)
        assert ctx.get(bench.dut.paused) == 0

    bench.run(main)
    assert bench.ends == [EndReason.DONE]


@pytest.mark.parametrize("paused", [False, True])
def test_abort_ends_a_run_between_steps(paused):
    bench = Bench(seed=5)

    async def main(ctx):
        await bench.start(ctx, 1000)
        await ticks(ctx, 60)
        if paused:
            await bench.control(ctx, ControlAction.PAUSE)
            await bench.wait(ctx, "paused", 1)
        await bench.control(ctx, ControlAction.ABORT)
        await bench.finish(ctx)
        assert ctx.get(bench.dut.paused) == 0

    bench.run(main)
    assert 0 < bench.steps < 100
    assert bench.steps == len(bench.begins)
    assert bench.ends == [EndReason.PAUSED] * paused + [EndReason.ABORTED]


def test_control_without_a_run_does_nothing_to_the_next():
    bench = Bench(seed=6)

    async def main(ctx):
        for action in ControlAction:
            await bench.control(ctx, action)
        await bench.start(ctx, 3)
        await bench.finish(ctx)
        assert ctx.get(bench.dut.run.ready)

    bench.run(main)
    assert (bench.steps, bench.ends) == (3, [EndReason.DONE])


@pytest.mark.parametrize(
    ("name", "flags", "waits", "stalls"),
    [
        ("has_room", 0, True, True),
        ("reaches", RunFlag.GATED, True, True),
        ("reaches", 0, False, False),
        ("settled", 0, True, False),
        ("events_idle", 0, True, False),
    ],
)
def test_a_step_begins_only_when_it_may(name, flags, waits, stalls):
    bench = Bench(seed=7)

    async def main(ctx):
        await ctx.tick()
        ctx.set(getattr(bench.dut, name), 0)
        await bench.start(ctx, 5, flags)
        await ticks(ctx, 100)
        assert bool(bench.begins) != waits
        assert (bench.stalls > 80) == stalls
        ctx.set(getattr(bench.dut, name), 1)
        await bench.finish(ctx)

    bench.run(main)
    assert bench.steps == 5


def gaps(clocks):
    return [b - a for a, b in pairwise(clocks)]


def test_a_paced_run_begins_a_step_every_period_and_none_is_late():
    bench = Bench(seed=8, longest=3, pause=0.0)

    async def main(ctx):
        await ctx.tick()
        ctx.set(bench.dut.period, 60)
        for steps in (8, 1, 3):
            await bench.start(ctx, steps, RunFlag.PACED)
            await bench.finish(ctx)
        ctx.set(bench.dut.period, 1 << 31)

    bench.run(main)
    assert gaps(bench.begins[:8]) == [60] * 7
    assert gaps(bench.begins[9:]) == [60] * 2
    assert (bench.steps, bench.late) == (12, 0)


def test_late_steps_are_counted_and_the_schedule_goes_on_from_there():
    bench = Bench(seed=9, longest=3, pause=0.0)

    async def main(ctx):
        await ctx.tick()
        ctx.set(bench.dut.period, 50)
        await bench.start(ctx, 6, RunFlag.PACED)
        await ticks(ctx, 110)
        ctx.set(bench.dut.has_room, 0)
        await ticks(ctx, 70)
        ctx.set(bench.dut.has_room, 1)
        await bench.finish(ctx)

    bench.run(main)
    assert bench.late == 1
    between = gaps(bench.begins)
    assert between[:2] == [50, 50]
    assert between[2] > 60
    assert between[3:] == [50, 50]


@pytest.mark.parametrize("period", [0, 1, 5])
def test_every_step_but_the_first_is_late_if_the_period_is_too_short(period):
    bench = Bench(seed=10)

    async def main(ctx):
        await ctx.tick()
        ctx.set(bench.dut.period, period)
        await bench.start(ctx, 6, RunFlag.PACED)
        await bench.finish(ctx)

    bench.run(main)
    assert (bench.steps, bench.late) == (6, 5)


def test_a_resumed_run_starts_a_new_schedule():
    bench = Bench(seed=11, longest=3, pause=0.0)

    async def main(ctx):
        await ctx.tick()
        ctx.set(bench.dut.period, 50)
        await bench.start(ctx, 4, RunFlag.PACED)
        await ticks(ctx, 70)
        await bench.control(ctx, ControlAction.PAUSE)
        await bench.wait(ctx, "paused", 1)
        await ticks(ctx, 200)
        await bench.control(ctx, ControlAction.RESUME)
        await bench.finish(ctx)

    bench.run(main)
    assert (bench.steps, bench.late) == (4, 0)
    assert gaps(bench.begins)[-1] == 50


def test_a_resumed_run_does_not_wait_for_the_old_schedule():
    bench = Bench(seed=14, longest=3, pause=0.0)

    async def main(ctx):
        await ctx.tick()
        ctx.set(bench.dut.period, 500)
        await bench.start(ctx, 3, RunFlag.PACED)
        await bench.wait(ctx, "phase", Phase.SWEEP)
        await bench.control(ctx, ControlAction.PAUSE)
        await bench.wait(ctx, "paused", 1)
        await bench.control(ctx, ControlAction.RESUME)
        await bench.finish(ctx)

    bench.run(main)
    first, second = gaps(bench.begins)
    assert first < 50
    assert second == 500


def test_the_host_gets_its_turn_between_steps():
    bench = Bench(seed=12)
    served = []

    async def host(ctx):
        """Ask again and again, and wait for an answer; each access takes a few clocks."""
        dut = bench.dut
        left = wanted = 0
        while True:
            wanted = wanted or bench.rng.random() < 0.3
            ctx.set(dut.access_wanted, wanted)
            *_, starts, phase = await ctx.tick().sample(dut.access_start, dut.phase)
            if starts:
                assert phase == Phase.REST
                served.append(bench.steps)
                left, wanted = 6, 0
            elif left:
                assert phase == Phase.ACCESS
                left -= 1
            ctx.set(dut.access_busy, left > 0)

    async def main(ctx):
        await bench.start(ctx, 10)
        await bench.finish(ctx)

    simulate(bench.dut, main, background=[bench.recorder, bench.engines, host])
    assert bench.steps == 10
    assert len(set(served)) > 5


@pytest.mark.parametrize("flags", [0, RunFlag.FLUSH])
def test_flushes_at_the_end_and_if_asked_after_every_step(flags):
    bench = Bench(seed=13)

    async def main(ctx):
        await bench.start(ctx, 4, flags)
        await bench.finish(ctx)

    bench.run(main)
    assert bench.flushed_at == ([1, 2, 3, 4, 4] if flags else [4])


def test_late_columns_are_looked_for_in_every_step_behind_those_that_fired():
    bench = Bench(seed=7, dendritic_delays=True)

    async def main(ctx):
        await bench.start(ctx, 20)
        await bench.finish(ctx)

    bench.run(main)
    steps = [entry for want in bench.wants for entry in bench.step(want)]
    assert {want["columns_wanted"] for want in bench.wants} == {0, 1}
    assert bench.log == [START, *steps, DONE]


async def teach(bench, ctx, flags=0):
    """Begin a run whose first step has an event that teaches; return when it is being taught."""
    ctx.set(bench.dut.settled, 0)
    ctx.set(bench.dut.lesson_waits, 1)
    await bench.start(ctx, 2, flags)
    await bench.wait(ctx, "phase", Phase.TEACH)


def test_a_step_with_events_that_teach_begins_with_them():
    bench = Bench(seed=3)

    async def main(ctx):
        await teach(bench, ctx)
        await ticks(ctx, 20)
        assert ctx.get(bench.dut.events_enable) == 1
        assert bench.log == [START]
        ctx.set(bench.dut.lesson_waits, 0)
        ctx.set(bench.dut.settled, 1)
        ctx.set(bench.dut.events_idle, 0)
        await ticks(ctx, 5)
        # All is known, but the last event is still on its way.
        assert ctx.get(bench.dut.events_enable) == 0
        assert bench.log == [START]
        ctx.set(bench.dut.events_idle, 1)
        await bench.finish(ctx)

    bench.run(main)
    assert bench.steps == 2
    assert bench.log == [START, *(entry for want in bench.wants for entry in bench.step(want)), DONE]


def test_a_gated_step_is_taught_until_its_events_are_known_and_the_host_may_look_in():
    bench = Bench(seed=4)

    async def main(ctx):
        dut = bench.dut
        ctx.set(dut.reaches, 0)
        await teach(bench, ctx, RunFlag.GATED)
        ctx.set(dut.lesson_waits, 0)
        ctx.set(dut.settled, 1)
        await ticks(ctx, 20)
        assert ctx.get(dut.phase) == Phase.TEACH
        ctx.set(dut.access_wanted, 1)
        ctx.set(dut.access_busy, 1)
        await bench.wait(ctx, "phase", Phase.ACCESS)
        ctx.set(dut.access_wanted, 0)
        await ticks(ctx, 5)
        ctx.set(dut.access_busy, 0)
        await bench.wait(ctx, "phase", Phase.TEACH)
        assert bench.log == [START]
        ctx.set(dut.reaches, 1)
        await bench.finish(ctx)

    bench.run(main)
    assert bench.steps == 2


def test_an_abort_while_a_step_is_being_taught_ends_the_run_before_that_step():
    bench = Bench(seed=5)

    async def main(ctx):
        ctx.set(bench.dut.reaches, 0)
        await teach(bench, ctx, RunFlag.GATED)
        await bench.control(ctx, ControlAction.ABORT)
        await bench.finish(ctx)
        assert ctx.get(bench.dut.remaining) == 2

    bench.run(main)
    assert (bench.steps, bench.ends) == (0, [EndReason.ABORTED])
