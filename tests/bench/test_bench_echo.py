"""The benches' sources, sinks and monitors carry every byte, whatever the gaps."""

import pytest
from benchrunner import run_benches

from synloom.contract import ArrayParams
from synloom_sim.board import Design


@pytest.mark.parametrize(("face", "top"), [("bytes", "EchoTop"), ("pins", "PinsTop")])
def test_benches_carry_every_byte(face, top, tmp_path):
    design = Design(ArrayParams(), top=f"board_tops:{top}")
    run_benches(design, "bench_echo", tmp_path, FACE=face)
