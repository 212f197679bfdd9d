"""A run with its network at an epoch, and the predictions for the rows of its data."""

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from nncli.analysis.evaluation import restored
from nncli.errors import CommandLineError
from nncli.experiment.assembly import Experiment
from nncli.experiment.data_plan import DataPlan, open_data
from nncli.experiment.metric_columns import SPLITS
from nncli.inference.raw_predictor import RawPredictor
from nncli.nn.network import Network
from nncli.nn.parameters import Array
from nncli.store.checkpoint import checkpoints
from nncli.store.run_reader import Run
from nncli.training.evaluate import Examples, examples, predict

SPLIT_ORDER = (*SPLITS[1:], SPLITS[0])  # held-out rows first


class PredictedRows(NamedTuple):
    """The rows of a split with the outputs of the network.

    Args:
        split: its name.
        examples: the rows as the network takes them.
        encoded_outputs: the outputs (N, M), in the scale of the encoded targets.
    """

    split: str
    examples: Examples
    encoded_outputs: Array

    @property
    def targets(self) -> Array:
        """Class labels (N,), or values (N, M)."""
        return self.examples.targets

    @property
    def classes(self) -> int | None:
        """C, the number of classes; None for a regression."""
        return self.examples.classes

    @property
    def outputs(self) -> Array:
        """Probabilities (N, M), or values (N, M) in the unit of the targets."""
        return self.examples.in_target_units(self.encoded_outputs)

    @property
    def probabilities(self) -> Array:
        """The probability of each class (N, C); a single output has two classes."""
        return probabilities(self.encoded_outputs)


class TrainedRun:
    """A run with its network at an epoch; its data is read only if a plot needs its rows.

    ``problem`` is the reason why a plot has no rows; None if it has them.

    Args:
        run: the run.
        epoch: the epoch of a snapshot; None for the final weights, or those of the newest checkpoint.
        label: what plots call the run; by default its name.
    """

    def __init__(self, run: Run, epoch: int | None = None, label: str | None = None) -> None:
        self.run, self._wanted_epoch, self.label = run, epoch, label or run.name
        self.problem: str | None = None
        self._predicted: dict[str, PredictedRows] = {}

    @cached_property
    def predictor(self) -> RawPredictor:
        """The network with its preprocessing.

        Raises:
            CommandLineError: the run has no snapshot of the epoch.
            DivergedError, RunError: as for ``Predictor``.
        """
        return RawPredictor(self.run, self._wanted_epoch)

    @property
    def epoch(self) -> int:
        """The epoch of the weights."""
        return self.predictor.predictor.epoch

    @property
    def network(self) -> Network:
        """The network, with these weights."""
        return self.predictor.predictor.network

    @property
    def threshold(self) -> float:
        """The decision threshold for class 1 of a single output."""
        return self.predictor.predictor.threshold

    @property
    def class_names(self) -> list[str] | None:
        """The names of the classes; None for a regression."""
        names = self.predictor.class_names
        return None if names is None else list(names)

    @property
    def targets(self) -> list[str]:
        """The names of the targets."""
        return list(self.predictor.predictor.targets)

    @cached_property
    def plan(self) -> DataPlan:
        """The data sources of the run, opened.

        Raises:
            SourceError: one cannot be read.
        """
        return open_data(self.run.config)

    @cached_property
    def experiment(self) -> Experiment:
        """The data of the run as it was trained on, and the network.

        Raises:
            RunError, SourceError: the data cannot be read, or differs from that of the training.
        """
        run = self.run
        splits = tuple(run.data if checkpoints(run.path) else run.record.data)  # a late test set needs a checkpoint
        experiment, _ = restored(run, run.config, splits, self.plan)
        experiment.network.parameters.values[...] = self.network.parameters.values
        return experiment

    @property
    def held_out(self) -> str:
        """The split that plots show by default: validation, or else test, or else training."""
        return next(name for name in SPLIT_ORDER if name in self.experiment.data)

    def predicted(self, split: str | None = None) -> PredictedRows:
        """The rows of a split with the outputs of the network, which are those of ``nncli evaluate``.

        Args:
            split: its name; by default ``held_out``.

        Raises:
            RunError, SourceError: as for ``experiment``.
        """
        split = self.require_split(split or self.held_out)
        if split not in self._predicted:
            network = self.experiment.network
            rows = examples(self.experiment.data[split], network)
            self._predicted[split] = PredictedRows(split, rows, predict(network, rows))
        return self._predicted[split]

    def require_split(self, split: str) -> str:
        """The split.

        Raises:
            CommandLineError: the run does not have it.
        """
        data = self.experiment.data
        if split not in data:
            reason = "" if split not in self.run.data else ": it is sampled after training, and there is no checkpoint"
            raise CommandLineError(f"{self.run.path}: has no split {split!r}{reason}; it has {', '.join(data)}")
        return split

    def raw(self, split: str) -> Any:
        """The inputs of a split in the unit of the data: an array (N, D), a ``Table`` or ``RawRows``."""
        return (self.plan.splits or self.experiment.data)[split].inputs


def probabilities(outputs: Array) -> Array:
    """The probability of each class (N, C) from outputs (N, M); a single output has two classes."""
    return np.column_stack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs
