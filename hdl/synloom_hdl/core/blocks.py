"""The blocks of the array, and what the phases of a step tell each other."""

from __future__ import annotations

from amaranth.hdl import Signal, unsigned
from amaranth.lib import memory
from amaranth.lib.wiring import PureInterface
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom.contract.regions import Region
from synloom.contract.traces import TRACES
from synloom_hdl.core.counters import Counters
from synloom_hdl.core.dispatch import FiredDispatcher, SourceDispatcher
from synloom_hdl.core.dither import Dither
from synloom_hdl.core.events import EventQueue
from synloom_hdl.core.forced import Forced
from synloom_hdl.core.generators import Generators
from synloom_hdl.core.neuron_sweep import Neurons
from synloom_hdl.core.passes import PassEngine
from synloom_hdl.core.probes import Probes
from synloom_hdl.core.recorder import Recorder
from synloom_hdl.core.region_bridge import RegionBridge
from synloom_hdl.core.registers import ControlRegisters
from synloom_hdl.core.sequencer import Sequencer
from synloom_hdl.core.serial_neurons import SerialNeurons
from synloom_hdl.core.wheel import Wheel

__all__ = ["Blocks"]


class Blocks:
    """The blocks that `Core` joins, and the signals that more than one phase of a step uses.

    Parameters
    ----------
    params : ArrayParams
    sums_domain : str
        Clock domain of the accumulators, as in `ArrayTop`.

    Attributes
    ----------
    generators, forced : Generators, Forced
        Only with the parameters `generators` and `teaching`.
    ports : dict of Region to interface
        Where the host, or the probes, read and write each region; `bridge` leads there.
    neurons_rest, traces_rest : Signal
        The sweep need not move the neurons, or a trace, since all are 0.
    slot : Signal
        The slot of the wheel that belongs to this step.
    jobs_wait : Signal
        Passes are waiting for the pass engine.
    decaying : Signal
        The traces that have still to decay in this step.
    spike_count : Signal
        How many neurons fired in this step.
    fired_bits : Memory
        Which ones, sixteen to a word; the sweep writes it, the columns read it.
    """

    generators: Generators
    forced: Forced

    def __init__(self, params: ArrayParams, *, sums_domain: str):
        self.params = params
        self.sequencer = Sequencer(params)
        self.registers = ControlRegisters(params)
        self.counters = Counters(params)
        self.passes = PassEngine(params, sums_domain=sums_domain)
        self.neurons = (SerialNeurons if params.serial_neurons else Neurons)(params)
        self.dither = Dither(params)
        self.wheel = Wheel(params)
        self.events = EventQueue(params)
        self.sources = SourceDispatcher(params)
        self.fired = FiredDispatcher(params)
        self.recorder = Recorder()
        self.probes = Probes(params)
        if params.generators:
            self.generators = Generators(params)
        if params.teaching:
            self.forced = Forced(params)
        self.ports = self._ports()
        self.bridge = RegionBridge(params, self.ports)
        self.neurons_rest, self.traces_rest = Signal(), Signal(len(TRACES))
        self.slot = Signal(ceil_log2(params.delay_slots))
        self.jobs_wait = Signal()
        self.decaying = Signal(len(TRACES))
        self.spike_count = Signal(range(params.neurons + 1))
        self.fired_bits = memory.Memory(shape=unsigned(16), depth=max(2, params.neuron_words), init=[])
        self.fired_read, self.fired_write = self.fired_bits.read_port(), self.fired_bits.write_port()

    def _ports(self) -> dict[Region, PureInterface]:
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
            Region.PROBES: self.probes.table,
        }
        if self.params.generators:
            ports |= {Region.GEN_RATE: self.generators.rates, Region.GEN_PHASE: self.generators.phases}
        if self.params.spike_counters:
            ports[Region.SPIKE_COUNTS] = self.fired.counts
        return ports
