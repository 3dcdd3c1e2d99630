"""Input populations: spikes at exact times, and rate generators that live on the chip."""

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
        Times in ms since the start, one sequence per channel. More spikes can be sent at any time with
        `Device.inject`.
    label : str, optional
        Name, unique in its network.
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
    """Channels with a random generator on the chip: in each step a spike with probability rate * dt.

    Parameters
    ----------
    n : int
        Number of channels, 1 to 2048.
    rate : float or array
        Rate in Hz, one for all or one per channel; at most ``1000 / dt``. `Device.set_rates` changes it.
    label : str, optional
        Name, unique in its network.
    """

    generator: ClassVar[str | None] = "poisson"

    def __init__(self, n: int, *, rate: Any = 0.0, label: str | None = None):
        super().__init__(n, label=label)
        self.rate = per_item("rate", reals("rate", rate, low=0.0), self.n)


class RegularInput(PoissonInput):
    """Channels with a regular generator on the chip: spikes at equal distances, first after one period.

    Parameters
    ----------
    n : int
        Number of channels, 1 to 2048.
    rate : float or array
        Rate in Hz, one for all or one per channel; at most ``1000 / dt``. `Device.set_rates` changes it.
    label : str, optional
        Name, unique in its network.
    """

    generator: ClassVar[str | None] = "regular"


def _check_times(times: Sequence[npt.ArrayLike] | None, n: int) -> list[FloatArray]:
    if times is None:
        return [np.zeros(0) for _ in range(n)]
    try:
        count = len(times)
    except TypeError:
        raise ParameterError("spike_times must be a sequence with one sequence of ms per channel") from None
    if count != n:
        raise ParameterError(f"spike_times must have one sequence per channel ({n}), not {count}")
    return [
        reals(f"spike_times[{k}]", t, low=0.0).reshape(-1) if np.size(t) else np.zeros(0)
        for k, t in enumerate(times)
    ]
