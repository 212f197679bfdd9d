"""run.json and evaluation.json: strict JSON, checksums, format versions, and unsupported versions."""

import json
import re
from contextlib import nullcontext

import pytest

from nncli import __version__
from nncli.errors import UnsupportedVersionError
from nncli.experiment.metric_columns import METRICS_FORMAT
from nncli.store.records import (
    FORMATS,
    EvaluationRecord,
    FileRecord,
    RunRecord,
    from_json,
    parse_record,
    to_json,
)
from nncli.store.strict_json import DEEPEST, LONGEST_INTEGER, load_strict_json

RECORD = EvaluationRecord(
    epoch=1,
    epochs_trained=2,
    weights=FileRecord(bytes=3, sha256="é"),
    splits={"training": {"loss": 0.1 + 0.2, "accuracy": 5e-324}},
)


def test_record_survives_a_round_trip():
    """Values are equal bit for bit, and text may be of any language."""
    assert parse_record(from_json(to_json(RECORD.model_dump())), EvaluationRecord) == RECORD


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("-1.5e-3", -0.0015), ('"\\u00e9"', "é"), ('"\\ud83d\\ude00"', "😀"), ("[[], {}]", [[], {}])],
)
def test_valid_json_is_read(text, value):
    """Numbers, text, escapes and a surrogate pair."""
    assert load_strict_json(text.encode()) == value


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
    b"NaN": "NaN is not a finite number",
    b"[Infinity]": "Infinity is not a finite number",
    b"[-Infinity]": "-Infinity is not a finite number",
    b"1e999": "'1e999' is too large",
    b"-1e999": "'-1e999' is too large",
    b"1" * 400 + b".0": "is too large",
    b"1" * (LONGEST_INTEGER + 1): "an integer of 41 characters",
    b"1" * 1_000_000: "an integer of 1,000,000 characters",
    b'{"a": 1, "b": {"c": 1, "c": 2}}': "duplicate key 'c'",
    b'{"a": 1, "\\u0061": 2}': "duplicate key 'a'",
    b'"\\ud800"': r"'\\ud800' contains an unpaired surrogate",
    b'{"x\\udc00": 1}': r"'x\\udc00' contains an unpaired surrogate",
    b'["a\x1b"]': "Invalid control character",
    NESTED[0]: "nested deeper than 40 levels",
    NESTED[1]: "nested deeper than 40 levels",
    b'{"a":' * 50_000: "nested deeper than 40 levels",
}


@pytest.mark.parametrize("data", WRONG, ids=lambda data: repr(data[:20]))
def test_ambiguous_json_is_rejected(data):
    """The message says what is wrong, and has no control characters."""
    with pytest.raises(ValueError, match=WRONG[data]) as raised:
        load_strict_json(data)
    assert str(raised.value).isprintable()


def test_deepest_allowed_nesting_is_read():
    """The limit itself is allowed."""
    depth = DEEPEST + 1
    assert load_strict_json(("[" * depth + "]" * depth).encode())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'"epoch": 1', b'"epoch": "1"', "epoch: input should be a valid integer"),
        (b'"epoch": 1', b'"epoch": -1', "epoch: input should be greater than or equal to 0"),
        (b'"bytes": 3', b'"size": 3', "weights.bytes: field required"),
        (b'"accuracy"', b'"\\u001b[2J"', "splits.training.�\\[2J: input should be a valid number"),
    ],
)
def test_invalid_record_is_reported_with_its_path(old, new, message):
    """The message names the first wrong key, without control characters."""
    data = to_json(RECORD.model_dump()).replace(old, new).replace(b"5e-324", b'"x"' if b"2J" in new else b"5e-324")
    with pytest.raises(ValueError, match=message):
        parse_record(load_strict_json(data), EvaluationRecord)


@pytest.mark.slow
def test_every_bit_flip_is_detected():
    """Flips in the keys of format and checksum and in white space are detected too."""
    data = to_json(RECORD.model_dump())
    for index in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[index // 8] ^= 1 << index % 8
        with pytest.raises((ValueError, UnsupportedVersionError)):
            from_json(bytes(flipped))


def test_format_1_has_no_checksum():
    """nncli before 0.5 wrote it; format 2 without a checksum is damaged."""
    for version, is_read in ((1, True), (2, False)):
        data = json.dumps({**RECORD.model_dump(), "format": version}).encode()
        with nullcontext() if is_read else pytest.raises(ValueError, match="checksum"):
            assert parse_record(from_json(data), EvaluationRecord) == RECORD.model_copy({"format": 1})


@pytest.mark.parametrize("version", [None, "1", 1.0, 0, -1, True])
def test_invalid_format_version_is_damage(version):
    """Versions are positive integers."""
    with pytest.raises(ValueError, match="is not a format version"):
        from_json(json.dumps({**RECORD.model_dump(), "format": version}).encode())


def test_newer_format_is_not_damage():
    """The message says which version it has, and which ones can be read."""
    with pytest.raises(
        UnsupportedVersionError, match=r"has format version 3, and nncli .* reads up to 2; use a newer version"
    ):
        from_json(json.dumps({"format": 3}).encode())


LATER = f"{__version__.partition('.')[0]}.1000"  # as text before a version such as 0.6


@pytest.mark.parametrize(
    ("maker", "error"),
    [
        ("99.0", UnsupportedVersionError),
        (LATER, UnsupportedVersionError),
        ("0.4.1", ValueError),
        (__version__, ValueError),
        ("\x1b[2J", ValueError),
    ],
)
def test_invalid_value_of_a_newer_version_is_not_damage(workdir, run_cli, maker, error):
    """In a run of this version or an older one it is damage."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    record = from_json((workdir / "runs" / "config" / "run.json").read_bytes())
    record["versions"]["nncli"] = maker
    record["spec"]["training"]["epochs"] = "warp"
    with pytest.raises(error, match=r"spec.training.epochs: input should be a valid integer"):
        parse_record(record, RunRecord)


@pytest.mark.parametrize("maker", ["99.0", "0.4.1", __version__, "\x1b[2J"])
@pytest.mark.parametrize("section", ["training", "optimizer"])
def test_unknown_key_is_not_damage(workdir, run_cli, maker, section):
    """Like an unknown component, the key or parameter is named, whichever version made the run."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    record = from_json((workdir / "runs" / "config" / "run.json").read_bytes())
    record["versions"]["nncli"] = maker
    record["spec"][section]["warp\x1b"] = 9
    with pytest.raises(
        UnsupportedVersionError, match=rf"^uses the key spec\.{section}\.warp�, which nncli {__version__} lacks"
    ):
        parse_record(record, RunRecord)


@pytest.mark.parametrize("maker", ["0.4.1", "99.0"])
def test_unknown_component_is_not_damage(workdir, run_cli, maker):
    """The message names its kind, its name, and the version that made the run."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    path = workdir / "runs" / "config" / "run.json"
    record = from_json(path.read_bytes())
    record["versions"]["nncli"] = maker
    record["spec"]["optimizer"]["type"] = "warp_drive"
    message = f"uses the optimizer 'warp_drive', which nncli {__version__} lacks; the run was made by nncli {maker}"
    with pytest.raises(UnsupportedVersionError, match=re.escape(message)):
        parse_record(record, RunRecord)
    path.write_bytes(to_json(record))
    result = run_cli("evaluate", "config")
    assert (result.code, result.err) == (4, f"runs/config/run.json: {message}\n")


def test_unknown_component_is_named_before_other_errors(workdir, run_cli):
    """A key that is unknown too is likely to belong to the same later version."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    record = from_json((workdir / "runs" / "config" / "run.json").read_bytes())
    record["spec"]["data"]["warp"] = 9
    record["spec"]["optimizer"]["type"] = "warp_drive"
    with pytest.raises(UnsupportedVersionError, match="uses the optimizer 'warp_drive'"):
        parse_record(record, RunRecord)


@pytest.mark.parametrize("value", [3, None, {}, {"type": 3}])
def test_component_without_a_name_is_damage(workdir, run_cli, value):
    """No version can have written it."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    record = from_json((workdir / "runs" / "config" / "run.json").read_bytes())
    record["spec"]["optimizer"] = value
    with pytest.raises(ValueError, match=r"spec\.optimizer: unknown optimizer"):
        parse_record(record, RunRecord)


def test_formats_of_files_are_recorded_and_default_to_1(workdir, run_cli):
    """A run of nncli 0.5 or earlier does not record them."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    record = from_json((workdir / "runs" / "config" / "run.json").read_bytes())
    others = dict.fromkeys(("config.yaml", "weights.npz", "snapshots.npz", "health.csv"), 1)
    assert record["formats"] == FORMATS == {"metrics.csv": METRICS_FORMAT, **others}
    del record["formats"]
    assert parse_record(record, RunRecord).file_format("weights.npz") == 1
