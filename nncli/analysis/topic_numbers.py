"""The numbers of a topic for one config: the values of its keys, and numbers that are computed from them."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from itertools import pairwise
from math import log
from typing import Any

import numpy as np

from nncli.analysis.recorded_step import Rows, choose_rows, record_step
from nncli.data.dataset import Random
from nncli.experiment.assembly import Experiment, assemble
from nncli.experiment.loading import LoadedConfig
from nncli.experiment.numerics import allow_non_finite
from nncli.experiment.rng import Purpose
from nncli.experiment.summary import batches_per_epoch, split_rows, step_rows, summarize, training_rows
from nncli.nn.network import Network
from nncli.nn.parameters import Array

ROWS = 20  # of the training step whose loss and gradients are shown
Numbers = dict[str, Any]


@allow_non_finite
def numbers(topic: str, keys: Sequence[str], loaded: LoadedConfig) -> Numbers:
    """The values of the keys in a config, then the figures of a topic, by name; figures that are not finite are None.

    Args:
        topic: the name of the topic.
        keys: paths of keys, with ``[]`` for each item of a list.
        loaded: the config.
    """
    spec = loaded.config.model_dump()
    values = {path: value for key in keys for path, value in _at(spec, re.findall(r"\w+|\[\]", key), "")}
    figures = FIGURES[topic](loaded) if topic in FIGURES else {}
    return values | {name: _finite(value) for name, value in figures.items()}


def _at(value: Any, keys: list[str], path: str) -> Iterator[tuple[str, Any]]:
    """The paths and values at a path of keys; none where a key does not exist."""
    if not keys:
        yield path, value.get("type", value) if isinstance(value, dict) else value
    elif keys[0] == "[]":
        for index, item in enumerate(value if isinstance(value, list) else []):
            yield from _at(item, keys[1:], f"{path}[{index}]")
    elif isinstance(value, dict) and keys[0] in value:
        yield from _at(value[keys[0]], keys[1:], f"{path}.{keys[0]}".lstrip("."))
    elif value is None:
        yield path, None


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _batches(loaded: LoadedConfig) -> Numbers:
    config, plan = loaded.config, loaded.plan
    per_epoch = batches_per_epoch(config, plan)
    return {
        "training rows": training_rows(config, plan),
        "rows of a batch": step_rows(config, plan),
        "updates per epoch": per_epoch,
        "updates in all": per_epoch * config.training.epochs,
    }


def _rates(loaded: LoadedConfig) -> Numbers:
    """The learning rates at the first update, after the first epoch, and at the last update."""
    config, per_epoch = loaded.config, batches_per_epoch(loaded.config, loaded.plan)
    optimizer, last = config.optimizer.build(), per_epoch * config.training.epochs - 1
    optimizer.schedule = config.schedule.build() if config.schedule else None
    return {
        "rate of the first update": optimizer.rate_at(0),
        "rate after the first epoch": optimizer.rate_at(per_epoch),
        f"rate of the last update, t = {last}": optimizer.rate_at(last),
    }


def _momentum(loaded: LoadedConfig) -> Numbers:
    kept = getattr(loaded.config.optimizer, "momentum", None) or getattr(loaded.config.optimizer, "beta_1", None)
    return {"gradients that a velocity adds up, 1 / (1 − μ)": 1 / (1 - kept)} if kept else {}


def _loss(loaded: LoadedConfig) -> Numbers:
    experiment = _in_float64(loaded)
    classes = experiment.data["training"].classes
    guess = {} if classes is None else {"loss of equal probabilities, log of the classes": log(classes)}
    return guess | {"loss of the initial weights on some rows": _step(experiment)[0]}


def _gradients(loaded: LoadedConfig) -> Numbers:
    """The loss before and after the first update on a few rows, and the norm of each gradient."""
    experiment = _in_float64(loaded)
    before, after, gradients = _step(experiment)
    norms = {f"‖dL/d {name}‖": float(np.linalg.norm(array)) for name, array in gradients.items()}
    return {"loss on some rows": before, **norms, "loss on these rows after the update": after}


def _step(experiment: Experiment) -> tuple[float, float, Mapping[str, Array]]:
    """The loss of a few rows before and after the first update on them, and its gradients."""
    rows, masks = choose_rows(experiment, ROWS), experiment.rngs.of(Purpose.DROPOUT)
    recorder = record_step(experiment, rows, masks)
    before, after = (_loss_of(network, rows, masks) for network in (experiment.network, recorder.network))
    return before, after, recorder.parameters.views(recorder.parameters.gradients)


def _loss_of(network: Network, rows: Rows, masks: Random) -> float:
    """The mean loss of rows, with the dropout masks of the training step."""
    network.set_rng(deepcopy(masks))
    return network.data_loss(network.forward(rows.inputs, training=True), rows.encoded, rows.weights)


def _initialization(loaded: LoadedConfig) -> Numbers:
    network = _in_float64(loaded).network
    weights = network.parameters.views(network.parameters.trainable)
    return {f"standard deviation of {name}": float(np.std(array)) for name, array in weights.items()}


def _regularization(loaded: LoadedConfig) -> Numbers:
    return {"penalty of the initial weights, R": _in_float64(loaded).network.regularization_loss()}


def _sizes(loaded: LoadedConfig) -> Numbers:
    parameters = sum(layer.parameters for layer in summarize(loaded.config, loaded.plan))
    rows = training_rows(loaded.config, loaded.plan)
    return {"parameters": parameters, "training rows": rows, "parameters per row": parameters / rows}


def _splits(loaded: LoadedConfig) -> Numbers:
    return {f"rows of {name}": rows for name, rows in split_rows(loaded.config, loaded.plan).items()}


def _widths(loaded: LoadedConfig) -> Numbers:
    layers = summarize(loaded.config, loaded.plan)
    columns = [layers[0].inputs, *(layer.outputs for layer in layers)]
    return {f"layer {i}: {layers[i].type}": f"{a} → {b}" for i, (a, b) in enumerate(pairwise(columns))}


def _precision(loaded: LoadedConfig) -> Numbers:
    limits = np.finfo(loaded.config.dtype)
    return {"smallest ε with 1 + ε > 1": float(limits.eps), "largest number": float(limits.max)}


def _in_float64(loaded: LoadedConfig) -> Experiment:
    return assemble(loaded.config.model_copy({"dtype": "float64"}), loaded.plan)


FIGURES: Mapping[str, Callable[[LoadedConfig], Numbers]] = {
    "activation": _widths,
    "backpropagation": _gradients,
    "batch": _batches,
    "decay": _rates,
    "epoch": _batches,
    "gradient_descent": _gradients,
    "initialization": _initialization,
    "learning_rate": _rates,
    "loss": _loss,
    "momentum": _momentum,
    "numerical_stability": _precision,
    "overfitting": _sizes,
    "regularization": _regularization,
    "validation": _splits,
}
