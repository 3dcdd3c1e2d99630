"""Benches of the whole array: the SDK's link plays random arrays at the streams and at the pins."""

import json
import os

import cocotb
from bridge import BenchTransport
from bytestreams import ByteMonitor, ByteSink, ByteSource, pauses
from cocotb.clock import Clock
from cocotb.task import bridge
from cocotb.triggers import ClockCycles
from uartlines import UartSink, UartSource

from synloom.contract import ArrayParams
from synloom.contract.regions import Region
from synloom.contract.registers import link
from synloom.link.client import LinkPort
from synloom.selftest.comparison import agreement, play
from synloom.selftest.random_array import random_array
from synloom_sim.model_port import ModelPort

CLOCK_PS = 20_000
PARAMS = ArrayParams.from_dict(json.loads(os.environ["PARAMS"]))


async def start(top):
    cocotb.start_soon(Clock(top.clk, CLOCK_PS, "ps").start())
    top.rst.value = 1
    await ClockCycles(top.clk, 4)
    top.rst.value = 0


async def compare(top, transport, seed):
    """Discover the array, use its memories, play one experiment; all as the model does."""

    def session():
        port = LinkPort(transport, timeout=600.0)
        assert port.params == PARAMS
        port.write(Region.LINK, link("scratch").offset, [0x7E7D])
        assert port.read(Region.LINK, link("scratch").offset, 1).tolist() == [0x7E7D]
        array = random_array(PARAMS, seed)
        played = play(port, array)
        errors = port.read(Region.LINK, link("crc_errors").offset, 3).tolist()
        found = agreement(array, play(ModelPort(PARAMS), array), played)
        return found.differing, errors, port.statistics

    differing, errors, statistics = await bridge(session)()
    assert differing == {}
    assert errors == [0, 0, 0]  # wrong checksums, overflows, framing errors
    assert statistics.retries == statistics.crc_errors == statistics.rewinds == 0


if os.environ["FACE"] == "bytes":

    @cocotb.test(timeout_time=200, timeout_unit="ms")
    @cocotb.parametrize((("gaps", "pressure", "seed"), [(0.0, 0.0, 0), (0.7, 0.0, 2), (0.3, 0.8, 3)]))
    async def array_gives_the_models_bits(top, gaps, pressure, seed):
        source = ByteSource(top, "i", pauses(1, gaps))
        sink = ByteSink(top, "o", pauses(2, pressure))
        at_i, at_o = ByteMonitor(top, "i"), ByteMonitor(top, "o")
        await start(top)
        await compare(top, BenchTransport(top.clk, source, sink), seed)
        assert bool(at_o.stalls) == (pressure > 0)
        assert len(at_i.bytes) > 1000

else:

    @cocotb.test(timeout_time=200, timeout_unit="ms")
    @cocotb.parametrize((("wrong", "gap_bits", "seed"), [(0.98, 3.0, 2), (1.02, 0.0, 3)]))
    async def array_gives_the_models_bits(top, wrong, gap_bits, seed):
        bit_ps = CLOCK_PS * round(PARAMS.clock_hz / PARAMS.baud)
        source = UartSource(top.rx, round(bit_ps * wrong), gap_bits=gap_bits)
        sink = UartSink(top.tx, bit_ps)
        await start(top)
        await compare(top, BenchTransport(top.clk, source, sink), seed)
        assert sink.framing_errors == 0
