"""The columns of metrics.csv: names, splits, directions and bounds."""

import math
from collections.abc import Mapping
from typing import Any

from nncli.nn.metrics.metric import Metric
from nncli.registry import components, names

SPLITS = ("training", "validation", "test")
LOSSES = ("loss", "data_loss", "regularization_loss")  # of the training set; the others have the first only


def measured_names(config: Any, split: str) -> tuple[str, ...]:
    """The names that ``measure`` gives for a split; ``config`` is resolved."""
    return (*_losses(split), *(metric.type for metric in config.metrics or ()))


def possible_names(split: str) -> tuple[str, ...]:
    """The names that ``measure`` may give for a split, whatever the task."""
    return (*_losses(split), *(metric.name for metric in components("metric")))


def column(split: str, name: str) -> str:
    """A metric's column in metrics.csv: bare for the training set, else with the split before it."""
    return name if split == "training" else f"{split}_{name}"


def columns(config: Any) -> tuple[str, ...]:
    """The columns of metrics.csv behind the epoch; ``config`` is resolved."""
    watched = SPLITS[:2] if config.validation else SPLITS[:1]
    return ("learning_rate", *(column(split, name) for split in watched for name in measured_names(config, split)))


def plausible(metrics: Mapping[str, float]) -> bool:
    """Whether these can have been measured: finite, and each within its metric's bounds; a loss is not below 0."""
    ranges = [(value, *bounds(name)) for name, value in metrics.items()]
    return all(math.isfinite(value) and low <= value <= high for value, low, high in ranges)


def bounds(name: str) -> tuple[float, float]:
    """The lowest and the highest value of a metric, with or without a split before it; a loss is not below 0."""
    metric = _metric(name)
    return (metric.lowest, metric.highest) if metric else (0.0, math.inf)


def higher_is_better(name: str) -> bool:
    """Whether a metric, with or without a split before it, is better when it is higher; a loss is not."""
    metric = _metric(name)
    return metric is not None and bool(metric.higher_is_better)


def _losses(split: str) -> tuple[str, ...]:
    return LOSSES if split == "training" else LOSSES[:1]


def _metric(name: str) -> type[Metric] | None:
    for split in SPLITS:
        name = name.removeprefix(f"{split}_")
    known = names("metric")
    return known[name].target if name in known else None


NUMBER = 30  # characters of a value with its comma; the longest float64 has 24
MORE_ROWS = 10_000  # that of epoch 0, that of a divergence, and one for each time that the number of epochs is raised


def metrics_bytes(config: Any) -> int:
    """Of metrics.csv; ``config`` is resolved, or the sections of one."""
    names = ("epoch", *columns(config))
    rows: int = config.training.epochs // config.training.log_interval + MORE_ROWS
    return len(",".join(names)) + 1 + rows * len(names) * NUMBER
