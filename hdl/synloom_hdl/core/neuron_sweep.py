"""The sweep: the memories of neurons, and the lanes that update them."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom.contract.dither import DITHER_BITS, INDEX
from synloom.contract.memory import Memory
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom_hdl.arithmetic import popcount
from synloom_hdl.core.accumulators import groups, sums_layout
from synloom_hdl.core.neuron_lane import NeuronLane, parameter_delays
from synloom_hdl.core.shared_memory import AccessSignature, SharedMemory
from synloom_hdl.core.timing import LIF_CLOCKS, NeuronStage
from synloom_hdl.pipeline import Pipeline, Staged, cat

__all__ = ["Neurons"]

_LAST = 1 + LIF_CLOCKS
"""The last stage of the sweep, in which the new state is written."""


def _elements(lanes: int, table: Memory) -> list[int | None]:
    """Return the memory element behind each (lane, column) of a host offset."""
    words = table.layout.words
    return [
        lane * words + column if column < words else None
        for lane in range(lanes)
        for column in range(table.offset(1))
    ]


class Neurons(wiring.Component):
    """Updates neurons 0..sweep_count-1 in ascending order, `neuron_lanes` a clock.

    Parameters
    ----------
    params : ArrayParams

    Members
    -------
    start : In(1)
        Begin a sweep.
    busy : Out(1)
        A sweep is going on.
    sweep_count : In, adapt : In(1)
        Registers SWEEP_COUNT and MODE.adapt.
    dither : In(32)
        w(0) of the sweep; from three clocks after its start to its end.
    sweep_en, sweep_group, sums
        The accumulators' sweep port.
    forced_en : Out(1), forced_index : Out, forced : In(16)
        Which neurons an event fires: a word of their bitmap, asked for in one clock and valid from the next
        on (only with `teaching`).
    forced_done : Out(1)
        The word that was asked for in the clock before is not needed again.
    word_en : Out(1), word_index : Out, word : Out(16)
        Which neurons fired, one bitmap word at a time, ascending.
    spikes : Out
        How many neurons fired, in this clock.
    saturations : Out
        How often state was clipped, in this clock.
    moves : Out(neuron_lanes)
        A lane's neuron was updated in this clock, and it fired or its new state is not 0.
    parameters, state : In(AccessSignature)
        NEURON_PARAMS and NEURON_STATE.
    """

    def __init__(self, params: ArrayParams):
        self.params = params
        super().__init__(
            {
                "start": In(1),
                "busy": Out(1),
                "sweep_count": In(16),
                "adapt": In(1),
                "dither": In(DITHER_BITS),
                "sweep_en": Out(1),
                "sweep_group": Out(groups(params)),
                "sums": In(sums_layout(params)),
                "forced_en": Out(1),
                "forced_index": Out(range(max(2, params.neuron_words))),
                "forced": In(16),
                "forced_done": Out(1),
                "word_en": Out(1),
                "word_index": Out(range(max(2, params.neuron_words))),
                "word": Out(16),
                "spikes": Out(range(params.neuron_lanes + 1)),
                "saturations": Out(range(5 * params.neuron_lanes + 1)),
                "moves": Out(params.neuron_lanes),
                "parameters": In(AccessSignature()),
                "state": In(AccessSignature()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters, state = self._stores(m)
        active, group = self._walk(m)
        # Stage 0 asks the memories, stage 1 gives what they have to the lanes, the last writes the new state.
        pipe = Pipeline(m, [True] * _LAST, valid=active)
        valids = [pipe.valid.at(stage) for stage in range(_LAST + 1)]
        m.d.comb += [
            self.busy.eq(self.start | Cat(*valids).any()),
            self.sweep_en.eq(active),
            self.sweep_group.eq(group),
            parameters.read_row.eq(group),
            parameters.read_en.eq(active),
            state.read_row.eq(group),
            state.read_en.eq(active),
        ]
        used = pipe.enter("used", self._used(m, group))
        self._ask_forced(m, pipe, active, group)
        lanes = self._lanes(m, pipe.valid.at(1), used.at(1), parameters, state)
        self._dithers(m, pipe, lanes)
        fired = Signal(len(lanes))
        m.d.comb += fired.eq(Cat(lane.fires for lane in lanes))
        done, place, written = valids[_LAST], pipe.enter("group", group).at(_LAST), used.at(_LAST)
        words = len(state.write_en) // len(lanes)
        with m.If(done):
            m.d.comb += [
                state.write_row.eq(place),
                state.write_en.eq(cat(*(written[n].replicate(words) for n in range(len(lanes))))),
                self.spikes.eq(popcount(fired)),
                self.saturations.eq(sum(lane.saturations for lane in lanes)),
                self.moves.eq(
                    Cat(
                        written.value[n] & (lane.fires | lane.next_state.as_value().any())
                        for n, lane in enumerate(lanes)
                    )
                ),
            ]
        self._collect(m, fired, done, place)
        return m

    def _walk(self, m: Module) -> tuple[Signal, Signal]:
        """Go through the groups of neurons; return whether there is one, and which."""
        lane_bits = ceil_log2(self.params.neuron_lanes)
        active = Signal()
        group = Signal(self.sweep_group.shape())
        final = Signal(range(len(groups(self.params)) + 1))
        m.d.comb += final.eq((((self.sweep_count + 15) >> 4) << (4 - lane_bits)) - 1)
        with m.If(self.start & (self.sweep_count != 0)):
            m.d.sync += [active.eq(1), group.eq(0)]
        with m.If(active):
            m.d.sync += group.eq(group + 1)
            with m.If(group == final):
                m.d.sync += active.eq(0)
        return active, group

    def _used(self, m: Module, group: Signal) -> Signal:
        """Return which neurons of a group are in use."""
        lanes = self.params.neuron_lanes
        used = Signal(lanes)
        first = group << ceil_log2(lanes)
        m.d.comb += used.eq(Cat(first + n < self.sweep_count for n in range(lanes)))
        return used

    def _lanes(self, m: Module, valid: Staged, used: Staged, parameters, state) -> list[NeuronLane]:
        """Make the lanes between the memories."""
        lanes = []
        for n in range(self.params.neuron_lanes):
            words = len(parameters.delays) // self.params.neuron_lanes
            delays = parameters.delays[words * n : words * n + words]
            m.submodules[f"lane{n}"] = lane = NeuronLane(self.params, delays)
            m.d.comb += [
                lane.valid.eq(valid & used[n]),
                lane.parameters.eq(parameters.row.word_select(n, len(lane.parameters.as_value()))),
                lane.state.eq(state.row.word_select(n, len(lane.state.as_value()))),
                lane.sums.eq(self.sums[n]),
                lane.forced.eq(self._forced[n]),
                lane.adapt.eq(self.adapt),
                state.write.word_select(n, len(lane.state.as_value())).eq(lane.next_state),
            ]
            lanes.append(lane)
        return lanes

    def _ask_forced(self, m: Module, pipe: Pipeline, active: Signal, group: Signal):
        """Ask for the forced neurons of a group; keep in `_forced` which they are, in stage 1."""
        parts = 16 // self.params.neuron_lanes
        index = group >> ceil_log2(parts)
        m.d.comb += [self.forced_en.eq(active), self.forced_index.eq(index)]
        part = pipe.enter("part", (group[: ceil_log2(parts)] if parts > 1 else Const(0, 1))).at(1)
        self._forced = Signal(self.params.neuron_lanes)
        if self.params.teaching:
            m.d.comb += [
                self._forced.eq(self.forced.word_select(part.value, self.params.neuron_lanes)),
                self.forced_done.eq(pipe.valid.at(1).value & (part.value == parts - 1)),
            ]

    def _dithers(self, m: Module, pipe: Pipeline, lanes: list[NeuronLane]):
        """Give each neuron its dither: the step's, and as often INDEX as its number says."""
        # The lanes begin in stage 1. Two stages for the sums.
        last = 1 + NeuronStage.MULTIPLY
        first = last - 2
        place = Signal(DITHER_BITS)
        with m.If(self.start):
            m.d.sync += place.eq(0)
        with m.Elif(pipe.valid.at(first).value):
            m.d.sync += place.eq(place + (INDEX * len(lanes)) % (1 << DITHER_BITS))
        sum_ = pipe.enter("place", place, first) + pipe.steady(self.dither)
        base = pipe.next("base", sum_, DITHER_BITS)
        for n, lane in enumerate(lanes):
            offset = Const(n * INDEX % (1 << DITHER_BITS), DITHER_BITS)
            m.d.comb += lane.dither.eq(pipe.next(f"dither{n}", base + offset, DITHER_BITS))

    def _collect(self, m: Module, fired: Signal, done: Staged, place: Staged):
        """Collect the lanes' bits until a bitmap word is full."""
        lanes = self.params.neuron_lanes
        parts = 16 // lanes
        if parts == 1:
            m.d.comb += [self.word.eq(fired), self.word_en.eq(done)]
        else:
            earlier = Signal(16 - lanes)
            m.d.comb += [
                self.word.eq(Cat(earlier, fired)),
                self.word_en.eq(done & (place[: ceil_log2(parts)] == parts - 1)),
            ]
            with m.If(done):
                m.d.sync += earlier.eq(self.word >> lanes)
        m.d.comb += self.word_index.eq(place >> ceil_log2(parts))

    def _stores(self, m: Module) -> list[SharedMemory]:
        """Make the memories of parameters and of state; a row is one neuron of each lane."""
        params, lanes = self.params, self.params.neuron_lanes
        stores = []
        for name, host, region in (
            ("parameters", self.parameters, Region.NEURON_PARAMS),
            ("state", self.state, Region.NEURON_STATE),
        ):
            table = memory_of(params, region)
            m.submodules[name] = store = SharedMemory(
                rows=max(2, 16 * params.neuron_words // lanes),
                element_bits=16,
                elements=_elements(lanes, table),
                size=table.size,
                array_writes="nothing" if name == "parameters" else "rows",
                delays=parameter_delays(table.layout) * lanes if name == "parameters" else None,
            )
            wiring.connect(m, wiring.flipped(host), store.host)
            stores.append(store)
        return stores
