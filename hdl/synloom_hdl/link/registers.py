"""INFO and LINK: the regions that the link answers itself."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract.info import encode_info
from synloom.contract.regions import LINK_REGISTERS, Region
from synloom_hdl.ports import BusSignature

__all__ = ["LinkRegisters"]

_EVENTS = {
    "crc_errors": "frame_dropped",
    "overflows": "frame_overflowed",
    "framing_errors": "framing_error",
    "resends": "resent",
}


class LinkRegisters(wiring.Component):
    """Answer INFO and LINK, pass every other access on to the core.

    Counters saturate at 255 and are cleared by writing anything.

    Parameters
    ----------
    params : ArrayParams
        What INFO tells; clock and baud give `divisor` its reset value.

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
        m.submodules.info = info = memory.Memory(shape=16, depth=256, init=encode_info(self.params))
        rom = info.read_port()

        request = self.bus.request.p
        place = request.offset[: (len(LINK_REGISTERS) - 1).bit_length()]
        is_info, is_link, is_ours = Signal(), Signal(), Signal()
        accepted, reading, answers = Signal(), Signal(), Signal()
        is_there, exists, was_info, writes = Signal(), Signal(), Signal(), Signal()
        register, answer = Signal(16), Signal(16)

        m.d.comb += [
            is_info.eq(request.region == Region.INFO),
            is_link.eq(request.region == Region.LINK),
            is_ours.eq(is_info | is_link),
            is_there.eq(~request.offset[8:].any() & (is_info | ~request.offset[len(place) : 8].any())),
            accepted.eq(self.bus.request.valid & is_ours),
            writes.eq(accepted & is_link & is_there & request.write),
            rom.addr.eq(request.offset),
            self.core.request.payload.eq(self.bus.request.payload),
            self.core.request.valid.eq(self.bus.request.valid & ~is_ours),
            self.bus.request.ready.eq(is_ours | self.core.request.ready),
            self.bus.done.eq(answers | self.core.done),
            self.bus.data.eq(Mux(answers, answer, self.core.data)),
        ]
        m.d.sync += [
            reading.eq(accepted),
            exists.eq(is_there),
            was_info.eq(is_info),
            answers.eq(reading),
            answer.eq(Mux(exists, Mux(was_info, rom.data, register), 0)),
        ]

        contents = {
            "divisor": self.divisor,
            "scratch": Signal(16, name="scratch"),
            "first_record": self.first_record,
        }
        for name, strobe in _EVENTS.items():
            counter = contents[name] = Signal(8, name=name)
            with m.If(getattr(self, strobe) & ~counter.all()):
                m.d.sync += counter.eq(counter + 1)
        with m.Switch(place):
            for name, entry in LINK_REGISTERS.items():
                with m.Case(entry.offset):
                    m.d.sync += register.eq(contents[name])
                    if entry.writable:
                        with m.If(writes):
                            m.d.sync += contents[name].eq(0 if name in _EVENTS else request.data)
            with m.Default():
                m.d.sync += register.eq(0)
        return m
