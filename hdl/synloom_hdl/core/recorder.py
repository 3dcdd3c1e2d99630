"""The record stream: what happened, in words (docs/protocol.md, record words)."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Const, Module, Signal
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract.records import END_WORD, TIME_MAX, RecordKind

__all__ = ["Recorder", "RecorderCommand"]


class RecorderCommand(enum.Enum, shape=2):
    """What the sequencer tells the recorder."""

    START = 0
    """A run starts: the stream's time is now."""
    HEAD = 1
    """A record of this step follows; argument: its first word."""
    STEP = 2
    """The step is over."""
    END = 3
    """The run is over; argument: the reason."""


class Recorder(wiring.Component):
    """Writes record heads, time words and ends; lets the words of records pass between them.

    Members
    -------
    commands : In(stream of {command, argument})
    body : In(stream of 16 bits)
        Words of the record whose HEAD came last; they pass when no command is in progress.
    now : In(32)
        The next step, for END.
    words : Out(stream of 16 bits)
    idle : Out(1)
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
        argument = Signal(16)
        place = Signal(2)
        time_word = Signal(16)
        m.d.comb += time_word.eq(Cat(gap, Const(RecordKind.TIME, 2)))
        with m.FSM() as fsm:
            m.d.comb += self.idle.eq(fsm.ongoing("Idle") & ~self.commands.valid)
            with m.State("Idle"):
                m.d.comb += self.commands.ready.eq(1)
                m.d.sync += [argument.eq(self.commands.p.argument), place.eq(0)]
                with m.If(self.commands.valid):
                    with m.Switch(self.commands.p.command):
                        with m.Case(RecorderCommand.START):
                            m.d.sync += gap.eq(0)
                        with m.Case(RecorderCommand.HEAD):
                            m.next = "Head"
                            with m.If(gap != 0):
                                m.next = "Time"
                        with m.Case(RecorderCommand.STEP):
                            m.d.sync += gap.eq(gap + 1)
                            with m.If(gap == TIME_MAX - 1):
                                m.next = "Long"
                        with m.Case(RecorderCommand.END):
                            m.next = "End"
                with m.Else():
                    m.d.comb += [
                        self.words.valid.eq(self.body.valid),
                        self.words.payload.eq(self.body.payload),
                        self.body.ready.eq(self.words.ready),
                    ]
            with m.State("Time"):
                m.d.comb += [self.words.valid.eq(1), self.words.payload.eq(time_word)]
                with m.If(self.words.ready):
                    m.d.sync += gap.eq(0)
                    m.next = "Head"
            with m.State("Head"):
                m.d.comb += [self.words.valid.eq(1), self.words.payload.eq(argument)]
                with m.If(self.words.ready):
                    m.next = "Idle"
            with m.State("Long"):
                m.d.comb += [self.words.valid.eq(1), self.words.payload.eq(time_word)]
                with m.If(self.words.ready):
                    m.d.sync += gap.eq(0)
                    m.next = "Idle"
            with m.State("End"):
                m.d.comb += [
                    self.words.valid.eq(1),
                    self.words.payload.eq(Array([END_WORD, self.now[:16], self.now[16:], argument])[place]),
                ]
                with m.If(self.words.ready):
                    m.d.sync += place.eq(place + 1)
                    with m.If(place == 3):
                        m.next = "Idle"
        return m
