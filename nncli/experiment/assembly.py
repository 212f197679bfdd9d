"""Assembly: from a config to its data sets, network, optimizer and metrics."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nncli.config.model import Config
from nncli.data.dataset import Dataset
from nncli.data.source import Source
from nncli.experiment.data_plan import DataPlan, open_data
from nncli.experiment.numerics import allow_non_finite
from nncli.experiment.preparation import splits
from nncli.experiment.rng import Purpose, RngStreams, rngs
from nncli.nn.clipping import Clipping
from nncli.nn.metrics.metric import Metric
from nncli.nn.network import Network
from nncli.nn.optimizers.optimizer import Optimizer
from nncli.threads import ThreadPool

if TYPE_CHECKING:
    from nncli.data.fitted_preprocessing import FittedPreprocessing


class Experiment(NamedTuple):
    """The objects that a config describes.

    Args:
        config: the resolved config.
        data: the data sets by split; without a test set that is sampled after training.
        network: the network, with initial parameters.
        optimizer: attached to the parameters of the network.
        clipping: the gradient clipping, if any.
        metrics: the metrics besides the loss, by name.
        rngs: the random number generators.
        sources: the opened data sources by section.
        preprocessing: that of data which is read from a file.
    """

    config: Config
    data: dict[str, Dataset]
    network: Network
    optimizer: Optimizer
    clipping: Clipping | None
    metrics: dict[str, Metric]
    rngs: RngStreams
    sources: Mapping[str, Source]
    preprocessing: "FittedPreprocessing | None" = None

    def sample_test_set(self) -> None:
        """Sample the test set, if the config says that it is sampled after training."""
        if self.config.test_sampled_after_training and "test" in self.sources:
            self.data["test"] = self.sources["test"].draw(self.rngs.of(Purpose.TEST))


@allow_non_finite
def assemble(config: Config, plan: DataPlan | None = None) -> Experiment:
    """Sample the data sets and build the network.

    Args:
        config: a resolved config without errors.
        plan: its data sources, which are opened if they are not given.

    Raises:
        SourceError: a data source cannot be opened.
    """
    plan = plan if plan and plan.is_open else open_data(config)
    sources, streams = plan.sources, rngs(config)
    data = dict(plan.splits) if plan.splits else splits(config, sources, streams, plan.schema.class_names)
    if plan.preprocessing:
        data = {name: plan.preprocessing.encode(each, config.dtype) for name, each in data.items()}
    network = build_network(config, data["training"].inputs.shape[1], config.training.threads)
    network.initialize(streams.of(Purpose.WEIGHTS))
    optimizer = config.optimizer.build()
    schedule = config.schedule.build() if config.schedule else None
    optimizer.attach(network.parameters.trainable, network.parameters.gradients, schedule)
    clipping = config.clipping.build() if config.clipping else None
    metrics = build_metrics(config)
    for metric in metrics.values():
        metric.attach(data["training"].targets)
    return Experiment(config, data, network, optimizer, clipping, metrics, streams, sources, plan.preprocessing)


def build_network(config: Config, columns: int, threads: int = 1) -> Network:
    """The network of a config for this number of input columns and of threads; its parameters are not initialized."""

    def network(dtype: str, **options: Any) -> Network:
        layers = [layer.build() for layer in config.layers]
        return Network(layers, config.loss.build(), columns, np.dtype(dtype), **options)

    if config.data.component.target.is_read:
        rowwise = network("float64", rowwise=True)
        built = rowwise if config.dtype == "float64" else network(config.dtype, inference=rowwise)
    else:
        built = network(config.dtype)
    built.use_threads(ThreadPool(threads))
    return built


def build_metrics(config: Config) -> dict[str, Metric]:
    """The metrics of a config by name, not yet attached to the targets of a training set."""
    return {metric.type: metric.build() for metric in config.metrics or ()}
