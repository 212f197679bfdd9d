"""One self-verifying file: position, weights, optimizer, and the length of the metrics that belong to it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nncli.errors import RunError
from nncli.nn.parameters import Array

MAGIC = b"nncli checkpoint 1\n"
DIGEST = hashlib.sha256().digest_size


@dataclass(frozen=True)
class Position:
    """How far training is: whole epochs, batches of the next one, updates, and bytes of metrics.csv that belong to it.

    ``best_epoch`` and ``best_value`` are early stopping's best so far.
    """

    epoch: int
    batch: int
    updates: int
    metrics_bytes: int
    best_epoch: int | None = None
    best_value: float | None = None


@dataclass(frozen=True)
class Checkpoint:
    """A position with its vectors (P,): ``values``, what the optimizer remembers, and ``best`` where there is one."""

    position: Position
    vectors: Mapping[str, Array]

    def pack(self) -> bytes:
        """The file: a line of magic, SHA-256 of the rest, one line of JSON, the vectors one after another."""
        listed = [[name, vector.dtype.str, len(vector)] for name, vector in self.vectors.items()]
        head = json.dumps({"position": asdict(self.position), "vectors": listed}, allow_nan=False)
        body = head.encode() + b"\n" + b"".join(vector.tobytes() for vector in self.vectors.values())
        return MAGIC + hashlib.sha256(body).digest() + body


def unpack(data: bytes) -> Checkpoint:
    """Read what ``pack`` has written.

    Raises:
        RunError: it is something else, or was changed.
    """
    start = len(MAGIC) + DIGEST
    if not data.startswith(MAGIC) or hashlib.sha256(data[start:]).digest() != data[len(MAGIC) : start]:
        raise RunError("the checkpoint is damaged: its digest does not fit")
    try:
        return _parsed(data[start:])
    except (ValueError, TypeError, KeyError) as error:
        raise RunError(f"the checkpoint is of no known form: {error}") from None


def _parsed(body: bytes) -> Checkpoint:
    line, _, rest = body.partition(b"\n")
    head: dict[str, Any] = json.loads(line)
    vectors, offset = {}, 0
    for name, dtype, length in head["vectors"]:
        vectors[name] = np.frombuffer(rest, np.dtype(dtype), length, offset)
        offset += vectors[name].nbytes
    return Checkpoint(Position(**head["position"]), vectors)
