from random import Random

import numpy as np
import pytest
from core_benches import simulate
from link_benches import receive, send

from synloom.contract import ArrayParams
from synloom.contract.records import TIME_MAX, EndReason, RecordKind
from synloom_hdl.core.recorder import Recorder, RecorderCommand
from synloom_sim.model.recorder import Recorder as Model

PARAMS = ArrayParams(neurons=40, record_words=32768)


class Bench:
    """A recorder and its model; both are told the same."""

    def __init__(self, now=0, pause=0.0):
        self.dut, self.model = Recorder(), Model(PARAMS)
        self.words = []
        self.now, self.pause = now, pause
        self.rng = Random(3)

    async def take(self, ctx):
        await receive(ctx, self.dut.words, self.words.append, self.rng, self.pause)

    async def tell(self, ctx, command, argument=0):
        await send(ctx, self.dut.commands, [{"command": command, "argument": argument}], self.rng)

    async def start(self, ctx):
        self.model.begin(self.now)
        await self.tell(ctx, RecorderCommand.START)

    async def step(self, ctx, fired=(), probes=()):
        """One step with its records, and its end."""
        if fired:
            self.model.spikes(self.now, np.array(fired))
            if len(fired) < PARAMS.neuron_words:
                head, body = RecordKind.SPIKES << 14 | len(fired), fired
            else:
                bits = sum(1 << n for n in fired)
                head = RecordKind.BITMAP << 14 | PARAMS.neuron_words
                body = [bits >> 16 * k & 0xFFFF for k in range(PARAMS.neuron_words)]
            await self.tell(ctx, RecorderCommand.HEAD, head)
            await send(ctx, self.dut.body, body, self.rng, self.pause)
        if probes:
            self.model.probes(self.now, list(probes))
            await self.tell(ctx, RecorderCommand.HEAD, RecordKind.PROBES << 14 | len(probes) // 2)
            await send(ctx, self.dut.body, probes, self.rng, self.pause)
        self.model.end_step(self.now)
        await self.tell(ctx, RecorderCommand.STEP)
        self.now = (self.now + 1) & 0xFFFFFFFF
        ctx.set(self.dut.now, self.now)

    async def silence(self, ctx, steps):
        """Steps without records, one a clock while the recorder takes them."""
        ctx.set(self.dut.commands.payload, {"command": RecorderCommand.STEP, "argument": 0})
        ctx.set(self.dut.commands.valid, 1)
        taken = 0
        while taken < steps:
            *_, ready = await ctx.tick().sample(self.dut.commands.ready)
            taken += ready
        ctx.set(self.dut.commands.valid, 0)
        for _ in range(steps):
            self.model.end_step(self.now)
            self.now += 1
        ctx.set(self.dut.now, self.now)

    async def end(self, ctx, reason=EndReason.DONE):
        self.model.end(self.now, reason)
        await self.tell(ctx, RecorderCommand.END, reason)
        await ctx.tick()
        while not ctx.get(self.dut.idle):
            await ctx.tick()

    def run(self, main):
        simulate(self.dut, main, background=[self.take])
        assert self.words == self.model.take().tolist()


@pytest.mark.parametrize("pause", [0.0, 0.5])
def test_writes_what_the_model_writes(pause):
    bench = Bench(0xFFFFFFF8, pause)
    rng = bench.rng

    async def main(ctx):
        for reason in (EndReason.PAUSED, EndReason.ABORTED, EndReason.DONE):
            await bench.start(ctx)
            for _ in range(12):
                fired = sorted(rng.sample(range(40), rng.choice([0, 0, 1, 2, 3, 40])))
                probes = [rng.getrandbits(16) for _ in range(2 * rng.choice([0, 0, 1, 3]))]
                await bench.step(ctx, fired, probes)
            await bench.end(ctx, reason)

    bench.run(main)


def test_a_run_without_steps_is_only_an_end():
    bench = Bench(0x12345)

    async def main(ctx):
        ctx.set(bench.dut.now, bench.now)
        await bench.start(ctx)
        await bench.end(ctx)

    bench.run(main)
    assert bench.words == [0xFFFF, 0x2345, 1, EndReason.DONE]


@pytest.mark.parametrize("steps", [TIME_MAX - 1, TIME_MAX + 1])
def test_a_long_silence_is_said_when_a_time_word_is_full(steps):
    bench = Bench()

    async def main(ctx):
        await bench.start(ctx)
        await bench.silence(ctx, steps)
        await bench.step(ctx, [7])
        await bench.end(ctx)

    bench.run(main)
    times = [w & 0x3FFF for w in bench.words[:-4] if w >> 14 == RecordKind.TIME]
    assert sum(times) == steps
    assert times == [TIME_MAX] * (steps // TIME_MAX) + [steps % TIME_MAX] * (steps % TIME_MAX > 0)


def test_a_new_run_starts_its_own_time():
    bench = Bench()

    async def main(ctx):
        await bench.start(ctx)
        await bench.silence(ctx, 5)
        await bench.end(ctx, EndReason.PAUSED)
        await bench.start(ctx)
        await bench.step(ctx, [1])
        await bench.end(ctx)

    bench.run(main)
    assert bench.words[4:6] == [RecordKind.SPIKES << 14 | 1, 1]
