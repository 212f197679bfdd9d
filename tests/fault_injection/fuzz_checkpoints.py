"""Fuzzing of checkpoints: every changed one is rejected with a RunError, and nothing else is raised."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np

from nncli.errors import RunError
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.store.checkpoint import DIGEST, MAGIC, VERSION, Checkpoint, pack, unpack
from nncli.training.state import TrainingState
from tests.conftest import SPEC
from tests.fault_injection.fuzz_mutators import damaged, mutated_json
from tests.fault_injection.result_counter import ResultCounter, Shard, peak_memory, time_limit

FIRST_LINE = MAGIC % VERSION
START = len(FIRST_LINE) + DIGEST
SEALED_PROBABILITY = 0.1  # of a structure-aware mutation with a matching checksum
MAX_GROWTH = 2**26


def small_checkpoint(directory: Path) -> bytes:
    """The checkpoint of a small network with Adam and early stopping."""
    path = directory / "config.yaml"
    path.write_text(SPEC.replace("units: 8", "units: 3"), encoding="utf-8")
    experiment = assemble(load(path).config)
    values = experiment.network.parameters.values
    vectors = {"values": values, **experiment.optimizer.state, "best": values.copy()}
    state = TrainingState(epoch=20, batch=0, updates=20, best_epoch=10, best_value=0.5, vectors=vectors)
    return pack(Checkpoint(state, 500, "0" * 64, "0" * 64))


def fuzz(shard: Shard) -> ResultCounter:
    """Unpack mutated checkpoints, a tenth of them with a matching checksum."""
    original, random = small_checkpoint(shard.directory), shard.random
    assert unpack(original)
    results, before = ResultCounter(), peak_memory()
    if shard.index == 0:
        for data in systematic_damage(original):
            _count(data, original, False, results, shard.failures)
    for _ in range(shard.count):
        is_sealed = random.random() < SEALED_PROBABILITY
        data = resealed(random, original) if is_sealed else damaged(random, original)
        _count(data, original, is_sealed, results, shard.failures)
    results.bound_memory(before, MAX_GROWTH, shard.failures)
    return results


def systematic_damage(data: bytes) -> Iterator[bytes]:
    """Every bit flip, and every truncation."""
    for index in range(len(data)):
        yield data[:index]
        for bit in range(8):
            yield data[:index] + bytes((data[index] ^ 1 << bit,)) + data[index + 1 :]


def resealed(random: Random, data: bytes) -> bytes:
    """A mutated head, or mutated vectors, with a matching checksum."""
    head, _, rest = data[START:].partition(b"\n")
    if random.random() < 0.8:
        head = mutated_json(random, head) if random.random() < 0.8 else damaged(random, head)
    if random.random() < 0.3:
        rest = damaged(random, rest)
    body = head + b"\n" + rest if random.random() < 0.98 else head
    return FIRST_LINE + hashlib.sha256(FIRST_LINE + body).digest() + body


def _count(data: bytes, original: bytes, is_sealed: bool, results: ResultCounter, failures: Path) -> None:
    """Unpack a mutated checkpoint, and count the outcome."""
    kind = "with a matching checksum " if is_sealed else ""
    try:
        with time_limit():
            checkpoint = unpack(data)
    except RunError as error:
        results.outcomes[f"{kind}rejected"] += 1
        if not str(error).isprintable() or len(str(error)) > 500:
            results.fail(f"the message is {str(error)[:500]!r}", data, failures)
    except Exception as error:
        results.outcomes["failed"] += 1
        results.fail(f"{type(error).__name__}: {error}"[:500], data, failures)
    else:
        is_right = is_consistent(checkpoint, data) if is_sealed else data == original
        outcome = f"{kind}accepted" if is_sealed else "unchanged and accepted"
        results.outcomes[outcome if is_right else "failed"] += 1
        if not is_right:
            results.fail("accepted", data, failures)


def is_consistent(checkpoint: Checkpoint, data: bytes) -> bool:
    """Whether a checkpoint agrees with its bytes: possible counts, and vectors that fill the rest."""
    state, vectors = checkpoint.state, checkpoint.state.vectors
    counts = (state.epoch, state.batch, state.updates, checkpoint.metrics_bytes)
    head, _, rest = data[START:].partition(b"\n")
    listed = json.loads(head)["vectors"]
    return (
        all(type(count) is int and count >= 0 for count in counts)
        and list(vectors) == [each["name"] for each in listed]
        and all(array.dtype in {np.dtype("<f4"), np.dtype("<f8")} for array in vectors.values())
        and all(len(vectors[each["name"]]) == each["length"] for each in listed)
        and b"".join(array.tobytes() for array in vectors.values()) == rest
    )
