"""Proofs about frames: the deframer's judgement, and the queue of received frames."""

from amaranth.hdl import Module, Mux, Signal, Value
from formal_bench import Bench, Mutant, Proof, keeps

from synloom.contract.frames import CHECK_BYTES, COMMAND_HEADER, ESCAPE, FLAG, MAX_PAYLOAD, STUFF
from synloom_hdl.link.crc import CRC_GOOD, CRC_START
from synloom_hdl.link.deframer import Deframer
from synloom_hdl.link.frame_fifo import FrameFifo

__all__ = ["PROOFS"]

_MOST_PUTS = MAX_PAYLOAD + CHECK_BYTES + 1
_PLACE_BITS = 10
"""Places in the stream of a queue are told apart that are less than two queues from each other."""

_POLYNOMIAL = 0xEDB88320
"""That of IEEE 802.3, the lowest power in the highest bit."""


def _checksum(crc: Value, bits: Value) -> Value:
    """Return the checksum after some more bits, one by one, as the standard has it."""
    for k in range(len(bits)):
        out = crc[0] ^ bits[k]
        crc = crc[1:32] ^ Mux(out, _POLYNOMIAL, 0)[:32]
    return crc[:32]


class _Judge:
    """What the standard says about the bytes since the last flag."""

    def __init__(self, m: Module, taken: Value, byte: Value):
        self.opened, self.begun, self.escaped = Signal(), Signal(), Signal()
        # The checksum takes half of a byte a clock.
        self.half, self.rest = Signal(), Signal(4)
        self.crc, self.count = Signal(32, init=CRC_START), Signal(range(_MOST_PUTS + 1))
        self.flag, self.escape, self.value = Signal(), Signal(), Signal(8)
        self.put, self.good = Signal(), Signal()
        m.d.comb += [
            self.flag.eq(taken & (byte == FLAG)),
            self.escape.eq(taken & (byte == ESCAPE) & ~self.escaped),
            self.value.eq(Mux(self.escaped, byte ^ STUFF, byte)),
            self.put.eq(taken & self.opened & ~self.flag & ~self.escape & (self.count < _MOST_PUTS)),
            self.good.eq(
                (self.crc == CRC_GOOD)
                & ~self.escaped
                & (self.count >= COMMAND_HEADER + CHECK_BYTES)
                & (self.count <= MAX_PAYLOAD + CHECK_BYTES)
            ),
        ]
        m.d.sync += self.half.eq(self.put)
        with m.If(self.half):
            m.d.sync += self.crc.eq(_checksum(self.crc, self.rest))
        with m.If(self.flag):
            m.d.sync += [self.opened.eq(1), self.begun.eq(0), self.escaped.eq(0)]
            m.d.sync += [self.crc.eq(CRC_START), self.count.eq(0)]
        with m.Elif(taken):
            m.d.sync += [self.begun.eq(self.opened), self.escaped.eq(self.escape)]
            with m.If(self.put):
                m.d.sync += [self.rest.eq(self.value[4:]), self.count.eq(self.count + 1)]
                m.d.sync += self.crc.eq(_checksum(self.crc, self.value[:4]))


def deframer_judges(bench: Bench) -> None:
    """Any bytes at any time; a judge beside the deframer computes the checksum bit by bit."""
    dut = Deframer()
    inside = bench.add(dut)
    taken = dut.i.valid & dut.i.ready
    judge = _Judge(bench.m, taken, dut.i.payload)
    ends = judge.flag & judge.begun
    bench.always(dut.commits == (ends & judge.good))
    bench.always(dut.drops == (ends & ~judge.good))
    bench.always(~dut.commits | (dut.length == judge.count - COMMAND_HEADER - CHECK_BYTES))
    bench.always(dut.puts == judge.put)
    bench.always(~dut.puts | (dut.data == judge.value))
    bench.always(~(dut.puts & bench.past(dut.puts)))
    # What ties the two together.
    bench.invariant(judge.count <= _MOST_PUTS)
    bench.invariant(inside["inside"] == judge.opened)
    bench.invariant(inside["begun"] == judge.begun)
    bench.invariant(inside["escaped"] == judge.escaped)
    bench.invariant(inside["crc"].value == judge.crc)
    bench.invariant(inside["crc"].busy == judge.half)
    bench.invariant(inside["count"] == (judge.count - COMMAND_HEADER - CHECK_BYTES)[:9])


def deframer_resynchronises(bench: Bench) -> None:
    """Two deframers with any past each; from some flag on, both get the same bytes."""
    m = bench.m
    one, other = Deframer(), Deframer()
    inside = bench.add(one, "one"), bench.add(other, "other")
    meets, met = bench.free(1, "meets"), Signal()
    flags = [dut.i.valid & dut.i.ready & (dut.i.payload == FLAG) for dut in (one, other)]
    same = Signal()
    m.d.comb += same.eq((one.i.valid == other.i.valid) & (one.i.payload == other.i.payload))
    m.d.sync += met.eq(met | (meets & flags[0] & flags[1]))
    bench.given(~met | same)
    for name in ("puts", "commits", "drops"):
        bench.always(~met | (getattr(one, name) == getattr(other, name)))
    bench.always(~met | ~one.puts | (one.data == other.data))
    bench.always(~met | ~one.commits | (one.length == other.length))
    for name in ("inside", "begun", "escaped", "count"):
        bench.invariant(~met | (inside[0][name] == inside[1][name]))
    for name in ("value", "busy"):
        ones, others = (getattr(part["crc"], name) for part in inside)
        bench.invariant(~met | (ones == others))
    bench.invariant(~met | (one.i.ready == other.i.ready))


def frame_fifo_keeps(bench: Bench) -> None:
    """Any frames of a deframer and any reader; one byte is followed from its arrival to its departure."""
    m, depth = bench.m, 512
    dut = FrameFifo(depth)
    inside = bench.add(dut)
    # The deframer's promises.
    puts = Signal(range(_MOST_PUTS + 1))
    ends = dut.commits | dut.drops
    bench.given(~(dut.puts & bench.past(dut.puts)) & ~(dut.puts & ends) & ~(dut.commits & dut.drops))
    bench.given(~dut.puts | (puts < _MOST_PUTS))
    bench.given(~dut.commits | ((puts > CHECK_BYTES) & (dut.length == puts - CHECK_BYTES - COMMAND_HEADER)))
    m.d.sync += puts.eq(Mux(ends, 0, puts + dut.puts))

    # Places in the stream of all bytes that ever come out: of the open frame's length, of what is offered.
    start, out = Signal(_PLACE_BITS), Signal(_PLACE_BITS)
    taken, stored = dut.o.valid & dut.o.ready, dut.commits & ~dut.overflows
    m.d.sync += [start.eq(start + Mux(stored, puts, 0)), out.eq(out + taken)]
    left = (start - out)[:_PLACE_BITS]

    # The byte that is followed.
    pick = bench.free(1, "pick")
    follows, committed = Signal(), Signal()
    place, value = Signal(_PLACE_BITS), Signal(8)
    end = (start + puts)[:_PLACE_BITS]
    with m.If(pick & ~follows & dut.puts):
        m.d.sync += [follows.eq(1), committed.eq(0), place.eq(end + 1), value.eq(dut.data)]
    with m.Elif(pick & ~follows & stored):
        m.d.sync += [follows.eq(1), committed.eq(1), place.eq(start), value.eq(dut.length)]
    with m.Elif(follows & ~committed & ends):
        # The last byte of the checksum makes room for the next length.
        m.d.sync += [committed.eq(stored & (place != end)), follows.eq(stored & (place != end))]
    with m.Elif(committed & taken & (place == out)):
        m.d.sync += [follows.eq(0), committed.eq(0)]

    bench.always(~dut.o.valid | (left != 0))
    bench.always(~(dut.o.valid & follows & committed & (place == out)) | (dut.o.payload == value))
    bench.always(keeps(bench, dut.o))
    starves = ~dut.o.valid & (left != 0)
    bench.always(~(starves & bench.past(starves) & bench.past(bench.past(starves))))
    # A frame is lost only if it does not fit.
    bench.always(~dut.overflows | inside["spilled"])
    full = Signal()
    kept = follows & ~committed
    m.d.comb += full.eq(dut.puts & ~inside["spilled"] & (left + 1 + puts >= depth - 1))
    bench.always(~(dut.puts & inside["is_tail"] & ~inside["spilled"]) | full)

    # What ties it to the registers.
    tail = (out + dut.o.valid)[:_PLACE_BITS]
    bench.invariant(inside["tail"] == tail[: len(inside["tail"])])
    bench.invariant(inside["first"] == (start + 1)[: len(inside["first"])])
    bench.invariant(inside["cursor"] == (end + 1)[: len(inside["cursor"])])
    room = Signal(_PLACE_BITS)
    m.d.comb += room.eq((start - tail)[:_PLACE_BITS])
    bench.invariant(room < depth)
    bench.invariant(inside["spilled"] | (room + 1 + puts <= depth))
    bench.invariant(~inside["spilled"] | (puts != 0))
    bench.invariant(~committed | follows)
    age = Signal(_PLACE_BITS)
    m.d.comb += age.eq((place - start)[:_PLACE_BITS])
    bench.invariant(~kept | ((age > 0) & (age <= puts)))
    ahead = Signal(_PLACE_BITS)
    m.d.comb += ahead.eq((place - out)[:_PLACE_BITS])
    bench.invariant(~committed | (ahead < left))
    byte = inside.word("bytes", place[: len(inside["tail"])])
    bench.invariant(~(kept & ~inside["spilled"]) | (byte == value))
    bench.invariant(~(committed & ~(dut.o.valid & (place == out))) | (byte == value))


PROOFS = [
    Proof(
        "Deframer",
        "a frame is handed on only if its checksum, its length and its last escape are right, and then",
        deframer_judges,
        Mutant(Deframer.elaborate, "(crc.value == CRC_GOOD)", "(crc.value[1:] == CRC_GOOD >> 1)"),
        depth=2,
        mutant_depth=26,
    ),
    Proof(
        "Deframer",
        "whatever came before, after one flag each frame is judged as by a deframer that heard nothing else",
        deframer_resynchronises,
        Mutant(Deframer.elaborate, "begun.eq(0), escaped.eq(0), ", "begun.eq(0), "),
        depth=2,
        mutant_depth=10,
        quick=True,
    ),
    Proof(
        "FrameFifo",
        "no byte of a frame is lost, changed or invented; a frame goes as a whole if it does not fit",
        frame_fifo_keeps,
        Mutant(
            FrameFifo.elaborate,
            "write.addr.eq(Mux(self.puts, cursor, first - 1))",
            "write.addr.eq(Mux(self.puts, cursor, first))",
        ),
        depth=3,
        mutant_depth=16,
    ),
]
