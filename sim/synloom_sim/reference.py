"""The floating-point reference: the equations that the integer array approximates, in float64.

Membrane `dV/dt = -V / tau_m + I_E - I_I + I_0`, synapses `dI/dt = -I / tau_syn`, adaptive threshold
`dtheta/dt = -theta / tau_theta`, traces `dx/dt = -x / tau`. Between two grid points all are linear, so
they are integrated exactly by multiplying with exponentials (Rotter and Diesmann 1999); spikes are tied to
the grid, and the phases of a step have the array's order (docs/numbers.md). Pair STDP uses a trace for each
side (Morrison, Diesmann and Gerstner 2008). V is in mV above rest, time in ms, currents in mV/ms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["LifNeurons", "PairStdp", "ReferenceNetwork", "current_propagator", "offset_propagator"]

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class LifNeurons:
    """Parameters of leaky integrate-and-fire neurons: numbers, or (N,) arrays where the type allows.

    Parameters
    ----------
    tau_m, tau_syn_E, tau_syn_I : float
        Time constants in ms; a `tau_syn` of 0 is a delta synapse, whose weight is in mV.
    v_thresh, v_reset : float
        Threshold and reset potential in mV above rest.
    i_offset : float
        Constant current in mV/ms.
    refractory : int
        Steps after a spike during which the neuron does not fire.
    integrate : bool
        Whether V goes on in these steps; else it is constant.
    subtract : bool
        Whether a spike lowers V by `v_reset` instead of setting it.
    theta_step, tau_theta : float
        Increase of the threshold per spike, in mV; time constant of its decay, in ms.
    """

    tau_m: npt.ArrayLike
    tau_syn_E: float = 0.0
    tau_syn_I: float = 0.0
    v_thresh: npt.ArrayLike = 15.0
    v_reset: npt.ArrayLike = 0.0
    i_offset: npt.ArrayLike = 0.0
    refractory: int = 0
    integrate: bool = False
    subtract: bool = False
    theta_step: float = 0.0
    tau_theta: float = 100.0


@dataclass(frozen=True, kw_only=True)
class PairStdp:
    """Additive pair STDP on all synapses from inputs, with traces (Morrison, Diesmann and Gerstner 2008).

    A spike of a source lowers its weights by `A_minus * y`; a spike of a target raises the weights onto it
    by `A_plus * x`. A spike adds 1 to its trace, or sets it to 1 if `nearest`.

    Parameters
    ----------
    A_plus, A_minus : float
        Changes of the weight at a trace of 1, in the unit of the weights.
    tau_plus, tau_minus : float
        Time constants of the traces of sources and of targets, in ms.
    w_min, w_max : float
        Bounds of the weights.
    nearest : bool
        Pair each spike only with the latest spike of the other side.
    """

    A_plus: float
    A_minus: float
    tau_plus: float
    tau_minus: float
    w_min: float
    w_max: float
    nearest: bool = False


def current_propagator(tau_m: npt.ArrayLike, tau_syn: float, dt: float) -> Floats:
    """Return the change of V in mV after one step by a synaptic current of 1 mV/ms; 1 for a delta synapse.

    The propagator P21 of Rotter and Diesmann 1999, in a form that also holds for equal time constants.
    """
    tau = np.asarray(tau_m, dtype=np.float64)
    if tau_syn == 0.0:
        return np.ones_like(tau)
    difference = 1 / tau_syn - 1 / tau
    # (exp(-dt/tau_m) - exp(-dt/tau_syn)) / difference, without cancellation.
    safe = np.where(difference == 0.0, 1.0, difference)
    ratio = np.where(difference == 0.0, dt, -np.expm1(-dt * safe) / safe)
    brought: Floats = np.exp(-dt / tau) * ratio
    return brought


def offset_propagator(tau_m: npt.ArrayLike, dt: float) -> Floats:
    """Return the change of V in mV after one step by a constant current of 1 mV/ms."""
    tau = np.asarray(tau_m, dtype=np.float64)
    brought: Floats = -tau * np.expm1(-dt / tau)
    return brought


class ReferenceNetwork:
    """M inputs and N neurons in floating point, with the array's order of a step (docs/numbers.md).

    Parameters
    ----------
    neurons : LifNeurons
        Parameters of the neurons.
    weights : (M + N, N) float
        Weight of each synapse in mV/ms (mV for delta synapses); rows are inputs, then neurons. Positive
        weights are excitatory, negative ones inhibitory; NaN where there is no synapse.
    dt : float
        Step in ms.
    delay : int
        Delay of the neurons' spikes, in steps.
    stdp : PairStdp, optional
        Learning rule of the synapses from inputs.

    Attributes
    ----------
    v, theta : (N,) float
        Potential and adaptive part of the threshold, in mV.
    currents : (2, N) float
        Excitatory and inhibitory current, both positive.
    weights : (M + N, N) float
        Present weights.
    """

    def __init__(
        self,
        neurons: LifNeurons,
        weights: npt.ArrayLike,
        dt: float,
        delay: int = 1,
        stdp: PairStdp | None = None,
    ):
        self.weights: Floats = np.array(weights, dtype=np.float64)
        sources, n = self.weights.shape
        self.inputs = sources - n
        self.neurons, self.dt, self.delay, self.stdp = neurons, dt, delay, stdp
        self.v, self.theta = np.zeros(n), np.zeros(n)
        self.currents = np.zeros((2, n))
        self.refractory = np.zeros(n, dtype=np.int64)
        self.x, self.y = np.zeros(sources), np.zeros(n)
        self._sent: list[Ids] = [np.zeros(0, dtype=np.int64)] * delay

        tau_syn = (neurons.tau_syn_E, neurons.tau_syn_I)
        self._leak = np.exp(-dt / np.asarray(neurons.tau_m, dtype=np.float64)) * np.ones(n)
        self._synapse_leak = np.array([[np.exp(-dt / tau) if tau else 0.0] for tau in tau_syn])
        self._brings = np.array([current_propagator(neurons.tau_m, tau, dt) * np.ones(n) for tau in tau_syn])
        self._offset = np.asarray(neurons.i_offset) * offset_propagator(neurons.tau_m, dt)
        self._theta_leak = np.exp(-dt / neurons.tau_theta)

    def step(self, inputs: npt.ArrayLike) -> Ids:
        """Execute one step with spikes of the given inputs (ids); return who fired, ascending, (F,) int64."""
        active = np.concatenate([np.asarray(inputs, dtype=np.int64), self.inputs + self._sent.pop(0)])
        self._rows(active)
        fired = self._sweep()
        if self.stdp:
            self.x *= np.exp(-self.dt / self.stdp.tau_plus)
            self.y *= np.exp(-self.dt / self.stdp.tau_minus)
            self._columns(self.stdp, fired)
        self._sent.append(fired)
        return fired

    def _rows(self, active: Ids) -> None:
        rows = self.weights[active]
        self.currents[0] += np.nansum(np.maximum(rows, 0.0), axis=0)
        self.currents[1] -= np.nansum(np.minimum(rows, 0.0), axis=0)
        if self.stdp:
            learning = active[active < self.inputs]
            lowered = self.weights[learning] - self.stdp.A_minus * self.y
            self.weights[learning] = np.clip(lowered, self.stdp.w_min, self.stdp.w_max)
            self.x[active] = (0.0 if self.stdp.nearest else self.x[active]) + 1.0

    def _sweep(self) -> Ids:
        neurons = self.neurons
        excitation, inhibition = self.currents * self._brings
        u = self.v * self._leak + excitation - inhibition + self._offset
        self.currents *= self._synapse_leak
        self.theta *= self._theta_leak

        ready = self.refractory == 0
        fires = ready & (u >= np.asarray(neurons.v_thresh) + self.theta)
        reset = u - neurons.v_reset if neurons.subtract else np.asarray(neurons.v_reset)
        self.v = np.where(ready | neurons.integrate, np.where(fires, reset, u), self.v)
        self.refractory = np.where(fires, neurons.refractory, np.maximum(self.refractory - 1, 0))
        self.theta += neurons.theta_step * fires
        return np.flatnonzero(fires)

    def _columns(self, stdp: PairStdp, fired: Ids) -> None:
        raised = self.weights[: self.inputs, fired] + stdp.A_plus * self.x[: self.inputs, None]
        self.weights[: self.inputs, fired] = np.clip(raised, stdp.w_min, stdp.w_max)
        self.y[fired] = (0.0 if stdp.nearest else self.y[fired]) + 1.0
