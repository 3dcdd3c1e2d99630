"""The pass program: lists of segments, fetched ahead of the passes that use them."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom.contract.layout import segment_layout
from synloom.contract.regions import SEGMENT_STRIDE
from synloom_hdl.arithmetic import times
from synloom_hdl.core.access import AccessSignature, SharedMemory
from synloom_hdl.core.rule import PassKind, Rule, job_layout, loom_address_layout

__all__ = ["SegmentFetcher", "segment_run_layout"]


def segment_run_layout(params: ArrayParams) -> data.StructLayout:
    """Return a segment ready to run: its chunks, masks, first address, step and rule."""
    chunk = max(1, ceil_log2(params.sources // params.lanes))
    return data.StructLayout(
        {
            "kind": PassKind,
            "first": chunk,
            "low": chunk,
            "last": chunk,
            "mask_low": params.lanes,
            "mask_high": params.lanes,
            "address": loom_address_layout(params),
            "learns": 1,
            "rule": Rule,
        }
    )


class SegmentFetcher(wiring.Component):
    """Turns jobs into segments.

    A segment is six words of the program; a list of one segment that was fetched last is not fetched
    again, so that a train of rows costs two clocks each, hidden behind the passes themselves. A list ends
    with the program at the latest. An empty segment becomes one chunk without a synapse.

    Members
    -------
    jobs : In(stream of job_layout)
    segments : Out(stream of segment_run_layout)
        In order. `learns` says that the learning generator advances.
    idle : Out(1)
        No job is in progress (one may wait at `jobs`).
    forget : In(1)
        The program may have been written: fetch again.
    learn : In(1), reward : In(signed(16))
        Registers MODE.learn and REWARD.
    host : In(AccessSignature)
        PROGRAM.
    """

    def __init__(self, params: ArrayParams):
        self.params = params
        super().__init__(
            {
                "jobs": In(stream.Signature(job_layout(params))),
                "segments": Out(stream.Signature(segment_run_layout(params))),
                "idle": Out(1),
                "forget": In(1),
                "learn": In(1),
                "reward": In(signed(16)),
                "host": In(AccessSignature()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params = self.params
        fields = segment_layout()
        low_bits = ceil_log2(params.lanes)
        per_column = params.sources // params.lanes

        m.submodules.storage = storage = SharedMemory(
            rows=SEGMENT_STRIDE * params.segments,
            element_bits=16,
            size=SEGMENT_STRIDE * params.segments,
            read_only=True,
        )
        wiring.connect(m, wiring.flipped(self.host), storage.host)

        words = [Signal(16, name=f"word{n}") for n in range(fields.words)]
        raw = Cat(*words)

        def field(name: str):
            """Return a field of the fetched segment."""
            place = fields[name]
            value = raw[place.start : place.start + place.width]
            return value.as_signed() if place.signed else value

        job = Signal.like(self.jobs.payload)
        entry = Signal(8)
        cached = Signal(8)
        cached_single = Signal()
        first = Signal()
        count = Signal(range(fields.words + 2))
        out = self.segments.payload

        row = job.kind == PassKind.ROW
        column = job.kind == PassKind.COLUMN
        lo, hi = field("lo"), field("hi")
        first_chunk = Signal(12)
        m.d.comb += first_chunk.eq((lo >> 4) << (4 - low_bits))
        last_index = Signal(16)
        empty = Signal()
        m.d.comb += [last_index.eq(hi - 1), empty.eq(lo >= hi)]

        if params.reward:
            scaled = Signal(32)
            size = Signal(16)
            m.d.comb += [
                size.eq(Mux(self.reward < 0, -self.reward, self.reward)),
                scaled.eq((field("a") * size) >> 8),
            ]
        learns = Signal()
        m.d.comb += learns.eq((row | column) & field("plastic") & self.learn & int(params.plasticity))

        with m.FSM() as fsm:
            m.d.comb += self.idle.eq(fsm.ongoing("Idle"))
            with m.State("Idle"):
                m.d.comb += self.jobs.ready.eq(1)
                m.d.sync += [
                    job.eq(self.jobs.payload),
                    first.eq(1),
                    count.eq(0),
                    entry.eq(self.jobs.payload.list),
                ]
                with m.If(self.jobs.valid):
                    with m.If(cached_single & (cached == self.jobs.payload.list)):
                        m.next = "Prepare"
                    with m.Else():
                        m.d.sync += cached_single.eq(0)
                        m.next = "Fetch"
            with m.State("Fetch"):
                m.d.comb += [
                    storage.read_row.eq((entry * SEGMENT_STRIDE) + count),
                    storage.read_en.eq(1),
                ]
                m.d.sync += count.eq(count + 1)
                # The words come in order: each pushes the ones before it down.
                m.d.sync += [a.eq(b) for a, b in zip(words, [*words[1:], storage.row], strict=True)]
                with m.If(count == fields.words):
                    m.next = "Prepare"
            with m.State("Prepare"):
                # Multiplications by constants and by the reward get a clock of their own.
                m.d.sync += [
                    out.kind.eq(job.kind),
                    out.first.eq(first_chunk),
                    out.low.eq(lo >> low_bits),
                    out.last.eq(Mux(empty, first_chunk, last_index >> low_bits)),
                    out.mask_low.eq(Mux(empty, 0, ((1 << params.lanes) - 1) << lo[:low_bits])),
                    out.mask_high.eq((2 << last_index[:low_bits]) - 1),
                    out.address.column.eq(~row),
                    out.address.rotate.eq(job.index[:low_bits]),
                    out.address.high.eq(
                        times(Mux(row, first_chunk, job.index >> low_bits), per_column)
                        + Mux(row, job.index >> low_bits, first_chunk)
                    ),
                    out.learns.eq(learns),
                    out.rule.t0.eq(Mux(row | column, field("t0"), 0)),
                    out.rule.w_min.eq(field("w_min")),
                    out.rule.w_max.eq(field("w_max")),
                    out.rule.shift.eq(field("shift")),
                    out.rule.fine.eq(field("fine")),
                    out.rule.soft.eq(field("soft")),
                    out.rule.stochastic.eq(field("stochastic")),
                ]
                if params.reward:
                    rewarded = field("reward") & (row | column)
                    m.d.sync += [
                        out.rule.a.eq(Mux(rewarded, Mux(scaled > 0xFFFF, 0xFFFF, scaled), field("a"))),
                        out.rule.a_negative.eq(field("a_negative") ^ (rewarded & (self.reward < 0))),
                    ]
                else:
                    m.d.sync += [out.rule.a.eq(field("a")), out.rule.a_negative.eq(field("a_negative"))]
                m.next = "Offer"
            with m.State("Offer"):
                m.d.comb += self.segments.valid.eq(1)
                with m.If(self.segments.ready):
                    # A list that nothing ends must not run for ever.
                    with m.If(field("last") | (entry == params.segments - 1)):
                        m.d.sync += [cached.eq(job.list), cached_single.eq(first)]
                        m.next = "Idle"
                    with m.Else():
                        m.d.sync += [entry.eq(entry + 1), first.eq(0), count.eq(0)]
                        m.next = "Fetch"
        with m.If(self.forget):
            m.d.sync += cached_single.eq(0)
        return m
