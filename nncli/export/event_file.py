"""Event files of TensorBoard: records with checksums, each of which is one Event message."""

import struct
from collections.abc import Iterable, Mapping
from typing import Any

from nncli.export.protobuf import double, integer, message, single, text

POLYNOMIAL = 0x82F63B78  # of CRC-32C (Castagnoli), bits reversed
MASK_DELTA = 0xA282EAD8
VERSION = "brain.Event:2"
HPARAMS = "hparams"  # the plugin that shows parameters
SUCCESS, FAILURE, RUNNING = 1, 2, 3  # how a session ended, as this plugin encodes it
EMPTY_TENSOR = integer(1, 1) + message(2, message(2, b""))  # float32, shape (0,)


def _crc_table() -> tuple[int, ...]:
    """The CRC of each byte."""
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)  # noqa: PLW2901
        table.append(value)
    return tuple(table)


TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    """The CRC-32C of data.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'

    Source: RFC 3720, appendix B.4.
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def record(data: bytes) -> bytes:
    """A record of a TFRecord file: length (uint64), its masked CRC-32C (uint32), data, and the masked CRC of the data.

    Source: TensorFlow, tensorflow/core/lib/io/record_writer.h.
    """
    length = struct.pack("<Q", len(data))
    return length + _masked_crc(length) + data + _masked_crc(data)


def _masked_crc(data: bytes) -> bytes:
    """The CRC rotated right by 15 bits, plus a constant, so that a CRC of data with CRCs in it differs."""
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF)


def version_event(time: float) -> bytes:
    """The first event of a file."""
    return double(1, time) + text(3, VERSION)


def scalars_event(time: float, step: int, values: Mapping[str, float]) -> bytes:
    """An event with scalars by name; TensorBoard keeps them in float32."""
    summary = b"".join(message(1, text(1, name) + single(2, value)) for name, value in values.items())
    return double(1, time) + integer(2, step) + message(5, summary)


def start_event(time: float, group: str, parameters: Mapping[str, Any]) -> bytes:
    """The event with the parameters of a session: numbers, booleans and strings."""
    entries = (message(1, text(1, name) + message(2, _value(value))) for name, value in parameters.items())
    session = b"".join(entries) + text(4, group) + double(5, time)
    return _hparams_event(time, "session_start_info", message(3, session))


def end_event(time: float, status: int) -> bytes:
    """The event with the status of a session."""
    return _hparams_event(time, "session_end_info", message(4, integer(1, status) + double(2, time)))


def _hparams_event(time: float, tag: str, content: bytes) -> bytes:
    """An event whose content is for the plugin that shows parameters."""
    metadata = message(1, text(1, HPARAMS) + message(2, content))
    value = text(1, f"_hparams_/{tag}") + message(9, metadata) + message(8, EMPTY_TENSOR)
    return double(1, time) + message(5, message(1, value))


def _value(value: Any) -> bytes:
    """A google.protobuf.Value."""
    if isinstance(value, bool):
        return integer(4, value)
    return double(2, value) if isinstance(value, int | float) else text(3, str(value))


def event_file(events: Iterable[bytes]) -> bytes:
    """The content of a file with these events."""
    return b"".join(map(record, events))
