from random import Random
from types import SimpleNamespace

import pytest
from core_benches import access, simulate, ticks

from synloom_hdl.core.shared_memory import SharedMemory
from synloom_hdl.ram_style import block_ram

ROWS = 5
SHAPES = {
    "one element": {"element_bits": 16},
    "two banks": {"element_bits": 16, "elements": range(4)},
    "three banks, gaps": {"element_bits": 16, "elements": [0, 1, 2, None, 3, 4, None, None]},
    "narrow": {"element_bits": 9, "elements": range(8)},
}


def make(shape):
    options = SHAPES[shape]
    elements = list(options.get("elements", [0]))
    dut = SharedMemory(rows=ROWS, size=ROWS * len(elements) - 1, **options)
    return dut, elements, options["element_bits"], sum(e is not None for e in elements)


def test_banks_may_answer_the_array_later_and_the_host_in_time():
    dut = SharedMemory(rows=8, size=32, element_bits=16, elements=range(4), delays=[3, 1, 2, 2])
    assert dut.delays == [1, 1, 2, 2]
    words = [[100 * row + element for element in range(4)] for row in range(8)]

    async def main(ctx):
        for offset in range(32):
            await access(ctx, dut.host, offset, words[offset // 4][offset % 4])
        got = []
        ctx.set(dut.read_en, 1)
        for clock in range(8 + max(dut.delays)):
            ctx.set(dut.read_row, clock % 8)
            await ctx.tick()
            got.append([ctx.get(dut.row.word_select(n, 16)) for n in range(4)])
        for n, delay in enumerate(dut.delays):
            assert [row[n] for row in got[delay : delay + 8]] == [row[n] for row in words]
        ctx.set(dut.read_en, 0)
        await ticks(ctx, 4)
        for offset in range(32):
            assert await access(ctx, dut.host, offset) == words[offset // 4][offset % 4]

    simulate(dut, main)


@pytest.mark.parametrize("shape", SHAPES)
def test_host_and_array_share_one_memory(shape):
    rng = Random(3)
    dut, elements, bits, count = make(shape)
    rows = [[0] * count for _ in range(ROWS)]

    async def array_writes(ctx):
        row, enables, value = rng.randrange(ROWS), rng.getrandbits(count), rng.getrandbits(bits * count)
        ctx.set(dut.write_row, row)
        ctx.set(dut.write_en, enables)
        ctx.set(dut.write, value)
        await ctx.tick()
        ctx.set(dut.write_en, 0)
        for k in range(count):
            if enables >> k & 1:
                rows[row][k] = value >> bits * k & (1 << bits) - 1

    async def array_reads(ctx):
        row = rng.randrange(ROWS)
        ctx.set(dut.read_row, row)
        ctx.set(dut.read_en, 1)
        await ctx.tick()
        ctx.set(dut.read_en, 0)
        ctx.set(dut.read_row, rng.randrange(ROWS))
        await ticks(ctx, rng.randrange(3))
        assert ctx.get(dut.row) == sum(value << bits * k for k, value in enumerate(rows[row]))

    async def host_accesses(ctx, writes):
        offset, data = rng.randrange(1 << (ROWS * len(elements) - 2).bit_length()), rng.getrandbits(16)
        row, low = divmod(offset, len(elements))
        element = elements[low] if offset < ROWS * len(elements) - 1 else None
        q = await access(ctx, dut.host, offset, data if writes else None)
        if element is None:
            assert q == 0
        elif writes:
            rows[row][element] = data & (1 << bits) - 1
        else:
            assert q == rows[row][element]

    async def main(ctx):
        for _ in range(150):
            action = rng.randrange(4)
            if action < 2:
                await host_accesses(ctx, action)
            else:
                await (array_writes, array_reads)[action - 2](ctx)
            await ticks(ctx, rng.randrange(2))

    simulate(dut, main)


def test_rows_are_made_of_the_offset_bits_that_they_are_told():
    dut = SharedMemory(rows=8, element_bits=16, size=2 << 6, row_bits=[(0, 2), (6, 1)])
    exists = {high << 6 | low: high << 2 | low for high in range(2) for low in range(4)}

    async def main(ctx):
        for offset in exists:
            await access(ctx, dut.host, offset, 1000 + offset)
        for offset in (4, 0x20, 0x44, 0x7F):
            await access(ctx, dut.host, offset, 0xFFFF)
            assert await access(ctx, dut.host, offset) == 0
        for offset, row in exists.items():
            assert await access(ctx, dut.host, offset) == 1000 + offset
            ctx.set(dut.read_row, row)
            ctx.set(dut.read_en, 1)
            await ctx.tick()
            assert ctx.get(dut.row) == 1000 + offset

    simulate(dut, main)


def test_only_distributed_memory_is_read_while_its_row_is_written():
    """A block of memory may give anything then."""
    platform = SimpleNamespace(fpga_family="ecp5")
    assert block_ram(platform, 2048) == {"ram_style": "distributed"}
    assert block_ram(platform, 2049) == {}
    assert block_ram(platform, 1 << 16, mixes=True) == {"ram_style": "distributed"}
    for family in ("ice40", None):
        memory = SimpleNamespace(fpga_family=family)
        assert block_ram(memory, 4096, mixes=True) == block_ram(memory, 4096)


def test_a_platform_says_which_memories_take_blocks():
    platform = SimpleNamespace(fpga_family="gowin", distributed_bits=1536)
    assert block_ram(platform, 1536) == {"ram_style": "distributed"}
    assert block_ram(platform, 1537) == block_ram(platform, 1537, seldom=True) == {"ram_style": "block"}
    assert block_ram(platform, 1 << 16, mixes=True) == {"ram_style": "distributed"}
    platform.distributed_bits = None
    assert block_ram(platform, 1537) == {"ram_style": "distributed"}


def test_the_array_only_reads_what_it_is_told_to_only_read():
    dut = SharedMemory(rows=3, element_bits=16, size=3, array_writes="nothing")

    async def main(ctx):
        ctx.set(dut.write_en, 1)
        ctx.set(dut.write, 99)
        for offset in range(4):
            await access(ctx, dut.host, offset, 7 + offset)
        for row in range(3):
            assert await access(ctx, dut.host, row) == 7 + row
            ctx.set(dut.read_row, row)
            ctx.set(dut.read_en, 1)
            await ctx.tick()
            assert ctx.get(dut.row) == 7 + row
        assert await access(ctx, dut.host, 3) == 0

    simulate(dut, main)


def test_a_read_in_the_clock_of_a_write_gives_the_old_row():
    dut = SharedMemory(rows=2, element_bits=16, size=2)

    async def main(ctx):
        ctx.set(dut.read_en, 1)
        ctx.set(dut.write_en, 1)
        for value in range(1, 6):
            ctx.set(dut.write, value)
            await ctx.tick()
            assert ctx.get(dut.row) == value - 1

    simulate(dut, main)


def test_the_arrays_ports_rest_while_the_host_is_there():
    dut = SharedMemory(rows=2, element_bits=16, size=2)

    async def main(ctx):
        ctx.set(dut.write_en, 1)
        ctx.set(dut.write_row, 1)
        ctx.set(dut.write, 77)
        assert await access(ctx, dut.host, 0) == 0
        await access(ctx, dut.host, 0, 5)
        ctx.set(dut.write_en, 0)
        assert await access(ctx, dut.host, 0) == 5

    simulate(dut, main)
