"""What run.json and evaluation.json hold, written and read by the same models."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic_core import CoreSchema, core_schema

from nncli.registry import Bounds, Count, Model
from nncli.spec.sections import Spec

FORMAT: Literal[1] = 1
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


def unpacked(data: bytes) -> Any:
    """The value of a JSON text in which NaN and infinity are no numbers.

    Raises:
        ValueError: it is no such text.
    """
    try:
        return json.loads(data, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")
