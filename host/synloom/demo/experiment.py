"""The complete experiment: both forms on a target and on the model, compared bit for bit."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

import numpy as np

from synloom.base.errors import DeviceError, SynloomError
from synloom.base.progress import Progress
from synloom.contract.params import ArrayParams
from synloom.demo.data import Digits, load_digits, validation_split
from synloom.demo.digits import Outcome, learn
from synloom.demo.settings import FORMS, SETTINGS, DigitSettings
from synloom.device.device import Device
from synloom.device.targets import connect

__all__ = ["Difference", "Experiment", "Reference", "compare"]


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """The experiment, which is the same for all targets.

    Parameters
    ----------
    forms : tuple of str
        Forms to run, of `FORMS`, in order.
    settings : mapping
        The parameters of each form, `DigitSettings`.
    seed : int
        Seed of all random numbers.
    limit : pair of int, optional
        Numbers of training and test images to use; default: all.
    validation : int, optional
        Train on three quarters of the training part and test on the rest, split with this seed; the test
        part is not used. This is how the parameters were chosen.
    """

    forms: tuple[str, ...] = FORMS
    settings: Mapping[str, DigitSettings] = field(default_factory=lambda: SETTINGS)
    seed: int = 0
    limit: tuple[int, int] | None = None
    validation: int | None = None

    def digits(self) -> Digits:
        """Return the images.

        Raises
        ------
        BuildError
            If scikit-learn is not installed.
        """
        digits = load_digits()
        if self.validation is not None:
            digits = validation_split(digits, self.validation)
        return digits if self.limit is None else digits.first(*self.limit)

    def run(self, device: Device, progress: Progress | None = None) -> list[Outcome]:
        """Run all forms on a device, one after the other; `progress` gets the share of the whole."""
        digits = self.digits()
        outcomes = []
        for k, form in enumerate(self.forms):
            part = None if progress is None else _Part(progress, k, len(self.forms))
            outcomes.append(
                learn(
                    device,
                    digits,
                    self.settings[form],
                    supervised=form == FORMS[0],
                    seed=self.seed,
                    progress=part,
                )
            )
        return outcomes

    def run_on_model(self, params: ArrayParams, progress: Progress | None = None) -> list[Outcome]:
        """Run all forms on the model of an array, or on the fast engine, which has its bits."""
        with connect("software", params) as device:
            return self.run(device, progress)


@dataclass(frozen=True)
class _Part:
    """Progress of one of several equal parts."""

    whole: Progress
    index: int
    parts: int

    def __call__(self, what: str, share: float) -> None:
        self.whole(what, (self.index + share) / self.parts)


@dataclass(frozen=True)
class Difference:
    """The differences between two runs of one experiment.

    Parameters
    ----------
    raster_bits, weight_bits : int
        Bits that were compared: one per neuron and step, eight per weight.
    differing_raster_bits, differing_weight_bits : int
        Bits that differ.
    """

    raster_bits: int
    weight_bits: int
    differing_raster_bits: int
    differing_weight_bits: int

    @property
    def bits(self) -> int:
        """The number of all bits that differ."""
        return self.differing_raster_bits + self.differing_weight_bits


def compare(ours: Sequence[Outcome], reference: Sequence[Outcome]) -> Difference:
    """Count the bits of rasters and final weights that differ between two runs."""
    raster = weight = differing_raster = differing_weight = 0
    for mine, other in zip(ours, reference, strict=True):
        neurons = mine.weights.shape[1]
        raster += neurons * max(mine.steps, other.steps)
        weight += 8 * mine.weights.size
        spikes, others = (o.spike_steps * neurons + o.spike_neurons for o in (mine, other))
        differing_raster += len(np.setxor1d(spikes, others))
        changed = mine.weights.view(np.uint8) ^ other.weights.view(np.uint8)
        differing_weight += int(np.unpackbits(changed).sum())
    return Difference(raster, weight, differing_raster, differing_weight)


class Reference:
    """Runs the same experiment on the model, in a separate process, while a target is busy.

    Parameters
    ----------
    experiment : Experiment
        The experiment.
    params : ArrayParams
        The array of the target.
    """

    def __init__(self, experiment: Experiment, params: ArrayParams):
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(theirs, experiment, params), daemon=True)
        self._process.start()
        theirs.close()
        self._done: list[Outcome] | None = None

    def __enter__(self) -> Reference:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.join()
        self._pipe.close()

    def poll(self, progress: Progress, timeout: float = 0.0) -> None:
        """Report the progress since the last call.

        Raises
        ------
        SynloomError
            The error of the model's process, or DeviceError if it ended without a result.
        """
        while self._done is None and self._pipe.poll(timeout):
            try:
                message: Any = self._pipe.recv()
            except EOFError:
                raise DeviceError(
                    "the process of the model ended without a result; run the experiment again"
                ) from None
            if isinstance(message, SynloomError):
                raise message
            if isinstance(message, list):
                self._done = message
            else:
                progress(*message)
            timeout = 0.0

    def result(self, progress: Progress) -> list[Outcome]:
        """Wait for the model and return its results.

        Raises
        ------
        SynloomError
            The error of the model's process, or DeviceError if it ended without a result.
        """
        while self._done is None:
            self.poll(progress, 0.1)
        return self._done


def _work(pipe: Connection, experiment: Experiment, params: ArrayParams) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent terminates this process
    try:
        pipe.send(experiment.run_on_model(params, lambda what, share: pipe.send((what, share))))
    except SynloomError as error:
        pipe.send(error)
