"""Training in memory: the loop of ``nncli train`` without a run directory, and the trained network."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from nncli.config.model import Config, Fraction
from nncli.config.validation import PartialConfig
from nncli.data.dataset import DataSchema, Dataset
from nncli.data.split import split
from nncli.data.target_scaling import TargetScaling
from nncli.experiment.assembly import assemble, build_network
from nncli.experiment.data_plan import DataPlan
from nncli.experiment.in_memory import DATA, InMemory, load_in_memory
from nncli.experiment.numerics import allow_non_finite
from nncli.experiment.rng import DerivedRngs, Purpose
from nncli.nn.parameters import Array
from nncli.registry import validated
from nncli.runner.compute_threads import compute_threads
from nncli.threads import ProcessLock
from nncli.training.loop import Trainer

OF_NETWORK = ("dtype", "layers", "loss")  # the sections that a network is built from


class TrainedNetwork:
    """A network that can be pickled and copied: the sections it is built from, and its parameters.

    Args:
        config: the config.
        inputs: D, the number of input columns.
        values: the parameters (P + S,): P trainable ones and S running statistics.
        scaling: the scaling of regression targets; predictions are converted back.
    """

    def __init__(self, config: Config, inputs: int, values: Array, scaling: TargetScaling | None) -> None:
        self.sections = {name: config.model_dump()[name] for name in OF_NETWORK}
        self.threads, self.inputs, self.values, self.scaling = config.training.threads, inputs, values, scaling
        self._build()

    def _build(self) -> None:
        fields = Config.model_fields
        sections = {name: validated(value, fields[name].annotation) for name, value in self.sections.items()}
        self._lock = ProcessLock()
        self._network = build_network(PartialConfig(data=DATA, **sections), self.inputs, self.threads)
        self._network.parameters.values[...] = self.values

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        vars(self).update(state)
        self._build()

    @allow_non_finite
    def predict(self, inputs: Array) -> Array:
        """The outputs (N, M) of rows (N, D) in float64: probabilities, or values in the unit of the targets.

        Those of a row do not depend on the other rows. Several threads take turns.
        """
        with self._lock.of_process(), compute_threads(self.threads):
            outputs = self._network.predict(inputs).astype(np.float64)
        return self.scaling.restore(outputs) if self.scaling else outputs


class Training(NamedTuple):
    """The result of a training.

    Args:
        network: the network, with the weights of the best epoch.
        epochs: the number of epochs that were trained.
        losses: the loss on the training set after each epoch, penalties included.
        validation_losses: the loss on the validation set after each epoch; None without one.
    """

    network: TrainedNetwork
    epochs: int
    losses: list[float]
    validation_losses: list[float] | None


def train(sections: Mapping[str, Any], dataset: Dataset, fraction: float | None) -> Training:
    """Train a network on a data set in memory.

    Args:
        sections: the sections of a config, without data and validation.
        dataset: all rows; real-valued targets are standardized for training. Weights of rows count in the loss and in
            the scaling of targets, those of classes in the loss on the training set.
        fraction: the fraction of the rows that is held out for validation.

    Raises:
        ConfigError: a section is wrong, or there are too few rows to split.
        DivergedError: a value became NaN or infinite.
        WorkerError: a process among which steps are divided has ended, such as by a signal.
    """
    parts = {} if fraction is None else {"validation": Fraction(fraction=fraction)}
    data = _scaled(split(dataset, parts, DerivedRngs({Purpose.SPLIT: sections["seed"]}).of(Purpose.SPLIT)))
    if "validation" in data:
        data["validation"] = replace(data["validation"], class_weights=None)
    rows = {name: len(each) for name, each in data.items()}
    plan = DataPlan({"data": _schema(dataset)}, {"data": InMemory()}, rows, splits=data)
    config = load_in_memory(_fitted_to_rows(sections, fraction, rows["training"]), plan)
    with compute_threads(config.training.threads):
        trainer = Trainer(assemble(config, plan))
        logged = [epoch.metrics for epoch in trainer.epochs() if epoch.metrics][1:]  # without that of epoch 0
    trainer.keep_best()
    values, scaling = trainer.network.parameters.values.copy(), data["training"].scaling
    network = TrainedNetwork(config, dataset.inputs.shape[1], values, scaling)
    validation = None if fraction is None else [row["validation_loss"] for row in logged]
    return Training(network, trainer.epoch, [row["loss"] for row in logged], validation)


def _fitted_to_rows(sections: Mapping[str, Any], fraction: float | None, rows: int) -> dict[str, Any]:
    """The sections with the validation set, and with a batch size of at most the number of training rows."""
    training = sections["training"]
    if isinstance(training["batch_size"], int):
        training = {**training, "batch_size": min(training["batch_size"], rows)}
    return {**sections, "training": training, "validation": None if fraction is None else {"fraction": fraction}}


def _schema(dataset: Dataset) -> DataSchema:
    """The schema, in which names are numbers."""
    features = [str(index) for index in range(dataset.inputs.shape[1])]
    if dataset.classes is None:
        targets = [str(index) for index in range(dataset.targets.shape[1])]
        return DataSchema(features=features, targets=targets, class_names=None, class_counts=[len(dataset)])
    names = [str(index) for index in range(dataset.classes)]
    counts = np.bincount(dataset.targets, minlength=dataset.classes).tolist()
    return DataSchema(features=features, targets=["y"], class_names=names, class_counts=counts)


def _scaled(data: Mapping[str, Dataset]) -> dict[str, Dataset]:
    """The data sets with a scaling of real-valued targets, fitted to the training set."""
    training = data["training"]
    if training.classes is not None:
        return dict(data)
    scaling = TargetScaling.fit(training.targets, training.weights)
    return {name: replace(each, scaling=scaling) for name, each in data.items()}
