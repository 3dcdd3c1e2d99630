"""The sequencer: it runs the phases of a step (docs/numbers.md), and decides when a step begins."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract import ArrayParams
from synloom.contract.frames import ControlAction, RunFlag
from synloom.contract.records import EndReason
from synloom_hdl.arithmetic import below
from synloom_hdl.core.recorder import RecorderCommand
from synloom_hdl.core_interface import RunRequest
from synloom_hdl.counting import down_or_load

__all__ = ["Phase", "Sequencer"]


def _phases(params: ArrayParams) -> tuple[str, ...]:
    """Return the phases of a step; each has a port that begins it, and one that says that it is going on."""
    return ("rows", "sweep", "columns", *(["due"] if params.dendritic_delays else []), "probes")


class Phase(enum.Enum, shape=3):
    """What the array is doing: a phase of a step, an access of the host, or neither."""

    REST = 0
    ACCESS = 1
    ROWS = 2
    SWEEP = 3
    COLUMNS = 4
    PROBES = 5
    TEACH = 6


class Sequencer(wiring.Component):
    """Runs steps as fast as possible, gated by events, or paced; pauses, resumes and aborts between steps.

    A step begins when the events due are in the wheel and the record buffer has room for the worst case. A
    gated run also waits for the events of the step, a paced run for its time. Between steps, accesses of the
    host have precedence.

    Members
    -------
    run : In(stream of RunRequest), control : In(stream of ControlAction)
        As in `CoreSignature`.
    running, paused : Out(1)
    remaining : Out(32)
    period : In(32)
        Clocks per step of a paced run.
    phase : Out(Phase)
    access_wanted : In(1), access_start : Out(1), access_busy : In(1)
        The host's next access; `access_start` is high only while the array is at rest.
    settled, reaches, events_idle : In(1), events_enable : Out(1)
        The event queue; it may set bits in the wheel while `events_enable` is high.
    lesson_waits : In(1)
        An event is due that acts only within its step, which therefore begins with the phase TEACH.
    has_room : In(1)
        The record buffer has room for the worst case and for words that are still on their way to it.
    rows_start, sweep_start, columns_start, due_start, probes_start : Out(1)
        Strobes that begin a phase (`due` only with dendritic delays).
    rows_busy, sweep_busy, columns_busy, due_busy, probes_busy : In(1)
        The phase is going on: high at the latest in the clock after the strobe.
    head_wanted : In(1), head_word : In(16)
        A record of spikes is due, and its first word; valid at the end of the sweep.
    columns_wanted : In(1)
        At least one neuron fired.
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
                "lesson_waits": In(1),
                "has_room": In(1),
                **{f"{name}_start": Out(1) for name in _phases(params)},
                **{f"{name}_busy": In(1) for name in _phases(params)},
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
        self._flags = Signal(3)
        self._asked = Signal(data.StructLayout({"pause": 1, "resume": 1, "abort": 1}))
        self._reason = Signal(2)
        # Strobes: a run starts, a step begins, a step ends.
        self._starts, self._begins, self._ends = Signal(), Signal(), Signal()
        self._pace(m)
        self._count_down(m)
        self._obey(m)
        self._look(m)
        # START and STEP have no argument.
        m.d.comb += self.recorder.p.argument.eq(self.head_word)
        self._teaching = Signal()
        with m.FSM():
            self._rest(m)
            if self.params.teaching:
                self._teach(m)
            self._compute(m)
            self._report(m)
            self._end(m)
        return m

    def _flag(self, flag: RunFlag) -> Value:
        """Return a flag of the run."""
        return self._flags[int(flag).bit_length() - 1]

    def _pace(self, m: Module):
        """Count the clocks until the next step of a paced run is due, and note whether it is overdue."""
        # The schedule begins with the first step, which therefore cannot be late.
        self._schedule = schedule = Signal(
            data.StructLayout({"wait": 32, "overdue": 1, "exists": 1}), name="schedule"
        )
        self._due, self._due_next, began = Signal(), Signal(), Signal()
        # The period is loaded a clock after a step began, and that clock is the second of it. What is due
        # stays so until a step begins; what is due in the next clock is, too, but for the clock of the load.
        m.d.comb += [
            self._due.eq(below(schedule.wait, 3)),
            self._due_next.eq(below(schedule.wait, 4)),
        ]
        m.d.sync += began.eq(self._begins)
        with m.If(began | ~self._due):
            # A paced step begins only when it is due, so that `began`, a register, may choose.
            m.d.sync += schedule.wait.eq(down_or_load(schedule.wait, began, self.period))
        with m.If(began):
            m.d.sync += [schedule.overdue.eq(0), schedule.exists.eq(1)]
        with m.Elif(self._due):
            m.d.sync += schedule.overdue.eq(schedule.exists)

    def _count_down(self, m: Module):
        """Count the steps that are left."""
        # As down_or_load, loaded while nothing runs; the carry tells 0 from the rest.
        fewer = Signal(33)
        m.d.comb += fewer.eq(self.remaining + self.running.replicate(32))
        # A register: after a run's start or a step's end it is not used for a clock.
        self._none_left = Signal()
        m.d.sync += self._none_left.eq(~fewer[32])
        with m.If(self._starts | self._ends):
            m.d.sync += self.remaining.eq(Mux(self.running, fewer, self.run.p.steps))

    def _obey(self, m: Module):
        """Remember the host's requests."""
        asked = self._asked
        m.d.comb += self.control.ready.eq(1)
        with m.If(self.control.valid & self.running):
            with m.Switch(self.control.payload):
                with m.Case(ControlAction.PAUSE):
                    m.d.sync += [asked.pause.eq(~self.paused), asked.resume.eq(0)]
                with m.Case(ControlAction.RESUME):
                    # Remembered, since the run may not have come to its pause yet.
                    m.d.sync += [asked.pause.eq(0), asked.resume.eq(1)]
                with m.Case(ControlAction.ABORT):
                    m.d.sync += asked.abort.eq(1)

    def _look(self, m: Module):
        """Decide whether a step may begin, and whether a phase goes on."""
        # Slow conditions are registers: once true, they stay so until the next step.
        gated = self._flag(RunFlag.GATED)
        self._is_ready, self._stalls, self._may_begin = Signal(), Signal(), Signal()
        in_time = ~self._flag(RunFlag.PACED) | self._due_next
        m.d.sync += self._stalls.eq(~self.has_room | (gated & ~self.reaches))
        complete = self.settled & (~gated | self.reaches)
        self._complete, self._teaches = Signal(), Signal()
        if self.params.teaching:
            # A clock late, an event that belongs to a later step may have been offered: it is withdrawn.
            m.d.sync += [self._teaches.eq(self.lesson_waits), self._complete.eq(complete)]
            m.d.sync += self._is_ready.eq(self.has_room & in_time & (complete | self.lesson_waits))
        else:
            m.d.sync += self._is_ready.eq(self.has_room & in_time & complete)
        m.d.comb += self._may_begin.eq(self._is_ready & self.events_idle)
        self._busy = {}
        for name in _phases(self.params):
            self._busy[name] = busy = Signal(name=f"{name}_goes_on")
            m.d.sync += busy.eq(getattr(self, f"{name}_start") | getattr(self, f"{name}_busy"))

    def _tell(self, m: Module, command: RecorderCommand):
        """Give the recorder a command for as long as the state lasts."""
        m.d.comb += [self.recorder.valid.eq(1), self.recorder.p.command.eq(command)]

    # ---- the states ----------------------------------------------------------------------------

    def _rest(self, m: Module):
        """Between two steps: the host's accesses first, then the run."""
        with m.State("Rest"):
            m.d.comb += [
                self.phase.eq(Phase.REST),
                # No event is on its way when a step begins; whether one does so now is known too late.
                self.events_enable.eq(~self.access_wanted & ~(self._is_ready & self.running & ~self.paused)),
                self.run.ready.eq(~self.running & ~self.access_wanted),
            ]
            with m.If(self.access_wanted):
                with m.If(self.events_idle):
                    m.d.comb += self.access_start.eq(1)
                    m.next = "Access"
            with m.Elif(self.run.valid & ~self.running):
                m.d.comb += self._starts.eq(1)
                m.d.sync += [
                    self.running.eq(1),
                    self._flags.eq(self.run.p.flags),
                    self._asked.eq(0),
                    self._schedule.eq(0),
                ]
                m.next = "Start"
            with m.Elif(self.running & self._asked.abort):
                self._stop(m, EndReason.ABORTED)
            with m.Elif(self.running & self.paused):
                with m.If(self._asked.resume):
                    m.d.sync += [self.paused.eq(0), self._schedule.eq(0)]
                    m.next = "Start"
            with m.Elif(self.running & self._none_left):
                self._stop(m, EndReason.DONE)
            with m.Elif(self.running & self._asked.pause):
                self._stop(m, EndReason.PAUSED)
            with m.Elif(self.running & self._may_begin):
                m.d.comb += [
                    self._begins.eq(1),
                    self.rows_start.eq(~self._teaches),
                    self.late.eq(self._flag(RunFlag.PACED) & self._schedule.overdue),
                ]
                m.next = "Rows"
                if self.params.teaching:
                    with m.If(self._teaches):
                        m.next = "Teach"
            with m.Elif(self.running):
                m.d.comb += self.stalls.eq(self._stalls)
        with m.State("Access"):
            m.d.comb += self.phase.eq(Phase.ACCESS)
            with m.If(~self.access_busy):
                m.next = "Rest"
                if self.params.teaching:
                    with m.If(self._teaching):
                        m.next = "Teach"
        with m.State("Start"):
            self._tell(m, RecorderCommand.START)
            with m.If(self.recorder.ready):
                m.next = "Rest"

    def _stop(self, m: Module, reason: EndReason):
        """End or pause the run between two steps."""
        m.d.sync += self._reason.eq(reason)
        m.next = "End"

    def _teach(self, m: Module):
        """Let the events of a step that has begun act, also those that are still to come in a gated run.

        The host may look in. An abort ends the wait, and the step has not begun after all.
        """
        with m.State("Teach"):
            m.d.sync += self._teaching.eq(1)
            m.d.comb += [
                self.phase.eq(Phase.TEACH),
                # Once the step is complete, the next event belongs to a later one; the rows own the wheel.
                self.events_enable.eq(~self.access_wanted & ~self._asked.abort & ~self._complete),
            ]
            with m.If(self.access_wanted):
                with m.If(self.events_idle):
                    m.d.comb += self.access_start.eq(1)
                    m.next = "Access"
            with m.Elif(self.events_idle & self._asked.abort):
                m.d.sync += self._teaching.eq(0)
                m.next = "Rest"
            with m.Elif(self.events_idle & self._complete):
                m.d.comb += self.rows_start.eq(1)
                m.d.sync += self._teaching.eq(0)
                m.next = "Rows"

    def _compute(self, m: Module):
        """Compute a step: rows, sweep, columns."""
        with m.State("Rows"):
            m.d.comb += self.phase.eq(Phase.ROWS)
            with m.If(~self._busy["rows"]):
                m.d.comb += self.sweep_start.eq(1)
                m.next = "Sweep"
        with m.State("Sweep"):
            # A sweep that is skipped is shorter than an event takes.
            moving = 0 if self.params.single_port else ~self.events_idle
            m.d.comb += [self.phase.eq(Phase.SWEEP), self.events_enable.eq(self._busy["sweep"] | moving)]
            with m.If(~self._busy["sweep"] & self.events_idle):
                m.next = "Head"
        with m.State("Head"):
            m.d.comb += [
                self.phase.eq(Phase.COLUMNS),
                self.recorder.valid.eq(self.head_wanted),
                self.recorder.p.command.eq(RecorderCommand.HEAD),
            ]
            with m.If(~self.columns_wanted):
                self._after_columns(m)
            with m.Elif(~self.head_wanted | self.recorder.ready):
                m.d.comb += self.columns_start.eq(1)
                m.next = "Columns"
        with m.State("Columns"):
            m.d.comb += self.phase.eq(Phase.COLUMNS)
            with m.If(~self._busy["columns"]):
                self._after_columns(m)
        if self.params.dendritic_delays:
            with m.State("Due"):
                m.d.comb += self.phase.eq(Phase.COLUMNS)
                with m.If(~self._busy["due"]):
                    m.next = "Probes"

    def _after_columns(self, m: Module):
        """Go on behind the neurons that fired."""
        m.next = "Probes"
        if self.params.dendritic_delays:
            m.d.comb += self.due_start.eq(1)
            m.next = "Due"

    def _report(self, m: Module):
        """Record the probes, and the end of the step."""
        with m.State("Probes"):
            m.d.comb += [self.phase.eq(Phase.PROBES), self.recorder.p.argument.eq(self.probe_head)]
            with m.If(self.probes_wanted):
                self._tell(m, RecorderCommand.HEAD)
                with m.If(self.recorder.ready):
                    m.d.comb += self.probes_start.eq(1)
                    m.next = "Probing"
            with m.Else():
                m.next = "Finish"
        with m.State("Probing"):
            m.d.comb += self.phase.eq(Phase.PROBES)
            with m.If(~self._busy["probes"] & self.recorder_idle):
                m.next = "Finish"
        with m.State("Finish"):
            m.d.comb += self.phase.eq(Phase.PROBES)
            self._tell(m, RecorderCommand.STEP)
            with m.If(self.recorder.ready):
                flush = self._flag(RunFlag.FLUSH)
                m.d.comb += [self.step_ends.eq(1), self._ends.eq(1), self.flushes.eq(flush)]
                m.next = "Settle"
        with m.State("Settle"):
            m.next = "Rest"

    def _end(self, m: Module):
        """End the run, or pause it."""
        with m.State("End"):
            self._tell(m, RecorderCommand.END)
            m.d.comb += self.recorder.p.argument.eq(self._reason)
            with m.If(self.recorder.ready):
                m.next = "Ending"
        with m.State("Ending"):
            with m.If(self.recorder_idle):
                m.d.comb += self.flushes.eq(1)
                m.d.sync += [
                    self.paused.eq(self._reason == EndReason.PAUSED),
                    self.running.eq(self._reason == EndReason.PAUSED),
                    self._asked.pause.eq(0),
                ]
                m.next = "Rest"
