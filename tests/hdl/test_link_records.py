from random import Random

import pytest
from amaranth.sim import Simulator
from link_benches import receive, send

from synloom.contract.frames import RECORD_FRAME_WORDS
from synloom_hdl.link.records import RecordRing

DEPTH = 256
ROOM = DEPTH - 1


class Bench:
    """A ring whose frames are collected as (offset, words)."""

    def __init__(self, pause=0.0):
        self.dut = RecordRing(DEPTH)
        self.frames = []
        self._open = bytearray()
        self.sim = Simulator(self.dut)
        self.sim.add_clock(1e-6)

        async def read(ctx):
            await receive(ctx, self.dut.o, self._take, Random(1), pause)

        self.sim.add_testbench(read, background=True)

    def _take(self, byte):
        self._open.append(byte.data)
        if byte.last:
            frame, self._open = bytes(self._open), bytearray()
            assert frame[0] == 2
            pairs = zip(frame[1::2], frame[2::2], strict=True)
            offset, *words = [low | high << 8 for low, high in pairs]
            self.frames.append((offset, words))

    def run(self, main):
        self.sim.add_testbench(main)
        self.sim.run()

    async def put(self, ctx, words):
        await send(ctx, self.dut.records, words, Random(0))

    async def ask(self, ctx, acked, **flags):
        await send(ctx, self.dut.requests, [{"acked": acked, **flags}], Random(0))

    async def settle(self, ctx, ticks=600):
        for _ in range(ticks):
            await ctx.tick()
        return ctx.get(self.dut.room), ctx.get(self.dut.first), ctx.get(self.dut.busy)


def test_during_a_run_only_full_frames_are_sent():
    bench = Bench()

    async def main(ctx):
        await bench.put(ctx, range(RECORD_FRAME_WORDS - 1))
        assert await bench.settle(ctx) == (ROOM - 111, 0, 0)
        assert bench.frames == []
        await bench.put(ctx, [1000])
        assert await bench.settle(ctx) == (ROOM - 112, 0, 0)
        assert bench.frames == [(0, [*range(111), 1000])]

    bench.run(main)


@pytest.mark.parametrize("how", ["drains", "flushes", "request", "half full"])
def test_what_is_there_is_sent_when_it_should_be(how):
    bench = Bench()
    count = DEPTH // 2 if how == "half full" else 5

    async def main(ctx):
        await bench.put(ctx, range(count))
        if how in ("drains", "flushes"):
            ctx.set(getattr(bench.dut, how), 1)
            await ctx.tick()
            ctx.set(bench.dut.flushes, 0)
        if how == "request":
            await bench.ask(ctx, 0, flush=1)
        await bench.settle(ctx)

    bench.run(main)
    assert [word for _, words in bench.frames for word in words] == list(range(count))


def test_a_flush_covers_the_word_that_came_with_it():
    bench = Bench()

    async def main(ctx):
        for _ in range(20):
            ctx.set(bench.dut.flushes, 1)
            await bench.put(ctx, [7])
            ctx.set(bench.dut.flushes, 0)
            await bench.settle(ctx, 5)
        await bench.settle(ctx)
        await bench.ask(ctx, 20)
        assert await bench.settle(ctx) == (ROOM, 20, 0)

    bench.run(main)
    assert sum(len(words) for _, words in bench.frames) == 20


def test_acknowledged_words_make_room_and_unknown_offsets_do_not():
    bench = Bench()

    async def main(ctx):
        ctx.set(bench.dut.drains, 1)
        await bench.put(ctx, range(50))
        await bench.ask(ctx, 51)
        assert await bench.settle(ctx) == (ROOM - 50, 0, 0)
        await bench.ask(ctx, 0xFFFF)
        assert await bench.settle(ctx) == (ROOM - 50, 0, 0)
        await bench.ask(ctx, 20)
        assert await bench.settle(ctx) == (ROOM - 30, 20, 0)
        await bench.ask(ctx, 10)
        assert await bench.settle(ctx) == (ROOM - 30, 20, 0)
        bench.frames.clear()
        await bench.ask(ctx, 20, rewind=1)
        await bench.settle(ctx)
        assert bench.frames == [(20, list(range(20, 50)))]
        await bench.ask(ctx, 0, discard=1)
        assert await bench.settle(ctx) == (ROOM, 50, 0)

    bench.run(main)


def test_a_full_ring_holds_the_core_back():
    bench = Bench()

    async def main(ctx):
        await bench.put(ctx, range(ROOM))
        ctx.set(bench.dut.records.valid, 1)
        assert (await bench.settle(ctx))[:2] == (0, 0)
        assert ctx.get(bench.dut.records.ready) == 0
        ctx.set(bench.dut.records.valid, 0)
        await bench.ask(ctx, 3)
        assert await bench.settle(ctx) == (3, 3, 0)

    bench.run(main)


@pytest.mark.parametrize("seed", range(4))
def test_every_word_arrives_although_frames_are_lost(seed):
    bench = Bench(pause=0.2)
    rng = Random(seed)
    words = [rng.randrange(1 << 16) for _ in range(1500)]
    received = []

    async def core(ctx):
        for word in words:
            while ctx.get(bench.dut.room) < 40 or rng.random() < 0.3:
                await ctx.tick()
            await bench.put(ctx, [word])
        ctx.set(bench.dut.drains, 1)

    async def host(ctx):
        seen = 0
        while len(received) < len(words):
            for _ in range(rng.randrange(300)):
                await ctx.tick()
            frames, seen = bench.frames[seen:], len(bench.frames)
            for offset, content in frames:
                known = len(received) - offset
                if rng.random() < 0.7 and known >= 0:
                    received.extend(content[known:])
            await bench.ask(ctx, len(received), rewind=rng.random() < 0.3)
        assert await bench.settle(ctx) == (ROOM, len(words), 0)

    bench.sim.add_testbench(core)
    bench.run(host)
    assert received == words
