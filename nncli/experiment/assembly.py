"""From a config to the objects that it describes."""

from typing import NamedTuple

import numpy as np

from nncli.config.model import Config, Fraction
from nncli.data.dataset import Dataset
from nncli.data.split import split
from nncli.experiment.numerics import quiet
from nncli.experiment.rng import Purpose, RngStreams, rngs
from nncli.nn.clipping import Clipping
from nncli.nn.metrics.metric import Metric
from nncli.nn.network import Network
from nncli.nn.optimizers.optimizer import Optimizer
from nncli.registry import ComponentConfig


class Experiment(NamedTuple):
    """All that a config describes, made: data sets by split, network with its first weights, optimizer, and the rest."""

    config: Config
    data: dict[str, Dataset]
    network: Network
    optimizer: Optimizer
    clipping: Clipping | None
    metrics: dict[str, Metric]
    rngs: RngStreams

    def sample_test_set(self) -> None:
        """Draw the test set where it comes out of the book's one stream, whose next numbers it is after training."""
        if self.config.test_sampled_after_training and isinstance(self.config.test, ComponentConfig):
            self.data["test"] = self.config.test.build().draw(self.rngs.of(Purpose.TEST))


@quiet
def assemble(config: Config) -> Experiment:
    """Draw the data and build the network; ``config`` is resolved, and nothing is wrong in it."""
    numbers = rngs(config.rng, config.seed)
    data = _splits(config, numbers)
    network = build_network(config, data["training"].inputs.shape[1])
    network.initialize(numbers.of(Purpose.WEIGHTS))
    optimizer = config.optimizer.build()
    schedule = config.schedule.build() if config.schedule else None
    optimizer.attach(network.parameters.trainable, network.parameters.gradients, schedule)
    clipping = config.clipping.build() if config.clipping else None
    return Experiment(config, data, network, optimizer, clipping, _metrics(config, data["training"]), numbers)


def build_network(config: Config, columns: int) -> Network:
    """The network of a config for this number of input columns; its parameters are not initialized."""
    layers = [layer.build() for layer in config.layers]
    return Network(layers, config.loss.build(), columns, np.dtype(config.dtype))


def _metrics(config: Config, training: Dataset) -> dict[str, Metric]:
    """The metrics of a config by their names, having seen the training set's targets."""
    metrics = {part.type: part.build() for part in config.metrics or ()}
    for metric in metrics.values():
        metric.attach(training.targets)
    return metrics


def _splits(config: Config, numbers: RngStreams) -> dict[str, Dataset]:
    """The data set of each split that is drawn before training, in the order training, validation, test."""
    data = {"training": config.data.build().draw(numbers.of(Purpose.TRAINING))}
    parts = {"validation": (config.validation, Purpose.VALIDATION), "test": (config.test, Purpose.TEST)}
    fractions = {name: part.fraction for name, (part, _) in parts.items() if isinstance(part, Fraction)}
    if fractions:
        from_end = {"test"} if config.split_method == "independent" else set()
        data = split(data["training"], fractions, numbers.of(Purpose.SPLIT), from_end)
    for name, (part, purpose) in parts.items():
        if isinstance(part, ComponentConfig) and not (name == "test" and config.test_sampled_after_training):
            data[name] = part.build().draw(numbers.of(purpose))
    return {name: data[name] for name in ("training", *parts) if name in data}
