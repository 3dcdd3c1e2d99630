"""The command processor: it executes received commands in order and replies to each."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract.frames import CHECK_BYTES, MAX_READ_BYTES, ControlAction, Kind, Op, Status
from synloom.contract.memory_map import GENERATOR
from synloom.contract.regions import Region
from synloom_hdl.arithmetic import below
from synloom_hdl.core_interface import BusSignature, RunRequest
from synloom_hdl.counting import down_or_load
from synloom_hdl.link.arguments import Arguments
from synloom_hdl.link.commands import COMMANDS, PLACES
from synloom_hdl.link.layouts import FrameByte
from synloom_hdl.link.records import StreamRequest

__all__ = ["CommandProcessor"]

_GREETING_WORDS = 3


class CommandProcessor(wiring.Component):
    """Execute commands as specified in docs/protocol.md.

    Session, sequence number, op and length are checked first, then the arguments are shifted in, then the
    command is executed. The reply follows; that of a READ is sent while it reads. The bytes of lists are
    taken one at a time, so that only one word is stored here. The data of replies is read from the bus: the
    greeting from INFO, the room for events from CTRL.

    Parameters
    ----------
    params : ArrayParams
        N, at which a row of WEIGHTS ends; without `generators`, RATES8 has no effect.

    Members
    -------
    i : In(stream of 8 bits)
        For each command the number of its argument bytes, its payload, and the bytes of its checksum but one.
    o : Out(stream of FrameByte)
        Replies, without the session.
    session : Out(16)
        The session that is open; 0 after a reset.
    bus : Out(BusSignature())
        All regions; `done` comes at least one clock after the request was taken.
    run, running, control, events, event_room
        As in CoreSignature.
    stream : Out(stream of StreamRequest)
        To the record ring.
    resent : Out(1)
        High for a clock when the last command came again.
    busy : Out(1)
        A command waits or is in progress.
    """

    def __init__(self, params):
        self.params = params
        super().__init__(
            {
                "i": In(stream.Signature(8)),
                "o": Out(stream.Signature(FrameByte)),
                "session": Out(16),
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
        m.submodules.arguments = self.arguments = Arguments(self.params.neurons)

        # Sequence number and op; while a reply is sent they go round once.
        self.header = header = Signal(16)
        self.op = op = header[8:]
        self.is_op = {known: op == known for known in Op}
        self.status = Signal(Status)
        # The sequence number of the last command in order, and its outcome.
        self.last, self.outcome = Signal(8), Signal(2)
        # What is found out about this one: another session's, of a wrong length, the last one again, the last
        # one or the next.
        self.strange, self.cut, self.again, self.ordered = (
            Signal(name=name) for name in ("strange", "cut", "again", "ordered")
        )
        self.counts = Signal()
        # Argument bytes that are still to be taken; which of the places left take a byte (the others take 0),
        # with a one behind them.
        self.more, self.ends = Signal(8), Signal()
        self.places = Signal(PLACES + 1)
        self.takes = self.places[0]
        self.value = Signal(16)
        self.writes = Signal()

        # What the states want the registers to do.
        self.in_length, self.in_header, self.in_check = Signal(), Signal(), Signal()
        self.shifts, self.pads = Signal(), Signal()
        self.loads, self.turns = Signal(), Signal()

        self._registers(m)
        with m.FSM():
            self._receive(m)
            self._judge(m)
            self._execute(m)
            self._lists(m)
            self._access(m)
            self._reply(m)
        return m

    def _any_op(self, wanted):
        """Return whether the op is one of those whose Command satisfies a condition."""
        return Cat(self.is_op[op] for op, command in COMMANDS.items() if wanted(command)).any()

    def _registers(self, m):
        """Move bytes through header, value and arguments."""
        arguments, header, value, more = self.arguments, self.header, self.value, self.more
        taken = self.i.ready & self.i.valid
        rates = self.is_op[Op.RATES8] if self.params.generators else Const(0, 1)
        region = Signal.like(arguments.region)
        m.d.comb += [
            self.busy.eq(~self.in_length | self.i.valid),
            self.ends.eq(more == 0),
            arguments.byte.eq(value[:8]),
            # RATES8 has no region, and has shift, exponent and mode in place of the count.
            arguments.counts.eq(~rates),
            self.bus.request.p.region.eq(region),
            self.bus.request.p.offset.eq(arguments.offset),
            self.bus.request.p.write.eq(self.writes),
            self.bus.request.p.data.eq(value),
            self.run.p.eq(arguments.bytes),
            self.control.payload.eq(arguments.bytes),
            self.stream.p.eq(arguments.bytes),
            self.events.payload.eq(value),
        ]
        # Registers, since they control wide multiplexers far away; they are right a clock before an access.
        m.d.sync += [
            self.writes.eq(~self._any_op(lambda command: command.answers)),
            region.eq(arguments.region | Mux(rates, Region.GEN_RATE, 0)),
        ]
        with m.If(self.arguments.restart):
            for place in range(PLACES):
                wanted = self._any_op(lambda command, k=place: k in command.places)
                m.d.sync += self.places[place].eq(wanted)
            m.d.sync += self.places[PLACES].eq(1)
        with m.Elif(self.arguments.shifts):
            m.d.sync += self.places.eq(self.places >> 1)
        with m.If(taken & ~self.in_header & ~self.in_check):
            m.d.sync += more.eq(down_or_load(more, self.in_length, self.i.payload))
        with m.If(taken & self.in_header):
            m.d.sync += header.eq(Cat(header[8:], self.i.payload))
        with m.Elif(self.turns):
            m.d.sync += header.eq(Cat(header[8:], header[:8]))
        shifted = Cat(value[8:], Mux(self.pads, 0, self.i.payload))
        with m.If(self.shifts | self.loads):
            m.d.sync += value.eq(Mux(self.loads, self.bus.data, shifted))

    def _take(self, m, following):
        """Take a byte when there is one, then go to the following state."""
        m.d.comb += self.i.ready.eq(1)
        with m.If(self.i.valid):
            m.next = following

    def _refuse(self, m, reason):
        """Do not execute the command; reply with a status."""
        m.d.sync += self.status.eq(reason)
        m.next = "Skip"

    def _receive(self, m):
        """Take the header, and compare it with what is expected, each byte while the next is awaited.

        It is in a register then: the memory that it comes from is slow.
        """
        before, session = self.header[8:], self.session
        with m.State("Length"):
            m.d.comb += self.in_length.eq(1)
            self._take(m, "Session low")
        with m.State("Session low"):
            m.d.comb += self.in_header.eq(1)
            self._take(m, "Session high")
        with m.State("Session high"):
            m.d.comb += self.in_header.eq(1)
            m.d.sync += self.strange.eq(before != session[:8])
            self._take(m, "Sequence")
        with m.State("Sequence"):
            m.d.comb += self.in_header.eq(1)
            with m.If(before != session[8:]):
                m.d.sync += self.strange.eq(1)
            self._take(m, "Op")
        with m.State("Op"):
            m.d.comb += self.in_header.eq(1)
            ahead = Signal(8)
            m.d.comb += ahead.eq(before - self.last)
            m.d.sync += [self.again.eq(ahead == 0), self.ordered.eq(~ahead[1:].any())]
            self._take(m, "Length again")
        with m.State("Length again"):
            m.d.comb += self.in_check.eq(1)
            m.d.sync += self.cut.eq(self.i.payload != self.more)
            self._take(m, "Judge")

    def _judge(self, m):
        """Decide whether the command is executed, then shift the arguments in."""
        hello, opens = self.is_op[Op.HELLO], self.is_op[Op.OPEN]
        with m.State("Judge"):
            m.d.comb += self.arguments.restart.eq(1)
            m.d.sync += [self.status.eq(Status.OK), self.counts.eq(0)]
            m.next = "Arguments"
            with m.If(self.cut):
                self._refuse(m, Status.LENGTH)
            with m.Elif(hello):
                pass
            with m.Elif(self.strange):
                self._refuse(m, Status.SESSION)
            with m.Elif(~self.ordered & ~opens):
                self._refuse(m, Status.ORDER)
            with m.Else():
                m.d.comb += self.resent.eq(self.again & ~opens)
                m.d.sync += [self.counts.eq(1), self.last.eq(self.header[:8])]
                with m.If(~self._any_op(lambda command: True)):
                    self._refuse(m, Status.BAD_OP)
                with m.Elif(self.again & ~opens & self._any_op(lambda command: not command.repeats)):
                    self._refuse(m, self.outcome)
                with m.Elif(self.is_op[Op.EVENTS]):
                    m.next = "Execute"
        with m.State("Arguments"):
            m.d.comb += self.pads.eq(~self.takes)
            with m.If(self.takes & self.ends):
                self._refuse(m, Status.BAD_ARG)
            with m.Elif(self.i.valid | self.pads):
                m.d.comb += [
                    self.i.ready.eq(self.takes),
                    self.shifts.eq(1),
                    self.arguments.shifts.eq(1),
                ]
                with m.If(~self.places[2:].any()):
                    m.next = "Execute"
        with m.State("Skip"):
            # What is left of the payload, then of the checksum.
            m.d.comb += self.i.ready.eq(1)
            with m.If(self.i.valid & self.ends):
                m.next = "Skip 1"
        for k in range(1, CHECK_BYTES - 1):
            with m.State(f"Skip {k}"):
                m.d.comb += self.in_check.eq(1)
                self._take(m, f"Skip {k + 1}" if k + 1 < CHECK_BYTES - 1 else "Kind")

    def _execute(self, m):
        """Check the arguments, then execute the command."""
        arguments, more = self.arguments, self.more
        bad, busy = Signal(), Signal()
        with m.State("Execute"):
            with m.Switch(self.op):
                with m.Case(Op.WRITE):
                    m.d.comb += bad.eq(~arguments.weights & more[0])
                with m.Case(Op.OPEN):
                    m.d.comb += bad.eq(~self.ends)
                    m.d.sync += self.session.eq(Mux(self.ends, arguments.bytes, self.session))
                with m.Case(Op.EVENTS):
                    m.d.comb += [bad.eq(more[0]), busy.eq(self.event_room < more[1:])]
                with m.Case(Op.RATES8):
                    m.d.comb += bad.eq(0)
                with m.Case(Op.READ):
                    many = Mux(
                        arguments.weights,
                        ~below(arguments.count, MAX_READ_BYTES + 1),
                        ~below(arguments.count, MAX_READ_BYTES // 2 + 1),
                    )
                    m.d.comb += bad.eq(~self.ends | arguments.done | many)
                with m.Case(Op.RUN):
                    m.d.comb += [bad.eq(~self.ends), busy.eq(self.running)]
                with m.Case(Op.CONTROL):
                    m.d.comb += bad.eq(~self.ends | ~below(arguments.bytes[:8], len(ControlAction)))
                with m.Default():
                    m.d.comb += bad.eq(~self.ends)
            with m.If(bad):
                self._refuse(m, Status.BAD_ARG)
            with m.Elif(busy):
                self._refuse(m, Status.BUSY)
            with m.Else():
                m.next = "Skip"
                with m.Switch(self.op):
                    with m.Case(Op.WRITE, Op.EVENTS, *[Op.RATES8] * self.params.generators):
                        m.next = "List"
                    with m.Case(Op.FILL):
                        m.next = "Request"
                    with m.Case(Op.RUN, Op.CONTROL, Op.STREAM):
                        m.next = "Offer"
        with m.State("Offer"):
            ports = {
                Op.RUN: self.run,
                Op.CONTROL: self.control,
                Op.EVENTS: self.events,
                Op.STREAM: self.stream,
            }
            for op, port in ports.items():
                with m.If(self.is_op[op]):
                    m.d.comb += port.valid.eq(1)
                    with m.If(port.ready):
                        m.next = "List" if op == Op.EVENTS else "Skip"

    def _lists(self, m):
        """Assemble the words of a list from bytes."""
        arguments, value = self.arguments, self.value
        rates = self.is_op[Op.RATES8]
        narrow = (arguments.weights & self.is_op[Op.WRITE]) | rates
        with m.State("List"):
            with m.If(self.ends):
                m.next = "Skip"
            with m.Else():
                m.d.comb += self.shifts.eq(self.i.valid)
                self._take(m, "List high")
        with m.State("List high"):
            m.d.comb += [
                self.pads.eq(narrow),
                self.i.ready.eq(~narrow),
                self.shifts.eq(narrow | self.i.valid),
            ]
            with m.If(self.shifts):
                m.next = "Request"
                with m.If(self.is_op[Op.EVENTS]):
                    m.next = "Offer"
                if self.params.generators:
                    with m.If(rates):
                        m.next = "Shift"
        if self.params.generators:
            shift, mantissa = Signal(4), GENERATOR["mantissa"].width
            with m.State("Shift"):
                m.d.sync += shift.eq(arguments.count)
                m.next = "Shifting"
            with m.State("Shifting"):
                # One place a clock, with saturation: a rare command needs no barrel shifter.
                with m.If(shift == 0):
                    m.d.sync += value[mantissa:].eq(arguments.count[4:8])
                    m.next = "Request"
                with m.Else():
                    doubled = Mux(value[mantissa - 1], GENERATOR["mantissa"].high, value << 1)
                    m.d.sync += [shift.eq(shift - 1), value.eq(doubled)]

    def _access(self, m):
        """Access consecutive offsets."""
        with m.State("Request"):
            m.d.comb += self.bus.request.valid.eq(1)
            with m.If(self.bus.request.ready):
                m.next = "Access"
            with m.If(self.is_op[Op.FILL] & self.arguments.done):
                m.d.comb += self.bus.request.valid.eq(0)
                m.next = "Skip"
        with m.State("Access"):
            with m.If(self.bus.done):
                m.d.comb += self.arguments.advances.eq(1)
                m.next = "List"
                with m.If(self.is_op[Op.FILL]):
                    m.next = "Request"
                with m.If(~self.writes):
                    m.d.comb += self.loads.eq(1)
                    m.next = "Low"

    def _send(self, m, byte, following):
        """Offer a byte of the reply, then go to the following state."""
        m.d.comb += [self.o.valid.eq(1), self.o.p.data.eq(byte)]
        with m.If(self.o.ready):
            m.next = following

    def _reply(self, m):
        """Send the reply: header, status, data."""
        answers = (self.status == Status.OK) & ~self.writes | self.is_op[Op.EVENTS]
        greeted = self.is_op[Op.HELLO] & (self.arguments.offset[:2] == _GREETING_WORDS)
        finished = self.arguments.done | greeted
        with m.State("Kind"):
            self._send(m, Kind.REPLY, "Sequence back")
        for state, following in (("Sequence back", "Op back"), ("Op back", "Status")):
            with m.State(state):
                m.d.comb += self.turns.eq(self.o.ready)
                self._send(m, self.header[:8], following)
        with m.State("Status"):
            self._send(m, self.status, "Length")
            m.d.comb += self.o.p.last.eq(~answers)
            with m.If(self.counts):
                m.d.sync += self.outcome.eq(self.status)
            with m.If(self.o.ready & answers):
                m.next = "Request"
        with m.State("Low"):
            self._send(m, self.value[:8], "High")
            m.d.comb += [self.shifts.eq(self.o.ready), self.o.p.last.eq(self.arguments.weights & finished)]
            with m.If(self.o.ready & self.arguments.weights):
                m.next = "Request"
                with m.If(finished):
                    m.next = "Length"
        with m.State("High"):
            self._send(m, self.value[:8], "Request")
            m.d.comb += self.o.p.last.eq(finished)
            with m.If(self.o.ready & finished):
                m.next = "Length"
