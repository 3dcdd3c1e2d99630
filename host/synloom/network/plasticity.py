"""Learning rules. All are settings of one pair rule, which the array executes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from synloom.base.checks import choice, real, switch
from synloom.base.errors import ParameterError

__all__ = ["STDP", "PairRule", "Plasticity", "TraceTarget"]


class Plasticity(Protocol):
    """What a projection takes as `plasticity`: anything that can be written as a pair rule."""

    def pair_rule(self) -> PairRule:
        """Return the rule in its general form."""
        ...


@dataclass(frozen=True, kw_only=True)
class PairRule:
    """The general pair rule: what a spike of either side does to the weight.

    A source's spike that arrives: ``dw = A_pre (y - y0) W``; a target's spike: ``dw = A_post (x - x0) W``.
    The trace x follows the source's arriving spikes with `tau_pre`, y the target's with `tau_post`; a spike
    adds 1 (``"all_to_all"``) or sets 1 (``"nearest"``). With additive bounds ``W = w_max - w_min``; with soft
    bounds W is ``w_max - w`` when the weight goes up and ``w - w_min`` when it goes down. Weights are signed:
    for inhibitory synapses (negative weights) "up" is towards 0.

    Parameters
    ----------
    A_pre, A_post : float
        Signed amplitudes, dimensionless.
    tau_pre, tau_post : float
        Time constants of the traces, ms.
    x0, y0 : float
        Offsets of the traces, in spikes, at least 0.
    w_min, w_max : float
        Bounds in the projection's unit (nA; mV for delta synapses).
    bounds : str
        ``"additive"`` or ``"soft"``.
    pairing : str
        ``"all_to_all"`` or ``"nearest"``.
    rounding : str
        How a change becomes steps of the weight: ``"stochastic"`` (right on average) or ``"nearest"``.
    reward : bool
        Multiply every change by the global reward (`Device.set_reward`).
    """

    A_pre: float = 0.0
    A_post: float = 0.0
    tau_pre: float = 20.0
    tau_post: float = 20.0
    x0: float = 0.0
    y0: float = 0.0
    w_min: float = 0.0
    w_max: float = 1.0
    bounds: str = "additive"
    pairing: str = "all_to_all"
    rounding: str = "stochastic"
    reward: bool = False

    def __post_init__(self) -> None:
        for name in ("A_pre", "A_post", "w_min", "w_max"):
            real(name, getattr(self, name))
        for name in ("tau_pre", "tau_post"):
            real(name, getattr(self, name), low=0.0, above=True)
        for name in ("x0", "y0"):
            real(name, getattr(self, name), low=0.0)
        _check_common(self)

    def pair_rule(self) -> PairRule:
        """Return itself."""
        return self


@dataclass(frozen=True, kw_only=True)
class STDP:
    """Spike-timing dependent plasticity with an exponential window (PyNN's SpikePairRule).

    A pair with ``s = t_post - t_pre`` (arrival at the synapse) changes the weight by
    ``A_plus exp(-s / tau_plus)`` for s >= 0 and by ``-A_minus exp(s / tau_minus)`` for s < 0, times
    ``w_max - w_min`` with additive bounds, or times the room that is left with soft bounds.

    Parameters
    ----------
    A_plus, A_minus : float
        Amplitudes as fractions of the weight's range; signs may be turned for anti-Hebbian rules.
    tau_plus, tau_minus : float
        Time constants, ms.
    w_min, w_max, bounds, pairing, rounding, reward
        As in `PairRule`.
    """

    A_plus: float = 0.01
    A_minus: float = 0.01
    tau_plus: float = 20.0
    tau_minus: float = 20.0
    w_min: float = 0.0
    w_max: float = 1.0
    bounds: str = "additive"
    pairing: str = "all_to_all"
    rounding: str = "stochastic"
    reward: bool = False

    def __post_init__(self) -> None:
        for name in ("A_plus", "A_minus", "w_min", "w_max"):
            real(name, getattr(self, name))
        for name in ("tau_plus", "tau_minus"):
            real(name, getattr(self, name), low=0.0, above=True)
        _check_common(self)

    def pair_rule(self) -> PairRule:
        """Return the rule in its general form."""
        return PairRule(
            A_pre=-self.A_minus,
            A_post=self.A_plus,
            tau_pre=self.tau_plus,
            tau_post=self.tau_minus,
            w_min=self.w_min,
            w_max=self.w_max,
            bounds=self.bounds,
            pairing=self.pairing,
            rounding=self.rounding,
            reward=self.reward,
        )


@dataclass(frozen=True, kw_only=True)
class TraceTarget:
    """The trace-target rule of Diehl and Cook: on a target's spike ``dw = A (x - target) W``.

    Sources that were active of late gain, all others lose; a source's spike alone changes nothing.

    Parameters
    ----------
    A : float
        Amplitude as a fraction of the weight's range.
    tau : float
        Time constant of the source's trace x, ms.
    target : float
        The trace at which the weight stays, in spikes.
    w_min, w_max, bounds, pairing, rounding, reward
        As in `PairRule`.
    """

    A: float = 0.01
    tau: float = 20.0
    target: float = 0.4
    w_min: float = 0.0
    w_max: float = 1.0
    bounds: str = "additive"
    pairing: str = "all_to_all"
    rounding: str = "stochastic"
    reward: bool = False

    def __post_init__(self) -> None:
        for name in ("A", "w_min", "w_max"):
            real(name, getattr(self, name))
        real("tau", self.tau, low=0.0, above=True)
        real("target", self.target, low=0.0)
        _check_common(self)

    def pair_rule(self) -> PairRule:
        """Return the rule in its general form."""
        return PairRule(
            A_post=self.A,
            tau_pre=self.tau,
            x0=self.target,
            w_min=self.w_min,
            w_max=self.w_max,
            bounds=self.bounds,
            pairing=self.pairing,
            rounding=self.rounding,
            reward=self.reward,
        )


def _check_common(rule: PairRule | STDP | TraceTarget) -> None:
    choice("bounds", rule.bounds, ("additive", "soft"))
    choice("pairing", rule.pairing, ("all_to_all", "nearest"))
    choice("rounding", rule.rounding, ("stochastic", "nearest"))
    switch("reward", rule.reward)
    if rule.w_min >= rule.w_max:
        raise ParameterError(f"w_min must be below w_max, but they are {rule.w_min:g} and {rule.w_max:g}")
