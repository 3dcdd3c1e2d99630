"""The bitmap of neurons that events fire: set, merged, read and cleared by the sweep, forgotten."""

from core_benches import simulate

from synloom.contract import ArrayParams
from synloom_hdl.core.forced import Forced

PARAMS = ArrayParams(neurons=40)


async def force(ctx, dut, neuron):
    """Set the bit of a neuron; return whether it was set already."""
    ctx.set(dut.neurons.payload, {"bit": neuron % 16, "word": neuron // 16})
    ctx.set(dut.neurons.valid, 1)
    while not ctx.get(dut.neurons.ready):
        await ctx.tick()
    merges = ctx.get(dut.merges)
    await ctx.tick()
    ctx.set(dut.neurons.valid, 0)
    return merges


async def read(ctx, dut, *, clear):
    """Read all words as a sweep does."""
    words = []
    for index in range(PARAMS.neuron_words):
        ctx.set(dut.read_index, index)
        ctx.set(dut.read_en, 1)
        await ctx.tick()
        ctx.set(dut.read_en, 0)
        words.append(ctx.get(dut.word))
        ctx.set(dut.clear, clear)
        await ctx.tick()
        ctx.set(dut.clear, 0)
    return words


def test_it_keeps_neurons_until_the_sweep_has_seen_them():
    dut = Forced(PARAMS)

    async def main(ctx):
        assert [await force(ctx, dut, n) for n in (0, 3, 39, 3, 17)] == [0, 0, 0, 1, 0]
        assert await read(ctx, dut, clear=0) == [0b1001, 0b10, 1 << 7]
        assert await read(ctx, dut, clear=1) == [0b1001, 0b10, 1 << 7]
        assert await read(ctx, dut, clear=0) == [0, 0, 0]

    simulate(dut, main)


def test_it_forgets_all_neurons_at_once():
    dut = Forced(PARAMS)

    async def main(ctx):
        for n in range(40):
            await force(ctx, dut, n)
        ctx.set(dut.forget, 1)
        await ctx.tick()
        ctx.set(dut.forget, 0)
        # One that comes meanwhile waits, and is kept.
        assert await force(ctx, dut, 20) == 0
        assert await read(ctx, dut, clear=0) == [0, 1 << 4, 0]

    simulate(dut, main)
