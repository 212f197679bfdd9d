"""Event files: checksums by published values, and records that TensorBoard reads."""

import struct

import pytest

from nncli.export.event_file import crc32c, event_file, record, scalars_event, version_event


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (b"", 0),
    ],
)
def test_checksums_are_those_of_the_standard(data, crc):
    """Source: RFC 3720, appendix B.4; the CRC is printed there byte by byte."""
    assert crc32c(data) == crc


def test_record_has_length_checksums_and_data():
    """The fields lie where a reader of TFRecord files expects them, and the CRC is masked."""
    framed = record(b"data")
    assert struct.unpack("<Q", framed[:8]) == (4,)
    assert framed[12:16] == b"data"
    masks = [(struct.unpack("<I", part)[0] - 0xA282EAD8) % 2**32 for part in (framed[8:12], framed[16:20])]
    assert [(mask << 15 | mask >> 17) % 2**32 for mask in masks] == [crc32c(framed[:8]), crc32c(b"data")]


def test_events_are_read_by_tensorboard(tmp_path):
    """By its own reader, with its messages: version, step, time and values."""
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    path = tmp_path / "events.out.tfevents.0"
    path.write_bytes(event_file([version_event(1.5), scalars_event(2.5, 7, {"loss": 0.25, "validation_loss": 0.5})]))
    version, scalars = loader.LegacyEventFileLoader(str(path)).Load()
    assert (version.wall_time, version.file_version) == (1.5, "brain.Event:2")
    assert (scalars.wall_time, scalars.step) == (2.5, 7)
    assert {value.tag: value.simple_value for value in scalars.summary.value} == {"loss": 0.25, "validation_loss": 0.5}


def test_damaged_record_is_rejected_by_tensorboard(tmp_path):
    """Its reader checks the CRC, so a file that it reads has right ones."""
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    path = tmp_path / "events.out.tfevents.0"
    content = bytearray(event_file([version_event(1.5), version_event(2.5)]))
    content[-6] ^= 1
    path.write_bytes(content)
    assert [event.wall_time for event in loader.LegacyEventFileLoader(str(path)).Load()] == [1.5]
