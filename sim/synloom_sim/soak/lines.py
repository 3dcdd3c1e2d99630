"""Frames over bad lines: wrong results, throughput, and what comes through at 1 % of damaged bytes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from synloom.device.device import Device
from synloom.link import LinkPort, SerialTransport
from synloom_sim.board import Design, SimTransport
from synloom_sim.faults import Faults, LossyTransport
from synloom_sim.soak.served import served_board
from synloom_sim.soak.session import PARAMS, agrees
from synloom_sim.soak.verdict import Tally, Tell, Verdict, judge

__all__ = ["damaged_bytes", "damaged_frames", "throughput"]

_SHARES: Final = (0.001, 0.003, 0.01)
_TIMEOUT_S: Final = 0.02
"""Of the board's time, which costs the host's time while a command has arrived in part."""
_SEEDS: Final = 32
"""Sessions differ by their seed; after so many they come again, so that the model need not run for each."""


@contextmanager
def _lossy(faults: Faults) -> Iterator[LossyTransport]:
    transport = LossyTransport(SimTransport.build(Design(PARAMS)), faults)
    try:
        yield transport
    finally:
        transport.close()


def _over(transport: LossyTransport, seed: int) -> bool:
    return agrees(Device(LinkPort(transport, timeout=_TIMEOUT_S)), seed % _SEEDS)


def damaged_frames(frames: int, seed: int, tell: Tell) -> Iterator[Tally]:
    """Yield what came of sessions over lines on which 0.1, 0.3 and 1 % of the frames are damaged."""
    for share in _SHARES:
        tally = Tally(f"{100 * share:g} % of frames damaged", "frames")
        number, wanted = 0, frames // len(_SHARES)
        with _lossy(Faults(damage=share, seed=seed)) as transport:
            while tally.amount < wanted:
                number += 1
                judge(tally, f"seed {seed}, session {number}", partial(_over, transport, number))
                tally.amount = transport.counts["frames"]
                tell(tally.part, tally.amount, wanted)
            tally.figures["damaged"] = transport.counts["damage"]
        yield tally


def damaged_bytes(runs: int, seed: int, tell: Tell) -> Iterator[Tally]:
    """Yield what came of sessions over a line on which 1 % of the bytes are damaged."""
    tally = Tally("1 % of bytes damaged", "sessions")
    for k in range(runs):
        with _lossy(Faults(flips=0.01, seed=seed + k)) as transport:
            judge(tally, f"seed {seed + k}", partial(_over, transport, k))
        tally.amount += 1
        tell(tally.part, tally.amount, runs)
    tally.figures["share that came through"] = round(tally.verdicts[Verdict.RIGHT] / max(1, runs), 3)
    yield tally


def throughput(sessions: int, seed: int, tell: Tell) -> Iterator[Tally]:
    """Yield sessions a second at a pseudo-terminal with 1 % of damaged frames, in relation to a clean line.

    Time passes there as at a serial port, so the client's time-outs count.
    """
    tally = Tally("throughput at a pseudo-terminal", "sessions")
    rates = []
    for share in (0.0, 0.01):
        with served_board(Faults(damage=share, seed=seed)) as path:
            transport = SerialTransport(path, PARAMS.baud)
            device = Device(LinkPort(transport))
            started = time.monotonic()
            for k in range(sessions):
                judge(tally, f"seed {seed}, session {k}", partial(agrees, device, k % _SEEDS))
                tally.amount += 1
                tell(tally.part, tally.amount, 2 * sessions)
            rates.append(sessions / (time.monotonic() - started))
            device.close()
    tally.figures |= {
        "sessions a second, clean": round(rates[0], 2),
        "sessions a second, 1 % of frames damaged": round(rates[1], 2),
        "ratio": round(rates[1] / rates[0], 3),
    }
    yield tally
