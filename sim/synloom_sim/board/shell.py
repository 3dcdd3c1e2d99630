"""The shell around a top component that makes its simulation fast."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import ClockDomain, Module, Signal

__all__ = ["RESTING_DOMAINS", "shell"]

RESTING_DOMAINS = ("lif", "link", "passes", "sums")
"""Clock domains that are stopped while the top does not need them (see `synloom_hdl.top.ArrayTop`)."""


def shell(top: Any, *, pins: bool) -> tuple[Module, list[Signal]]:
    """Enclose a top in a module without reset and with registers at the inputs.

    Verilator evaluates the logic between inputs and registers twice per clock, and a reset reaches every
    register: without both, the board runs faster by a third. It starts in its initial state, as after
    power-up.

    Clock domains of the top can be stopped: half of the gateware is idle in any phase of a step.

    Parameters
    ----------
    top : wiring.Component
        It has byte streams `i` and `o`, or pins `rx` and `tx`; and `idle`, `running`, `paused`.
    pins : bool
        Whether the top has pins.

    Returns
    -------
    module : Module
    ports : list of Signal
        clk, idle, running and paused; a clock and its `wanted` for each resting domain; with pins, rx and tx;
        without, i_valid and i_payload (a byte to offer from the next clock on), i_taken (the byte offered now
        is taken at the end of this clock), o_valid and o_payload (a byte sent in this clock, without
        back-pressure).
    """
    m = Module()
    m.submodules.top = top
    clk, idle, running, paused = map(_bit, ("clk", "idle", "running", "paused"))
    m.d.comb += [idle.eq(top.idle), running.eq(top.running), paused.eq(top.paused)]
    ports = [clk, idle, running, paused]
    m.domains.sync = sync = ClockDomain("sync", reset_less=True)
    m.d.comb += sync.clk.eq(clk)
    for name in RESTING_DOMAINS:
        resting_clk, wanted = _bit(f"{name}_clk"), _bit(f"{name}_wanted")
        m.domains += (domain := ClockDomain(name, reset_less=True))
        m.d.comb += [domain.clk.eq(resting_clk), wanted.eq(getattr(top, f"{name}_wanted", 0))]
        ports += [resting_clk, wanted]
    if pins:
        rx, tx, rx_sampled = _bit("rx"), _bit("tx"), Signal(init=1, name="rx_sampled")
        m.d.sync += rx_sampled.eq(rx)
        m.d.comb += [top.rx.eq(rx_sampled), tx.eq(top.tx)]
        return m, [*ports, rx, tx]
    i_valid, i_taken, o_valid = map(_bit, ("i_valid", "i_taken", "o_valid"))
    i_payload, o_payload = Signal(8, name="i_payload"), Signal(8, name="o_payload")
    valid, payload = Signal(name="valid"), Signal(8, name="payload")
    m.d.sync += [valid.eq(i_valid), payload.eq(i_payload)]
    m.d.comb += [
        top.i.valid.eq(valid),
        top.i.payload.eq(payload),
        i_taken.eq(valid & top.i.ready),
        top.o.ready.eq(1),
        o_valid.eq(top.o.valid),
        o_payload.eq(top.o.payload),
    ]
    return m, [*ports, i_valid, i_payload, i_taken, o_valid, o_payload]


def _bit(name: str) -> Signal:
    return Signal(name=name)
