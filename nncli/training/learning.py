"""Warnings about a training that learned nothing, computed once at its end.

dead_layer                a layer has the same outputs for every training row, such as dead ReLUs
no_progress               the loss is no better than that of the untrained network
no_better_than_constant   neither the loss nor the score is better than always predicting the majority class or the mean

The first warning names the most likely cause, and alone says what to write.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from nncli.data.dataset import row_blocks
from nncli.experiment.assembly import Experiment
from nncli.experiment.numerics import allow_non_finite
from nncli.nn.metrics.classification import Accuracy
from nncli.nn.metrics.regression import RSquared
from nncli.nn.parameters import Array
from nncli.nn.trace import forward_methods, observed
from nncli.training.constant_units import ConstantUnits
from nncli.training.evaluate import Examples, predict
from nncli.training.suggestions import (
    against_dead_layer,
    against_no_progress,
    against_overfitting,
    against_short_training,
    vanished_layer,
)

NEGLIGIBLE = 1e-3  # relative change of a loss, or value of R², that counts as none
SAME = 1e-6  # relative difference of two losses that are the same but for rounding
FEWEST_ROWS = 30  # of a validation set; a score on fewer rows is too uncertain
FEW_UPDATES = 30  # with fewer, a loss may still rise at first, and more epochs are the best advice
MANY_UPDATES = 100  # with fewer, a loss that has already been lower may be lower again
FAR_WORSE = 5  # times the loss of the untrained network; a loss that has risen to it will not fall again by itself
CLEARLY_BETTER = 0.1  # fraction of the majority class's errors that a network avoids which has learned something


class LearningWarning(NamedTuple):
    """One sign that a training learned nothing.

    Args:
        kind: which sign.
        message: the sign with its numbers, and what to write.
        facts: the numbers and names in the message, as JSON values.
    """

    kind: str
    message: str
    facts: dict[str, Any]


class LossHistory:
    """The loss of the untrained network, the lowest loss, and since when the loss has been the same.

    ``validation`` has the first and the last validation loss, if there is a validation set.
    """

    def __init__(self) -> None:
        self.first = self.last = 0.0
        self.validation: tuple[float, ...] = ()
        self.lowest = np.inf
        self.last_epoch = -1
        self.unchanged_since = 0

    def add(self, epoch: int, loss: float, validation: float | None = None) -> None:
        """Add the losses of a logged epoch: on the training set without penalties, and on the validation set."""
        if validation is not None:
            self.validation = (*self.validation[:1], validation)
        if self.last_epoch < 0:
            self.first = loss
        self.lowest = min(self.lowest, loss)
        if abs(loss - self.last) > SAME * abs(loss):
            self.last, self.unchanged_since = loss, epoch
        self.last_epoch = epoch

    @property
    def is_overfitting(self) -> bool:
        """Whether the training loss has fallen and the validation loss has risen since the beginning."""
        return self.last < self.first and self.validation[-1:] > self.validation[:1]


class LearningCheck:
    """Searches a trained network for signs that it learned nothing.

    Args:
        experiment: with the final weights.
        splits: the metrics of these weights by split, as ``measure`` returns them.
        epoch: the epoch of these weights.
        history: the training losses of the logged epochs.
        rows_of: returns the rows of a split with encoded targets.
    """

    def __init__(
        self,
        experiment: Experiment,
        splits: Mapping[str, Mapping[str, float]],
        epoch: int,
        history: LossHistory,
        rows_of: Callable[[str], Examples],
    ) -> None:
        self.experiment, self.network, self.splits = experiment, experiment.network, splits
        self.epoch, self.history, self.rows_of = epoch, history, rows_of

    @allow_non_finite
    def warnings(self) -> list[LearningWarning]:
        """All signs, the most likely cause first; empty if the network has learned something."""
        found = [*self._dead_layer(), *self._no_progress(), *self._no_better_than_constant()]
        return [
            LearningWarning(kind, message if index else f"{message}; {fix}", facts)
            for index, (kind, message, facts, fix) in enumerate(found)
        ]

    def _dead_layer(self) -> Iterator[tuple[str, str, dict[str, Any], str]]:
        """The first layer whose outputs are the same for all training rows, unless inputs or targets are the same."""
        training, constant = self.experiment.data["training"], constant_outputs(self.experiment)
        if not constant or _is_constant(training.inputs) or _is_constant(training.targets):
            return
        index = min(constant)
        outputs, name = constant[index], self.experiment.config.layers[index].type
        is_zero, units = not outputs.any(), len(outputs)
        which = f"all {units} units of layers[{index}] ({name}) have" if units > 1 else f"layers[{index}] ({name}) has"
        vanished = vanished_layer(self.experiment, index)
        state = "dead" if is_zero else "saturated"
        if vanished is not None:
            state = f"{'its weights' if vanished == index else f'the weights of layers[{vanished}]'} have vanished"
        message = f"{which} the {'output 0' if is_zero else 'same output'} for every training row ({state})"
        facts = {"layer": index, "type": name, "units": units, "zero": is_zero}
        yield "dead_layer", message, facts, against_dead_layer(self.experiment, index)

    def _no_progress(self) -> Iterator[tuple[str, str, dict[str, Any], str]]:
        """A loss that is not lower than at the start; a loss may rise while the predictions clearly get better."""
        start, end = self.history.first, self.splits["training"]["data_loss"]
        is_worse = end > start * (1 + NEGLIGIBLE)
        if end < start * (1 - NEGLIGIBLE) or (is_worse and (self._is_clearly_better() or self._may_still_fall(end))):
            return
        name = "data_loss" if self.network.penalties else "loss"
        change = "got worse" if is_worse else "did not improve"
        message = f"the {name} {change}: {start:.4g} before training, {end:.4g} after it"
        facts: dict[str, Any] = {"start": start, "end": end}
        early_stopping, since = self.experiment.config.training.early_stopping, self.history.unchanged_since
        fix = self._longer() or against_no_progress(self.experiment, is_rising=self.history.last > start)
        if self.epoch == 0 and early_stopping:
            message = f"the untrained weights were kept, since no later epoch has a better {early_stopping.metric}"
            if self.history.last < start and not self._longer():
                fix = self._after_progress()
            fix = "write a smaller min_delta" if early_stopping.min_delta else fix
        elif self.epoch == self.history.last_epoch and 0 < since < self.epoch:
            message += f", unchanged since epoch {since}"
            facts["unchanged_since"] = since
        yield "no_progress", message, facts, fix

    def _no_better_than_constant(self) -> Iterator[tuple[str, str, dict[str, Any], str]]:
        """A constant that is as good, on the validation set if it has enough rows, else on the training set."""
        data = self.experiment.data
        split = "validation" if "validation" in data and len(data["validation"].targets) >= FEWEST_ROWS else "training"
        constant = self._constant(split)
        if not constant.is_as_good:
            return
        scores = {"score": constant.score, "constant_score": constant.reference}
        facts = {"split": split, "metric": constant.metric, **scores, "majority_class": constant.majority_class}
        what = "the mean" if constant.majority_class is None else f"class {constant.majority_class}"
        message = f"{constant.text} is no better than always predicting {what} ({constant.reference:.3g})"
        training = self._constant("training")
        is_overfitting = not training.is_as_good and not self._longer()
        if is_overfitting:
            message += f", although {training.text} is better"
        fix = against_overfitting(self.experiment) if is_overfitting else against_no_progress(self.experiment)
        fix = self._longer() or fix
        yield "no_better_than_constant", message, facts, fix

    def _after_progress(self) -> str:
        """What may help if the training loss has fallen, and the metric of early stopping is no better."""
        if self.history.is_overfitting:
            return against_overfitting(self.experiment)
        return against_short_training(self.experiment, self._is_stopped)

    def _longer(self) -> str:
        """How to train longer, if the network had few updates and its loss is not far worse; else empty."""
        if self.experiment.optimizer.updates >= FEW_UPDATES or self.history.last > FAR_WORSE * self.history.first:
            return ""
        return against_short_training(self.experiment, self._is_stopped)

    @property
    def _is_stopped(self) -> bool:
        """Whether early stopping has ended the training."""
        return self.history.last_epoch < self.experiment.config.training.epochs

    def _may_still_fall(self, loss: float) -> bool:
        """Whether a loss that is higher than before training is no sign yet."""
        history = self.history
        was_lower = history.lowest < history.first and self.experiment.optimizer.updates < MANY_UPDATES
        is_early = self.epoch > 0 and (bool(self._longer()) or was_lower)
        return is_early and loss <= FAR_WORSE * history.first

    def _is_clearly_better(self) -> bool:
        """Whether a classifier makes clearly fewer errors on the training set than the majority class."""
        constant = self._constant("training")
        errors = 1 - constant.reference
        return constant.majority_class is not None and constant.score > constant.reference + CLEARLY_BETTER * errors

    def _constant(self, split: str) -> "Constant":
        return Constant(self.experiment, split, self.splits[split], self.rows_of(split))


class Constant:
    """The best constant prediction on a split, compared with the network.

    Args:
        experiment: with the final weights.
        split: the split.
        metrics: the metrics of the network on it.
        rows: its rows.
    """

    def __init__(self, experiment: Experiment, split: str, metrics: Mapping[str, float], rows: Examples) -> None:
        self.experiment, self.split, self.metrics, self.rows = experiment, split, metrics, rows
        self.loss = metrics["data_loss" if split == "training" else "loss"]
        self.metric = "r2" if self.rows.classes is None else "accuracy"

    @property
    def is_as_good(self) -> bool:
        """Whether neither loss nor score of the network is better; False if the targets are all the same."""
        if _is_constant(self.rows.targets) or self.loss < self.constant_loss * (1 - NEGLIGIBLE):
            return False
        return self.score <= self.reference + (NEGLIGIBLE if self.majority_class is None else 0)

    @cached_property
    def constant_loss(self) -> float:
        """The loss of always predicting the mean or the median of the encoded targets, whichever is lower."""
        encoded, weights, network = self.rows.encoded, self.rows.weights, self.experiment.network
        median = [np.sort(column)[len(column) // 2] for column in encoded.T]  # np.median would import numpy.ma
        weighted = encoded if weights is None else encoded * weights[:, np.newaxis]
        constants = np.mean(weighted, axis=0, dtype=np.float64), median
        outputs, losses = np.empty_like(encoded, network.dtype, order="F"), []
        for constant in constants:
            outputs[...] = constant
            losses.append(network.data_loss(outputs, encoded, weights))
        return min(losses)

    @cached_property
    def score(self) -> float:
        """The accuracy or R² of the network."""
        if self.metric in self.metrics:
            return self.metrics[self.metric]
        metric = RSquared() if self.metric == "r2" else Accuracy()
        outputs = self.rows.in_target_units(predict(self.experiment.network, self.rows))
        return metric.measure(outputs, self.rows.targets)

    @property
    def reference(self) -> float:
        """The score of the constant: the fraction of the majority class, or 0, the R² of the mean."""
        return 0.0 if self.majority_class is None else float(np.mean(self.rows.targets == self.majority_class))

    @cached_property
    def majority_class(self) -> int | None:
        """The most frequent class; None for regression."""
        return None if self.rows.classes is None else int(np.argmax(np.bincount(self.rows.targets)))

    @property
    def text(self) -> str:
        """The score of the network, with its split."""
        return f"{self.metric} {self.score:.3g} ({self.split})"


def constant_outputs(experiment: Experiment) -> dict[int, Array]:
    """The outputs (M,) of the layers that have the same ones for all training rows, by index; see ConstantUnits."""
    network, inputs, constant = experiment.network, experiment.data["training"].inputs, ConstantUnits()
    with observed(forward_methods(network), constant):
        for start in range(0, len(inputs), network.micro_batch_rows):
            network.forward(inputs[start : start + network.micro_batch_rows])
            if not constant.layers:
                break
    return constant.layers


def _is_constant(rows: Array) -> bool:
    """Whether all rows are the same."""
    return all(bool((block == rows[:1]).all()) for block in row_blocks(rows))
