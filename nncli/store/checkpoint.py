"""Checkpoint files: training state, length and checksum of the metrics, and the identity of the run, in one file."""

import hashlib
import json
import re
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np

from nncli.errors import RunError, UnsupportedVersionError
from nncli.experiment.rng import RngState
from nncli.nn.parameters import Array
from nncli.registry import Bounds
from nncli.store import safe_read as files
from nncli.store.records import NonNegativeInt, Record, parse_record
from nncli.store.strict_json import load_strict_json
from nncli.training.state import TrainingState

NAME = re.compile(r"([0-9]{8}|[1-9][0-9]{8,20})\.ckpt")
VERSION = 2
MAGIC = b"nncli checkpoint %d\n"
FIRST_LINE = rb"nncli checkpoint ([1-9][0-9]{0,8})\n"
DIGEST = hashlib.sha256().digest_size
LONGEST_HEAD = 2**20  # bytes of the line of JSON; the states of the random number generators take about 1 % of it


class Checkpoint(NamedTuple):
    """A training state with what belongs to it in the run directory.

    Args:
        state: the training state.
        metrics_bytes: the length of metrics.csv at that moment.
        metrics_sha256: the SHA-256 of these bytes; None in a checkpoint of nncli 0.3 and earlier.
        identity: the identity of the run; None in a checkpoint of nncli 0.3 and earlier.
    """

    state: TrainingState
    metrics_bytes: int
    metrics_sha256: str | None = None
    identity: str | None = None


class VectorRecord(Record):
    """Name, dtype and length of one of the vectors that follow the head."""

    name: str
    dtype: Annotated[str, Bounds(pattern="^<f[48]$")]
    length: NonNegativeInt


class Head(Record):
    """The line of JSON before the vectors; ``state`` is without them."""

    identity: str | None = None
    metrics_bytes: NonNegativeInt
    metrics_sha256: str | None = None
    state: TrainingState
    vectors: list[VectorRecord]


def checkpoints(run: Path) -> list[Path]:
    """The checkpoint files of a run, oldest first; the file name is the number of updates, other names are ignored.

    Raises:
        RunError: their directory is a symbolic link, or not a directory.
    """
    named = [name for name in files.list_directory(run, "checkpoints") if NAME.fullmatch(name)]
    return [run / "checkpoints" / name for name in sorted(named, key=lambda name: (len(name), name))]


def pack(checkpoint: Checkpoint) -> bytes:
    """The content of a file: a line with the version, SHA-256 of everything else, one line of JSON, the vectors."""
    vectors = checkpoint.state.vectors
    head = {
        "identity": checkpoint.identity,
        "metrics_bytes": checkpoint.metrics_bytes,
        "metrics_sha256": checkpoint.metrics_sha256,
        "state": checkpoint.state.scalars(),
        "vectors": [{"name": name, "dtype": each.dtype.str, "length": len(each)} for name, each in vectors.items()],
    }
    line = json.dumps(head, allow_nan=False).encode() + b"\n"
    magic, parts = MAGIC % VERSION, [line, *(vector.data for vector in vectors.values())]
    digest = hashlib.sha256(magic)
    for part in parts:
        digest.update(part)
    return b"".join([magic, digest.digest(), *parts])


def unpack(data: bytes) -> Checkpoint:
    """Read what ``pack`` has written, or version 1; nothing is parsed before the checksum matches.

    Raises:
        RunError: it is damaged, or not a checkpoint.
        UnsupportedVersionError: a newer nncli has written it.
    """
    version, start = _checked_version(data)
    end = data.find(b"\n", start, start + LONGEST_HEAD)
    if end < 0:
        raise RunError(f"the checkpoint is not valid: it does not begin with a line of at most {LONGEST_HEAD:,} bytes")
    try:
        value = load_strict_json(data[start:end])
        head = _head_of_version_1(value) if version == 1 else parse_record(value, Head)
        state = head.state.model_copy({"vectors": _vectors(head.vectors, memoryview(data)[end + 1 :])})
    except ValueError as error:
        raise RunError(f"the checkpoint is not valid: {error}") from None
    return Checkpoint(state, head.metrics_bytes, head.metrics_sha256, head.identity)


def _checked_version(data: bytes) -> tuple[int, int]:
    """The format version, and the index of the line of JSON, once the checksum matches.

    All versions begin with a line with the version and a SHA-256; from version 2 on it covers that line too.
    """
    first = re.match(FIRST_LINE, data)
    if first:
        version, start = int(first[1]), first.end() + DIGEST
        digest = hashlib.sha256(first[0] if version > 1 else b"")
        digest.update(memoryview(data)[start:])
        if digest.digest() == data[first.end() : start]:
            if version > VERSION:
                raise UnsupportedVersionError(
                    f"the checkpoint has format version {version}; this nncli reads up to {VERSION}"
                )
            return version, start
    raise RunError("the checkpoint is damaged: checksum mismatch")


def _vectors(records: list[VectorRecord], data: memoryview) -> dict[str, Array]:
    """Views of the vectors, which fill the data to its last byte."""
    sizes = [np.dtype(record.dtype).itemsize * record.length for record in records]
    if sum(sizes) != len(data):
        raise ValueError(f"its vectors have {sum(sizes):,} bytes, but {len(data):,} follow")
    if len({record.name for record in records}) < len(sizes):
        raise ValueError("two of its vectors have the same name")
    vectors, offset = {}, 0
    for record, size in zip(records, sizes, strict=True):
        vectors[record.name] = np.frombuffer(data[offset : offset + size], record.dtype)
        offset += size
    return vectors


class PositionOfVersion1(Record):
    """The scalars of a version 1 checkpoint; the states of the random number generators are lists of numbers."""

    epoch: NonNegativeInt
    batch: NonNegativeInt
    updates: NonNegativeInt
    best_epoch: NonNegativeInt | None = None
    best_value: float | None = None
    random: list[int | float] | None = None
    random_before: list[int | float] | None = None
    is_measured: bool = False
    metrics_bytes: NonNegativeInt
    metrics_sha256: str | None = None


class HeadOfVersion1(Record):
    """The line of JSON of a version 1 checkpoint."""

    identity: str | None = None
    position: PositionOfVersion1
    vectors: list[VectorRecord]


def _head_of_version_1(value: Any) -> Head:
    """The head of a version 1 file, converted to version 2.

    Raises:
        ValueError: it is not valid.
    """
    head = parse_record(value, HeadOfVersion1)
    position = head.position
    state = TrainingState(
        epoch=position.epoch,
        batch=position.batch,
        updates=position.updates,
        is_logged=position.is_measured,
        best_epoch=position.best_epoch,
        best_value=position.best_value,
        rng=_rng_state(position.random),
        rng_at_epoch_start=_rng_state(position.random_before),
    )
    return Head(
        identity=head.identity,
        metrics_bytes=position.metrics_bytes,
        metrics_sha256=position.metrics_sha256,
        state=state,
        vectors=head.vectors,
    )


def _rng_state(values: list[int | float] | None) -> RngState | None:
    """The state that version 1 wrote as a list: the integer of PCG64, or the values of the legacy generator."""
    match values:
        case None:
            return None
        case [value]:
            return {"bit_generator": "PCG64", "state": {"state": value}}
        case [*key, pos, has_gauss, gauss]:
            state: RngState = {"bit_generator": "MT19937", "state": {"key": key, "pos": pos}}
            return {**state, "has_gauss": has_gauss, "gauss": gauss}
        case _:
            raise ValueError(f"its random numbers have a state of {len(values)} values")
