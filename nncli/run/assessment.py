"""A run held against its data sets again, class by class, and against gates."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nncli import __version__
from nncli.errors import CommandLineError, DivergedError, RunError
from nncli.nn.metrics.classification import Accuracy, Decided, class_scores, confusion, decisions
from nncli.nn.metrics.metric import Task
from nncli.nn.parameters import Array
from nncli.run.assembly import Experiment, assemble
from nncli.run.checkpoint import checkpoints
from nncli.run.checks import everything_fits_into_memory
from nncli.run.directory import described
from nncli.run.divergence import Culprit, Search
from nncli.run.evaluation import SPLITS, examples, measure, possible_names, predict
from nncli.run.reading import Run
from nncli.run.tasks import task
from nncli.spec.problems import LONGEST_VALUE, did_you_mean, path_words
from nncli.spec.schema import Sections
from nncli.spec.sections import Spec


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
    bare = {metric for split in SPLITS for metric in possible_names(split)}
    known = bare | {f"{split}_{metric}" for split in SPLITS for metric in possible_names(split)}
    if name not in known:
        raise CommandLineError(f"{text!r}: unknown metric {name!r}{did_you_mean(name, known, listed=bare)}")
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
            measured = dict.fromkeys(name for part in assessment["splits"].values() for name in part["metrics"])
            sentences.append(f"{gate.name}: no split shown has it, but {', '.join(measured)}; the gate is not met")
        side = "over" if gate.upper else "under"
        sentences += [
            f"{split} {metric} is {value:.6g}, {side} {gate.bound:g}"
            for split, metric, value in covered
            if not gate.holds(value)
        ]
    return sentences


def assess(run: Run, splits: tuple[str, ...] = (), threshold: float | None = None) -> dict[str, Any]:
    """Metrics, and where there are classes confusion matrix and scores of each, on each split or on the named ones.

    Args:
        run: the run.
        splits: the splits to be measured; all where none is named.
        threshold: what a single output has to exceed to stand for class 1; else the spec's.

    Raises:
        CommandLineError: the run has no such split, or its outputs have no threshold.
        DivergedError: a weight, or what is measured with these weights, is not finite.
        RunError: the weights do not fit, or the data is no longer what the run was trained on.
    """
    experiment, epoch = _restored(run, run.spec if threshold is None else _with_threshold(run, threshold), splits)
    chosen = splits or tuple(experiment.data)
    parts = {name: _assessed(experiment, name, threshold) for name in chosen}
    for name, part in parts.items():
        if not all(map(math.isfinite, part["metrics"].values())):
            found = Search(experiment).in_split(name, examples(experiment.data[name], experiment.network))
            raise _diverged(run, epoch, found)
    return {"run": str(run.path), "status": run.status, "epoch": epoch, "splits": parts}


def by_row(run: Run, split: str, metric: str) -> Array:
    """The value of a metric for each row of a split, (N,).

    Raises:
        CommandLineError, DivergedError, RunError: as for ``assess``.
    """
    experiment, _ = _restored(run, run.spec, (split,))
    part = examples(experiment.data[split], experiment.network)
    return experiment.metrics[metric].by_row(predict(experiment.network, part), part.targets)


def _restored(run: Run, spec: Spec, splits: tuple[str, ...]) -> tuple[Experiment, int]:
    """What a run's spec describes, with the run's weights, and the epoch that these are of."""
    experiment = assembled(run, spec)
    if run.evaluation is not None and (not splits or "test" in splits):
        _draw_last(run, experiment)
    missing = [name for name in splits if name not in experiment.data]
    if missing:
        late = "; it is drawn after training" if spec.draws_test_last and missing[0] == "test" else ""
        has = ", ".join(run.data)
        raise CommandLineError(f"{run.path}: has no split {missing[0]!r}{late}; it has {has}")
    require_same_data(run, experiment)
    epoch = run.load_weights(experiment.network.parameters)
    if not np.isfinite(experiment.network.parameters.values).all():
        raise _diverged(run, epoch, Search(experiment).in_state())
    return experiment, epoch


def assembled(run: Run, spec: Spec) -> Experiment:
    """What a run's spec describes; it may have been trained where there is more memory, or be no spec that was."""
    for path, reason in everything_fits_into_memory(Sections(**vars(spec))):
        raise RunError(f"{run.path}: {path_words(path)}: {reason}")
    run.require_parameters()
    return assemble(spec)


def _diverged(run: Run, epoch: int, found: Culprit) -> DivergedError:
    return DivergedError(f"{run.path}: the weights of epoch {epoch} cannot be used: {found.what}")


def _with_threshold(run: Run, threshold: float) -> Spec:
    """The spec of a run with another threshold wherever there is one."""
    if not 0 <= threshold <= 1:
        raise CommandLineError(f"the threshold is {threshold}; a probability is between 0 and 1")
    if task(run.spec) is not Task.BINARY:
        raise CommandLineError(f"{run.path}: a threshold is for one output that tells two classes apart; it has none")
    metrics = [
        metric.model_copy(update={"threshold": threshold}) if hasattr(metric, "threshold") else metric
        for metric in run.spec.metrics or ()
    ]
    return run.spec.model_copy(update={"metrics": metrics})


def _draw_last(run: Run, experiment: Experiment) -> None:
    """The test set that was drawn after training, from where training had left the stream."""
    if not run.spec.draws_test_last:
        return
    if not checkpoints(run.path):
        reason = "its test set was drawn after training, and cannot be drawn again without a checkpoint"
        raise RunError(f"{run.path}: {reason}; --split names the others")
    try:
        experiment.streams.restore(run.checkpoint.position.random or [])
    except (ValueError, OverflowError) as error:
        raise RunError(f"{run.path}: the random state of its checkpoint is damaged: {error}") from None
    experiment.draw_last()


def _assessed(experiment: Experiment, name: str, threshold: float | None) -> dict[str, Any]:
    network = experiment.network
    part = examples(experiment.data[name], network)
    outputs = predict(network, part)
    measured: dict[str, Any] = {
        "rows": len(part.targets),
        "metrics": measure(network, experiment.metrics, name, part, outputs),
    }
    if part.classes is None:
        return measured
    if outputs.shape[1] == 1:
        measured["threshold"] = _threshold(experiment) if threshold is None else threshold
    matrix = confusion(decisions(outputs, measured.get("threshold", 0.5)), part.targets, part.classes)
    return {**measured, "confusion": matrix.tolist(), "classes": [asdict(scores) for scores in class_scores(matrix)]}


def _threshold(experiment: Experiment) -> float:
    """That of the accuracy, or of the first metric that has one."""
    decided = [metric for metric in experiment.metrics.values() if isinstance(metric, Decided)]
    decided.sort(key=lambda metric: not isinstance(metric, Accuracy))
    return decided[0].threshold if decided else 0.5


def require_same_data(run: Run, experiment: Experiment) -> None:
    """Each split that is drawn now is the one that the run was trained on.

    Raises:
        RunError: one is not.
    """
    for name, data in experiment.data.items():
        recorded = run.record.data.get(name) or run.data[name]
        if recorded != described(data):
            made = run.record.versions.get("nncli")
            by = "" if made == __version__ else f"; it was made with nncli {str(made)[:LONGEST_VALUE]}"
            raise RunError(f"{run.path}: the {name} data drawn now is not what the run was trained on{by}")
