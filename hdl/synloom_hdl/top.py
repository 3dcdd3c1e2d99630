"""The top of a bitstream: link and core, behind a byte stream or behind serial pins."""

from __future__ import annotations

from amaranth.hdl import DomainRenamer, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from synloom.contract import ArrayParams
from synloom_hdl.core.core import Core
from synloom_hdl.link.link import Link
from synloom_hdl.uart import UartReceiver, UartTransmitter

__all__ = ["ArrayTop", "UartTop"]


class ArrayTop(wiring.Component):
    """The whole array behind a byte stream; the simulated board runs it.

    Parameters
    ----------
    params : ArrayParams
    lif_domain, link_domain, passes_domain, sums_domain : str
        Clock domains of the neurons, the link, the pass engine and its accumulators. Their clock is that of
        sync, but may stop while the domain's `wanted` is low; stopping it makes a simulation faster and
        changes nothing.

    Members
    -------
    i : In(stream of 8 bits), o : Out(stream of 8 bits)
        The line, as in `Link`.
    divisor : Out(16), framing_error : In(1)
        For a UART outside.
    idle : Out(1)
        The link has nothing to do until it receives bytes or records.
    running : Out(1), paused : Out(1)
        The run.
    error : Out(1)
        As in `Link`.
    lif_wanted, link_wanted, passes_wanted, sums_wanted : Out(1)
        The clocks of these domains must run.
    """

    def __init__(
        self,
        params: ArrayParams,
        *,
        lif_domain: str = "sync",
        link_domain: str = "sync",
        passes_domain: str = "sync",
        sums_domain: str = "sync",
    ):
        self.params = params
        self._link_domain = link_domain
        self._core_domains = {
            "lif_domain": lif_domain,
            "passes_domain": passes_domain,
            "sums_domain": sums_domain,
        }
        super().__init__(
            {
                "i": In(stream.Signature(8)),
                "o": Out(stream.Signature(8)),
                "divisor": Out(16),
                "framing_error": In(1),
                "idle": Out(1),
                "running": Out(1),
                "paused": Out(1),
                "error": Out(1),
                "lif_wanted": Out(1),
                "link_wanted": Out(1),
                "passes_wanted": Out(1),
                "sums_wanted": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        link = Link(self.params)
        m.submodules.link = DomainRenamer(self._link_domain)(link)
        m.submodules.core = core = Core(self.params, **self._core_domains)
        connect(m, flipped(self.i), link.i)
        connect(m, link.o, flipped(self.o))
        connect(m, link.core, core.link)
        m.d.comb += [
            self.divisor.eq(link.divisor),
            link.framing_error.eq(self.framing_error),
            self.idle.eq(link.idle),
            self.running.eq(core.link.running),
            self.paused.eq(core.link.paused),
            self.error.eq(link.error),
            self.lif_wanted.eq(core.lif_wanted),
            self.passes_wanted.eq(core.passes_wanted),
            self.sums_wanted.eq(core.sums_wanted),
            # During a run the link is idle until the core records something.
            self.link_wanted.eq(
                ~link.idle
                | core.link.records.valid
                | core.link.flushes
                | ~core.link.running
                | core.link.paused
            ),
        ]
        return m


class UartTop(wiring.Component):
    """The whole array behind a serial port's two pins.

    Members
    -------
    rx : In(1), tx : Out(1)
        8N1 at `baud` until the divisor register says otherwise.
    idle, running, paused, error : Out(1)
        As in `ArrayTop`; `idle` also means that the last character has been sent.
    """

    def __init__(self, params: ArrayParams):
        self.params = params
        super().__init__(
            {
                "rx": In(1, init=1),
                "tx": Out(1, init=1),
                "idle": Out(1),
                "running": Out(1),
                "paused": Out(1),
                "error": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.array = array = ArrayTop(self.params)
        m.submodules.receiver = receiver = UartReceiver()
        m.submodules.transmitter = transmitter = UartTransmitter()
        connect(m, receiver.o, array.i)
        connect(m, array.o, transmitter.i)
        m.d.comb += [
            receiver.rx.eq(self.rx),
            self.tx.eq(transmitter.tx),
            receiver.divisor.eq(array.divisor),
            transmitter.divisor.eq(array.divisor),
            array.framing_error.eq(receiver.error),
            self.idle.eq(array.idle & transmitter.i.ready),
            self.running.eq(array.running),
            self.paused.eq(array.paused),
            self.error.eq(array.error),
        ]
        return m
