"""The INFO region: how the host discovers what it is connected to."""

from __future__ import annotations

from typing import Final

from synloom.base.errors import TargetError
from synloom.contract.params import SEMANTICS_VERSION, ArrayParams

__all__ = ["INFO_WORDS", "MAGIC", "PROTOCOL_VERSION", "decode_info", "encode_info"]

MAGIC: Final = (0x5953, 0x4C4E)
"""'SYNL', low byte first."""

PROTOCOL_VERSION: Final = 3
_NAMES: Final = tuple(ArrayParams().to_dict())
INFO_WORDS: Final = 4 + 2 * len(_NAMES) + 16


def encode_info(params: ArrayParams) -> list[int]:
    """Return the words of INFO: magic, versions, every parameter in 32 bits, both digests."""
    words = [*MAGIC, PROTOCOL_VERSION, SEMANTICS_VERSION]
    for value in params.to_dict().values():
        words += [int(value) & 0xFFFF, int(value) >> 16]
    for digest in (params.digest(), params.semantics_digest()):
        words += [int(digest[k : k + 4], 16) for k in range(0, 32, 4)]
    return words


def decode_info(words: list[int]) -> ArrayParams:
    """Return the ArrayParams that INFO describes.

    Raises
    ------
    TargetError
        If the magic, a version or the digest is not ours.
    """
    if len(words) != INFO_WORDS or tuple(words[:2]) != MAGIC:
        raise TargetError("this is not a Synloom array: the discovery registers do not start with 'SYNL'")
    if words[2] != PROTOCOL_VERSION or words[3] != SEMANTICS_VERSION:
        raise TargetError(
            f"the gateware speaks protocol {words[2]} with semantics {words[3]}, this SDK speaks "
            f"protocol {PROTOCOL_VERSION} with semantics {SEMANTICS_VERSION}; flash the board again "
            f"or install the matching synloom"
        )
    defaults = ArrayParams().to_dict()
    values: dict[str, int | bool] = {}
    for k, name in enumerate(_NAMES):
        value = words[4 + 2 * k] | words[5 + 2 * k] << 16
        values[name] = bool(value) if isinstance(defaults[name], bool) else value
    params = ArrayParams.from_dict(values)
    if encode_info(params) != list(words):
        raise TargetError("the gateware's digest does not fit its parameters; flash the board again")
    return params
