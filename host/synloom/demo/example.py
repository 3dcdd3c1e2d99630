"""The frame of the examples: trials over seeds, their figures beside bars, a picture, and equal bits.

A script of the gallery (docs/gallery.md) says what one trial does and what is drawn from all of them; the
rest is the same for every example and is here.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import matplotlib.figure
import numpy as np

from synloom.base.atomic_files import write_whole
from synloom.base.errors import DeviceError, SynloomError
from synloom.base.workers import Failure, available_cores, outcomes
from synloom.compiler import compile
from synloom.contract.params import ArrayParams
from synloom.demo.pages import with_table
from synloom.device.device import Device
from synloom.device.replay import Replay, replay
from synloom.device.targets import connect
from synloom.image.image import Image
from synloom.network.network import Network

__all__ = ["ARRAY", "Example", "Figure", "Summary", "Trial", "lost_events"]

Found = Mapping[str, Any]
"""What a trial returns: a number for each figure, and whatever the picture needs."""

ARRAY: Final = ArrayParams(inputs=144, neurons=256, axons=256, lanes=4, neuron_lanes=1, dendritic_delays=True)
"""The array of all short forms, so that one simulated board is built for the whole gallery."""

_SHORT_SEED: Final = 1
_DPI: Final = 130
_FIGURES: Final = "figures.json"
_PAGE: Final = "README.md"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One run of an example.

    Parameters
    ----------
    seed : int
        Seed of everything that is random.
    target : str
        Where it runs, as for `synloom.connect`.
    short : bool
        Whether this is the short form, which only shows that everything works.
    log : Path, optional
        Where the device keeps a log, from which another target does the same again.
    """

    seed: int
    target: str = "software"
    short: bool = False
    log: Path | None = None

    def connect(self, image_or_params: Image | ArrayParams) -> Device:
        """Return a device at the trial's target, loaded if this is an image; a trial connects once."""
        return connect(self.target, image_or_params, log=self.log)

    def image(self, network: Network) -> Image:
        """Return a network compiled for `ARRAY` in the short form, else for an array that just fits it."""
        return compile(network, ARRAY) if self.short else compile(network)

    @property
    def rng(self) -> np.random.Generator:
        """A new random generator, seeded with the trial's seed."""
        return np.random.default_rng(self.seed)


def lost_events(device: Device) -> int:
    """Return how many events the array has lost since its image was loaded.

    These are all its counters of losses but that of weights which met a bound, where a rule wants them to be.
    """
    return sum(count for name, count in device.counters().losses.items() if name != "weight_clips")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure that an example measures.

    Parameters
    ----------
    unit : str
        Its unit.
    digits : int
        Decimal places that are printed.
    least, most : float, optional
        The bar: what the mean over all seeds must reach, or not exceed.
    published : str
        What the source reports for it.
    """

    unit: str = ""
    digits: int = 2
    least: float | None = None
    most: float | None = None
    published: str = ""

    def met(self, value: float) -> bool:
        """Return whether a value reaches the bar; NaN never does."""
        if np.isnan(value):
            return self.least is None and self.most is None
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def bar(self) -> str:
        """Return the bar as text; empty if there is none."""
        if self.least is not None:
            return f"at least {self.least:g}"
        return "" if self.most is None else f"at most {self.most:g}"

    def text(self, value: float) -> str:
        """Return a value as it is printed."""
        return "-" if np.isnan(value) else f"{value:,.{self.digits}f}"


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The figures of all seeds.

    Parameters
    ----------
    seeds : tuple of int
        The seeds.
    values : mapping
        Figure to its values, one a seed.
    seconds : float
        Duration of all trials together.
    """

    seeds: tuple[int, ...]
    values: Mapping[str, tuple[float, ...]]
    seconds: float

    def rows(self, figures: Mapping[str, Figure]) -> list[tuple[str, ...]]:
        """Return a row for each figure: name, value, least, most, bar, whether it is met, the source's."""
        rows: list[tuple[str, ...]] = []
        for name, figure in figures.items():
            values = np.array(self.values[name], dtype=np.float64)
            value = float(values.mean())
            judged = "" if not figure.bar() else "met" if figure.met(value) else "missed"
            low, high = figure.text(float(values.min())), figure.text(float(values.max()))
            unit = f"{name} ({figure.unit})" if figure.unit else name
            rows.append((unit, figure.text(value), low, high, figure.bar(), judged, figure.published))
        return rows

    def missed(self, figures: Mapping[str, Figure]) -> list[str]:
        """Return the figures that do not reach their bars."""
        return [name for name, row in zip(figures, self.rows(figures), strict=True) if row[5] == "missed"]


_LOST: Final = {"lost": Figure(unit="events", digits=0, most=0.0)}
HEADS: Final = ("figure", "mean", "least", "most", "bar", "", "published")


@dataclass(frozen=True, kw_only=True)
class Example:
    """An example of the gallery.

    Parameters
    ----------
    name : str
        Its name, that of its folder.
    trial : callable
        Does one `Trial` and returns a number for each figure, and what the picture needs.
    figures : mapping
        Name to `Figure`, in the order of the table. Each example has one more, which need not be given:
        "lost", the events that the array has lost (`lost_events`), of which there may be none.
    draw : callable
        Draws what the trials returned, and returns a Matplotlib figure.
    seeds : int
        Trials of the full form.
    """

    name: str
    trial: Callable[[Trial], Found]
    figures: Mapping[str, Figure]
    draw: Callable[[Sequence[Found]], matplotlib.figure.Figure]
    seeds: int = 10

    def __post_init__(self) -> None:
        object.__setattr__(self, "figures", {**self.figures, **_LOST})

    def run(
        self, seeds: Sequence[int], *, target: str = "software", short: bool = False, jobs: int = 1
    ) -> tuple[Summary, list[Found]]:
        """Run a trial for each seed and print a line for each; return the figures and all that was found."""
        begun = time.perf_counter()
        trials = [Trial(seed=seed, target=target, short=short) for seed in seeds]
        found: list[Found | None] = [None] * len(trials)
        with outcomes(self.trial, trials, workers=jobs) as results:
            for k, result in results:
                if isinstance(result, Failure):
                    raise DeviceError(f"seed {seeds[k]} of {self.name} failed: {_reason(result)}")
                found[k] = result
                shown = ", ".join(f"{name} {f.text(result[name])}" for name, f in self.figures.items())
                print(f"seed {seeds[k]:>3}: {shown}", flush=True)
        done = [each for each in found if each is not None]
        values = {name: tuple(float(each[name]) for each in done) for name in self.figures}
        return Summary(seeds=tuple(seeds), values=values, seconds=time.perf_counter() - begun), done

    def same_bits(self, target: str = "sim") -> Replay:
        """Run the short form in software, do it again on another target, and compare everything."""
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / f"{self.name}.log"
            self.trial(Trial(seed=_SHORT_SEED, short=True, log=log))
            return replay(log, target)

    def page(self, folder: Path) -> str:
        """Return the text of the page in a folder, with the table of the figures that lie beside it."""
        kept = json.loads((folder / _FIGURES).read_text(encoding="utf-8"))
        values = {name: tuple(each) for name, each in kept["values"].items()}
        summary = Summary(seeds=tuple(kept["seeds"]), values=values, seconds=0.0)
        text = (folder / _PAGE).read_text(encoding="utf-8")
        return with_table(text, HEADS, summary.rows(self.figures), len(summary.seeds))

    def write_page(self, folder: Path) -> None:
        """Write the table of the page in a folder from the figures that lie beside it."""
        write_whole(folder / _PAGE, self.page(folder).encode())

    def main(self, arguments: Sequence[str] | None = None) -> None:
        """Run the example as its command line says, and exit: 1 if a bar is missed or a bit differs."""
        try:
            self._run_as(_parser(self).parse_args(arguments))
        except SynloomError as error:
            sys.exit(f"error: {error}")

    def _run_as(self, options: argparse.Namespace) -> None:
        seeds = range(options.first, options.first + options.seeds)
        if options.table:
            self.write_page(options.out)
            return
        summary, found = self.run(seeds, target=options.target, short=options.short, jobs=options.jobs)
        rows = summary.rows(self.figures)
        _print_table([HEADS, *rows])
        print(f"{len(seeds)} seeds, {summary.seconds:.0f} s")
        options.out.mkdir(parents=True, exist_ok=True)
        picture = options.out / f"{self.name}.png"
        self.draw(found).savefig(picture, dpi=_DPI, facecolor="white")
        values = {"seeds": list(summary.seeds), "values": {k: list(v) for k, v in summary.values.items()}}
        write_whole(options.out / _FIGURES, json.dumps(values, indent=1).encode() + b"\n")
        print(f"wrote {picture} and {options.out / _FIGURES}")
        if (options.out / _PAGE).exists():
            self.write_page(options.out)
            print(f"wrote the table of {options.out / _PAGE}")
        failed = [] if options.short else summary.missed(self.figures)
        if options.bits != "none":
            done = self.same_bits(options.bits)
            print(f"the short form again on {options.bits}: {done}")
            failed += [] if done.agrees else ["equal bits"]
        sys.exit(f"missed: {', '.join(failed)}" if failed else 0)


def _reason(failure: Failure) -> str:
    """Return one line if an error of ours says what is wrong, else also where it happened."""
    ours = f"synloom.base.errors.{failure.kind}" in failure.trace
    return failure.message if ours else f"{failure}\n{failure.trace}"


def _parser(example: Example) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=example.name, description=sys.modules["__main__"].__doc__)
    add = parser.add_argument
    add("--short", action="store_true", help="the short form, to see that everything works")
    add("--seeds", type=int, default=example.seeds, help="number of trials (default: %(default)s)")
    add("--first", type=int, default=1, help="the first seed (default: %(default)s)")
    add("--jobs", type=int, default=available_cores(), help="trials at a time (default: %(default)s)")
    add("--target", default="software", help="software, fast, model, sim, or a serial port")
    add("--bits", default="sim", help="where the short form is done again, or none (default: %(default)s)")
    add("--out", type=Path, default=Path("results") / example.name, help="folder (default: %(default)s)")
    add("--table", action="store_true", help="only write the table of the page in --out again")
    return parser


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    for row in rows:
        cells = [
            text.ljust(w) if k in (0, 4, 5, 6) else text.rjust(w)
            for k, (text, w) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
