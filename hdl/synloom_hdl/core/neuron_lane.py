"""One neuron lane: the LIF update of docs/numbers.md, one neuron a clock."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

from amaranth.hdl import Module, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract import ArrayParams
from synloom.contract.dither import DITHER_BITS
from synloom.contract.layout import Layout
from synloom.contract.memory_map import layout_of
from synloom.contract.regions import Region
from synloom_hdl.arithmetic import decay_dither, decay_shift, minimum
from synloom_hdl.core.timing import LIF_CLOCKS, NeuronStage
from synloom_hdl.pipeline import Pipeline, Staged, cat, mux

__all__ = ["NeuronLane", "parameter_delays", "record_layout"]

_FIRST_USES = {
    **dict.fromkeys(("g_e", "g_i"), NeuronStage.SCALE),
    **dict.fromkeys(("bias", "thr"), NeuronStage.INTEGRATE),
    **dict.fromkeys(("reset", "th_step"), NeuronStage.COMPARE),
    **dict.fromkeys(("refractory", "subtract", "integrate"), NeuronStage.CHOOSE),
}
"""The stage that first uses a parameter; `MULTIPLY` for all others."""


def parameter_delays(layout: Layout) -> list[int]:
    """Return for each word of a neuron's parameters how many clocks later than the state it may be read."""
    uses = [
        [_FIRST_USES.get(f.name, NeuronStage.MULTIPLY) for f in layout.fields.values() if word in f.words]
        for word in range(layout.words)
    ]
    return [min(stages, default=NeuronStage.SCALE) - NeuronStage.SCALE for stages in uses]


def record_layout(layout: Layout) -> data.FlexibleLayout:
    """Return the shape of a memory record whose fields the contract has placed."""
    return data.FlexibleLayout(
        16 * layout.words,
        {
            f.name: data.Field(signed(f.width) if f.signed else unsigned(f.width), f.start)
            for f in layout.fields.values()
        },
    )


class NeuronLane(wiring.Component):
    """Leaky integrate-and-fire with exponential currents, refractoriness and adaptive threshold.

    A pipeline for one neuron a clock; `NeuronStage` has its stages. A decay multiplies by exp(-dt/tau), as in
    exact integration (Rotter and Diesmann 1999). Every sum is exact, and clipped once.

    Parameters
    ----------
    params : ArrayParams
    delays : sequence of int, optional
        For each word of the parameters: how many clocks later than the state it comes, at most as
        `parameter_delays` says. What comes late needs no registers on its way to the stage that uses it.

    Members
    -------
    valid : In(1)
        The neuron is in use; else it neither fires nor counts.
    parameters : In(NEURON_PARAMS' record), state : In(NEURON_STATE's record), sums : In({e, i})
        One neuron.
    forced : In(1)
        An event fires the neuron.
    adapt : In(1)
        Register MODE.adapt; constant during a sweep.
    dither : In(32)
        The neuron's dither, in its stage MULTIPLY.
    next_state : Out(NEURON_STATE's record)
        `LIF_CLOCKS` later, like the following.
    fires : Out(1)
        The neuron spikes.
    saturations : Out(range(6))
        How often its state was clipped.
    """

    def __init__(self, params: ArrayParams, delays: Sequence[int] | None = None):
        self.params = params
        self._layout = layout_of(params, Region.NEURON_PARAMS)
        self._delays = delays or [0] * self._layout.words
        pair = data.StructLayout({"e": params.accumulator_bits, "i": params.accumulator_bits})
        state = record_layout(layout_of(params, Region.NEURON_STATE))
        super().__init__(
            {
                "valid": In(1),
                "parameters": In(record_layout(self._layout)),
                "state": In(state),
                "sums": In(pair),
                "forced": In(1),
                "adapt": In(1),
                "dither": In(DITHER_BITS),
                "next_state": Out(state),
                "fires": Out(1),
                "saturations": Out(range(6)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        self._pipe = pipe = Pipeline(m, [True] * LIF_CLOCKS, valid=self.valid)
        self._adapt = pipe.steady(self.adapt)
        # Memories are slow: their words have the first stage for themselves.
        self._s, sums = (
            pipe.enter(name, getattr(self, name), NeuronStage.FETCH).at(NeuronStage.SCALE)
            for name in ("state", "sums")
        )
        self._p = self._parameters()
        self._forced = pipe.enter("forced", self.forced, NeuronStage.FETCH)
        self._dither = pipe.enter("dither", self.dither, NeuronStage.MULTIPLY)
        p, s = self._p, self._s
        e, clips_e = self._add("e", sums.e, p.g_e, s.ie)
        i, clips_i = self._add("i", sums.i, p.g_i, s.ii)
        theta = self._threshold_decay() if self.params.adaptation else None
        u, clips_u = self._integrate(e, i)
        fires, ready, reduced = self._compare(u, theta)
        v, clips_v = self._potential(u, fires, ready, reduced)
        state = {
            "v": v,
            "refr": self._refractory_time(fires, ready),
            "ie": self._decay("e", e, p.de, p.exponent_e),
            "ii": self._decay("i", i, p.di, p.exponent_i),
        }
        clips = [clips_e, clips_i, clips_u.at(NeuronStage.CHOOSE) & self._moves(ready), clips_v]
        if theta is not None:
            state["theta"], clips_theta = self._threshold_rise(theta, fires)
            clips.append(clips_theta)
        self._give(m, state, fires, clips)
        return m

    def _parameters(self) -> SimpleNamespace:
        """Return the parameters, each in the stage in which the last of its words is there."""
        pipe, fields = self._pipe, {}
        first, behind = (
            [stage + delay for delay in self._delays] for stage in (NeuronStage.FETCH, NeuronStage.SCALE)
        )
        row = self.parameters.as_value()
        words = [
            pipe.enter(f"parameters{n}", row.word_select(n, 16), first[n]).at(behind[n])
            for n in range(self._layout.words)
        ]
        for field in self._layout.fields.values():
            end, stage = field.start + field.width, max(behind[n] for n in field.words)
            parts = [
                words[n][max(field.start - 16 * n, 0) : min(end - 16 * n, 16)].at(stage) for n in field.words
            ]
            shape = signed(field.width) if field.signed else unsigned(field.width)
            fields[field.name] = pipe.wire(field.name, cat(*parts), shape)
        return SimpleNamespace(**fields)

    def _add(self, name: str, charge: Staged, gain: Staged, current: Staged) -> tuple[Staged, Staged]:
        """SCALE and ADD: return a current with its input, and whether it was clipped."""
        pipe, params = self._pipe, self.params
        shifted = pipe.next(f"shifted_{name}", charge << gain, params.accumulator_bits + 15)
        total = pipe.wire(f"total_{name}", shifted + current.at(NeuronStage.ADD), 40)
        return (
            pipe.next(f"current_{name}", minimum(total, params.state_max), params.state_bits - 1),
            pipe.next(f"clips_{name}", total > params.state_max),
        )

    def _decay(self, name: str, size: Staged, coefficient: Staged, exponent: Staged) -> Staged:
        """MULTIPLY, ROUND and DECAY: return a magnitude after its decay (docs/numbers.md)."""
        pipe, width = self._pipe, len(size)
        size, coefficient, exponent = (v.at(NeuronStage.MULTIPLY) for v in (size, coefficient, exponent))
        product = pipe.next(f"{name}_product", size * coefficient)
        takes_all = pipe.next(f"{name}_takes_all", (coefficient == 0xFFFF) & (exponent == 0))
        dither = pipe.next(f"{name}_dither", decay_dither(self._dither, exponent))
        total = pipe.wire(f"{name}_total", product + dither)
        loss = pipe.next(f"{name}_loss", decay_shift(total, exponent.at(NeuronStage.ROUND), width))
        left = mux(takes_all.at(NeuronStage.DECAY), 0, size.at(NeuronStage.DECAY) - loss)
        return pipe.next(f"{name}_left", left, width)

    def _threshold_decay(self) -> Staged:
        """MULTIPLY to DECAY: return the adaptive part of the threshold after its decay."""
        p = self._p
        dth = self._pipe.wire("dth", mux(self._adapt, p.dth, 0))
        return self._decay("theta", self._s.theta, dth, p.exponent_th)

    def _integrate(self, e: Staged, i: Staged) -> tuple[Staged, Staged]:
        """MULTIPLY to CLIP: return the potential after a step without a spike, and whether it was clipped."""
        pipe, p, v, bits = self._pipe, self._p, self._s.v, self.params.state_bits
        negative = pipe.wire("negative", v < 0)
        size = pipe.next("size", mux(negative, -v, v), bits)
        left = self._decay("v", size, p.dm, p.exponent_m)
        signed_v = mux(negative.at(NeuronStage.INTEGRATE), -left, left)
        e, i, bias = (value.at(NeuronStage.INTEGRATE) for value in (e, i, p.bias))
        u = pipe.next("u", signed_v + e - i + bias, signed(bits + 3))
        u_sat, clips = self._clip(u)
        return pipe.next("u_sat", u_sat, signed(bits)), pipe.next("clips_u", clips)

    def _compare(self, u: Staged, theta: Staged | None) -> tuple[Staged, Staged, Staged]:
        """COMPARE: return whether the neuron fires, whether it may, and its potential minus reset."""
        pipe, p, bits = self._pipe, self._p, self.params.state_bits
        base = p.thr.at(NeuronStage.INTEGRATE)
        threshold = pipe.next("threshold", base + (0 if theta is None else theta), signed(bits + 1))
        ready = pipe.wire("ready", self._s.refr.at(NeuronStage.COMPARE) == 0)
        is_above = u >= threshold.at(NeuronStage.COMPARE)
        wants = ready & is_above
        if self.params.teaching:
            wants |= self._forced.at(NeuronStage.COMPARE)
        fires = pipe.next("fires", wants & pipe.valid.at(NeuronStage.COMPARE))
        reduced = pipe.next("reduced", u - p.reset.at(NeuronStage.COMPARE), signed(bits + 1))
        return fires, ready.at(NeuronStage.CHOOSE), reduced

    def _potential(self, u: Staged, fires: Staged, ready: Staged, reduced: Staged) -> tuple[Staged, Staged]:
        """CHOOSE: return the new potential, and whether a reset by subtraction was clipped."""
        u, subtract, reset, old = (
            value.at(NeuronStage.CHOOSE) for value in (u, self._p.subtract, self._p.reset, self._s.v)
        )
        reduced_sat, clips = self._clip(reduced)
        after = mux(fires, mux(subtract, reduced_sat, reset), u)
        return mux(self._moves(ready), after, old), fires & subtract & clips

    def _moves(self, ready: Staged) -> Staged:
        """CHOOSE: return whether the potential moves, which it may do in the refractory time, too."""
        moves = ready | self._p.integrate.at(NeuronStage.CHOOSE)
        return moves | self._forced.at(NeuronStage.CHOOSE) if self.params.teaching else moves

    def _refractory_time(self, fires: Staged, ready: Staged) -> Staged:
        """CHOOSE: return the steps of refractoriness that are left."""
        left, after_spike = (value.at(NeuronStage.CHOOSE) for value in (self._s.refr, self._p.refractory))
        return mux(fires, after_spike, mux(ready, 0, left - 1))

    def _threshold_rise(self, theta: Staged, fires: Staged) -> tuple[Staged, Staged]:
        """COMPARE and CHOOSE: return the adaptive part of the threshold, and whether it was clipped."""
        top = self.params.state_max
        sum_ = theta.at(NeuronStage.COMPARE) + self._p.th_step.at(NeuronStage.COMPARE)
        raised = self._pipe.next("raised", sum_, self.params.state_bits)
        rises = fires & self._adapt
        return mux(rises, minimum(raised, top), theta.at(NeuronStage.CHOOSE)), rises & (raised > top)

    def _give(self, m: Module, state: dict[str, Staged], fires: Staged, clips: list[Staged]):
        """Give the results of CHOOSE to the outputs, through registers."""
        pipe = self._pipe
        for name, value in state.items():
            shape = self.next_state.shape()[name].shape
            new = pipe.next(f"next_{name}", value.at(NeuronStage.CHOOSE), shape)
            m.d.comb += getattr(self.next_state, name).eq(new)
        count = sum(clip.at(NeuronStage.CHOOSE) for clip in clips)
        counted = mux(pipe.valid.at(NeuronStage.CHOOSE), count, 0)
        m.d.comb += [
            self.fires.eq(fires.at(LIF_CLOCKS)),
            self.saturations.eq(pipe.next("counted", counted, self.saturations.shape())),
        ]

    def _clip(self, value: Staged) -> tuple[Staged, Staged]:
        """Return a potential clipped to its limits, and whether it was."""
        top = self.params.state_max
        above, below = value > top, value < -top
        return mux(above, top, mux(below, -top, value)), above | below
