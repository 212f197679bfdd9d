"""Evaluation of a run: metrics, confusion matrix and scores per class on each of its data sets."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nncli.analysis.baseline import constant_prediction, measured_baseline
from nncli.analysis.significance import proportion_interval
from nncli.config.hints import similar
from nncli.config.model import Config
from nncli.errors import CommandLineError, DivergedError, RunError
from nncli.experiment.assembly import Experiment
from nncli.experiment.data_plan import DataPlan
from nncli.experiment.task import task
from nncli.nn.metrics.classification import (
    class_scores,
    confusion,
    decision_threshold,
    macro_average,
    predicted_classes,
    weighted_average,
)
from nncli.nn.metrics.metric import Metric, Task
from nncli.nn.network import Network
from nncli.nn.parameters import Array
from nncli.runner.reload import assembled, require_same_data
from nncli.store.checkpoint import checkpoints
from nncli.store.run_reader import Run
from nncli.training.divergence import NonFinite, NonFiniteSearch
from nncli.training.evaluate import Examples, examples, measure, predict


def assess(run: Run, splits: tuple[str, ...] = (), threshold: float | None = None) -> dict[str, Any]:
    """The metrics on each split, and for classification the confusion matrix and the scores of each class.

    Args:
        run: the run.
        splits: the splits to evaluate; by default all.
        threshold: the decision threshold for class 1 of a binary model; by default that of the config.

    Raises:
        CommandLineError: the run has no such split, or is not a binary model.
        DivergedError: a weight or a metric is not finite.
        RunError: the weights do not fit, or the data differs from that of the training.
    """
    experiment, epoch = restored(run, config_with_threshold(run, threshold), splits)
    evaluated = {name: _evaluated(run, experiment, name, threshold) for name in splits or tuple(experiment.data)}
    for name, evaluation in evaluated.items():
        if not all(map(math.isfinite, evaluation["metrics"].values())):
            found = NonFiniteSearch(experiment).in_split(name, examples(experiment.data[name], experiment.network))
            raise _diverged(run, epoch, found)
    document = {"run": str(run.path), "status": str(run.progress), "epoch": epoch, "splits": evaluated}
    return {**document, "warnings": run.warnings}


def by_row(run: Run, split: str, metric: str) -> Array:
    """The value of a metric for each row of a split, (N,).

    Raises:
        CommandLineError, DivergedError, RunError: as for ``assess``.
    """
    experiment, _ = restored(run, run.config, (split,))
    rows = examples(experiment.data[split], experiment.network)
    outputs = rows.in_target_units(predict(experiment.network, rows))
    return experiment.metrics[metric].by_row(outputs, rows.targets)


def restored(run: Run, config: Config, splits: tuple[str, ...], plan: DataPlan | None = None) -> tuple[Experiment, int]:
    """The experiment of a run's config with the run's weights, and the epoch of the weights.

    Args:
        run: the run.
        config: its config.
        splits: the splits that are needed; none for all.
        plan: the data sources of the config, which are opened if they are not given.

    Raises:
        CommandLineError, DivergedError, RunError: as for ``assess``.
    """
    experiment = assembled(run, config, plan)
    if run.evaluation is not None and (not splits or "test" in splits):
        _sample_test_set(run, experiment)
    missing = [name for name in splits if name not in experiment.data]
    if missing:
        late = "; it is sampled after training;" if config.test_sampled_after_training and missing[0] == "test" else ""
        fix = late or similar(missing[0], run.data) or ";"
        raise CommandLineError(f"{run.path}: has no split {missing[0]!r}{fix} it has {', '.join(run.data)}")
    require_same_data(run, experiment)
    epoch = run.load_weights(experiment.network.parameters)
    if not np.isfinite(experiment.network.parameters.values).all():
        raise _diverged(run, epoch, NonFiniteSearch(experiment).in_state())
    return experiment, epoch


def _diverged(run: Run, epoch: int, found: NonFinite) -> DivergedError:
    message = f"{run.path}: the weights of epoch {epoch} cannot be used: {found.description}"
    return DivergedError(message, epoch=epoch, **found.location)


def config_with_threshold(run: Run, threshold: float | None) -> Config:
    """The config of a run, with another threshold in each metric that has one; unchanged if it is None.

    Raises:
        CommandLineError: the threshold is no probability, or the run is not a binary model.
    """
    if threshold is None:
        return run.config
    if not 0 <= threshold <= 1:
        raise CommandLineError(f"the threshold is {threshold}; a probability is between 0 and 1")
    if task(run.config, run.plan) is not Task.BINARY:
        raise CommandLineError(f"{run.path}: a threshold applies to binary models with one output; this run has none")
    metrics = [
        metric.model_copy(update={"threshold": threshold}) if hasattr(metric, "threshold") else metric
        for metric in run.config.metrics or ()
    ]
    return run.config.model_copy(update={"metrics": metrics})


def _sample_test_set(run: Run, experiment: Experiment) -> None:
    """Sample again the test set that was sampled after training, from the RNG state at the end of training."""
    if not run.config.test_sampled_after_training:
        return
    if not checkpoints(run.path):
        reason = "its test set was sampled after training, and cannot be sampled again without a checkpoint"
        raise RunError(f"{run.path}: {reason}; evaluate the other splits with --split")
    try:
        experiment.rngs.restore(run.checkpoint.state.rng or {})
    except (ValueError, OverflowError) as error:
        raise RunError(f"{run.path}: the RNG state of its checkpoint is damaged: {error}") from None
    experiment.sample_test_set()


def _evaluated(run: Run, experiment: Experiment, split: str, threshold: float | None) -> dict[str, Any]:
    rows = examples(experiment.data[split], experiment.network)
    outputs = predict(experiment.network, rows)
    constant = constant_prediction(experiment.data["training"])
    measured = Measurement(experiment.network, experiment.metrics, run.plan.schema.class_names or [], constant)
    return measured.of(split, rows, outputs, threshold)


class Measurement(NamedTuple):
    """What is measured of the outputs for a data set.

    Args:
        network: gives the loss.
        metrics: the other metrics by name, attached to the targets of the training set.
        class_names: the names of the classes; empty for regression.
        constant: the prediction of the baseline.
    """

    network: Network
    metrics: Mapping[str, Metric]
    class_names: Sequence[str]
    constant: Mapping[str, Any]

    def of(self, split: str, rows: Examples, outputs: Array, threshold: float | None) -> dict[str, Any]:
        """The part of a document that ``assess`` returns for a data set.

        Args:
            split: its name.
            rows: its rows.
            outputs: the outputs of the network for them, (N, M).
            threshold: the decision threshold; None for that of the metrics.
        """
        evaluated: dict[str, Any] = {
            "rows": len(rows.targets),
            "metrics": measure(self.network, self.metrics, split, rows, outputs),
            "baseline": measured_baseline(self.constant, self.metrics, rows.targets, outputs.shape[1]),
        }
        if rows.classes is None:
            return evaluated
        if outputs.shape[1] == 1:
            evaluated["threshold"] = decision_threshold(self.metrics.values()) if threshold is None else threshold
        matrix = confusion(predicted_classes(outputs, evaluated.get("threshold", 0.5)), rows.targets, rows.classes)
        return evaluated | _class_scores(matrix, self.class_names)


def _class_scores(matrix: Array, names: Sequence[str]) -> dict[str, Any]:
    """What follows from a confusion matrix (C, C): the interval of the accuracy, and the scores of each class."""
    scores, rows = class_scores(matrix), int(matrix.sum())
    averages = {"macro": macro_average(scores), "weighted": weighted_average(scores)}
    return {
        "accuracy_interval": list(proportion_interval(float(np.trace(matrix) / rows), rows)),
        "confusion": matrix.tolist(),
        "classes": [{"name": name, **each._asdict()} for name, each in zip(names, scores, strict=True)],
        "averages": {name: each._asdict() for name, each in averages.items()},
    }
