"""From segments to chunks: the entrance of the pass pipeline."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract import ArrayParams
from synloom_hdl.core.payloads import PassKind, chunk_layout, loom_address_layout
from synloom_hdl.core.program import segment_run_layout
from synloom_hdl.core.timing import PassTiming
from synloom_hdl.gf2 import GROUP

__all__ = ["ChunkIssuer", "SlotIssuer", "make_issuer"]


def make_issuer(params: ArrayParams, reuse_clocks: int) -> ChunkIssuer:
    """Return the issuer that fits the array's passes."""
    return (ChunkIssuer if PassTiming.of(params).carries else SlotIssuer)(params, reuse_clocks)


class ChunkIssuer(wiring.Component):
    """Issues the chunks of segments, one a clock, without a gap between segments.

    Each chunk comes with all fields of its segment, from registers.

    Parameters
    ----------
    params : ArrayParams
    reuse_clocks : int
        Clocks between two row chunks of the same targets: one must have written their accumulators before the
        next one reads them.

    Members
    -------
    segments : In(stream of segment_run_layout)
    valid : Out(1), chunk : Out(chunk_layout)
        A chunk enters the pipeline.
    written : Out
        `address.high` of the chunk whose weights are written in this clock, if any are; only of `SlotIssuer`.
    active : Out(1)
        A segment has chunks left.
    drained : In(1)
        The pipeline behind the first stage is empty; only `SlotIssuer` uses it.
    segment_done : Out(2)
        A segment of a row (bit 0) or column (bit 1) was taken.
    chunk_done : Out(1)
        A chunk of a row or column is issued, of those up to the segment's last position.
    """

    def __init__(self, params: ArrayParams, reuse_clocks: int):
        self.params = params
        self._reuse_clocks = reuse_clocks
        super().__init__(
            {
                "segments": In(stream.Signature(segment_run_layout(params))),
                "valid": Out(1),
                "chunk": Out(chunk_layout(params)),
                "written": Out(loom_address_layout(params)["high"].shape),
                "active": Out(1),
                "drained": In(1),
                "segment_done": Out(2),
                "chunk_done": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        segment = Signal.like(self.segments.payload)
        chunk, high = Signal.like(segment.first), Signal.like(segment.address.high)
        is_end, past = Signal(), Signal()
        goes, ends, takes = Signal(), Signal(), Signal()
        m.d.comb += [
            goes.eq(self.active & ~self._waits(m, segment, chunk, goes)),
            ends.eq(goes & is_end),
            self.segments.ready.eq(~self.active | ends),
            takes.eq(self.segments.valid & self.segments.ready),
        ]
        with m.If(goes):
            m.d.sync += [
                chunk.eq(chunk + 1),
                is_end.eq((chunk + 1)[: len(chunk)] == segment.end),
                past.eq(past | (chunk == segment.last)),
                high.eq(high + self._apart(segment)),
            ]
        with m.If(ends):
            m.d.sync += self.active.eq(0)
        with m.If(takes):
            new = self.segments.payload
            m.d.sync += [
                segment.eq(new),
                self.active.eq(1),
                chunk.eq(new.first),
                is_end.eq(new.first == new.end),
                past.eq(0),
                high.eq(new.address.high),
            ]
        m.d.sync += [self.valid.eq(goes), *self._describe(segment, chunk, high, past)]
        self._count(m, self.segments.payload, takes, segment, goes & ~past)
        return m

    def _waits(self, m: Module, segment, chunk: Signal, goes: Signal) -> Signal:
        """Return whether the next chunk's accumulators are still in use."""
        recent = [
            (Signal(name=f"recent{n}"), Signal.like(chunk, name=f"recent_chunk{n}"))
            for n in range(self._reuse_clocks - 1)
        ]
        is_row = segment.kind == PassKind.ROW
        newest, newest_chunk = recent[0]
        m.d.sync += [newest.eq(goes & is_row), newest_chunk.eq(chunk)]
        for (later, later_chunk), (row, row_chunk) in zip(recent[1:], recent, strict=False):
            m.d.sync += [later.eq(row), later_chunk.eq(row_chunk)]
        waits = Signal()
        m.d.comb += waits.eq(is_row & Cat(row & (row_chunk == chunk) for row, row_chunk in recent).any())
        return waits

    def _apart(self, segment, chunks: int = 1):
        """Return the distance of the weights of the next chunk, or of one that is `chunks` further on."""
        return Mux(segment.address.column, chunks, chunks * self.params.source_chunks)

    def _describe(self, segment, chunk, high, past) -> list:
        """Return the assignments that make a chunk of a segment, without synapses if it is past the last."""
        issued = self.chunk
        every = (1 << self.params.lanes) - 1
        mask = Mux(chunk < segment.low, 0, Mux(chunk == segment.low, segment.mask_low, every))
        groups = []
        if self.params.lanes > GROUP:
            late = segment.starts_late & (chunk == segment.low)
            early = segment.ends_early & (chunk == segment.last)
            groups = [issued.groups.eq(Cat(~late, ~early))]
        return [
            *groups,
            issued.kind.eq(segment.kind),
            issued.chunk.eq(chunk),
            issued.mask.eq(mask & Mux(past, 0, Mux(chunk == segment.last, segment.mask_high, every))),
            issued.address.eq(segment.address),
            issued.address.high.eq(high),
            issued.learns.eq(segment.learns),
            issued.rule.eq(segment.rule),
        ]

    def _count(self, m: Module, new, takes, segment, goes):
        """Report segments and chunks to the counters."""
        m.d.comb += [
            self.segment_done.eq(Mux(takes, Cat(new.kind == PassKind.ROW, new.kind == PassKind.COLUMN), 0)),
            self.chunk_done.eq(goes & ((segment.kind == PassKind.ROW) | (segment.kind == PassKind.COLUMN))),
        ]


class SlotIssuer(ChunkIssuer):
    """The same for a chunk every two clocks: a segment stays in its stream until its last weight is written.

    So its fields are not stored here, and do not travel with its chunks.
    """

    def elaborate(self, platform):
        m = Module()
        segment = self.segments.payload
        chunk, high = Signal.like(segment.first), Signal.like(segment.address.high)
        slot, finished, past = Signal(), Signal(), Signal()
        takes = Signal()
        m.d.sync += slot.eq(~slot)
        m.d.comb += [
            takes.eq(self.segments.valid & ~self.active),
            self.valid.eq(self.active & ~finished & slot),
            self.segments.ready.eq(self.active & finished & self.drained),
            *self._describe(segment, chunk, high, past),
        ]
        with m.If(self.valid):
            m.d.sync += [
                chunk.eq(chunk + 1),
                past.eq(past | (chunk == segment.last)),
                finished.eq(chunk == segment.end),
            ]
        # It goes on until the last weight is written, and tells where without registers for the way there.
        timing = PassTiming.of(self.params)
        behind = self._apart(segment, -(-timing.depth // timing.interval))
        m.d.comb += self.written.eq(high - behind)
        with m.If(self.active & slot):
            m.d.sync += high.eq(high + self._apart(segment))
        with m.If(takes):
            m.d.sync += [
                self.active.eq(1),
                past.eq(0),
                chunk.eq(segment.first),
                high.eq(segment.address.high),
            ]
        with m.If(self.segments.ready):
            m.d.sync += [self.active.eq(0), finished.eq(0)]
        self._count(m, segment, takes, segment, self.valid & ~past)
        return m
