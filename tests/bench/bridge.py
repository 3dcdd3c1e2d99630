"""The SDK's own link under cocotb: a transport whose waiting is simulated time."""

from cocotb.task import resume
from cocotb.triggers import ClockCycles

__all__ = ["BenchTransport"]


class BenchTransport:
    """`synloom.link.transport.Transport` over a source and a sink of a bench.

    Its methods block, so they are called from a thread (`cocotb.task.bridge`) while the simulation goes on.

    Parameters
    ----------
    clk : cocotb handle
        The clock.
    source : ByteSource or UartSource
        Where bytes go.
    sink : ByteSink or UartSink
        Where they come from.
    pause_clocks : int
        Clocks without a byte after which a read returns what came.
    patience_clocks : int
        Clocks without any byte after which a read gives up, however long it may wait.
    """

    virtual_time = True

    def __init__(self, clk, source, sink, *, pause_clocks=200, patience_clocks=100_000):
        self._clk = clk
        self._source = source
        self._sink = sink
        self._pause_clocks = pause_clocks
        self._patience_clocks = patience_clocks

    def write(self, data):
        """Queue bytes."""
        resume(self._write)(data)

    def read(self, timeout):
        """Return what came, after a pause; b'' if nothing does."""
        return resume(self._read)()

    def close(self):
        """Do nothing: the bench ends with its test."""

    async def _write(self, data):
        self._source.write(data)

    async def _read(self):
        await self._source.drained()
        received, silent = b"", 0
        while silent < (self._pause_clocks if received else self._patience_clocks):
            await ClockCycles(self._clk, self._pause_clocks)
            more = self._sink.take()
            received += more
            silent = 0 if more else silent + self._pause_clocks
        return received
