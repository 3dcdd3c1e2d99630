"""What a spike causes: passes, raised traces, counts and delayed spikes."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom.contract.memory_map import layout_of, memory_of
from synloom.contract.regions import Region
from synloom_hdl.core.neuron_lane import record_layout
from synloom_hdl.core.payloads import PassKind, job_layout
from synloom_hdl.core.shared_memory import AccessSignature, SharedMemory
from synloom_hdl.core.wheel import spike_layout

__all__ = ["FiredDispatcher", "SourceDispatcher"]


class SourceDispatcher(wiring.Component):
    """For each source that spikes: raises its trace and, if it is connected, starts its row pass.

    Members
    -------
    ids : In(stream of source ids)
    busy : Out(1)
    jobs : Out(stream of job_layout)
    raise_en : Out(1), raise_index : Out, raise_nearest : Out(1)
    slot : In, spikes : Out(stream of spike_layout)
        The wheel's slot of this step, and the rows that follow later (only with axons).
    sources : In(AccessSignature)
        SOURCE.
    """

    def __init__(self, params: ArrayParams):
        self.params = params
        super().__init__(
            {
                "ids": In(stream.Signature(range(params.sources))),
                "busy": Out(1),
                "jobs": Out(stream.Signature(job_layout(params))),
                "raise_en": Out(1),
                "raise_index": Out(range(params.sources)),
                "raise_nearest": Out(1),
                "slot": In(ceil_log2(params.delay_slots)),
                "spikes": Out(stream.Signature(spike_layout(params))),
                "sources": In(AccessSignature()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params = self.params
        m.submodules.storage = storage = _table(params, Region.SOURCE, params.sources)
        wiring.connect(m, wiring.flipped(self.sources), storage.host)
        source = Signal(record_layout(layout_of(params, Region.SOURCE)))
        connected = Signal()
        index = Signal.like(self.ids.payload)
        m.d.comb += [
            source.eq(storage.row),
            storage.read_row.eq(self.ids.payload),
            self.raise_index.eq(index),
            self.raise_nearest.eq(source.nearest),
            self.jobs.p.kind.eq(PassKind.ROW),
            self.jobs.p.index.eq(index),
            self.jobs.p.list.eq(source.list),
        ]
        done = "Idle"
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("Idle"))
            if params.axons:
                done = "Chain"
                self._chain(m, storage, source, index)
            with m.State("Idle"):
                m.d.comb += [self.ids.ready.eq(1), storage.read_en.eq(self.ids.valid)]
                m.d.sync += index.eq(self.ids.payload)
                with m.If(self.ids.valid):
                    m.next = "Raise"
            with m.State("Raise"):
                m.d.comb += self.raise_en.eq(1)
                # A register, since memories are slow.
                m.d.sync += connected.eq(source.connected)
                m.next = "Pass"
            with m.State("Pass"):
                # This state is passed in any case: traces are raised at least three clocks apart.
                m.d.comb += self.jobs.valid.eq(connected)
                with m.If(~connected | self.jobs.ready):
                    m.next = done
        return m

    def _chain(self, m: Module, storage: SharedMemory, source: data.View, index: Signal):
        """Start the next row, if there is one: later by the wheel, or at once."""
        later, at_once = Signal(), Signal()
        # Registers that are valid in this state: the row was read two clocks before.
        m.d.sync += [
            later.eq(source.chained & (source.hop != 0)),
            at_once.eq(source.chained & (source.hop == 0) & (source.next > index)),
        ]
        m.d.comb += [
            self.spikes.p.slot.eq(self.slot + source.hop),
            self.spikes.p.bit.eq(source.next[:4]),
            self.spikes.p.word.eq(source.next[4:]),
        ]
        with m.State("Chain"):
            m.d.comb += self.spikes.valid.eq(later)
            with m.If(at_once):
                m.d.comb += [storage.read_row.eq(source.next), storage.read_en.eq(1)]
                m.d.sync += index.eq(source.next)
                m.next = "Raise"
            with m.Elif(~later | self.spikes.ready):
                m.next = "Idle"


def _table(params: ArrayParams, region: Region, rows: int) -> SharedMemory:
    """Return the memory of a table that only the host writes."""
    table = memory_of(params, region)
    return SharedMemory(
        rows=rows,
        element_bits=16,
        elements=range(table.layout.words),
        size=table.size,
        array_writes="nothing",
    )


class FiredDispatcher(wiring.Component):
    """For each neuron that fired: raises its trace, counts and sends its spike, starts its column pass.

    With dendritic delays the first and the last wait until its column is due.

    Members
    -------
    ids : In(stream of neuron indices)
    busy : Out(1)
    slot : In
        The wheel's slot of this step.
    learn : In(1)
        Register MODE.learn.
    due : In(1)
        The neurons are those whose columns are due, not those that fired (only with dendritic delays).
    jobs : Out(stream of job_layout)
    raise_en : Out(1), raise_index : Out, raise_nearest : Out(1)
    spikes : Out(stream of spike_layout)
    targets, counts : In(AccessSignature)
        TARGET and SPIKE_COUNTS.
    """

    def __init__(self, params: ArrayParams):
        self.params = params
        super().__init__(
            {
                "ids": In(stream.Signature(range(16 * params.neuron_words))),
                "busy": Out(1),
                "slot": In(ceil_log2(params.delay_slots)),
                "learn": In(1),
                "due": In(1),
                "jobs": Out(stream.Signature(job_layout(params))),
                "raise_en": Out(1),
                "raise_index": Out(range(params.sources)),
                "raise_nearest": Out(1),
                "spikes": Out(stream.Signature(spike_layout(params))),
                "targets": In(AccessSignature()),
                "counts": In(AccessSignature()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params = self.params
        layout = layout_of(params, Region.TARGET)
        if params.spike_counters:
            m.submodules.storage = storage = self._counting_table(m, layout.words)
        else:
            m.submodules.storage = storage = _table(params, Region.TARGET, params.neurons)
            wiring.connect(m, wiring.flipped(self.targets), storage.host)
        target = Signal(record_layout(layout))
        index = Signal.like(self.ids.payload)
        self._counts, self._to_column = Signal(), Signal()
        m.d.comb += [
            target.eq(storage.row),
            storage.read_row.eq(self.ids.payload),
            storage.read_en.eq(self.ids.valid & self.ids.ready),
            self.raise_index.eq(index),
            self.raise_nearest.eq(target.nearest),
            self.jobs.p.kind.eq(PassKind.COLUMN),
            self.jobs.p.index.eq(index),
            self.jobs.p.list.eq(target.list),
            self.spikes.p.slot.eq(self.slot + target.delay),
            self.spikes.p.bit.eq(index[:4]),
            self.spikes.p.word.eq(params.input_words + (index >> 4)),
        ]
        if params.dendritic_delays:
            with m.If(self._to_column):
                m.d.comb += [
                    self.spikes.p.slot.eq(self.slot + target.back),
                    self.spikes.p.word.eq(params.source_words + (index >> 4)),
                ]
        if params.spike_counters:
            self._count(m, storage, index)
        self._walk(m, index, target)
        return m

    def _counting_table(self, m: Module, words: int) -> SharedMemory:
        """Return the memory of TARGET with the count of each neuron behind its record.

        A neuron that fired needs both, and two memories would fill two blocks in part.
        """
        rows, host, counts = self.params.neurons, self.targets, self.counts
        word_bits = ceil_log2(words)
        elements: list[int | None] = [None] * (2 << word_bits)
        elements[:words], elements[1 << word_bits] = range(words), words
        table = SharedMemory(rows=rows, element_bits=16, elements=elements, size=rows * len(elements))
        word, row = Mux(counts.select, 0, host.offset)[:word_bits], host.offset[word_bits:]
        m.d.comb += [
            table.host.select.eq(host.select | counts.select),
            table.host.offset.eq(Cat(word, counts.select, Mux(counts.select, counts.offset, row))),
            table.host.due.eq(host.due | counts.due),
            table.host.write.eq(host.write | counts.write),
            table.host.data.eq(Mux(counts.select, counts.data, host.data)),
            # The bridge takes the OR of all regions, so that both may give it.
            host.q.eq(table.host.q),
            counts.q.eq(table.host.q),
        ]
        return table

    def _count(self, m: Module, storage: SharedMemory, index: Signal):
        """Count the neuron's spikes."""
        count = storage.row[-16:]
        more = Signal(17)
        m.d.comb += [
            # While the host writes, the sum is not used; the addend saves cells as in up_or_load.
            more.eq(count + self.counts.select.replicate(16) + 1),
            storage.write_row.eq(index),
            storage.write[-16:].eq(more),
            # A full count stays.
            storage.write_en[-1].eq(self._counts & ~more[16]),
        ]

    def _walk(self, m: Module, index: Signal, target: data.View):
        """Raise the trace, send the spike, make the pass."""
        apart = self.params.dendritic_delays
        sends, learns = Signal(), Signal()
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("Idle"))
            with m.State("Idle"):
                m.d.comb += self.ids.ready.eq(1)
                m.d.sync += index.eq(self.ids.payload)
                with m.If(self.ids.valid):
                    m.next = "Raise"
            with m.State("Raise"):
                m.d.comb += [
                    self._counts.eq(~self.due if apart else 1),
                    self.raise_en.eq(self.due if apart else 1),
                ]
                m.d.sync += [
                    sends.eq((target.delay != 0) & self._counts),
                    learns.eq(target.learns & self.learn & self.raise_en),
                ]
                m.next = "Send"
            with m.State("Send"):
                m.d.comb += self.spikes.valid.eq(sends)
                with m.If(~sends | self.spikes.ready):
                    m.next = "Idle"
                    if self.params.plasticity:
                        with m.If(learns):
                            m.next = "Pass"
                    if apart:
                        with m.If(~self.due):
                            m.next = "Column"
            with m.State("Pass"):
                m.d.comb += self.jobs.valid.eq(1)
                with m.If(self.jobs.ready):
                    m.next = "Idle"
            if apart:
                with m.State("Column"):
                    m.d.comb += [self._to_column.eq(1), self.spikes.valid.eq(1)]
                    with m.If(self.spikes.ready):
                        m.next = "Idle"
