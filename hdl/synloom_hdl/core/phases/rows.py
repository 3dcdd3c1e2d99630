"""Rows: every source that is active sends its spike through its row."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib.wiring import connect

from synloom_hdl.core.blocks import Blocks
from synloom_hdl.core.phases.jobs import join_jobs
from synloom_hdl.core.phases.teaching import join_teaching
from synloom_hdl.core.scanner import BitScanner

__all__ = ["join_rows"]


def join_rows(m: Module, blocks: Blocks) -> None:
    """Scan the wheel and the generators; every active source makes a pass."""
    params, sequencer, registers = blocks.params, blocks.sequencer, blocks.registers
    wheel, sources = blocks.wheel, blocks.sources
    m.submodules.source_scan = scan = BitScanner(params.source_words)
    join_jobs(m, blocks)
    if params.teaching:
        join_teaching(m, blocks)
    with m.If(sequencer.rows_start):
        m.d.sync += blocks.slot.eq(registers.now)
    real = _real_sources(m, blocks, scan.taken_index)
    if params.generators:
        _generate(m, blocks, scan, real)
    connect(m, scan.ids, sources.ids)
    m.d.comb += [
        scan.start.eq(sequencer.rows_start),
        scan.word.eq(_scanned_word(m, blocks, scan) & real),
        wheel.slot.eq(blocks.slot),
        wheel.read_en.eq(scan.read_en),
        wheel.read_index.eq(scan.read_index),
        wheel.clear_en.eq(scan.taken),
        wheel.clear_index.eq(scan.taken_index),
        sources.slot.eq(blocks.slot),
        sequencer.rows_busy.eq(
            scan.busy
            | sources.busy
            | blocks.jobs_wait
            | blocks.passes.busy
            | (~wheel.idle if params.axons else 0)
        ),
    ]


def _scanned_word(m: Module, blocks: Blocks, scan: BitScanner) -> Value:
    """Return the word that the scan asked for, also after chains have used the wheel."""
    wheel, sources = blocks.wheel, blocks.sources
    if not blocks.params.axons:
        return wheel.word
    just_read, kept = Signal(), Signal(16)
    m.d.sync += just_read.eq(scan.read_en)
    with m.If(just_read):
        m.d.sync += kept.eq(wheel.word)
    # While a bit is set, the scan neither reads nor clears a word.
    m.d.comb += scan.hold.eq(sources.spikes.valid | ~wheel.idle)
    return Mux(just_read, wheel.word, kept)


def _real_sources(m: Module, blocks: Blocks, index) -> Signal:
    """Return which bits of a word stand for a source: in the last of the inputs or neurons not all do."""
    params = blocks.params
    real = Signal(16)
    m.d.comb += real.eq(0xFFFF)
    with m.Switch(index):
        last = 0
        for count in (params.inputs, params.neurons, params.axons):
            last += -(-count // 16)
            if not count:
                continue
            with m.Case(last - 1):
                m.d.comb += real.eq((1 << (count - 1) % 16 + 1) - 1)
    return real


def _generate(m: Module, blocks: Blocks, scan: BitScanner, real: Signal):
    """Let the generators add their spikes to the scan."""
    generators, registers = blocks.generators, blocks.registers
    m.d.comb += [
        generators.start.eq(blocks.sequencer.rows_start),
        generators.written.eq(blocks.bridge.written),
        generators.words.eq(scan.extra_words),
        scan.extra_words.eq(registers.gen_words),
        generators.now.eq(registers.now),
        generators.rng.eq(registers.gen_rng),
        registers.gen_rng_next.eq(generators.rng_next),
        registers.gen_rng_en.eq(generators.rng_en),
        # No word of a silent step has a spike.
        scan.extra.valid.eq(generators.bits.valid | generators.silent),
        scan.extra.payload.eq(generators.bits.payload & real),
        generators.bits.ready.eq(scan.extra.ready),
    ]
