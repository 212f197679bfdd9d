"""The JSON of a run: strict in writing and in reading."""

import pytest

from nncli.run.records import DEEPEST, LONGEST_WHOLE, EvaluationRecord, FileRecord, packed, parsed, unpacked

RECORD = EvaluationRecord(
    epoch=1,
    epochs_trained=2,
    weights=FileRecord(bytes=3, sha256="é"),
    splits={"training": {"loss": 0.1 + 0.2, "accuracy": 5e-324}},
)


def test_what_is_packed_is_parsed_again():
    """To the last bit, with letters of any language."""
    assert parsed(packed(RECORD.model_dump()), EvaluationRecord) == RECORD


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("-1.5e-3", -0.0015), ('"\\u00e9"', "é"), ('"\\ud83d\\ude00"', "😀"), ("[[], {}]", [[], {}])],
)
def test_plain_json_is_read(text, value):
    """Numbers, text, escapes, a character out of two halves."""
    assert unpacked(text.encode()) == value


NESTED = [("[" * depth + "]" * depth).encode() for depth in (DEEPEST + 2, 100_000)]

WRONG = {
    b"": "Expecting value",
    b"{": "Expecting property name",
    b"1 2": "Extra data",
    b"\xff": "byte 0xff at 0 is not UTF-8 text",
    b'"\xed\xa0\x80"': "byte 0xed at 1 is not UTF-8 text",
    b'\xef\xbb\xbf{"a": 1}': "BOM",
    '{"a": 1}'.encode("utf-16"): "byte 0xff at 0 is not UTF-8 text",
    '{"a": 1}'.encode("utf-16-le"): "Expecting",
    '{"a": 1}'.encode("utf-32-be"): "Expecting",
    b"NaN": "NaN is no number",
    b"[Infinity]": "Infinity is no number",
    b"[-Infinity]": "-Infinity is no number",
    b"1e999": "'1e999' is too large",
    b"-1e999": "'-1e999' is too large",
    b"1" * 400 + b".0": "is too large",
    b"1" * (LONGEST_WHOLE + 1): "a whole number of 41 characters",
    b"1" * 1_000_000: "a whole number of 1,000,000 characters",
    b'{"a": 1, "b": {"c": 1, "c": 2}}': "key 'c' stands twice",
    b'{"a": 1, "\\u0061": 2}': "key 'a' stands twice",
    b'"\\ud800"': r"'\\ud800' holds half a character",
    b'{"x\\udc00": 1}': r"'x\\udc00' holds half a character",
    b'["a\x1b"]': "Invalid control character",
    NESTED[0]: "nested deeper than 40 levels",
    NESTED[1]: "nested deeper than 40 levels",
    b'{"a":' * 50_000: "nested deeper than 40 levels",
}


@pytest.mark.parametrize("data", WRONG, ids=lambda data: repr(data[:20]))
def test_what_readers_of_json_disagree_on_is_refused(data):
    """The message says what is wrong, and cannot steer a terminal."""
    with pytest.raises(ValueError, match=WRONG[data]) as told:
        unpacked(data)
    assert str(told.value).isprintable()


def test_the_deepest_nesting_is_read():
    """The bound itself is within the bound."""
    depth = DEEPEST + 1
    assert unpacked(("[" * depth + "]" * depth).encode())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'"epoch": 1', b'"epoch": "1"', "epoch: input should be a valid integer"),
        (b'"epoch": 1', b'"epoch": -1', "epoch: input should be greater than or equal to 0"),
        (b'"bytes": 3', b'"size": 3', "weights.bytes: field required"),
        (b'"accuracy"', b'"\\u001b[2J"', "splits.training.�\\[2J: input should be a valid number"),
        (b'"format": 1', b'"format": 2', "format: input should be 1"),
    ],
)
def test_a_record_of_another_form_is_told_with_its_path(old, new, message):
    """The first that is wrong, where it stands, without what could steer a terminal."""
    data = packed(RECORD.model_dump()).replace(old, new).replace(b"5e-324", b'"x"' if b"2J" in new else b"5e-324")
    with pytest.raises(ValueError, match=message):
        parsed(data, EvaluationRecord)
