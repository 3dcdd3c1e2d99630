"""Edits of files: bytes and tokens that are flipped, cut, repeated or replaced by extreme ones."""

import re

from hypothesis import strategies as st

TOKENS = re.compile(rb"-?\d[\w.+-]*|\"[^\"\n]*\"|\w+|[\[\]{},:=.]")
EXTREMES = (
    *(
        b"0",
        b"-1",
        b"1",
        b"2048",
        b"4096",
        b"65536",
        b"-0.0",
        b"1e308",
        b"-1e308",
        b"5e-324",
        b"1e-9",
        b"1e9",
    ),
    *(b"9" * 5000, b"0x" + b"f" * 5000, b"NaN", b"nan", b"Infinity", b"-inf", b"inf", b"null", b"true"),
    *(b'""', b'"\\u0000"', b'"\\ud800"', b'"../x"', b'"' + b"x" * 5000 + b'"', b"\0", b"\xff", b"\n"),
    *(b"[]", b"{}", b"[" * 5000, b"{" * 5000, b"[[[[0]]]]", b'{"a":1}', b"[0,1]", b"a." * 5000, b",", b"="),
)
KINDS = ("flip", "set", "cut", "drop", "repeat", "insert", "extreme", "other", "remove")
BYTES = ("flip", "set", "cut", "drop", "repeat", "insert")
"""The kinds for what has no tokens."""
NUMBERS = st.integers(0, 2**32 - 1)
EDITS = st.one_of(
    st.lists(st.tuples(st.sampled_from(KINDS), NUMBERS, NUMBERS), min_size=1, max_size=5),
    st.lists(
        st.tuples(st.sampled_from(("extreme", "other", "remove")), NUMBERS, NUMBERS), min_size=1, max_size=1
    ),
)
"""Some edits: what to do, where, and a number for how."""
BYTE_EDITS = st.lists(st.tuples(st.sampled_from(BYTES), NUMBERS, NUMBERS), min_size=1, max_size=5)
"""The same for bytes on a line."""


def edited(content, edits):
    """Return the content after all edits."""
    for kind, where, how in edits:
        content = _edited(content, kind, where, how)
    return content


def _edited(content, kind, where, how):
    if not content:
        return EXTREMES[how % len(EXTREMES)]
    at, length = where % len(content), how % 64
    match kind:
        case "flip":
            return content[:at] + bytes([content[at] ^ 1 << how % 8]) + content[at + 1 :]
        case "set":
            return content[:at] + bytes([how % 256]) + content[at + 1 :]
        case "cut":
            return content[:at]
        case "drop":
            return content[:at] + content[at + 1 + length :]
        case "repeat":
            return content[:at] + content[at : at + 1 + length] * (1 + how % 50) + content[at:]
        case "insert":
            return content[:at] + how.to_bytes(4, "little") + content[at:]
    return _with_a_token(content, kind, where, how)


def _with_a_token(content, kind, where, how):
    """Return the content with one token replaced by an extreme or another one, or removed."""
    tokens = list(TOKENS.finditer(content[: 1 << 16]))
    if not tokens:
        return content + EXTREMES[how % len(EXTREMES)]
    token, other = tokens[where % len(tokens)], tokens[how % len(tokens)]
    new = {"extreme": EXTREMES[how % len(EXTREMES)], "other": other.group(), "remove": b""}[kind]
    return content[: token.start()] + new + content[token.end() :]
