"""The array: every block of a time step, joined."""

from __future__ import annotations

from amaranth.hdl import Cat, DomainRenamer, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from synloom.contract import ArrayParams
from synloom.contract.records import RecordKind
from synloom_hdl.arithmetic import below
from synloom_hdl.core.blocks import Blocks
from synloom_hdl.core.phases.columns import join_columns
from synloom_hdl.core.phases.rows import join_rows
from synloom_hdl.core.phases.sweep import join_sweep
from synloom_hdl.core.sequencer import Phase
from synloom_hdl.core.stillness import Stillness
from synloom_hdl.core_interface import CoreSignature

__all__ = ["Core"]

_ROOM_MARGIN = 8
"""Words that may still be on their way into the record buffer when its room is looked at."""

_SETTLE_CLOCKS = 8
"""More than the registers behind the last stage of a pass, a raised trace or a sum."""


class Core(wiring.Component):
    """Synapses, neurons, stimulus, recorder and sequencer behind the link's ports.

    Parameters
    ----------
    params : ArrayParams
    lif_domain, passes_domain, sums_domain : str
        Clock domains of the neurons, the pass engine and its accumulators, as in `ArrayTop`.

    Members
    -------
    link : In(CoreSignature)
    lif_wanted, passes_wanted, sums_wanted : Out(1)
        The clocks of these domains must not rest.
    """

    def __init__(
        self,
        params: ArrayParams,
        *,
        lif_domain: str = "sync",
        passes_domain: str = "sync",
        sums_domain: str = "sync",
    ):
        self.params = params
        self.blocks = Blocks(params, sums_domain=sums_domain)
        self._domains = lif_domain, passes_domain
        super().__init__(
            {
                "link": In(CoreSignature()),
                "lif_wanted": Out(1),
                "passes_wanted": Out(1),
                "sums_wanted": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        blocks = self.blocks
        lif_domain, passes_domain = self._domains
        m.submodules.sequencer = blocks.sequencer
        m.submodules.registers = blocks.registers
        m.submodules.counters = blocks.counters
        m.submodules.passes = DomainRenamer(passes_domain)(blocks.passes)
        m.submodules.neurons = DomainRenamer(lif_domain)(blocks.neurons)
        m.submodules.dither = blocks.dither
        m.submodules.wheel = blocks.wheel
        m.submodules.events = blocks.events
        m.submodules.sources = blocks.sources
        m.submodules.fired = blocks.fired
        m.submodules.recorder = blocks.recorder
        m.submodules.probes = blocks.probes
        self._link(m)
        self._access(m)
        self._rest(m)
        self._watch(m)
        join_rows(m, blocks)
        join_sweep(m, blocks)
        join_columns(m, blocks)
        self._probes(m)
        self._count(m)
        return m

    def _link(self, m: Module):
        """Run control, events and records go straight to the link."""
        blocks = self.blocks
        link, sequencer, events, recorder = self.link, blocks.sequencer, blocks.events, blocks.recorder
        connect(m, flipped(link.run), sequencer.run)
        connect(m, flipped(link.control), sequencer.control)
        connect(m, flipped(link.events), events.words)
        connect(m, flipped(link.records), recorder.words)
        connect(m, sequencer.recorder, recorder.commands)
        registers = blocks.registers
        m.d.comb += [
            link.running.eq(sequencer.running),
            link.paused.eq(sequencer.paused),
            link.event_room.eq(events.room),
            link.flushes.eq(sequencer.flushes),
            sequencer.has_room.eq(~below(link.record_room, self.params.record_worst_case + _ROOM_MARGIN)),
            sequencer.recorder_idle.eq(recorder.idle),
            sequencer.period.eq(registers.period),
            registers.status.eq(Cat(sequencer.running, sequencer.paused)),
            registers.event_room.eq(events.room),
            recorder.now.eq(registers.now),
            events.now.eq(registers.now),
            events.restart.eq(registers.now_written),
            events.enable.eq(sequencer.events_enable),
            sequencer.lesson_waits.eq(events.lesson_waits),
            sequencer.settled.eq(events.settled),
            sequencer.reaches.eq(events.reaches),
            sequencer.events_idle.eq(blocks.wheel.idle),
        ]

    def _access(self, m: Module):
        """Give the host, or the probes, one region at a time."""
        blocks = self.blocks
        params, bus, sequencer, probes = self.params, self.link.bus, blocks.sequencer, blocks.probes
        if params.generators:
            m.submodules.generators = blocks.generators
        m.submodules.bridge = bridge = blocks.bridge
        connect(m, blocks.registers.kept, blocks.counters.kept)
        for region, port in blocks.ports.items():
            connect(m, getattr(bridge, region.name.lower()), port)
        probing = Signal()
        # A clock late if the request is not stored, as its way to the registers is long; the phase is older.
        domain = m.d.sync if params.single_port else m.d.comb
        domain += probing.eq(sequencer.phase == Phase.PROBES)
        m.d.comb += [
            sequencer.access_wanted.eq(bus.request.valid),
            sequencer.access_busy.eq(bridge.busy),
            bus.request.ready.eq(sequencer.access_start),
            bridge.start.eq(sequencer.access_start | probes.access),
            bridge.request.eq(bus.request.payload),
            bus.done.eq(bridge.done & ~probing),
            bus.data.eq(bridge.data),
            probes.done.eq(bridge.done & probing),
            probes.data.eq(bridge.data),
            blocks.passes.forget.eq(bridge.written),
        ]
        with m.If(probing):
            # Probes never write, so that the data does not matter.
            m.d.comb += [
                bridge.request.region.eq(probes.request.region),
                bridge.request.offset.eq(probes.request.offset),
                bridge.request.write.eq(0),
            ]

    def _rest(self, m: Module):
        """Say which clocks may rest: those of blocks that would not change if they ran."""
        blocks = self.blocks
        passes, neurons, phase = blocks.passes, blocks.neurons, blocks.sequencer.phase
        access = blocks.bridge.start | blocks.bridge.busy
        # Amplitudes follow the reward, which a lesson may set.
        works = passes.busy | passes.raise_en.any() | neurons.sweep_en | access | (phase == Phase.TEACH)
        m.d.comb += [
            self.lif_wanted.eq(1 if self.params.serial_neurons else neurons.busy | access),
            # Single-ported weights are read in every second clock, which is counted without a rest.
            self.passes_wanted.eq(1 if self.params.single_port else self._and_after(m, works)),
            self.sums_wanted.eq(self._and_after(m, works & (phase != Phase.COLUMNS))),
        ]

    def _and_after(self, m: Module, works: Value) -> Value:
        """Return whether a block works, or did in one of the clocks that bring its registers to rest."""
        after = Signal(_SETTLE_CLOCKS)
        m.d.sync += after.eq(Cat(works, after))
        return works | after.any()

    def _watch(self, m: Module):
        """Find out what the sweep need not do, since all is 0."""
        blocks = self.blocks
        passes, sequencer, neurons = blocks.passes, blocks.sequencer, blocks.neurons
        if self.params.single_port:
            # The parts with such weights have no room for it.
            return
        m.submodules.stillness = still = Stillness(self.params)
        m.d.comb += [
            blocks.neurons_rest.eq(still.neurons_rest),
            blocks.traces_rest.eq(still.traces_rest),
            still.start.eq(sequencer.sweep_start),
            still.written.eq(blocks.bridge.written),
            still.disturbed.eq(blocks.sources.busy | (sequencer.phase == Phase.TEACH)),
            still.moves.eq(neurons.moves),
            still.raised.eq(passes.raise_en),
            still.decays.eq(passes.decays),
            still.left.eq(passes.left),
        ]

    def _probes(self, m: Module):
        """Probe every so many steps."""
        blocks = self.blocks
        sequencer, registers, probes = blocks.sequencer, blocks.registers, blocks.probes
        count = registers.probe_count
        probing = registers.probe_count != 0
        m.d.comb += [
            probes.start.eq(sequencer.probes_start),
            probes.count.eq(count),
            sequencer.probes_busy.eq(probes.busy),
            sequencer.probes_wanted.eq(probing & (registers.probe_wait == 0)),
            sequencer.probe_head.eq(RecordKind.PROBES << 14 | count),
            registers.probe_wait_en.eq(sequencer.step_ends & probing),
        ]

    def _count(self, m: Module):
        """Feed the counters."""
        blocks = self.blocks
        counters, sequencer, passes = blocks.counters, blocks.sequencer, blocks.passes
        phase = sequencer.phase
        from_events = Signal()
        # The wheel knows later whether the spike merges; between those of two blocks it is idle.
        with m.If(blocks.wheel.spikes.valid & blocks.wheel.spikes.ready):
            m.d.sync += from_events.eq(blocks.events.spikes.valid & blocks.events.spikes.ready)
        m.d.comb += [
            counters.steps.eq(sequencer.step_ends),
            counters.busy_clocks.eq((phase != Phase.REST) & (phase != Phase.ACCESS)),
            counters.stall_clocks.eq(sequencer.stalls),
            counters.late_steps.eq(sequencer.late),
            counters.row_passes.eq(passes.segment_done[0]),
            counters.column_passes.eq(passes.segment_done[1]),
            counters.chunks.eq(passes.chunk_done),
            counters.spikes.eq(blocks.neurons.spikes),
            counters.acc_saturations.eq(passes.acc_saturations),
            counters.state_saturations.eq(blocks.neurons.saturations),
            counters.trace_saturations.eq(passes.trace_saturates.any()),
            counters.weight_clips.eq(passes.weight_clips),
            counters.events_late.eq(blocks.events.late),
            counters.events_merged.eq(
                (blocks.wheel.merges & from_events) | (blocks.forced.merges if self.params.teaching else 0)
            ),
            counters.events_invalid.eq(blocks.events.invalid),
        ]
