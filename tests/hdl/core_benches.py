"""Benches for the parts of the core: run a simulation, and reach a region as the bridge does."""

from amaranth.sim import Simulator

from synloom_hdl.core.shared_memory import ACCESS_CLOCKS, ACCESS_WRITE_CLOCK


def simulate(dut, *benches, background=()):
    """Run the benches to their end; those in the background end with them."""
    sim = Simulator(dut)
    sim.add_clock(1e-6, if_exists=True)
    for bench in background:
        sim.add_testbench(bench, background=True)
    for bench in benches:
        sim.add_testbench(bench)
    sim.run()


async def ticks(ctx, count):
    for _ in range(count):
        await ctx.tick()


async def access(ctx, port, offset, data=None):
    """Read one offset of a region, or write `data` there; returns what was read."""
    ctx.set(port.select, 1)
    ctx.set(port.offset, offset)
    ctx.set(port.data, data or 0)
    clock = q = 0
    while clock < ACCESS_CLOCKS:
        due = clock == ACCESS_WRITE_CLOCK
        ctx.set(port.due, due)
        ctx.set(port.write, due and data is not None)
        *_, hold, q = await ctx.tick().sample(port.hold, port.q)
        clock += not (due and hold)
    ctx.set(port.select, 0)
    await ctx.tick()
    assert ctx.get(port.q) == 0, "the answer stays after the access"
    return q


async def load(ctx, port, offset, values):
    """Write consecutive offsets."""
    for k, value in enumerate(values):
        await access(ctx, port, offset + k, int(value))


async def dump(ctx, port, offset, count):
    """Return consecutive offsets."""
    return [await access(ctx, port, offset + k) for k in range(count)]
