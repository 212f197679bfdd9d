"""One self-verifying file: position, weights, optimizer, and the length of the metrics that belong to it."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np

from nncli.errors import RunError
from nncli.experiment.rng import RngState
from nncli.nn.parameters import Array
from nncli.registry import Bounds
from nncli.store import safe_read as files
from nncli.store.records import NonNegativeInt, Record, parse_record
from nncli.store.strict_json import load_strict_json

NAME = re.compile(r"([0-9]{8}|[1-9][0-9]{8,20})\.ckpt")
MAGIC = b"nncli checkpoint 1\n"
DIGEST = hashlib.sha256().digest_size
LONGEST_HEAD = 2**20  # bytes of the line of JSON; the random state in it has a hundredth of that


class Position(Record):
    """How far training is.

    Args:
        epoch: whole epochs trained.
        batch: batches trained of the next one.
        updates: steps of the optimizer.
        best_epoch: early stopping's best epoch so far.
        best_value: what it watched was then.
        random: the state of the streams, where that does not follow from seed and epoch.
        random_before: that when the epoch under way began, its order not yet drawn.
        is_measured: whether the row of this epoch is in metrics.csv already.
        metrics_bytes: how much of metrics.csv belongs to it.
        metrics_sha256: the digest of these bytes; None in a checkpoint of nncli 0.3 and before, as are the two above.
    """

    epoch: NonNegativeInt
    batch: NonNegativeInt
    updates: NonNegativeInt
    best_epoch: NonNegativeInt | None = None
    best_value: float | None = None
    random: RngState | None = None
    random_before: RngState | None = None
    is_measured: bool = False
    metrics_bytes: NonNegativeInt
    metrics_sha256: str | None = None


class VectorRecord(Record):
    """One of the vectors behind the head."""

    name: str
    dtype: Annotated[str, Bounds(pattern="^<f[48]$")]
    length: NonNegativeInt


class Head(Record):
    """What a checkpoint says before its vectors; ``identity`` is that of its run."""

    identity: str | None = None
    position: Position
    vectors: list[VectorRecord]


class Checkpoint(NamedTuple):
    """A position with its vectors (P,): ``values``, what the optimizer remembers, and ``best`` where there is one.

    ``identity`` is that of its run; None in a checkpoint of nncli 0.3 and before.
    """

    position: Position
    vectors: Mapping[str, Array]
    identity: str | None = None


def checkpoints(run: Path) -> list[Path]:
    """The checkpoints of a run, the oldest first; a file's name is the number of updates, other files are none.

    Raises:
        RunError: their folder is a link, or none.
    """
    named = [name for name in files.list_directory(run, "checkpoints") if NAME.fullmatch(name)]
    return [run / "checkpoints" / name for name in sorted(named, key=lambda name: (len(name), name))]


def pack(position: Position, vectors: Mapping[str, Array], identity: str | None) -> bytes:
    """The file: a line of magic, SHA-256 of the rest, one line of JSON, the vectors one after another."""
    listed = [VectorRecord(name=name, dtype=vector.dtype.str, length=len(vector)) for name, vector in vectors.items()]
    head = Head(identity=identity, position=position, vectors=listed)
    line = json.dumps(head.model_dump(), allow_nan=False).encode() + b"\n"
    parts: list[Any] = [line, *(vector.data for vector in vectors.values())]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return b"".join([MAGIC, digest.digest(), *parts])


def unpack(data: bytes) -> Checkpoint:
    """Read what ``pack`` has written; nothing is believed before the digest fits, and nothing may be left over.

    Raises:
        RunError: it is something else, or was changed.
    """
    start = len(MAGIC) + DIGEST
    behind = memoryview(data)[start:]
    if not data.startswith(MAGIC) or hashlib.sha256(behind).digest() != data[len(MAGIC) : start]:
        raise RunError("the checkpoint is damaged: its digest does not fit")
    end = data.find(b"\n", start, start + LONGEST_HEAD)
    if end < 0:
        raise RunError(f"the checkpoint is of no known form: no line of at most {LONGEST_HEAD:,} bytes begins it")
    try:
        head = parse_record(load_strict_json(data[start:end]), Head)
        return Checkpoint(head.position, _vectors(head, memoryview(data)[end + 1 :]), head.identity)
    except ValueError as error:
        raise RunError(f"the checkpoint is of no known form: {error}") from None


def _vectors(head: Head, rest: memoryview) -> dict[str, Array]:
    """Views of the vectors, which fill the rest to its last byte."""
    sizes = [np.dtype(listed.dtype).itemsize * listed.length for listed in head.vectors]
    if sum(sizes) != len(rest):
        raise ValueError(f"its vectors have {sum(sizes):,} bytes, but {len(rest):,} follow")
    if len({listed.name for listed in head.vectors}) < len(sizes):
        raise ValueError("two of its vectors have the same name")
    vectors, offset = {}, 0
    for listed, size in zip(head.vectors, sizes, strict=True):
        vectors[listed.name] = np.frombuffer(rest[offset : offset + size], listed.dtype)
        offset += size
    return vectors
