"""Proofs that streams keep what they offer until it is taken."""

from amaranth.hdl import Value
from amaranth.lib import wiring
from formal_bench import Bench, Mutant, Proof, keeps

from synloom.contract import ArrayParams
from synloom_hdl.core.dispatch import FiredDispatcher, SourceDispatcher
from synloom_hdl.core.recorder import Recorder
from synloom_hdl.core.scanner import BitScanner
from synloom_hdl.link.arbiter import FrameArbiter
from synloom_hdl.link.framer import Framer

__all__ = ["PROOFS"]


def _add(bench: Bench, **duts: wiring.Component) -> None:
    """Add blocks, whose state machines are in states that exist."""
    for name, dut in duts.items():
        inside = bench.add(dut, name)
        if inside.fragment.generated:
            bench.invariant(inside.state_is())


def link_streams_keep(bench: Bench) -> None:
    """The framer and the arbiter; what they are given keeps its promise, too."""
    framer, arbiter = Framer(), FrameArbiter()
    _add(bench, framer=framer, arbiter=arbiter)
    for given in (framer.i, arbiter.replies, arbiter.records):
        bench.given(keeps(bench, given))
    for offered in (framer.o, arbiter.o):
        bench.always(keeps(bench, offered))


def core_streams_keep(bench: Bench) -> None:
    """The scanner, the recorder and the dispatchers; what they are given keeps its promise, too."""
    params = ArrayParams(inputs=1, neurons=1, lanes=2, neuron_lanes=1, axons=1, delay_slots=2)
    scanner, recorder = BitScanner(2), Recorder()
    sources, fired = SourceDispatcher(params), FiredDispatcher(params)
    _add(bench, scanner=scanner, recorder=recorder, sources=sources, fired=fired)
    # A scan is begun once, registers do not change within a phase, and the host waits between phases.
    bench.given(~scanner.start | ~scanner.busy)
    for steady in (sources.slot, fired.slot, fired.learn, fired.due):
        bench.given(Value.cast(steady) == bench.past(steady))
    for region in (sources.sources, fired.targets, fired.counts):
        bench.given(~region.select)
    for given in (recorder.commands, sources.ids, fired.ids):
        bench.given(keeps(bench, given))
    for offered in (scanner.ids, recorder.words, sources.jobs, sources.spikes, fired.jobs, fired.spikes):
        bench.always(keeps(bench, offered))


PROOFS = [
    Proof(
        "Framer, FrameArbiter",
        "a byte that is offered stays, and stays the same, until it is taken",
        link_streams_keep,
        Mutant(FrameArbiter.elaborate, "(self.o.valid & ~self.o.ready)", "(self.o.valid & self.o.ready)"),
        depth=3,
        mutant_depth=8,
        quick=True,
    ),
    Proof(
        "BitScanner, Recorder, dispatchers",
        "an id, a word, a job or a spike that is offered stays, and stays the same, until it is taken",
        core_streams_keep,
        Mutant(
            Recorder.elaborate, "~self.words.valid | self.words.ready", "self.words.valid | self.words.ready"
        ),
        depth=3,
        mutant_depth=8,
    ),
]
