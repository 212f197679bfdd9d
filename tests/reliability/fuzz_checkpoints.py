"""Mutated checkpoints: none is accepted but the very bytes that were packed, and nothing but a RunError is raised."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np

from nncli.errors import RunError
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.store.checkpoint import DIGEST, MAGIC, Checkpoint, Position, pack, unpack
from tests.conftest import SPEC
from tests.reliability.mutations import damaged, other_json
from tests.reliability.tally import Portion, Tally, bounded_time, peak

START = len(MAGIC) + DIGEST
SEALED = 0.1  # the share of structure-aware mutations, whose digest fits
MOST_GROWTH = 2**26

FAULTS = {
    "the digest is not asked": {
        "nncli/store/checkpoint.py": (
            "hashlib.sha256(behind).digest() != data[len(MAGIC) : start]",
            "len(data) < start",
        )
    },
    "only a part of the digest is asked": {
        "nncli/store/checkpoint.py": (
            "hashlib.sha256(behind).digest() != data[len(MAGIC) : start]",
            "hashlib.sha256(behind).digest()[:-1] != data[len(MAGIC) : start - 1]",
        )
    },
    "what is left over is ignored": {
        "nncli/store/checkpoint.py": ("if sum(sizes) != len(rest):", "if sum(sizes) > len(rest):")
    },
    "a length is believed": {
        "nncli/store/checkpoint.py": (
            "if sum(sizes) != len(rest):",
            "if np.ones(min(sum(sizes), 2**29), np.uint8).sum() != len(rest):",
        )
    },
    "an error is not caught": {
        "nncli/store/checkpoint.py": ("except ValueError as error:", "except UnicodeError as error:")
    },
}


def small(folder: Path) -> bytes:
    """The checkpoint of a small network that Adam has moved, with the best weights."""
    path = folder / "spec.yaml"
    path.write_text(SPEC.replace("units: 8", "units: 3"), encoding="utf-8")
    experiment = assemble(load(path).config)
    values = experiment.network.parameters.values
    position = Position(
        epoch=20, batch=0, updates=20, metrics_bytes=500, metrics_sha256="0" * 64, best_epoch=10, best_value=0.5
    )
    return pack(position, {"values": values, **experiment.optimizer.state, "best": values.copy()}, "0" * 64)


def attack(portion: Portion) -> Tally:
    """Unpack so many mutated checkpoints, a tenth of them with a digest that was made right again."""
    original, random = small(portion.folder), portion.random
    assert unpack(original)
    tally, before = Tally(), peak()
    if portion.number == 0:
        for data in systematic(original):
            _note(data, original, False, tally, portion.kept)
    for _ in range(portion.count):
        is_sealed = random.random() < SEALED
        data = resealed(random, original) if is_sealed else damaged(random, original)
        _note(data, original, is_sealed, tally, portion.kept)
    tally.bound_memory(before, MOST_GROWTH, portion.kept)
    return tally


def systematic(data: bytes) -> Iterator[bytes]:
    """Every single bit flipped, and every part that is cut off."""
    for at in range(len(data)):
        yield data[:at]
        for bit in range(8):
            yield data[:at] + bytes((data[at] ^ 1 << bit,)) + data[at + 1 :]


def resealed(random: Random, data: bytes) -> bytes:
    """Another head, or another length of what follows it, under a digest that fits."""
    head, _, rest = data[START:].partition(b"\n")
    if random.random() < 0.8:
        head = other_json(random, head) if random.random() < 0.8 else damaged(random, head)
    if random.random() < 0.3:
        rest = damaged(random, rest)
    body = head + b"\n" + rest if random.random() < 0.98 else head
    return MAGIC + hashlib.sha256(body).digest() + body


def _note(data: bytes, original: bytes, is_sealed: bool, tally: Tally, kept: Path) -> None:
    """Count what becomes of a mutated checkpoint."""
    kind = "with a right digest " if is_sealed else ""
    try:
        with bounded_time():
            found = unpack(data)
    except RunError as error:
        tally.outcomes[f"{kind}refused"] += 1
        if not str(error).isprintable() or len(str(error)) > 500:
            tally.fail(f"the message is {str(error)[:500]!r}", data, kept)
    except Exception as error:
        tally.outcomes["failed"] += 1
        tally.fail(f"{type(error).__name__}: {error}"[:500], data, kept)
    else:
        is_right = well_formed(found, data) if is_sealed else data == original
        right = f"{kind}accepted" if is_sealed else "unchanged and accepted"
        tally.outcomes[right if is_right else "failed"] += 1
        if not is_right:
            tally.fail("accepted", data, kept)


def well_formed(found: Checkpoint, data: bytes) -> bool:
    """Whether a checkpoint is what its bytes say: numbers of training that can be, and vectors that fill the rest."""
    position, vectors, _ = found
    counts = (position.epoch, position.batch, position.updates, position.metrics_bytes)
    head, _, rest = data[START:].partition(b"\n")
    listed = json.loads(head)["vectors"]
    return (
        all(type(number) is int and number >= 0 for number in counts)
        and list(vectors) == [each["name"] for each in listed]
        and all(array.dtype in {np.dtype("<f4"), np.dtype("<f8")} for array in vectors.values())
        and all(len(vectors[each["name"]]) == each["length"] for each in listed)
        and b"".join(array.tobytes() for array in vectors.values()) == rest
    )
