"""Encoding of Protocol Buffers messages: each function returns one field, and a message is their concatenation.

Source: the wire format, https://protobuf.dev/programming-guides/encoding/.
"""

import struct

VARINT, FIXED_64, LENGTH_DELIMITED, FIXED_32 = 0, 1, 2, 5


def integer(field: int, value: int) -> bytes:
    """A field of an integer of at most 64 bits, an enumeration or a boolean."""
    return _tag(field, VARINT) + _varint(value & (2**64 - 1))


def double(field: int, value: float) -> bytes:
    """A field of a float64."""
    return _tag(field, FIXED_64) + struct.pack("<d", value)


def single(field: int, value: float) -> bytes:
    """A field of a float32; a value beyond its range is infinite."""
    try:
        return _tag(field, FIXED_32) + struct.pack("<f", value)
    except OverflowError:
        return _tag(field, FIXED_32) + struct.pack("<f", float("inf") if value > 0 else float("-inf"))


def message(field: int, content: bytes) -> bytes:
    """A field of a message, or of bytes."""
    return _tag(field, LENGTH_DELIMITED) + _varint(len(content)) + content


def text(field: int, value: str) -> bytes:
    """A field of a string."""
    return message(field, value.encode("utf-8", "replace"))


def _tag(field: int, wire_type: int) -> bytes:
    return _varint(field << 3 | wire_type)


def _varint(value: int) -> bytes:
    r"""A non-negative integer, seven bits per byte, the lowest first; the high bit says that another byte follows.

    >>> _varint(1), _varint(300)
    (b'\x01', b'\xac\x02')
    """
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
