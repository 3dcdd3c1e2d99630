"""Draws the documentation's line drawings: ``python docs/figures.py`` writes them to docs/images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

__all__ = ["FIGURES", "draw_architecture", "draw_loom", "main"]

IMAGES: Final = Path(__file__).parent / "images"
BANKS: Final = 4
SIZE: Final = 8
COLOURS: Final = ("#d98c5f", "#5b8db8", "#8fae6b", "#b58db6")
INK, FAINT, PAPER = "#26303a", "#9aa5b1", "#ffffff"


def _svg(width: int, height: int, parts: list[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="Helvetica, Arial, sans-serif" font-size="13">\n'
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>\n{body}\n</svg>\n'
    )


def _text(
    x: float, y: float, words: str, *, anchor: str = "middle", colour: str = INK, style: str = ""
) -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{colour}" {style}>{words}</text>'


def _box(x: float, y: float, w: float, h: float, fill: str, *, edge: str = "none", width: float = 1) -> str:
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="4" fill="{fill}" stroke="{edge}" '
        f'stroke-width="{width:g}"/>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, *, colour: str = FAINT, width: float = 2) -> str:
    return f'<path d="M{x1:g} {y1:g}L{x2:g} {y2:g}" stroke="{colour}" stroke-width="{width:g}" fill="none"/>'


def _arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<path d="M{x1:g} {y1:g}L{x2:g} {y2:g}" stroke="{INK}" stroke-width="1.5" fill="none" '
        'marker-end="url(#tip)"/>'
    )


_TIP: Final = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto">'
    f'<path d="M0 0L8 4L0 8z" fill="{INK}"/></marker></defs>'
)


def draw_loom() -> str:
    """Return the woven matrix: threads of sources and targets, weights coloured by bank, and the banks."""
    step, x0, y0 = 38, 70, 92
    row, column = 2, 5
    parts = [
        _text(x0 + step * SIZE / 2, 24, "targets j: a column pass follows a neuron that fired"),
        _text(470, 24, "the same weights in their banks", anchor="start"),
    ]
    for k in range(SIZE):
        middle = step * k + step / 2
        parts += [
            _line(x0 - 22, y0 + middle, x0 + step * SIZE + 22, y0 + middle),
            _line(x0 + middle, y0 - 22, x0 + middle, y0 + step * SIZE + 22),
            _text(x0 - 34, y0 + middle + 5, str(k), colour=INK if k == row else FAINT),
            _text(x0 + middle, y0 - 30, str(k), colour=INK if k == column else FAINT),
        ]
    for i in range(SIZE):
        for j in range(SIZE):
            parts.append(
                _box(x0 + step * j + 6, y0 + step * i + 6, step - 12, step - 12, COLOURS[(i + j) % BANKS])
            )
    # A chunk of a row and one of a column: B neighbours each, and each bank once.
    parts += [
        _box(x0 + 2, y0 + step * row + 2, step * BANKS - 4, step - 4, "none", edge=INK, width=2.5),
        _box(
            x0 + step * column + 2,
            y0 + step * BANKS + 2,
            step - 4,
            step * BANKS - 4,
            "none",
            edge=INK,
            width=2.5,
        ),
        _text(x0 + step * SIZE / 2, y0 + step * SIZE + 46, "sources i: a row pass follows a source's spike"),
    ]
    small, bx, by = 21, 470, 70
    for b in range(BANKS):
        left = bx + b * (small * 2 + 40)
        parts.append(_text(left + small + 8, by - 14, f"bank {b}", colour=INK))
        for address in range(2 * SIZE):
            chunk, i = divmod(address, SIZE)
            j = BANKS * chunk + (b - i) % BANKS
            chosen = (i == row and chunk == 0) or (j == column and i >= BANKS)
            y = by + address * small
            parts += [
                _box(
                    left, y, small * 2 + 16, small - 3, COLOURS[b], edge=INK if chosen else "none", width=2.5
                ),
                _text(left + small + 8, y + 14, f"{i},{j}", colour=PAPER, style='font-size="12"'),
            ]
    parts.append(
        _text(
            bx,
            by + 2 * SIZE * small + 18,
            "weight (i, j): bank (i + j) mod 4, address 8 floor(j / 4) + i",
            anchor="start",
        )
    )
    return _svg(840, 470, parts)


def draw_architecture() -> str:
    """Return the way from a network in SI units to bits, and back."""
    parts = [_TIP]

    def block(x: float, y: float, w: float, h: float, title: str, lines: tuple[str, ...], fill: str) -> None:
        parts.append(_box(x, y, w, h, fill, edge=INK))
        top = y + h / 2 - 8 * len(lines) + 5
        parts.append(_text(x + w / 2, top, title, style='font-weight="bold"'))
        for k, line in enumerate(lines):
            parts.append(_text(x + w / 2, top + 17 * (k + 1), line, style='font-size="12"'))

    host, wire, array = "#f3ece4", "#eef1f4", "#e6eef5"
    block(20, 20, 190, 70, "Network", ("populations, projections,", "stimuli: ms, mV, nA"), host)
    block(20, 130, 190, 70, "Image", ("integers, one file,", "and a report of the errors"), host)
    block(20, 240, 190, 70, "Device", ("run, step, record,", "weights: SI units again"), host)
    parts += [
        _arrow(115, 90, 115, 130),
        _text(123, 115, "compile", anchor="start"),
        _arrow(115, 200, 115, 240),
    ]
    parts.append(_text(123, 225, "load", anchor="start"))

    for k, (title, words) in enumerate(
        (
            ("model", "NumPy, in process"),
            ("sim", "gateware, Verilated"),
            ("sim-pins", "and the UART's pins"),
            ("/dev/ttyUSB1", "a board"),
        )
    ):
        y = 130 + 62 * k
        block(290, y, 150, 50, title, (words,), wire)
        parts.append(_arrow(210, 275, 290, y + 25))
    parts.append(_text(365, 118, "targets: the same bits"))
    parts.append(_arrow(440, 217, 500, 217))

    parts.append(_box(500, 20, 380, 370, "none", edge=INK))
    parts.append(_text(690, 42, "the gateware", style='font-weight="bold"'))
    block(515, 56, 350, 44, "link", ("frames, checksums, records that are acknowledged",), array)
    block(515, 124, 165, 62, "stimulus", ("events, generators,", "delay wheel"), array)
    block(700, 124, 165, 62, "recorder", ("spikes, probes,", "counters"), array)
    block(515, 210, 350, 44, "sequencer", ("rows, sweep, columns, records",), array)
    block(515, 278, 165, 92, "passes", ("loom: B weights a clock", "B lanes: STDP", "sums and traces"), array)
    block(700, 278, 165, 92, "neurons", ("LIF, currents,", "adaptive thresholds,", "refractory time"), array)
    for x1, y1, x2, y2 in (
        (597, 100, 597, 124),
        (782, 124, 782, 100),
        (597, 186, 597, 210),
        (782, 210, 782, 186),
        (597, 254, 597, 278),
        (782, 254, 782, 278),
        (680, 310, 700, 310),
        (700, 340, 680, 340),
    ):
        parts.append(_arrow(x1, y1, x2, y2))
    return _svg(900, 410, parts)


FIGURES: Final[dict[str, Callable[[], str]]] = {"loom.svg": draw_loom, "architecture.svg": draw_architecture}
"""Drawings by file name."""


def main() -> None:
    """Write all drawings."""
    IMAGES.mkdir(exist_ok=True)
    for name, draw in FIGURES.items():
        (IMAGES / name).write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
