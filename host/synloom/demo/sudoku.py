"""Sudoku of any size: puzzles with one solution from a seed, plain search, and a check of answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synloom.base.checks import IntArray
from synloom.base.errors import ParameterError

__all__ = ["Sudoku"]

_MOST_NODES = 100_000


@dataclass(frozen=True)
class Sudoku:
    """A square of ``box**2`` rows, in which each row, column and box has each digit once.

    A grid is (cells,) int64, row by row: digits from 0, and -1 where a cell is empty.

    Parameters
    ----------
    box : int
        Cells of a side of a box: 2 for 4 x 4, 3 for 9 x 9.
    """

    box: int = 3

    def __post_init__(self) -> None:
        if not 2 <= self.box <= 4:
            raise ParameterError(f"box must be in 2..4, not {self.box}")

    @property
    def side(self) -> int:
        """Cells of a row, and number of digits."""
        return self.box**2

    @property
    def peers(self) -> IntArray:
        """Whether two cells must differ, (cells, cells) bool: same row, column or box, not the same cell."""
        row, column = np.divmod(np.arange(self.side**2), self.side)
        block = row // self.box * self.box + column // self.box
        same = [part[:, None] == part[None, :] for part in (row, column, block)]
        return np.asarray(np.logical_or.reduce(same) & ~np.eye(self.side**2, dtype=bool))

    def conflicts(self) -> list[tuple[int, int]]:
        """Return all pairs of candidates (cell * digits + digit) that exclude each other, both ways."""
        digits, cells = self.side, self.side**2
        pairs = [
            (cell * digits + a, cell * digits + b)
            for cell in range(cells)
            for a in range(digits)
            for b in range(digits)
            if a != b
        ]
        for one, other in np.argwhere(self.peers).tolist():
            pairs += [(one * digits + d, other * digits + d) for d in range(digits)]
        return pairs

    def broken(self, grid: IntArray) -> int:
        """Return how many pairs of peers have the same digit, or how many cells are empty, added up."""
        filled = grid >= 0
        same = (grid[:, None] == grid[None, :]) & filled[:, None] & self.peers
        return int(same.sum()) // 2 + int((~filled).sum())

    def search(
        self, clues: IntArray, rng: np.random.Generator | None = None, most: int = 2
    ) -> tuple[list[IntArray], int]:
        """Search with backtracking, the cell with fewest candidates first.

        Parameters
        ----------
        clues : (cells,) int64
            The puzzle.
        rng : numpy.random.Generator, optional
            Tries digits in random order, instead of in rising order.
        most : int
            Stop after so many solutions.

        Returns
        -------
        solutions : list of (cells,) int64
            The first solutions.
        guesses : int
            How many digits were tried in cells with more than one candidate.

        Raises
        ------
        ParameterError
            If it takes more than 100,000 nodes.
        """
        peers = [np.flatnonzero(row) for row in self.peers]
        found: list[IntArray] = []
        guesses = nodes = 0

        def visit(grid: IntArray) -> None:
            nonlocal guesses, nodes
            nodes += 1
            if nodes > _MOST_NODES:
                raise ParameterError(f"the search took more than {_MOST_NODES:,} nodes; give more clues")
            best, candidates = -1, list(range(self.side + 1))
            for cell in np.flatnonzero(grid < 0):
                taken = set(grid[peers[cell]].tolist())
                left = [d for d in range(self.side) if d not in taken]
                if len(left) < len(candidates):
                    best, candidates = int(cell), left
                if len(left) < 2:
                    break
            if best < 0:
                found.append(grid.copy())
                return
            for digit in candidates if rng is None else rng.permutation(candidates).tolist():
                guesses += len(candidates) > 1
                grid[best] = digit
                visit(grid)
                grid[best] = -1
                if len(found) >= most:
                    return

        visit(np.array(clues, dtype=np.int64))
        return found, guesses

    def puzzle(self, rng: np.random.Generator, clues: int) -> tuple[IntArray, IntArray]:
        """Return a puzzle with one solution, and the solution.

        Digits of a random full grid are removed one by one where the solution stays the only one, until so
        many clues are left, or none can go.
        """
        full = self.search(np.full(self.side**2, -1), rng, most=1)[0][0]
        grid = full.copy()
        for cell in rng.permutation(len(grid)):
            if (grid >= 0).sum() <= clues:
                break
            grid[cell] = -1
            if len(self.search(grid)[0]) > 1:
                grid[cell] = full[cell]
        return grid, full
