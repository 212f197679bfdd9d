"""A run held against its data sets again, class by class, and against gates."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nncli.errors import CommandLineError, DivergedError, RunError
from nncli.nn.metrics import class_scores, confusion
from nncli.run.assembly import Experiment, assemble
from nncli.run.directory import described
from nncli.run.evaluation import SPLITS, examples, measure, measured_names, predict
from nncli.run.reading import Run
from nncli.spec.problems import did_you_mean


@dataclass(frozen=True)
class Gate:
    """A bound on a metric: of one split where its name begins with that split's, else of every split shown."""

    name: str
    bound: float
    upper: bool

    def covers(self, split: str, metric: str) -> bool:
        """Whether the bound is for this metric of this split."""
        return self.name in {metric, f"{split}_{metric}"}

    def holds(self, value: float) -> bool:
        """Whether a value is within the bound; at the bound it is."""
        return value <= self.bound if self.upper else value >= self.bound


def parse_gate(text: str, upper: bool) -> Gate:
    """A gate from ``metric=value``.

    Raises:
        CommandLineError: it has another form, or no such metric.
    """
    name, _, number = text.partition("=")
    known = {known for split in SPLITS for metric in measured_names(split) for known in (metric, f"{split}_{metric}")}
    if name not in known:
        raise CommandLineError(f"{text!r}: unknown metric {name!r}{did_you_mean(name, known)}")
    try:
        bound = float(number)
    except ValueError:
        bound = math.nan
    if not math.isfinite(bound):
        raise CommandLineError(f"{text!r}: {number!r} is not a number; write a gate as accuracy=0.9")
    return Gate(name, bound, upper)


def failures(assessment: dict[str, Any], gates: Sequence[Gate]) -> list[str]:
    """A sentence for each gate that is not met, and for each that nothing shown is measured by."""
    sentences = []
    for gate in gates:
        covered = [
            (split, metric, value)
            for split, part in assessment["splits"].items()
            for metric, value in part["metrics"].items()
            if gate.covers(split, metric)
        ]
        if not covered:
            sentences.append(f"{gate.name}: no split shown has it; the gate is not met")
        side = "over" if gate.upper else "under"
        sentences += [
            f"{split} {metric} is {value:.6g}, {side} {gate.bound:g}"
            for split, metric, value in covered
            if not gate.holds(value)
        ]
    return sentences


def assess(run: Run, splits: tuple[str, ...] = ()) -> dict[str, Any]:
    """Metrics, confusion matrix and scores of each class, on each split or on the named ones.

    Raises:
        CommandLineError: the run has no such split.
        DivergedError: a metric of these weights is not finite.
        RunError: the weights do not fit, or the data is no longer what the run was trained on.
    """
    experiment = assemble(run.spec)
    missing = [name for name in splits if name not in experiment.data]
    if missing:
        raise CommandLineError(f"{run.path}: has no split {missing[0]!r}; it has {', '.join(experiment.data)}")
    _require_same_data(run, experiment)
    epoch = run.load_weights(experiment.network.parameters)
    chosen = splits or tuple(experiment.data)
    parts = {name: _assessed(experiment, name) for name in chosen}
    for name, part in parts.items():
        wrong = [metric for metric, value in part["metrics"].items() if not math.isfinite(value)]
        if wrong:
            raise DivergedError(f"{run.path}: the {wrong[0]} of the weights of epoch {epoch} on {name} is not finite")
    return {"run": str(run.path), "status": run.status, "epoch": epoch, "splits": parts}


def _assessed(experiment: Experiment, name: str) -> dict[str, Any]:
    network = experiment.network
    part = examples(experiment.data[name], network)
    outputs = predict(network, part)
    matrix = confusion(np.argmax(outputs, axis=1), part.targets, part.classes)
    return {
        "rows": len(part.targets),
        "metrics": measure(network, name, part, outputs),
        "confusion": matrix.tolist(),
        "classes": [asdict(scores) for scores in class_scores(matrix)],
    }


def _require_same_data(run: Run, experiment: Experiment) -> None:
    for name, data in experiment.data.items():
        if run.record.data[name] != described(data):
            raise RunError(f"{run.path}: the {name} data drawn now is not what the run was trained on")
