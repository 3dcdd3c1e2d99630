"""`synloom compare`: an experiment in floating point, with rounded parameters, and bit by bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from synloom.base.errors import ParameterError
from synloom.cli.options import json_option
from synloom.cli.output import show_json

__all__ = ["compare"]


class _Rates:
    """Stands for a device, to collect the changes of rates; other changes are refused."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}

    def set_rates(self, name: str, rate: Any) -> None:
        """Keep the rates of an input."""
        self.found[name] = rate

    def __getattr__(self, name: str) -> Any:
        """Refuse all other changes, when they are made."""

        def refuse(*_: Any) -> None:
            raise ParameterError(f"changes of rates can be compared, but not {name.removeprefix('set_')}")

        return refuse


@click.command(short_help="Compare an experiment in floating point with the array.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--steps", type=click.IntRange(min=1), metavar="N", help="Steps to run; default: the file's.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder for two pictures.")
@json_option
def compare(file: Path, steps: int | None, out: Path | None, as_json: bool) -> None:
    """Run the experiment in FILE three ways, and say where and why they part.

    In floating point; in floating point with weights, time constants and learning rules as the array has
    them; in the array's own whole numbers. Generators are drawn once and given to all three. With --out,
    weights.png shows weights and time constants as wanted and as they are, spikes.png the spikes of float and
    array, and learned.png the weights of both at the end, if synapses learn.
    """
    from synloom.experiment import read_experiment
    from synloom.experiment.network_builder import build_network, compile_experiment
    from synloom.experiment.timeline import changes_of
    from synloom_sim.compare import compare as compare_network
    from synloom_sim.compare import draw_comparison, draw_learned, draw_report

    experiment = read_experiment(file).changed(steps=steps)
    network = build_network(experiment)
    rates = []
    for change in changes_of(experiment):
        collected: Any = _Rates()
        change.apply(collected)
        rates.append((change.step, collected.found))
    params = compile_experiment(experiment, network).params
    found = compare_network(network, experiment.steps, params=params, rates=rates)
    files = []
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        pictures = {
            "weights.png": draw_report(found.image.report, found.wanted, found.got),
            "spikes.png": draw_comparison(found, experiment.title),
        }
        if found.learned:
            pictures["learned.png"] = draw_learned(found, experiment.title)
        for name, figure in pictures.items():
            figure.savefig(out / name)
            files.append(str(out / name))
    if as_json:
        populations = {
            part.label: {
                "spikes": [int(raster.sum()) for raster in (part.floats, part.rounded, part.array)],
                "correlation": part.correlation(),
                "parts": part.parts(),
                "why": part.why(),
            }
            for part in found.populations
        }
        learned = {
            label: {
                "mean": [float(w.mean()) for w in (part.before, part.floats, part.rounded, part.array)],
                "apart": float(abs(part.array - part.floats).mean()),
                "correlation": part.correlation(),
                "unit": part.unit,
            }
            for label, part in found.learned.items()
        }
        show_json({"populations": populations, "learned": learned, "files": files})
        return
    click.secho(experiment.title, bold=True)
    for line in (*found.lines(), *files):
        click.echo(f"  {line}")
