"""Pre or post traces: read and decayed B at a time, raised one at a time."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom_hdl.arithmetic import minimum
from synloom_hdl.core.shared_memory import AccessSignature, SharedMemory
from synloom_hdl.core.timing import PassTiming

__all__ = ["Traces"]


class Traces(wiring.Component):
    """The traces of all sources or of all targets.

    Reading a chunk and raising a trace use the same port: the sequencer never lets passes read these traces
    while spikes raise them (rows read y and raise x, columns read x and raise y).

    Parameters
    ----------
    params : ArrayParams
    count : int
        Traces in use; the rest of the last chunk reads 0.

    Members
    -------
    chunk : In, chunk_en : In(1), traces : Out(B x trace_bits)
        Read a chunk: valid `PassTiming.traces_row - traces_read` clocks after `chunk_en`.
    decayed_chunk : In, decayed_en : In(B), decayed : In(B x trace_bits)
        Write a chunk.
    raise_en : In(1), raise_index : In, raise_nearest : In(1), one : In(16)
        Raise one trace: by `one`, or to `one` if nearest. All but `raise_en` are held for two more clocks,
        and `one` for the whole phase. The next trace is raised three clocks later at the earliest; the same
        one, or a chunk's write, comes five clocks later.
    saturates : Out(1)
        The trace that was raised last was clipped; a strobe.
    host : In(AccessSignature)
    """

    def __init__(self, params: ArrayParams, count: int):
        self.params = params
        self._count = count
        self._rows = -(-count // 16) * 16 // params.lanes
        chunk = range(max(2, self._rows))
        row = params.lanes * params.trace_bits
        super().__init__(
            {
                "chunk": In(chunk),
                "chunk_en": In(1),
                "traces": Out(row),
                "decayed_chunk": In(chunk),
                "decayed_en": In(params.lanes),
                "decayed": In(row),
                "raise_en": In(1),
                "raise_index": In(range(max(2, -(-count // 16) * 16))),
                "raise_nearest": In(1),
                "one": In(16),
                "saturates": Out(1),
                "host": In(AccessSignature()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params, lanes, bits = self.params, self.params.lanes, self.params.trace_bits
        low_bits = ceil_log2(lanes)
        timing = PassTiming.of(params)
        m.submodules.storage = storage = SharedMemory(
            rows=self._rows,
            element_bits=bits,
            elements=range(lanes),
            size=self._count,
            array_writes="elements",
            late=timing.carries,
        )
        wiring.connect(m, wiring.flipped(self.host), storage.host)

        index, nearest, raised = Signal.like(self.raise_index), Signal(), Signal()
        # A quick clock has the address, the old value and the new one from registers. Slow devices have none
        # to spare.
        domain = "sync" if timing.carries else "comb"
        if timing.carries:
            asked, read = Signal(), Signal()
            read_index = Signal.like(index)
            m.d.sync += [asked.eq(self.raise_en), read.eq(asked), raised.eq(read), index.eq(read_index)]
            with m.If(self.raise_en):
                m.d.sync += [read_index.eq(self.raise_index), nearest.eq(self.raise_nearest)]
        else:
            m.d.sync += raised.eq(self.raise_en)
            read_index = self.raise_index
            m.d.comb += [index.eq(read_index), nearest.eq(self.raise_nearest)]

        old = Signal(bits)
        total = Signal(17)
        m.d.comb += [
            storage.read_row.eq(Mux(self.raise_en, self.raise_index >> low_bits, self.chunk)),
            storage.read_en.eq(self.raise_en | self.chunk_en),
            self.traces.eq(storage.row),
            total.eq(Mux(nearest, 0, old) + self.one),
            storage.one_offset.eq(index),
            storage.write_row.eq(self.decayed_chunk),
            storage.write_en.eq(self.decayed_en),
            storage.write.eq(self.decayed),
        ]
        m.d[domain] += old.eq(storage.row.word_select(read_index[:low_bits], bits))
        m.d.sync += self.saturates.eq(raised & (total > params.trace_max))
        m.d.comb += storage.one_en.eq(raised)
        m.d[domain] += storage.one.eq(minimum(total, params.trace_max))
        return m
