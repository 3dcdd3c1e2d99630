"""The program of passes: lists of segments, fetched ahead of the passes that use them."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
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
from synloom_hdl.gf2 import GROUP

__all__ = ["SegmentFetcher", "segment_run_layout"]


def segment_run_layout(params: ArrayParams) -> data.StructLayout:
    """Return a segment ready to run: its chunks, masks, first address, step and rule.

    Chunks from `first` to `end` are issued; `low` and `last` are those of its first and last position. A
    chunk may be two groups of random numbers: then a segment that `starts_late` draws none for the first
    group of its first chunk, and one that `ends_early` none for the second group of its last chunk.
    """
    chunk = max(1, ceil_log2(params.source_chunks))
    return data.StructLayout(
        {
            "kind": PassKind,
            "first": chunk,
            "low": chunk,
            "last": chunk,
            "end": chunk,
            "mask_low": params.lanes,
            "mask_high": params.lanes,
            "address": loom_address_layout(params),
            "learns": 1,
            "rule": Rule,
            **({"starts_late": 1, "ends_early": 1} if params.lanes > GROUP else {}),
        }
    )


class SegmentFetcher(wiring.Component):
    """Fetches the segments of jobs.

    A segment is six words of the program. A list of one segment that was fetched last is not fetched again,
    so that in a train of rows each costs two clocks, during which the pass before still runs. A list ends at
    the end of the program at the latest. An empty segment becomes one chunk without a synapse. Only the words
    and the job are stored; the segment that is offered is computed from them.

    Members
    -------
    jobs : In(stream of job_layout)
    segments : Out(stream of segment_run_layout)
        In order; `learns` if its synapses do. If they round stochastically, it ends with a whole group of
        positions, as random numbers do.
    idle : Out(1)
        No job is in progress (one may wait at `jobs`).
    forget : In(1)
        The program may have been written: fetch segments again.
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
        segments = memory_of(self.params, Region.PROGRAM)
        self._layout = segments.layout
        m.submodules.storage = storage = SharedMemory(
            rows=segments.places, element_bits=16, size=segments.size, array_writes="nothing"
        )
        wiring.connect(m, wiring.flipped(self.host), storage.host)
        self._words = [Signal(16, name=f"word{n}") for n in range(self._layout.words)]
        self._carries = PassTiming.of(self.params).carries
        self._job = Signal.like(self.jobs.payload)
        if not self._carries:
            # There are gaps between segments: a job stays in its stream until it is done. It is chosen from
            # the phases' jobs, which takes time; nothing needs it in its first clock but the list.
            m.d.sync += self._job.eq(self.jobs.payload)
        self._walk(m, storage)
        self._make(m)
        return m

    def _field(self, name: str) -> Value:
        """Return a field of the fetched segment."""
        place = self._layout[name]
        value = Cat(*self._words)[place.start : place.start + place.width]
        return value.as_signed() if place.signed else value

    def _walk(self, m: Module, storage: SharedMemory):
        """Fetch the segments of a job's list one after the other, and offer them."""
        params = self.params
        words = memory_of(params, Region.PROGRAM).offset(1)
        self._entry, self._place = (
            Signal(range(count), name=name) for count, name in ((params.segments, "entry"), (words, "place"))
        )
        # The last list's first segment; whether it is its only one; whether it is still in the registers.
        self._listed, single, self._known = Signal(8), Signal(), Signal()
        last = Signal()
        m.d.comb += [
            single.eq(self._entry == self._listed),
            last.eq(self._field("last") | (self._entry == params.segments - 1)),
            storage.read_row.eq(Cat(self._place, self._entry)),
        ]
        with m.FSM() as fsm:
            m.d.comb += self.idle.eq(fsm.ongoing("Idle"))
            self._idle(m)
            self._fetch(m, storage)
            with m.State("Prepare"):
                # Now the products are in their registers.
                m.next = "Offer"
            with m.State("Offer"):
                m.d.comb += self.segments.valid.eq(1)
                m.d.sync += self._place.eq(0)
                with m.If(self.segments.ready):
                    m.d.sync += self._entry.eq(self._entry + 1)
                    m.next = "Fetch"
                    # A list without a last segment must not run for ever.
                    with m.If(last):
                        if not self._carries:
                            m.d.comb += self.jobs.ready.eq(1)
                        m.d.sync += self._known.eq(single)
                        m.next = "Idle"
        with m.If(self.forget):
            m.d.sync += self._known.eq(0)

    def _idle(self, m: Module):
        """Wait for a job, and look whether its segment is known."""
        first = self.jobs.p.list
        with m.State("Idle"):
            m.d.comb += self.jobs.ready.eq(int(self._carries))
            m.d.sync += self._place.eq(0)
            with m.If(self.jobs.valid):
                m.d.sync += [self._entry.eq(first), self._listed.eq(first)]
                if self._carries:
                    m.d.sync += self._job.eq(self.jobs.payload)
                m.next = "Fetch"
                with m.If(self._known & (self._listed == first)):
                    m.next = "Prepare"
                with m.Else():
                    m.d.sync += self._known.eq(0)

    def _fetch(self, m: Module, storage: SharedMemory):
        """Fetch the words of a segment."""
        with m.State("Fetch"):
            m.d.comb += storage.read_en.eq(1)
            m.d.sync += self._place.eq(self._place + 1)
            with m.Switch(self._place):
                for n, word in enumerate(self._words):
                    with m.Case(n + 1):
                        m.d.sync += word.eq(storage.row)
            with m.If(self._place == len(self._words)):
                m.next = "Prepare"

    def _make(self, m: Module):
        """Compute the segment that is offered from its words and the job."""
        params, out, job, field = self.params, self.segments.payload, self._job, self._field
        low_bits, group_bits = ceil_log2(params.lanes), ceil_log2(GROUP)
        per_column = params.source_chunks
        row, column = job.kind == PassKind.ROW, job.kind == PassKind.COLUMN
        learnable = row | column
        # No position is beyond the sources.
        lo, hi = (field(name)[: bits_for(params.sources)] for name in ("lo", "hi"))
        first = Signal.like(out.first)
        rows = Signal.like(out.address.high)
        m.d.sync += rows.eq(times(Mux(row, first, job.index >> low_bits), per_column))
        last_index = Signal.like(hi)
        empty, draws = Signal(), Signal()
        m.d.comb += [
            # A pass begins at a multiple of the group, since random numbers count from there.
            first.eq((lo >> max(group_bits, low_bits)) << max(group_bits - low_bits, 0)),
            last_index.eq(hi - 1),
            empty.eq(lo >= hi),
            out.kind.eq(job.kind),
            out.first.eq(first),
            out.low.eq(lo >> low_bits),
            out.last.eq(Mux(empty, first, last_index >> low_bits)),
            out.end.eq(out.last | Mux(draws, max(GROUP // params.lanes, 1) - 1, 0)),
            out.mask_low.eq(Mux(empty, 0, ((1 << params.lanes) - 1) << lo[:low_bits])),
            out.mask_high.eq((2 << last_index[:low_bits]) - 1),
            out.address.column.eq(~row),
            out.address.rotate.eq(job.index[:low_bits]),
            out.address.high.eq(rows + Mux(row, job.index >> low_bits, first)),
            out.learns.eq(learnable & field("plastic") & self.learn & ~empty & int(params.plasticity)),
            draws.eq(out.learns & field("stochastic") & int(params.stochastic_rounding)),
            out.rule.a.eq(field("a")),
            out.rule.a_negative.eq(field("a_negative")),
            out.rule.t0.eq(Mux(learnable, field("t0"), 0)),
        ]
        m.d.comb += [
            getattr(out.rule, name).eq(field(name))
            for name in ("w_min", "w_max", "shift", "exponent", "soft", "stochastic")
        ]
        if params.lanes > GROUP:
            m.d.comb += [out.starts_late.eq(lo[group_bits]), out.ends_early.eq(~last_index[group_bits])]
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
