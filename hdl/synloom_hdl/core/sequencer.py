"""The sequencer: plays steps, in docs/numbers.md's order, and decides when the next may begin."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract import ArrayParams
from synloom.contract.frames import ControlAction, RunFlag
from synloom.contract.records import EndReason
from synloom_hdl.core.recorder import RecorderCommand
from synloom_hdl.core_interface import RunRequest
from synloom_hdl.counting import down_or_load

__all__ = ["Phase", "Sequencer"]


class Phase(enum.Enum, shape=3):
    """Where in a step the array is."""

    REST = 0
    ACCESS = 1
    ROWS = 2
    SWEEP = 3
    COLUMNS = 4
    PROBES = 5


class Sequencer(wiring.Component):
    """Runs T steps as fast as possible, gated by events, or paced; pauses, resumes and aborts between steps.

    A step begins when the events due are in the wheel, the record buffer has room for the worst case and,
    if the run is gated or paced, its events are known and its time has come. Between steps the host's
    accesses go first.

    Members
    -------
    run : In(stream of RunRequest), control : In(stream of ControlAction)
        As in `ports.CoreSignature`.
    running, paused : Out(1)
    remaining : Out(32)
    period : In(32)
        Clocks per step of a paced run.
    phase : Out(Phase)
    access_wanted : In(1), access_start : Out(1), access_busy : In(1)
        The host's next access; `access_start` only while nothing else moves.
    settled, reaches, events_idle : In(1), events_enable : Out(1)
        The event queue; `events_enable` lets it set bits in the wheel.
    has_room : In(1)
        The record buffer has room for the worst case, and for what was on its way a clock ago.
    rows_start, sweep_start, columns_start, probes_start : Out(1)
        Strobes that begin a phase.
    rows_busy, sweep_busy, columns_busy, probes_busy : In(1)
        High from the clock after the strobe at the latest until the phase is over.
    head_wanted : In(1), head_word : In(16)
        A spike record is due, and its first word; asked at the end of the sweep.
    columns_wanted : In(1)
        A neuron fired.
    probes_wanted : In(1), probe_head : In(16)
        Probes are due, and their record's first word.
    recorder : Out(stream of {command, argument}), recorder_idle : In(1)
    step_ends : Out(1)
    flushes : Out(1)
    stalls, late : Out(1)
        For the counters.
    """

    def __init__(self, params: ArrayParams):
        self.params = params
        strobes = ("rows", "sweep", "columns", "probes")
        super().__init__(
            {
                "run": In(stream.Signature(RunRequest)),
                "control": In(stream.Signature(2)),
                "running": Out(1),
                "paused": Out(1),
                "remaining": Out(32),
                "period": In(32),
                "phase": Out(Phase),
                "access_wanted": In(1),
                "access_start": Out(1),
                "access_busy": In(1),
                "settled": In(1),
                "reaches": In(1),
                "events_idle": In(1),
                "events_enable": Out(1),
                "has_room": In(1),
                **{f"{name}_start": Out(1) for name in strobes},
                **{f"{name}_busy": In(1) for name in strobes},
                "head_wanted": In(1),
                "head_word": In(16),
                "columns_wanted": In(1),
                "probes_wanted": In(1),
                "probe_head": In(16),
                "recorder": Out(
                    stream.Signature(data.StructLayout({"command": RecorderCommand, "argument": 16}))
                ),
                "recorder_idle": In(1),
                "step_ends": Out(1),
                "flushes": Out(1),
                "stalls": Out(1),
                "late": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        flags = Signal(3)
        paced, gated, flush = (
            bool_bit(flags, flag) for flag in (RunFlag.PACED, RunFlag.GATED, RunFlag.FLUSH)
        )
        pause_asked, resume_asked, abort_asked = Signal(), Signal(), Signal()
        reason = Signal(2)

        # Pacing: the clocks until the next step is due; overdue says that they ended before it could begin.
        # The first step makes the schedule, so it cannot be late.
        wait = Signal(32)
        overdue = Signal()
        scheduled = Signal()
        due = Signal()
        begins, began = Signal(), Signal()
        # The period is loaded a clock after a step began, and that clock is the second of it. What is due
        # stays so until a step begins.
        m.d.comb += due.eq(wait < 3)
        m.d.sync += began.eq(begins)
        with m.If(began | ~due):
            m.d.sync += wait.eq(down_or_load(wait, due, self.period))
        with m.If(began):
            m.d.sync += [overdue.eq(0), scheduled.eq(1)]
        with m.Elif(due):
            m.d.sync += overdue.eq(scheduled)

        # As down_or_load, loaded while nothing runs; the carry tells 0 from the rest.
        fewer = Signal(33)
        starts, ends = Signal(), Signal()
        m.d.comb += fewer.eq(self.remaining + self.running.replicate(32))
        # A clock late: a step's end and a run's start give it that clock.
        none_left = Signal()
        m.d.sync += none_left.eq(~fewer[32])
        with m.If(starts | ends):
            m.d.sync += self.remaining.eq(Mux(self.running, fewer, self.run.p.steps))

        m.d.comb += self.control.ready.eq(1)
        with m.If(self.control.valid & self.running):
            with m.Switch(self.control.payload):
                with m.Case(ControlAction.PAUSE):
                    m.d.sync += [pause_asked.eq(~self.paused), resume_asked.eq(0)]
                with m.Case(ControlAction.RESUME):
                    # Remembered: the end of the run up to the pause may still be on its way.
                    m.d.sync += [pause_asked.eq(0), resume_asked.eq(1)]
                with m.Case(ControlAction.ABORT):
                    m.d.sync += abort_asked.eq(1)

        # START and STEP have no argument.
        command, argument = self.recorder.p.command, self.recorder.p.argument
        m.d.comb += argument.eq(self.head_word)
        # What takes long to find out is a clock old: none of it is taken back before the next step.
        is_ready, stalls, may_begin = Signal(), Signal(), Signal()
        m.d.sync += stalls.eq(~self.has_room | (gated & ~self.reaches))
        m.d.sync += is_ready.eq(self.settled & self.has_room & (~gated | self.reaches))
        m.d.comb += may_begin.eq(is_ready & self.events_idle & (~paced | due))
        busy = {}
        for name in ("rows", "sweep", "columns", "probes"):
            busy[name] = Signal(name=f"{name}_goes_on")
            m.d.sync += busy[name].eq(getattr(self, f"{name}_start") | getattr(self, f"{name}_busy"))
        with m.FSM():
            with m.State("Rest"):
                m.d.comb += [
                    self.phase.eq(Phase.REST),
                    self.events_enable.eq(~self.access_wanted),
                    self.run.ready.eq(~self.running & ~self.access_wanted),
                ]
                with m.If(self.access_wanted):
                    with m.If(self.events_idle):
                        m.d.comb += self.access_start.eq(1)
                        m.next = "Access"
                with m.Elif(self.run.valid & ~self.running):
                    m.d.comb += starts.eq(1)
                    m.d.sync += [
                        self.running.eq(1),
                        flags.eq(self.run.p.flags),
                        pause_asked.eq(0),
                        abort_asked.eq(0),
                        resume_asked.eq(0),
                        wait.eq(0),
                        overdue.eq(0),
                        scheduled.eq(0),
                    ]
                    m.next = "Start"
                with m.Elif(self.running & abort_asked):
                    m.d.sync += reason.eq(EndReason.ABORTED)
                    m.next = "End"
                with m.Elif(self.running & self.paused):
                    with m.If(resume_asked):
                        m.d.sync += [self.paused.eq(0), wait.eq(0), overdue.eq(0), scheduled.eq(0)]
                        m.next = "Start"
                with m.Elif(self.running & none_left):
                    m.d.sync += reason.eq(EndReason.DONE)
                    m.next = "End"
                with m.Elif(self.running & pause_asked):
                    m.d.sync += reason.eq(EndReason.PAUSED)
                    m.next = "End"
                with m.Elif(self.running & may_begin):
                    m.d.comb += [
                        begins.eq(1),
                        self.rows_start.eq(1),
                        self.events_enable.eq(0),
                        self.late.eq(paced & overdue),
                    ]
                    m.next = "Rows"
                with m.Elif(self.running):
                    m.d.comb += self.stalls.eq(stalls)
            with m.State("Access"):
                m.d.comb += self.phase.eq(Phase.ACCESS)
                with m.If(~self.access_busy):
                    m.next = "Rest"
            with m.State("Start"):
                m.d.comb += [self.recorder.valid.eq(1), command.eq(RecorderCommand.START)]
                with m.If(self.recorder.ready):
                    m.next = "Rest"
            with m.State("Rows"):
                m.d.comb += self.phase.eq(Phase.ROWS)
                with m.If(~busy["rows"]):
                    m.d.comb += self.sweep_start.eq(1)
                    m.next = "Sweep"
            with m.State("Sweep"):
                m.d.comb += [self.phase.eq(Phase.SWEEP), self.events_enable.eq(busy["sweep"])]
                with m.If(~busy["sweep"] & self.events_idle):
                    m.next = "Head"
            with m.State("Head"):
                m.d.comb += [
                    self.phase.eq(Phase.COLUMNS),
                    self.recorder.valid.eq(self.head_wanted),
                    command.eq(RecorderCommand.HEAD),
                ]
                with m.If(~self.columns_wanted):
                    m.next = "Probes"
                with m.Elif(~self.head_wanted | self.recorder.ready):
                    m.d.comb += self.columns_start.eq(1)
                    m.next = "Columns"
            with m.State("Columns"):
                m.d.comb += self.phase.eq(Phase.COLUMNS)
                with m.If(~busy["columns"]):
                    m.next = "Probes"
            with m.State("Probes"):
                m.d.comb += self.phase.eq(Phase.PROBES)
                m.d.comb += argument.eq(self.probe_head)
                with m.If(self.probes_wanted):
                    m.d.comb += [self.recorder.valid.eq(1), command.eq(RecorderCommand.HEAD)]
                    with m.If(self.recorder.ready):
                        m.d.comb += self.probes_start.eq(1)
                        m.next = "Probing"
                with m.Else():
                    m.next = "Finish"
            with m.State("Probing"):
                m.d.comb += self.phase.eq(Phase.PROBES)
                with m.If(~busy["probes"] & self.recorder_idle):
                    m.next = "Finish"
            with m.State("Finish"):
                m.d.comb += [
                    self.phase.eq(Phase.PROBES),
                    self.recorder.valid.eq(1),
                    command.eq(RecorderCommand.STEP),
                ]
                with m.If(self.recorder.ready):
                    m.d.comb += [self.step_ends.eq(1), ends.eq(1), self.flushes.eq(flush)]
                    m.next = "Settle"
            with m.State("Settle"):
                m.next = "Rest"
            with m.State("End"):
                m.d.comb += [
                    self.recorder.valid.eq(1),
                    command.eq(RecorderCommand.END),
                    argument.eq(reason),
                ]
                with m.If(self.recorder.ready):
                    m.next = "Ending"
            with m.State("Ending"):
                with m.If(self.recorder_idle):
                    m.d.comb += self.flushes.eq(1)
                    m.d.sync += [
                        self.paused.eq(reason == EndReason.PAUSED),
                        self.running.eq(reason == EndReason.PAUSED),
                        pause_asked.eq(0),
                    ]
                    m.next = "Rest"
        return m


def bool_bit(value: Signal, flag: int):
    """Return the bit of a flag register that a power-of-two flag stands for."""
    return value[int(flag).bit_length() - 1]
