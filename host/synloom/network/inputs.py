"""Input populations: spikes at exact times, and rate generators on the chip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray, per_item, reals, whole
from synloom.base.errors import ParameterError

__all__ = ["InputPopulation", "PoissonInput", "RegularInput"]


class InputPopulation:
    """Input channels whose spikes the host sends (PyNN's SpikeSourceArray).

    Parameters
    ----------
    n : int
        Number of channels, 1 to 2048.
    spike_times : sequence of n sequences, optional
        Spike times in ms since the start, one sequence per channel. `Device.inject` sends more spikes at any
        time.
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


def _check_times(times: Sequence[npt.ArrayLike] | None, n: int) -> list[FloatArray]:
    if times is None:
        return [np.zeros(0) for _ in range(n)]
    try:
        count = len(times)
    except TypeError:
        raise ParameterError(
            f"spike_times must be a sequence of {n} sequences (times in ms, one sequence per channel), "
            f"not {times!r}"
        ) from None
    if count != n:
        raise ParameterError(f"spike_times must have one sequence per channel ({n}), not {count}")
    return [
        reals(f"spike_times[{k}]", t, low=0.0).reshape(-1) if np.size(t) else np.zeros(0)
        for k, t in enumerate(times)
    ]
