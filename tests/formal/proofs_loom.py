"""Proofs about the banks of weights."""

from amaranth.hdl import Mux, Signal, Value
from formal_bench import Bench, Mutant, Proof

from synloom.contract import ArrayParams
from synloom_hdl.core import loom
from synloom_hdl.core.loom import Loom
from synloom_hdl.core.passes import PassEngine
from synloom_hdl.core.timing import PassTiming

__all__ = ["PROOFS"]

_PARAMS = ArrayParams(inputs=1, neurons=1, lanes=4, neuron_lanes=1, weight_bits=4)
_TARGETS = 16 * _PARAMS.neuron_words


class _Chunk:
    """Any chunk of any row or column: its address, and whether the weight that is followed is in it."""

    def __init__(self, bench: Bench, name: str, source: Value, target: Value):
        lanes, per_column = _PARAMS.lanes, _PARAMS.sources // _PARAMS.lanes
        column = bench.free(1, f"{name}_column")
        index = bench.free(range(_PARAMS.sources), f"{name}_index")
        chunk = bench.free(range(per_column), f"{name}_chunk")
        bench.given(Mux(column, index < _TARGETS, chunk < _TARGETS // lanes))
        high = Mux(column, index // lanes * per_column + chunk, chunk * per_column + index // lanes)
        self.address = {"column": column, "rotate": index % lanes, "high": high}
        self.has, self.lane = Signal(name=f"{name}_has"), Signal(range(lanes), name=f"{name}_lane")
        mine, other = Mux(column, target, source), Mux(column, source, target)
        bench.m.d.comb += [
            self.has.eq((index == mine) & (chunk == other // lanes)),
            self.lane.eq(other % lanes),
        ]

    def drive(self, bench: Bench, port) -> None:
        """Connect it to an address of the loom."""
        bench.m.d.comb += [getattr(port, name).eq(value) for name, value in self.address.items()]


def loom_rows_and_columns_agree(bench: Bench) -> None:
    """In each clock any chunk is read and any written; one weight is followed."""
    m, dut, lanes, timing = bench.m, Loom(_PARAMS), _PARAMS.lanes, PassTiming.of(_PARAMS)
    inside = bench.add(dut)
    source = bench.constant(range(_PARAMS.sources), "source")
    target = bench.constant(range(_TARGETS), "target")
    read, write = (_Chunk(bench, name, source, target) for name in ("read", "written"))
    read.drive(bench, dut.read)
    write.drive(bench, dut.write_address)

    bench.given(~dut.host.select)

    # What the weight is, at the clock in which the banks are written and read.
    weight = Signal(_PARAMS.weight_bits)
    operand = Value.cast(dut.write_weights).word_select(write.lane, _PARAMS.weight_bits)
    written, value = write.has & dut.write_mask.bit_select(write.lane, 1), operand
    for _ in range(timing.write):
        written, value = bench.past(written), bench.past(value)
    with m.If(written):
        m.d.sync += weight.eq(value)
    asked, lane, seen = bench.past(read.has), bench.past(read.lane), weight
    for _ in range(timing.weights - 1):
        asked, lane, seen = bench.past(asked), bench.past(lane), bench.past(seen)
    bench.always(~asked | (Value.cast(dut.weights).word_select(lane, _PARAMS.weight_bits) == seen))

    # Bank (i + j) mod B, address floor(j / B) * S + i.
    bank, place = Signal(range(lanes)), Signal(range(_TARGETS // lanes * _PARAMS.sources))
    m.d.comb += [bank.eq(source + target), place.eq(target // lanes * _PARAMS.sources + source)]
    for n in range(lanes):
        bench.always((bank != n) | (inside.word(f"bank{n}.words", place) == weight))


def engine_leaves_absent_synapses(bench: Bench) -> None:
    """Any segments one after the other, and any weights, which the loom may give at any time."""
    params, timing = _PARAMS, PassTiming.of(_PARAMS)
    dut = PassEngine(params)
    inside = bench.add(dut)
    bench.cut(inside, "loom", dut.loom)
    bench.cut(inside, "fetcher", dut.fetcher)
    for n in range(params.lanes):
        weight = dut.loom.weights[n]
        for _ in range(timing.updated - timing.weights):
            weight = bench.past(weight)
        bench.always(~dut.loom.write_mask[n] | (weight.as_signed() != params.weight_absent))


PROOFS = [
    Proof(
        "Loom",
        "each weight has its own place; what a row or a column wrote there, both read in its lane",
        loom_rows_and_columns_agree,
        Mutant(loom.rotate, "-(1 << bit) if back else 1 << bit", "1 << bit"),
        depth=7,
        mutant_depth=10,
    ),
    Proof(
        "PassEngine",
        "a synapse that was read as absent is not written, whatever a pass learns",
        engine_leaves_absent_synapses,
        Mutant(
            PassEngine._accumulate, "exist & self._mask.at(timing.weights)", "self._mask.at(timing.weights)"
        ),
        depth=PassTiming.of(_PARAMS).updated - PassTiming.of(_PARAMS).weights + 2,
        mutant_depth=16,
    ),
]
