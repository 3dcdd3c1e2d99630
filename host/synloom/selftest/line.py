"""The test of the link: single words and bulk data at every line rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from synloom.base.errors import DeviceError, LinkError, ParameterError
from synloom.contract.regions import Region
from synloom.contract.registers import link
from synloom.link.baud import RATES, divisor_for
from synloom.link.client import LinkPort
from synloom.selftest.memories import memories
from synloom.selftest.report import RateResult

__all__ = ["LineErrors", "rates_to_try", "try_line", "try_rates"]

_COUNTED: Final = ("crc_errors", "overflows", "framing_errors", "resends")
_BULK: Final = 960
"""Bytes of a bulk access, which keeps four commands in flight."""
_SECONDS: Final = 0.5
_QUICK_SECONDS: Final = 0.1
_SIMULATED_SECONDS: Final = 0.003
"""Time on the line for the data of one rate; simulation is about a thousand times slower."""
_LEAST_BYTES: Final = 96
_NO_RATE_BYTES: Final = 16_384
_PATIENCE_S: Final = 0.1
_ENOUGH_ERRORS: Final = 5


class LineErrors:
    """Errors counted at both ends of a line since `clear`.

    Parameters
    ----------
    port : LinkPort
        The host's end of the line.
    """

    def __init__(self, port: LinkPort) -> None:
        self._port = port
        self._before = replace(port.statistics)

    def clear(self) -> None:
        """Clear the array's counters, and note the host's."""
        self._port.write(Region.LINK, link(_COUNTED[0]).offset, np.zeros(len(_COUNTED), dtype=np.uint16))
        self._before = replace(self._port.statistics)

    def host(self) -> dict[str, int]:
        """Return the errors counted by the host, by name."""
        now = self._port.statistics
        return {
            "host_crc_errors": now.crc_errors - self._before.crc_errors,
            "retries": now.retries - self._before.retries,
        }

    def read(self) -> dict[str, int]:
        """Return the errors counted by both ends, by name."""
        words = self._port.read(Region.LINK, link(_COUNTED[0]).offset, len(_COUNTED)).tolist()
        return dict(zip(("array_crc_errors", *_COUNTED[1:]), words, strict=True)) | self.host()


@dataclass(slots=True)
class _Load:
    """Data sent over the line at one rate."""

    volume: int
    done: int = 0
    wrong: int = 0
    seconds: float = 0.0


def rates_to_try(clock_hz: int, present: int) -> list[int]:
    """Return the usual line rates that an array with this clock supports, and the present one, rising."""
    rates = {present}
    for rate in RATES:
        try:
            divisor_for(clock_hz, rate)
        except ParameterError:
            continue
        rates.add(rate)
    return sorted(rates)


def try_line(port: LinkPort, *, seed: int, quick: bool) -> RateResult:
    """Test a line that has no rate, and return its result."""
    return _loaded(port, 0, _NO_RATE_BYTES // (8 if quick else 1), seed)


def try_rates(
    port: LinkPort, *, seed: int, quick: bool, report: Callable[[str, float], None]
) -> list[RateResult]:
    """Test the line at all rates, rising, then return to the present rate.

    Parameters
    ----------
    port : LinkPort
        The host's end of the line.
    seed : int
        Seed of the data.
    quick : bool
        Use less data.
    report : callable
        Called as ``report(what, share)``.

    Returns
    -------
    list of RateResult
        One for each rate.

    Raises
    ------
    LinkError
        If the link is lost at a rate and cannot be restored.
    """
    clock_hz, present = port.params.clock_hz, port.baud
    assert present is not None
    seconds = _SIMULATED_SECONDS if port.virtual_time else _QUICK_SECONDS if quick else _SECONDS
    patience, port.timeout = port.timeout, min(port.timeout, _PATIENCE_S)
    results = []
    rates = rates_to_try(clock_hz, present)
    try:
        for k, rate in enumerate(rates):
            report(f"link at {rate:,} baud", k / len(rates))
            result = RateResult(rate, clock_hz / divisor_for(clock_hz, rate), {})
            try:
                if port.baud != rate:
                    port.set_baud(rate)
                result = _loaded(port, rate, max(_LEAST_BYTES, round(seconds * rate / 10)), seed)
            except ParameterError as error:
                result = replace(result, note=f"not possible here: {error}")
            except DeviceError:
                result = replace(result, note="no answer at this rate")
            results.append(result)
            if not result.is_clean:
                port.set_baud(present)
        if port.baud != present:
            port.set_baud(present)
    finally:
        port.timeout = patience
    return results


def _loaded(port: LinkPort, rate: int, volume: int, seed: int) -> RateResult:
    """Send data in both directions, and return the result."""
    rng = np.random.default_rng([seed, rate])
    weights = next(memories(port.params))
    load = _Load(volume)
    errors = LineErrors(port)
    note, counted = "", errors.host()
    try:
        errors.clear()
        while load.done < load.volume and sum(counted.values()) < _ENOUGH_ERRORS:
            _exchange(port, weights.size, load, rng)
            counted = errors.read()
    except LinkError:
        note, counted = "the link broke", counted | errors.host()
    if load.wrong:
        note = note or f"{load.wrong} words changed although their checksums were right"
    array_baud = port.params.clock_hz / divisor_for(port.params.clock_hz, rate) if rate else 0.0
    return RateResult(rate, array_baud, counted, note, load.done, load.seconds)


def _exchange(port: LinkPort, size: int, load: _Load, rng: np.random.Generator) -> None:
    """Write and read back the scratch register and a piece of bulk data."""
    scratch = link("scratch").offset
    for word in (0x7E7D, 0x0000, 0xFFFF, int(rng.integers(1 << 16))):
        port.write(Region.LINK, scratch, np.array([word], dtype=np.uint16))
        load.wrong += int(port.read(Region.LINK, scratch, 1)[0]) != word
    count = min(_BULK, size, max(1, (load.volume - load.done) // 3))
    data = rng.integers(0, 256, count, dtype=np.uint16)
    data[: count // 8] = 0x7E
    rng.shuffle(data)
    started = port.time()
    port.write(Region.WEIGHTS, 0, data)
    # The memory itself may be faulty: only a difference between two reads is an error of the line.
    first, second = (port.read(Region.WEIGHTS, 0, count) for _ in range(2))
    load.wrong += int(np.count_nonzero(first != second))
    load.done += 3 * count
    load.seconds += port.time() - started
