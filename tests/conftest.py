"""What all tests share: one cache of built boards, and helpers that several folders use."""

import os
import sys
from pathlib import Path

TESTS = Path(__file__).parent
os.environ.setdefault("SYNLOOM_CACHE", str(TESTS.parent / "build" / "cache"))
sys.path += [str(TESTS), str(TESTS / "agreement"), str(TESTS / "sim"), str(TESTS.parent / "docs")]
