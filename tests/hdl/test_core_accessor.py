from random import Random

from core_benches import simulate, ticks

from synloom.contract.regions import Region
from synloom_hdl.core.access import ACCESS_CLOCKS, ACCESS_WRITE_CLOCK
from synloom_hdl.core.accessor import Accessor

REGIONS = (Region.CTRL, Region.WEIGHTS, Region.PROBES)


class Bench:
    """An accessor whose regions are dictionaries that answer one clock after they are asked."""

    def __init__(self):
        self.dut = Accessor(REGIONS)
        self.memory = {}
        self.selected = []
        self.writes = []

    async def serve(self, ctx):
        while True:
            chosen = []
            for region in REGIONS:
                port = getattr(self.dut, region.name.lower())
                offset, data = ctx.get(port.offset), ctx.get(port.data)
                if ctx.get(port.select):
                    chosen.append(region)
                    if ctx.get(port.write):
                        self.writes.append(len(self.selected))
                        self.memory[region, offset] = data
                ctx.set(port.q, self.memory.get((region, offset), 0) if ctx.get(port.select) else 0xDEAD)
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


def test_reads_and_writes_reach_the_region_that_is_meant():
    bench = Bench()
    rng = Random(2)
    twin = {}

    async def main(ctx):
        for _ in range(100):
            region, offset = rng.choice([*REGIONS, Region.INFO, Region.SOURCE]), rng.randrange(4) << 22
            data = rng.choice([None, rng.getrandbits(16)])
            clocks, q, written = await bench.ask(ctx, region, offset, data)
            assert clocks == ACCESS_CLOCKS
            assert written == (data is not None)
            if data is None:
                assert q == twin.get((region, offset), 0)
            elif region in REGIONS:
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
