"""The regions INFO and LINK, which the link serves itself."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract.info import encode_info
from synloom.contract.regions import Region
from synloom.contract.registers import link
from synloom_hdl.arithmetic import below
from synloom_hdl.core_interface import BusSignature
from synloom_hdl.ram_style import block_ram

__all__ = ["LinkRegisters"]

_EVENTS = {
    "crc_errors": "frame_dropped",
    "overflows": "frame_overflowed",
    "framing_errors": "framing_error",
    "resends": "resent",
}
_FIRST_EVENT = link("crc_errors").offset
_HALF = 128
"""INFO is in the first half of the memory, LINK in the second."""


class LinkRegisters(wiring.Component):
    """Serve accesses to INFO and LINK, and pass all others on to the core.

    Both are in one memory, with three clocks an access. The counters of LINK are in it, too, and are updated
    in turn; an event is remembered until its counter's turn. Counters saturate at 255, and any write clears
    them. Two events of one kind within a turn count as one.

    Parameters
    ----------
    params : ArrayParams
        The contents of INFO; clock and baud rate give the reset value of `divisor`.

    Members
    -------
    bus : In(BusSignature())
        From the command processor.
    core : Out(BusSignature())
        To the core.
    divisor : Out(16)
        Clocks per bit of the serial port.
    first_record : In(16)
        Offset of the oldest word in the record ring.
    frame_dropped, frame_overflowed, framing_error, resent : In(1)
        Strobes that the counters count.
    """

    def __init__(self, params):
        self.params = params
        super().__init__(
            {
                "bus": In(BusSignature()),
                "core": Out(BusSignature()),
                "divisor": Out(16, init=max(1, min(0xFFFF, round(params.clock_hz / params.baud)))),
                "first_record": In(16),
                **{strobe: In(1) for strobe in _EVENTS.values()},
            }
        )

    def elaborate(self, platform):
        m = Module()
        words = encode_info(self.params)
        assert len(words) <= _HALF
        assert [link(name).offset - _FIRST_EVENT for name in _EVENTS] == [0, 1, 2, 3]
        words += [0] * (2 * _HALF - len(words))
        words[_HALF + link("divisor").offset] = self.divisor.init
        attributes = block_ram(platform, 16 * len(words), seldom=True)
        m.submodules.words = storage = memory.Memory(shape=16, depth=len(words), init=words, attrs=attributes)
        write, read = storage.write_port(), storage.read_port(transparent_for=())

        request = self.bus.request.p
        place = request.offset[:7]
        is_link, is_ours = Signal(), Signal()
        asked, accepted, passed_on = Signal(), Signal(), Signal()
        writes, is_event, tells_first = Signal(), Signal(), Signal()
        answers = Signal()
        # Whose turn it is, and which events wait. A counter is read, raised and stored.
        turn, waiting = Signal(2), Signal(len(_EVENTS))
        counts, stores, is_full, count = Signal(), Signal(), Signal(), Signal(8)
        waits = waiting.bit_select(turn, 1)
        m.d.comb += [
            is_link.eq(request.region == Region.LINK),
            # Beyond these offsets nothing exists, in the core either.
            is_ours.eq((is_link | (request.region == Region.INFO)) & ~request.offset[7:].any()),
            accepted.eq(asked & ~counts & ~stores),
            is_event.eq(~below(place, _FIRST_EVENT) & below(place, _FIRST_EVENT + len(_EVENTS))),
            writes.eq(accepted & is_link & request.write & below(place, link("first_record").offset)),
            read.addr.eq(
                Mux(
                    accepted,
                    Cat(place, is_link),
                    Cat((turn + _FIRST_EVENT)[:3], Const(_HALF >> 3, 5)),
                )
            ),
            write.addr.eq(read.addr),
            write.data.eq(Mux(stores, count, Mux(is_event, 0, request.data))),
            write.en.eq(writes | (stores & ~is_full)),
            self.core.request.payload.eq(self.bus.request.payload),
            self.core.request.valid.eq(passed_on),
            self.bus.request.ready.eq(accepted | (passed_on & self.core.request.ready)),
            self.bus.done.eq(answers | self.core.done),
            tells_first.eq(is_link & (place == link("first_record").offset)),
            self.bus.data.eq(Mux(answers, Mux(tells_first, self.first_record, read.data), self.core.data)),
        ]
        strobes = Cat(getattr(self, strobe) for strobe in _EVENTS.values())
        m.d.sync += [
            # A clock late: neither the memory nor the core waits for the command that is being decoded.
            asked.eq(self.bus.request.valid & is_ours & ~accepted),
            passed_on.eq(self.bus.request.valid & ~is_ours & ~(passed_on & self.core.request.ready)),
            answers.eq(accepted),
            counts.eq(waits & ~counts & ~stores & ~accepted),
            stores.eq(counts),
            count.eq(read.data[:8] + 1),
            is_full.eq(read.data[:8].all()),
            waiting.eq((waiting & ~Mux(stores, 1 << turn, 0)) | strobes),
        ]
        with m.If(stores | ~waits):
            m.d.sync += turn.eq(turn + 1)
        with m.If(writes & (place == link("divisor").offset)):
            m.d.sync += self.divisor.eq(request.data)
        return m
