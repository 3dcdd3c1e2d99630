"""The history of a device: snapshots of its state, and logs of what happens."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace

from synloom.base.errors import DeviceError, MismatchError, ParameterError, SynloomError
from synloom.base.wording import shown
from synloom.device.capture import read_snapshot
from synloom.device.device_base import DeviceBase
from synloom.device.log import Log
from synloom.device.recorders import Recorders
from synloom.device.session import Session
from synloom.device.turns import exclusive
from synloom.image.snapshot import Snapshot

__all__ = ["DeviceHistory"]


class DeviceHistory(DeviceBase):
    """The part of a `Device` that keeps its past: snapshots and logs."""

    def __init__(self, session: Session):
        super().__init__(session)
        session.mend = self._mend_log

    @exclusive
    def snapshot(self, path: str | os.PathLike[str] | None = None) -> Snapshot:
        """Return all that decides how the experiment goes on; `restore` goes on there, on any target.

        It has the state of the array and what the host knows: weights, potentials, currents, traces,
        thresholds, spikes on their way, generators, random states, switches, rates, currents and parameters
        that were set, recorders, and spikes, settings and scheduled changes that are not yet due.

        Parameters
        ----------
        path : path, optional
            Also save it to this file.

        Raises
        ------
        DeviceError
            If no image is loaded.
        ParameterError
            If the file cannot be written.
        """
        self._session.require_image()
        taken = self._taken()
        if path is not None:
            taken.save(path)
        return taken

    def _taken(self) -> Snapshot:
        self._write_recorders()
        return read_snapshot(self._session, self._recorders)

    def _taken_for_a_log(self) -> Snapshot:
        """Return the state without changes that wait: a log has these when they are made."""
        return replace(self._taken(), changes=())

    @exclusive
    def restore(self, snapshot: Snapshot | str | os.PathLike[str]) -> None:
        """Go on where a snapshot was taken, bit by bit, on this or another target.

        Parameters
        ----------
        snapshot : Snapshot or path
            The snapshot, or its file.

        Raises
        ------
        MismatchError
            If another image is loaded, or the array cannot run the snapshot's image; nothing was changed.
        ParameterError
            If it is neither, or its file is not right; nothing was changed.

        If it is interrupted, no image counts as loaded.
        """
        if isinstance(snapshot, (str, os.PathLike)):
            snapshot = Snapshot.load(snapshot)
        if not isinstance(snapshot, Snapshot):
            raise ParameterError(f"restore needs a Snapshot or the path of its file, not {shown(snapshot)}")
        if self._session.loaded and self._session.image.digest() != snapshot.image.digest():
            raise MismatchError(
                f"the snapshot is of {snapshot.image!r}, but the device has {self._session.image!r}; call "
                f"device.load(snapshot.image) before device.restore(snapshot)"
            )
        recorders = Recorders.restored(snapshot.image, snapshot)

        def record() -> None:
            recorders.write(self._session.port, snapshot.registers["probe_wait"])
            self._recorders, self._last, self._recorders_written = recorders, None, True

        self._session.restore(snapshot, record)

    def _mend_log(self) -> None:
        """Let the log have all state after a call that was cut short, since nobody knows how far it went."""
        session = self._session
        if session.log is not None and session.loaded:
            with suppress(SynloomError):
                session.finish()
                session.log.restore(self._taken_for_a_log())
        session.torn = False

    @exclusive
    def logged(self, path: str | os.PathLike[str]) -> Log:
        """Begin a log of all that follows; `replay` does it again, bit by bit, on any target.

        It begins with a snapshot, if an image is loaded. It has every input by its value, every change with
        its step, and what each run recorded; after each `run` in which synapses could learn, the weights.
        What was written when a process dies can be replayed.

        Parameters
        ----------
        path : path
            The file, which must not exist.

        Returns
        -------
        Log
            A context that ends the log; its `close` and the device's `close` do that, too.

        Raises
        ------
        DeviceError
            If there is a log already.
        ParameterError
            If the file exists or cannot be written.
        """
        session = self._session
        if session.log is not None:
            raise DeviceError(f"there is a log already, {str(session.log.path)!r}; close it first")
        taken = self._taken_for_a_log() if session.loaded else None
        log = Log(path, self._session.port.params, self.end_log)
        try:
            if taken is not None:
                log.restore(taken)
        except BaseException:
            log.finish()
            raise
        session.log = log
        return log

    @exclusive
    def end_log(self) -> None:
        """End the log that is being written, if there is one."""
        self._session.end_log()
