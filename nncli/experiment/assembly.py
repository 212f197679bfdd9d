"""From a spec to the objects that it describes."""

from typing import NamedTuple

import numpy as np

from nncli.config.model import Fraction, Spec
from nncli.data.dataset import Dataset
from nncli.data.split import split
from nncli.experiment.numerics import quiet
from nncli.experiment.rng import Purpose, Streams, streams
from nncli.nn.clipping import Clipping
from nncli.nn.metrics.metric import Metric
from nncli.nn.network import Network
from nncli.nn.optimizers.optimizer import Optimizer
from nncli.registry import ComponentSpec


class Experiment(NamedTuple):
    """All that a spec describes, made: data sets by split, network with its first weights, optimizer, and the rest."""

    spec: Spec
    data: dict[str, Dataset]
    network: Network
    optimizer: Optimizer
    clipping: Clipping | None
    metrics: dict[str, Metric]
    streams: Streams

    def draw_last(self) -> None:
        """Draw the test set where it comes out of the book's one stream, whose next numbers it is after training."""
        if self.spec.draws_test_last and isinstance(self.spec.test, ComponentSpec):
            self.data["test"] = self.spec.test.build().draw(self.streams.of(Purpose.TEST))


@quiet
def assemble(spec: Spec) -> Experiment:
    """Draw the data and build the network; ``spec`` is resolved, and nothing is wrong in it."""
    numbers = streams(spec.rng, spec.seed)
    data = _splits(spec, numbers)
    network = Network(
        [part.build() for part in spec.layers],
        spec.loss.build(),
        data["training"].inputs.shape[1],
        np.dtype(spec.dtype),
    )
    network.initialize(numbers.of(Purpose.WEIGHTS))
    optimizer = spec.optimizer.build()
    schedule = spec.schedule.build() if spec.schedule else None
    optimizer.attach(network.parameters.trained, network.parameters.gradients, schedule)
    clipping = spec.clipping.build() if spec.clipping else None
    return Experiment(spec, data, network, optimizer, clipping, _metrics(spec, data["training"]), numbers)


def _metrics(spec: Spec, training: Dataset) -> dict[str, Metric]:
    """The metrics of a spec by their names, having seen the training set's targets."""
    metrics = {part.type: part.build() for part in spec.metrics or ()}
    for metric in metrics.values():
        metric.attach(training.targets)
    return metrics


def _splits(spec: Spec, numbers: Streams) -> dict[str, Dataset]:
    """The data set of each split that is drawn before training, in the order training, validation, test."""
    data = {"training": spec.data.build().draw(numbers.of(Purpose.TRAINING))}
    parts = {"validation": (spec.validation, Purpose.VALIDATION), "test": (spec.test, Purpose.TEST)}
    fractions = {name: part.fraction for name, (part, _) in parts.items() if isinstance(part, Fraction)}
    if fractions:
        from_end = {"test"} if spec.split_method == "independent" else set()
        data = split(data["training"], fractions, numbers.of(Purpose.SPLIT), from_end)
    for name, (part, purpose) in parts.items():
        if isinstance(part, ComponentSpec) and not (name == "test" and spec.draws_test_last):
            data[name] = part.build().draw(numbers.of(purpose))
    return {name: data[name] for name in ("training", *parts) if name in data}
