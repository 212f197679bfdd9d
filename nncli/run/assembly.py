"""From a spec to the objects that it describes."""

from itertools import combinations
from typing import NamedTuple

import numpy as np

from nncli.data.dataset import Dataset
from nncli.data.split import split
from nncli.errors import SpecError
from nncli.nn.clipping import Clipping
from nncli.nn.metrics.metric import Metric
from nncli.nn.network import Network
from nncli.nn.optimizers.optimizer import Optimizer
from nncli.registry import ComponentSpec
from nncli.run.evaluation import quiet
from nncli.run.streams import Purpose, Streams, streams
from nncli.spec.document import Document
from nncli.spec.problems import Path, Problem, path_words
from nncli.spec.sections import Fraction, Spec


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
def assemble(spec: Spec, document: Document | None = None) -> Experiment:
    """Draw the data and build the network; ``spec`` is resolved.

    Raises:
        SpecError: the data cannot be drawn or split as the spec says.
    """
    numbers = streams(spec.rng, spec.seed)
    data = _splits(spec, numbers, document)
    _require_different(spec, data, document)
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


def _splits(spec: Spec, numbers: Streams, document: Document | None) -> dict[str, Dataset]:
    """The data set of each split that is drawn before training, in the order training, validation, test."""
    training = spec.data.build().draw(numbers.of(Purpose.TRAINING))
    parts = {"validation": (spec.validation, Purpose.VALIDATION), "test": (spec.test, Purpose.TEST)}
    fractions = {name: part.fraction for name, (part, _) in parts.items() if isinstance(part, Fraction)}
    try:
        data = split(training, fractions, numbers.of(Purpose.SPLIT)) if fractions else {"training": training}
    except ValueError as error:
        raise SpecError(
            located(document, (max(fractions, key=fractions.__getitem__), "fraction"), str(error))
        ) from None
    for name, (part, purpose) in parts.items():
        if isinstance(part, ComponentSpec) and not (name == "test" and spec.draws_test_last):
            data[name] = part.build().draw(numbers.of(purpose))
    return {name: data[name] for name in ("training", *parts) if name in data}


def _require_different(spec: Spec, data: dict[str, Dataset], document: Document | None) -> None:
    """No two splits are the same rows: what was learned cannot test itself."""
    for one, other in combinations(data, 2):
        if data[one].fingerprint() == data[other].fingerprint():
            key = "seed" if hasattr(getattr(spec, other), "seed") else "samples"
            message = f"has the very rows of {one}, so that it tests nothing; write another {key}"
            raise SpecError(located(document, (other, key), message))


def located(document: Document | None, path: Path, message: str) -> str:
    """A message on a value of a spec, with its place where the document is at hand."""
    if document is None:
        return f"{path_words(path)}: {message}"
    return str(Problem(document.root.find(path).place, path, message))
