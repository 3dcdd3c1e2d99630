"""How long replies take: each kind of command on its own, and a late reply is not a lost one."""

import pytest

from synloom.contract.frames import Op
from synloom.link.reply_times import ReplyTimes, kind_of

READ = kind_of(Op.READ, bytes(6))


def fill(count):
    return kind_of(Op.FILL, bytes(4) + count.to_bytes(2, "little") + bytes(2))


def test_what_is_not_known_gets_all_the_time():
    assert ReplyTimes().patience(READ, 1.0) == 1.0


def test_patience_follows_the_mean_and_the_spread():
    times, rng = ReplyTimes(), (0.18, 0.22) * 200
    for k, took in enumerate(rng):
        times.note(READ, k & 0xFF, 1, took)
    # Mean 0.2 s, mean deviation 0.02 s (Jacobson 1988).
    assert times.patience(READ, 1.0) == pytest.approx(0.28, abs=0.01)
    assert times.patience(READ, 0.1) == 0.1


def test_a_long_fill_does_not_hurry_after_short_ones():
    times = ReplyTimes()
    for k in range(20):
        times.note(fill(16), k, 1, 0.002)
    times.note(fill(60_000), 20, 1, 0.4)
    assert times.patience(fill(16), 1.0) == pytest.approx(0.05)
    assert times.patience(fill(40_000), 1.0) > 0.4


def test_a_command_that_was_sent_again_says_nothing_about_the_time():
    times = ReplyTimes()
    times.note(READ, 0, 1, 0.1)
    before = times.patience(READ, 9.0)
    times.note(READ, 1, 2, 5.0)
    assert times.patience(READ, 9.0) == before


def test_loss_counts_what_was_lost_and_not_what_was_late():
    times = ReplyTimes()
    for k in range(8):
        times.note(READ, k, 2, 0.1)
        times.note_second_reply(k)
    assert times.loss < 0.01
    for k in range(8):
        times.note(READ, k, 2, 0.1)
    assert times.loss == pytest.approx(1 - 0.875**8, abs=0.01)
    times.note_second_reply(3)
    once = times.loss
    times.note_second_reply(3)
    assert times.loss == once
