"""What all tests share: boards that tests build are kept with the repository's other build results."""

import os
from pathlib import Path

os.environ.setdefault("SYNLOOM_CACHE", str(Path(__file__).parents[1] / "build" / "cache"))
