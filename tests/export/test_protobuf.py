"""The wire format of Protocol Buffers: examples of its specification, and messages that google.protobuf reads."""

import math

import pytest

from nncli.export import protobuf


def test_examples_of_the_specification():
    """Source: https://protobuf.dev/programming-guides/encoding/, messages Test1, Test2 and Test3."""
    assert protobuf.integer(1, 150) == bytes.fromhex("089601")
    assert protobuf.text(2, "testing") == bytes.fromhex("120774657374696e67")
    assert protobuf.message(3, protobuf.integer(1, 150)) == bytes.fromhex("1a03089601")


@pytest.mark.parametrize("value", [0, 1, 127, 128, 2**31, 2**63 - 1, -1, -(2**63)])
def test_integers_are_read_by_google(value):
    """Negative ones are ten bytes, in two's complement."""
    wrappers = pytest.importorskip("google.protobuf.wrappers_pb2")
    assert wrappers.Int64Value.FromString(protobuf.integer(1, value)).value == value


@pytest.mark.parametrize("value", [0.0, -1.5, 1e300, -1e300, 5e-324])
def test_floats_are_read_by_google(value):
    """float64 exactly, float32 rounded; a value that is too large for float32 is infinite."""
    wrappers = pytest.importorskip("google.protobuf.wrappers_pb2")
    assert wrappers.DoubleValue.FromString(protobuf.double(1, value)).value == value
    read = wrappers.FloatValue.FromString(protobuf.single(1, value)).value
    assert read == (math.copysign(math.inf, value) if abs(value) > 1e38 else pytest.approx(value, rel=1e-7))


def test_text_is_utf_8():
    """A surrogate, which UTF-8 cannot have, is replaced."""
    wrappers = pytest.importorskip("google.protobuf.wrappers_pb2")
    assert wrappers.StringValue.FromString(protobuf.text(1, "ä✓" * 100)).value == "ä✓" * 100
    assert wrappers.StringValue.FromString(protobuf.text(1, "a\udcff")).value == "a?"
