"""Where a script runs: the target, the array it must fit, and how many probes that has."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pyNN import errors

from synloom.base.errors import CapacityError, SynloomError
from synloom.compiler import compile
from synloom.contract.params import MOST_PROBES, ArrayParams
from synloom.contract.targets import SOFTWARE, kind_of
from synloom.device.device import Device
from synloom.device.targets import connect, resolved
from synloom.image.image import Image
from synloom.network.network import Network

__all__ = ["Target"]

_BUFFER_WORDS: Final = 32768
_ACCUMULATOR_BITS: Final = 24
_HARDWARE_PROBES: Final = 16


@dataclass(frozen=True)
class Target:
    """A target by name, and the board whose array a software target imitates.

    Parameters
    ----------
    name : str
        A target of `synloom.connect`.
    board : str, optional
        Name of a board; its array is used instead of one that fits the network.
    options : tuple of (str, value)
        Options of `synloom.connect`.
    """

    name: str = "software"
    board: str | None = None
    options: tuple[tuple[str, Any], ...] = ()

    def check(self) -> None:
        """Raise InvalidParameterValueError if there is no such board, or a target cannot be what it is."""
        if not isinstance(self.name, str) or not self.name:
            raise errors.InvalidParameterValueError(
                f"target must be 'fast', 'model', 'sim', 'auto' or a serial port, not {self.name!r}"
            )
        if self.board is not None and not isinstance(self.board, str):
            raise errors.InvalidParameterValueError(
                f"board must be the name of a board, such as 'icebreaker', or None, not {self.board!r}"
            )
        if self.board is not None:
            _array_of(self.board)

    @property
    def is_software(self) -> bool:
        """Whether it is an engine in this process, whose arrays cost nothing."""
        return resolved(self.name) in SOFTWARE

    @property
    def is_made(self) -> bool:
        """Whether its array is made for the network, and not there already."""
        return self.is_software or kind_of(self.name).startswith("sim")

    def open(self, network: Callable[[bool], Network], words: int) -> tuple[Device, Image]:
        """Compile a network for this target and load it.

        Parameters
        ----------
        network : callable
            Returns the network, for an array with generators or for one without.
        words : int
            State words that are recorded at most.
        """
        if not self.is_made:
            device = connect(self.name, None, **dict(self.options))
            try:
                made = network(device.params.generators)
                _check_learning(made, device.params)
                image = compile(made, device.params)
                device.load(image)
            except BaseException:
                device.close()
                raise
            return device, image
        made = network(self.board is None or _array_of(self.board).generators)
        image = self.compile(made, words)
        return connect(self.name, image, **dict(self.options)), image

    def compile(self, network: Network, words: int) -> Image:
        """Compile a network for the array that is made for it."""
        if self.board is not None:
            _check_learning(network, _array_of(self.board))
            return compile(network, _array_of(self.board))
        image = compile(network)
        changes: dict[str, int | bool] = {"probes": _HARDWARE_PROBES}
        if self.is_software:
            changes = {
                "probes": min(max(words, 1), MOST_PROBES),
                "accumulator_bits": _ACCUMULATOR_BITS,
                "record_words": _BUFFER_WORDS,
                "event_words": _BUFFER_WORDS,
            }
        # No memory of an image depends on these.
        return dataclasses.replace(image, params=image.params.replace(**changes))


def _check_learning(network: Network, params: ArrayParams) -> None:
    """Raise CapacityError in PyNN's words if plastic synapses need what the array of a board lacks."""
    learning = [p for p in network.projections if p.rule is not None and p.dendritic > 0.0]
    if learning and not params.dendritic_delays:
        raise CapacityError(
            f"the plastic synapses of {learning[0].label!r} have a part of their delay on the dendrite, and "
            f"this array has no dendritic_delays; use setup(timing='spinnaker') and "
            f"STDPMechanism(dendritic_delay_fraction=0.0), or an array that has them"
        )


def _array_of(board: str) -> ArrayParams:
    from synloom_boards.catalogue import find_board

    try:
        return find_board(board).array
    except SynloomError as error:
        raise errors.InvalidParameterValueError(f"board: {error}") from error
