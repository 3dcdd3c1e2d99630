"""The arguments of a command: shifted in by bytes, then an address that counts up."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom.contract.registers import control
from synloom_hdl.counting import down_or_load, up_or_load

__all__ = ["Arguments"]

_TARGET_BITS = ceil_log2(memory_of(ArrayParams(), Region.WEIGHTS).offset(1, 0))
"""Bits of a WEIGHTS offset that are the target."""

_NOWHERE = min(
    (mask for mask in range(1 << 5) if all(region & mask != mask for region in Region)), key=int.bit_count
)
"""Bits that no region has all of: with them set, a number is not that of a region."""


class Arguments(wiring.Component):
    """Region, offset and count in six bytes, lowest first, or what a command has in their place.

    Parameters
    ----------
    neurons : int
        N: where a row of WEIGHTS ends.

    Members
    -------
    restart : In(1)
        Load the address of CTRL's `event_room` and a count of one.
    shifts : In(1), byte : In(8)
        All bytes move down a place; `byte` becomes the highest.
    advances : In(1)
        Go to the next offset.
    counts : In(1)
        With `advances`: lower the count.
    bytes : Out(48)
        All six bytes.
    region : Out(5), offset : Out(24)
        Address of the next access; a number above those of regions is mapped to a region that does not exist.
    weights : Out(1)
        The region is WEIGHTS.
    count : Out(16), done : Out(1)
        Accesses left; there are none.
    """

    def __init__(self, neurons):
        self.neurons = neurons
        super().__init__(
            {
                "restart": In(1),
                "shifts": In(1),
                "byte": In(8),
                "advances": In(1),
                "counts": In(1),
                "bytes": Out(48),
                "region": Out(5),
                "offset": Out(24),
                "weights": Out(1),
                "count": Out(16),
                "done": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        # `restart` loads the reset values, which costs nothing.
        region = Signal(8, init=Region.CTRL)
        target = Signal(_TARGET_BITS, init=control("event_room").offset)
        source = Signal(24 - _TARGET_BITS)
        count = Signal(16, init=1)
        wraps, carries = Signal(), Signal()
        nowhere = Signal()

        m.d.comb += [
            self.bytes.eq(Cat(region, target, source, count)),
            nowhere.eq(region[5:].any()),
            self.region.eq(region[:5] | Mux(nowhere, _NOWHERE, 0)),
            self.offset.eq(Cat(target, source)),
            self.weights.eq(region == Region.WEIGHTS),
            self.count.eq(count),
            self.done.eq(count == 0),
            wraps.eq(self.weights & (target == self.neurons - 1)),
            carries.eq(wraps | target.all()),
        ]
        above = Cat(self.bytes[8:], self.byte)
        with m.If(self.shifts):
            m.d.sync += region.eq(above)
        with m.If(self.shifts | self.advances):
            m.d.sync += target.eq(up_or_load(target, self.shifts, above[8 : 8 + _TARGET_BITS]))
        with m.If(self.shifts | (self.advances & self.counts)):
            m.d.sync += count.eq(down_or_load(count, self.shifts, above[32:]))
        with m.If(self.shifts | (self.advances & carries)):
            m.d.sync += source.eq(up_or_load(source, self.shifts, above[8 + _TARGET_BITS : 32]))
        with m.If(self.advances & wraps):
            m.d.sync += target.eq(0)
        with m.If(self.restart):
            m.d.sync += [part.eq(part.init) for part in (region, target, source, count)]
        return m
