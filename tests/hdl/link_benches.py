"""Benches for the link: byte source and sink with pauses, and a core that is a dictionary."""

from collections import deque
from random import Random

from synloom.contract.regions import Region
from synloom.contract.registers import control
from synloom.link.codec import Decoder

ROOM = Region.CTRL, control("event_room").offset


async def send(ctx, stream, words, rng, pause=0.0):
    """Put words into a stream, pausing with the probability `pause` before each."""
    for word in words:
        while rng.random() < pause:
            await ctx.tick()
        ctx.set(stream.payload, word)
        ctx.set(stream.valid, 1)
        ready = 0
        while not ready:
            *_, ready = await ctx.tick().sample(stream.ready)
        ctx.set(stream.valid, 0)


async def receive(ctx, stream, taken, rng, pause=0.0):
    """Take words from a stream for ever; for background benches."""
    while True:
        ready = rng.random() >= pause
        ctx.set(stream.ready, ready)
        *_, valid, payload = await ctx.tick().sample(stream.valid, stream.payload)
        if valid and ready:
            taken(payload)


class FakeCore:
    """What is behind CoreSignature, in integers.

    Attributes
    ----------
    memory : dict
        (region, offset) -> word; what is not there reads as 0.
    accesses : list
        (region, offset, write) in order.
    records : deque
        Words to send to the ring, as soon as it takes them.
    """

    def __init__(self, core, seed=0, latency=3, room=64):
        self.core = core
        self.rng = Random(seed)
        self.latency = latency
        self.memory = {}
        self.accesses = []
        self.runs = []
        self.controls = []
        self.events = []
        self.room = room
        self.records = deque()
        self.running = False
        self.paused = False
        self.flushes = False
        self.rooms = []

    async def serve_bus(self, ctx):
        bus = self.core.bus
        while True:
            ctx.set(bus.done, 0)
            ctx.set(bus.request.ready, self.rng.random() < 0.7)
            *_, valid, ready, request = await ctx.tick().sample(
                bus.request.valid, bus.request.ready, bus.request.payload
            )
            if not (valid and ready):
                continue
            ctx.set(bus.request.ready, 0)
            for _ in range(self.rng.randrange(self.latency)):
                await ctx.tick()
            address = request.region, request.offset
            if address == ROOM:
                ctx.set(bus.data, self.room - len(self.events))
            else:
                self.accesses.append((*address, request.write))
                if request.write:
                    self.memory[address] = request.data
                ctx.set(bus.data, self.memory.get(address, 0))
            ctx.set(bus.done, 1)
            await ctx.tick()

    async def serve_control(self, ctx):
        core = self.core
        ctx.set(core.control.ready, 1)
        while True:
            ctx.set(core.running, self.running)
            ctx.set(core.paused, self.paused)
            ctx.set(core.flushes, self.flushes)
            ctx.set(core.event_room, self.room - len(self.events))
            ctx.set(core.run.ready, not self.running)
            ctx.set(core.events.ready, self.rng.random() < 0.5)
            ready = ctx.get(core.events.ready)
            *_, run, request, control, action, event, word, room = await ctx.tick().sample(
                core.run.valid,
                core.run.payload,
                core.control.valid,
                core.control.payload,
                core.events.valid,
                core.events.payload,
                core.record_room,
            )
            self.rooms.append(room)
            if run and not self.running:
                self.running = True
                self.runs.append((request.steps, request.flags))
            if control:
                self.controls.append(action)
            if event and ready:
                self.events.append(word)

    async def serve_records(self, ctx):
        records = self.core.records
        while True:
            valid = bool(self.records) and self.rng.random() < 0.8
            if valid:
                ctx.set(records.payload, self.records[0])
            ctx.set(records.valid, valid)
            ready = 0
            while valid and not ready:
                *_, ready = await ctx.tick().sample(records.ready)
            if valid:
                self.records.popleft()
            else:
                await ctx.tick()

    def add_to(self, sim):
        for bench in (self.serve_bus, self.serve_control, self.serve_records):
            sim.add_testbench(bench, background=True)


class Payloads:
    """Decode what a link sends; `replies` and `records` in order of arrival."""

    def __init__(self):
        self.decoder = Decoder()
        self.replies = []
        self.records = []

    def __call__(self, byte):
        for payload in self.decoder.feed(bytes([byte])):
            (self.replies if payload[0] == 1 else self.records).append(payload)
