from random import Random

import pytest
from core_benches import access, simulate, ticks

from places import COUNTER_WORDS, counter_offset
from synloom.contract import ArrayParams
from synloom.contract.registers import COUNTERS, WIDE_COUNTER_BITS
from synloom_hdl.core.counters import ROUND_CLOCKS, Counters, apart, most
from synloom_hdl.core.registers import KEPT_BITS, words_at_first
from synloom_hdl.core.shared_memory import ACCESS_CLOCKS

NAMES = list(COUNTERS)


def top(params, name):
    return (1 << (WIDE_COUNTER_BITS if COUNTERS[name].wide else params.counter_bits)) - 1


async def value(ctx, dut, name):
    words = [await access(ctx, dut.host, counter_offset(name) + k) for k in range(COUNTER_WORDS)]
    return sum(word << 16 * k for k, word in enumerate(words))


def preset(ctx, dut, name, number):
    """Put a number into the memory before the first visit, so that no test has to count so far."""
    for k in range(3):
        ctx.set(dut.words.data[counter_offset(name) + k], number >> 16 * k & 0xFFFF)


@pytest.mark.parametrize(
    ("lanes", "neuron_lanes", "counter_bits", "single_port"),
    [(1, 1, 16, False), (4, 1, 17, False), (16, 16, 32, False), (2, 1, 16, True)],
)
def test_every_counter_adds_what_it_is_given(lanes, neuron_lanes, counter_bits, single_port):
    params = ArrayParams(
        lanes=lanes,
        neuron_lanes=neuron_lanes,
        counter_bits=counter_bits,
        single_port=single_port,
        serial_neurons=single_port,
    )
    dut, rng = Counters(params), Random(2)
    totals, rests = dict.fromkeys(NAMES, 0), dict.fromkeys(NAMES, 0)

    async def main(ctx):
        for _ in range(3):
            for _ in range(rng.randrange(300)):
                for name in NAMES:
                    highest = most(params, name)
                    step = rng.choice([0, 1, highest, rng.randint(0, highest)]) if not rests[name] else 0
                    rests[name] = apart(params, name) - 1 if step else max(0, rests[name] - 1)
                    ctx.set(getattr(dut, name), step)
                    totals[name] += step
                await ctx.tick()
            for name in NAMES:
                ctx.set(getattr(dut, name), 0)
            for name, total in totals.items():
                assert await value(ctx, dut, name) == total, name
        assert await access(ctx, dut.host, COUNTER_WORDS * len(COUNTERS)) == 0

    simulate(dut, main)


@pytest.mark.parametrize(
    "params",
    [
        ArrayParams(lanes=16, neuron_lanes=16),
        ArrayParams(lanes=2, neuron_lanes=1, single_port=True, serial_neurons=True),
    ],
    ids=["two ports", "one port"],
)
def test_nothing_is_lost_between_two_visits_even_if_every_clock_that_may_brings_the_most(params):
    dut, clocks = Counters(params), 20 * ROUND_CLOCKS + 7

    async def main(ctx):
        for clock in range(clocks):
            for name in NAMES:
                ctx.set(getattr(dut, name), 0 if clock % apart(params, name) else most(params, name))
            await ctx.tick()
        for name in NAMES:
            ctx.set(getattr(dut, name), 0)
        for name in NAMES:
            times = -(-clocks // apart(params, name))
            assert await value(ctx, dut, name) == times * most(params, name), name

    simulate(dut, main)


def test_a_round_has_fewer_clocks_than_six_bits_can_tell_apart():
    assert ROUND_CLOCKS < 1 << 6


@pytest.mark.parametrize("counter_bits", [16, 17, 25, 32])
def test_counters_saturate_at_their_width(counter_bits):
    params = ArrayParams(counter_bits=counter_bits)
    dut = Counters(params)

    async def main(ctx):
        for name in NAMES:
            preset(ctx, dut, name, top(params, name) - 5)
        for events in (5, 1, 3):
            for name in NAMES:
                ctx.set(getattr(dut, name), 1)
            await ticks(ctx, events)
            for name in NAMES:
                ctx.set(getattr(dut, name), 0)
            for name in NAMES:
                assert await value(ctx, dut, name) == top(params, name), (name, events)
        for name in NAMES:
            await access(ctx, dut.host, counter_offset(name) + 2, 1)
            assert await value(ctx, dut, name) == 0

    simulate(dut, main)


@pytest.mark.parametrize("before", [0xFFFE, 0xFFFF_FFFE])
@pytest.mark.parametrize("counter_bits", [16, 20, 32])
def test_carries_go_up_as_far_as_a_counter_goes(counter_bits, before):
    params = ArrayParams(counter_bits=counter_bits)
    dut = Counters(params)

    async def main(ctx):
        for name in NAMES:
            preset(ctx, dut, name, min(before, top(params, name) - 1))
            ctx.set(getattr(dut, name), 1)
        await ticks(ctx, 2)
        for name in NAMES:
            ctx.set(getattr(dut, name), 0)
        for name in NAMES:
            assert await value(ctx, dut, name) == min(before + 2, top(params, name)), name

    simulate(dut, main)


def test_a_write_to_any_word_clears_that_counter_only():
    dut = Counters(ArrayParams())

    async def main(ctx):
        for word in range(COUNTER_WORDS):
            for name in ("spikes", "chunks", "events_invalid"):
                ctx.set(getattr(dut, name), 1)
            await ticks(ctx, 7)
            for name in ("spikes", "chunks", "events_invalid"):
                ctx.set(getattr(dut, name), 0)
            await access(ctx, dut.host, counter_offset("chunks") + word, 0xFFFF)
            assert await value(ctx, dut, "chunks") == 0
        assert await value(ctx, dut, "spikes") == 28
        assert await value(ctx, dut, "events_invalid") == 28

    simulate(dut, main)


def test_accesses_at_any_clock_lose_no_event():
    dut, rng = Counters(ArrayParams()), Random(5)
    names = ("busy_clocks", "stall_clocks")

    async def main(ctx):
        for name in names:
            ctx.set(getattr(dut, name), 1)
        for _ in range(60):
            await ticks(ctx, rng.randrange(4))
            assert await access(ctx, dut.host, counter_offset(rng.choice(names))) > 0
        for name in names:
            ctx.set(getattr(dut, name), 0)
        assert await value(ctx, dut, names[0]) == await value(ctx, dut, names[1]) > 60 * ACCESS_CLOCKS

    simulate(dut, main)


def test_an_access_waits_for_one_round_at_most():
    dut, rng = Counters(ArrayParams()), Random(6)

    async def main(ctx):
        for _ in range(100):
            await ticks(ctx, rng.randrange(ROUND_CLOCKS))
            started = clock[0]
            await access(ctx, dut.host, rng.randrange(COUNTER_WORDS * len(COUNTERS)))
            assert clock[0] - started <= ACCESS_CLOCKS + ROUND_CLOCKS + 8

    clock = [0]

    async def watch(ctx):
        while True:
            await ctx.tick()
            clock[0] += 1

    simulate(dut, main, background=[watch])


def test_kept_words_are_a_memory_beside_the_counters():
    dut, rng = Counters(ArrayParams(counter_bits=32)), Random(7)
    twin = words_at_first()

    async def main(ctx):
        for place, word in enumerate(twin):
            assert await access(ctx, dut.kept, place) == word
        ctx.set(dut.steps, 1)
        for _ in range(150):
            place = rng.randrange(1 << KEPT_BITS)
            await ticks(ctx, rng.randrange(5))
            if rng.randrange(2):
                twin[place] = rng.getrandbits(16)
                await access(ctx, dut.kept, place, twin[place])
            assert await access(ctx, dut.kept, place) == twin[place]
        for name in NAMES[1:]:
            assert await value(ctx, dut, name) == 0
        for place, word in enumerate(twin):
            assert await access(ctx, dut.kept, place) == word

    simulate(dut, main)
