"""Pre or post traces: read and decayed B at a time, raised one at a time."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom_hdl.arithmetic import minimum
from synloom_hdl.core.access import AccessSignature, SharedMemory

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
        Read a chunk: valid in the clock after `chunk_en`.
    decayed_chunk : In, decayed_en : In(B), decayed : In(B x trace_bits)
        Write a chunk.
    raise_en : In(1), raise_index : In, raise_nearest : In(1), one : In(16)
        Raise one trace: by `one`, or to `one` if nearest. All but `raise_en` are held for two more clocks,
        and the next trace is raised three clocks later at the earliest.
    saturates : Out(1)
        The trace raised two clocks ago was clipped.
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
        m.submodules.storage = storage = SharedMemory(
            rows=self._rows,
            element_bits=bits,
            elements=range(lanes),
            size=self._count,
        )
        wiring.connect(m, wiring.flipped(self.host), storage.host)

        raise1 = Signal()
        old = Signal(bits)
        total = Signal(17)
        m.d.comb += [
            storage.read_row.eq(Mux(self.raise_en, self.raise_index >> low_bits, self.chunk)),
            storage.read_en.eq(self.raise_en | self.chunk_en),
            self.traces.eq(storage.row),
            old.eq(storage.row.word_select(self.raise_index[:low_bits], bits)),
            total.eq(Mux(self.raise_nearest, 0, old) + self.one),
            storage.one_offset.eq(self.raise_index),
            storage.write_row.eq(self.decayed_chunk),
            storage.write_en.eq(self.decayed_en),
            storage.write.eq(self.decayed),
        ]
        m.d.sync += [
            raise1.eq(self.raise_en),
            self.saturates.eq(raise1 & (total > params.trace_max)),
        ]
        # Slow devices write at once.
        m.d["comb" if params.single_port else "sync"] += [
            storage.one_en.eq(raise1),
            storage.one.eq(minimum(total, params.trace_max)),
        ]
        return m
