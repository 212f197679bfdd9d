"""The content of run.json and evaluation.json: models, checksum, format versions, and their conversion to JSON."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic_core import CoreSchema, ErrorDetails, ValidationError, core_schema

from nncli.config.diagnostics import path_text, shown
from nncli.config.model import Config
from nncli.data.dataset import DataSchema, Dataset
from nncli.errors import UnsupportedVersionError
from nncli.experiment.metric_columns import METRICS_FORMAT
from nncli.experiment.sections import source_sections
from nncli.registry import Bounds, Count, Model, parse_union_tag
from nncli.store.npz import WEIGHTS_FORMAT
from nncli.store.strict_json import load_strict_json
from nncli.version import __version__

FORMAT = 2  # of run.json and evaluation.json; version 1, before nncli 0.5, had no checksum
CONFIG = "config.yaml"  # the config as it was trained; before nncli 0.7 there was only spec.yaml
# of files without a version number inside
SNAPSHOTS, HEALTH = "snapshots.npz", "health.csv"  # runs of nncli before 0.9 have neither
FORMATS = {CONFIG: 1, "metrics.csv": METRICS_FORMAT, "weights.npz": WEIGHTS_FORMAT, SNAPSHOTS: 1, HEALTH: 1}
END = b"\n}"  # of an indented JSON object
CHECKSUM_BYTES = len(',\n  "sha256": ""') + 64 + len(END) + 1  # of the last key of a record, with its end
VERSION = r"[0-9]{1,9}(\.[0-9]{1,9}){1,3}"
RecordType = TypeVar("RecordType", bound="Record")
NonNegativeInt = Annotated[int, Bounds(ge=0)]


class Record(Model):
    """A part of a run's file: known keys are validated strictly, unknown keys of a later version are ignored."""

    extra = "ignore"


class ArrayRecord(Record):
    """A saved array, trainable or not: its full name, shape and dtype."""

    name: str
    shape: list[NonNegativeInt]
    dtype: str


class DataRecord(Record):
    """A data set: its size, its number of classes (null for regression) and the SHA-256 of its arrays."""

    rows: Count
    columns: Count
    classes: Count | None
    sha256: str


class FileRecord(Record):
    """A file's size in bytes and its SHA-256 checksum."""

    bytes: NonNegativeInt
    sha256: str


def data_record(data: Dataset) -> DataRecord:
    """The record of a data set in run.json."""
    rows, columns = data.inputs.shape
    return DataRecord(rows=rows, columns=columns, classes=data.classes, sha256=data.fingerprint())


def file_record(content: bytes) -> FileRecord:
    """The record of a file with this content."""
    return FileRecord(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


class RunRecord(Record):
    """run.json: what was trained, on which data, and with which versions.

    ``formats`` has the format version of each file that does not contain its own; a missing entry means 1. A resumed
    run keeps the formats that it was created with.
    """

    format: int = FORMAT
    spec: Config
    overrides: list[str]
    parameters: list[ArrayRecord]
    data: dict[str, DataRecord]
    versions: dict[str, str]
    machine: str
    blas: dict[str, Any]
    simd: dict[str, Any]
    preprocessing: FileRecord | None = None  # of preprocessing.json, if the data was read from files
    schema: dict[str, DataSchema] | None = None  # of each data source of the config; earlier versions did not record it
    formats: dict[str, Count] = {}  # noqa: RUF012 (a default)

    @classmethod
    def core(cls) -> CoreSchema:
        """The schema of a mapping that also describes the data of each split in its config."""
        return core_schema.no_info_after_validator_function(_with_each_split, super().core())

    def file_format(self, name: str) -> int:
        """The format version of metrics.csv or weights.npz."""
        return self.formats.get(name, 1)

    @property
    def has_config_file(self) -> bool:
        """Whether the run has config.yaml and config.original.yaml, instead of spec.yaml."""
        return CONFIG in self.formats

    @property
    def has_snapshots(self) -> bool:
        """Whether the run keeps weights at logged epochs in snapshots.npz."""
        return SNAPSHOTS in self.formats and bool(self.spec.training.snapshots)

    @property
    def has_health(self) -> bool:
        """Whether the run writes health.csv."""
        return HEALTH in self.formats


def _with_each_split(record: RunRecord) -> RunRecord:
    if record.spec.test_sampled_after_training and "test" in record.data:
        raise ValueError("nncli 0.1.0 sampled the test set before training, which is no longer supported; train again")
    test = None if record.spec.test_sampled_after_training else record.spec.test
    splits = {"training": True, "validation": record.spec.validation, "test": test}
    if set(record.data) != {name for name, split in splits.items() if split}:
        raise ValueError("data has other splits than the config")
    if record.schema is not None and set(record.schema) != set(source_sections(record.spec)):
        raise ValueError("schema has other sections than the config")
    return record


class WarningRecord(Record):
    """A sign that the training learned nothing: its kind, the message, and the numbers and names in the message."""

    kind: str
    message: str
    facts: dict[str, Any] = {}  # noqa: RUF012 (a default)


class EvaluationRecord(Record):
    """evaluation.json: the final metrics, the epoch of the final weights, and the checksum of weights.npz.

    ``data`` describes the splits that were sampled after training and are therefore not in run.json; ``identity`` is
    that of the run, which nncli 0.3 and earlier did not write; ``warnings`` say that the training learned nothing,
    which nncli 0.6 and earlier did not check.
    """

    format: int = FORMAT
    identity: str | None = None
    epoch: NonNegativeInt
    epochs_trained: NonNegativeInt
    weights: FileRecord
    splits: dict[str, dict[str, float]]
    data: dict[str, DataRecord] = {}  # noqa: RUF012 (a default)
    warnings: list[WarningRecord] = []  # noqa: RUF012 (a default)


def identity(run: Mapping[str, Any]) -> str:
    """SHA-256 of what determines the states of a run: parameters, data, and the config without the number of epochs.

    It is computed from the content of run.json, not from a RunRecord, in which a later version may add defaults.
    """
    content = {name: run[name] for name in ("spec", "parameters", "data")}
    content |= {"preprocessing": run["preprocessing"]} if run.get("preprocessing") else {}
    training = {key: value for key, value in run["spec"]["training"].items() if key != "epochs"}
    content["spec"] = {**run["spec"], "training": training}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def to_json(record: Mapping[str, Any]) -> bytes:
    """A record as indented strict JSON; its last key is a checksum, the SHA-256 of the text without that key."""
    content = {**record, "format": FORMAT}
    content.pop("sha256", None)
    text = json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False).encode().removesuffix(END)
    return text + _ending(text)


def _ending(text: bytes) -> bytes:
    """The last key of a record, which is the checksum of its text, and what ends it.

    Args:
        text: the JSON text without the checksum, and without its end.
    """
    checksum = hashlib.sha256(text + END + b"\n").hexdigest()
    return f',\n  "sha256": "{checksum}"'.encode() + END + b"\n"


def from_json(data: bytes) -> dict[str, Any]:
    """The record in a JSON text of this format version, or of version 1, which had no checksum.

    Raises:
        ValueError: it is not strict JSON, or there is a checksum mismatch.
        UnsupportedVersionError: it has a newer format version.
    """
    record = load_strict_json(data)
    version = record.get("format") if isinstance(record, dict) else None
    if type(version) is not int or version < 1:
        raise ValueError(f"format: {shown(str(version))} is not a format version")
    require_format(version, FORMAT)
    if version > 1 and not data.endswith(_ending(data[:-CHECKSUM_BYTES])):
        raise ValueError("checksum mismatch")
    return {key: value for key, value in record.items() if key != "sha256"}


def require_format(version: int, newest: int) -> None:
    """Require a format version that this version of nncli reads.

    Raises:
        UnsupportedVersionError: it is a newer one.
    """
    if version > newest:
        raise UnsupportedVersionError(
            f"has format version {version}, and nncli {__version__} reads up to {newest}; use a newer version of nncli"
        )


def parse_record(value: Any, model: type[RecordType]) -> RecordType:
    """A JSON value as a validated record.

    Raises:
        ValueError: it is not valid; the message names the first key that is wrong.
        UnsupportedVersionError: it was made by a newer version of nncli, or uses a component or a key that this one
            lacks.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        errors = error.errors(include_url=False)
    maker = _maker(value)
    lacking = next(filter(None, (*map(_unknown_component, errors), *map(_unknown_key, errors))), None)
    if lacking:
        raise UnsupportedVersionError(f"uses {lacking}, which nncli {__version__} lacks{_made_by(maker)}")
    reason = f"{_location(errors[0])}: {errors[0]['msg'].removeprefix('Value error, ').lower()}"
    if maker and _release(maker) > _release(__version__):
        raise UnsupportedVersionError(f"was made by nncli {maker}, and nncli {__version__} cannot read it: {reason}")
    raise ValueError(reason)


def _location(error: ErrorDetails) -> str:
    """The path of the key that is wrong."""
    return path_text(tuple(step for step in error["loc"] if not parse_union_tag(step))) or "top level"


def _unknown_key(error: ErrorDetails) -> str | None:
    """The path of a key that configs do not have, if that is the error."""
    return f"the key {_location(error)}" if error["type"] == "extra_forbidden" else None


def _unknown_component(error: ErrorDetails) -> str | None:
    """The kind and the name of a component that is not registered, if that is the error."""
    value = error["input"]
    name = value.get("type") if isinstance(value, dict) else value
    if error["type"] != "unknown_type" or not isinstance(name, str):
        return None
    return f"the {error['ctx']['kind']} {shown(name)}"


def _made_by(maker: str | None) -> str:
    return f"; the run was made by nncli {maker}" if maker else ""


def _maker(value: Any) -> str | None:
    """The version of nncli that made a run; None if run.json has no valid one."""
    versions = value.get("versions") if isinstance(value, dict) else None
    maker = versions.get("nncli") if isinstance(versions, dict) else None
    return maker if isinstance(maker, str) and re.fullmatch(VERSION, maker) else None


def _release(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]
