"""All boards that a command knows: Synloom's own, those of files, and those of installed packages."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from synloom.base.errors import ParameterError
from synloom.base.wording import did_you_mean, one_line
from synloom_boards.board import Board
from synloom_boards.board_checks import check_board, check_platform
from synloom_boards.boards import board_names, load_board

__all__ = ["GROUP", "Catalogue", "find_board", "only_board", "read_board_file", "read_catalogue"]

GROUP: Final = "synloom.boards"
"""Group of the entry points through which a package offers boards."""

_HOW: Final = "give it BOARDS = [Board(...), ...]"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The boards that could be read, and one line about each file or package that could not.

    Attributes
    ----------
    boards : tuple of Board
        Synloom's own first, then those of files, then those of packages.
    problems : tuple of str
        Each names the file or the package, and says what is wrong.
    """

    boards: tuple[Board, ...]
    problems: tuple[str, ...]


def read_catalogue(files: Sequence[Path] = ()) -> Catalogue:
    """Return all boards; what is wrong with a file or a package keeps none of the others out."""
    boards = [load_board(name) for name in board_names()]
    problems = []
    sources = [(str(file), lambda file=file: read_board_file(file)) for file in dict.fromkeys(files)]
    sources += [(_source(entry), lambda entry=entry: _read_entry_point(entry)) for entry in _entry_points()]
    for source, read in sources:
        try:
            found = read()
            _check_names(source, found, boards)
            boards += found
        except ParameterError as error:
            problems.append(str(error))
    return Catalogue(tuple(boards), tuple(problems))


def find_board(name: str, files: Sequence[Path] = ()) -> Board:
    """Return a board by its name, of those of files, of Synloom's own and of those of installed packages.

    Raises
    ------
    ParameterError
        If a file has a mistake, or there is no such board; the message names the file, or lists the boards.
    """
    for board in _of_files(files):
        if board.name == name:
            return board
    if name in board_names():
        return load_board(name)
    catalogue = read_catalogue()
    names = [board.name for board in (*catalogue.boards, *_of_files(files))]
    for board in catalogue.boards:
        if board.name == name:
            return board
    left_out = "".join(f"; left out: {problem}" for problem in catalogue.problems)
    raise ParameterError(
        f"there is no board {name!r}{did_you_mean(name, names)}; boards are: {', '.join(names)}{left_out}"
    )


def only_board(files: Sequence[Path]) -> Board:
    """Return the board of files that have one together.

    Raises
    ------
    ParameterError
        If a file has a mistake, or they have more than one board.
    """
    boards = _of_files(files)
    if len(boards) == 1:
        return boards[0]
    raise ParameterError(
        f"{', '.join(map(str, files))}: {len(boards)} boards are there; name one of them: "
        f"{', '.join(board.name for board in boards)}"
    )


def read_board_file(path: Path) -> list[Board]:
    """Run a Python file and return the boards in its `BOARDS`.

    Raises
    ------
    ParameterError
        With one line that names the file, and the line in it where there is one.
    """
    source = str(path)
    try:
        code = compile(path.read_bytes(), source, "exec")
    except OSError as error:
        raise ParameterError(f"{source}: the file cannot be read: {error.strerror}") from error
    except SyntaxError as error:
        line = f" line {error.lineno}" if error.lineno else ""
        raise ParameterError(f"{source}{line}: this is no Python: {one_line(str(error.msg))}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ParameterError(f"{source}: this is no Python: {one_line(str(error))}") from error
    module = ModuleType(f"synloom_board_file_{path.stem}")
    module.__file__ = source
    with _importable(module, path.resolve().parent):
        _run(source, lambda: exec(code, module.__dict__))
        if not hasattr(module, "BOARDS"):
            raise ParameterError(f"{source}: there is no BOARDS; {_HOW}")
        return _checked(source, module.BOARDS)


def _of_files(files: Sequence[Path]) -> list[Board]:
    boards: list[Board] = []
    for file in dict.fromkeys(files):
        found = read_board_file(file)
        _check_names(str(file), found, [*map(load_board, board_names()), *boards])
        boards += found
    return boards


def _entry_points() -> list[metadata.EntryPoint]:
    """Return the entry points in an order that does not depend on the file system; an editable one once."""
    found = {(entry.name, entry.value): entry for entry in metadata.entry_points(group=GROUP)}
    return [found[key] for key in sorted(found)]


def _source(entry: metadata.EntryPoint) -> str:
    package = entry.dist.name if entry.dist is not None else "an unknown package"
    return f"{entry.value} (boards {entry.name!r} of {package})"


def _read_entry_point(entry: metadata.EntryPoint) -> list[Board]:
    source = _source(entry)
    loaded: list[Any] = []
    _run(source, lambda: loaded.append(entry.load()))
    offered = loaded[0]
    if isinstance(offered, ModuleType):
        if not hasattr(offered, "BOARDS"):
            raise ParameterError(f"{source}: there is no BOARDS; {_HOW}")
        offered = offered.BOARDS
    return _checked(source, offered)


def _run(source: str, action: Any) -> None:
    """Run a user's code; whatever goes wrong is one line."""
    try:
        action()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        lines = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == source
        ]
        line = f" line {lines[-1]}" if lines else ""
        what = one_line(str(error)) or "no message"
        if isinstance(error, SystemExit):
            what = f"it ends the program ({what})"
        elif not isinstance(error, ParameterError):
            what = f"{type(error).__name__}: {what}"
        raise ParameterError(f"{source}{line}: {what}") from error


@contextlib.contextmanager
def _importable(module: ModuleType, folder: Path) -> Iterator[None]:
    """Let a file's code find its own module, and modules beside it."""
    sys.modules[module.__name__] = module
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(str(folder))


def _checked(source: str, boards: object) -> list[Board]:
    """Return a user's boards if they are in order, with their source."""
    if isinstance(boards, Board) or not isinstance(boards, list | tuple) or not boards:
        raise ParameterError(
            f"{source}: BOARDS must be a list of boards, not {one_line(repr(boards), 80)}; {_HOW}"
        )
    found: list[Board] = []
    for number, board in enumerate(boards):
        if not isinstance(board, Board):
            raise ParameterError(
                f"{source}: BOARDS[{number}] must be a Board, not {one_line(repr(board), 80)}"
            )
        name = board.name if isinstance(board.name, str) else f"BOARDS[{number}]"
        try:
            check_board(board)
        except ParameterError as error:
            raise ParameterError(f"{source}: {one_line(name, 80)}: {one_line(str(error))}") from error
        found.append(replace(board, source=source))
        check_platform(found[-1])
    _check_names(source, found, [])
    return found


def _check_names(source: str, new: Sequence[Board], others: Sequence[Board]) -> None:
    """Check that no two boards have one name."""
    taken = {board.name: board for board in others}
    for board in new:
        if board.name in taken:
            other = taken[board.name].source or "Synloom"
            twice = "twice" if other == source else f"in {other}, too"
            raise ParameterError(f"{source}: there is a board {board.name!r} {twice}; give it another name")
        taken[board.name] = board
