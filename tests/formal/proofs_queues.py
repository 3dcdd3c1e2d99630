"""Proofs about the queue of events."""

from amaranth.hdl import Cat, Signal, Value
from formal_bench import Bench, Mutant, Proof

from synloom.contract import ArrayParams
from synloom_hdl.core.events import EventQueue

__all__ = ["PROOFS"]


def event_queue_keeps(bench: Bench) -> None:
    """Any words, any steps, any restarts; one word is followed from its arrival to what becomes of it."""
    params = ArrayParams(inputs=16, neurons=1, lanes=2, neuron_lanes=1, delay_slots=2, event_words=16)
    m, dut = bench.m, EventQueue(params)
    inside = bench.add(dut)
    head, tail, fetched = inside["head"], inside["tail"], inside["fetched"]
    bits = len(head)

    # Words that came and words that went, as seen from outside.
    spikes, lessons = dut.spikes.valid & dut.spikes.ready, dut.lessons.valid & dut.lessons.ready
    comes, adds = dut.words.valid & dut.words.ready, inside["adds"]
    fates = Cat(spikes, lessons, adds, dut.late, dut.invalid)
    goes = Signal()
    came, gone = Signal(bits), Signal(bits)
    left = Signal(bits)
    m.d.comb += [goes.eq(fates.any()), left.eq(came - gone)]
    m.d.sync += [came.eq(came + comes), gone.eq(gone + goes)]
    with m.If(dut.restart):
        m.d.sync += [came.eq(0), gone.eq(0)]

    pick, follows = bench.free(1, "pick"), Signal()
    place, value = Signal(bits), Signal(16)
    mine = Signal()
    m.d.comb += mine.eq(follows & goes & (place == gone))
    with m.If(dut.restart | mine):
        m.d.sync += follows.eq(0)
    with m.Elif(pick & comes & ~follows):
        m.d.sync += [follows.eq(1), place.eq(came), value.eq(dut.words.payload)]

    bench.always(~goes | (left != 0))
    bench.always((fates & (fates - 1)[: len(fates)]) == 0)
    spike = Cat(dut.spikes.payload.bit, dut.spikes.payload.word)
    bench.always(~(mine & spikes) | (spike == value[: len(spike)]))
    bench.always(~(mine & spikes) | ~value[15])
    bench.always(~(mine & lessons) | (Value.cast(dut.lessons.payload) == value))
    bench.always(~(mine & adds) | value[15])
    bench.always(~dut.words.ready | (left < params.event_words))

    # What ties it to the registers.
    stored, offered = inside.word("queue", place[: bits - 1]), inside.word("queue", tail[: bits - 1])
    ahead = Signal(bits)
    m.d.comb += ahead.eq(place - gone)
    bench.invariant((head == came) & (tail == gone) & (left <= params.event_words))
    bench.invariant(~follows | ((ahead < left) & (stored == value)))
    bench.invariant(~fetched | ((left != 0) & (inside["word"] == offered)))


PROOFS = [
    Proof(
        "EventQueue",
        "each word meets one fate, in order: spike, lesson, cursor, late or invalid; none is invented",
        event_queue_keeps,
        Mutant(
            EventQueue._queue,
            "fetched.eq((room < params.event_words) & ~taken)",
            "fetched.eq(room < params.event_words)",
        ),
        depth=4,
        mutant_depth=12,
    ),
]
