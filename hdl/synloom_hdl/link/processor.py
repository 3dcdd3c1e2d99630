"""The command processor: one received command after the other, one reply for each."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract.frames import MAX_READ_BYTES, Kind, Op, Status
from synloom.contract.info import MAGIC, PROTOCOL_VERSION
from synloom.contract.regions import Region
from synloom_hdl.link.commands import COMMANDS, Arguments
from synloom_hdl.link.layouts import CommandByte, FrameByte
from synloom_hdl.link.records import StreamRequest
from synloom_hdl.ports import BusSignature, RunRequest

__all__ = ["CommandProcessor"]

_GREETING = [byte for word in (*MAGIC, PROTOCOL_VERSION) for byte in (word & 0xFF, word >> 8)]
_REPLY_HEADER = 4


class CommandProcessor(wiring.Component):
    """Execute commands as docs/protocol.md says.

    A command's sequence number, op and length are judged first, then its arguments are read, then it is
    executed; the reply is sent last, or while a READ goes on. Lists are taken byte by byte as they are
    needed, so that nothing but one word is kept here.

    Parameters
    ----------
    neurons : int
        N: where a row of WEIGHTS ends.

    Members
    -------
    i : In(stream of CommandByte)
        Payloads of at least two bytes.
    o : Out(stream of FrameByte)
        Replies.
    bus : Out(BusSignature())
        All regions; `done` comes at least one clock after the request was taken.
    run, running, control, events, event_room
        As in CoreSignature.
    stream : Out(stream of StreamRequest)
        To the record ring.
    resent : Out(1)
        High for a clock when a command (not HELLO) came with the sequence number of the last.
    busy : Out(1)
        A command waits or is in progress.
    """

    def __init__(self, neurons):
        self.neurons = neurons
        super().__init__(
            {
                "i": In(stream.Signature(CommandByte)),
                "o": Out(stream.Signature(FrameByte)),
                "bus": Out(BusSignature()),
                "run": Out(stream.Signature(RunRequest)),
                "running": In(1),
                "control": Out(stream.Signature(2)),
                "events": Out(stream.Signature(16)),
                "event_room": In(16),
                "stream": Out(stream.Signature(StreamRequest)),
                "resent": Out(1),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        seq, op, more = Signal(8), Signal(8), Signal(8)
        status = Signal(Status)
        last_seq, last_status, remembers = Signal(8), Signal(Status), Signal()
        arguments = Signal(8 * Arguments.BYTES)
        place, left = Signal(range(16)), Signal(range(16))
        value = Signal(16)

        region = arguments.word_select(Arguments.REGION, 8)
        offset = arguments[8 * Arguments.OFFSET : 8 * Arguments.COUNT]
        count = arguments[8 * Arguments.COUNT :]
        shift = Signal(4)

        weights = Signal()
        ends, wraps = Signal(), Signal()
        next_offset = Signal(24)
        m.d.comb += [
            weights.eq(region == Region.WEIGHTS),
            ends.eq(more == 0),
            wraps.eq(weights & (offset[:12] == self.neurons - 1)),
            next_offset.eq(Mux(wraps, Cat(Const(0, 12), offset[12:] + 1), offset + 1)),
            self.bus.request.p.region.eq(Mux(region[5:].any(), 0x1F, region)),
            self.bus.request.p.offset.eq(offset),
            self.bus.request.p.write.eq(op != Op.READ),
            self.bus.request.p.data.eq(value),
            self.run.p.steps.eq(arguments[:32]),
            self.run.p.flags.eq(arguments[32:]),
            self.control.payload.eq(arguments),
            self.events.payload.eq(value),
            self.stream.p.eq(arguments),
        ]

        def consume():
            m.d.comb += self.i.ready.eq(1)
            m.d.sync += more.eq(self.i.p.more)

        def refuse(reason):
            m.d.sync += status.eq(reason)
            m.next = "Skip"

        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("Sequence") | self.i.valid)

            # ---- what it is --------------------------------------------------------------------
            with m.State("Sequence"):
                m.d.sync += [arguments.eq(0), status.eq(Status.OK)]
                with m.If(self.i.valid):
                    consume()
                    m.d.sync += seq.eq(self.i.p.data)
                    m.next = "Op"
            with m.State("Op"):
                with m.If(self.i.valid):
                    consume()
                    m.d.sync += op.eq(self.i.p.data)
                    m.next = "Judge"
            with m.State("Judge"):
                repeated = remembers & (seq == last_seq)
                with m.Switch(op):
                    for known, command in COMMANDS.items():
                        with m.Case(known):
                            m.d.sync += [place.eq(command.first), left.eq(command.size)]
                            fits = more >= command.size if command.has_list else more == command.size
                            with m.If(~fits):
                                refuse(Status.BAD_ARG)
                            if not command.repeats:
                                with m.Elif(repeated):
                                    refuse(last_status)
                            with m.Else():
                                m.next = "Arguments" if command.size else "Execute"
                    with m.Default():
                        refuse(Status.BAD_OP)
                with m.If(op == Op.RATES8):
                    m.d.sync += region.eq(Region.GEN_RATE)
                m.d.comb += self.resent.eq(repeated & (op != Op.HELLO))
            with m.State("Arguments"):
                with m.If(self.i.valid):
                    consume()
                    m.d.sync += [place.eq(place + 1), left.eq(left - 1)]
                    with m.If((op == Op.RATES8) & (left == 2)):
                        # Its list's shift and mode wait where other commands have a count.
                        m.d.sync += place.eq(Arguments.COUNT)
                    with m.Switch(place):
                        for k in range(Arguments.BYTES):
                            with m.Case(k):
                                m.d.sync += arguments.word_select(k, 8).eq(self.i.p.data)
                        with m.Case(Arguments.BYTES):
                            m.d.sync += value[:8].eq(self.i.p.data)
                        with m.Default():
                            m.d.sync += value[8:].eq(self.i.p.data)
                    with m.If(left == 1):
                        m.next = "Execute"

            # ---- what it does ------------------------------------------------------------------
            with m.State("Execute"):
                m.d.sync += place.eq(0)
                with m.Switch(op):
                    with m.Case(Op.READ):
                        most = Mux(weights, MAX_READ_BYTES, MAX_READ_BYTES // 2)
                        with m.If((count == 0) | (count[:16] > most)):
                            m.d.sync += status.eq(Status.BAD_ARG)
                        m.next = "Reply"
                    with m.Case(Op.WRITE):
                        with m.If(~weights & more[0]):
                            refuse(Status.BAD_ARG)
                        with m.Else():
                            m.next = "List"
                    with m.Case(Op.FILL):
                        m.next = "Request"
                        with m.If(count == 0):
                            m.next = "Reply"
                    with m.Case(Op.RUN):
                        m.next = "Run"
                        with m.If(self.running):
                            m.d.sync += status.eq(Status.BUSY)
                            m.next = "Reply"
                    with m.Case(Op.CONTROL):
                        m.next = "Control"
                        with m.If(arguments[:8] > 2):
                            m.d.sync += status.eq(Status.BAD_ARG)
                            m.next = "Reply"
                    with m.Case(Op.EVENTS):
                        with m.If(more[0]):
                            refuse(Status.BAD_ARG)
                        with m.Elif(self.event_room < more[1:]):
                            refuse(Status.BUSY)
                        with m.Else():
                            m.next = "List"
                    with m.Case(Op.RATES8):
                        m.next = "List"
                    with m.Case(Op.STREAM):
                        m.next = "Stream"
                    with m.Default():
                        m.next = "Reply"
            with m.State("Run"):
                m.d.comb += self.run.valid.eq(1)
                with m.If(self.run.ready):
                    m.next = "Reply"
            with m.State("Control"):
                m.d.comb += self.control.valid.eq(1)
                with m.If(self.control.ready):
                    m.next = "Reply"
            with m.State("Stream"):
                m.d.comb += self.stream.valid.eq(1)
                with m.If(self.stream.ready):
                    m.next = "Reply"
            with m.State("Skip"):
                m.d.sync += place.eq(0)
                with m.If(ends):
                    m.next = "Reply"
                with m.Elif(self.i.valid):
                    consume()

            # ---- lists -------------------------------------------------------------------------
            with m.State("List"):
                m.d.sync += shift.eq(count)
                with m.If(ends):
                    m.next = "Reply"
                with m.Elif(self.i.valid):
                    consume()
                    m.d.sync += value.eq(self.i.p.data)
                    m.next = "List high"
                    with m.If(op == Op.RATES8):
                        m.next = "Shift"
                    with m.Elif(weights & (op == Op.WRITE)):
                        m.next = "Request"
            with m.State("List high"):
                with m.If(self.i.valid):
                    consume()
                    m.d.sync += value[8:].eq(self.i.p.data)
                    m.next = "Request"
                    with m.If(op == Op.EVENTS):
                        m.next = "Event"
            with m.State("Event"):
                m.d.comb += self.events.valid.eq(1)
                with m.If(self.events.ready):
                    m.next = "List"
            with m.State("Shift"):
                # One place a clock, with saturation: no barrel shifter for a rare command.
                with m.If(shift == 0):
                    m.d.sync += value[15].eq(count[7])
                    m.next = "Request"
                with m.Else():
                    m.d.sync += [shift.eq(shift - 1), value.eq(Mux(value[14], 0x7FFF, value << 1))]

            # ---- the bus -----------------------------------------------------------------------
            with m.State("Request"):
                m.d.comb += self.bus.request.valid.eq(1)
                with m.If(self.bus.request.ready):
                    m.next = "Access"
            with m.State("Access"):
                with m.If(self.bus.done):
                    m.d.sync += offset.eq(next_offset)
                    with m.If(op == Op.READ):
                        m.d.sync += [value.eq(self.bus.data), count.eq(count - 1)]
                        m.next = "Value low"
                    with m.Elif(op == Op.FILL):
                        m.d.sync += count.eq(count - 1)
                        m.next = "Request"
                        with m.If(count == 1):
                            m.next = "Reply"
                    with m.Else():
                        m.next = "List"

            # ---- the reply ---------------------------------------------------------------------
            with m.State("Reply"):
                reads = (op == Op.READ) & (status == Status.OK)
                greets = (op == Op.HELLO) & (status == Status.OK)
                tells = op == Op.EVENTS
                header = Array([Const(Kind.REPLY, 8), seq, op, status, *_GREETING])
                ending = place == Mux(greets, _REPLY_HEADER + len(_GREETING), _REPLY_HEADER) - 1
                m.d.comb += [
                    self.o.valid.eq(1),
                    self.o.p.data.eq(header[place]),
                    self.o.p.last.eq(ending & ~reads & ~tells),
                ]
                m.d.sync += [
                    remembers.eq(op != Op.HELLO),
                    last_seq.eq(seq),
                    last_status.eq(status),
                ]
                with m.If(self.o.ready):
                    m.d.sync += place.eq(place + 1)
                    with m.If(ending):
                        m.d.sync += value.eq(self.event_room)
                        m.next = "Sequence"
                        with m.If(reads):
                            m.next = "Request"
                        with m.Elif(tells):
                            m.next = "Value low"
            with m.State("Value low"):
                narrow = weights & (op == Op.READ)
                m.d.comb += [
                    self.o.valid.eq(1),
                    self.o.p.data.eq(value[:8]),
                    self.o.p.last.eq(narrow & (count == 0)),
                ]
                with m.If(self.o.ready):
                    m.next = "Value high"
                    with m.If(narrow):
                        m.next = "Request"
                        with m.If(count == 0):
                            m.next = "Sequence"
            with m.State("Value high"):
                m.d.comb += [
                    self.o.valid.eq(1),
                    self.o.p.data.eq(value[8:]),
                    self.o.p.last.eq(count == 0),
                ]
                with m.If(self.o.ready):
                    m.next = "Request"
                    with m.If(count == 0):
                        m.next = "Sequence"
        return m
