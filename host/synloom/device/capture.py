"""Snapshots of a session: what the array and the host know, between two runs."""

from __future__ import annotations

import numpy as np

from synloom.base.errors import DeviceError
from synloom.device.counters import read_counters
from synloom.device.events import ids_of, steps_of
from synloom.device.execution import is_running
from synloom.device.loader import read_register
from synloom.device.memories import arriving, read_live
from synloom.device.recorders import Recorders
from synloom.device.session import Session
from synloom.image.snapshot import LIVE_REGISTERS, Snapshot

__all__ = ["read_snapshot"]


def read_snapshot(session: Session, recorders: Recorders) -> Snapshot:
    """Return the state of a session and its array, which must be at rest.

    Raises
    ------
    DeviceError
        If no image is loaded, or a run is going on.
    """
    image, port = session.image, session.port
    if is_running(port):
        raise DeviceError("a snapshot is taken between runs, and one is going on; wait until it has ended")
    session.unshow()
    memories = read_live(port, image)
    # Spikes of inputs are in the wheel only after an interruption, and only in an array that looks ahead: to
    # all targets they are events that wait.
    inputs = memories["wheel"].reshape(image.params.delay_slots, -1)[:, : image.params.input_words]
    waiting = np.union1d(session.queue.waiting, arriving(inputs, session.now))
    inputs[:] = 0
    counters = dict(read_counters(port, before=session.counted))
    return Snapshot(
        image=image,
        now=session.now,
        total=session.total,
        registers={name: read_register(port, name) for name in LIVE_REGISTERS},
        memories=memories,
        rates=session.rates.own,
        events=np.stack([steps_of(waiting), ids_of(waiting)], axis=1),
        changes=session.changes,
        spikes=recorders.spikes,
        probes=recorders.probes,
        every=recorders.every,
        counters=counters,
        inputs_merged=session.inputs_merged,
    )
