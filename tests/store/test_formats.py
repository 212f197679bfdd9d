"""The formats as runs/README.md describes them: a reader that is written from it reads what training writes."""

import hashlib
import json
import re

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.examples import LATE_TEST

FORMATS = (ROOT / "runs" / "README.md").read_text(encoding="utf-8").partition("\n## Formats\n")[2]
STOPPING = "training.early_stopping={metric: validation_loss, patience: 1000}"


def described_keys():
    """The keys in the table of a checkpoint's JSON."""
    first_cells = re.findall(r"^\| (`.*?`) \|", FORMATS.partition("\n### Checkpoints\n")[2], re.MULTILINE)
    return {key for cell in first_cells for key in re.findall(r"`(\w+)`", cell)}


def read_checkpoint(data):
    """The JSON and the vectors of a checkpoint, by the description alone."""
    line, _, rest = data.partition(b"\n")
    assert line == b"nncli checkpoint 2"
    digest, rest = rest[:32], rest[32:]
    assert digest == hashlib.sha256(line + b"\n" + rest).digest()
    text, _, rest = rest.partition(b"\n")
    head, vectors = json.loads(text), {}
    for each in head["vectors"]:
        size = each["length"] * np.dtype(each["dtype"]).itemsize
        vectors[each["name"]], rest = np.frombuffer(rest[:size], each["dtype"]), rest[size:]
    assert rest == b""
    return head, vectors


def read_record(path):
    """The content of run.json or evaluation.json, by the description alone."""
    text = path.read_bytes()
    record = json.loads(text)
    assert list(record)[-1] == "sha256"
    without = re.sub(rb',\n  "sha256": ".*"\n', b"\n", text)
    assert record["sha256"] == hashlib.sha256(without).hexdigest()
    assert record["format"] == 2
    return record


def identity(record):
    """The identity of a run, by the description alone."""
    training = {key: value for key, value in record["spec"]["training"].items() if key != "epochs"}
    content = {"spec": {**record["spec"], "training": training}}
    content |= {"parameters": record["parameters"], "data": record["data"]}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@pytest.mark.parametrize("overrides", [(), LATE_TEST, (STOPPING,)], ids=["plain", "book rng", "early stopping"])
def test_formats_are_as_described(workdir, run_cli, overrides):
    """Versions, checksums, identity, keys and vectors of a finished run."""
    assert run_cli("train", "config.yaml", "-q", *overrides).code == 0
    run = workdir / "runs" / "config"
    record, evaluation = read_record(run / "run.json"), read_record(run / "evaluation.json")
    assert record["formats"] == dict.fromkeys(
        ("config.yaml", "metrics.csv", "weights.npz", "snapshots.npz", "health.csv"), 1
    )
    assert evaluation["identity"] == identity(record)
    metrics = (run / "metrics.csv").read_bytes()
    head, vectors = read_checkpoint(max((run / "checkpoints").iterdir()).read_bytes())
    assert set(head) == described_keys()
    assert head["identity"] == identity(record)
    assert head["metrics_bytes"] == len(metrics)
    assert head["metrics_sha256"] == hashlib.sha256(metrics).hexdigest()
    weights = np.load(run / "weights.npz")
    arrays = np.concatenate([weights[each["name"]].ravel() for each in record["parameters"]])
    assert np.array_equal(vectors["best" if STOPPING in overrides else "values"], arrays)
    assert set(vectors) == {"values", "sum", "squares"} | ({"best"} if STOPPING in overrides else set())
    assert (head["state"]["rng"] is not None) == ("rng=nnfs" in overrides)


def test_description_says_what_the_checksum_covers():
    """In version 2 the first line too, as ``read_checkpoint`` has it."""
    text = " ".join(FORMATS.split())
    assert "The SHA-256 is that of everything else, the first line included; in version 1, of everything after" in text
