"""The pass engine: rows, columns and decays stream through the lanes, B synapses a clock."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom_hdl.arithmetic import popcount
from synloom_hdl.core.accumulators import groups, make_accumulators, sums_layout
from synloom_hdl.core.lane import DecayScale, Lane
from synloom_hdl.core.loom import Loom
from synloom_hdl.core.payloads import PassKind, chunk_layout, job_layout
from synloom_hdl.core.program import SegmentFetcher
from synloom_hdl.core.shared_memory import AccessSignature
from synloom_hdl.core.timing import PassTiming
from synloom_hdl.core.traces import Traces
from synloom_hdl.gf2 import BitSequence, field_key, times_power, xorshift32

__all__ = ["PassEngine"]


class PassEngine(wiring.Component):
    """Everything that touches weights: loom, lanes, accumulators, traces and their program.

    Chunks of B synapses enter one a clock, or one every two clocks if the weights are single-ported;
    `PassTiming` says where a chunk is when. Passes follow one another without a gap, because different rows
    (columns) have no synapse in common; only a chunk of targets that returns too soon waits for its
    accumulators. With single-ported weights a segment stays until its last weight is written, which saves
    the registers that would carry its rule along. `busy` falls when the last weight is written.

    Members
    -------
    jobs : In(stream of job_layout)
    busy : Out(1)
    forget, learn, reward
        As in `SegmentFetcher`.
    rng : In(32), rng_next : Out(32), rng_en : Out(1)
        The learning generator's register, kept elsewhere; a strobe advances it.
    segment_done : Out(2), chunk_done : Out(1), acc_saturations : Out, weight_clips : Out
        For the counters: a row (bit 0) or column (bit 1) segment begins; a chunk of either; clipped sums
        and weights.
    sweep_en, sweep_group, sums
        As in `Accumulators`.
    raise_en : In(2), raise_index, raise_nearest, one_x, one_y, trace_saturates : Out(2)
        Raise a pre (bit 0) or post trace (bit 1).
    weights, x_traces, y_traces, program : In(AccessSignature)
    """

    def __init__(self, params: ArrayParams):
        self.params = params
        super().__init__(
            {
                "jobs": In(stream.Signature(job_layout(params))),
                "busy": Out(1),
                "forget": In(1),
                "learn": In(1),
                "reward": In(signed(16)),
                "rng": In(32),
                "rng_next": Out(32),
                "rng_en": Out(1),
                "segment_done": Out(2),
                "chunk_done": Out(1),
                "acc_saturations": Out(range(params.lanes + 1)),
                "weight_clips": Out(range(params.lanes + 1)),
                "sweep_en": In(1),
                "sweep_group": In(groups(params)),
                "sums": Out(sums_layout(params)),
                "raise_en": In(2),
                "raise_index": In(ceil_log2(params.sources)),
                "raise_nearest": In(1),
                "one_x": In(16),
                "one_y": In(16),
                "trace_saturates": Out(2),
                "weights": In(AccessSignature()),
                "x_traces": In(AccessSignature()),
                "y_traces": In(AccessSignature()),
                "program": In(AccessSignature()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        self._timing = timing = PassTiming.of(self.params)
        m.submodules.loom = loom = self.loom = Loom(self.params)
        m.submodules.accumulators = accumulators = self.accumulators = make_accumulators(self.params)
        m.submodules.x = x = self.x = Traces(self.params, self.params.sources)
        m.submodules.y = y = self.y = Traces(self.params, self.params.neurons)
        m.submodules.fetcher = fetcher = SegmentFetcher(self.params)
        for mine, theirs in (
            (self.weights, loom.host),
            (self.x_traces, x.host),
            (self.y_traces, y.host),
            (self.program, fetcher.host),
            (self.jobs, fetcher.jobs),
        ):
            wiring.connect(m, wiring.flipped(mine), theirs)
        m.d.comb += [
            fetcher.forget.eq(self.forget),
            fetcher.learn.eq(self.learn),
            fetcher.reward.eq(self.reward),
            accumulators.sweep_en.eq(self.sweep_en),
            accumulators.sweep_group.eq(self.sweep_group),
            self.sums.eq(accumulators.sums),
            self.acc_saturations.eq(accumulators.saturations),
            x.one.eq(self.one_x),
            y.one.eq(self.one_y),
            self.trace_saturates.eq(Cat(x.saturates, y.saturates)),
        ]
        for traces, one in zip((x, y), self.raise_en, strict=True):
            m.d.comb += [
                traces.raise_en.eq(one),
                traces.raise_index.eq(self.raise_index),
                traces.raise_nearest.eq(self.raise_nearest),
            ]
        self._valids = []
        issue = self._stream if timing.carries else self._step
        issued, valid0, active = issue(m, fetcher)
        self._valids = valids = self._later(m, valid0, timing.depth, "valid")
        self._lanes(m, issued, valids)
        running = Cat(*valids).any()
        m.d.comb += self.busy.eq(self.jobs.valid | ~fetcher.idle | active | running)
        if not timing.carries:
            m.d.comb += self._drained.eq(~Cat(*valids[1:]).any())
        return m

    def _stream(self, m: Module, fetcher: SegmentFetcher):
        """Play segments, one chunk a clock, one segment behind the other; all goes along with each chunk."""
        params = self.params
        issued = Signal(chunk_layout(params))
        valid, active, begins = Signal(), Signal(), Signal()
        segment = Signal.like(fetcher.segments.payload)
        chunk = Signal.like(segment.first)
        high = Signal.like(segment.address.high)

        # The accumulators' read-modify-write must not meet itself.
        recent = [
            (Signal(name=f"recent{n}"), Signal.like(chunk, name=f"recent_chunk{n}"))
            for n in range(self.accumulators.reuse_clocks - 1)
        ]
        waits = Signal()
        m.d.comb += waits.eq(
            (segment.kind == PassKind.ROW) & Cat(*[is_row & (c == chunk) for is_row, c in recent]).any()
        )
        goes, ends, takes, is_last = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            goes.eq(active & ~waits),
            ends.eq(goes & is_last),
            fetcher.segments.ready.eq(~active | ends),
            takes.eq(fetcher.segments.valid & fetcher.segments.ready),
        ]
        with m.If(goes):
            m.d.sync += [
                chunk.eq(chunk + 1),
                is_last.eq((chunk + 1)[: len(chunk)] == segment.last),
                high.eq(high + self._stride(segment)),
                begins.eq(0),
            ]
        with m.If(ends):
            m.d.sync += active.eq(0)
        with m.If(takes):
            new = fetcher.segments.payload
            m.d.sync += [
                segment.eq(new),
                active.eq(1),
                begins.eq(1),
                chunk.eq(new.first),
                is_last.eq(new.first == new.last),
                high.eq(new.address.high),
            ]
        newest, newest_chunk = recent[0]
        m.d.sync += [newest.eq(goes & (segment.kind == PassKind.ROW)), newest_chunk.eq(chunk)]
        for (a, b), (c, d) in zip(recent[1:], recent, strict=False):
            m.d.sync += [a.eq(c), b.eq(d)]
        m.d.sync += [valid.eq(goes), *self._describe(issued, segment, chunk, high, begins)]
        self._count(m, fetcher.segments.payload, takes, segment, goes)
        return issued, valid, active

    def _step(self, m: Module, fetcher: SegmentFetcher):
        """Play segments, one chunk every two clocks; a segment goes when its last weight is written."""
        issued = Signal(chunk_layout(self.params))
        segment = fetcher.segments.payload
        chunk = Signal.like(segment.first)
        high = Signal.like(segment.address.high)
        slot, active, finished, begins = Signal(), Signal(), Signal(), Signal()
        self._drained = Signal()
        goes, takes = Signal(), Signal()
        m.d.sync += slot.eq(~slot)
        m.d.comb += [
            takes.eq(fetcher.segments.valid & ~active),
            goes.eq(active & ~finished & slot),
            fetcher.segments.ready.eq(active & finished & self._drained),
            *self._describe(issued, segment, chunk, high, begins),
        ]
        with m.If(goes):
            m.d.sync += [
                chunk.eq(chunk + 1),
                high.eq(high + self._stride(segment)),
                begins.eq(0),
                finished.eq(chunk == segment.last),
            ]
        with m.If(takes):
            m.d.sync += [active.eq(1), begins.eq(1), chunk.eq(segment.first), high.eq(segment.address.high)]
        with m.If(fetcher.segments.ready):
            m.d.sync += [active.eq(0), finished.eq(0)]
        self._count(m, segment, takes, segment, goes)
        return issued, goes, active

    def _stride(self, segment):
        """Return how far the next chunk's weights lie from a chunk's."""
        return Mux(segment.address.column, 1, self.params.sources // self.params.lanes)

    def _describe(self, issued, segment, chunk, high, begins) -> list:
        """Return the assignments that make a chunk of a segment."""
        every = (1 << self.params.lanes) - 1
        mask = Mux(chunk < segment.low, 0, Mux(chunk == segment.low, segment.mask_low, every))
        return [
            issued.kind.eq(segment.kind),
            issued.chunk.eq(chunk),
            issued.mask.eq(mask & Mux(chunk == segment.last, segment.mask_high, every)),
            issued.address.eq(segment.address),
            issued.address.high.eq(high),
            issued.learns.eq(segment.learns),
            issued.begins.eq(begins),
            issued.rule.eq(segment.rule),
        ]

    def _count(self, m: Module, new, takes, segment, goes):
        m.d.comb += [
            self.segment_done.eq(Mux(takes, Cat(new.kind == PassKind.ROW, new.kind == PassKind.COLUMN), 0)),
            self.chunk_done.eq(goes & ((segment.kind == PassKind.ROW) | (segment.kind == PassKind.COLUMN))),
        ]

    def _later(self, m: Module, value, clocks: int, name: str, start: int = 0) -> list:
        """Return a value that each chunk has in clock `start`, then and in each of the next clocks.

        Where chunks come every two clocks, a register holds its value for two.
        """
        values = [value]
        for clock in range(1, clocks + 1):
            if self._valids and self._timing.interval == 2:
                if clock % 2:
                    register = Signal.like(value, name=f"{name}{clock}")
                    with m.If(self._valids[start + clock - 1]):
                        m.d.sync += register.eq(values[clock - 1])
                values.append(register)
            else:
                values.append(Signal.like(value, name=f"{name}{clock}"))
                m.d.sync += values[clock].eq(values[clock - 1])
        return values

    def _at(self, m: Module, value, clock: int, name: str):
        """Return a value of the segment in the clock in which it is used."""
        return self._later(m, value, clock, name)[-1] if self._timing.carries else value

    def _lanes(self, m: Module, issued, valids):
        """Join banks, traces, lanes and accumulators; each field travels as far as it is used."""
        params, timing = self.params, self._timing
        loom, accumulators, x, y = self.loom, self.accumulators, self.x, self.y
        bits = params.trace_bits
        weights, updated, decayed = timing.weights, timing.updated, timing.decayed

        places = self._later(m, issued.chunk, max(decayed, weights), "chunk")
        masks = self._later(m, issued.mask, max(decayed, weights), "mask")
        highs = self._later(m, issued.address.high, updated, "high")
        rule = issued.rule

        def at(value, clock, name):
            return self._at(m, value, clock, name)

        on_x = (issued.kind == PassKind.COLUMN) | (issued.kind == PassKind.DECAY_X)
        on_x = at(on_x, timing.traces_read, "on_x")
        from_x = at(on_x, timing.traces_row - timing.traces_read, "from_x")
        reads_trace = valids[timing.traces_read]
        m.d.comb += [
            loom.read.eq(issued.address),
            x.chunk.eq(places[timing.traces_read]),
            x.chunk_en.eq(reads_trace & on_x),
            y.chunk.eq(places[timing.traces_read]),
            y.chunk_en.eq(reads_trace & ~on_x),
        ]

        present = Signal(params.lanes)
        adds_at = weights - 1 if timing.carries else weights
        m.d.comb += [
            present.eq(
                Cat(loom.weights[n] != params.weight_absent for n in range(params.lanes)) & masks[weights]
            ),
            accumulators.chunk.eq(places[adds_at]),
            accumulators.valid.eq(valids[weights] & at(issued.kind == PassKind.ROW, weights, "row")),
            accumulators.mask.eq(present),
            accumulators.shift.eq(at(rule.shift, weights, "shift")),
            accumulators.weights.eq(loom.weights),
        ]
        presents = self._later(m, present, updated - weights, "present", weights)

        writes = Signal(params.lanes)
        clips = Signal(params.lanes)
        decays = [
            valids[decayed] & at(issued.kind == kind, decayed, name)
            for kind, name in ((PassKind.DECAY_X, "decays_x"), (PassKind.DECAY_Y, "decays_y"))
        ]
        m.d.comb += [
            writes.eq(Mux(valids[updated] & at(issued.learns, updated, "learns"), presents[-1], 0)),
            loom.write_address.column.eq(at(issued.address.column, updated, "column")),
            loom.write_address.rotate.eq(at(issued.address.rotate, updated, "rotate")),
            loom.write_address.high.eq(highs[-1]),
            loom.write_mask.eq(writes),
            x.decayed_chunk.eq(places[decayed]),
            y.decayed_chunk.eq(places[decayed]),
            x.decayed_en.eq(Mux(decays[0], masks[decayed], 0)),
            y.decayed_en.eq(Mux(decays[1], masks[decayed], 0)),
        ]
        m.d.sync += self.weight_clips.eq(popcount(clips & writes))

        scale = Signal(DecayScale)
        m.d.comb += [
            scale.exponent.eq(rule.exponent),
            scale.takes_all.eq((rule.a == 0xFFFF) & (rule.exponent == 0)),
            scale.is_nonzero.eq(rule.a != 0),
        ]
        common = {
            "t0": at(rule.t0, timing.stage(0), "t0"),
            "a_negative": at(rule.a_negative, timing.stage(0), "a_negative"),
            "a": at(rule.a, timing.stage(1), "a"),
            "w_min": at(rule.w_min, timing.stage(1), "w_min"),
            "w_max": at(rule.w_max, timing.stage(1), "w_max"),
            "soft": at(rule.soft, timing.stage(2), "soft"),
            "decay": at(scale, timing.stage(2), "scale"),
        }
        common["lowest"] = at(common["w_min"], timing.stage(5) - timing.stage(1), "lowest")
        common["highest"] = at(common["w_max"], timing.stage(5) - timing.stage(1), "highest")
        noises = self._noise(m, issued, valids)
        operands = self._later(m, loom.weights, timing.stage(1) - weights, "operand", weights)[-1]
        for n in range(params.lanes):
            m.submodules[f"lane{n}"] = lane = Lane(params)
            part = slice(bits * n, bits * n + bits)
            trace = Mux(from_x, x.traces[part], y.traces[part])
            for _ in range(timing.traces - timing.traces_row):
                m.d.sync += (register := Signal(bits, name=f"trace{n}")).eq(trace)
                trace = register
            m.d.comb += [getattr(lane, name).eq(value) for name, value in common.items()]
            m.d.comb += [
                lane.trace.eq(trace),
                lane.weight.eq(operands[n]),
                lane.noise.eq(noises[n]),
                loom.write_weights[n].eq(lane.updated),
                clips[n].eq(lane.clips),
                x.decayed[part].eq(lane.decayed),
                y.decayed[part].eq(lane.decayed),
            ]

    def _noise(self, m: Module, issued, valids) -> list:
        """Advance the learning generator, and return each lane's random bits when the lanes round."""
        params, timing = self.params, self._timing
        before = timing.key - 1
        begins = self._later(m, issued.begins, before, "begins")[-1]
        learns = self._at(m, issued.learns, before, "learns_key")
        next_rng = Signal(32)
        m.d.comb += [
            next_rng.eq(xorshift32(self.rng)),
            self.rng_next.eq(next_rng),
            self.rng_en.eq(valids[before] & begins & learns),
        ]
        if not params.stochastic_rounding:
            return [1 << 11] * params.lanes
        key = Signal(31)
        with m.If(valids[before]):
            m.d.sync += key.eq(Mux(begins, field_key(next_rng), times_power(key, 12 * params.lanes)))
        sequence = BitSequence(m, key, 12 * (params.lanes - 1), registered=timing.noise_registers > 0)
        clock = timing.stage(3) - (timing.noise_registers > 0)
        stochastic = self._at(m, issued.rule.stochastic, clock, "stochastic")
        noises = []
        for n in range(params.lanes):
            noise = Mux(stochastic, sequence.number(12 * n, 12), 1 << 11)
            if timing.noise_registers:
                m.d.sync += (register := Signal(12, name=f"noise{n}")).eq(noise)
                noise = register
            noises.append(noise)
        return noises
