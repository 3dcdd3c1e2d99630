"""Targets by name: connect to an engine in this process, a simulated board or a board."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from synloom.base.errors import LinkError, MismatchError, ParameterError, TargetError
from synloom.base.progress import Progress
from synloom.base.wording import shown
from synloom.contract.array_port import Port
from synloom.contract.params import ArrayParams
from synloom.contract.targets import ANY_ARRAY, SOFTWARE, kind_of
from synloom.device.device import Device
from synloom.image.image import Image

if TYPE_CHECKING:
    from synloom.link.transport import Transport
    from synloom_sim.faults import Faults

__all__ = ["connect", "open_port", "resolved"]

DEFAULT_BAUD: Final = ArrayParams().baud
_MOST_BAUD: Final = (1 << 31) - 1
"""What the systems' calls can take."""
_MOST_TIMEOUT_S: Final = 3600

Options = dict[str, object]
_Opener = Callable[[ArrayParams, "Progress | None", "Faults | None", Options], Port]


def connect(
    target: str = "model",
    image_or_params: Image | ArrayParams | None = None,
    *,
    progress: Progress | None = None,
    log: str | os.PathLike[str] | None = None,
    **options: object,
) -> Device:
    """Connect to a target.

    Parameters
    ----------
    target : str
        ``"model"``: the bit-exact model, in this process. ``"fast"``: the fast engine, which gives the same
        bits some hundred times faster and needs Numba (``pip install 'synloom[fast]'``). ``"software"``: the
        fast engine if Numba is installed, else the model. ``"sim"``: a simulated board, that is the gateware
        behind its serial protocol. ``"sim-pins"``: the same down to the pins of the UART, slower. A path such
        as ``"/dev/ttyUSB1"``: the board at that serial port, or the pseudo-terminal of ``synloom sim --pty``.
        ``"auto"``: the first serial port at which an array answers. A line may have
        `synloom_sim.faults.Faults`: ``"sim?flips=1e-4&drops=1e-4&seed=3"``, ``"sim?faults=light"``.
    image_or_params : Image or ArrayParams, optional
        The array that an engine or the simulated board has, by default ArrayParams(); a board must give the
        same results as this array. An image is also loaded.
    progress : callable, optional
        Called as ``progress(what, share)`` while a simulated board is built or the fast engine is compiled.
    log : path, optional
        Begin a log there, as `Device.logged` does.
    **options
        ``baud`` (int): bits per second of a serial port, by default 1,000,000 or what a self-test has kept.
        ``timeout`` (float): seconds without an answer after which a command is sent again, by default 1.

    Returns
    -------
    Device
        The device, with the image loaded if one was given.

    Raises
    ------
    TargetError
        If the target is missing or is not a Synloom array; the message lists what was tried.
        If Numba is missing for ``"fast"``.
    MismatchError
        If a board has another array than the one asked for.
    BuildError
        If a simulated board cannot be built.
    ParameterError
        If an argument is wrong.
    """
    image = image_or_params if isinstance(image_or_params, Image) else None
    params = _array_of(image_or_params)
    device = Device(open_port(target, params, progress=progress, **options))
    try:
        if log is not None:
            device.logged(log)
        if image is not None:
            device.load(image)
    except BaseException:
        device.close()
        raise
    return device


def _array_of(image_or_params: object) -> ArrayParams | None:
    params = image_or_params.params if isinstance(image_or_params, Image) else image_or_params
    if params is not None and not isinstance(params, ArrayParams):
        raise ParameterError(
            f"image_or_params must be an Image or ArrayParams, not {shown(params)} ({type(params).__name__})"
        )
    return params


def open_port(
    target: str,
    params: ArrayParams | None = None,
    /,
    *,
    progress: Progress | None = None,
    **options: object,
) -> Port:
    """Return the register-level interface of a target; the arguments and errors are those of `connect`."""
    if not isinstance(target, str) or not target:
        raise ParameterError(
            f"target must be {', '.join(map(repr, ANY_ARRAY))}, 'auto' or the path of a serial port, "
            f"not {shown(target)}"
        )
    target, faults = _with_faults(resolved(target))
    allowed = _OPTIONS.get(target, ("baud", "timeout"))
    for name in options:
        if name not in allowed:
            raise ParameterError(
                f"target {target!r} has no option {name!r}; it has: {', '.join(allowed) or 'none'}"
                + ("; give the array as the second argument" if name == "params" else "")
            )
    if (opener := _OPENERS.get(target)) is not None:
        return opener(params or ArrayParams(), progress, faults, options)
    port = _find_board(faults, options) if target == "auto" else _open_board(target, faults, options)
    if params is not None and port.params.semantics_digest() != params.semantics_digest():
        port.close()
        raise MismatchError(_difference(target, port.params, params))
    return port


def resolved(target: str) -> str:
    """Return the engine that ``"software"`` stands for; every other target stands for itself."""
    if target != "software":
        return target
    quickest, slowest = SOFTWARE
    return quickest if _is_there("numba") else slowest


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def _with_faults(target: str) -> tuple[str, Faults | None]:
    """Return the target itself, and the faults of its line that its name has after a question mark."""
    kind = kind_of(target)
    if kind == target:
        return target, None
    if kind in SOFTWARE or kind == "software":
        raise ParameterError(f"{kind!r} is in this process and has no line to be bad; faults are for 'sim'")
    from synloom_sim.faults import Faults

    return kind, Faults.parse(target[len(kind) + 1 :])


def _port_over(transport: Transport, faults: Faults | None, timeout: float) -> Port:
    """Return the port over a line, with its faults; the line is closed if that fails."""
    from synloom.link.client import LinkPort

    try:
        if faults is not None:
            from synloom_sim.faults import LossyTransport

            transport = LossyTransport(transport, faults)
        return LinkPort(transport, timeout=timeout)
    except BaseException:
        transport.close()
        raise


def _open_fast(
    params: ArrayParams, progress: Progress | None, faults: Faults | None, options: Options
) -> Port:
    if not _is_there("numba"):
        raise TargetError(
            "the fast engine needs Numba; install it with: pip install 'synloom[fast]' (or use 'model')"
        )
    try:
        from synloom_sim.fast_port import FastPort
    except ImportError as error:
        # Most often Numba is older than NumPy.
        raise TargetError(
            f"the fast engine needs Numba, which is installed but does not work: {error}; try: pip install "
            f"--upgrade 'synloom[fast]' (or use 'model')"
        ) from error

    return FastPort(params, progress)


def _open_model(
    params: ArrayParams, progress: Progress | None, faults: Faults | None, options: Options
) -> Port:
    from synloom_sim.model_port import ModelPort

    return ModelPort(params)


def _open_sim(
    params: ArrayParams,
    progress: Progress | None,
    faults: Faults | None,
    options: Options,
    *,
    pins: bool = False,
) -> Port:
    from synloom_sim.board import Design, SimTransport

    timeout = _timeout(options)
    return _port_over(SimTransport.build(Design(params, pins), progress=progress), faults, timeout)


def _open_sim_pins(
    params: ArrayParams, progress: Progress | None, faults: Faults | None, options: Options
) -> Port:
    return _open_sim(params, progress, faults, options, pins=True)


def _open_board(path: str, faults: Faults | None, options: Options) -> Port:
    from synloom.link.client import LinkPort
    from synloom.link.kept_rates import kept_rate, meet, raise_rate
    from synloom.link.transport import SerialTransport

    baud = options.get("baud", DEFAULT_BAUD)
    if isinstance(baud, bool) or not isinstance(baud, int) or not 0 < baud <= _MOST_BAUD:
        raise ParameterError(f"baud must be a whole number in 1..{_MOST_BAUD}, not {shown(baud)}")
    timeout = _timeout(options)
    kept = kept_rate(path) if "baud" not in options else None
    transport = SerialTransport(path, baud)
    if kept is not None:
        meet(transport, kept)
    port = _port_over(transport, faults, timeout)
    if kept is not None and isinstance(port, LinkPort):
        raise_rate(port, kept)
    return port


def _find_board(faults: Faults | None, options: Options) -> Port:
    """Return the first array that answers at a serial port of this machine, trying those on USB first."""
    from serial.tools import list_ports

    ports = sorted(list_ports.comports(), key=lambda port: (port.vid is None, port.device))
    failures = []
    for port in ports:
        try:
            return _open_board(port.device, faults, options)
        except (TargetError, LinkError) as error:
            failures.append(f"  {port.device}: {error}")
    if not failures:
        raise TargetError(
            "there is no serial port; plug in a board, give a path, or use 'sim' for a simulated board"
        )
    raise TargetError("no Synloom array answers at any serial port:\n" + "\n".join(failures))


def _timeout(options: Options) -> float:
    timeout = options.get("timeout", 1.0)
    if (
        isinstance(timeout, bool)
        or not isinstance(timeout, int | float)
        or not 0 < timeout <= _MOST_TIMEOUT_S
    ):
        raise ParameterError(
            f"timeout must be a number of seconds above 0, at most {_MOST_TIMEOUT_S}, not {shown(timeout)}"
        )
    return float(timeout)


def _difference(target: str, found: ArrayParams, wanted: ArrayParams) -> str:
    """Return the message that lists the parameters in which a board differs from the array asked for."""
    got, want = found.semantics(), wanted.semantics()
    listed = ", ".join(f"{name} is {got[name]}, not {want[name]}" for name in want if got[name] != want[name])
    return (
        f"the array at {target} is not the one asked for: {listed}; compile for its parameters "
        f"(Device.params), or flash the board again"
    )


_OPENERS: Final[dict[str, _Opener]] = {
    "fast": _open_fast,
    "model": _open_model,
    "sim": _open_sim,
    "sim-pins": _open_sim_pins,
}
_OPTIONS: Final[dict[str, tuple[str, ...]]] = {
    "fast": (),
    "model": (),
    "sim": ("timeout",),
    "sim-pins": ("timeout",),
}
