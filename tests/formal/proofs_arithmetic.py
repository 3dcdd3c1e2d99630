"""Proofs about arithmetic that saturates."""

from amaranth.hdl import Signal, signed
from formal_bench import Bench, Mutant, Proof

from synloom_hdl import arithmetic

__all__ = ["PROOFS"]

_STATE_BITS = 12
_SUM_BITS = _STATE_BITS + 4


def saturated_clips(bench: Bench) -> None:
    """A sum four bits wider than a state; every value of it."""
    top = (1 << (_STATE_BITS - 1)) - 1
    value = bench.free(signed(_SUM_BITS), "value")
    clipped, clips = arithmetic.saturated(value, _STATE_BITS)
    result = Signal(signed(_STATE_BITS))
    bench.m.d.comb += result.eq(clipped)
    bench.always((result <= top) & (result >= -top))
    with bench.m.If(value > top):
        bench.always(clips & (result == top))
    with bench.m.Elif(value < -top):
        bench.always(clips & (result == -top))
    with bench.m.Else():
        bench.always(~clips & (result == value))


PROOFS = [
    Proof(
        "saturated",
        "a state is clipped to -SMAX..SMAX, never wrapped, and only then",
        saturated_clips,
        Mutant(arithmetic.saturated, "~(rest.all() & low.any())", "~rest.all()"),
        depth=1,
        quick=True,
    ),
]
