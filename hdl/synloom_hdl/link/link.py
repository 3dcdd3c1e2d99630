"""The link: frames on one side, the core's ports on the other."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from synloom.contract.frames import RX_WINDOW
from synloom_hdl.core_interface import CoreSignature
from synloom_hdl.link.arbiter import FrameArbiter
from synloom_hdl.link.deframer import Deframer
from synloom_hdl.link.frame_fifo import FrameFifo
from synloom_hdl.link.framer import Framer
from synloom_hdl.link.processor import CommandProcessor
from synloom_hdl.link.records import RecordRing
from synloom_hdl.link.registers import LinkRegisters

__all__ = ["Link"]


class Link(wiring.Component):
    """Speak docs/protocol.md to the host on behalf of a core.

    No correct frame is lost as long as the host keeps to RX_WINDOW; a frame that is wrong or does not fit is
    dropped and counted. If nobody reads `o`, commands wait, and then the core waits for room for its records.

    Parameters
    ----------
    params : ArrayParams
        Sizes, and what INFO tells.

    Members
    -------
    i : In(stream of 8 bits)
        From the line; `ready` two clocks after a byte at the latest.
    o : Out(stream of 8 bits)
        To the line.
    core : Out(CoreSignature())
        The core.
    divisor : Out(16)
        Clocks per bit for a UART.
    framing_error : In(1)
        Strobe of a UART that received a broken character.
    idle : Out(1)
        Nothing received waits, no command is in progress, nothing is left to send. A frame of which only a
        part has come does not count.
    error : Out(1)
        Strobe: something that came over the line was lost (a character, a frame).
    """

    def __init__(self, params):
        self.params = params
        super().__init__(
            {
                "i": In(stream.Signature(8)),
                "o": Out(stream.Signature(8)),
                "core": Out(CoreSignature()),
                "divisor": Out(16),
                "framing_error": In(1),
                "idle": Out(1),
                "error": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.deframer = deframer = Deframer()
        m.submodules.received = received = FrameFifo(RX_WINDOW)
        m.submodules.processor = processor = CommandProcessor(self.params)
        m.submodules.registers = registers = LinkRegisters(self.params)
        m.submodules.ring = ring = RecordRing(self.params.record_words)
        m.submodules.arbiter = arbiter = FrameArbiter()
        m.submodules.framer = framer = Framer()

        connect(m, flipped(self.i), deframer.i)
        connect(m, received.o, processor.i)
        connect(m, processor.bus, registers.bus)
        connect(m, registers.core, flipped(self.core.bus))
        connect(m, processor.run, flipped(self.core.run))
        connect(m, processor.control, flipped(self.core.control))
        connect(m, processor.events, flipped(self.core.events))
        connect(m, flipped(self.core.records), ring.records)
        connect(m, processor.stream, ring.requests)
        connect(m, processor.o, arbiter.replies)
        connect(m, ring.o, arbiter.records)
        connect(m, arbiter.o, framer.i)
        connect(m, framer.o, flipped(self.o))

        m.d.comb += [
            received.puts.eq(deframer.puts),
            received.data.eq(deframer.data),
            received.commits.eq(deframer.commits),
            received.length.eq(deframer.length),
            received.drops.eq(deframer.drops),
            processor.running.eq(self.core.running),
            processor.event_room.eq(self.core.event_room),
            registers.first_record.eq(ring.first),
            arbiter.session.eq(processor.session),
            ring.drains.eq(~self.core.running | self.core.paused),
            ring.flushes.eq(self.core.flushes),
            self.core.record_room.eq(ring.room),
            registers.frame_dropped.eq(deframer.drops),
            registers.frame_overflowed.eq(received.overflows),
            registers.framing_error.eq(self.framing_error),
            registers.resent.eq(processor.resent),
            self.divisor.eq(registers.divisor),
            self.error.eq(deframer.drops | received.overflows | self.framing_error),
            self.idle.eq(
                ~self.i.valid & received.empty & ~processor.busy & ~ring.busy & ~arbiter.busy & ~framer.busy
            ),
        ]
        return m
