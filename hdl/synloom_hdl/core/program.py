"""The pass program: lists of segments, fetched ahead of the passes that use them."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for, ceil_log2

from synloom.contract import ArrayParams
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom_hdl.arithmetic import times
from synloom_hdl.core.payloads import PassKind, Rule, job_layout, loom_address_layout
from synloom_hdl.core.shared_memory import AccessSignature, SharedMemory
from synloom_hdl.core.timing import PassTiming

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
    with the program at the latest. An empty segment becomes one chunk without a synapse. The words and the
    job are all that is stored: a segment that is offered is made of them, and stands until it is taken.

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
        segments = memory_of(params, Region.PROGRAM)
        fields = segments.layout
        m.submodules.storage = storage = SharedMemory(
            rows=segments.places, element_bits=16, size=segments.size, array_writes="nothing"
        )
        wiring.connect(m, wiring.flipped(self.host), storage.host)

        words = [Signal(16, name=f"word{n}") for n in range(fields.words)]
        raw = Cat(*words)

        def field(name: str):
            """Return a field of the fetched segment."""
            place = fields[name]
            value = raw[place.start : place.start + place.width]
            return value.as_signed() if place.signed else value

        # Where segments do not follow one another without a gap, a job stays where it is until it is done.
        carries = PassTiming.of(params).carries
        job = Signal.like(self.jobs.payload) if carries else self.jobs.payload
        last = Signal()
        entry = Signal(range(params.segments))
        listed = Signal(8)
        place = Signal(3)
        single = Signal()
        known = Signal()
        m.d.comb += [
            single.eq(entry == listed),
            last.eq(field("last") | (entry == params.segments - 1)),
            storage.read_row.eq(Cat(place, entry)),
        ]
        with m.FSM() as fsm:
            m.d.comb += self.idle.eq(fsm.ongoing("Idle"))
            with m.State("Idle"):
                m.d.comb += self.jobs.ready.eq(int(carries))
                m.d.sync += place.eq(0)
                with m.If(self.jobs.valid):
                    m.d.sync += [entry.eq(self.jobs.p.list), listed.eq(self.jobs.p.list)]
                    if carries:
                        m.d.sync += job.eq(self.jobs.payload)
                    m.next = "Fetch"
                    with m.If(known & (listed == self.jobs.p.list)):
                        m.next = "Prepare"
                    with m.Else():
                        m.d.sync += known.eq(0)
            with m.State("Fetch"):
                m.d.comb += storage.read_en.eq(1)
                m.d.sync += place.eq(place + 1)
                with m.Switch(place):
                    for n, word in enumerate(words):
                        with m.Case(n + 1):
                            m.d.sync += word.eq(storage.row)
                with m.If(place == fields.words):
                    m.next = "Prepare"
            with m.State("Prepare"):
                # The products are in their registers by now.
                m.next = "Offer"
            with m.State("Offer"):
                m.d.comb += self.segments.valid.eq(1)
                m.d.sync += place.eq(0)
                with m.If(self.segments.ready):
                    m.d.sync += entry.eq(entry + 1)
                    m.next = "Fetch"
                    # A list that nothing ends must not run for ever.
                    with m.If(last):
                        if not carries:
                            m.d.comb += self.jobs.ready.eq(1)
                        m.d.sync += known.eq(single)
                        m.next = "Idle"
        with m.If(self.forget):
            m.d.sync += known.eq(0)
        self._make(m, job, field)
        return m

    def _make(self, m: Module, job, field):
        """Make the segment that is offered of the words and the job."""
        params, out = self.params, self.segments.payload
        low_bits = ceil_log2(params.lanes)
        per_column = params.sources // params.lanes
        row, column = job.kind == PassKind.ROW, job.kind == PassKind.COLUMN
        learnable = row | column
        # No position is beyond the sources.
        lo, hi = (field(name)[: bits_for(params.sources)] for name in ("lo", "hi"))
        first = Signal.like(out.first)
        rows = Signal.like(out.address.high)
        m.d.sync += rows.eq(times(Mux(row, first, job.index >> low_bits), per_column))
        last_index = Signal.like(hi)
        empty = Signal()
        m.d.comb += [
            # A pass begins with its bitmap word: that is where the random numbers begin.
            first.eq((lo >> 4) << (4 - low_bits)),
            last_index.eq(hi - 1),
            empty.eq(lo >= hi),
            out.kind.eq(job.kind),
            out.first.eq(first),
            out.low.eq(lo >> low_bits),
            out.last.eq(Mux(empty, first, last_index >> low_bits)),
            out.mask_low.eq(Mux(empty, 0, ((1 << params.lanes) - 1) << lo[:low_bits])),
            out.mask_high.eq((2 << last_index[:low_bits]) - 1),
            out.address.column.eq(~row),
            out.address.rotate.eq(job.index[:low_bits]),
            out.address.high.eq(rows + Mux(row, job.index >> low_bits, first)),
            out.learns.eq(learnable & field("plastic") & self.learn & int(params.plasticity)),
            out.rule.a.eq(field("a")),
            out.rule.a_negative.eq(field("a_negative")),
            out.rule.t0.eq(Mux(learnable, field("t0"), 0)),
        ]
        m.d.comb += [
            getattr(out.rule, name).eq(field(name))
            for name in ("w_min", "w_max", "shift", "exponent", "soft", "stochastic")
        ]
        if params.reward:
            scaled = Signal(32)
            size = Signal(16)
            m.d.sync += size.eq(Mux(self.reward < 0, -self.reward, self.reward))
            m.d.sync += scaled.eq((field("a") * size) >> 8)
            with m.If(field("reward") & learnable):
                m.d.comb += [
                    out.rule.a.eq(Mux(scaled > 0xFFFF, 0xFFFF, scaled)),
                    out.rule.a_negative.eq(field("a_negative") ^ (self.reward < 0)),
                ]
