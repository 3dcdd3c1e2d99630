"""A whole core in the Amaranth simulator, behind the calls that every target has."""

from collections import deque
from random import Random

import numpy as np
from amaranth.sim import Simulator
from link_benches import receive, send

from synloom.contract.array_port import Handed
from synloom.contract.memory_map import memory_of
from synloom_hdl.core.core import Core


class CorePort:
    """`synloom.contract.array_port.Port` at CoreSignature, without a link: time passes only in the calls.

    Parameters
    ----------
    pause : float
        Probability that the record stream waits, and that there is no room in the buffer.

    Attributes
    ----------
    full : bool
        There is no room in the buffer at all.
    """

    def __init__(self, params, seed=0, pause=0.0):
        self.params = params
        self.core = Core(params)
        self.rng = Random(seed)
        self.pause = pause
        self.full = False
        self.words = []
        self.handed = Handed(0, np.zeros(0, np.uint16))
        self.flushes = self.clocks = 0
        self._asked, self._answers = deque(), deque()
        self.sim = Simulator(self.core)
        self.sim.add_clock(1e-6)
        for bench in (self._serve, self._take, self._watch):
            self.sim.add_testbench(bench, background=True)

    def read(self, region, offset, count):
        async def ask(ctx):
            return [await self._access(ctx, region, place) for place in self._places(region, offset, count)]

        return np.array(self._do(ask), np.uint16)

    def write(self, region, offset, values):
        async def ask(ctx):
            for place, value in zip(self._places(region, offset, len(values)), values, strict=True):
                await self._access(ctx, region, place, int(value))

        self._do(ask)

    def fill(self, region, offset, count, value):
        self.write(region, offset, [value] * count)

    def flush(self):
        """Records never wait here."""

    def events(self, words):
        async def ask(ctx):
            room = ctx.get(self.core.link.event_room) >= len(words)
            if room:
                await send(ctx, self.core.link.events, [int(word) for word in words], self.rng)
            return room

        return self._do(ask)

    def run(self, steps, flags=0):
        async def ask(ctx):
            await send(ctx, self.core.link.run, [{"steps": steps, "flags": int(flags)}], self.rng)

        self._do(ask)

    def control(self, action):
        async def ask(ctx):
            await send(ctx, self.core.link.control, [action], self.rng)

        self._do(ask)

    def running(self):
        async def ask(ctx):
            return ctx.get(self.core.link.running), ctx.get(self.core.link.paused)

        return self._do(ask)

    def wait(self, clocks):
        """Let time pass."""
        end = self.clocks + clocks
        while self.clocks < end:
            self.sim.advance()

    def records(self, timeout=0.001):
        """Return the next words; waits up to `timeout` seconds (at 1 MHz) for the first of them."""
        end = self.clocks + 1e6 * min(timeout, 0.01)
        while not self.words and self.clocks < end:
            self.sim.advance()
        known = -1
        while known < len(self.words):
            known = len(self.words)
            self.wait(40 if known else 0)
        words = np.array(self.words, np.uint16)
        self.words.clear()
        self.handed = Handed(self.handed.end + len(words), words)
        return words

    def _places(self, region, offset, count):
        memory = memory_of(self.params, region)
        return [memory.advance(offset, k) for k in range(count)]

    def _do(self, ask):
        self._asked.append(ask)
        while not self._answers:
            self.sim.advance()
        return self._answers.popleft()

    async def _access(self, ctx, region, offset, data=None):
        bus = self.core.link.bus
        request = {"region": int(region), "offset": offset, "write": data is not None, "data": data or 0}
        await send(ctx, bus.request, [request], self.rng)
        done = 0
        while not done:
            *_, done, data = await ctx.tick().sample(bus.done, bus.data)
        return data

    async def _serve(self, ctx):
        while True:
            if self._asked:
                self._answers.append(await self._asked.popleft()(ctx))
            else:
                await ctx.tick()

    async def _take(self, ctx):
        await receive(ctx, self.core.link.records, self.words.append, self.rng, self.pause)

    async def _watch(self, ctx):
        link = self.core.link
        while True:
            full = self.full or self.rng.random() < self.pause
            ctx.set(link.record_room, 0 if full else self.params.record_words)
            *_, flushes = await ctx.tick().sample(link.flushes)
            self.flushes += flushes
            self.clocks += 1
