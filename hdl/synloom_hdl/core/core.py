"""The array: every block of a time step, joined."""

from __future__ import annotations

from amaranth.hdl import Cat, DomainRenamer, Module, Mux, Signal, Value, unsigned
from amaranth.lib import fifo, memory, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom.contract.records import RecordKind
from synloom.contract.regions import Region
from synloom.contract.registers import LIST_VALID, Mode
from synloom.contract.traces import TRACES, Side
from synloom_hdl.arithmetic import below
from synloom_hdl.core.counters import Counters
from synloom_hdl.core.dispatch import FiredDispatcher, SourceDispatcher
from synloom_hdl.core.dither import Dither
from synloom_hdl.core.events import EventQueue
from synloom_hdl.core.forced import Forced
from synloom_hdl.core.generators import Generators
from synloom_hdl.core.neuron_sweep import Neurons
from synloom_hdl.core.passes import PassEngine
from synloom_hdl.core.payloads import decay_of
from synloom_hdl.core.probes import Probes
from synloom_hdl.core.recorder import Recorder
from synloom_hdl.core.region_bridge import RegionBridge
from synloom_hdl.core.registers import ControlRegisters
from synloom_hdl.core.scanner import BitScanner
from synloom_hdl.core.sequencer import Phase, Sequencer
from synloom_hdl.core.serial_neurons import SerialNeurons
from synloom_hdl.core.stillness import Stillness
from synloom_hdl.core.wheel import Wheel
from synloom_hdl.core_interface import CoreSignature

__all__ = ["Core"]

_JOBS = 4
"""Passes that wait: enough for the scan of empty words to hide behind them."""

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
        self._domains = lif_domain, passes_domain, sums_domain
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
        params = self.params
        m.submodules.sequencer = self.sequencer = Sequencer(params)
        m.submodules.registers = self.registers = ControlRegisters(params)
        m.submodules.counters = self.counters = Counters(params)
        lif_domain, passes_domain, sums_domain = self._domains
        self.passes = PassEngine(params, sums_domain=sums_domain)
        m.submodules.passes = DomainRenamer(passes_domain)(self.passes)
        self.neurons = (SerialNeurons if params.serial_neurons else Neurons)(params)
        m.submodules.neurons = DomainRenamer(lif_domain)(self.neurons)
        m.submodules.dither = self.dither = Dither(params)
        m.submodules.wheel = self.wheel = Wheel(params)
        m.submodules.events = self.events = EventQueue(params)
        m.submodules.sources = self.sources = SourceDispatcher(params)
        m.submodules.fired = self.fired = FiredDispatcher(params)
        m.submodules.recorder = self.recorder = Recorder()
        m.submodules.probes = self.probes = Probes(params)
        self._link(m)
        self._access(m)
        self._rest(m)
        self._watch(m)
        self._rows(m)
        self._sweep(m)
        self._columns(m)
        self._probes(m)
        self._count(m)
        return m

    def _link(self, m: Module):
        """Run control, events and records go straight to the link."""
        link, sequencer, events, recorder = self.link, self.sequencer, self.events, self.recorder
        connect(m, flipped(link.run), sequencer.run)
        connect(m, flipped(link.control), sequencer.control)
        connect(m, flipped(link.events), events.words)
        connect(m, flipped(link.records), recorder.words)
        connect(m, sequencer.recorder, recorder.commands)
        registers = self.registers
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
            sequencer.events_idle.eq(self.wheel.idle),
        ]

    def _access(self, m: Module):
        """Give the host, or the probes, one region at a time."""
        params, bus, sequencer, probes = self.params, self.link.bus, self.sequencer, self.probes
        ports = {
            Region.CTRL: self.registers.host,
            Region.COUNTERS: self.counters.host,
            Region.WEIGHTS: self.passes.weights,
            Region.NEURON_PARAMS: self.neurons.parameters,
            Region.NEURON_STATE: self.neurons.state,
            **{trace.region: getattr(self.passes, f"{trace.name}_traces") for trace in TRACES},
            Region.SOURCE: self.sources.sources,
            Region.TARGET: self.fired.targets,
            Region.PROGRAM: self.passes.program,
            Region.WHEEL: self.wheel.host,
            Region.PROBES: probes.table,
        }
        if params.generators:
            m.submodules.generators = self.generators = Generators(params)
            ports |= {Region.GEN_RATE: self.generators.rates, Region.GEN_PHASE: self.generators.phases}
        if params.spike_counters:
            ports[Region.SPIKE_COUNTS] = self.fired.counts
        m.submodules.bridge = self.bridge = bridge = RegionBridge(params, ports)
        connect(m, self.registers.kept, self.counters.kept)
        for region, port in ports.items():
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
            self.passes.forget.eq(bridge.written),
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
        passes, neurons, phase = self.passes, self.neurons, self.sequencer.phase
        access = self.bridge.start | self.bridge.busy
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
        passes, sequencer, neurons = self.passes, self.sequencer, self.neurons
        self.neurons_rest, self.traces_rest = Signal(), Signal(len(TRACES))
        if self.params.single_port:
            # The parts with such weights have no room for it.
            return
        m.submodules.stillness = still = Stillness(self.params)
        m.d.comb += [
            self.neurons_rest.eq(still.neurons_rest),
            self.traces_rest.eq(still.traces_rest),
            still.start.eq(sequencer.sweep_start),
            still.written.eq(self.bridge.written),
            still.disturbed.eq(self.sources.busy | (sequencer.phase == Phase.TEACH)),
            still.moves.eq(neurons.moves),
            still.raised.eq(passes.raise_en),
            still.decays.eq(passes.decays),
            still.left.eq(passes.left),
        ]

    def _rows(self, m: Module):
        """Scan the wheel and the generators; every active source makes a pass."""
        params, sequencer, registers = self.params, self.sequencer, self.registers
        wheel, sources = self.wheel, self.sources
        m.submodules.source_scan = scan = BitScanner(params.source_words)
        self._pass_jobs(m)
        if params.teaching:
            self._teach(m)
        self.slot = Signal(ceil_log2(params.delay_slots))
        with m.If(sequencer.rows_start):
            m.d.sync += self.slot.eq(registers.now)
        real = self._real_sources(m, scan.taken_index)
        if params.generators:
            self._generate(m, scan, real)
        connect(m, scan.ids, sources.ids)
        m.d.comb += [
            scan.start.eq(sequencer.rows_start),
            scan.word.eq(self._scanned_word(m, scan) & real),
            wheel.slot.eq(self.slot),
            wheel.read_en.eq(scan.read_en),
            wheel.read_index.eq(scan.read_index),
            wheel.clear_en.eq(scan.taken),
            wheel.clear_index.eq(scan.taken_index),
            sources.slot.eq(self.slot),
            sequencer.rows_busy.eq(
                scan.busy
                | sources.busy
                | self.jobs_wait
                | self.passes.busy
                | (~wheel.idle if params.axons else 0)
            ),
        ]

    def _scanned_word(self, m: Module, scan: BitScanner) -> Value:
        """Return the word that the scan asked for, also after chains have used the wheel."""
        wheel, sources = self.wheel, self.sources
        if not self.params.axons:
            return wheel.word
        just_read, kept = Signal(), Signal(16)
        m.d.sync += just_read.eq(scan.read_en)
        with m.If(just_read):
            m.d.sync += kept.eq(wheel.word)
        # While a bit is set, the scan neither reads nor clears a word.
        m.d.comb += scan.hold.eq(sources.spikes.valid | ~wheel.idle)
        return Mux(just_read, wheel.word, kept)

    def _real_sources(self, m: Module, index) -> Signal:
        """Return which bits of a word stand for a source: in the last of the inputs or neurons not all do."""
        params = self.params
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

    def _generate(self, m: Module, scan: BitScanner, real: Signal):
        """Let the generators add their spikes to the scan."""
        generators, registers = self.generators, self.registers
        m.d.comb += [
            generators.start.eq(self.sequencer.rows_start),
            generators.written.eq(self.bridge.written),
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

    def _teach(self, m: Module):
        """Let events fire neurons and change settings, once their step has begun."""
        events, registers, neurons = self.events, self.registers, self.neurons
        m.submodules.forced = self.forced = forced = Forced(self.params)
        word, is_setting = events.lessons.payload, events.lessons.payload[14]
        neuron = Signal(12)
        m.d.comb += [
            neuron.eq(word - self.params.first_neuron_source),
            events.sweep_count.eq(registers.sweep_count),
            events.lesson_enable.eq(self.sequencer.events_enable & (self.sequencer.phase == Phase.TEACH)),
            forced.neurons.valid.eq(events.lessons.valid & ~is_setting),
            forced.neurons.p.bit.eq(neuron[:4]),
            forced.neurons.p.word.eq(neuron[4:]),
            events.lessons.ready.eq(is_setting | forced.neurons.ready),
            registers.setting_en.eq(events.lessons.valid & is_setting),
            registers.setting.eq(word),
            forced.read_en.eq(neurons.forced_en),
            forced.read_index.eq(neurons.forced_index),
            forced.clear.eq(neurons.forced_done),
            forced.forget.eq(registers.now_written),
            neurons.forced.eq(forced.word),
        ]

    def _pass_jobs(self, m: Module):
        """Give the pass engine its registers and, from one block in each phase, its jobs and spikes."""
        passes, registers, sequencer = self.passes, self.registers, self.sequencer
        jobs = self._job_queue(m)
        m.d.comb += [
            passes.learn.eq(registers.mode[Mode.LEARN]),
            passes.reward.eq(registers.reward),
            passes.dither.eq(self.dither.word),
            *(getattr(passes, t.increment).eq(getattr(registers, t.increment)) for t in TRACES),
        ]
        if self.params.stochastic_rounding:
            m.d.comb += [
                passes.rng.eq(registers.learn_rng),
                registers.learn_rng_next.eq(passes.rng_next),
                registers.learn_rng_en.eq(passes.rng_en),
            ]
        self.decaying = Signal(len(TRACES))
        with m.If(sequencer.sweep_start):
            lists = [getattr(registers, trace.decay_list) for trace in TRACES]
            valid = Cat((word & LIST_VALID).any() for word in lists)
            m.d.sync += self.decaying.eq(valid & ~self.traces_rest)
        with m.Switch(sequencer.phase):
            with m.Case(Phase.ROWS):
                self._feed(m, jobs, self.sources, Side.SOURCE)
            with m.Case(Phase.SWEEP):
                self._decay(m, jobs)
            with m.Case(Phase.COLUMNS):
                self._feed(m, jobs, self.fired, Side.TARGET)

    def _feed(self, m: Module, jobs, dispatcher: SourceDispatcher | FiredDispatcher, side: Side):
        """Let the spikes of a side make passes and raise their traces."""
        m.d.comb += [
            jobs.payload.eq(dispatcher.jobs.payload),
            jobs.valid.eq(dispatcher.jobs.valid),
            dispatcher.jobs.ready.eq(jobs.ready),
            self.passes.raise_en.eq(Cat(dispatcher.raise_en if one is side else 0 for one in Side)),
            self.passes.raise_index.eq(dispatcher.raise_index),
            self.passes.raise_nearest.eq(dispatcher.raise_nearest),
        ]

    def _decay(self, m: Module, jobs):
        """Let the traces decay one after the other, in the order of their table."""
        lists = [getattr(self.registers, trace.decay_list) for trace in TRACES]
        m.d.comb += [
            jobs.valid.eq(self.decaying.any()),
            jobs.payload.kind.eq(self._first([decay_of(trace) for trace in TRACES])),
            jobs.payload.list.eq(self._first(lists)),
        ]
        with m.If(jobs.ready):
            for k, decays in enumerate(self.decaying):
                with m.If(~self.decaying[:k].any()):
                    m.d.sync += decays.eq(0)

    def _first(self, values: list) -> Value:
        """Return the value of the first trace that has not decayed yet."""
        *others, chosen = values
        for decays, value in reversed(list(zip(self.decaying, others, strict=False))):
            chosen = Mux(decays, value, chosen)
        return chosen

    def _job_queue(self, m: Module):
        """Return where passes are asked for: a queue, or the pass engine itself if its passes are long."""
        passes = self.passes.jobs
        self.jobs_wait = Signal()
        if self.params.single_port:
            return passes
        m.submodules.jobs = queue = fifo.SyncFIFO(width=len(passes.payload.as_value()), depth=_JOBS)
        jobs = passes.signature.flip().create()
        m.d.comb += [
            self.jobs_wait.eq(queue.level != 0),
            queue.w_data.eq(jobs.payload),
            queue.w_en.eq(jobs.valid),
            jobs.ready.eq(queue.w_rdy),
            passes.valid.eq(queue.r_rdy),
            passes.payload.eq(queue.r_data),
            queue.r_en.eq(passes.ready),
        ]
        return jobs

    def _sweep(self, m: Module):
        """Update the neurons; remember which fired."""
        params, sequencer, registers = self.params, self.sequencer, self.registers
        neurons, passes = self.neurons, self.passes
        m.submodules.fired_bits = bits = memory.Memory(
            shape=unsigned(16), depth=max(2, params.neuron_words), init=[]
        )
        self.fired_read, write = bits.read_port(), bits.write_port()
        self.spike_count = count = Signal(range(params.neurons + 1))
        with m.If(sequencer.sweep_start):
            m.d.sync += count.eq(0)
        with m.Else():
            m.d.sync += count.eq(count + neurons.spikes)
        m.d.comb += [
            registers.now_en.eq(sequencer.sweep_start),
            neurons.start.eq(sequencer.sweep_start & ~self.neurons_rest),
            neurons.sweep_count.eq(registers.sweep_count),
            neurons.adapt.eq(registers.mode[Mode.ADAPT]),
            self.dither.now.eq(registers.now),
            neurons.dither.eq(self.dither.word),
            passes.sweep_en.eq(neurons.sweep_en),
            passes.sweep_group.eq(neurons.sweep_group),
            neurons.sums.eq(passes.sums),
            write.addr.eq(neurons.word_index),
            write.data.eq(neurons.word),
            write.en.eq(neurons.word_en),
            sequencer.sweep_busy.eq(
                neurons.busy
                | self.decaying.any()
                | self.jobs_wait
                | passes.busy
                | (self.generators.busy if params.generators else 0)
            ),
        ]

    def _columns(self, m: Module):
        """Every neuron that fired is recorded, learns and sends its spike."""
        params, sequencer, registers = self.params, self.sequencer, self.registers
        fired, recorder = self.fired, self.recorder
        words = params.neuron_words
        m.submodules.fired_scan = scan = BitScanner(words)
        raster = registers.mode[Mode.RASTER]
        as_bitmap = Signal()
        # The last neurons' spikes are counted before the sweep is over, and this a clock later.
        m.d.sync += as_bitmap.eq(~below(self.spike_count, words))
        self._wheel_spikes(m)
        m.d.comb += [
            fired.slot.eq(self.slot),
            fired.learn.eq(registers.mode[Mode.LEARN]),
            sequencer.columns_wanted.eq(self.spike_count != 0),
            sequencer.head_wanted.eq(raster & (self.spike_count != 0)),
            sequencer.head_word.eq(Mux(as_bitmap, RecordKind.BITMAP << 14 | words, self.spike_count)),
            scan.start.eq(sequencer.columns_start),
            self.fired_read.addr.eq(scan.read_index),
            self.fired_read.en.eq(scan.read_en),
            # Words that no sweep wrote are empty.
            scan.word.eq(Mux((scan.taken_index << 4) < registers.sweep_count, self.fired_read.data, 0)),
            scan.hold.eq(raster & as_bitmap & ~recorder.body.ready),
            sequencer.columns_busy.eq(
                scan.busy | fired.busy | self.jobs_wait | self.passes.busy | ~self.wheel.idle
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
            self._due_columns(m)
        with m.If(sequencer.phase == Phase.PROBES):
            m.d.comb += [
                recorder.body.valid.eq(self.probes.words.valid),
                recorder.body.payload.eq(self.probes.words.payload),
                self.probes.words.ready.eq(recorder.body.ready),
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

    def _due_columns(self, m: Module):
        """Scan the wheel for the columns that are due, after the neurons that fired."""
        params, sequencer, wheel, fired = self.params, self.sequencer, self.wheel, self.fired
        m.submodules.due_scan = scan = BitScanner(params.neuron_words)
        m.d.comb += [
            scan.start.eq(sequencer.due_start),
            scan.word.eq(wheel.word),
            sequencer.due_busy.eq(scan.busy | fired.busy | self.jobs_wait | self.passes.busy),
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

    def _wheel_spikes(self, m: Module):
        """Let rows and neurons set the wheel's bits in their phases, and events otherwise."""
        wheel, events, fired = self.wheel, self.events, self.fired
        phases = {Phase.COLUMNS: fired.spikes, None: events.spikes}
        if self.params.axons:
            phases = {Phase.ROWS: self.sources.spikes, **phases}
        with m.Switch(self.sequencer.phase):
            for phase, spikes in phases.items():
                with m.Default() if phase is None else m.Case(phase):
                    m.d.comb += [
                        wheel.spikes.valid.eq(spikes.valid),
                        wheel.spikes.payload.eq(spikes.payload),
                        spikes.ready.eq(wheel.spikes.ready),
                    ]

    def _probes(self, m: Module):
        """Probe every so many steps."""
        sequencer, registers, probes = self.sequencer, self.registers, self.probes
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
        counters, sequencer, passes = self.counters, self.sequencer, self.passes
        phase = sequencer.phase
        from_events = Signal()
        # The wheel knows later whether the spike merges; between those of two blocks it is idle.
        with m.If(self.wheel.spikes.valid & self.wheel.spikes.ready):
            m.d.sync += from_events.eq(self.events.spikes.valid & self.events.spikes.ready)
        m.d.comb += [
            counters.steps.eq(sequencer.step_ends),
            counters.busy_clocks.eq((phase != Phase.REST) & (phase != Phase.ACCESS)),
            counters.stall_clocks.eq(sequencer.stalls),
            counters.late_steps.eq(sequencer.late),
            counters.row_passes.eq(passes.segment_done[0]),
            counters.column_passes.eq(passes.segment_done[1]),
            counters.chunks.eq(passes.chunk_done),
            counters.spikes.eq(self.neurons.spikes),
            counters.acc_saturations.eq(passes.acc_saturations),
            counters.state_saturations.eq(self.neurons.saturations),
            counters.trace_saturations.eq(passes.trace_saturates.any()),
            counters.weight_clips.eq(passes.weight_clips),
            counters.events_late.eq(self.events.late),
            counters.events_merged.eq(
                (self.wheel.merges & from_events) | (self.forced.merges if self.params.teaching else 0)
            ),
            counters.events_invalid.eq(self.events.invalid),
        ]
