"""Logs: what a session does with its array, entry by entry, so that it can be done again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import numpy.typing as npt

from synloom.base.archive import packed
from synloom.base.checks import IntArray
from synloom.base.errors import ParameterError
from synloom.base.warning import warn
from synloom.base.wording import one_line, shown
from synloom.contract.params import SEMANTICS_VERSION, ArrayParams
from synloom.device.decoder import RecordDecoder
from synloom.device.events import events_at
from synloom.device.log_file import LogWriter
from synloom.image.image import Image
from synloom.image.snapshot import Snapshot

if TYPE_CHECKING:
    from synloom.device.recorders import Recorders

__all__ = ["MOST_VALUES", "Log", "spikes_of"]

MOST_VALUES: Final = 1 << 22
"""Most events of one entry, and most spikes and sampled values of a run that are kept: the first ones."""
_MOST_TEXT: Final = 400


class Log:
    """A log that is being written; `Device.logged` begins one. A context that ends it.

    If the file cannot be written any more, a SynloomWarning says so, and the experiment goes on without.

    Parameters
    ----------
    path : path
        The file, which must not exist.
    params : ArrayParams
        The array.
    end : callable
        Called by `close`: it must call `finish`.

    Raises
    ------
    ParameterError
        If the file exists or cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str], params: ArrayParams, end: Callable[[], None]):
        if not isinstance(path, (str, os.PathLike)) or isinstance(os.fspath(path), bytes):
            raise ParameterError(f"path must be a str or a path, not {shown(path)} ({type(path).__name__})")
        self.path = Path(path)
        self._end = end
        self._ended = False
        self._weights: npt.NDArray[np.int8] | None = None
        # What is in the file need not be there again.
        self._image: Image | None = None
        self._snapshot: Snapshot | None = None
        try:
            self._writer: LogWriter | None = LogWriter(self.path)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise ParameterError(
                f"cannot begin the log {one_line(str(self.path), 300)!r}: {why}; give a path "
                f"at which there is no file"
            ) from error
        self.add("begin", {"semantics": SEMANTICS_VERSION, "params": params.to_dict()})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the log; ending it again does nothing."""
        if not self._ended:
            self._end()

    # ---- entries -------------------------------------------------------------------------------

    def add(self, kind: str, values: dict[str, Any], /, **arrays: npt.NDArray[Any]) -> None:
        """Append an entry."""
        if self._writer is None:
            return
        try:
            self._writer.add(kind, values, arrays)
        except OSError as error:
            writer, self._writer = self._writer, None
            writer.close()
            warn(
                f"the log {one_line(str(self.path), 300)!r} cannot be written any more "
                f"({error.strerror or error}); it ends here, and can be replayed up to here"
            )

    def load(self, image: Image) -> None:
        """Append that an image was loaded; its file is left out if it is that of the last one."""
        self._weights = None
        again, self._image = image is self._image, image
        file = {} if again else {"file": _bytes(packed(image.arrays()))}
        self.add("load", {"digest": image.digest()}, **file)

    def restore(self, snapshot: Snapshot) -> None:
        """Append that a snapshot was restored; its file is left out if it is that of the last one."""
        self._weights = None
        again, self._image, self._snapshot = snapshot is self._snapshot, snapshot.image, snapshot
        file = {} if again else {"file": _bytes(snapshot.to_bytes())}
        self.add("restore", {"digest": snapshot.digest()}, **file)

    def events(self, events: IntArray) -> None:
        """Append that events, (K,) int64, were sent."""
        for first in range(0, len(events), MOST_VALUES):
            self.add("events", {}, events=events[first : first + MOST_VALUES])

    def recorders(self, recorders: Recorders) -> None:
        """Append that other recorders are set."""
        probes = [list(probe) for probe in recorders.probes]
        self.add("recorders", {"spikes": recorders.spikes, "probes": probes, "every": recorders.every})

    def run(self, first: int, steps: int, decoder: RecordDecoder) -> None:
        """Append that steps were run, and what was recorded in them."""
        when, values = decoder.samples()
        if not len(when):
            values = values.reshape(0, 0)
        spikes = spikes_of(decoder)
        head = {"first": first, "steps": steps, "spikes": len(spikes), "samples": len(when)}
        few = max(1, MOST_VALUES // max(1, values.shape[1]))
        self.add("run", head, spikes=spikes[:MOST_VALUES], when=when[:few], values=values[:few])

    def learned(self, weights: npt.NDArray[np.int8]) -> None:
        """Append what the weights are, (S, N) int8: as differences from the last time."""
        before, self._weights = self._weights, weights
        change = weights if before is None else weights - before
        self.add("learned", {"from_zero": before is None}, weights=change)

    def error(self, error: BaseException) -> None:
        """Append that a call of the device has failed or was interrupted."""
        self.add("error", {"text": one_line(f"{type(error).__name__}: {error}", _MOST_TEXT)})

    def finish(self) -> None:
        """Append that this is all, and close the file."""
        self.add("end", {})
        self._ended = True
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()


def spikes_of(decoder: RecordDecoder) -> IntArray:
    """Return the recorded spikes as events, (K,) int64, each with its step and neuron; in order."""
    return events_at(*decoder.spikes())


def _bytes(content: bytes) -> npt.NDArray[np.uint8]:
    return np.frombuffer(content, dtype=np.uint8)
