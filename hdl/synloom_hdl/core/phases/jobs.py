"""Jobs: one block in each phase says which passes the pass engine makes."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Value
from amaranth.lib import fifo

from synloom.contract.registers import LIST_VALID, Mode
from synloom.contract.traces import TRACES, Side
from synloom_hdl.core.blocks import Blocks
from synloom_hdl.core.dispatch import FiredDispatcher, SourceDispatcher
from synloom_hdl.core.payloads import decay_of
from synloom_hdl.core.sequencer import Phase

__all__ = ["join_jobs"]

_JOBS = 4
"""Passes that wait: enough for the scan of empty words to hide behind them."""


def join_jobs(m: Module, blocks: Blocks) -> None:
    """Give the pass engine its registers and, from one block in each phase, its jobs and spikes."""
    passes, registers, sequencer = blocks.passes, blocks.registers, blocks.sequencer
    jobs = _job_queue(m, blocks)
    m.d.comb += [
        passes.learn.eq(registers.mode[Mode.LEARN]),
        passes.reward.eq(registers.reward),
        passes.dither.eq(blocks.dither.word),
        *(getattr(passes, t.increment).eq(getattr(registers, t.increment)) for t in TRACES),
    ]
    if blocks.params.stochastic_rounding:
        m.d.comb += [
            passes.rng.eq(registers.learn_rng),
            registers.learn_rng_next.eq(passes.rng_next),
            registers.learn_rng_en.eq(passes.rng_en),
        ]
    with m.If(sequencer.sweep_start):
        lists = [getattr(registers, trace.decay_list) for trace in TRACES]
        valid = Cat((word & LIST_VALID).any() for word in lists)
        m.d.sync += blocks.decaying.eq(valid & ~blocks.traces_rest)
    with m.Switch(sequencer.phase):
        with m.Case(Phase.ROWS):
            _feed(m, blocks, jobs, blocks.sources, Side.SOURCE)
        with m.Case(Phase.SWEEP):
            _decay(m, blocks, jobs)
        with m.Case(Phase.COLUMNS):
            _feed(m, blocks, jobs, blocks.fired, Side.TARGET)


def _feed(m: Module, blocks: Blocks, jobs, dispatcher: SourceDispatcher | FiredDispatcher, side: Side):
    """Let the spikes of a side make passes and raise their traces."""
    m.d.comb += [
        jobs.payload.eq(dispatcher.jobs.payload),
        jobs.valid.eq(dispatcher.jobs.valid),
        dispatcher.jobs.ready.eq(jobs.ready),
        blocks.passes.raise_en.eq(Cat(dispatcher.raise_en if one is side else 0 for one in Side)),
        blocks.passes.raise_index.eq(dispatcher.raise_index),
        blocks.passes.raise_nearest.eq(dispatcher.raise_nearest),
    ]


def _decay(m: Module, blocks: Blocks, jobs):
    """Let the traces decay one after the other, in the order of their table."""
    lists = [getattr(blocks.registers, trace.decay_list) for trace in TRACES]
    m.d.comb += [
        jobs.valid.eq(blocks.decaying.any()),
        jobs.payload.kind.eq(_first(blocks, [decay_of(trace) for trace in TRACES])),
        jobs.payload.list.eq(_first(blocks, lists)),
    ]
    with m.If(jobs.ready):
        for k, decays in enumerate(blocks.decaying):
            with m.If(~blocks.decaying[:k].any()):
                m.d.sync += decays.eq(0)


def _first(blocks: Blocks, values: list) -> Value:
    """Return the value of the first trace that has not decayed yet."""
    *others, chosen = values
    for decays, value in reversed(list(zip(blocks.decaying, others, strict=False))):
        chosen = Mux(decays, value, chosen)
    return chosen


def _job_queue(m: Module, blocks: Blocks):
    """Return where passes are asked for: a queue, or the pass engine itself if its passes are long."""
    passes = blocks.passes.jobs
    if blocks.params.single_port:
        return passes
    m.submodules.jobs = queue = fifo.SyncFIFO(width=len(passes.payload.as_value()), depth=_JOBS)
    jobs = passes.signature.flip().create()
    m.d.comb += [
        blocks.jobs_wait.eq(queue.level != 0),
        queue.w_data.eq(jobs.payload),
        queue.w_en.eq(jobs.valid),
        jobs.ready.eq(queue.w_rdy),
        passes.valid.eq(queue.r_rdy),
        passes.payload.eq(queue.r_data),
        queue.r_en.eq(passes.ready),
    ]
    return jobs
