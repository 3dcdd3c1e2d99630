from random import Random

import pytest
from core_benches import access, simulate, ticks

from synloom.contract import ArrayParams
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom_hdl.core.deep_memory import DeepMemory

SIZES = [(3, 16), (5, 24), (16, 16), (17, 12), (1, 24)]
"""Neurons and state bits: either order of words and records, whole powers of two and others."""


def table_of(neurons, bits, region=Region.NEURON_STATE):
    return memory_of(ArrayParams(neurons=neurons, state_bits=bits), region)


@pytest.mark.parametrize(("neurons", "bits"), SIZES)
def test_host_and_array_share_one_table(neurons, bits):
    rng, table = Random(neurons), table_of(neurons, bits)
    dut, words = DeepMemory(table, array_writes=True), table.layout.words
    content = {table.offset(n) + k: 0 for n in range(neurons) for k in range(words)}

    def place(ctx, name):
        n, k = rng.randrange(neurons), rng.randrange(words)
        ctx.set(dut.record, n)
        ctx.set(dut.write_record, n)
        ctx.set(getattr(dut, f"{name}_word"), k)
        return table.offset(n) + k

    async def array_writes(ctx):
        offset, data = place(ctx, "write"), rng.getrandbits(16)
        ctx.set(dut.write, data)
        ctx.set(dut.write_en, rng.randrange(2))
        if ctx.get(dut.write_en):
            content[offset] = data
        await ctx.tick()
        ctx.set(dut.write_en, 0)

    async def array_reads(ctx):
        offset = place(ctx, "read")
        ctx.set(dut.read_en, 1)
        await ctx.tick()
        ctx.set(dut.read_en, 0)
        place(ctx, "read")
        await ticks(ctx, rng.randrange(3))
        assert ctx.get(dut.word) == content[offset]

    async def host_accesses(ctx, writes):
        offset, data = rng.randrange(1 << (table.size - 1).bit_length()), rng.getrandbits(16)
        # The array's addresses do not matter meanwhile.
        place(ctx, "read")
        place(ctx, "write")
        q = await access(ctx, dut.host, offset, data if writes else None)
        if offset not in content:
            assert q == 0
        elif writes:
            content[offset] = data
        else:
            assert q == content[offset]

    async def main(ctx):
        for _ in range(300):
            match rng.randrange(4):
                case 0:
                    await array_writes(ctx)
                case 1:
                    await array_reads(ctx)
                case both:
                    await host_accesses(ctx, both == 2)
        for offset, data in content.items():
            assert await access(ctx, dut.host, offset) == data

    simulate(dut, main)


def test_the_array_does_not_write_while_the_host_reads():
    dut = DeepMemory(table_of(4, 16), array_writes=True)

    async def main(ctx):
        ctx.set(dut.host.select, 1)
        ctx.set(dut.host.data, 0xFFFF)
        ctx.set(dut.write, 0xFFFF)
        ctx.set(dut.write_en, 1)
        await ticks(ctx, 4)
        ctx.set(dut.write_en, 0)
        assert ctx.get(dut.host.q) == 0

    simulate(dut, main)


def test_a_table_that_the_array_only_reads_ignores_its_write_port():
    table = table_of(4, 16, Region.NEURON_PARAMS)
    dut = DeepMemory(table, array_writes=False)

    async def main(ctx):
        await access(ctx, dut.host, table.offset(2), 0x1234)
        ctx.set(dut.record, 2)
        ctx.set(dut.write, 0xFFFF)
        ctx.set(dut.write_en, 1)
        await ticks(ctx, 3)
        assert await access(ctx, dut.host, table.offset(2)) == 0x1234

    simulate(dut, main)
