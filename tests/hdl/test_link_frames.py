import zlib
from itertools import pairwise
from random import Random

import pytest
from amaranth.hdl import Module
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out, connect, flipped
from amaranth.sim import Simulator
from link_benches import receive, send

from synloom.contract.frames import CHECK_BYTES, COMMAND_HEADER, MAX_PAYLOAD, RX_WINDOW
from synloom.link.codec import Decoder, encode_frame
from synloom_hdl.link.arbiter import FrameArbiter
from synloom_hdl.link.crc import CRC_GOOD, Crc32
from synloom_hdl.link.deframer import Deframer
from synloom_hdl.link.frame_fifo import FrameFifo
from synloom_hdl.link.framer import Framer


class Receiver(Component):
    """Deframer and FIFO, joined as in the link."""

    i: In(stream.Signature(8))
    o: Out(stream.Signature(8))
    drops: Out(1)
    overflows: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.submodules.deframer = deframer = Deframer()
        m.submodules.fifo = fifo = FrameFifo(RX_WINDOW)
        connect(m, flipped(self.i), deframer.i)
        connect(m, fifo.o, flipped(self.o))
        for name in ("puts", "data", "commits", "length", "drops"):
            m.d.comb += getattr(fifo, name).eq(getattr(deframer, name))
        m.d.comb += [self.drops.eq(deframer.drops), self.overflows.eq(fifo.overflows)]
        return m


class Collector:
    """Whole payloads from the FIFO's bytes: a length, the payload, and bytes that mean nothing."""

    def __init__(self):
        self.payloads = []
        self.open = bytearray()

    def __call__(self, byte):
        self.open.append(byte)
        if len(self.open) == 1 + COMMAND_HEADER + self.open[0] + CHECK_BYTES - 1:
            self.payloads.append(bytes(self.open[1 : 1 - CHECK_BYTES]))
            self.open.clear()


def run_receiver(line, *, pause=0.0, reader_pause=0.0, reads_after=0):
    """Send bytes to a Receiver; returns (payloads, frames dropped, frames overflowed)."""
    dut, collected, counts = Receiver(), Collector(), [0, 0]

    async def count(ctx):
        while True:
            *_, drops, overflows = await ctx.tick().sample(dut.drops, dut.overflows)
            counts[0] += drops
            counts[1] += overflows

    async def read(ctx):
        for _ in range(reads_after):
            await ctx.tick()
        await receive(ctx, dut.o, collected, Random(2), reader_pause)

    async def write(ctx):
        await send(ctx, dut.i, line, Random(1), pause)
        for _ in range(6000):
            await ctx.tick()

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(count, background=True)
    sim.add_testbench(read, background=True)
    sim.add_testbench(write)
    sim.run()
    return collected.payloads, *counts


def random_payload(rng, longest=MAX_PAYLOAD):
    size = rng.choice([5, 6, rng.randrange(5, 20), rng.randrange(5, longest + 1), longest])
    return bytes(rng.choice([0x7E, 0x7D, 0x5E, rng.randrange(256)]) for _ in range(size))


def spoil(rng, payload):
    """Return a frame that must not be accepted."""
    frame = bytearray(encode_frame(payload))
    match rng.randrange(6):
        case 0:
            frame[rng.randrange(1, len(frame) - 1)] ^= 1 << rng.randrange(5)
        case 1:
            del frame[rng.randrange(1, len(frame) - 1)]
        case 2:
            frame[-1:] = b"\x7d\x7e"
        case 3:
            frame = encode_frame(payload[: COMMAND_HEADER - 1])
        case 4:
            frame[1:1] = bytes(rng.randrange(0x7D) for _ in range(300))
        case _:
            frame = bytes(rng.randrange(256) for _ in range(rng.randrange(600)))
    return bytes(frame)


def accepted(line):
    return [payload for payload in Decoder().feed(line) if len(payload) >= COMMAND_HEADER]


@pytest.mark.parametrize("seed", range(3))
def test_good_frames_pass_and_bad_ones_do_not(seed):
    rng = Random(seed)
    good = [random_payload(rng, 60) for _ in range(20)]
    line = b"\x00garbage"
    for payload in good:
        line += encode_frame(payload)
        if rng.random() < 0.5:
            line += spoil(rng, payload) + b"\x7e"
    payloads, drops, overflows = run_receiver(line, pause=0.2 * seed, reader_pause=0.2)
    assert payloads == accepted(line)
    assert set(good) <= set(payloads)
    assert drops >= 5
    assert overflows == 0


def test_the_longest_and_the_shortest_frame_pass():
    frames = [bytes(256), bytes(5), b"\x7e" * 256, b"\x7d\x7e\x7d\x7e\x7d"]
    too_long, too_short = bytes(257), bytes(4)
    overlong = b"\x7e" + too_long + zlib.crc32(too_long).to_bytes(4, "little") + b"\x7e"
    assert overlong.count(b"\x7e") + overlong.count(b"\x7d") == 2
    line = b"".join(map(encode_frame, [*frames, too_short])) + overlong
    assert run_receiver(line) == (frames, 2, 0)


def test_what_does_not_fit_is_dropped_whole_and_counted():
    payloads = [bytes([k]) * 200 for k in range(9)]
    line = b"".join(map(encode_frame, payloads))
    got, drops, overflows = run_receiver(line, reads_after=5000)
    assert got == payloads[:2]
    assert (drops, overflows) == (0, 7)


def test_frames_pass_again_after_an_overflow():
    payloads = [bytes([k]) * 250 for k in range(40)]
    line = b"".join(map(encode_frame, payloads))
    got, _, overflows = run_receiver(line, reader_pause=0.8)
    assert 0 < overflows < 36
    assert len(got) + overflows == 40
    assert got == [payload for payload in payloads if payload in got]


@pytest.mark.parametrize("size", [5, 8, 30, 252])
def test_a_window_of_any_frames_fits(size):
    payloads = [bytes([k % 256]) * size for k in range(RX_WINDOW // (size + CHECK_BYTES))]
    line = b"".join(map(encode_frame, payloads))
    assert run_receiver(line, reads_after=2 * len(line)) == (payloads, 0, 0)


def test_checksum_is_that_of_zlib_and_its_bytes_move_out():
    rng, dut = Random(4), Crc32()

    async def feed(ctx, data, moves=0):
        for byte in data:
            ctx.set(dut.data, byte)
            ctx.set(dut.moves, moves)
            ctx.set(dut.puts, 1)
            await ctx.tick()
            ctx.set(dut.puts, 0)
            assert ctx.get(dut.busy)
            await ctx.tick()
            assert not ctx.get(dut.busy)

    async def bench(ctx):
        for size in (0, 1, 2, 50):
            payload = rng.randbytes(size)
            checksum = zlib.crc32(payload)
            for judged in (True, False):
                ctx.set(dut.start, 1)
                await ctx.tick()
                ctx.set(dut.start, 0)
                await feed(ctx, payload)
                assert ctx.get(dut.value) ^ 0xFFFF_FFFF == checksum
                if judged:
                    await feed(ctx, checksum.to_bytes(4, "little"))
                    assert ctx.get(dut.value) == CRC_GOOD
                else:
                    for k in range(4):
                        assert ctx.get(dut.value) & 0xFF ^ 0xFF == checksum >> 8 * k & 0xFF
                        await feed(ctx, [rng.randrange(256)], moves=1)

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(bench)
    sim.run()


def frame_bytes(payload):
    return [{"data": byte, "last": k == len(payload) - 1} for k, byte in enumerate(payload)]


@pytest.mark.parametrize("pause", [0.0, 0.4])
def test_framer_sends_what_the_codec_sends(pause):
    rng = Random(7)
    payloads = [random_payload(rng, 80) for _ in range(12)]
    dut, line = Framer(), bytearray()

    async def write(ctx):
        for payload in payloads:
            await send(ctx, dut.i, frame_bytes(payload), rng, pause)
        for _ in range(40):
            await ctx.tick()
        assert ctx.get(dut.busy) == 0

    async def read(ctx):
        await receive(ctx, dut.o, line.append, Random(3), pause)

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(write)
    sim.add_testbench(read, background=True)
    sim.run()
    assert bytes(line) == b"".join(map(encode_frame, payloads))


def test_arbiter_keeps_frames_whole_puts_the_session_before_each_and_alternates():
    dut, frames, current, session = FrameArbiter(), [], bytearray(), 0x1234

    def take(byte):
        current.append(byte.data)
        if byte.last:
            assert current[:2] == session.to_bytes(2, "little")
            frames.append(bytes(current[2:]))
            current.clear()

    def writer(source, kind, pause):
        async def write(ctx):
            for k in range(12):
                await send(ctx, source, frame_bytes(bytes([kind, k, 1, 2])), Random(kind), pause)
            for _ in range(200):
                await ctx.tick()

        return write

    async def read(ctx):
        ctx.set(dut.session, session)
        await receive(ctx, dut.o, take, Random(3), 0.3)

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(writer(dut.replies, 1, 0.0))
    sim.add_testbench(writer(dut.records, 2, 0.0))
    sim.add_testbench(read, background=True)
    sim.run()
    for kind in (1, 2):
        assert [f for f in frames if f[0] == kind] == [bytes([kind, k, 1, 2]) for k in range(12)]
    kinds = [frame[0] for frame in frames[:20]]
    assert all(a != b for a, b in pairwise(kinds))
