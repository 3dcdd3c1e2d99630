from random import Random

import pytest
from core_benches import access, simulate, ticks

from places import weight_offset
from synloom.contract import ArrayParams
from synloom_hdl.core.loom import Loom
from synloom_hdl.core.timing import PassTiming

LANES = (1, 2, 4, 8, 16, 32)


def array(lanes, **sizes):
    return ArrayParams(**{"inputs": 5, "neurons": 18, "lanes": lanes, "neuron_lanes": 1} | sizes)


class Twin:
    """The matrix as a table, padded to whole words and whole chunks, and where its chunks lie."""

    def __init__(self, params):
        self.params = params
        timing = PassTiming.of(params)
        self.read_clocks, self.write_clocks = timing.weights, timing.write
        self.sources, self.targets = (
            -(-count // params.lanes) * params.lanes for count in (params.sources, 16 * params.neuron_words)
        )
        self.w = [[0] * self.targets for _ in range(self.sources)]

    def cells(self, column, index, chunk):
        """Return the (source, target) of each lane of a chunk."""
        lanes = self.params.lanes
        positions = range(lanes * chunk, lanes * chunk + lanes)
        return [(p, index) if column else (index, p) for p in positions]

    def address(self, column, index, chunk):
        lanes, per_column = self.params.lanes, self.sources // self.params.lanes
        place = index // lanes * per_column + chunk if column else chunk * per_column + index // lanes
        return {"column": column, "rotate": index % lanes, "high": place}

    def pick(self, rng):
        """Return a random chunk of a row or a column."""
        column = rng.randrange(2)
        rows = rng.randrange(self.targets if column else self.sources)
        chunks = (self.sources if column else self.targets) // self.params.lanes
        return column, rows, rng.randrange(chunks)

    def read(self, chunk):
        return [self.w[i][j] for i, j in self.cells(*chunk)]

    def write(self, chunk, mask, weights):
        for lane, (i, j) in enumerate(self.cells(*chunk)):
            if mask >> lane & 1:
                self.w[i][j] = weights[lane]


@pytest.mark.parametrize("weight_bits", [4, 8])
@pytest.mark.parametrize("lanes", LANES)
def test_rows_and_columns_read_what_either_wrote_one_chunk_a_clock_each_way(lanes, weight_bits):
    rng = Random(lanes)
    params = array(lanes, weight_bits=weight_bits)
    dut, twin = Loom(params), Twin(params)
    high = params.weight_max

    async def main(ctx):
        pending, expected = [], []
        for clock in range(400):
            # Chunks written this long ago are the newest that a read sees: its address waits a clock.
            if len(pending) > twin.write_clocks - 1:
                twin.write(*pending.pop(0))
            chunk, target = twin.pick(rng), twin.pick(rng)
            mask = rng.choice([0, rng.getrandbits(lanes), (1 << lanes) - 1])
            weights = [rng.randint(-high - 1, high) for _ in range(lanes)]
            expected.append(twin.read(chunk))
            pending.append((target, mask, weights))
            ctx.set(dut.read, twin.address(*chunk))
            ctx.set(dut.write_address, twin.address(*target))
            ctx.set(dut.write_mask, mask)
            ctx.set(dut.write_weights, weights)
            *_, got = await ctx.tick().sample(dut.weights)
            if clock >= twin.read_clocks:
                assert list(got) == expected[clock - twin.read_clocks], clock

    simulate(dut, main)


async def read_chunk(ctx, dut, twin, chunk):
    ctx.set(dut.read, twin.address(*chunk))
    await ticks(ctx, twin.read_clocks)
    return list(ctx.get(dut.weights))


SINGLE = {"single_port": True, "serial_neurons": True}


@pytest.mark.parametrize("weight_bits", [4, 8])
@pytest.mark.parametrize("lanes", [1, 4])
def test_single_ported_banks_read_and_write_by_turns(lanes, weight_bits):
    rng = Random(lanes)
    params = array(lanes, weight_bits=weight_bits, **SINGLE)
    dut, twin = Loom(params), Twin(params)
    high = params.weight_max

    async def main(ctx):
        for _ in range(300):
            chunk, mask = twin.pick(rng), rng.choice([0, rng.getrandbits(lanes), (1 << lanes) - 1])
            ctx.set(dut.read, twin.address(*chunk))
            ctx.set(dut.write_mask, 0)
            await ctx.tick()
            assert list(ctx.get(dut.weights)) == twin.read(chunk)
            chunk, weights = twin.pick(rng), [rng.randint(-high - 1, high) for _ in range(lanes)]
            ctx.set(dut.write_address, twin.address(*chunk))
            ctx.set(dut.write_mask, mask)
            ctx.set(dut.write_weights, weights)
            await ctx.tick()
            twin.write(chunk, mask, weights)

    simulate(dut, main)


@pytest.mark.parametrize("structure", [{}, SINGLE])
@pytest.mark.parametrize("lanes", LANES)
def test_the_host_and_the_passes_see_one_matrix(lanes, structure):
    rng = Random(lanes)
    params = array(lanes, **structure)
    dut, twin = Loom(params), Twin(params)

    async def main(ctx):
        for _ in range(40):
            i, j, w = rng.randrange(params.sources), rng.randrange(params.neurons), rng.randint(-128, 127)
            await access(ctx, dut.host, weight_offset(i, j), w & 0xFF)
            twin.w[i][j] = w
            chunk = rng.choice([(0, i, j // lanes), (1, j, i // lanes)])
            assert await read_chunk(ctx, dut, twin, chunk) == twin.read(chunk)

            chunk, mask = twin.pick(rng), rng.getrandbits(lanes)
            weights = [rng.randint(-128, 127) for _ in range(lanes)]
            ctx.set(dut.write_address, twin.address(*chunk))
            ctx.set(dut.write_mask, mask)
            ctx.set(dut.write_weights, weights)
            await ctx.tick()
            ctx.set(dut.write_mask, 0)
            await ticks(ctx, twin.write_clocks)
            twin.write(chunk, mask, weights)
            for i, j in twin.cells(*chunk):
                if i < params.sources and j < params.neurons:
                    assert await access(ctx, dut.host, weight_offset(i, j)) == twin.w[i][j] & 0xFF

    simulate(dut, main)


def test_weights_that_do_not_exist_read_zero_and_take_nothing():
    params = array(4)
    dut, twin = Loom(params), Twin(params)
    last = weight_offset(params.sources - 1, params.neurons - 1)

    async def main(ctx):
        for offset in (weight_offset(params.sources, 0), weight_offset(0, params.neurons), (1 << 24) - 1):
            await access(ctx, dut.host, offset, 77)
            assert await access(ctx, dut.host, offset) == 0
        for index in range(params.sources):
            for chunk in range(twin.targets // params.lanes):
                assert await read_chunk(ctx, dut, twin, (0, index, chunk)) == [0] * params.lanes
        await access(ctx, dut.host, last, 0x80)
        assert await access(ctx, dut.host, last) == 0x80

    simulate(dut, main)


def test_narrow_weights_read_with_their_sign():
    dut = Loom(array(2, weight_bits=4))

    async def main(ctx):
        for weight in range(-8, 8):
            await access(ctx, dut.host, 0, weight & 0xFF)
            assert await access(ctx, dut.host, 0) == weight & 0xFF

    simulate(dut, main)
