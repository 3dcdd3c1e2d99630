"""Small networks and a port that fails on demand, shared by the tests of the SDK."""

from typing import Any

from synloom import (
    LIF,
    STDP,
    AllToAll,
    Device,
    FixedProbability,
    InputPopulation,
    Network,
    OneToOne,
    PoissonInput,
    Population,
    Projection,
    compile,
)
from synloom_sim.model_port import ModelPort


def open_model(network: Network, params: Any = None) -> Device:
    """Compile a network and load it into the model."""
    image = compile(network, params)
    device = Device(ModelPort(image.params))
    device.load(image)
    return device


def delta_cell(**changes: Any) -> LIF:
    """Neurons with delta synapses: weights are in mV, 20 mV fire."""
    return LIF(**{"tau_syn_E": 0.0, "tau_syn_I": 0.0, **changes})


def relay(n: int = 4, *, dt: float = 1.0, weight: float = 20.0, **projection: Any) -> Network:
    """Inputs 'in' that make each of the neurons 'out' fire in the step in which they spike."""
    network = Network(dt=dt, seed=1)
    source = network.add(InputPopulation(n, label="in"))
    target = network.add(Population(n, delta_cell(), label="out"))
    network.add(Projection(source, target, OneToOne(), weight=weight, label="relay", **projection))
    return network


def dense(n_in: int = 20, n: int = 30, weight: float = 0.5) -> Network:
    """All-to-all from 'in' to 'out', static."""
    network = Network(seed=2)
    source = network.add(InputPopulation(n_in, label="in"))
    target = network.add(Population(n, LIF(), label="out"))
    network.add(Projection(source, target, AllToAll(), weight=weight, label="w"))
    return network


def rich_network() -> Network:
    """Inputs with spikes of their own, two populations, and a plastic projection."""
    network = Network(dt=0.5, seed=9)
    source = network.add(InputPopulation(5, spike_times=[[1.0, 2.0]] * 5, label="in"))
    cell = LIF(theta_plus=0.5, tau_m=[10.0, 20.0, 30.0], v_rest=[-60.0, -65.0, -70.0], v_reset=-71.0)
    target = network.add(Population(3, cell, label="out"))
    network.add(Population(2, LIF(), label="more"))
    network.add(Projection(source, target, AllToAll(), weight=0.3, delay=1.0, plasticity=STDP(), label="w"))
    return network


class BreakingPort(ModelPort):
    """The model behind a connection that breaks: `fault` is raised at the call counted down to."""

    fault: BaseException | None = None
    countdown = 0
    breaks = ""

    def break_at(self, call: str, countdown: int, fault: BaseException) -> None:
        """Raise `fault` at the n-th call of a method, once."""
        self.breaks, self.countdown, self.fault = call, countdown, fault

    def _tick(self, call: str) -> None:
        if call != self.breaks or self.fault is None:
            return
        self.countdown -= 1
        if self.countdown <= 0:
            fault, self.fault = self.fault, None
            raise fault

    def write(self, region: Any, offset: int, values: Any) -> None:
        """Write, or break."""
        self._tick("write")
        super().write(region, offset, values)

    def records(self, timeout: float) -> Any:
        """Return records, or break."""
        self._tick("records")
        return super().records(timeout)


def learner(seed: int = 3, rate: float = 60.0) -> Network:
    """Poisson inputs, learning excitation, recurrent inhibition, adaptation."""
    network = Network(seed=seed)
    source = network.add(PoissonInput(30, rate=rate, label="in"))
    cell = LIF(tau_syn_E=3.0, theta_plus=0.2, tau_theta=500.0, tau_refrac=2.0)
    target = network.add(Population(20, cell, label="out"))
    network.add(Projection(source, target, AllToAll(), weight=1.0, plasticity=STDP(w_max=2.0), label="w"))
    sparse = FixedProbability(0.5, allow_self_connections=False)
    network.add(Projection(target, target, sparse, weight=-1.0, delay=2.0, label="lateral"))
    return network
