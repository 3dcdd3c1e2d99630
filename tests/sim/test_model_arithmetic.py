"""decay and update, with results worked out by hand."""

import numpy as np
import pytest
from naive_array import decay as naive_decay
from naive_array import dither as naive_dither

from synloom.compiler.decay import first_in
from synloom.contract.dither import DITHER, dither
from synloom_sim.model.arithmetic import Rule, decay, update

RULE = Rule(
    a=0x1000, t0=0, w_min=-100, w_max=100, a_negative=False, soft=False, stochastic=False, reward=False
)


def rule(**changes):
    return Rule(**({name: getattr(RULE, name) for name in Rule.__slots__} | changes))


def updated(weight, trace, reward=256, r=2048, weight_bits=8, trace_bits=16, **changes):
    w = np.array([[weight]], dtype=np.int16)
    new, clipped = update(rule(**changes), weight_bits, trace_bits, w, np.array([trace]), reward, r)
    return int(new[0, 0]), bool(clipped[0, 0])


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 4, 7])
@pytest.mark.parametrize("m", [1, 43, 4096, 40000, 0xFFFE])
def test_decay_reaches_zero_from_both_sides_and_never_crosses(m, exponent):
    shift = 16 + 4 * min(exponent, 4)
    # From 1 all the loss is the dither's; a step of 4 tau would take too long to wait for, so that the dither
    # goes on from step to step as far as a unit may have to wait.
    for sign in (1, -1):
        v, t = sign * 5, 1000
        while v:
            after = int(decay(v, m, exponent, dither(t)))
            assert abs(after) <= abs(v)
            assert after * v >= 0
            v = after
            t += 1 if m * 200 > 1 << shift else first_loss(v, m, shift, t + 1) - t
        assert int(decay(v, m, exponent, dither(t))) == 0


def first_loss(v, m, shift, start):
    """Return the first step from `start` on in which a magnitude loses a unit; at most a period of 2**s."""
    need, modulus = (1 << shift) - abs(v) * m, 1 << shift
    if not v or need <= 0:
        return start
    here = dither(start) % modulus
    if here >= need:
        return start
    return start + first_in(DITHER, modulus, need - here, modulus - 1 - here)


def test_decay_adds_the_dither_to_the_exact_loss_of_the_magnitude():
    half = 1 << 15
    assert decay([3, -3], half, 0, 0).tolist() == [2, -2]
    assert decay([3, -3], half, 0, half - 1).tolist() == [2, -2]
    assert decay([3, -3], half, 0, half).tolist() == [1, -1]
    for exponent in range(8):
        m = 3 << 4 * min(exponent, 4) if exponent < 4 else 3 << 12
        unit = 1 << 16 if exponent < 4 else 1 << 20
        assert decay(unit, m, exponent, 0) == unit - 3


def test_decay_takes_the_low_bits_of_the_dither():
    assert decay(1, 1, 0, 0xFFFF) == 0
    assert decay(1, 1, 0, 0xFFFF0000) == 1
    assert decay(1, 1, 1, 0xFFFF) == 1
    assert [int(decay(1, 1, exponent, 0xFFFFFFFF)) for exponent in range(8)] == [0] * 8
    assert decay(1, 1, 4, 0xFFFFFFFE) == 1


def test_decay_with_the_largest_coarse_coefficient_takes_everything():
    for w in (0, 0xFFFFFFFF):
        assert decay([2**23 - 1, -(2**23) + 1], 0xFFFF, 0, w).tolist() == [0, 0]
        assert int(decay(2**23 - 1, 0xFFFF, 1, w)) > 0


def test_decay_of_coefficient_zero_keeps_everything():
    assert decay([7, -7, 0], 0, [0, 1, 4], 0xFFFFFFFF).tolist() == [7, -7, 0]


def test_decay_agrees_with_integers():
    rng = np.random.default_rng(1)
    v = rng.integers(-(2**23), 2**23, 2000)
    m = rng.integers(0, 2**16, 2000)
    exponent = rng.integers(0, 8, 2000)
    w = rng.integers(0, 2**32, 2000)
    expected = [
        naive_decay(*values)
        for values in zip(v.tolist(), m.tolist(), exponent.tolist(), w.tolist(), strict=True)
    ]
    assert decay(v, m, exponent, w).tolist() == expected


def test_the_dither_is_that_of_the_naive_array():
    for now, n in ((0, 0), (1, 0), (0, 1), (0xFFFFFFFF, 4095), (123456, 77)):
        assert dither(now, n) == naive_dither(now, n)


def test_update_moves_by_a_times_the_trace_over_2_to_the_24():
    # p = 0x1000 * 8192 >> 12 = 8192, in 2**-12: two units.
    assert updated(10, 8192) == (12, False)
    assert updated(10, 8192, a_negative=True) == (8, False)


@pytest.mark.parametrize("trace_bits", range(8, 17))
def test_an_amplitude_means_the_same_for_every_width_of_traces(trace_bits):
    sixteenth = 1 << trace_bits - 4
    assert updated(0, sixteenth, trace_bits=trace_bits, a=5 << 12) == (5, False)
    assert updated(0, 8 * sixteenth, trace_bits=trace_bits, a=5 << 12) == (40, False)
    assert updated(-127, 2**trace_bits - 1, trace_bits=trace_bits, a=0xFFFF, w_max=127, w_min=-127) == (
        127,
        True,
    )


def test_update_rounds_half_up_or_by_the_random_number():
    assert updated(0, 2047) == (0, False)
    assert updated(0, 2048) == (1, False)
    assert updated(0, 2048, r=2047) == (0, False)
    assert updated(0, 1, r=4095) == (1, False)


def test_update_compares_the_trace_with_its_target():
    assert updated(0, 4096, t0=8192) == (-1, False)
    assert updated(0, 12288, t0=8192) == (1, False)
    assert updated(0, 8192, t0=8192) == (0, False)
    assert updated(0, 8192, t0=8192, r=4095) == (0, False)


def test_update_stays_within_its_bounds_and_says_so():
    assert updated(99, 8192) == (100, True)
    assert updated(-99, 8192, a_negative=True) == (-100, True)
    assert updated(98, 8192) == (100, False)


def test_update_brings_a_weight_from_outside_its_bounds_back():
    assert updated(50, 0, w_max=40) == (40, True)


def test_soft_bounds_scale_with_the_room_that_is_left():
    # room 100 - 36 = 64 of 128: half of two units up; room 36 - (-100) = 136 down.
    assert updated(36, 8192, soft=True) == (37, False)
    assert updated(36, 2 * 8192, soft=True, a_negative=True) == (32, False)
    assert updated(100, 60000, soft=True) == (100, False)


def test_soft_bounds_of_narrow_weights_scale_by_8():
    assert updated(1, 8192, soft=True, weight_bits=4, w_min=-7, w_max=5) == (2, False)


def test_soft_bounds_never_turn_a_step_round():
    assert updated(50, 8192, soft=True, w_max=40) == (40, True)


def test_reward_scales_and_turns_the_rule_and_saturates():
    def rewarded(factor, trace, **changes):
        w = np.zeros((1, 1), dtype=np.int16)
        return int(update(rule(reward=True, **changes), 8, 16, w, np.array([trace]), factor, 2048)[0][0, 0])

    assert [rewarded(factor, 8192) for factor in (512, 128, -256, 0)] == [4, 1, -2, 0]
    assert rewarded(32767, 4096, a=60000) == (65535 + 2048) >> 12


def test_update_of_the_strongest_rule_does_not_overflow():
    for soft in (False, True):
        assert updated(-100, 65535, a=65535, soft=soft, r=4095)[0] == 100
        assert updated(100, 65535, a=65535, soft=soft, r=4095, a_negative=True)[0] == -100
