"""The record stream: what happened, in words (docs/protocol.md, record words)."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract.records import END_WORD, TIME_MAX, RecordKind

__all__ = ["Recorder", "RecorderCommand"]


class RecorderCommand(enum.Enum, shape=2):
    """What the sequencer tells the recorder."""

    START = 0
    """A run starts: time words count from here."""
    HEAD = 1
    """A record of this step follows; argument: its first word."""
    STEP = 2
    """The step is over."""
    END = 3
    """The run is over; argument: the reason."""


class Recorder(wiring.Component):
    """Writes heads of records, time words and ends, and passes the bodies of records on.

    Members
    -------
    commands : In(stream of {command, argument})
        A command is taken with the last word that it writes.
    body : In(stream of 16 bits)
        Words of the record whose HEAD was last; they pass while there is no command.
    now : In(32)
        The next step, for END.
    words : Out(stream of 16 bits)
        From a register, as bodies come from memories and words go into one.
    idle : Out(1)
        No command and no word waits.
    """

    def __init__(self):
        super().__init__(
            {
                "commands": In(
                    stream.Signature(data.StructLayout({"command": RecorderCommand, "argument": 16}))
                ),
                "body": In(stream.Signature(16)),
                "now": In(32),
                "words": Out(stream.Signature(16)),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        gap = Signal(14)
        counts, clears = Signal(), Signal()
        commands = self.commands
        words = stream.Signature(16).create()
        m.d.comb += words.ready.eq(~self.words.valid | self.words.ready)
        with m.If(words.ready):
            m.d.sync += [self.words.valid.eq(words.valid), self.words.payload.eq(words.payload)]
        with m.If(clears):
            m.d.sync += gap.eq(0)
        with m.Elif(counts):
            m.d.sync += gap.eq(gap + 1)

        with m.FSM() as fsm:
            is_body, is_argument, is_time, is_mark, is_low, is_high = map(
                fsm.ongoing, ("Body", "Argument", "Time", "Mark", "Low", "High")
            )
            m.d.comb += [
                self.idle.eq(is_body & ~commands.valid & ~self.words.valid),
                words.valid.eq(~is_body | (self.body.valid & ~commands.valid)),
                # In pairs, each of which costs one look-up table a bit.
                words.payload.eq(
                    (Mux(is_body, self.body.payload, 0) | Mux(is_argument, commands.p.argument, 0))
                    | (Mux(is_time, Cat(gap, Const(RecordKind.TIME, 2)), 0) | Mux(is_low, self.now[:16], 0))
                    | (Mux(is_high, self.now[16:], 0) | Mux(is_mark, END_WORD, 0))
                ),
            ]
            with m.State("Body"):
                m.d.comb += self.body.ready.eq(words.ready & ~commands.valid)
                with m.If(commands.valid):
                    with m.Switch(commands.p.command):
                        with m.Case(RecorderCommand.START):
                            m.d.comb += [clears.eq(1), commands.ready.eq(1)]
                        with m.Case(RecorderCommand.HEAD):
                            m.next = "Argument"
                            with m.If(gap != 0):
                                m.next = "Time"
                        with m.Case(RecorderCommand.STEP):
                            m.d.comb += [counts.eq(1), commands.ready.eq(1)]
                            with m.If(gap == TIME_MAX - 1):
                                m.d.comb += commands.ready.eq(0)
                                m.next = "Time"
                        with m.Case(RecorderCommand.END):
                            m.next = "Mark"
            with m.State("Time"):
                m.d.comb += clears.eq(words.ready)
                with m.If(words.ready):
                    m.next = "Argument"
                    with m.If(commands.p.command == RecorderCommand.STEP):
                        m.d.comb += commands.ready.eq(1)
                        m.next = "Body"
            for state, following in (("Mark", "Low"), ("Low", "High"), ("High", "Argument")):
                with m.State(state), m.If(words.ready):
                    m.next = following
            with m.State("Argument"):
                m.d.comb += commands.ready.eq(words.ready)
                with m.If(words.ready):
                    m.next = "Body"
        return m
