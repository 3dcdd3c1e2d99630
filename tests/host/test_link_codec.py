import zlib
from random import Random

import numpy as np
import pytest
from amaranth.lib.crc import catalog
from hypothesis import given
from hypothesis import strategies as st

from synloom.base.errors import ParameterError
from synloom.contract.frames import CHECK_BYTES, ESCAPE, FLAG, MAX_PAYLOAD
from synloom.link.codec import Decoder, encode_frame

payloads = st.binary(min_size=1, max_size=MAX_PAYLOAD)
# Bytes that matter to the stuffing, far more often than chance would bring them.
awkward = st.lists(st.sampled_from([0x7E, 0x7D, 0x5E, 0x5D, 0x20, 0]), min_size=1, max_size=60).map(bytes)


def pieces(data, seed):
    rng = Random(seed)
    while data:
        size = rng.randrange(1, 40)
        yield data[:size]
        data = data[size:]


def test_check_sum_is_the_published_one():
    assert encode_frame(b"123456789") == b"\x7e123456789" + (0xCBF43926).to_bytes(4, "little") + b"\x7e"


@given(st.binary(min_size=1, max_size=256))
def test_checksum_is_that_of_an_independent_library(data):
    checksum = catalog.CRC32_ISO_HDLC(data_width=8).compute(data)
    assert Decoder().feed(encode_frame(data)) == [data]
    assert zlib.crc32(data) == checksum


@given(payloads | awkward)
def test_flags_appear_only_at_both_ends(payload):
    frame = encode_frame(payload)
    assert frame[0] == frame[-1] == FLAG
    assert FLAG not in frame[1:-1]
    assert all(frame[k + 1] in (0x5E, 0x5D) for k in range(len(frame)) if frame[k] == ESCAPE)


@given(st.lists(payloads | awkward, max_size=6), st.integers(0, 1000))
def test_what_is_encoded_is_decoded_in_any_pieces(sent, seed):
    decoder = Decoder()
    line = b"".join(map(encode_frame, sent))
    assert [p for piece in pieces(line, seed) for p in decoder.feed(piece)] == sent
    assert decoder.errors == 0


@given(payloads | awkward, st.data())
def test_a_changed_bit_is_noticed(payload, data):
    frame = bytearray(encode_frame(payload))
    position = data.draw(st.integers(1, len(frame) - 2))
    frame[position] ^= 1 << data.draw(st.integers(0, 7))
    decoder = Decoder()
    assert payload not in decoder.feed(bytes(frame))


@given(st.binary(max_size=2000), payloads, st.integers(0, 1000))
def test_garbage_does_not_spoil_the_frames_after_it(garbage, payload, seed):
    decoder = Decoder()
    received = [p for piece in pieces(garbage, seed) for p in decoder.feed(piece)]
    received += decoder.feed(encode_frame(payload))
    assert received[-1] == payload


def test_bytes_before_the_first_flag_are_not_an_error():
    decoder = Decoder()
    assert decoder.feed(b"half a frame" + encode_frame(b"whole")) == [b"whole"]
    assert decoder.errors == 0


def test_truncated_and_overlong_frames_are_counted():
    decoder = Decoder()
    truncated = encode_frame(b"lost its end")[:-4]
    overlong = b"\x7e" + bytes(5000) + b"\x7e"
    assert decoder.feed(truncated + overlong + encode_frame(b"right")) == [b"right"]
    assert decoder.errors == 2


def test_an_endless_frame_takes_little_memory():
    decoder = Decoder()
    decoder.feed(b"\x7e")
    for _ in range(100):
        assert decoder.feed(bytes(1000)) == []
    assert len(decoder._tail) < 1000


def test_a_payload_must_fit_a_frame():
    with pytest.raises(ParameterError, match="at most 256 bytes, not 257"):
        encode_frame(bytes(257))


def test_up_to_four_changed_bits_are_always_found():
    """The checksum is linear: an error is missed if the checksums of its bits, each alone, cancel out."""
    size = MAX_PAYLOAD + CHECK_BYTES
    zero = zlib.crc32(bytes(size - CHECK_BYTES))
    alone = [1 << k for k in range(8 * CHECK_BYTES)]
    for byte in range(size - CHECK_BYTES):
        for bit in range(8):
            error = bytearray(size - CHECK_BYTES)
            error[byte] = 1 << bit
            alone.append(zlib.crc32(error) ^ zero)
    alone = np.array(alone, dtype=np.uint32)
    assert len(alone) == 8 * size
    first, second = np.triu_indices(len(alone), 1)
    pairs = np.sort(alone[first] ^ alone[second])
    assert alone.all()
    assert pairs.all()
    assert not np.isin(alone, pairs).any()
    assert np.diff(pairs).all()
