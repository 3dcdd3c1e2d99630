"""What the host knows of one array: its image, its time, what waits and what is under way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from synloom.base.errors import CapacityError, DeviceError
from synloom.contract.array_port import Port, Words
from synloom.contract.memory import Write
from synloom.device.decoder import RecordDecoder
from synloom.device.event_queue import EventQueue
from synloom.device.events import NO_EVENTS
from synloom.device.log import Log
from synloom.device.rates import GeneratorRates
from synloom.image.image import Image
from synloom.image.waiting import Change

__all__ = ["SessionState"]


class SessionState:
    """What the host knows of one array, and what is under way.

    Parameters
    ----------
    port : Port
        The array.

    Attributes
    ----------
    now : int
        The next step.
    queue : EventQueue
        Spikes and settings that wait to be sent.
    rates : GeneratorRates
        Rates of the generators.
    inputs_merged : int
        Spikes since the load that had another one in their step and channel or neuron.
    total : int
        Steps since the load.
    counted : mapping of str to int
        What the counters of the array had counted before it was restored.
    log : Log or None
        What is told of all that happens.
    decoder : RecordDecoder
        Records of the last run, also of one that was cut short.
    changes : tuple of Change
        Changes that are made before their step.
    given : (K,) int64
        Events of that run, sorted, but for those of a stream that were told to its meter.
    under_way : tuple of (Region, int, (n,) uint16)
        Writes of a call that was cut short, of which a part may have happened: `finish` does them.
    """

    def __init__(self, port: Port):
        self.port = port
        self.queue = EventQueue()
        self.now = 0
        self.rates = GeneratorRates(port, np.zeros(0, dtype=np.uint16))
        self.inputs_merged = 0
        self.total = 0
        self.counted: Mapping[str, int] = {}
        self.log: Log | None = None
        # Whether a call was cut short since the log was right for the last time.
        self.torn = False
        self.mend: Callable[[], None] = lambda: None
        self.under_way: tuple[Write, ...] = ()
        self.changes: tuple[Change, ...] = ()
        # Whether weights may have changed since they were logged.
        self._learned = False
        self._loaded: Image | None = None
        self._why = ""
        self.decoder = RecordDecoder(0)
        self.given = NO_EVENTS
        # Events in the delay wheel that belong to the next run, since this one was cut short; those that the
        # last run began with.
        self._early = self._carried = NO_EVENTS
        self._mode: int | None = None
        self._neurons: Words | None = None
        self._program: Words | None = None

    @property
    def loaded(self) -> bool:
        """Whether an image is loaded."""
        return self._loaded is not None

    @property
    def image(self) -> Image:
        """The loaded image; DeviceError if there is none."""
        return self.require_image()

    def require_image(self) -> Image:
        """Return the loaded image.

        Raises
        ------
        DeviceError
            If no image is loaded.
        """
        if self._loaded is None:
            raise DeviceError(f"no image is loaded{self._why}; call device.load(image)")
        return self._loaded

    def require(self, *features: str) -> None:
        """Raise an error if the array lacks a feature.

        Raises
        ------
        CapacityError
            If it lacks one; the message names it.
        """
        params = self.image.params
        for feature in features:
            if not getattr(params, feature):
                raise CapacityError(
                    f"this array lacks the feature {feature!r}; compile for params.replace({feature}=True)"
                )

    def forget(self) -> None:
        """Treat the array as empty: no image counts as loaded."""
        self._loaded, self._why = None, ", because the device was told to forget it"
        self.under_way = ()

    def lose(self) -> None:
        """Treat the array as empty: it was found to be."""
        self._loaded, self._why = None, ", because the array lost it"
        self.under_way = ()

    @contextmanager
    def _unknown(self, what: str, new: Image | None = None) -> Iterator[None]:
        """Let no image count as loaded while the array is written, nor afterwards if that is cut short.

        Then the same one counts again, or at once the new one.
        """
        image, self._loaded = new or self._loaded, None
        self._why = f", because {what} was cut short"
        self.under_way = ()
        yield
        self._loaded, self._why = image, ""
