"""Recorders: spikes of populations, and probes of state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from synloom.base.checks import IntArray, label_of, real
from synloom.base.errors import NetworkError, ParameterError
from synloom.base.wording import shown
from synloom.contract.array_port import Port
from synloom.device.cost import Work
from synloom.device.decoder import RecordDecoder
from synloom.device.loader import write_register
from synloom.device.neuron_state import Probe, make_probes, require_probes, write_probes
from synloom.device.recording import Recording, Series
from synloom.image.image import Image
from synloom.image.snapshot import Snapshot

__all__ = ["Recorders"]


class Recorders:
    """The recorders of a device; they make a Recording from the records of a run.

    Parameters
    ----------
    spikes : sequence of str
        Labels of the populations whose spikes are recorded from the start.
    """

    def __init__(self, spikes: Sequence[str] = ()):
        self._spikes = list(spikes)
        self._inputs: list[str] = []
        self._probes: list[Probe] = []
        self._every: int | None = None

    @classmethod
    def restored(cls, image: Image, snapshot: Snapshot) -> Recorders:
        """Return the recorders of a snapshot; the errors are those of `add`."""
        return cls.of(image, snapshot.spikes, snapshot.probes, snapshot.every)

    @classmethod
    def of(
        cls, image: Image, spikes: Sequence[str], probes: Sequence[tuple[str, str, int]], every: int
    ) -> Recorders:
        """Return recorders from what their properties have said; the errors are those of `add`."""
        recorders = cls([label for label in spikes if label in image.populations])
        recorders._inputs = [label for label in spikes if label in image.inputs]
        for label, variable, index in probes:
            recorders._probes += make_probes(image, label, variable, np.array([index]))
            recorders._every = every
        return recorders

    @property
    def spikes(self) -> tuple[str, ...]:
        """Labels of the populations and inputs whose spikes are recorded."""
        return (*self._spikes, *self._inputs)

    @property
    def probes(self) -> tuple[tuple[str, str, int], ...]:
        """Label, variable and index of each probe."""
        return tuple((probe.label, probe.variable, probe.index) for probe in self._probes)

    @property
    def every(self) -> int:
        """Steps from one sample to the next."""
        return self._every or 1

    @property
    def wants_spikes(self) -> bool:
        """Whether the array must record spikes."""
        return bool(self._spikes)

    @property
    def wants_inputs(self) -> bool:
        """Whether spikes of inputs are recorded, which the host knows or computes."""
        return bool(self._inputs)

    def add(self, image: Image, which: Any, variable: str, indices: Any, every: float | None) -> None:
        """Add a recorder; after an error, the recorders are unchanged.

        The arguments and errors are those of `Device.record`.
        """
        label = label_of(which)
        if label not in image.populations and label not in image.inputs:
            names = ", ".join(map(repr, [*image.populations, *image.inputs]))
            raise NetworkError(f"the image has no population {shown(label)}; it has {names}")
        if not isinstance(variable, str):
            raise ParameterError(f"variable must be a str such as 'spikes' or 'v', not {shown(variable)}")
        if variable == "spikes":
            if indices is not None or every is not None:
                raise ParameterError(
                    "spikes are recorded for whole populations in every step; leave out indices and every"
                )
            kept = self._spikes if label in image.populations else self._inputs
            kept += [] if label in kept else [label]
            return
        n = (image.populations.get(label) or image.inputs[label]).n
        steps = _every_steps(every, image.dt)
        if self._probes and self._every != steps:
            raise ParameterError(
                f"every must be the same for all probes, {(self._every or 1) * image.dt:g} ms so far, not "
                f"{steps * image.dt:g} ms; call record_nothing() to start again"
            )
        probes = make_probes(image, label, variable, _indices(indices, n))
        known = {(p.label, p.variable, p.index) for p in self._probes}
        probes = [*self._probes, *(p for p in probes if (p.label, p.variable, p.index) not in known)]
        require_probes(len(probes), image.params)
        self._probes, self._every = probes, steps

    def write(self, port: Port, wait: int = 0) -> None:
        """Write the probes to the array, which waits for so many steps before the next samples."""
        write_register(port, "probe_count", 0)
        if self._probes:
            write_probes(port, self._probes)
            write_register(port, "probe_every", self._every or 1)
            write_register(port, "probe_wait", wait)
            write_register(port, "probe_count", len(self._probes))

    def recording(
        self,
        decoder: RecordDecoder,
        image: Image,
        first: int,
        steps: int,
        work: Work | None,
        inputs: IntArray | None = None,
    ) -> Recording:
        """Return the recording of a run.

        Parameters
        ----------
        decoder : RecordDecoder
            The decoded records of the run.
        image : Image
            The loaded image.
        first, steps : int
            First step, and number of steps.
        work : Work, optional
            What its cost is computed from; None if it is not known.
        inputs : (K, 2) int64, optional
            (step, id) of the spikes of inputs, in order; needed if they are recorded.
        """
        spike_steps: dict[str, IntArray] = {}
        spike_indices: dict[str, IntArray] = {}
        sizes: dict[str, int] = {}
        when, neurons = decoder.spikes()
        places = [(label, image.populations[label].first, when, neurons) for label in self._spikes]
        if inputs is not None:
            places += [(label, image.inputs[label].source, *inputs.T) for label in self._inputs]
        for label, begin, steps_of, ids in places:
            sizes[label] = (image.populations.get(label) or image.inputs[label]).n
            mine = (ids >= begin) & (ids < begin + sizes[label])
            spike_steps[label], spike_indices[label] = steps_of[mine], ids[mine] - begin
        return Recording(
            first=first,
            steps=steps,
            dt=image.dt,
            sizes=sizes,
            spike_steps=spike_steps,
            spike_indices=spike_indices,
            series=self._series(decoder),
            works=None if work is None else (work,),
        )

    def _series(self, decoder: RecordDecoder) -> dict[tuple[str, str], Series]:
        steps, raw = decoder.samples()
        columns: dict[tuple[str, str], list[int]] = {}
        for k, probe in enumerate(self._probes):
            columns.setdefault((probe.label, probe.variable), []).append(k)
        series = {}
        for name, places in columns.items():
            values = [self._probes[k].decode(raw[:, k]) if len(steps) else np.zeros(0) for k in places]
            indices = np.array([self._probes[k].index for k in places], dtype=np.int64)
            series[name] = Series(steps, indices, np.stack(values, axis=1))
        return series


def _every_steps(every: float | None, dt: float) -> int:
    if every is None:
        return 1
    steps = real("every", every, low=dt) / dt
    if abs(steps - round(steps)) > 1e-6 or steps > 0xFFFF:
        raise ParameterError(
            f"every must be a multiple of dt ({dt:g} ms) and at most 65535 steps, not {every:g} ms"
        )
    return round(steps)


def _indices(indices: Any, n: int) -> IntArray:
    if indices is None:
        return np.arange(n, dtype=np.int64)
    try:
        array = np.atleast_1d(np.asarray(indices))
    except ValueError:
        array = np.zeros(0)
    if array.ndim != 1 or array.dtype.kind not in "iu" or not array.size:
        raise ParameterError(f"indices must be one or more whole numbers, not {shown(indices)}")
    bad = (array < 0) | (array >= n)
    if bad.any():
        raise ParameterError(f"indices must be in 0..{n - 1}, not {array[bad][0]}")
    if np.unique(array).size < array.size:
        raise ParameterError(f"indices must differ, not {shown(indices)}")
    return array.astype(np.int64)
