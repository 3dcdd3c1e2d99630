"""Proofs about queues: of events, and of records."""

from amaranth.hdl import Cat, Mux, Signal, Value
from formal_bench import Bench, Mutant, Proof, keeps

from synloom.contract import ArrayParams
from synloom_hdl.core.events import EventQueue
from synloom_hdl.link.records import RecordRing

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


def record_ring_keeps(bench: Bench) -> None:
    """Any words, any requests of the host, any reader; one word is followed while it is held."""
    m, depth = bench.m, 256
    dut = RecordRing(depth)
    inside = bench.add(dut)
    bench.given(keeps(bench, dut.requests))

    # Offsets: of the next word to come; of a frame's next word, from the frame's own bytes.
    end, offset, half = Signal(16), Signal(16), Signal(3)
    came, sent = dut.records.valid & dut.records.ready, dut.o.valid & dut.o.ready
    held = Signal(16)
    m.d.comb += held.eq(end - dut.first)
    m.d.sync += end.eq(end + came)
    with m.If(sent):
        m.d.sync += half.eq(Mux(dut.o.p.last, 0, Mux(half == 4, 3, half + 1)))
        with m.Switch(half):
            with m.Case(1):
                m.d.sync += offset[:8].eq(dut.o.p.data)
            with m.Case(2):
                m.d.sync += offset[8:].eq(dut.o.p.data)
            with m.Case(4):
                m.d.sync += offset.eq(offset + 1)

    pick, follows = bench.free(1, "pick"), Signal()
    place, value = Signal(16), Signal(16)
    age = Signal(16)
    m.d.comb += age.eq(end - place)
    with m.If(pick & came):
        m.d.sync += [follows.eq(1), place.eq(end), value.eq(dut.records.payload)]
    with m.Elif(age > held):
        m.d.sync += follows.eq(0)
    live, word = follows & (age <= held), half >= 3
    mine = live & word & (offset == place)
    bench.always(~(dut.o.valid & mine) | (dut.o.p.data == Mux(half == 3, value[:8], value[8:])))
    bench.always(~(dut.o.valid & word) | (((end - offset)[:16] <= held) & (end != offset)))
    bench.always(held < depth)

    # What ties it to the registers.
    stored, next_word = inside.word("words", place[:8]), inside.word("words", dut._place[:8])
    unsent = Signal(16)
    m.d.comb += unsent.eq(end - dut._place)
    first_half, second_half = inside.state_is("Low"), inside.state_is("High")
    bench.invariant(inside.state_is())
    bench.invariant((end == dut._end) & (half <= 4))
    bench.invariant(~live | ((age != 0) & (stored == value)))
    for states, halves in ((("Offset low",), 1), (("Offset high",), 2), (("Low",), 3), (("High",), 4)):
        bench.invariant(inside.state_is(*states) == (half == halves))
    bench.invariant(~dut.records.ready | (held < depth - 1))
    judges = inside.state_is("Look", "Rewind")
    bench.invariant(unsent < depth)
    bench.invariant(judges | (unsent <= held))
    bench.invariant(~inside.state_is("Rewind") | dut._verdict | (unsent <= held))
    sends = inside.state_is("Kind", "Offset low", "Offset high", "Low")
    bench.invariant(~sends | (unsent != 0))
    bench.invariant(~inside.state_is("Offset high") | (offset[:8] == dut._place[:8]))
    bench.invariant(~first_half | ((offset == dut._place) & (dut._read.data == next_word)))
    bench.invariant(~second_half | ((offset + 1)[:16] == dut._place))
    bench.invariant(~second_half | (unsent < held))
    bench.invariant(~(second_half & mine) | (inside["high"] == value[8:]))


PROOFS = [
    Proof(
        "EventQueue",
        "each word meets one fate, in order: spike, lesson, cursor, late or invalid; none is invented",
        event_queue_keeps,
        Mutant(
            EventQueue._queue,
            "fetched.eq(below(room, params.event_words) & ~taken)",
            "fetched.eq(below(room, params.event_words))",
        ),
        depth=4,
        mutant_depth=12,
    ),
    Proof(
        "RecordRing",
        "a word that is held goes out under its own offset, unchanged; no other word ever does",
        record_ring_keeps,
        Mutant(RecordRing._receive, "self.first - self._end - 1", "self.first - self._end"),
        depth=3,
        mutant_depth=12,
    ),
]
