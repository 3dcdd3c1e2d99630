import math
from itertools import pairwise
from random import Random

import pytest
from amaranth.hdl import Module
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out, connect, flipped
from amaranth.sim import Simulator
from link_benches import receive, send

from synloom_hdl.uart import UartReceiver, UartTransmitter


class Loop(Component):
    """A transmitter wired to a receiver."""

    i: In(stream.Signature(8))
    o: Out(stream.Signature(8))
    divisor: In(16)

    def elaborate(self, platform):
        m = Module()
        m.submodules.transmitter = transmitter = UartTransmitter()
        m.submodules.receiver = receiver = UartReceiver()
        connect(m, flipped(self.i), transmitter.i)
        connect(m, receiver.o, flipped(self.o))
        m.d.comb += [
            transmitter.divisor.eq(self.divisor),
            receiver.divisor.eq(self.divisor),
            receiver.rx.eq(transmitter.tx),
        ]
        return m


def run_receiver(waveform, divisor=16, ready=True):
    """Feed (level, clocks) to a receiver; returns (characters, errors)."""
    dut, characters, errors = UartReceiver(), [], []

    async def drive(ctx):
        ctx.set(dut.divisor, divisor)
        ctx.set(dut.rx, 1)
        for _ in range(5):
            await ctx.tick()
        for level, clocks in waveform:
            ctx.set(dut.rx, level)
            for _ in range(round(clocks)):
                await ctx.tick()

    async def count(ctx):
        while True:
            *_, error = await ctx.tick().sample(dut.error)
            if error:
                errors.append(error)

    async def read(ctx):
        await receive(ctx, dut.o, characters.append, Random(0), 0.0 if ready else 1.0)

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(drive)
    sim.add_testbench(count, background=True)
    sim.add_testbench(read, background=True)
    sim.run()
    return characters, len(errors)


def character(byte, bit, stop=1):
    levels = [0, *(byte >> k & 1 for k in range(8)), stop]
    edges = [round(k * bit) for k in range(11)]
    return [(level, edges[k + 1] - edges[k]) for k, level in enumerate(levels)]


@pytest.mark.parametrize("divisor", [4, 5, 16, 417])
def test_what_is_sent_is_received(divisor):
    rng = Random(divisor)
    sent = [0x00, 0xFF, 0x55, 0xAA] + [rng.randrange(256) for _ in range(4 if divisor > 100 else 20)]
    dut, received = Loop(), []

    async def write(ctx):
        ctx.set(dut.divisor, divisor)
        await ctx.tick()
        await send(ctx, dut.i, sent, rng)
        for _ in range(12 * divisor):
            await ctx.tick()

    async def read(ctx):
        await receive(ctx, dut.o, received.append, rng)

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(write)
    sim.add_testbench(read, background=True)
    sim.run()
    assert received == sent


def test_characters_follow_each_other_without_pause():
    dut, levels = UartTransmitter(), []

    async def write(ctx):
        ctx.set(dut.divisor, 6)
        await send(ctx, dut.i, [0x31, 0xC4, 0x00], Random(0))

    async def watch(ctx):
        for _ in range(195):
            *_, tx = await ctx.tick().sample(dut.tx)
            levels.append(tx)

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(write)
    sim.add_testbench(watch)
    sim.run()
    wave = [
        level for byte in (0x31, 0xC4, 0x00) for level, clocks in character(byte, 6) for _ in range(clocks)
    ]
    start = levels.index(0)
    assert levels[start : start + 180] == wave
    assert set(levels[:start] + levels[start + 180 :]) == {1}


@pytest.mark.parametrize("drift", [-0.04, 0.04])
def test_four_per_cent_of_drift_is_tolerated(drift):
    sent = [0x00, 0xFF, 0x5A, 0x80, 0x01]
    wave = [piece for byte in sent for piece in character(byte, 16 * (1 + drift))]
    assert run_receiver([*wave, (1, 40)]) == (sent, 0)


def test_a_missing_stop_bit_is_one_error_and_the_next_character_passes():
    wave = [*character(0x41, 16, stop=0), (0, 400), (1, 30), *character(0x42, 16), (1, 40)]
    assert run_receiver(wave) == ([0x42], 1)


def test_a_glitch_is_no_character():
    assert run_receiver([(0, 5), (1, 300), *character(0x42, 16), (1, 40)]) == ([0x42], 0)


def test_a_character_that_nobody_takes_is_an_error():
    wave = [*character(1, 16), *character(2, 16), *character(3, 16), (1, 40)]
    assert run_receiver(wave, ready=False) == ([], 3)


@pytest.mark.parametrize("divisor", [4, 5, 6, 7, 8, 12])
@pytest.mark.parametrize("skew", [-0.02, 0.02])
def test_a_host_whose_clock_is_two_per_cent_wrong_is_understood(divisor, skew):
    """Its bits have no whole number of clocks, and its characters begin at any time between two clocks."""
    rng, sent, edges = Random(divisor), [], []
    time, bit = 4.0 + rng.random(), divisor * (1 - skew)
    for _ in range(40):
        sent.append(rng.randrange(256))
        for level in (0, *(sent[-1] >> k & 1 for k in range(8)), 1):
            edges.append((time, level))
            time += bit
        time += rng.choice([0, 0, rng.random() * bit])
    clocks = [(1, edges[0][0])]
    clocks += [
        (level, math.ceil(after) - math.ceil(begin))
        for (begin, level), (after, _) in pairwise([*edges, (time + 40, 1)])
    ]
    assert run_receiver(clocks, divisor) == (sent, 0)
