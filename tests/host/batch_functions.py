"""Functions that the tests of batches and sweeps send to other processes."""

import os
import signal
import time

import numpy as np


def closed_loop(device, case):
    """Let each step's spikes set the next step's input."""
    fired = [case]
    for _ in range(20):
        fired.append(len(device.step({"in": np.arange(20) < 5 + fired[-1] % 7})["out"]))
    return fired


def closed(device, case):
    return case


def fails_at(device, case):
    if case in (2, 5):
        raise ValueError(f"case {case} is bad")
    return case


def dies_at(device, case):
    if case == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return case


def always_dies(device, case):
    os._exit(3)


def cannot_return(device, case):
    return (lambda: case) if case == 1 else case


def sleeps(device, case):
    with open(case, "a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(600.0)
