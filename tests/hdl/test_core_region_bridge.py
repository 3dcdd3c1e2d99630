from random import Random

import pytest
from core_benches import simulate, ticks

from synloom.contract import ArrayParams
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom_hdl.core.region_bridge import RegionBridge
from synloom_hdl.core.shared_memory import ACCESS_CLOCKS, ACCESS_WRITE_CLOCK

PARAMS = ArrayParams(inputs=20, neurons=30, probes=3)
REGIONS = (Region.CTRL, Region.WEIGHTS, Region.PROBES)


class Bench:
    """An bridge whose regions are dictionaries that answer one clock after they are asked.

    They hold each access for `holds` clocks. A bridge of single-ported weights does not store the request.
    """

    def __init__(self, holds=0, single_port=False):
        structure = {"single_port": True, "serial_neurons": True, "neuron_lanes": 1} if single_port else {}
        self.dut = RegionBridge(PARAMS.replace(**structure), REGIONS)
        self.holds, self.stores = holds, not single_port
        self.memory = {}
        self.selected = []
        self.writes = []

    async def serve(self, ctx):
        due = 0
        while True:
            chosen = []
            due = (due + 1) * any(ctx.get(getattr(self.dut, r.name.lower()).due) for r in REGIONS)
            for region in REGIONS:
                port = getattr(self.dut, region.name.lower())
                offset, data = ctx.get(port.offset), ctx.get(port.data)
                ctx.set(port.hold, ctx.get(port.due) and due <= self.holds)
                if ctx.get(port.select):
                    chosen.append(region)
                    if ctx.get(port.write):
                        self.writes.append(len(self.selected))
                        self.memory[region, offset] = data
                ctx.set(port.q, self.memory.get((region, offset), 0) if ctx.get(port.select) else 0)
            if chosen:
                self.selected.append(chosen)
            await ctx.tick()

    async def ask(self, ctx, region, offset, data=None):
        """Start an access; return the clocks that it took, what was read and whether it was a write."""
        dut = self.dut
        ctx.set(
            dut.request, {"region": region, "offset": offset, "write": data is not None, "data": data or 0}
        )
        ctx.set(dut.start, 1)
        await ctx.tick()
        if self.stores:
            ctx.set(dut.request, {"region": Region.CTRL, "offset": 0, "write": 1, "data": 0xBAD})
        clocks = done = 0
        while not done:
            *_, busy, done, q, written = await ctx.tick().sample(dut.busy, dut.done, dut.data, dut.written)
            assert busy
            clocks += 1
        ctx.set(dut.start, 0)
        return clocks, q, written

    def run(self, main):
        simulate(self.dut, main, background=[self.serve])


@pytest.mark.parametrize("single_port", [False, True])
@pytest.mark.parametrize("holds", [0, 5])
def test_reads_and_writes_reach_the_region_that_is_meant(holds, single_port):
    bench = Bench(holds, single_port)
    rng = Random(2)
    twin = {}

    async def main(ctx):
        for _ in range(150):
            region = rng.choice([*REGIONS, Region.INFO, Region.SOURCE])
            room = 1 << (memory_of(PARAMS, region).size - 1).bit_length()
            offset = rng.choice([0, 1, room - 1, room, room + 1, (1 << 24) - 1]) & 0xFFFFFF
            data = rng.choice([None, rng.getrandbits(16)])
            clocks, q, written = await bench.ask(ctx, region, offset, data)
            exists = region in REGIONS and offset < room
            assert clocks == ACCESS_CLOCKS + holds * exists + 1
            assert written == (data is not None)
            if data is None:
                assert q == twin.get((region, offset), 0)
            elif exists:
                twin[region, offset] = data
            assert not ctx.get(bench.dut.busy)
            await ticks(ctx, rng.randrange(3))

    bench.run(main)
    assert bench.memory == twin
    assert all(len(chosen) == 1 for chosen in bench.selected)


def test_a_write_is_strobed_once_in_its_clock():
    bench = Bench()

    async def main(ctx):
        await bench.ask(ctx, Region.WEIGHTS, 5, 9)
        await bench.ask(ctx, Region.WEIGHTS, 5)
        await bench.ask(ctx, Region.PROBES, 1, 3)

    bench.run(main)
    assert bench.writes == [ACCESS_WRITE_CLOCK, 2 * ACCESS_CLOCKS + ACCESS_WRITE_CLOCK]
    assert bench.selected == [[Region.WEIGHTS]] * (2 * ACCESS_CLOCKS) + [[Region.PROBES]] * ACCESS_CLOCKS
