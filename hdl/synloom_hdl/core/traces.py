"""Traces of sources or targets: read and decayed B at a time, raised one at a time."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom_hdl.arithmetic import minimum
from synloom_hdl.core.shared_memory import AccessSignature, SharedMemory
from synloom_hdl.core.timing import PassTiming
from synloom_hdl.pipeline import Pipeline, mux

__all__ = ["Traces"]


class Traces(wiring.Component):
    """The traces of all sources or of all targets.

    Reading a chunk and raising a trace share a port: no pass reads these traces while spikes raise them,
    since rows read the traces of targets and raise those of sources, and columns the other way round.

    Parameters
    ----------
    params : ArrayParams
    count : int
        Number of traces; the rest of the last chunk reads 0.

    Members
    -------
    chunk : In, chunk_en : In(1), traces : Out(B x trace_bits)
        Read a chunk; `traces` is valid `traces_row - traces_read` clocks after `chunk_en` (`PassTiming`).
    decayed_chunk : In, decayed_en : In(B), decayed : In(B x trace_bits)
        Write a chunk.
    raise_en : In(1), raise_index : In, raise_nearest : In(1), one : In(16)
        Raise one trace by `one`, or to `one` if nearest. Index and nearest must be held for two more clocks,
        and `one` for the whole phase. The next trace may be raised three clocks later; the same trace, or the
        write of a chunk, must be at least five clocks later.
    saturates : Out(1)
        The raised trace was clipped; a strobe.
    host : In(AccessSignature)
    """

    def __init__(self, params: ArrayParams, count: int):
        self.params = params
        self._count = count
        self._rows = -(-(-(-count // 16) * 16) // params.lanes)
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

        # Stages of raising: the address, its memory, the old value, the sum. Index and nearest are held in
        # registers, or outside where registers are few.
        index, nearest = Signal.like(self.raise_index), Signal()
        taken = [index.eq(self.raise_index), nearest.eq(self.raise_nearest)]
        if timing.carries:
            with m.If(self.raise_en):
                m.d.sync += taken
        else:
            m.d.comb += taken
        pipe = Pipeline(m, timing.raises, valid=self.raise_en)
        place = pipe.enter("index", index, 2)
        raised = pipe.valid.at(3)
        old = pipe.next("old", pipe.enter("row", storage.row, 2).word_select(place[:low_bits], bits))
        total = pipe.wire("total", mux(pipe.steady(nearest), 0, old) + pipe.steady(self.one), 17)
        m.d.sync += self.saturates.eq(raised & total[bits:].any())
        m.d.comb += [
            storage.read_row.eq(Mux(self.raise_en, self.raise_index >> low_bits, self.chunk)),
            storage.read_en.eq(self.raise_en | self.chunk_en),
            self.traces.eq(storage.row),
            storage.one_en.eq(raised),
            storage.one_offset.eq(place.at(3)),
            storage.one.eq(pipe.next("new", minimum(total, params.trace_max), bits)),
            storage.write_row.eq(self.decayed_chunk),
            storage.write_en.eq(self.decayed_en),
            storage.write.eq(self.decayed),
        ]
        return m
