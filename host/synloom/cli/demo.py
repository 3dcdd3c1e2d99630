"""`synloom demo`: networks that learn on the array."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synloom.base.errors import ParameterError
from synloom.base.workers import in_workers
from synloom.cli.group import HelpfulGroup
from synloom.cli.options import target_name
from synloom.cli.tracks import tracks
from synloom.contract.targets import ANY_ARRAY, SOFTWARE, kind_of

if TYPE_CHECKING:
    from synloom.base.checks import FloatArray
    from synloom.demo.digits import Outcome
    from synloom.demo.experiment import Difference, Experiment

__all__ = ["demo"]

_MODEL = "model"
_ENGINES = ("software", *SOFTWARE)
"""Targets that need no comparison with the model."""
_DIFFERENT = 1
_QUICK = (240, 120)
"""Training and test images of --quick."""


@click.group(cls=HelpfulGroup, short_help="Train a network on a simulated board, and draw the results.")
def demo() -> None:
    """Train a network on a target, and draw the results."""


@demo.command(short_help="Learn to recognise digits.")
@click.option(
    "--target",
    default="sim",
    callback=target_name,
    show_default=True,
    help="sim (the simulated gateware), sim-pins, software, fast, model, the path of a serial port, or auto.",
)
@click.option("--baud", type=click.IntRange(min=1), metavar="N", help="Line rate of a serial port.")
@click.option("--supervised", "only", flag_value="supervised", help="Run only the form with a teacher.")
@click.option(
    "--unsupervised", "only", flag_value="unsupervised", help="Run only the form without a teacher."
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Random seed.")
@click.option("--seeds", metavar="A,B,..", help="Only print the accuracy for each of these seeds.")
@click.option(
    "--validation",
    is_flag=True,
    help="With --seeds: test on a quarter of the training images instead (see docs/digits.md).",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("results/digits"),
    show_default=True,
    help="Folder for figures and results.",
)
@click.option("--quick", is_flag=True, help="Use few images, to check that everything works.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON at the end.")
def digits(
    target: str,
    baud: int | None,
    only: str | None,
    seed: int,
    seeds: str | None,
    validation: bool,
    out: Path,
    quick: bool,
    as_json: bool,
) -> int:
    """Train a network to recognise 8x8 digits on TARGET, with its on-chip STDP.

    There are two forms. With a teacher, the teacher's spikes inhibit the neurons of all other classes
    while an image is shown. Without, labels only assign classes to neurons after training. The same
    experiment runs on the model at the same time; the exit code is 1 if any bit of a raster or of the
    final weights differs.
    """
    from synloom.demo.experiment import Experiment
    from synloom.demo.settings import FORMS, SETTINGS

    experiment = Experiment(forms=(only,) if only else FORMS, seed=seed)
    if quick:
        quick_settings = {form: replace(each, epochs=1) for form, each in SETTINGS.items()}
        experiment = replace(experiment, settings=quick_settings, limit=_QUICK)
    if seeds is not None:
        if target not in (*_ENGINES, "sim"):
            raise click.UsageError("--seeds runs on the fast engine or the model; leave --target out")
        if baud is not None:
            raise click.UsageError("--seeds runs on the fast engine or the model; leave --baud out")
        return _by_seed(experiment, _numbers(seeds), validation, as_json)
    if validation:
        raise click.UsageError("--validation needs --seeds")
    images = experiment.digits().test
    _make_folder(out)
    started = time.perf_counter()
    outcomes, difference = _perform(target, experiment, {} if baud is None else {"baud": baud})
    seconds = time.perf_counter() - started
    paths = _save(outcomes, images, out)
    _report(target, outcomes, difference, seconds, paths)
    if as_json:
        click.echo(json.dumps(_figures(outcomes, difference, seconds)))
    return _DIFFERENT if difference is not None and difference.bits else 0


def _perform(
    target: str, experiment: Experiment, options: dict[str, Any]
) -> tuple[list[Outcome], Difference | None]:
    """Run on the target, and on the model at the same time unless the target is in this process."""
    from synloom.demo.experiment import Reference, compare
    from synloom.demo.settings import ARRAY
    from synloom.device.targets import connect

    with tracks() as bars:
        params = ARRAY if kind_of(target) in ANY_ARRAY else None
        with connect(target, params, progress=bars.report(target), **options) as device:
            if target in _ENGINES:
                return experiment.run(device, bars.report(target)), None
            with Reference(experiment, device.params) as reference:
                ours, theirs = bars.report(target), bars.report(_MODEL)

                def progress(what: str, share: float) -> None:
                    ours(what, share)
                    reference.poll(theirs)

                outcomes = experiment.run(device, progress)
                return outcomes, compare(outcomes, reference.result(theirs))


def _make_folder(out: Path) -> None:
    """Create the folder for the results, and check that it is writable before the long run."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / ".writable").touch()
        (out / ".writable").unlink()
    except OSError as error:
        raise ParameterError(f"--out {out} cannot be written to ({error}); name another folder") from error


def _save(outcomes: Sequence[Outcome], images: FloatArray, out: Path) -> list[Path]:
    import numpy as np

    from synloom.demo.plots import draw_all

    paths = draw_all(outcomes, images, out)
    for outcome in outcomes:
        path = out / f"{outcome.form}.npz"
        np.savez_compressed(
            path,
            spike_steps=outcome.spike_steps,
            spike_neurons=outcome.spike_neurons,
            weights=outcome.weights,
            shares=outcome.shares,
            predicted=outcome.predicted,
            labels=outcome.labels,
        )
        paths.append(path)
    return paths


def _report(
    target: str,
    outcomes: Sequence[Outcome],
    difference: Difference | None,
    seconds: float,
    paths: Sequence[Path],
) -> None:
    for outcome in outcomes:
        right = int((outcome.predicted == outcome.labels).sum())
        click.secho(
            f"{outcome.form:>12}: {100 * outcome.accuracy:.1f} % of {len(outcome.labels)} test images "
            f"classified correctly ({right})",
            bold=True,
        )
    steps, clocks = sum(o.steps for o in outcomes), sum(o.clocks for o in outcomes)
    spikes = sum(len(o.spike_steps) for o in outcomes)
    work = f"{steps:,} steps, {spikes:,} spikes"
    click.echo(f"{'work':>12}: {work}{f', {clocks:,} clocks' if clocks else ''}, {seconds:.1f} s")
    for outcome in outcomes:
        for name, events in outcome.losses.items():
            click.echo(f"{'counted':>12}: {name} {events:,} ({outcome.form})")
    for path in paths:
        click.echo(f"{'wrote':>12}: {path}")
    if difference is None:
        click.echo(f"{'bits':>12}: {_engine(target)}; --target sim compares the gateware with it")
        return
    bits = f"{difference.raster_bits:,} bits of rasters, {difference.weight_bits:,} bits of weights"
    if difference.bits:
        click.secho(
            f"{'bits':>12}: spikes and final weights of {target} DIFFER from the model's: "
            f"{difference.differing_raster_bits:,} bits of rasters and "
            f"{difference.differing_weight_bits:,} bits of weights (of {bits})",
            fg="red",
            bold=True,
        )
    else:
        click.secho(
            f"{'bits':>12}: spikes and final weights of {target} equal the model's, bit for bit ({bits})",
            fg="green",
            bold=True,
        )


def _engine(target: str) -> str:
    """Say which engine gave the results."""
    from synloom.device.targets import resolved

    name = resolved(target)
    return "this was the model itself" if name == _MODEL else f"this was the {name} engine"


def _figures(
    outcomes: Sequence[Outcome], difference: Difference | None, seconds: float
) -> dict[str, float | int | None]:
    """Return the results for --json; None for what was not measured."""
    accuracies = {o.form: round(o.accuracy, 4) for o in outcomes}
    return {
        "test_accuracy": accuracies.get("supervised"),
        "unsupervised_accuracy": accuracies.get("unsupervised"),
        "differing_bits": None if difference is None else difference.bits,
        "seconds": round(seconds, 1),
        "steps": sum(o.steps for o in outcomes),
        "clocks": sum(o.clocks for o in outcomes),
    }


# ---- accuracy by seed --------------------------------------------------------------------------


def _numbers(text: str) -> list[int]:
    try:
        seeds = [int(part) for part in text.split(",")]
    except ValueError:
        raise click.UsageError(
            f"--seeds must be whole numbers separated by commas, such as 0,1,2, not {text!r}"
        ) from None
    if min(seeds) < 0:
        raise click.UsageError(f"--seeds must be at least 0, not {min(seeds)}")
    return seeds


def _by_seed(experiment: Experiment, seeds: Sequence[int], validation: bool, as_json: bool) -> int:
    """Print a table of accuracies, each row as soon as its seed is done."""
    click.echo("    seed  " + "".join(f"{form:>14}" for form in experiment.forms))
    table: dict[str, list[float]] = {form: [] for form in experiment.forms}
    jobs = [(experiment, seed, validation) for seed in seeds]
    with in_workers(_accuracies, jobs) as results:
        for seed, accuracies in zip(seeds, results, strict=True):
            _show_row(str(seed), accuracies)
            for form, value in zip(experiment.forms, accuracies, strict=True):
                table[form].append(value)
    _show_row("mean", [statistics.fmean(values) for values in table.values()])
    _show_row("least", [min(values) for values in table.values()])
    if as_json:
        click.echo(json.dumps({"seeds": list(seeds), **table}))
    return 0


def _show_row(name: str, accuracies: Sequence[float]) -> None:
    click.echo(f"{name:>8}  " + "".join(f"{100 * value:>12.1f} %" for value in accuracies))


def _accuracies(job: tuple[Any, int, bool]) -> list[float]:
    from synloom.demo.settings import ARRAY

    experiment, seed, validation = job
    chosen = replace(experiment, seed=seed, validation=seed if validation else None)
    return [outcome.accuracy for outcome in chosen.run_on_model(ARRAY)]
