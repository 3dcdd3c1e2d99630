"""Learning rules: settings of one general pair rule, which the array executes.

Sources: Bi and Poo (1998) and Song, Miller and Abbott (2000) for pair STDP, Morrison, Diesmann and Gerstner
(2008) for its form with traces, Diehl and Cook (2015) for the trace-target rule, Frémaux and Gerstner (2016)
for three-factor rules. See docs/numbers.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from synloom.base.checks import choice, real, switch
from synloom.base.errors import ParameterError

__all__ = ["STDP", "PairRule", "Plasticity", "TraceTarget"]


class Plasticity(Protocol):
    """Interface of a projection's `plasticity`: any rule that can be written as a pair rule."""

    def pair_rule(self) -> PairRule:
        """Return the equivalent `PairRule`."""
        ...


@dataclass(frozen=True, kw_only=True)
class PairRule:
    """The general pair rule, by traces (Morrison, Diesmann and Gerstner 2008).

    When a spike of the source arrives, the weight changes by ``dw = A_pre (y - y0) W``; when the target
    fires, by ``dw = A_post (x - x0) W``. The trace x of the source decays with `tau_pre`, the trace y of the
    target with `tau_post`. Each spike (of a source, when it arrives) adds 1 to its trace (``"all_to_all"``)
    or sets it to 1 (``"nearest"``).

    With additive bounds ``W = w_max - w_min``; with soft bounds W is the room that is left: ``w_max - w``
    upwards, ``w - w_min`` downwards. Weights are signed: for inhibitory synapses (negative weights) upwards
    is towards 0.

    Parameters
    ----------
    A_pre, A_post : float
        Signed amplitudes, as fractions of W.
    tau_pre, tau_post : float
        Time constants of the traces, ms.
    x0, y0 : float
        Offsets subtracted from the traces, in spikes, at least 0.
    w_min, w_max : float
        Bounds of the weight in the projection's unit (nA; mV for delta synapses), `w_min` below `w_max`.
    bounds : str
        ``"additive"`` or ``"soft"``.
    pairing : str
        ``"all_to_all"`` or ``"nearest"``.
    rounding : str
        How a change is rounded to a unit of the weight: ``"stochastic"`` (right on average) or ``"nearest"``.
    reward : bool
        Multiply each change by the global reward (`Device.set_reward`): a three-factor rule (Frémaux and
        Gerstner 2016).

    Raises
    ------
    ParameterError
        If a value has the wrong type or is out of range.
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
        """Return the rule itself."""
        return self


@dataclass(frozen=True, kw_only=True)
class STDP:
    """Spike-timing-dependent plasticity with exponential windows (PyNN's SpikePairRule).

    The target fires at ``t_post``, and the spike of the source arrives at ``t_pre``. A pair with
    ``s = t_post - t_pre`` changes the weight by ``A_plus exp(-s / tau_plus)`` for s >= 0 and by
    ``-A_minus exp(s / tau_minus)`` for s < 0, times the W of `PairRule`: the range of the weight with
    additive bounds, the room that is left with soft bounds. Measured by Bi and Poo (1998); as a model by
    Song, Miller and Abbott (2000).

    Parameters
    ----------
    A_plus, A_minus : float
        Amplitudes as fractions of W; negative ones make anti-Hebbian rules.
    tau_plus, tau_minus : float
        Time constants, ms.
    w_min, w_max, bounds, pairing, rounding, reward
        As in `PairRule`.

    Raises
    ------
    ParameterError
        If a value has the wrong type or is out of range.
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

    names: ClassVar[Mapping[str, str]] = {
        "A_pre": "A_minus",
        "A_post": "A_plus",
        "tau_pre": "tau_plus",
        "tau_post": "tau_minus",
    }
    """What this rule calls the parameters of the pair rule."""

    def __post_init__(self) -> None:
        for name in ("A_plus", "A_minus", "w_min", "w_max"):
            real(name, getattr(self, name))
        for name in ("tau_plus", "tau_minus"):
            real(name, getattr(self, name), low=0.0, above=True)
        _check_common(self)

    def pair_rule(self) -> PairRule:
        """Return the equivalent `PairRule`."""
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
    """The trace-target rule (Diehl and Cook 2015): when the target fires, ``dw = A (x - target) W``.

    Weights of recently active sources grow, all others shrink; a spike of the source changes nothing. W is
    that of `PairRule`.

    Parameters
    ----------
    A : float
        Amplitude as a fraction of W.
    tau : float
        Time constant of the source's trace x, ms.
    target : float
        Value of x, in spikes, at which the weight does not change; at least 0.
    w_min, w_max, bounds, pairing, rounding, reward
        As in `PairRule`.

    Raises
    ------
    ParameterError
        If a value has the wrong type or is out of range.
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

    names: ClassVar[Mapping[str, str]] = {"A_post": "A", "tau_pre": "tau", "x0": "target"}
    """What this rule calls the parameters of the pair rule."""

    def __post_init__(self) -> None:
        for name in ("A", "w_min", "w_max"):
            real(name, getattr(self, name))
        real("tau", self.tau, low=0.0, above=True)
        real("target", self.target, low=0.0)
        _check_common(self)

    def pair_rule(self) -> PairRule:
        """Return the equivalent `PairRule`."""
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
        raise ParameterError(f"w_min must be below w_max ({rule.w_max:g}), not {rule.w_min:g}")
