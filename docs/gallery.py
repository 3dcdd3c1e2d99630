"""Write docs/gallery.md from the examples' pages and figures; with --run, run all examples in full first.

python docs/gallery.py [--run]
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from synloom.demo.gallery import Entry, entries
from synloom.demo.pages import table_of

PAGE = Path(__file__).with_name("gallery.md")
HEAD = """# Gallery

Published networks, reproduced on the array with the public SDK.
Each is a short script with a page: idea, source, figures, and what the array still lacks for it.
Figures are means over seeds, beside the bar that we set beforehand and the source's own figure.

```sh
synloom examples                            # list them
synloom examples run memory --short         # run one
synloom examples copy memory my_memory      # take one as a beginning
make examples                               # all in full: figures, pictures, pages
```

Each script ends on the simulated board: its short form is done again there, and no bit may differ.
"""


def section(example: Entry) -> str:
    """Return the part of the page about one example."""
    here = f"examples/{example.name}"
    heads, *rows = table_of((example.folder / "README.md").read_text(encoding="utf-8"))
    keep = [heads.index(name) for name in ("figure", "mean", "bar", "published")]
    lines = [[row[k] for k in keep] for row in (heads, ["---"] * len(heads), *rows)]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    picture = f"[![{example.title}]({here}/{example.name}.png)]({here}/README.md)"
    return f"## [{example.title}]({here}/README.md)\n\n{example.idea}\n\n{picture}\n\n{table}\n"


def text() -> str:
    """Return the whole page."""
    return "\n".join([HEAD, *map(section, entries())])


if __name__ == "__main__":
    failed = []
    if "--run" in sys.argv[1:]:
        runs = {e.name: [sys.executable, str(e.script), "--out", str(e.folder)] for e in entries()}
        failed = [name for name, command in runs.items() if subprocess.run(command, check=False).returncode]
    PAGE.write_text(text(), encoding="utf-8")
    if failed:
        sys.exit(f"bars missed or bits that differ: {', '.join(failed)}")
