"""What run.json and evaluation.json hold, written and read by the same models."""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic_core import CoreSchema, ValidationError, core_schema

from nncli.registry import Bounds, Count, Model
from nncli.spec.messages import entered
from nncli.spec.problems import path_words, shown
from nncli.spec.sections import Spec

FORMAT: Literal[1] = 1
LONGEST_WHOLE = 40  # characters of a whole number, as in a spec
DEEPEST = 40  # levels; a spec has at most 20
TOO_DEEP = f"nested deeper than {DEEPEST} levels"
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

    format: Literal[1] = FORMAT
    spec: Spec
    overrides: list[str]
    parameters: list[ArrayRecord]
    data: dict[str, DataRecord]
    versions: dict[str, str]
    machine: str
    blas: dict[str, Any]
    simd: dict[str, Any]

    @classmethod
    def core(cls) -> CoreSchema:
        """The schema of a mapping that also has each split of its spec."""
        return core_schema.no_info_after_validator_function(_with_each_split, super().core())


def _with_each_split(record: RunRecord) -> RunRecord:
    if record.spec.draws_test_last and "test" in record.data:
        raise ValueError("the test set was drawn before training, as nncli 0.1.0 did it; train it again")
    test = None if record.spec.draws_test_last else record.spec.test
    given = {"training": True, "validation": record.spec.validation, "test": test}
    if set(record.data) != {name for name, part in given.items() if part}:
        raise ValueError("data has other splits than the spec")
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

    format: Literal[1] = FORMAT
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


def packed(value: Mapping[str, Any]) -> bytes:
    """Strict JSON, indented, with a last newline."""
    return json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False).encode() + b"\n"


def parsed(data: bytes, model: type[Known]) -> Known:
    """The record that a JSON text is.

    Raises:
        ValueError: it is no strict JSON, or not what the model asks for; the message says what is wrong first.
    """
    try:
        return model.model_validate(unpacked(data))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = path_words(tuple(step for step in first["loc"] if not entered(step))) or "as a whole"
        raise ValueError(f"{where}: {first['msg'].removeprefix('Value error, ').lower()}") from None


def unpacked(data: bytes) -> Any:
    """The value of a JSON text in UTF-8 that all readers understand alike.

    No key stands twice, every number is finite, every string is text, and lists and mappings are not nested endlessly.

    Raises:
        ValueError: it is no such text.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"byte 0x{data[error.start]:02x} at {error.start} is not UTF-8 text") from None
    try:
        value = json.loads(
            text, parse_int=_whole, parse_float=_finite, parse_constant=_refuse, object_pairs_hook=_mapping
        )
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    _require_text(value, 0)
    return value


def _whole(text: str) -> int:
    if len(text) > LONGEST_WHOLE:
        raise ValueError(f"a whole number of {len(text):,} characters")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{shown(text)} is too large for a number of double precision")
    return number


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"key {shown(twice)} stands twice")
    return made


def _require_text(value: Any, depth: int) -> None:
    """Look at every string, and into every list and mapping, as deep as a record may be nested."""
    if depth > DEEPEST:
        raise ValueError(TOO_DEEP)
    if isinstance(value, str) and not value.isascii():
        _require_characters(value)
    elif isinstance(value, list):
        for inner in value:
            _require_text(inner, depth + 1)
    elif isinstance(value, dict):
        for key, inner in value.items():
            _require_text(key, depth)
            _require_text(inner, depth + 1)


def _require_characters(text: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"{shown(text)} holds half a character")
