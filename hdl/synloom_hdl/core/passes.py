"""The pass engine: rows, columns and decays stream through the lanes, B synapses a clock."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom_hdl.arithmetic import population
from synloom_hdl.core.access import AccessSignature
from synloom_hdl.core.accumulators import REUSE_CLOCKS, Accumulators, groups, sums_layout
from synloom_hdl.core.lane import DECAY_CLOCKS, UPDATE_CLOCKS, DecayScale, Lane
from synloom_hdl.core.loom import READ_CLOCKS, WRITE_CLOCKS, Loom
from synloom_hdl.core.program import SegmentFetcher
from synloom_hdl.core.rule import PassKind, chunk_layout, job_layout
from synloom_hdl.core.traces import Traces
from synloom_hdl.gf2 import BitSequence, field_key, times_power, xorshift32

__all__ = ["PassEngine"]

_TRACE = 2
"""Clock of the pipeline in which a chunk's traces enter the lanes."""
_UPDATED = _TRACE + UPDATE_CLOCKS
_DECAYED = _TRACE + DECAY_CLOCKS
_DEPTH = _UPDATED + WRITE_CLOCKS


class PassEngine(wiring.Component):
    """Everything that touches weights: loom, lanes, accumulators, traces and their program.

    A chunk of B synapses enters each clock. Counted from its entry: clock 1 banks and traces are read,
    clock 3 the weights are in operand order (they are added to the accumulators), clock 8 the updated
    weights leave the lanes, clock 10 they are written. Passes follow one another without a gap, because
    different rows (columns) have no synapse in common; only a chunk of targets that returns within
    `REUSE_CLOCKS` waits for its accumulators. `busy` falls when the last weight is written.

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
        m.submodules.loom = loom = self.loom = Loom(self.params)
        m.submodules.accumulators = accumulators = self.accumulators = Accumulators(self.params)
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
            x.raise_en.eq(self.raise_en[0]),
            y.raise_en.eq(self.raise_en[1]),
            x.one.eq(self.one_x),
            y.one.eq(self.one_y),
            self.trace_saturates.eq(Cat(x.saturates, y.saturates)),
        ]
        for traces in (x, y):
            m.d.comb += [
                traces.raise_index.eq(self.raise_index),
                traces.raise_nearest.eq(self.raise_nearest),
            ]
        issued, valid0 = self._issue(m, fetcher)
        valids = self._later(m, valid0, _DEPTH, "valid")
        self._lanes(m, issued, valids)
        running = Signal()
        m.d.comb += [
            running.eq(Cat(*valids).any()),
            self.busy.eq(self.jobs.valid | ~fetcher.idle | self._active | running),
        ]
        return m

    def _issue(self, m: Module, fetcher: SegmentFetcher):
        """Play segments: one chunk a clock, from the first to the last."""
        params = self.params
        issued = Signal(chunk_layout(params))
        valid = Signal()
        segment = Signal.like(fetcher.segments.payload)
        self._active = active = Signal()
        chunk = Signal.like(segment.first)
        key = Signal(31)
        high = Signal.like(segment.address.high)

        # The accumulators' read-modify-write must not meet itself.
        recent = [
            (Signal(name=f"recent{n}"), Signal.like(chunk, name=f"recent_chunk{n}"))
            for n in range(REUSE_CLOCKS - 1)
        ]
        waits = Signal()
        m.d.comb += waits.eq(
            (segment.kind == PassKind.ROW) & Cat(*[is_row & (c == chunk) for is_row, c in recent]).any()
        )
        goes, ends = Signal(), Signal()
        m.d.comb += [
            goes.eq(active & ~waits),
            ends.eq(goes & (chunk == segment.last)),
            fetcher.segments.ready.eq(~active | ends),
        ]
        row_step = params.sources // params.lanes
        with m.If(goes):
            m.d.sync += [
                chunk.eq(chunk + 1),
                high.eq(high + Mux(segment.address.column, 1, row_step)),
                key.eq(times_power(key, 12 * params.lanes)),
            ]
        with m.If(ends):
            m.d.sync += active.eq(0)
        m.d.comb += self.rng_next.eq(xorshift32(self.rng))
        with m.If(fetcher.segments.valid & fetcher.segments.ready):
            new = fetcher.segments.payload
            next_key = Signal(32)
            m.d.comb += [
                next_key.eq(self.rng_next),
                self.rng_en.eq(new.learns),
                self.segment_done.eq(Cat(new.kind == PassKind.ROW, new.kind == PassKind.COLUMN)),
            ]
            m.d.sync += [
                segment.eq(new),
                active.eq(1),
                chunk.eq(new.first),
                high.eq(new.address.high),
                key.eq(field_key(next_key)),
            ]
        newest, newest_chunk = recent[0]
        m.d.sync += [newest.eq(goes & (segment.kind == PassKind.ROW)), newest_chunk.eq(chunk)]
        for (a, b), (c, d) in zip(recent[1:], recent, strict=False):
            m.d.sync += [a.eq(c), b.eq(d)]

        every = (1 << params.lanes) - 1
        mask = Mux(chunk < segment.low, 0, Mux(chunk == segment.low, segment.mask_low, every))
        m.d.sync += [
            valid.eq(goes),
            issued.kind.eq(segment.kind),
            issued.chunk.eq(chunk),
            issued.mask.eq(mask & Mux(chunk == segment.last, segment.mask_high, every)),
            issued.address.eq(segment.address),
            issued.address.high.eq(high),
            issued.learns.eq(segment.learns),
            issued.key.eq(key),
            issued.rule.eq(segment.rule),
        ]
        m.d.comb += self.chunk_done.eq(
            goes & ((segment.kind == PassKind.ROW) | (segment.kind == PassKind.COLUMN))
        )
        return issued, valid

    def _later(self, m: Module, value, clocks: int, name: str) -> list:
        """Return a value now and in each of the next clocks."""
        values = [value]
        for clock in range(1, clocks + 1):
            values.append(Signal.like(value, name=f"{name}{clock}"))
            m.d.sync += values[clock].eq(values[clock - 1])
        return values

    def _lanes(self, m: Module, issued, valids):
        """Join banks, traces, lanes and accumulators; each field travels as far as it is used."""
        params = self.params
        loom, accumulators, x, y = self.loom, self.accumulators, self.x, self.y
        bits = params.trace_bits
        kinds = self._later(m, issued.kind, _DECAYED, "kind")
        places = self._later(m, issued.chunk, _DECAYED, "chunk")
        masks = self._later(m, issued.mask, _DECAYED, "mask")
        columns = self._later(m, issued.address.column, _UPDATED, "column")
        rotations = self._later(m, issued.address.rotate, _UPDATED, "rotate")
        highs = self._later(m, issued.address.high, _UPDATED, "high")
        learns = self._later(m, issued.learns, _UPDATED, "learns")
        rule = issued.rule
        w_mins = self._later(m, rule.w_min, _TRACE + 5, "w_min")
        w_maxes = self._later(m, rule.w_max, _TRACE + 5, "w_max")
        a = self._later(m, rule.a, _TRACE + 1, "a")
        t0 = self._later(m, rule.t0, _TRACE, "t0")
        a_negative = self._later(m, rule.a_negative, _TRACE, "a_negative")
        soft = self._later(m, rule.soft, _TRACE + 2, "soft")
        shift = self._later(m, rule.shift, READ_CLOCKS, "shift")

        on_x = (issued.kind == PassKind.COLUMN) | (issued.kind == PassKind.DECAY_X)
        from_x = Signal()
        m.d.comb += [
            loom.read.eq(issued.address),
            x.chunk.eq(issued.chunk),
            x.chunk_en.eq(valids[0] & on_x),
            y.chunk.eq(issued.chunk),
            y.chunk_en.eq(valids[0] & ~on_x),
        ]
        m.d.sync += from_x.eq(on_x)

        present = Signal(params.lanes)
        m.d.comb += [
            present.eq(
                Cat(loom.weights[n] != params.weight_absent for n in range(params.lanes)) & masks[READ_CLOCKS]
            ),
            accumulators.valid.eq(valids[READ_CLOCKS] & (kinds[READ_CLOCKS] == PassKind.ROW)),
            accumulators.chunk.eq(places[READ_CLOCKS]),
            accumulators.mask.eq(present),
            accumulators.shift.eq(shift[-1]),
            accumulators.weights.eq(loom.weights),
        ]
        presents = self._later(m, present, _UPDATED - READ_CLOCKS, "present")

        writes = Signal(params.lanes)
        clips = Signal(params.lanes)
        decays_x = valids[_DECAYED] & (kinds[_DECAYED] == PassKind.DECAY_X)
        decays_y = valids[_DECAYED] & (kinds[_DECAYED] == PassKind.DECAY_Y)
        m.d.comb += [
            writes.eq(Mux(valids[_UPDATED] & learns[-1], presents[-1], 0)),
            loom.write_address.column.eq(columns[-1]),
            loom.write_address.rotate.eq(rotations[-1]),
            loom.write_address.high.eq(highs[-1]),
            loom.write_mask.eq(writes),
            x.decayed_chunk.eq(places[_DECAYED]),
            y.decayed_chunk.eq(places[_DECAYED]),
            x.decayed_en.eq(Mux(decays_x, masks[_DECAYED], 0)),
            y.decayed_en.eq(Mux(decays_y, masks[_DECAYED], 0)),
        ]
        m.d.sync += self.weight_clips.eq(population(clips & writes))

        scale = Signal(DecayScale)
        m.d.comb += [
            scale.fine.eq(rule.fine),
            scale.everything.eq((rule.a == 0xFFFF) & (rule.fine == 0)),
            scale.anything.eq(rule.a != 0),
        ]
        scales = self._later(m, scale, _TRACE + 2, "scale")
        noises = self._noise(m, issued)
        for n in range(params.lanes):
            m.submodules[f"lane{n}"] = lane = Lane(params)
            trace = Signal(bits, name=f"trace{n}")
            part = slice(bits * n, bits * n + bits)
            m.d.sync += trace.eq(Mux(from_x, x.traces[part], y.traces[part]))
            m.d.comb += [
                lane.trace.eq(trace),
                lane.t0.eq(t0[-1]),
                lane.a_negative.eq(a_negative[-1]),
                lane.weight.eq(loom.weights[n]),
                lane.a.eq(a[-1]),
                lane.w_min.eq(w_mins[_TRACE + 1]),
                lane.w_max.eq(w_maxes[_TRACE + 1]),
                lane.soft.eq(soft[-1]),
                lane.decay.eq(scales[-1]),
                lane.noise.eq(noises[n]),
                lane.lowest.eq(w_mins[-1]),
                lane.highest.eq(w_maxes[-1]),
                loom.write_weights[n].eq(lane.updated),
                clips[n].eq(lane.clips),
                x.decayed[part].eq(lane.decayed),
                y.decayed[part].eq(lane.decayed),
            ]

    def _noise(self, m: Module, issued) -> list:
        """Return each lane's random bits, in the clock in which the lanes round."""
        if not self.params.stochastic_rounding:
            return [1 << 11] * self.params.lanes
        keys = self._later(m, issued.key, _TRACE + 1, "key")
        sequence = BitSequence(m, keys[-1], 12 * (self.params.lanes - 1))
        stochastic = self._later(m, issued.rule.stochastic, _TRACE + 2, "stochastic")
        noises = []
        for n in range(self.params.lanes):
            noise = Signal(12, name=f"noise{n}")
            m.d.sync += noise.eq(Mux(stochastic[-1], sequence.number(12 * n, 12), 1 << 11))
            noises.append(noise)
        return noises
