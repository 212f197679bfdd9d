"""Damage to a file of a run directory: other bytes, other content with a matching checksum, or no file."""

import hashlib
import io
import json
import os
import re
import shutil
import zipfile
from functools import partial
from pathlib import Path
from random import Random

from tests.fault_injection.fuzz_checkpoints import resealed
from tests.fault_injection.fuzz_mutators import DIGITS, NUMBERS, damaged, mutated_json

SPARSE = 3 * 2**30
CELLS = [*DIGITS, *NUMBERS, "nan", "inf", "-inf", "", "x", "\x1b[2J", "1_0", " 1", "٣", '"1"', '"']
OUTSIDE = "outside"  # the target of links, beside the run


def remove(path: Path) -> None:
    """Remove a file or directory, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def missing(path: Path) -> None:
    """Remove the file."""
    path.unlink()


def empty(path: Path) -> None:
    """Truncate the file to no bytes."""
    path.write_bytes(b"")


def link(path: Path) -> None:
    """Replace the file by a symbolic link to its content outside of the run."""
    run = path.parent.parent if path.parent.name == "checkpoints" else path.parent
    outside = run.parent / OUTSIDE
    outside.mkdir(exist_ok=True)
    path.rename(outside / path.name)
    path.symlink_to(outside / path.name)


def pipe(path: Path) -> None:
    """Replace the file by a named pipe without a writer."""
    path.unlink()
    os.mkfifo(path)


def directory(path: Path) -> None:
    """Replace the file by a directory."""
    path.unlink()
    path.mkdir()


def sparse(path: Path) -> None:
    """Extend the file by a hole of 3 GiB."""
    with path.open("r+b") as file:
        file.truncate(SPARSE)


def nested(path: Path) -> None:
    """Replace the content by opening brackets."""
    path.write_bytes(b"[" * 100_000)


def flipped(position: float, path: Path) -> None:
    """Flip a bit; ``position`` is a fraction of the file's size."""
    data = bytearray(path.read_bytes())
    data[int(position * len(data))] ^= 0x40
    path.write_bytes(data)


TRAPS = (link, pipe, directory, sparse, nested)
REPLACEMENTS = (missing, empty, *TRAPS)
FLIPS = [partial(flipped, index / 16) for index in range(16)]


def mutate(random: Random, path: Path) -> bool:
    """Write mutated content into a file; returns whether its checksum matches."""
    data = path.read_bytes()
    if path.suffix == ".json" and random.random() < 0.7:
        path.write_bytes(mutated_json(random, data))
    elif path.suffix == ".csv" and random.random() < 0.7:
        path.write_bytes(_mutated_table(random, data))
    elif path.suffix == ".ckpt" and random.random() < 0.5:
        path.write_bytes(resealed(random, data))
        return True
    elif path.suffix == ".npz" and random.random() < 0.5:
        path.write_bytes(_other_archive(random, data))
        if path.name == "weights.npz":
            _seal(path)
        return True
    else:
        path.write_bytes(damaged(random, data))
    return False


def _mutated_table(random: Random, data: bytes) -> bytes:
    """Replace, remove or duplicate one to three cells of a table, or duplicate lines."""
    rows = [line.split(b",") for line in data.split(b"\n")]
    for _ in range(random.choice((1, 1, 2, 3))):
        row = random.choice(rows)
        cell, index = random.choice(CELLS).encode(), random.randrange(len(row) or 1)
        row[index : index + 1] = random.choice(([cell], [cell], [], [cell, cell]))
        at = random.randrange(len(rows))
        rows[at:at] = random.choice(([], [], [rows[at]]))
    return b"\n".join(map(b",".join, rows))


def _other_archive(random: Random, data: bytes) -> bytes:
    """Weights with other members, other headers, another compression, or other bytes."""
    if random.random() < 0.4:
        return damaged(random, data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    at = random.randrange(len(members))
    name, content = members[at]
    match random.randrange(5):
        case 0:
            members[at] = (random.choice(("x.npy", f"../{name}", name[:-4], members[0][0], "\x1b[2J.npy")), content)
        case 1:
            members[at] = (name, damaged(random, content))
        case 2:
            members[at] = (name, damaged(random, content[:128]) + content[128:])
        case 3:
            members[at : at + 1] = []
        case _:
            members.append((f"more{random.random()}.npy", content))
    return _zipped(random, dict(members))


def _zipped(random: Random, members: dict[str, bytes]) -> bytes:
    file, packing = io.BytesIO(), random.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(file, "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, packing)
    return file.getvalue()


def _seal(path: Path) -> None:
    """Write size and checksum of the weights of a run into its evaluation.json."""
    weights = path.read_bytes()
    evaluation = path.parent / "evaluation.json"
    text = evaluation.read_text(encoding="utf-8")
    record = json.dumps({"bytes": len(weights), "sha256": hashlib.sha256(weights).hexdigest()})
    evaluation.write_text(re.sub(r'"weights": \{[^}]*\}', f'"weights": {record}', text), encoding="utf-8")
