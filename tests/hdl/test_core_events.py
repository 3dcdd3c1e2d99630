from random import Random

import pytest
from core_benches import simulate, ticks
from link_benches import receive, send

from synloom.contract import ArrayParams
from synloom.contract.records import EVENT_ADVANCE, EVENT_MAX_ADVANCE, SettingKind, setting
from synloom_hdl.core.events import EventQueue

MASK32 = 0xFFFFFFFF
PARAMS = ArrayParams(inputs=37, neurons=3, delay_slots=4, event_words=16)
SETTLE = 40


class Bench:
    """A queue whose events are collected as (step, id); steps pass when the test says so."""

    def __init__(self, now=0, pause=0.0, params=PARAMS):
        self.params, self.now = params, now
        self.dut = EventQueue(params)
        self.rng = Random(now & 0xFF)
        self.pause = pause
        self.got = []
        self.lessons = []
        self.counted = {"late": 0, "invalid": 0}

    def _take(self, spike):
        ahead = (spike.slot - self.now) % self.params.delay_slots
        self.got.append(((self.now + ahead) & MASK32, 16 * spike.word + spike.bit))

    async def take(self, ctx):
        await receive(ctx, self.dut.spikes, self._take, self.rng, self.pause)

    async def learn(self, ctx):
        await receive(
            ctx, self.dut.lessons, lambda word: self.lessons.append((self.now, word)), self.rng, self.pause
        )

    async def watch(self, ctx):
        while True:
            *_, late, invalid = await ctx.tick().sample(self.dut.late, self.dut.invalid)
            self.counted["late"] += late
            self.counted["invalid"] += invalid

    async def set_now(self, ctx, now, restart=False):
        self.now = now & MASK32
        ctx.set(self.dut.now, self.now)
        ctx.set(self.dut.restart, restart)
        await ctx.tick()
        ctx.set(self.dut.restart, 0)

    async def go_to(self, ctx, now):
        """Let steps pass until it is `now`."""
        while self.now != now:
            await self.set_now(ctx, self.now + 1)
        await ticks(ctx, 1)

    async def begin(self, ctx):
        ctx.set(self.dut.enable, 1)
        await self.set_now(ctx, self.now, restart=True)
        await ticks(ctx, 2)

    async def put(self, ctx, *words):
        await send(ctx, self.dut.words, words, self.rng, self.pause)
        await ticks(ctx, SETTLE)

    def state(self, ctx):
        dut = self.dut
        return {"settled": ctx.get(dut.settled), "reaches": ctx.get(dut.reaches), "room": ctx.get(dut.room)}

    def run(self, main):
        simulate(self.dut, main, background=[self.take, self.learn, self.watch])


def advance(steps):
    return EVENT_ADVANCE | steps


@pytest.mark.parametrize("now", [0, 0x1234, 0xFFFFFFFE])
@pytest.mark.parametrize("pause", [0.0, 0.6])
def test_every_event_is_in_the_wheel_before_its_step_and_never_too_early(now, pause):
    bench = Bench(now, pause)
    rng = Random(now)
    words, due, expected = [], now, []
    for _ in range(60):
        if rng.random() < 0.4:
            words.append(advance(rng.choice([1, 1, 2, 5, 0])))
            due += words[-1] & EVENT_MAX_ADVANCE
        else:
            words.append(rng.randrange(PARAMS.inputs))
            expected.append((due & MASK32, words[-1]))
    last = due - now

    async def host(ctx):
        await ticks(ctx, 3)
        await send(ctx, bench.dut.words, [*words, advance(1)], bench.rng, pause)

    async def steps(ctx):
        await bench.begin(ctx)
        for step in range(last + 1):
            while not (ctx.get(bench.dut.settled) and ctx.get(bench.dut.reaches)):
                await ctx.tick()
            ahead = [(t - now - step) & MASK32 for t, _ in expected]
            known = sum(n == 0 or n >> 31 for n in ahead)
            assert known <= len(bench.got) <= known + sum(0 < n < PARAMS.delay_slots for n in ahead)
            assert bench.got == expected[: len(bench.got)]
            await bench.set_now(ctx, now + step + 1)
        assert bench.got == expected

    simulate(bench.dut, host, steps, background=[bench.take, bench.watch])
    assert bench.counted == {"late": 0, "invalid": 0}


def test_late_and_invalid_events_are_dropped_and_counted():
    bench = Bench(100)

    async def main(ctx):
        await bench.begin(ctx)
        await bench.go_to(ctx, 103)
        await bench.put(ctx, 1, 36, advance(2), 2, 37, advance(1), 3, 0x7FFF, advance(1), 4, 38)

    bench.run(main)
    assert bench.got == [(103, 3), (104, 4)]
    assert bench.counted == {"late": 3, "invalid": 3}


def test_a_step_is_known_once_the_cursor_is_beyond_it():
    bench = Bench(MASK32)

    async def main(ctx):
        await bench.begin(ctx)
        await ticks(ctx, 3)
        assert bench.state(ctx) == {"settled": 1, "reaches": 0, "room": 16}
        await bench.put(ctx, advance(0), 5)
        assert bench.state(ctx)["reaches"] == 0
        await bench.put(ctx, advance(1))
        assert bench.state(ctx) == {"settled": 1, "reaches": 1, "room": 16}
        await bench.go_to(ctx, 0)
        assert bench.state(ctx)["reaches"] == 0
        await bench.put(ctx, advance(300))
        await bench.go_to(ctx, 299)
        assert bench.state(ctx)["reaches"] == 1
        await bench.go_to(ctx, 300)
        assert bench.state(ctx)["reaches"] == 0
        await bench.put(ctx, *[advance(EVENT_MAX_ADVANCE)] * 5)
        await bench.go_to(ctx, 600)
        assert bench.state(ctx) == {"settled": 1, "reaches": 1, "room": 16}

    bench.run(main)


def test_no_event_moves_while_it_may_not_and_a_due_one_keeps_the_step_waiting():
    bench = Bench(0)

    async def main(ctx):
        await bench.begin(ctx)
        ctx.set(bench.dut.enable, 0)
        await bench.put(ctx, 7, advance(1), 8)
        assert (bench.got, bench.state(ctx)["settled"]) == ([], 0)
        ctx.set(bench.dut.enable, 1)
        await ticks(ctx, SETTLE)
        assert bench.got == [(0, 7), (1, 8)]
        ctx.set(bench.dut.enable, 0)
        await bench.put(ctx, advance(1), 9)
        # An event of a later step does not keep this one waiting.
        assert bench.state(ctx) == {"settled": 1, "reaches": 1, "room": 15}
        await bench.go_to(ctx, 2)
        assert bench.state(ctx)["settled"] == 0

    bench.run(main)


def test_far_events_wait_in_the_queue_and_restart_empties_it():
    bench = Bench(0)

    async def main(ctx):
        await bench.begin(ctx)
        await bench.put(ctx, advance(PARAMS.delay_slots), *range(15))
        assert bench.state(ctx)["room"] == 1
        await bench.put(ctx, 15)
        assert bench.state(ctx)["room"] == 0
        assert ctx.get(bench.dut.words.ready) == 0
        await bench.set_now(ctx, 5000, restart=True)
        await ticks(ctx, SETTLE)
        assert bench.state(ctx) == {"settled": 1, "reaches": 0, "room": 16}
        assert bench.got == []
        await bench.put(ctx, 3, advance(3), 4)
        assert bench.got == [(5000, 3), (5003, 4)]

    bench.run(main)
    assert bench.counted == {"late": 0, "invalid": 0}


FIRST = PARAMS.first_neuron_source
REWARD_LOW = int(setting(SettingKind.REWARD_LOW, 7))


@pytest.mark.parametrize("pause", [0.0, 0.6])
def test_events_that_teach_wait_for_their_step_and_keep_the_order_of_the_host(pause):
    bench = Bench(40, pause)

    async def main(ctx):
        dut = bench.dut
        ctx.set(dut.sweep_count, 3)
        await bench.begin(ctx)
        await bench.put(ctx, FIRST, advance(1), REWARD_LOW, 5, FIRST + 2, advance(1), 6)
        # Due, and waiting for its step to begin; what is behind it waits as well.
        assert (ctx.get(dut.lesson_waits), bench.state(ctx)["settled"]) == (1, 0)
        assert (bench.lessons, bench.got) == ([], [])
        ctx.set(dut.lesson_enable, 1)
        await ticks(ctx, SETTLE)
        assert bench.lessons == [(40, FIRST)]
        assert (ctx.get(dut.lesson_waits), bench.state(ctx)["settled"]) == (0, 1)
        # Enabled for too long: an event of the next step does not act in this one.
        assert bench.got == []
        await bench.go_to(ctx, 41)
        await ticks(ctx, SETTLE)
        assert bench.lessons == [(40, FIRST), (41, REWARD_LOW), (41, FIRST + 2)]
        assert bench.got == [(41, 5), (42, 6)]

    bench.run(main)
    assert bench.counted == {"late": 0, "invalid": 0}


def test_events_that_teach_are_dropped_if_late_or_of_nothing_that_exists():
    bench = Bench(10)
    no_kind = int(setting(SettingKind.REWARD_LOW, 0)) | 0x3000

    async def main(ctx):
        ctx.set(bench.dut.sweep_count, 2)
        ctx.set(bench.dut.lesson_enable, 1)
        await bench.begin(ctx)
        await bench.put(ctx, FIRST + 1, FIRST + 2, FIRST - 1, 0x3FFF, no_kind)
        assert bench.lessons == [(10, FIRST + 1)]
        await bench.go_to(ctx, 12)
        await bench.put(ctx, FIRST, REWARD_LOW, advance(2), FIRST)
        assert bench.lessons == [(10, FIRST + 1), (12, FIRST)]

    bench.run(main)
    assert bench.counted == {"late": 2, "invalid": 4}


def test_an_array_that_cannot_be_taught_has_inputs_only():
    bench = Bench(10, params=PARAMS.replace(teaching=False))

    async def main(ctx):
        ctx.set(bench.dut.sweep_count, 3)
        ctx.set(bench.dut.lesson_enable, 1)
        await bench.begin(ctx)
        await bench.put(ctx, FIRST, REWARD_LOW, 1)

    bench.run(main)
    assert (bench.lessons, bench.got) == ([], [(10, 1)])
    assert bench.counted == {"late": 0, "invalid": 2}
