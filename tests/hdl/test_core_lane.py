from dataclasses import dataclass
from itertools import product
from random import Random

import numpy as np
import pytest
from core_benches import simulate

from synloom.contract import ArrayParams
from synloom_hdl.core.lane import Lane
from synloom_hdl.core.timing import PassTiming
from synloom_sim.model.arithmetic import Rule, decay, update

PARAMS = {
    "eight bits": ArrayParams(),
    "four bits": ArrayParams(weight_bits=4, trace_bits=8),
    "hard bounds": ArrayParams(soft_bounds=False, trace_bits=12),
    "fewer registers": ArrayParams(lanes=4, neuron_lanes=1, single_port=True, serial_neurons=True),
    "few registers": ArrayParams(
        lanes=4, neuron_lanes=1, single_port=True, serial_neurons=True, clock_hz=20_000_000
    ),
}


@dataclass(frozen=True)
class Synapse:
    """One use of a lane."""

    trace: int
    weight: int = 0
    t0: int = 0
    a: int = 0
    a_negative: int = 0
    w_min: int = 0
    w_max: int = 0
    soft: int = 0
    noise: int = 2048
    exponent: int = 0
    dither: int = 0


def updated(params, s):
    """Return the weight and whether it was clipped, as the model has it."""
    soft = bool(s.soft) and params.soft_bounds
    rule = Rule(s.a, s.t0, s.w_min, s.w_max, bool(s.a_negative), soft, True, False)
    w, clipped = update(
        rule,
        params.weight_bits,
        params.trace_bits,
        np.array([[s.weight]], dtype=np.int16),
        np.array([s.trace]),
        0,
        np.array([[s.noise]], dtype=np.int16),
    )
    return int(w[0, 0]), bool(clipped[0, 0])


def play(params, synapses):
    """Return (updated, clips, decayed) of each, fed one a chunk's clocks."""
    dut = Lane(params)
    timing = PassTiming.of(params)
    interval = timing.interval
    clocks = [timing.stage(k) - timing.traces for k in range(7)]
    results = [[None, None, None] for _ in synapses]
    idle = Synapse(0)

    async def main(ctx):
        for clock in range(interval * len(synapses) + clocks[6]):

            def at(stage, clock=clock):
                """Return what is in a stage."""
                k = (clock - clocks[stage]) // interval
                return synapses[k] if 0 <= k < len(synapses) else idle

            for name in ("trace", "t0", "a_negative"):
                ctx.set(getattr(dut, name), getattr(at(0), name))
            for name in ("weight", "a", "w_min", "w_max"):
                ctx.set(getattr(dut, name), getattr(at(1), name))
            s = at(2)
            scale = {
                "exponent": s.exponent,
                "takes_all": s.a == 0xFFFF and s.exponent == 0,
            }
            ctx.set(dut.soft, s.soft)
            ctx.set(dut.decay, scale)
            ctx.set(dut.dither, s.dither % 2 ** (16 + 4 * min(s.exponent, 4)))
            ctx.set(dut.noise, at(3).noise)
            ctx.set(dut.lowest, at(5).w_min)
            ctx.set(dut.highest, at(5).w_max)
            *_, weight, clips, left = await ctx.tick().sample(dut.updated, dut.clips, dut.decayed)
            k, later = divmod(clock - clocks[6], interval)
            if 0 <= k < len(synapses) and not later:
                results[k][:2] = weight, bool(clips)
            k, later = divmod(clock - clocks[4], interval)
            if 0 <= k < len(synapses) and not later:
                results[k][2] = left

    simulate(dut, main)
    return [tuple(result) for result in results]


def check_updates(params, synapses):
    for s, (weight, clips, _) in zip(synapses, play(params, synapses), strict=True):
        assert (weight, clips) == updated(params, s), s


def check_decays(params, synapses):
    for s, (_, _, left) in zip(synapses, play(params, synapses), strict=True):
        assert left == int(decay(s.trace, s.a, s.exponent, s.dither)), s


def random_synapse(params, rng):
    top, traces = params.weight_max, params.trace_max
    low, high = sorted(rng.choices([-top, 0, top, rng.randint(-top, top)], k=2))
    return Synapse(
        trace=rng.choice([0, 1, traces, rng.randint(0, traces)]),
        weight=rng.choice([-top - 1, -top, 0, top, low, high, rng.randint(-top, top)]),
        t0=rng.choice([0, 0, 1, traces, rng.randint(0, traces)]),
        a=rng.choice([0, 1, 255, 0x7FFF, 0xFFFF, rng.randint(0, 0xFFFF)]) >> rng.choice([0, 0, 4, 8]),
        a_negative=rng.randrange(2),
        w_min=low,
        w_max=high,
        soft=rng.randrange(2),
        noise=rng.choice([0, 2048, 4095, rng.randrange(4096)]),
        exponent=rng.randrange(8),
    )


@pytest.mark.parametrize("name", PARAMS)
def test_updates_random_synapses_as_the_model(name):
    rng = Random(1)
    check_updates(PARAMS[name], [random_synapse(PARAMS[name], rng) for _ in range(1200)])


@pytest.mark.parametrize("name", PARAMS)
def test_updates_at_the_bounds_as_the_model(name):
    params = PARAMS[name]
    top = params.weight_max
    places = [(-top, top), (0, top), (-top, 0), (top, top), (-top, -top), (-1, 1)]
    check_updates(
        params,
        [
            Synapse(params.trace_max, weight, a=a, a_negative=sign, w_min=low, w_max=high, soft=soft)
            for (low, high), sign, soft, a in product(places, (0, 1), (0, 1), (0, 1, 0xFFFF))
            for weight in {low, high, max(low - 1, -top), min(high + 1, top), -top, top}
        ],
    )


def test_a_soft_weight_at_its_bound_stays_and_is_not_clipped():
    s = Synapse(0xFFFF, 127, a=0xFFFF, w_min=-127, w_max=127, soft=1)
    down = Synapse(0xFFFF, -127, a=0xFFFF, a_negative=1, w_min=-127, w_max=127, soft=1)
    assert [result[:2] for result in play(ArrayParams(), [s, down])] == [(127, False), (-127, False)]


def test_the_largest_change_lands_on_the_bound():
    up = Synapse(0xFFFF, -127, a=0xFFFF, w_min=-127, w_max=127, noise=4095)
    down = Synapse(0xFFFF, 127, a=0xFFFF, a_negative=1, w_min=-127, w_max=127, noise=4095)
    far = Synapse(0xFFFF, -127, a=0xFFFF, w_min=-127, w_max=127, soft=1, noise=4095)
    assert [result[:2] for result in play(ArrayParams(), [up, down, far])] == [
        (127, True),
        (-127, True),
        (127, True),
    ]


def test_a_trace_at_its_offset_changes_nothing():
    synapses = [
        Synapse(500, 3, t0=500, a=0xFFFF, a_negative=sign, w_min=-127, w_max=127, noise=noise)
        for sign in (0, 1)
        for noise in (0, 2048, 4095)
    ]
    assert [result[:2] for result in play(ArrayParams(), synapses)] == [(3, False)] * 6


@pytest.mark.parametrize("name", PARAMS)
def test_decays_as_the_model(name):
    params = PARAMS[name]
    rng = Random(2)
    corners = [
        Synapse(trace, a=a, exponent=exponent, dither=dither)
        for trace in (0, 1, 2, params.trace_max // 2, params.trace_max)
        for a in (0, 1, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF)
        for exponent in range(6)
        for dither in (0, 0xFFFFFFFF, rng.getrandbits(32))
    ]
    randoms = [
        Synapse(
            rng.randint(0, params.trace_max),
            a=rng.randint(0, 0xFFFF),
            exponent=rng.randrange(8),
            dither=rng.getrandbits(32),
        )
        for _ in range(600)
    ]
    check_decays(params, corners + randoms)
