"""Which kind of memory synthesis is to choose."""

__all__ = ["block_ram"]

_DISTRIBUTED_BITS = {"ecp5": 2048, "gowin": 3600}
_SELDOM_BITS = {"ecp5": 4096}
"""The same for memories outside of the array, whose reads need not be fast."""


def block_ram(platform, bits: int, *, mixes: bool = False, seldom: bool = False) -> dict[str, str]:
    """Return the attributes of a memory of so many bits, by which synthesis chooses the kind of memory.

    If it `mixes`, a row may be read in the clock in which one of its elements is written. Block RAM may then
    give any value; distributed RAM gives the old row.

    iCE40 has only block RAM and registers. ECP5 and Gowin have blocks of 18 Kibit, which the weights need: a
    memory that would leave most of a block empty is distributed RAM, and one that is used `seldom` may be
    larger then. A platform whose design leaves blocks free says by `distributed_bits` how large distributed
    RAM may be; what is larger takes blocks then.
    """
    family = getattr(platform, "fpga_family", None)
    if family == "ice40":
        return {"ram_style": "block"}
    own = getattr(platform, "distributed_bits", None)
    most = max(limits.get(family, 0) for limits in (_DISTRIBUTED_BITS, *[_SELDOM_BITS] * seldom))
    if bits <= (most if own is None else own) or (mixes and family in _DISTRIBUTED_BITS):
        return {"ram_style": "distributed"}
    return {} if own is None else {"ram_style": "block"}
