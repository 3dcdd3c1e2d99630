"""The whole array under cocotb, at the byte streams and at the UART's pins, gives the model's bits."""

import json

import pytest
from benchrunner import run_benches

from synloom.contract import ArrayParams
from synloom_sim.board import Design

PARAMS = ArrayParams(
    inputs=5,
    neurons=9,
    lanes=4,
    neuron_lanes=2,
    segments=32,
    record_words=256,
    event_words=64,
    delay_slots=4,
    probes=2,
    clock_hz=50_000_000,
    baud=6_250_000,  # 8 clocks a bit
)


@pytest.mark.parametrize("face", ["bytes", "pins"])
def test_array_gives_the_models_bits(face, tmp_path):
    design = Design(PARAMS, pins=face == "pins")
    run_benches(design, "bench_array", tmp_path, FACE=face, PARAMS=json.dumps(PARAMS.to_dict()))
