"""Input populations: spikes at exact times, and rate generators on the chip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray, per_item, reals, whole
from synloom.base.errors import ParameterError
from synloom.base.wording import shown

__all__ = ["InputPopulation", "PoissonInput", "RegularInput"]


class InputPopulation:
    """Input channels whose spikes the host sends (PyNN's SpikeSourceArray).

    Parameters
    ----------
    n : int
        Number of channels, 1 to 2048.
    spike_times : sequence of n sequences, optional
        Spike times in ms since the start, one sequence per channel. They act in the nearest step; half a step
        rounds up. `Device.inject` sends more spikes at any time.
    label : str, optional
        Name, unique in the network.

    Raises
    ------
    ParameterError
        If a value is not a number or out of range, or the number of sequences is not n.
    """

    generator: ClassVar[str | None] = None

    def __init__(
        self,
        n: int,
        *,
        spike_times: Sequence[npt.ArrayLike] | None = None,
        label: str | None = None,
    ):
        self.n = whole("n (of an input population)", n, 1, 2048)
        self.label = label
        self.spike_times: list[FloatArray] = _check_times(spike_times, self.n)
        self.rate: FloatArray = np.zeros(self.n)

    def __len__(self) -> int:
        return self.n

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.label or 'without label'}: {self.n} channels>"


class PoissonInput(InputPopulation):
    """Input channels with a random generator on the chip (PyNN's SpikeSourcePoisson).

    A channel spikes in each step with probability ``rate * dt``, independently of all other steps.

    Parameters
    ----------
    n : int
        Number of channels, 1 to 2048.
    rate : float or (n,) array
        Rate in Hz, at least 0 and at most ``1000 / dt`` (one spike per step). `Device.set_rates` changes it.
    label : str, optional
        Name, unique in the network.

    Raises
    ------
    ParameterError
        If a value is not a number, out of range, or an array of another length than n.
    """

    generator: ClassVar[str | None] = "poisson"

    def __init__(self, n: int, *, rate: Any = 0.0, label: str | None = None):
        super().__init__(n, label=label)
        self.rate = per_item("rate", reals("rate", rate, low=0.0), self.n)


class RegularInput(PoissonInput):
    """Input channels with a regular generator on the chip.

    A channel spikes at equal intervals; the first spike comes after one period.

    Parameters
    ----------
    n : int
        Number of channels, 1 to 2048.
    rate : float or (n,) array
        Rate in Hz, at least 0 and at most ``1000 / dt`` (one spike per step). `Device.set_rates` changes it.
    label : str, optional
        Name, unique in the network.

    Raises
    ------
    ParameterError
        If a value is not a number, out of range, or an array of another length than n.
    """

    generator: ClassVar[str | None] = "regular"


def _check_times(times: Any, n: int) -> list[FloatArray]:
    """Return the spike times of each channel; a raster or another form is refused."""
    if times is None:
        return [np.zeros(0) for _ in range(n)]
    form = f"give a list of {n} lists of times in ms, one for each channel"
    if isinstance(times, (str, bytes, Mapping, Set)) or not hasattr(times, "__len__"):
        raise ParameterError(f"spike_times must be a sequence of {n} sequences, not {shown(times)}; {form}")
    if len(times) != n:
        raise ParameterError(
            f"spike_times must have one sequence per channel ({n}), not {len(times)}; {form}"
        )
    return [_check_channel(f"spike_times[{k}]", part, form) for k, part in enumerate(times)]


def _check_channel(name: str, times: Any, form: str) -> FloatArray:
    if isinstance(times, (Mapping, Set)) or np.ndim(times) == 0:
        raise ParameterError(f"{name} must be a sequence of times, not {shown(times)}; {form}")
    if not np.size(times):
        return np.zeros(0)
    if np.asarray(times).dtype == np.uint8 or np.asarray(times).dtype.kind == "b":
        raise ParameterError(
            f"{name} must be times in ms, not the row of a raster of {np.asarray(times).dtype}; {form}, or "
            f"send the raster with Device.inject"
        )
    return reals(name, times, low=0.0)
