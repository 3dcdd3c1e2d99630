"""Proofs about the array: the learning rule's bounds, the delay wheel."""

from amaranth.hdl import Cat, Const, Signal, Value
from formal_bench import Bench, Mutant, Proof

from synloom.contract import ArrayParams
from synloom_hdl.core.lane import LANE_INPUTS, Lane
from synloom_hdl.core.timing import PassTiming
from synloom_hdl.core.wheel import Wheel

__all__ = ["PROOFS"]

_HALF = 1 << 11
"""The noise that rounds to nearest."""

_SMALL = {"inputs": 1, "neurons": 1, "lanes": 2, "neuron_lanes": 1, "delay_slots": 2}


def _delayed(bench: Bench, value: Value, clocks: int) -> Value:
    """Return a value some clocks later."""
    for _ in range(clocks):
        value = bench.past(value)
    return value


def _staged_lane(bench: Bench, params: ArrayParams) -> tuple[Lane, dict[str, Value], int]:
    """Add a lane with a free synapse in each clock.

    Returns
    -------
    tuple
        The lane, its inputs at the time of its result, and a lane's clocks.
    """
    lane, registers = Lane(params), PassTiming.of(params).registers
    bench.add(lane)
    given: dict[str, Value] = {}
    for stage, names in enumerate(LANE_INPUTS):
        for name in names:
            port = Value.cast(getattr(lane, name))
            # The bounds come twice.
            first = {"lowest": "w_min", "highest": "w_max"}.get(name, name)
            if first == name:
                given[name] = bench.free(port.shape(), name)
            bench.m.d.comb += port.eq(_delayed(bench, given[first], sum(registers[:stage])))
    clocks = sum(registers)
    return lane, {name: _delayed(bench, value, clocks) for name, value in given.items()}, clocks


def lane_stays_within_bounds(bench: Bench) -> None:
    """A weight, a rule, a trace and a random number in each clock, all of them free."""
    params = ArrayParams(**_SMALL, trace_bits=8, weight_bits=4)
    lane, then, clocks = _staged_lane(bench, params)
    low, high, old, new = then["w_min"], then["w_max"], then["weight"], lane.updated
    top, up = params.weight_max, Signal()
    legal, inside = Signal(), Signal()
    bench.m.d.comb += [
        up.eq((then["trace"] >= then["t0"]) ^ then["a_negative"]),
        legal.eq((low <= high) & (low >= -top) & (high <= top) & _delayed(bench, Const(1), clocks)),
        inside.eq(legal & (old >= low) & (old <= high)),
    ]
    bench.always(~legal | ((new >= low) & (new <= high)))
    bench.always(~legal | (new != params.weight_absent))
    # Whatever is beyond the range of a sum would come back from its other end.
    bench.always(~(inside & up) | (new >= old))
    bench.always(~(inside & ~up) | (new <= old))
    bench.always(~(inside & (then["a"] == 0) & (then["noise"] == _HALF)) | (new == old))


def wheel_bits_are_set_and_cleared_once(bench: Bench) -> None:
    """Any spikes and any scan at the times that the wheel allows; one bit of it is followed."""
    params = ArrayParams(**_SMALL)
    m, dut = bench.m, Wheel(params)
    inside = bench.add(dut)
    spike = dut.spikes.payload
    word, slot, bit = (
        bench.constant(len(part), name)
        for part, name in ((spike.word, "word"), (spike.slot, "slot"), (spike.bit, "bit"))
    )
    bench.given(~dut.host.select)
    bench.given(dut.idle | ~(dut.read_en | dut.clear_en))

    taken, cleared, read, is_set = Signal(), Signal(), Signal(), Signal()
    # The same spike so many clocks later.
    later = [Signal(name=f"taken{n}") for n in range(1, 4)]
    m.d.comb += [
        taken.eq(
            dut.spikes.valid
            & dut.spikes.ready
            & (spike.word == word)
            & (spike.slot == slot)
            & (spike.bit == bit)
        ),
        cleared.eq(dut.clear_en & (dut.slot == slot) & (dut.clear_index == word)),
        read.eq(dut.read_en & (dut.slot == slot) & (dut.read_index == word)),
    ]
    m.d.sync += [is_set.eq((is_set & ~cleared) | later[-1]), Cat(later).eq(Cat(taken, later))]
    bench.always(~bench.past(read) | (dut.word.bit_select(bit, 1) == bench.past(is_set)))
    bench.always(~bench.past(later[-1]) | (dut.merges == bench.past(is_set)))
    stored = inside.word("storage.bank0", Cat(word, slot))
    bench.always(stored.bit_select(bit, 1) == is_set)
    bench.invariant(~(inside["setting"] & (inside["asked"] | inside["writing"])))
    mine = (inside["place"] == Cat(word, slot)) & (inside["bit"] == bit)
    bench.invariant((inside["setting"] & mine) == later[1])
    bench.invariant((inside["asked"] & mine) == later[0])
    bench.invariant((inside["writing"] & mine) == later[2])
    before, there = stored.bit_select(bit, 1), inside["place"] == Cat(word, slot)
    bench.invariant(~(inside["setting"] & there) | (dut.word.bit_select(bit, 1) == before))
    changed = inside["changed"].bit_select(bit, 1)
    bench.invariant(~(inside["writing"] & there) | (changed == (before | mine)))


PROOFS = [
    Proof(
        "Lane",
        "a weight stays in w_min..w_max and never becomes absent; it moves towards its bound or not at all",
        lane_stays_within_bounds,
        Mutant(
            Lane._sum,
            "mux(up, weight + delta, weight - delta), signed(11)",
            "mux(up, weight + delta, weight - delta), signed(9)",
        ),
        depth=8,
        mutant_depth=10,
    ),
    Proof(
        "Wheel",
        "the bit of a spike is set once, by it alone, and cleared once, by the scan of its word",
        wheel_bits_are_set_and_cleared_once,
        Mutant(Wheel.elaborate, "storage.row | (1 << bit)", "1 << bit"),
        depth=5,
        mutant_depth=12,
    ),
]
