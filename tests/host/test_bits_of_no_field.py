"""Bits of a record that no field has (docs/protocol.md): on every target they change no result."""

import numpy as np
import pytest

from synloom import connect
from synloom.contract.memory_map import memory_map
from synloom.contract.regions import Region
from synloom.selftest.memories import under_test
from synloom_sim.soak.session import image

IMAGE, STEPS = image(), 40
RASTER = np.random.default_rng(3).random((STEPS, 8)) < 0.3
PADDED = [
    under_test(memory)
    for memory in memory_map(IMAGE.params).values()
    if memory.exists and memory.keeps and memory.region is not Region.WEIGHTS
]


def results(device):
    device.record("cells", "v", [0, 5])
    device.inject("kicks", RASTER)
    recording = device.run(float(STEPS))
    values = recording.values("cells", "v")
    return recording.raster("cells").tolist(), values.tolist(), device.read_weights("learns").tolist()


@pytest.mark.filterwarnings("ignore::synloom.SynloomWarning")
@pytest.mark.parametrize("target", ["model", "fast", "sim"])
def test_bits_of_no_field_are_read_as_written_or_as_zero_and_change_no_result(target):
    with connect("model", IMAGE) as device:
        wanted = results(device)
    touched = set()
    with connect(target, IMAGE) as device:
        for each in PADDED:
            for block in each.blocks:
                part = slice(block.place, block.place + block.count)
                others = ~each.masks[part]
                held = device.port.read(each.region, block.offset, block.count) & each.masks[part]
                each.write(device.port, block, held | others)
                again = device.port.read(each.region, block.offset, block.count)
                assert (again & each.masks[part] == held).all()
                assert (np.isin(again & others, 0) | (again & others == others)).all()
                touched |= {each.region} if others.any() else set()
        assert {Region.PROBES, Region.PROGRAM, Region.NEURON_STATE} <= touched
        assert results(device) == wanted
