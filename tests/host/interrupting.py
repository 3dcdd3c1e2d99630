"""Exceptions at a chosen line of a call, as a second Ctrl-C or a failing allocation would raise them."""

import os
import sys
import threading
from collections import Counter
from typing import NamedTuple

from synloom import DeviceError

OURS, ARRAY = os.sep + "synloom" + os.sep, os.sep + "synloom_sim" + os.sep
PORTS = ("software_port.py", "fast_port.py", "model_port.py")


class Cut(KeyboardInterrupt):
    """An interruption that nothing else raises."""


class Line(NamedTuple):
    """A line of a file that is executed for the n-th time in a call."""

    place: str
    nth: int


class Tracer:
    """Calls `seen` at each line that the host executes; with `ports` also at those of software ports."""

    def __init__(self, ports=False):
        self.ports = ports

    def __call__(self, frame, event, _):
        name = frame.f_code.co_filename
        if not (OURS in name or (self.ports and name.endswith(PORTS))) or self._in_array(frame):
            return None
        if event == "line":
            self.seen(f"{name}:{frame.f_lineno}")
        return self

    def seen(self, place):
        raise NotImplementedError

    def _in_array(self, frame):
        """Return whether the array in this process calls: a board is not cut short with its host."""
        for _ in range(8):
            frame = frame.f_back
            if frame is None:
                return False
            name = frame.f_code.co_filename
            if ARRAY in name and not (self.ports and name.endswith(PORTS)):
                return True
        return False

    def __enter__(self):
        sys.settrace(self)
        return self

    def __exit__(self, *_):
        sys.settrace(None)


class AtLine(Tracer):
    """Raises at the k-th line, and counts the lines."""

    def __init__(self, k):
        super().__init__()
        self.k, self.lines, self.where = k, 0, ""

    def seen(self, place):
        if self.lines == self.k:
            self.where = place
            self.lines += 1
            raise Cut
        self.lines += 1


class Lines(Tracer):
    """Notes all lines in the order in which they are executed."""

    def __init__(self, ports=False):
        super().__init__(ports)
        self.counts, self.lines = Counter(), []

    def seen(self, place):
        self.counts[place] += 1
        self.lines.append(Line(place, self.counts[place]))


class AtNth(Tracer):
    """Raises when a line is executed for the n-th time."""

    def __init__(self, line, ports=False):
        super().__init__(ports)
        self.line, self.left = line, line.nth

    def seen(self, place):
        if place == self.line.place:
            self.left -= 1
            if self.left == 0:
                raise Cut


def cut(tracer, call, *arguments, **options):
    """Make a call that a tracer may cut; return whether it ended."""
    with tracer:
        try:
            call(*arguments, **options)
        except Cut:
            return False
        finally:
            sys.settrace(None)
    return True


def wants_a_load(call, *arguments):
    """Return whether a call, instead of what it does, says that an image must be loaded."""
    try:
        call(*arguments)
    except DeviceError as error:
        said = str(error)
    else:
        return False
    assert "call device.load" in said
    return True


def others_may_call(call, *arguments):
    """Return whether another thread may make a call, right after an interruption of this one."""
    got = []

    def made():
        wants_a_load(call, *arguments)
        got.append(True)

    other = threading.Thread(target=made)
    other.start()
    other.join(20.0)
    return bool(got)


def last_of(lines):
    """Return how often each place of some lines was executed."""
    return {line.place: line.nth for line in lines}


def once(lines, rng):
    """Return a random execution of each place of some lines."""
    return sorted(Line(place, rng.randint(1, n)) for place, n in last_of(lines).items())


def firsts(lines):
    """Return the first execution of each place of some lines."""
    return [line for line in lines if line.nth == 1]
