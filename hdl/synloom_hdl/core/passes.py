"""The pass engine: rows, columns and decays stream through the lanes, B synapses a clock."""

from __future__ import annotations

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, DomainRenamer, Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom.contract.dither import DITHER_BITS
from synloom.contract.traces import TRACES, Side, Trace, trace_of
from synloom_hdl.arithmetic import decay_dither, popcount
from synloom_hdl.core.accumulators import groups, make_accumulators, sums_layout
from synloom_hdl.core.issue import make_issuer
from synloom_hdl.core.lane import LANE_INPUTS, DecayScale, Lane
from synloom_hdl.core.loom import Loom
from synloom_hdl.core.payloads import PassKind, decay_of, job_layout
from synloom_hdl.core.program import SegmentFetcher
from synloom_hdl.core.shared_memory import AccessSignature
from synloom_hdl.core.timing import PassTiming
from synloom_hdl.core.traces import Traces
from synloom_hdl.gf2 import GROUP, ROUNDING_BITS, STATE_BITS, BitSequence
from synloom_hdl.pipeline import Pipeline, Staged, cat, mux

__all__ = ["PassEngine"]

_HALF = 1 << 11
"""The noise that rounds to nearest."""


class PassEngine(wiring.Component):
    """All that uses weights: loom, lanes, accumulators, traces and their program.

    A chunk of B synapses enters in each clock or, if the weights are single-ported, in every second one;
    `PassTiming` has its stages. Passes follow one another without a gap, because different rows (columns)
    have no synapse in common; only a chunk whose accumulators are still in use waits. With single-ported
    weights a segment stays until its last weight is written, which saves the registers that would carry its
    rule along.

    Parameters
    ----------
    params : ArrayParams
    sums_domain : str
        Clock domain of the accumulators. Its clock is that of sync, but may stop while they have no work.

    Members
    -------
    jobs : In(stream of job_layout)
    busy : Out(1)
        It falls when the last weight is written.
    forget, learn, reward
        As in `SegmentFetcher`.
    dither : In(32)
        w(0) of the sweep, while traces decay.
    rng : In(64), rng_next : Out(64), rng_en : Out(1)
        The state of the random numbers, which is kept elsewhere; `rng_en` advances it.
    segment_done : Out(2), chunk_done : Out(1), acc_saturations : Out, weight_clips : Out
        For the counters: a segment of a row (bit 0) or column (bit 1) begins; a chunk of either; how many
        sums and weights were clipped.
    sweep_en, sweep_group, sums
        As in `Accumulators`.
    raise_en : In(2), raise_index : In, raise_nearest : In(1)
        A spike of a source (bit 0) or of a target (bit 1) raises the traces of its side.
    INCREMENT : In(16), trace_saturates : Out
        For each trace of `TRACES`: how much a spike adds, by the register's name; whether it was clipped.
    decays : Out(len(TRACES)), left : Out(B)
        For each trace of `TRACES`: a chunk of it decays. Which lanes' traces of the chunk are not 0 then.
    weights, program, NAME_traces : In(AccessSignature)
        WEIGHTS, PROGRAM, and the region of each trace of `TRACES`.
    """

    def __init__(self, params: ArrayParams, *, sums_domain: str = "sync"):
        self.params = params
        self._sums_domain = sums_domain
        super().__init__(
            {
                "jobs": In(stream.Signature(job_layout(params))),
                "busy": Out(1),
                "forget": In(1),
                "learn": In(1),
                "reward": In(signed(16)),
                "dither": In(DITHER_BITS),
                "rng": In(STATE_BITS),
                "rng_next": Out(STATE_BITS),
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
                **{trace.increment: In(16) for trace in TRACES},
                "trace_saturates": Out(len(TRACES)),
                "decays": Out(len(TRACES)),
                "left": Out(params.lanes),
                "weights": In(AccessSignature()),
                **{f"{trace.name}_traces": In(AccessSignature()) for trace in TRACES},
                "program": In(AccessSignature()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params, timing = self.params, PassTiming.of(self.params)
        self._timing = timing
        m.submodules.loom = self.loom = Loom(params)
        self.accumulators = make_accumulators(params)
        m.submodules.accumulators = DomainRenamer(self._sums_domain)(self.accumulators)
        self.traces = {trace: Traces(params, _count(params, trace)) for trace in TRACES}
        for trace, traces in self.traces.items():
            m.submodules[trace.name] = traces
        m.submodules.fetcher = self.fetcher = SegmentFetcher(params)
        m.submodules.issuer = self.issuer = make_issuer(params, self.accumulators.reuse_clocks)
        self._ports(m)
        self._pipe = pipe = Pipeline(
            m, [True] * timing.depth, interval=timing.interval, valid=self.issuer.valid
        )
        self._flow(m)
        first, *behind = (pipe.valid.at(stage).value for stage in range(timing.depth + 1))
        m.d.comb += [
            self.issuer.drained.eq(~Cat(behind).any()),
            self.busy.eq(
                self.jobs.valid | ~self.fetcher.idle | self.issuer.active | Cat(first, *behind).any()
            ),
        ]
        return m

    def _ports(self, m: Module):
        """Connect ports that belong to one block, and the blocks before the pipeline."""
        fetcher, issuer, accumulators = self.fetcher, self.issuer, self.accumulators
        wiring.connect(m, fetcher.segments, issuer.segments)
        for mine, theirs in (
            (self.weights, self.loom.host),
            *((getattr(self, f"{trace.name}_traces"), t.host) for trace, t in self.traces.items()),
            (self.program, fetcher.host),
            (self.jobs, fetcher.jobs),
        ):
            wiring.connect(m, wiring.flipped(mine), theirs)
        m.d.comb += [
            fetcher.forget.eq(self.forget),
            fetcher.learn.eq(self.learn),
            fetcher.reward.eq(self.reward),
            self.segment_done.eq(issuer.segment_done),
            self.chunk_done.eq(issuer.chunk_done),
            accumulators.sweep_en.eq(self.sweep_en),
            accumulators.sweep_group.eq(self.sweep_group),
            self.sums.eq(accumulators.sums),
            self.acc_saturations.eq(accumulators.saturations),
            self.trace_saturates.eq(Cat(traces.saturates for traces in self.traces.values())),
        ]
        raised_sides = dict(zip(Side, self.raise_en, strict=True))
        for trace, traces in self.traces.items():
            m.d.comb += [
                traces.one.eq(getattr(self, trace.increment)),
                traces.raise_en.eq(raised_sides[trace.side]),
                traces.raise_index.eq(self.raise_index),
                traces.raise_nearest.eq(self.raise_nearest),
            ]

    def _flow(self, m: Module):
        """Connect the blocks of the pipeline; each field is delayed as far as it is used."""
        pipe, issued = self._pipe, self.issuer.chunk
        # The fields of a segment travel with its chunks, or are steady until the last chunk is written.
        said = pipe.enter if self._timing.carries else lambda _, value: pipe.steady(value)
        self._kind, self._rule, self._address, self._learns = (
            said(name, getattr(issued, name)) for name in ("kind", "rule", "address", "learns")
        )
        self._chunk, self._mask = (pipe.enter(name, getattr(issued, name)) for name in ("chunk", "mask"))
        if self._timing.carries:
            self._high = pipe.enter("high", issued.address.high)
        else:
            self._high = pipe.steady(self.issuer.written)
        if self.params.lanes > GROUP:
            self._groups = pipe.enter("groups", issued.groups)
        m.d.comb += self.loom.read.eq(issued.address)
        weights = pipe.enter("weights", self.loom.weights, self._timing.weights)
        present = self._accumulate(m, weights)
        clips = self._lanes(m, said("scale", self._scale(m)), weights, self._read_traces(m), self._noise(m))
        self._write_weights(m, present, clips)
        self._write_traces(m)

    def _read_traces(self, m: Module) -> list[Staged]:
        """Read the trace that a pass needs; return each lane's part."""
        pipe, kind, timing = self._pipe, self._kind, self._timing
        # Rows read the trace of targets, columns that of sources, and a decay its own.
        readers = {trace_of(Side.TARGET): PassKind.ROW, trace_of(Side.SOURCE): PassKind.COLUMN}
        *firsts, last = TRACES
        wants = [
            pipe.wire(
                f"on_{trace.name}",
                reduce(or_, (kind == k for k in (readers.get(trace), decay_of(trace)) if k is not None)),
            )
            for trace in firsts
        ]

        def wanted(stage: int) -> list[Staged]:
            """Return for each trace whether a stage needs it; the last one is needed if no other is."""
            here = [want.at(stage) for want in wants]
            return [*here, ~reduce(or_, here)]

        for trace, want in zip(TRACES, wanted(timing.traces_read), strict=True):
            m.d.comb += [
                self.traces[trace].chunk.eq(self._chunk.at(timing.traces_read)),
                self.traces[trace].chunk_en.eq(pipe.valid.at(timing.traces_read) & want),
            ]
        *here, _ = wanted(timing.traces_row)
        read = pipe.enter("traces", self.traces[last].traces, timing.traces_row)
        for trace, want in zip(firsts, here, strict=True):
            read = mux(want, pipe.enter("traces", self.traces[trace].traces, timing.traces_row), read)
        bits = self.params.trace_bits
        return [pipe.wire(f"trace{n}", read[bits * n : bits * n + bits]) for n in range(self.params.lanes)]

    def _accumulate(self, m: Module, weights: Staged) -> Staged:
        """Add a row's weights to the sums of its targets; return which synapses are present."""
        pipe, timing, accumulators = self._pipe, self._timing, self.accumulators
        exist = cat(*(weights[n] != self.params.weight_absent for n in range(self.params.lanes)))
        present = pipe.wire("present", exist & self._mask.at(timing.weights))
        row = pipe.wire("row", self._kind == PassKind.ROW)
        m.d.comb += [
            accumulators.chunk.eq(self._chunk.at(timing.sums)),
            accumulators.valid.eq(pipe.valid.at(timing.weights) & row.at(timing.weights)),
            accumulators.mask.eq(present),
            accumulators.shift.eq(self._rule.shift.at(timing.weights)),
            accumulators.weights.eq(weights),
        ]
        return present

    def _scale(self, m: Module) -> Signal:
        """Describe the coefficient of a decay."""
        rule, scale = self.issuer.chunk.rule, Signal(DecayScale)
        m.d.comb += [
            scale.exponent.eq(rule.exponent),
            scale.takes_all.eq((rule.a == 0xFFFF) & (rule.exponent == 0)),
        ]
        return scale

    def _dither(self) -> Staged:
        """Return the dither of a decay, which all lanes share; it is 0 for learning."""
        pipe, rule, kind = self._pipe, self._rule, self._kind
        carries = self._timing.carries
        stage = self._timing.stage(2) - carries
        low = decay_dither(pipe.steady(self.dither), rule.exponent.at(stage))
        decays = reduce(or_, (kind.at(stage) == decay_of(trace) for trace in TRACES))
        dither = mux(decays, low, 0)
        return pipe.next("dither", dither) if carries else pipe.wire("dither", dither)

    def _noise(self, m: Module) -> list[Staged]:
        """Take each lane's random number; return what is added before rounding."""
        params, timing, pipe = self.params, self._timing, self._pipe
        if not params.stochastic_rounding:
            return [pipe.steady(Const(_HALF))] * params.lanes
        stage = timing.numbers
        sequence = BitSequence(m, self.rng, ROUNDING_BITS * params.lanes + STATE_BITS)
        draws = pipe.valid.at(stage) & self._learns.at(stage) & self._rule.stochastic.at(stage)
        numbers, behind = self._numbers(sequence, stage)
        m.d.comb += [self.rng_next.eq(behind), self.rng_en.eq(draws)]
        stochastic = self._rule.stochastic.at(stage)
        # A register, since the lanes add at once.
        return [
            pipe.next(f"noise{n}", mux(stochastic, pipe.enter("number", number, stage), _HALF), ROUNDING_BITS)
            for n, number in enumerate(numbers.word_select(n, ROUNDING_BITS) for n in range(params.lanes))
        ]

    def _numbers(self, sequence: BitSequence, stage: int) -> tuple[Value, Value]:
        """Return the random numbers of all lanes, and the state behind them."""
        used = ROUNDING_BITS * self.params.lanes
        if self.params.lanes <= GROUP:
            return sequence.window(0, used), sequence.window(used)
        # Two groups of lanes: the second has the first numbers if none are drawn for the first.
        half = used // 2
        low, high = self._groups.at(stage)
        first, second = sequence.window(0, half), sequence.window(half, half)
        behind = Mux(low & high, sequence.window(used), sequence.window(half))
        return Cat(first, Mux(low, second, first)), behind

    def _lanes(
        self, m: Module, scale: Staged, weights: Staged, traces: list[Staged], noises: list[Staged]
    ) -> Staged:
        """Give each lane its inputs, in the stages of `LANE_INPUTS`; return which lanes clip."""
        timing, rule = self._timing, self._rule
        bits = self.params.trace_bits
        common = {name: getattr(rule, name) for name in ("t0", "a_negative", "a", "w_min", "w_max", "soft")}
        common |= {"decay": scale, "dither": self._dither(), "lowest": rule.w_min, "highest": rule.w_max}
        clips = Signal(self.params.lanes)
        for n, (trace, noise) in enumerate(zip(traces, noises, strict=True)):
            m.submodules[f"lane{n}"] = lane = Lane(self.params)
            operand = weights.at(timing.stage(1))[n]
            values = common | {"trace": trace, "weight": operand, "noise": noise}
            for stage, names in enumerate(LANE_INPUTS):
                m.d.comb += [getattr(lane, name).eq(values[name].at(timing.stage(stage))) for name in names]
            m.d.comb += [self.loom.write_weights[n].eq(lane.updated), clips[n].eq(lane.clips)]
            for each in self.traces.values():
                m.d.comb += each.decayed[bits * n : bits * n + bits].eq(lane.decayed)
            above = self._pipe.enter("above", lane.decayed.any(), timing.decayed)
            m.d.comb += self.left[n].eq(self._mask.at(timing.decayed)[n] & above)
        return self._pipe.enter("clips", clips, timing.updated)

    def _write_weights(self, m: Module, present: Staged, clips: Staged):
        """Write the synapses that learn."""
        pipe, stage, loom = self._pipe, self._timing.updated, self.loom
        learns = pipe.valid.at(stage) & self._learns.at(stage)
        writes = pipe.wire("writes", mux(learns, present.at(stage), 0))
        m.d.comb += [
            loom.write_address.column.eq(self._address.column.at(stage)),
            loom.write_address.rotate.eq(self._address.rotate.at(stage)),
            loom.write_address.high.eq(self._high.at(stage)),
            loom.write_mask.eq(writes),
        ]
        m.d.sync += self.weight_clips.eq(popcount(clips & writes))

    def _write_traces(self, m: Module):
        """Write the traces that decay."""
        pipe, stage = self._pipe, self._timing.decayed
        for k, (trace, traces) in enumerate(self.traces.items()):
            decays = pipe.wire(f"decays_{trace.name}", self._kind == decay_of(trace))
            decays = pipe.valid.at(stage) & decays.at(stage)
            m.d.comb += [
                self.decays[k].eq(decays),
                traces.decayed_chunk.eq(self._chunk.at(stage)),
                traces.decayed_en.eq(mux(decays, self._mask.at(stage), 0)),
            ]


def _count(params: ArrayParams, trace: Trace) -> int:
    """Return how many there are of a trace."""
    return params.sources if trace.side is Side.SOURCE else params.neurons
