"""A session: the image in an array, its time and its waiting events; after errors the array is at rest."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from synloom.base.errors import (
    ArrayLostError,
    CapacityError,
    MismatchError,
    NetworkError,
    ParameterError,
    SynloomError,
)
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom.device.events import NO_EVENTS, events_at
from synloom.device.execution import stop
from synloom.device.fan_out import FanOut
from synloom.device.loader import check_fits, clear_dynamics, load_image, write_register
from synloom.device.memories import load_snapshot, read_weights, records_of
from synloom.device.neuron_state import read_population
from synloom.device.rates import GeneratorRates
from synloom.device.session_runs import SessionRuns
from synloom.image.image import Image
from synloom.image.snapshot import Snapshot

__all__ = ["Session"]


class Session(SessionRuns):
    """An array, with all that the host keeps of it: loads, restores, resets, and its log."""

    def load(self, image: Image, then: Callable[[], None] = lambda: None) -> None:
        """Replace everything in the array by an image, or nothing if the array cannot run it.

        If loading is interrupted, no image counts as loaded; `then` is called before it does.

        Raises
        ------
        MismatchError
            If the image was compiled for another array.
        """
        check_fits(image, self.port.params)
        with self._unknown("a load", image):
            # What was lost is written anew.
            with suppress(ArrayLostError):
                stop(self.port)
            load_image(self.port, image)
            self._mode = image.registers["mode"]
            self.rates = GeneratorRates(self.port, image.gen_rate)
            self.inputs_merged = 0
            self.total, self.counted = 0, {}
            self.fan_out = FanOut(image)
            self._neurons, self._program = image.neuron_params.copy(), image.program.copy()
            self._restart(image)
            then()
        if self.log is not None:
            self.log.load(image)

    def restore(self, snapshot: Snapshot, then: Callable[[], None]) -> None:
        """Replace everything in the array by a snapshot, or nothing if the array cannot run its image.

        If that is interrupted, no image counts as loaded; `then` is called before it does.

        Raises
        ------
        MismatchError
            If the image was compiled for another array.
        """
        image = snapshot.image
        check_fits(image, self.port.params)
        with self._unknown("a restore", image):
            # What was lost is written anew.
            with suppress(ArrayLostError):
                stop(self.port)
            load_snapshot(self.port, snapshot)
            self._mode = snapshot.registers["mode"]
            held = snapshot.memories.get("gen_rate", image.gen_rate)
            self.rates = GeneratorRates(self.port, held, snapshot.rates)
            self.inputs_merged = snapshot.inputs_merged
            self.total, self.counted = snapshot.total, snapshot.counters
            self.fan_out = FanOut(image)
            self._neurons, self._program = (
                records_of(image, name, snapshot.memories[name]) for name in ("neuron_params", "program")
            )
            self.now, self._early, self.changes = snapshot.now, NO_EVENTS, snapshot.changes
            self.queue.restore(self.now, events_at(*snapshot.events.T))
            then()
        if self.log is not None:
            self.log.restore(snapshot)

    def close(self) -> None:
        """Disconnect from the array."""
        self._loaded, self._why = None, ", because the device is closed"
        self.under_way = ()
        self.port.close()

    def reset(self, keep_theta: bool) -> None:
        """Reset the dynamic state to that of the image, and the time to 0.

        Parameters
        ----------
        keep_theta : bool
            Whether adapted thresholds stay as they are.
        """
        image = self.image
        memory = memory_of(image.params, Region.NEURON_STATE)
        with self._unknown("a reset"):
            stop(self.port)
            fields = memory.layout.unpack(image.neuron_state)
            if keep_theta and "theta" in fields:
                for info in image.populations.values():
                    part = slice(info.first, info.first + info.n)
                    fields["theta"][part] = read_population(self.port, info, image.params)["theta"]
            if any(values.any() for values in fields.values()):
                self.port.write(*memory.write(fields))
            else:
                self.port.fill(*memory.extent(), 0)
            clear_dynamics(self.port)
            write_register(self.port, "now", 0)
            write_register(self.port, "probe_wait", 0)
            self._restart(image)
        if self.log is not None:
            self.log.add("reset", {"keep_theta": keep_theta})

    def _restart(self, image: Image) -> None:
        self.now, self._early, self.changes = 0, NO_EVENTS, ()
        self.queue.reset(0)
        self.queue.add(events_at(*image.events.T))

    # ---- log -----------------------------------------------------------------------------------

    def note(self, error: BaseException) -> None:
        """Let the log say that a call has failed, unless it was refused before it changed anything."""
        refused = (ParameterError, NetworkError, CapacityError, MismatchError)
        if self.log is not None and not isinstance(error, refused):
            self.torn = True
            self.log.error(error)

    def log_weights(self) -> None:
        """Let the log have the weights, if there is a log and they may have changed."""
        if self.log is not None and self._loaded is not None and self._learned:
            self.log.learned(read_weights(self.port, self._loaded))
            self._learned = False

    def end_log(self) -> None:
        """End the log, if there is one; weights that cannot be read are left out."""
        try:
            self.log_weights()
        except SynloomError as error:
            self.note(error)
        finally:
            log, self.log = self.log, None
            if log is not None:
                log.finish()
