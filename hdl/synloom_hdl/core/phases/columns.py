"""Columns: every neuron that fired is recorded, learns and sends its spike."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal

from synloom.contract.records import RecordKind
from synloom.contract.registers import Mode
from synloom_hdl.arithmetic import below
from synloom_hdl.core.blocks import Blocks
from synloom_hdl.core.scanner import BitScanner
from synloom_hdl.core.sequencer import Phase

__all__ = ["join_columns"]


def join_columns(m: Module, blocks: Blocks) -> None:
    """Every neuron that fired is recorded, learns and sends its spike."""
    params, sequencer, registers = blocks.params, blocks.sequencer, blocks.registers
    fired, recorder = blocks.fired, blocks.recorder
    words = params.neuron_words
    m.submodules.fired_scan = scan = BitScanner(words)
    raster = registers.mode[Mode.RASTER]
    as_bitmap = Signal()
    # The last neurons' spikes are counted before the sweep is over, and this a clock later.
    m.d.sync += as_bitmap.eq(~below(blocks.spike_count, words))
    _wheel_spikes(m, blocks)
    m.d.comb += [
        fired.slot.eq(blocks.slot),
        fired.learn.eq(registers.mode[Mode.LEARN]),
        sequencer.columns_wanted.eq(blocks.spike_count != 0),
        sequencer.head_wanted.eq(raster & (blocks.spike_count != 0)),
        sequencer.head_word.eq(Mux(as_bitmap, RecordKind.BITMAP << 14 | words, blocks.spike_count)),
        scan.start.eq(sequencer.columns_start),
        blocks.fired_read.addr.eq(scan.read_index),
        blocks.fired_read.en.eq(scan.read_en),
        # Words that no sweep wrote are empty.
        scan.word.eq(Mux((scan.taken_index << 4) < registers.sweep_count, blocks.fired_read.data, 0)),
        scan.hold.eq(raster & as_bitmap & ~recorder.body.ready),
        sequencer.columns_busy.eq(
            scan.busy | fired.busy | blocks.jobs_wait | blocks.passes.busy | ~blocks.wheel.idle
        ),
    ]
    # A fork: an id goes to the dispatcher and, in a list of spikes, to the recorder, or to none.
    listed = raster & ~as_bitmap
    m.d.comb += [
        fired.ids.payload.eq(scan.ids.payload),
        fired.ids.valid.eq(scan.ids.valid & (~listed | recorder.body.ready)),
        scan.ids.ready.eq(fired.ids.ready & (~listed | recorder.body.ready)),
    ]
    if params.dendritic_delays:
        _due_columns(m, blocks)
    with m.If(sequencer.phase == Phase.PROBES):
        m.d.comb += [
            recorder.body.valid.eq(blocks.probes.words.valid),
            recorder.body.payload.eq(blocks.probes.words.payload),
            blocks.probes.words.ready.eq(recorder.body.ready),
        ]
    with m.Elif(listed):
        m.d.comb += [
            recorder.body.valid.eq(scan.ids.valid & fired.ids.ready),
            recorder.body.payload.eq(scan.ids.payload),
        ]
    with m.Else():
        m.d.comb += [
            recorder.body.valid.eq(scan.taken & raster),
            recorder.body.payload.eq(scan.taken_word),
        ]


def _due_columns(m: Module, blocks: Blocks):
    """Scan the wheel for the columns that are due, after the neurons that fired."""
    params, sequencer, wheel, fired = blocks.params, blocks.sequencer, blocks.wheel, blocks.fired
    m.submodules.due_scan = scan = BitScanner(params.neuron_words)
    m.d.comb += [
        scan.start.eq(sequencer.due_start),
        scan.word.eq(wheel.word),
        sequencer.due_busy.eq(scan.busy | fired.busy | blocks.jobs_wait | blocks.passes.busy),
    ]
    late = Signal()
    with m.If(sequencer.due_start):
        m.d.sync += late.eq(1)
    with m.Elif(sequencer.step_ends):
        m.d.sync += late.eq(0)
    m.d.comb += fired.due.eq(late)
    with m.If(late):
        m.d.comb += [
            wheel.read_en.eq(scan.read_en),
            wheel.read_index.eq(params.source_words + scan.read_index),
            wheel.clear_en.eq(scan.taken),
            wheel.clear_index.eq(params.source_words + scan.taken_index),
            fired.ids.payload.eq(scan.ids.payload),
            fired.ids.valid.eq(scan.ids.valid),
            scan.ids.ready.eq(fired.ids.ready),
        ]


def _wheel_spikes(m: Module, blocks: Blocks):
    """Let rows and neurons set the wheel's bits in their phases, and events otherwise."""
    wheel, events, fired = blocks.wheel, blocks.events, blocks.fired
    phases = {Phase.COLUMNS: fired.spikes, None: events.spikes}
    if blocks.params.axons:
        phases = {Phase.ROWS: blocks.sources.spikes, **phases}
    with m.Switch(blocks.sequencer.phase):
        for phase, spikes in phases.items():
            with m.Default() if phase is None else m.Case(phase):
                m.d.comb += [
                    wheel.spikes.valid.eq(spikes.valid),
                    wheel.spikes.payload.eq(spikes.payload),
                    spikes.ready.eq(wheel.spikes.ready),
                ]
