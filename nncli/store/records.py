"""What run.json and evaluation.json hold, written and read by the same models."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic_core import CoreSchema, ValidationError, core_schema

from nncli import __version__
from nncli.config.diagnostics import path_text, shown
from nncli.config.model import Config
from nncli.config.validation_messages import parse_union_tag
from nncli.data.dataset import DataSchema
from nncli.errors import UnsupportedVersionError
from nncli.experiment.data_plan import source_sections
from nncli.registry import Bounds, Count, Model
from nncli.store.strict_json import unpacked

FORMAT = 2  # of run.json and evaluation.json; 1, before nncli 0.5, had no checksum
VERSION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){1,3}")
Known = TypeVar("Known", bound="Record")
NonNegativeInt = Annotated[int, Bounds(ge=0)]


class Record(Model):
    """Part of a file of a run: strict in what it knows; what a later version may add is passed over."""

    extra = "ignore"


class ArrayRecord(Record):
    """An array that is saved, a trained one or a statistic: its full name, shape and type."""

    name: str
    shape: list[NonNegativeInt]
    dtype: str


class DataRecord(Record):
    """A data set: its size, its classes (null where a target is a number) and the SHA-256 of its arrays."""

    rows: Count
    columns: Count
    classes: Count | None
    sha256: str


class RunRecord(Record):
    """run.json: what was trained, on what, and with which versions."""

    format: int = FORMAT
    spec: Config
    overrides: list[str]
    parameters: list[ArrayRecord]
    data: dict[str, DataRecord]
    versions: dict[str, str]
    machine: str
    blas: dict[str, Any]
    simd: dict[str, Any]
    schema: dict[str, DataSchema] | None = None  # of each data source of the config; earlier versions did not record it

    @classmethod
    def core(cls) -> CoreSchema:
        """The schema of a mapping that also has each split of its spec."""
        return core_schema.no_info_after_validator_function(_with_each_split, super().core())


def _with_each_split(record: RunRecord) -> RunRecord:
    if record.spec.test_sampled_after_training and "test" in record.data:
        raise ValueError("the test set was drawn before training, as nncli 0.1.0 did it; train it again")
    test = None if record.spec.test_sampled_after_training else record.spec.test
    given = {"training": True, "validation": record.spec.validation, "test": test}
    if set(record.data) != {name for name, part in given.items() if part}:
        raise ValueError("data has other splits than the config")
    if record.schema is not None and set(record.schema) != set(source_sections(record.spec)):
        raise ValueError("schema has other sections than the config")
    return record


class FileRecord(Record):
    """A file's size in bytes and its SHA-256."""

    bytes: NonNegativeInt
    sha256: str


class EvaluationRecord(Record):
    """evaluation.json: the metrics of the weights that were kept, their epoch, and the digest of weights.npz.

    ``data`` describes the splits that were drawn after training, and so stand in no run.json; ``identity`` is
    that of the run, which nncli 0.3 and before did not write.
    """

    format: int = FORMAT
    identity: str | None = None
    epoch: NonNegativeInt
    epochs_trained: NonNegativeInt
    weights: FileRecord
    splits: dict[str, dict[str, float]]
    data: dict[str, DataRecord] = {}  # noqa: RUF012 (a default)


def identity(run: Mapping[str, Any]) -> str:
    """SHA-256 of what the states of a run follow from, as its run.json says it: parameters, data, spec but its epochs.

    It is taken of the file, not of a RunRecord, in which a later version may fill in what the file does not say.
    """
    told = {name: run[name] for name in ("spec", "parameters", "data")}
    training = {key: value for key, value in run["spec"]["training"].items() if key != "epochs"}
    told["spec"] = {**run["spec"], "training": training}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def sealed(record: Mapping[str, Any]) -> bytes:
    """A record as strict JSON, indented; its last key is the SHA-256 of the text without that key."""
    content = {**record, "format": FORMAT}
    content.pop("sha256", None)
    return _json({**content, "sha256": hashlib.sha256(_json(content)).hexdigest()})


def unsealed(data: bytes) -> dict[str, Any]:
    """The record in a JSON text of this version, or of version 1, which had no checksum.

    Raises:
        ValueError: it is no strict JSON, or its checksum does not match.
        UnsupportedVersionError: it has a newer format.
    """
    record = unpacked(data)
    version = record.get("format") if isinstance(record, dict) else None
    if type(version) is not int or version < 1:
        raise ValueError(f"format: {shown(str(version))} is not a format version")
    if version > FORMAT:
        raise UnsupportedVersionError(f"has format version {version}; this nncli reads up to {FORMAT}")
    content = {key: value for key, value in record.items() if key != "sha256"}
    if version > 1 and data != sealed(content):
        raise ValueError("its checksum does not match")
    return content


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False).encode() + b"\n"


def parsed(value: Any, model: type[Known]) -> Known:
    """The record that a JSON value is.

    Raises:
        ValueError: it is not what the model asks for; the message says what is wrong first.
        UnsupportedVersionError: likewise, and it was made by a newer nncli.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = path_text(tuple(step for step in first["loc"] if not parse_union_tag(step))) or "as a whole"
        reason = f"{where}: {first['msg'].removeprefix('Value error, ').lower()}"
        maker = _newer_maker(value)
        if maker:
            raise UnsupportedVersionError(
                f"was made by nncli {maker}, and this is {__version__}, which cannot read it: {reason}"
            ) from None
        raise ValueError(reason) from None


def _newer_maker(value: Any) -> str | None:
    """The version of nncli that a run.json names, if that is newer than this one."""
    versions = value.get("versions") if isinstance(value, dict) else None
    maker = versions.get("nncli") if isinstance(versions, dict) else None
    if not (isinstance(maker, str) and VERSION.fullmatch(maker)):
        return None
    return maker if _release(maker) > _release(__version__) else None


def _release(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]
