"""Overrides that turn the small config into another task or another kind of training."""

import hashlib
import json

from nncli.experiment.loading import load
from nncli.runner.train import train
from nncli.store.records import FORMAT
from nncli.store.run_writer import name_from

DENSE_8 = "{type: dense, units: 8}"
NORMAL = "initializer: {type: normal, scale: 0.1}"

SINE = (
    "data={type: sine, samples: 40}",
    "validation={type: sine, samples: 29}",
    f"layers=[{DENSE_8}, tanh, {{type: dense, units: 1}}]",
    "loss=mean_squared_error",
    "metrics=[r2, mean_absolute_error, root_mean_squared_error, regression_accuracy]",
)
BINARY = (
    "data.classes=2",
    "validation.classes=2",
    f"layers=[{DENSE_8}, relu, {{type: dense, units: 1}}, sigmoid]",
    "loss=binary_crossentropy",
    "metrics=[accuracy, precision, recall, f1, auc]",
)
NORMALIZED = (
    f"layers=[{DENSE_8}, batch_normalization, relu, {{type: dense, units: 3}}, softmax]",
    "training.batch_size=16",
)
LATE_TEST = (  # an odd number of normal numbers before the masks, so that the book's stream holds one back
    "rng=nnfs",
    "test={type: spiral, samples: 10}",
    f"layers=[{{type: dense, units: 7, {NORMAL}}}, relu, {{type: dropout, rate: 0.3}}, "
    f"{{type: dense, units: 3, {NORMAL}}}, softmax]",
)
DIVIDED = (  # 900 rows through 2-128-3: a step that is long enough to be divided
    "data.samples=300",
    "layers[0].units=128",
    "training.threads=2",
)
WARM_COSINE = "schedule={type: warmup, updates: 5, then: {type: cosine, lowest: 0.1}}"


def put_record(path, record):
    """Write run.json or evaluation.json anew, with a checksum that matches, unless it is of a format without one."""
    if record.get("format") != FORMAT:
        path.write_text(json.dumps(record), encoding="utf-8")
        return
    content = {name: value for name, value in record.items() if name != "sha256"}
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    content["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def train_config(path, overrides=(), **options):
    """Train a config, by default in ``runs`` beside it; returns how it ended."""
    return train(load(path, tuple(overrides)), name_from(path), **{"runs": path.parent / "runs", **options})
