"""A whole link with a fake core in the Amaranth simulator, behind the same three calls as a serial port."""

from collections import deque
from random import Random

from amaranth.sim import Simulator
from link_benches import FakeCore

from synloom.contract.params import ArrayParams
from synloom_hdl.link import Link

SMALL = ArrayParams(inputs=8, neurons=20, record_words=256, event_words=64)


class SimulatedLink:
    """A transport to a Link; time passes only in `read`.

    Parameters
    ----------
    pause : float
        Probability that a clock passes without a byte, each way.
    spoil : float
        Probability that a byte changes, each way.

    Attributes
    ----------
    untrue : int
        Bytes that came although the link had said that it was idle, and nothing had happened since.
    """

    virtual_time = True

    def __init__(self, params=SMALL, seed=0, pause=0.0, spoil=0.0, **core):
        self.rng = Random(seed)
        self.pause, self.spoil = pause, spoil
        self.link = Link(params)
        self.core = FakeCore(self.link.core, seed, **core)
        self.incoming, self.out = deque(), bytearray()
        self.reads = True
        self.untrue = 0
        self.clocks = 0
        self._quiet = 0
        self.sim = Simulator(self.link)
        self.sim.add_clock(1e-6)
        self.core.add_to(self.sim)
        self.sim.add_testbench(self._feed, background=True)
        self.sim.add_testbench(self._take, background=True)
        self.sim.add_testbench(self._watch, background=True)

    def write(self, data):
        self.incoming.extend(self._change(byte) for byte in data)

    def read(self, timeout):
        self.run(4000, until=lambda: len(self.out) >= 100 or self._quiet > 20)
        data, self.out = bytes(self.out), bytearray()
        return data

    def close(self):
        pass

    def run(self, clocks, until=lambda: False):
        end = self.clocks + clocks
        self._quiet = 0
        while self.clocks < end and not until():
            self.sim.advance()

    def _change(self, byte):
        return byte ^ (1 << self.rng.randrange(8) if self.rng.random() < self.spoil else 0)

    async def _feed(self, ctx):
        i = self.link.i
        while True:
            valid = bool(self.incoming) and self.rng.random() >= self.pause
            if valid:
                ctx.set(i.payload, self.incoming.popleft())
            ctx.set(i.valid, valid)
            ready = 0
            while valid and not ready:
                *_, ready = await ctx.tick().sample(i.ready)
            if not valid:
                await ctx.tick()

    async def _take(self, ctx):
        o = self.link.o
        while True:
            ready = self.reads and self.rng.random() >= self.pause
            ctx.set(o.ready, ready)
            *_, valid, byte = await ctx.tick().sample(o.valid, o.payload)
            if valid and ready:
                self.out.append(self._change(byte))

    async def _watch(self, ctx):
        link, core = self.link, self.link.core
        rested = False
        while True:
            *_, idle, sends, fed, recorded, running = await ctx.tick().sample(
                link.idle, link.o.valid, link.i.valid, core.records.valid, core.running
            )
            self.clocks += 1
            self.untrue += rested and bool(sends)
            rested = idle and not fed and not recorded and not running
            quiet = idle and not self.incoming and not self.core.records
            self._quiet = self._quiet + 1 if quiet else 0
