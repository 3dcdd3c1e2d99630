"""Replays: a log done again on any target, up to the first difference."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from synloom.base.errors import CapacityError, MismatchError, NetworkError, ParameterError
from synloom.base.progress import Progress
from synloom.base.wording import one_line, shown
from synloom.contract.params import SEMANTICS_VERSION, ArrayParams
from synloom.device.difference import Difference, first_difference
from synloom.device.log_file import Entry, LogReader
from synloom.device.player import Logged, Player
from synloom.device.targets import open_port

__all__ = ["Replay", "replay"]

_LOG = "the log"


@dataclass(frozen=True, kw_only=True, eq=False)
class Replay:
    """What came of a replay.

    Parameters
    ----------
    path : Path
        The log.
    targets : tuple of str
        Where it was replayed.
    entries, runs, steps : int
        Entries that were replayed, runs among them, and steps.
    ended : bool
        Whether the log had its end: else its process died, or is still at work.
    errors : tuple of str
        Calls that failed or were interrupted when it was written.
    difference : Difference or None
        The first difference, at which the replay ended; None if all was equal, bit by bit.
    """

    path: Path
    targets: tuple[str, ...]
    entries: int
    runs: int
    steps: int
    ended: bool
    errors: tuple[str, ...]
    difference: Difference | None

    @property
    def agrees(self) -> bool:
        """Whether everything was equal."""
        return self.difference is None

    def to_dict(self) -> dict[str, object]:
        """Return all of it as plain values."""
        found = self.difference
        return {
            "log": str(self.path),
            "targets": list(self.targets),
            "entries": self.entries,
            "runs": self.runs,
            "steps": self.steps,
            "ended": self.ended,
            "errors": list(self.errors),
            "difference": None if found is None else {**asdict(found), "sides": dict(found.sides)},
        }

    def __str__(self) -> str:
        where = " and ".join(self.targets)
        lines = [f"{self.runs:,} runs, {self.steps:,} steps of {one_line(str(self.path), 300)} on {where}"]
        lines += [f"note: a call failed in the log: {error}" for error in self.errors]
        if self.difference is not None:
            lines.append(f"first difference: {self.difference}")
        else:
            lines.append("no difference")
            if not self.ended:
                lines.append("note: the log has no end: its process died or is at work, or its file was cut")
        return "\n".join(lines)


def replay(
    path: str | os.PathLike[str],
    target: str = "software",
    *,
    against: str | None = None,
    progress: Progress | None = None,
    **options: object,
) -> Replay:
    """Do again what a log says, on any target, and compare everything that was recorded.

    Spikes, samples of probes, weights and spike counts are compared with the log after each run; the replay
    ends at the first difference. A log without an end is replayed up to its last whole entry.

    Parameters
    ----------
    path : path
        A log of `Device.logged`.
    target : str
        Where to replay it, as in `connect`.
    against : str, optional
        A second target that replays it, too: the two are compared with each other before the log.
    progress : callable, optional
        As in `connect`.
    **options
        As in `connect`, for `target`.

    Raises
    ------
    MismatchError
        If the log has another version than this SDK, or a target cannot run it.
    ParameterError
        If the file is no log or is damaged; the message names the entry.
    TargetError, BuildError
        As in `connect`.
    """
    if not isinstance(path, (str, os.PathLike)) or isinstance(os.fspath(path), bytes):
        raise ParameterError(f"path must be a str or a path, not {shown(path)} ({type(path).__name__})")
    file = Path(path)
    targets = (target,) if against is None else (target, against)
    with ExitStack() as stack:
        reader, entries, params = _opened(file, stack)
        players: dict[str, Player] = {}
        for k, each in enumerate(targets):
            port = open_port(each, params, progress=progress, **(options if k == 0 else {}))
            stack.callback(port.close)
            players[each if each not in players else f"{each} (again)"] = Player(port)
        try:
            return _replayed(file, players, entries, reader)
        except ParameterError as error:
            name = one_line(str(file), 300)
            raise ParameterError(f"the log {name!r} cannot be replayed further: {error}") from error


def _opened(file: Path, stack: ExitStack) -> tuple[LogReader, Iterator[Entry], ArrayParams]:
    """Return the reader of a log, the entries after the first, and the array that this one names."""
    name = one_line(str(file), 300)
    try:
        reader = stack.enter_context(LogReader(file))
        entries = iter(reader)
        return reader, entries, _array_of(next(entries, None))
    except OSError as error:
        why = error.strerror or error
        raise ParameterError(f"cannot read the log {name!r}: {why}; check the path") from error
    except MismatchError as error:
        raise MismatchError(f"{name!r}: {error}") from error
    except ParameterError as error:
        raise ParameterError(
            f"{name!r} is not a Synloom log, or it is damaged: {one_line(str(error), 400)}"
        ) from error


def _array_of(entry: Entry | None) -> ArrayParams:
    if entry is None or entry.kind != "begin":
        raise ParameterError("it has no beginning")
    if entry.values.get("semantics") != SEMANTICS_VERSION:
        found = one_line(repr(entry.values.get("semantics")), 40)
        raise MismatchError(
            f"it is of semantics {found}, this SDK has {SEMANTICS_VERSION}; install the synloom that wrote it"
        )
    if not isinstance(params := entry.values.get("params"), dict):
        raise ParameterError("it names no array")
    return ArrayParams.from_dict(params)


def _replayed(
    file: Path, players: Mapping[str, Player], entries: Iterator[Entry], reader: LogReader
) -> Replay:
    done = runs = steps = 0
    ended, errors, difference = False, [], None
    logged = Logged()
    for entry in entries:
        if ended:
            raise ParameterError(f"entry {entry.number} follows its end")
        try:
            difference = _played(players, logged, entry)
        except (ParameterError, NetworkError, CapacityError) as error:
            said = f"{one_line(entry.kind, 40)}): {one_line(str(error), 400)}"
            raise ParameterError(f"entry {entry.number} ({said}") from error
        done += 1
        if entry.kind == "run":
            runs, steps = runs + 1, steps + entry.values["steps"]
        elif entry.kind == "error":
            errors.append(one_line(str(entry.values.get("text")), 300))
        ended = entry.kind == "end"
        if difference is not None:
            break
    return Replay(
        path=file,
        targets=tuple(players),
        entries=done,
        runs=runs,
        steps=steps,
        ended=ended and not reader.cut,
        errors=tuple(errors),
        difference=difference,
    )


def _played(players: Mapping[str, Player], logged: Logged, entry: Entry) -> Difference | None:
    """Play an entry everywhere; return the first difference of what came of it."""
    results = {name: player.play(entry) for name, player in players.items()}
    (name, player), *_ = players.items()
    results[_LOG] = logged.results(entry, player.image if entry.kind == "learned" else None)
    mine = results.pop(name)
    for other, theirs in results.items() if mine else ():
        sides = {name: mine, other: theirs}
        found = first_difference(entry.number, player.now, player.image, sides, player.recorders.probes)
        if found is not None:
            return found
    return None
