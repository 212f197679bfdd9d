"""A run held against its data sets again, class by class, and against gates."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from nncli.config.model import Config
from nncli.errors import CommandLineError, DivergedError, RunError
from nncli.experiment.assembly import Experiment
from nncli.experiment.task import task
from nncli.nn.metrics.classification import Accuracy, ThresholdMetric, class_scores, confusion, decisions
from nncli.nn.metrics.metric import Task
from nncli.nn.parameters import Array
from nncli.runner.reload import assembled, require_same_data
from nncli.store.checkpoint import checkpoints
from nncli.store.run_reader import Run
from nncli.train.divergence import NonFinite, NonFiniteSearch
from nncli.train.evaluate import examples, measure, predict


def assess(run: Run, splits: tuple[str, ...] = (), threshold: float | None = None) -> dict[str, Any]:
    """Metrics, and where there are classes confusion matrix and scores of each, on each split or on the named ones.

    Args:
        run: the run.
        splits: the splits to be measured; all where none is named.
        threshold: what a single output has to exceed to stand for class 1; else the config's.

    Raises:
        CommandLineError: the run has no such split, or its outputs have no threshold.
        DivergedError: a weight, or what is measured with these weights, is not finite.
        RunError: the weights do not fit, or the data is no longer what the run was trained on.
    """
    experiment, epoch = _restored(run, run.config if threshold is None else _with_threshold(run, threshold), splits)
    chosen = splits or tuple(experiment.data)
    parts = {name: _assessed(experiment, name, threshold) for name in chosen}
    for name, part in parts.items():
        if not all(map(math.isfinite, part["metrics"].values())):
            found = NonFiniteSearch(experiment).in_split(name, examples(experiment.data[name], experiment.network))
            raise _diverged(run, epoch, found)
    return {"run": str(run.path), "status": run.status, "epoch": epoch, "splits": parts}


def by_row(run: Run, split: str, metric: str) -> Array:
    """The value of a metric for each row of a split, (N,).

    Raises:
        CommandLineError, DivergedError, RunError: as for ``assess``.
    """
    experiment, _ = _restored(run, run.config, (split,))
    part = examples(experiment.data[split], experiment.network)
    return experiment.metrics[metric].by_row(predict(experiment.network, part), part.targets)


def _restored(run: Run, config: Config, splits: tuple[str, ...]) -> tuple[Experiment, int]:
    """What a run's config describes, with the run's weights, and the epoch that these are of."""
    experiment = assembled(run, config)
    if run.evaluation is not None and (not splits or "test" in splits):
        _draw_last(run, experiment)
    missing = [name for name in splits if name not in experiment.data]
    if missing:
        late = "; it is drawn after training" if config.test_sampled_after_training and missing[0] == "test" else ""
        has = ", ".join(run.data)
        raise CommandLineError(f"{run.path}: has no split {missing[0]!r}{late}; it has {has}")
    require_same_data(run, experiment)
    epoch = run.load_weights(experiment.network.parameters)
    if not np.isfinite(experiment.network.parameters.values).all():
        raise _diverged(run, epoch, NonFiniteSearch(experiment).in_state())
    return experiment, epoch


def _diverged(run: Run, epoch: int, found: NonFinite) -> DivergedError:
    message = f"{run.path}: the weights of epoch {epoch} cannot be used: {found.description}"
    return DivergedError(message, epoch=epoch, **found.location)


def _with_threshold(run: Run, threshold: float) -> Config:
    """The config of a run with another threshold wherever there is one."""
    if not 0 <= threshold <= 1:
        raise CommandLineError(f"the threshold is {threshold}; a probability is between 0 and 1")
    if task(run.config, run.plan) is not Task.BINARY:
        raise CommandLineError(f"{run.path}: a threshold is for one output that tells two classes apart; it has none")
    metrics = [
        metric.model_copy(update={"threshold": threshold}) if hasattr(metric, "threshold") else metric
        for metric in run.config.metrics or ()
    ]
    return run.config.model_copy(update={"metrics": metrics})


def _draw_last(run: Run, experiment: Experiment) -> None:
    """The test set that was drawn after training, from where training had left the stream."""
    if not run.config.test_sampled_after_training:
        return
    if not checkpoints(run.path):
        reason = "its test set was drawn after training, and cannot be drawn again without a checkpoint"
        raise RunError(f"{run.path}: {reason}; --split names the others")
    try:
        experiment.rngs.restore(run.checkpoint.state.rng or {})
    except (ValueError, OverflowError) as error:
        raise RunError(f"{run.path}: the random state of its checkpoint is damaged: {error}") from None
    experiment.sample_test_set()


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
    decided = [metric for metric in experiment.metrics.values() if isinstance(metric, ThresholdMetric)]
    decided.sort(key=lambda metric: not isinstance(metric, Accuracy))
    return decided[0].threshold if decided else 0.5
