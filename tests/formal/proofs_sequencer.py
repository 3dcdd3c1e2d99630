"""Proofs that the sequencer always comes back."""

from amaranth.hdl import Mux, Signal, Value
from formal_bench import Bench, Inside, Mutant, Proof

from synloom.contract import ArrayParams
from synloom.contract.frames import ControlAction
from synloom.contract.records import EndReason
from synloom_hdl.core.sequencer import Sequencer

__all__ = ["PROOFS"]

_PATIENCE = 2
"""For so many clocks at a time may a phase, the recorder, the events or an access go on."""

_STATE_CLOCKS = 2 * _PATIENCE + 2
"""So long may the sequencer stay in a state: it waits for two of them at most."""

_STEP = ("Teach", "Rows", "Sweep", "Head", "Columns", "Due", "Probes", "Probing", "Finish", "Settle")
"""The states of a step in their order; some may be left out."""

_MOST_STATES = 1 + len(_STEP) + 4
_MOST_CLOCKS = _STATE_CLOCKS * _MOST_STATES


def _patient(bench: Bench, name: str, waits: Value) -> None:
    """Assume that something lasts for at most `_PATIENCE` clocks at a time."""
    count = Signal(range(_PATIENCE + 2), name=f"{name}_lasts")
    bench.m.d.sync += count.eq(Mux(waits, count + 1, 0))
    bench.given(~waits | (count < _PATIENCE))
    bench.invariant(count <= _PATIENCE)


def _sequencer(bench: Bench) -> tuple[Sequencer, Inside]:
    """Add a sequencer whose neighbours take their time, and keep what their docstrings promise."""
    dut = Sequencer(ArrayParams(inputs=1, neurons=1, lanes=2, neuron_lanes=1, dendritic_delays=True))
    inside = bench.add(dut)
    for name in ("rows", "sweep", "columns", "due", "probes"):
        busy, start = getattr(dut, f"{name}_busy"), getattr(dut, f"{name}_start")
        _patient(bench, name, busy)
        # It is not busy again without a new start.
        bench.given(~busy | bench.past(busy | start))
    _patient(bench, "recorder", dut.recorder.valid & ~dut.recorder.ready)
    _patient(bench, "recording", ~dut.recorder_idle)
    quiet = dut.recorder_idle & ~dut.recorder.valid & ~dut.probes_busy & ~dut.probes_start
    bench.given(~bench.past(quiet) | dut.recorder_idle)
    _patient(bench, "events", ~dut.events_idle)
    bench.given(~bench.past(dut.events_idle & ~dut.events_enable) | dut.events_idle)
    _patient(bench, "access", dut.access_busy)
    bench.invariant(inside.state_is())
    return dut, inside


def _comes_back(bench: Bench, inside: Inside, waits: Value, rank: Value) -> None:
    """Assert that a wait ends.

    It stays in no state for more than `_STATE_CLOCKS`, and with each new state its rank rises.
    """
    m = bench.m
    count, stay = Signal(range(2 * _MOST_CLOCKS)), Signal(range(2 * _STATE_CLOCKS))
    state = inside.fragment.generated["fsm"]._data["signal"]
    m.d.sync += count.eq(Mux(waits, count + 1, 0))
    stays = bench.past(waits) & (bench.past(state) == state)
    now = Signal.like(stay)
    m.d.comb += now.eq(Mux(stays, stay, 0))
    m.d.sync += stay.eq(Mux(waits, now + 1, 0))
    bench.always(~waits | (now < _STATE_CLOCKS))
    bench.always(~waits | (count < _MOST_CLOCKS))
    bench.invariant(~waits | (count <= rank * _STATE_CLOCKS + now))


def _rank(inside: Inside, *order: str | tuple[str, ...]) -> Value:
    """Return the place of the present state in an order; states in a tuple have the same one."""
    rank = Signal(range(_MOST_STATES + 1))
    for place, states in enumerate(order):
        names = (states,) if isinstance(states, str) else states
        rank = Mux(inside.state_is(*names), place, rank)
    return rank


def sequencer_lets_the_host_in(bench: Bench) -> None:
    """Any run, any requests of the host, all phases of a step."""
    dut, inside = _sequencer(bench)
    _, *step = _STEP
    order = (("Access", *step[:1]), *step[1:-3], ("End", step[-3]), ("Ending", step[-2]), ("Start", step[-1]))
    rank = _rank(inside, *order, ("Teach", "Rest"))
    _comes_back(bench, inside, dut.access_wanted & ~dut.access_start, rank)


def sequencer_obeys_an_abort(bench: Bench) -> None:
    """Any run that is aborted, with no access of the host meanwhile."""
    dut, inside = _sequencer(bench)
    aborted = Signal()
    aborts = dut.control.valid & (dut.control.payload == ControlAction.ABORT)
    bench.m.d.sync += aborted.eq(dut.running & (aborted | aborts))
    bench.given(~dut.access_wanted)
    bench.invariant(~aborted | dut._asked.abort)
    _, *step = _STEP
    aborting = dut._reason == EndReason.ABORTED
    rank = _rank(inside, ("Access", *step[:1]), *step[1:], ("Start", "Teach"), "Rest", "End", "Ending")
    earlier = inside.state_is("End", "Ending") & ~aborting
    rank = Mux(earlier, Mux(inside.state_is("End"), 0, 1), rank)
    _comes_back(bench, inside, aborted & dut.running, rank)


def sequencer_ends_a_step(bench: Bench) -> None:
    """Any step; the events of a step that teaches come, and no access of the host is meanwhile."""
    dut, inside = _sequencer(bench)
    bench.given(~dut.access_wanted)
    complete, teaches = dut.settled & dut.reaches, inside.state_is("Teach")
    _patient(bench, "incomplete", teaches & ~complete)
    # What is complete stays so within the step.
    bench.given(~(bench.past(complete & teaches) & teaches) | complete)
    _comes_back(bench, inside, inside.state_is(*_STEP), _rank(inside, *_STEP))


PROOFS = [
    Proof(
        "Sequencer",
        f"an access of the host begins within {_MOST_CLOCKS} clocks if all others take {_PATIENCE} at a time",
        sequencer_lets_the_host_in,
        Mutant(Sequencer._rest, "with m.If(self.events_idle)", "with m.If(self.events_idle & ~self.running)"),
        depth=_STATE_CLOCKS + 2,
        mutant_depth=30,
    ),
    Proof(
        "Sequencer",
        f"an abort ends a run within {_MOST_CLOCKS} clocks, in the same way",
        sequencer_obeys_an_abort,
        Mutant(Sequencer._obey, "asked.abort.eq(1)", "asked.abort.eq(~self.paused)"),
        depth=_STATE_CLOCKS + 2,
        mutant_depth=30,
    ),
    Proof(
        "Sequencer",
        f"a step that began ends within {_MOST_CLOCKS} clocks, in the same way",
        sequencer_ends_a_step,
        Mutant(Sequencer._teach, "self.events_idle & self._complete", "self.events_idle & ~self._complete"),
        depth=_STATE_CLOCKS + 2,
        mutant_depth=30,
    ),
]
