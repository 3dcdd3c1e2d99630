"""Proofs about the sums of a step's synaptic input."""

from amaranth.hdl import Array, Const, Mux, Signal, Value
from formal_bench import Bench, Mutant, Proof

from synloom.contract import ArrayParams
from synloom_hdl.core.accumulators import Accumulators

__all__ = ["PROOFS"]


def sums_saturate(bench: Bench) -> None:
    """Any chunks of weights and any sweeps; both sums of one neuron are followed."""
    params = ArrayParams(inputs=1, neurons=1, lanes=2, neuron_lanes=1, weight_bits=4, accumulator_bits=10)
    m, dut, top = bench.m, Accumulators(params), params.accumulator_max
    bench.add(dut)
    neuron = bench.constant(range(16), "neuron")
    lane, chunk = neuron % params.lanes, neuron // params.lanes

    # Chunks come again when their sums are stored; a sweep waits for all, and all wait for it.
    mine = dut.valid & (bench.past(dut.chunk) == chunk)
    recent, valid, swept = mine, dut.valid, dut.sweep_en
    for _ in range(dut.reuse_clocks - 1):
        recent, valid, swept = bench.past(recent), bench.past(valid), bench.past(swept)
        bench.given(~(mine & recent) & ~(dut.sweep_en & valid) & ~(dut.valid & swept))
    bench.given(~(dut.sweep_en & dut.valid) & ~(dut.sweep_en & bench.past(valid)))

    # A chunk's address comes a clock before.
    bench.given(~dut.valid | bench.past(Const(1)))
    again = dut.sweep_group == bench.past(dut.sweep_group)
    bench.given(~(dut.sweep_en & bench.past(dut.sweep_en) & again))

    weight = Value.cast(dut.weights).word_select(lane, params.weight_bits).as_signed()
    size = Signal(16)
    m.d.comb += size.eq(Mux(weight < 0, -weight, weight) << dut.shift)
    adds = mine & Array(dut.mask)[lane]
    reads = dut.sweep_en & (dut.sweep_group == neuron)
    for sign, is_mine, swept_sum in (("e", weight >= 0, dut.sums[0].e), ("i", weight < 0, dut.sums[0].i)):
        total, more = Signal(10, name=f"total_{sign}"), Signal(17, name=f"more_{sign}")
        m.d.comb += more.eq(total + size)
        with m.If(reads):
            m.d.sync += total.eq(0)
        with m.Elif(adds & is_mine):
            m.d.sync += total.eq(Mux(more > top, top, more))
        bench.always(~bench.past(reads) | (swept_sum == bench.past(total)))


PROOFS = [
    Proof(
        "Accumulators",
        "a sum is that of its weights, clipped at AMAX, never wrapped; a sweep clears what it read",
        sums_saturate,
        Mutant(
            Accumulators._sum, "mux(clips, self.params.accumulator_max, total)", "mux(clips, total, total)"
        ),
        depth=8,
        for_ever=False,
    ),
]
