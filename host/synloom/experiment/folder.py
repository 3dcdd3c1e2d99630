"""The folder of results: whole, or not there at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from synloom.base.errors import ExperimentError
from synloom.experiment.data_files import find
from synloom.experiment.figures import draw_figures
from synloom.experiment.results import Results

__all__ = ["check_folder", "write_folder"]

SUMMARY: Final = "summary.json"


def check_folder(folder: Path, *, force: bool = False) -> None:
    """Complain if results cannot go there, before anything is run.

    Raises
    ------
    ExperimentError
        If it is there and `force` is not given; or if it holds anything but the results of an experiment,
        which are all that is ever replaced.
    """
    if os.path.lexists(folder):
        empty = folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir())
        results = folder.is_dir() and not folder.is_symlink() and (folder / SUMMARY).is_file()
        if not empty and not results:
            raise ExperimentError(f"{folder} is there and holds no results; give another folder with --out")
        if results and not force:
            raise ExperimentError(f"{folder} holds results already; replace them with --force, or give --out")
    above = _existing(folder.absolute().parent)
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise ExperimentError(f"{folder} cannot be made: {above} is no folder that can be written to")


def write_folder(results: Results, folder: Path, *, force: bool = False) -> list[str]:
    """Write all results to a folder and return the names of its files.

    They are written beside it first and renamed at the end, so that there is never half a folder.

    Raises
    ------
    ExperimentError
        If it cannot be written, or is there already (see `check_folder`).
    """
    check_folder(folder, force=force)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise ExperimentError(f"{folder} cannot be made: {error.strerror or error}") from error
    try:
        _fill(results, part)
        part.chmod(0o755)
        _replace(part, folder)
    except OSError as error:
        raise ExperimentError(f"{folder} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def _fill(results: Results, folder: Path) -> None:
    experiment = results.experiment
    arrays: dict[str, Any] = dict(results.arrays())
    np.savez_compressed(folder / "results.npz", **arrays)
    (folder / SUMMARY).write_text(json.dumps(results.summary(), indent=2) + "\n", encoding="utf-8")
    (folder / "report.txt").write_text(_report(results), encoding="utf-8")
    copy = folder / "experiment"
    copy.mkdir()
    (copy / experiment.path.name).write_text(experiment.text, encoding="utf-8")
    for name in experiment.data_files():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(find(name, experiment.path.parent, experiment.where), copy / name)
    for name, figure in draw_figures(results):
        figure.savefig(folder / f"{name}.png")


def _report(results: Results) -> str:
    params = results.image.params.to_dict()
    width = max(map(len, params))
    array = "\n".join(f"{name.ljust(width)}  {value}" for name, value in params.items())
    heading = (
        f"{results.experiment.title}\n{results.experiment.duration:g} ms in steps of "
        f"{results.experiment.dt:g} ms on {results.target}, seed {results.experiment.seed}"
    )
    return (
        "\n\n".join([heading, str(results.image.report), f"counters\n{results.counters}", f"array\n{array}"])
        + "\n"
    )


def _replace(part: Path, folder: Path) -> None:
    """Put a finished folder in its place; what was there goes only when the new one stands."""
    if not folder.exists():
        part.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    folder.replace(old)
    try:
        part.rename(folder)
    except BaseException:
        old.replace(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _existing(path: Path) -> Path:
    """Return the nearest folder above that is there."""
    while not os.path.lexists(path) and path != path.parent:
        path = path.parent
    return path
