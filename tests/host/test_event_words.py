"""The words of events are those of a plain loop: each step is announced before its first event."""

import numpy as np
import pytest

from synloom.contract.records import EVENT_ADVANCE, EVENT_MAX_ADVANCE
from synloom.device.event_queue import EventQueue
from synloom.device.events import ID_BITS


def words_one_by_one(events, cursor):
    words = []
    for event in events:
        step, which = int(event) >> ID_BITS, int(event) & 0xFFFF
        while step - cursor > EVENT_MAX_ADVANCE:
            words.append(EVENT_ADVANCE | EVENT_MAX_ADVANCE)
            cursor += EVENT_MAX_ADVANCE
        if step > cursor:
            words.append(EVENT_ADVANCE | step - cursor)
            cursor = step
        words.append(which)
    return words, cursor


@pytest.mark.parametrize("longest", [1, 3, 1000, EVENT_MAX_ADVANCE, 3 * EVENT_MAX_ADVANCE])
def test_events_become_the_words_of_a_plain_loop(longest):
    rng = np.random.default_rng(longest)
    queue = EventQueue()
    for begin in (0, 7):
        steps = begin + np.cumsum(rng.integers(0, longest + 1, 200))
        steps[50:] += EVENT_MAX_ADVANCE
        events = np.unique(steps << ID_BITS | rng.integers(0, 300, 200))
        queue.reset(begin)
        queue.add(events)
        half = int(steps[120])
        expected, cursor = words_one_by_one(events[events < half << ID_BITS], begin)
        assert queue.take(half).tolist() == expected
        assert queue.cursor == cursor
        expected, cursor = words_one_by_one(events[events >= half << ID_BITS], cursor)
        assert queue.take(int(steps[-1]) + 1).tolist() == expected
        assert queue.cursor == cursor
        assert queue.take(2**40).tolist() == []


@pytest.mark.parametrize("count", [1, 2, 31, 32, 33, 34])
def test_few_events_do_too(count):
    rng = np.random.default_rng(count)
    queue, cursor, begin = EventQueue(), 5, 5
    queue.reset(cursor)
    for _ in range(20):
        steps = begin + np.cumsum(rng.integers(1, 2 * EVENT_MAX_ADVANCE, count))
        events = steps << ID_BITS | rng.integers(0, 300, count)
        queue.add(events)
        begin = int(steps[-1]) + 1
        expected, cursor = words_one_by_one(events, cursor)
        assert queue.take(begin).tolist() == expected
        assert queue.cursor == cursor
