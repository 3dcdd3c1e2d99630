"""Stillness: a sweep that would change nothing is skipped (docs/decisions/idle-steps.md)."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from synloom.contract import ArrayParams
from synloom.contract.traces import TRACES, Side

__all__ = ["Stillness"]


class Stillness(wiring.Component):
    """Watches the sweep's results, and says what the next sweep need not do.

    *Neurons.* What a sweep makes of a neuron depends on its state, its sums, its parameters and on whether an
    event fires it; the dither changes no state that is 0. So if a sweep began with all state and all sums 0
    and ended with all state 0 and no spike, the next one would do the same, until something else than a sweep
    changes one of these.

    *Traces.* A decay leaves a trace at 0 that is 0. So if a decay left all its traces at 0, the next one will
    do so, too, until a spike raises one of them.

    A write of the host, to any region, ends both.

    Parameters
    ----------
    params : ArrayParams

    Members
    -------
    start : In(1)
        The phase of the sweep begins.
    written : In(1)
        The host has written.
    disturbed : In(1)
        Sums may no longer be 0, or an event may fire a neuron.
    moves : In(neuron_lanes)
        A neuron of this lane was updated, and it fired or its new state is not 0.
    raised : In(2)
        A trace of a source (bit 0) or of a target (bit 1) is raised.
    decays : In(len(TRACES)), left : In(lanes)
        A chunk of this trace decays; a lane's trace is not 0 afterwards. Not in the clock of `start`.
    neurons_rest : Out(1), traces_rest : Out(len(TRACES))
        In the clock of `start`: this sweep, or the decay of this trace, would change nothing. It is not to be
        done then.
    """

    def __init__(self, params: ArrayParams):
        self.params = params
        super().__init__(
            {
                "start": In(1),
                "written": In(1),
                "disturbed": In(1),
                "moves": In(params.neuron_lanes),
                "raised": In(len(Side)),
                "decays": In(len(TRACES)),
                "left": In(params.lanes),
                "neurons_rest": Out(1),
                "traces_rest": Out(len(TRACES)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        self._watch_neurons(m)
        self._watch_traces(m)
        return m

    def _watch_neurons(self, m: Module):
        # Whether the last sweep moved a neuron; whether anything has disturbed them since it began; whether
        # all was 0 then. At first nothing is known.
        moved, disturbed, began_at_0 = Signal(init=1), Signal(init=1), Signal()
        moves = Signal.like(self.moves)
        m.d.comb += self.neurons_rest.eq(began_at_0 & ~moved & ~disturbed)
        # A register, since new state is wide.
        m.d.sync += moves.eq(self.moves)
        with m.If(self.start & ~self.neurons_rest):
            m.d.sync += [began_at_0.eq(~moved & ~disturbed), moved.eq(0), disturbed.eq(0)]
        with m.If(moves.any() | self.written):
            m.d.sync += moved.eq(1)
        with m.If(self.disturbed):
            m.d.sync += disturbed.eq(1)

    def _watch_traces(self, m: Module):
        decays, left = Signal.like(self.decays), Signal.like(self.left)
        m.d.sync += [decays.eq(self.decays), left.eq(self.left)]
        raised = dict(zip(Side, self.raised, strict=True))
        for k, trace in enumerate(TRACES):
            lives = Signal(init=1, name=f"{trace.name}_lives")
            m.d.comb += self.traces_rest[k].eq(~lives)
            with m.If(self.start):
                m.d.sync += lives.eq(0)
            with m.If((decays[k] & left.any()) | raised[trace.side] | self.written):
                m.d.sync += lives.eq(1)
