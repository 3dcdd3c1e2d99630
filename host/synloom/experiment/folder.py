"""The folder of results, written completely or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from synloom.base.errors import ExperimentError
from synloom.experiment.data_files import find
from synloom.experiment.results import Results
from synloom.experiment.stored_results import ARRAYS, DIGESTS, IMAGE, SUMMARY, digests_text

__all__ = ["check_folder", "write_folder"]


def check_folder(folder: Path, *, force: bool = False) -> None:
    """Check, before the run, that results can be written to a folder.

    Raises
    ------
    ExperimentError
        If the folder holds results and `force` is not set, holds anything else (which is never replaced), or
        cannot be created.
    """
    if os.path.lexists(folder):
        empty = folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir())
        results = folder.is_dir() and not folder.is_symlink() and (folder / SUMMARY).is_file()
        if not empty and not results:
            raise ExperimentError(f"{folder} exists and holds no results; give another folder with --out")
        if results and not force:
            raise ExperimentError(
                f"{folder} holds results already; replace them with --force, or give another folder "
                f"with --out"
            )
    above = _existing(folder.absolute().parent)
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise ExperimentError(
            f"{folder} cannot be created: {above} is not a writable folder; give another folder with --out"
        )


def write_folder(results: Results, folder: Path, *, force: bool = False) -> list[str]:
    """Write all results to a folder and return the names of its files.

    They are written to a temporary folder beside it, which is renamed at the end: a failure leaves no partial
    results.

    Raises
    ------
    ExperimentError
        If it cannot be written, or exists already (see `check_folder`).
    """
    check_folder(folder, force=force)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise ExperimentError(f"{folder} cannot be created: {error.strerror or error}") from error
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
    # Matplotlib takes a second to import, and sweeps draw no such figures.
    from synloom.experiment.figures import draw_figures

    experiment = results.experiment
    arrays: dict[str, Any] = dict(results.arrays())
    np.savez_compressed(folder / ARRAYS, **arrays)
    results.image.save(folder / IMAGE)
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
    # Last, as it has the digests of all others.
    (folder / DIGESTS).write_text(digests_text(folder), encoding="utf-8")


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
    """Move a finished folder to its place; an earlier one is deleted only after that."""
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
    """Return the path, or its nearest parent that exists."""
    while not os.path.lexists(path) and path != path.parent:
        path = path.parent
    return path
