"""Benches of the bench's own parts, on tops that send back what they get."""

import os
import random

import cocotb
from bytestreams import ByteMonitor, ByteSink, ByteSource, pauses
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from uartlines import UartSink, UartSource

CLOCK_PS = 10_000


async def start(top):
    cocotb.start_soon(Clock(top.clk, CLOCK_PS, "ps").start())
    top.rst.value = 1
    await ClockCycles(top.clk, 4)
    top.rst.value = 0


def sample(count):
    rng = random.Random(1)
    return bytes(rng.choice(b"abcdefghijklm\x00\xff\x7e") for _ in range(count))


if os.environ["FACE"] == "bytes":

    @cocotb.test(timeout_time=1, timeout_unit="ms")
    @cocotb.parametrize(gaps=[0.0, 0.3, 0.8], pressure=[0.0, 0.3, 0.8])
    async def bytes_pass(top, gaps, pressure):
        source = ByteSource(top, "i", pauses(1, gaps))
        sink = ByteSink(top, "o", pauses(2, pressure))
        at_i, at_o = ByteMonitor(top, "i"), ByteMonitor(top, "o")
        await start(top)
        sent, received = sample(2000), b""
        source.write(sent)
        await source.drained()
        while len(received) < len(sent):
            await RisingEdge(top.clk)
            received += sink.take()
        assert received == sent
        assert at_i.bytes == at_o.bytes == sent
        assert bool(at_o.stalls) == (pressure > 0)

else:

    @cocotb.test(timeout_time=10, timeout_unit="ms")
    @cocotb.parametrize(gap_bits=[0.0, 3.0], wrong=[0.98, 1.0, 1.02])
    async def characters_pass(top, gap_bits, wrong):
        source = UartSource(top.rx, round(7 * CLOCK_PS * wrong), gap_bits=gap_bits)
        sink = UartSink(top.tx, 7 * CLOCK_PS)
        await start(top)
        sent = sample(200)
        source.write(sent)
        await source.drained()
        await ClockCycles(top.clk, 200)
        assert sink.take() == sent
        assert sink.framing_errors == 0
