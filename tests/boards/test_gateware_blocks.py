"""Reset and lights do what their docstrings say."""

from itertools import pairwise

from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from synloom_boards.gateware.clocking import PowerOnReset
from synloom_boards.gateware.lights import TICKS_PER_SECOND, Lights

CLOCKS = 12
TICK = 8


def simulate(component, bench, domain="sync"):
    m = Module()
    m.domains += ClockDomain(domain, reset_less=True)
    m.submodules.component = component
    simulator = Simulator(m)
    simulator.add_clock(1e-6, domain=domain)
    simulator.add_testbench(bench)
    simulator.run()


def reset_lengths(locks):
    """Return in which clocks the reset is high while the PLL says what `locks` says."""
    reset, seen = PowerOnReset(CLOCKS), []

    async def bench(ctx):
        for locked in locks:
            ctx.set(reset.locked, locked)
            seen.append(ctx.get(reset.reset))
            await ctx.tick("por")

    simulate(reset, bench, "por")
    return seen


def test_the_reset_is_high_from_the_start():
    assert reset_lengths([0] * 40) == [1] * 40


def test_the_reset_ends_when_the_pll_has_been_locked_for_a_while():
    seen = reset_lengths([0] * 5 + [1] * 40)
    length = seen.index(0)
    assert 5 + CLOCKS <= length <= 5 + CLOCKS + 4
    assert not any(seen[length:])


def test_a_lost_lock_resets_again_and_for_as_long():
    seen = reset_lengths([1] * 30 + [0] + [1] * 40)
    again = seen.index(1, 20)
    assert 30 < again <= 34
    assert 0 in seen[20:again]
    assert CLOCKS <= seen[again:].index(0) <= CLOCKS + 3


def lights(count, active=(), error=(), ticks=40):
    """Return LED values once a tick; `active` and `error` are the clocks with a strobe."""
    component, seen = Lights(count, TICK), []

    async def bench(ctx):
        for clock in range(TICK * ticks):
            ctx.set(component.active, clock in active)
            ctx.set(component.error, clock in error)
            if clock % TICK == TICK - 1:
                seen.append(ctx.get(component.leds))
            await ctx.tick()

    simulate(component, bench)
    return seen


def test_the_heartbeat_blinks_once_a_second():
    beat = [value & 1 for value in lights(3)]
    assert beat == [tick % TICKS_PER_SECOND >= TICKS_PER_SECOND // 2 for tick in range(40)]


def test_activity_of_one_clock_is_seen():
    shines = [value >> 1 & 1 for value in lights(3, active=[TICK * 5 + 3])]
    assert 1 <= sum(shines) <= 2
    assert shines.index(1) == 5


def test_an_error_shines_for_about_a_second():
    shines = [value >> 2 & 1 for value in lights(3, error=[TICK * 4])]
    assert TICKS_PER_SECOND - 2 <= sum(shines) <= TICKS_PER_SECOND
    assert shines.index(1) == 4


def test_two_leds_share_heartbeat_and_activity():
    quiet, busy = lights(2), lights(2, active=range(TICK * 2, TICK * 5), error=[TICK * 20])
    turned = [a & 1 != b & 1 for a, b in zip(quiet, busy, strict=True)]
    assert turned[2:5] == [True] * 3
    assert not any(turned[8:])
    assert sum(value >> 1 for value in busy) >= TICKS_PER_SECOND - 2


def test_one_led_flickers_at_an_error():
    values = lights(1, error=[0])
    changes = sum(a != b for a, b in pairwise(values[:15]))
    assert changes >= 12
