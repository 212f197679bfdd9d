"""The table of metric columns: name, split, role, direction and bounds of each column of metrics.csv.

Whatever writes, reads, sorts, compares or checks a metric looks it up here. To add a column that describes the state of
training, as the learning rate does, append one column with a ``value`` to ``STATE_COLUMNS`` and the next ``since``;
runs that were made before stay readable. To add a metric of the network's outputs, register a metric component.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, NamedTuple

from nncli.config.diagnostics import shown
from nncli.nn.network import Network
from nncli.nn.optimizers.optimizer import Optimizer
from nncli.registry import components

SPLITS = ("training", "validation", "test")
MAIN_METRICS = ("accuracy", "mean_absolute_error")  # means over rows whose variance is known
VALID_NAME = r"[a-z][a-z0-9_]{0,99}"


class Role(Enum):
    """What the values of a column are."""

    STATE = "state of training, of no split"
    OBJECTIVE = "loss plus penalties, which depends on their strengths λ"
    PENALTY = "sum of the penalties"
    LOSS = "loss without penalties"
    METRIC = "metric of the config"
    UNKNOWN = "column of a newer version"


class MetricColumn(NamedTuple):
    """One column of metrics.csv, and one metric in evaluation.json if it has a split.

    Args:
        name: the metric, as evaluation.json names it within a split.
        split: the split it is measured on; None for the state of training.
        role: what its values are.
        higher_is_better: the direction; None if there is none.
        lowest: the lower bound of its values.
        highest: the upper bound.
        since: the first format version of metrics.csv that has it.
        value: computes it at a logged epoch, if it describes the state of training; finite for finite parameters.
    """

    name: str
    split: str | None
    role: Role
    higher_is_better: bool | None = False
    lowest: float = 0.0
    highest: float = math.inf
    since: int = 1
    value: Callable[[Network, Optimizer], float] | None = None

    @property
    def header(self) -> str:
        """The name in the first line of metrics.csv."""
        return column(self.split, self.name)

    @property
    def depends_on_penalties(self) -> bool:
        """Whether two runs with different penalties cannot be compared by it."""
        return self.role in {Role.OBJECTIVE, Role.PENALTY}

    def accepts(self, value: float) -> bool:
        """Whether a value is finite and within the bounds."""
        return math.isfinite(value) and self.lowest <= value <= self.highest


def column(split: str | None, name: str) -> str:
    """The header of a metric in metrics.csv: prefixed with the split, unless that is the training set."""
    return name if split in {None, "training"} else f"{split}_{name}"


STATE_COLUMNS = (
    MetricColumn("learning_rate", None, Role.STATE, None, value=lambda network, optimizer: optimizer.rate),
)
LOSS_COLUMNS = (
    MetricColumn("loss", "training", Role.OBJECTIVE),
    MetricColumn("data_loss", "training", Role.LOSS),
    MetricColumn("regularization_loss", "training", Role.PENALTY),
    MetricColumn("loss", "validation", Role.LOSS),
    MetricColumn("loss", "test", Role.LOSS),
)
FIXED_COLUMNS = {each.header: each for each in (*STATE_COLUMNS, *LOSS_COLUMNS)}  # of every config
METRICS_FORMAT = max(each.since for each in FIXED_COLUMNS.values())  # the format version of metrics.csv


def find_column(header: str) -> MetricColumn:
    """The description of a column; one without direction and bounds if this version does not know it."""
    if header in FIXED_COLUMNS:
        return FIXED_COLUMNS[header]
    split, name = _split_and_name(header)
    target = next((each.target for each in components("metric") if each.name == name), None)
    if target is None:
        return MetricColumn(name, split, Role.UNKNOWN, None, -math.inf, math.inf)
    return MetricColumn(name, split, Role.METRIC, target.higher_is_better, target.lowest, target.highest)


def main_columns(headers: Iterable[str]) -> list[str]:
    """The columns by which runs are compared and ranked by default, that of most interest first.

    Those of the validation set come first, then those of the test set, and of the training set. Of each: accuracy, the
    mean absolute error, the other metrics in the order of the config, and the loss without penalties.

    Args:
        headers: the columns that are measured; others than metrics and losses are left out.
    """
    found = [each for each in map(find_column, headers) if each.role in {Role.METRIC, Role.LOSS}]
    return [each.header for each in sorted(found, key=_interest)]


def _interest(metric: MetricColumn) -> tuple[int, bool, int]:
    """The key that sorts columns: by split, metrics before losses, and main metrics first."""
    splits, name = (*SPLITS[1:], SPLITS[0]), metric.name
    is_main = name in MAIN_METRICS
    return (
        splits.index(metric.split or ""),
        metric.role is Role.LOSS,
        MAIN_METRICS.index(name) if is_main else len(MAIN_METRICS),
    )


def main_metric(config: Any, has_validation: bool) -> str:
    """The first of the main columns of the validation set, or of the training set if there is no validation set.

    Args:
        config: a config whose metrics are resolved.
        has_validation: whether there is a validation set.
    """
    split = SPLITS[1] if has_validation else SPLITS[0]
    return main_columns(column(split, name) for name in measured_names(config, split))[0]


def known_columns() -> list[MetricColumn]:
    """Every column that a run of this version may have, whatever its task."""
    metrics = [column(split, each.name) for split in SPLITS for each in components("metric")]
    return [*FIXED_COLUMNS.values(), *map(find_column, metrics)]


def monitored_columns() -> list[MetricColumn]:
    """Every column that early stopping can monitor, whatever the task."""
    roles = {Role.OBJECTIVE, Role.LOSS, Role.METRIC}
    return [each for each in known_columns() if each.role in roles and each.split in SPLITS[:2]]


def measured_names(config: Any, split: str) -> tuple[str, ...]:
    """The names of the metrics that ``measure`` returns for a split; ``config`` is resolved."""
    losses = (each.name for each in LOSS_COLUMNS if each.split == split)
    return (*losses, *(metric.type for metric in config.metrics or ()))


def state_values(network: Network, optimizer: Optimizer) -> dict[str, float]:
    """The values of the columns that describe the state of training."""
    return {each.header: each.value(network, optimizer) for each in STATE_COLUMNS if each.value}


def columns(config: Any, version: int | None = None) -> tuple[str, ...]:
    """The headers of metrics.csv after the epoch; ``config`` is resolved.

    Args:
        config: the config.
        version: the format version of the file; by default the newest.
    """
    monitored = SPLITS[:2] if config.validation else SPLITS[:1]
    measured = [column(split, name) for split in monitored for name in measured_names(config, split)]
    headers = (*(each.header for each in STATE_COLUMNS), *measured)
    return tuple(header for header in headers if version is None or find_column(header).since <= version)


def plausible(metrics: Mapping[str, float]) -> bool:
    """Whether these values, by header, can have been measured: each is finite and within its column's bounds."""
    return all(find_column(header).accepts(value) for header, value in metrics.items())


def higher_is_better(header: str) -> bool:
    """Whether higher values of a column are better."""
    return find_column(header).higher_is_better is True


def require_columns(headers: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """Require the expected columns in their order; columns of a newer version may be between them.

    Raises:
        ValueError: a column is missing, misplaced or duplicated, or its name is invalid.
    """
    unknown = [header for header in headers if header not in expected]
    for header in expected:
        if header not in headers:
            raise ValueError(f"its first line does not name the column {header}")
    if tuple(header for header in headers if header in expected) != expected:
        raise ValueError(f"its first line does not name the columns in the order {', '.join(expected)}")
    for header in unknown:
        if not is_unknown(header) or unknown.count(header) > 1 or len(unknown) > SPARE_COLUMNS:
            raise ValueError(f"its first line names the column {shown(header)}, which this run cannot have")


def is_unknown(header: str) -> bool:
    """Whether this is a valid name of a column, and of none that this version knows."""
    return bool(re.fullmatch(VALID_NAME, header)) and header != "epoch" and find_column(header).role is Role.UNKNOWN


def _split_and_name(header: str) -> tuple[str, str]:
    """The split and the metric of a column."""
    for split in SPLITS[1:]:
        if header.startswith(f"{split}_"):
            return split, header.removeprefix(f"{split}_")
    return SPLITS[0], header


SPARE_COLUMNS = 16  # that a newer version may have added
VALUE_LENGTH = 30  # characters of a value with its comma; the longest float64 has 24
SPARE_ROWS = 10_000  # for epoch 0, for a divergence, and for each time that the number of epochs is raised


def metrics_bytes(config: Any, spare_columns: int = 0) -> int:
    """The largest size of metrics.csv in bytes.

    Args:
        config: a resolved config, which may be partial.
        spare_columns: the number of columns to add, which a newer version may write.
    """
    headers = ("epoch", *columns(config), *(["x" * 100] * spare_columns))
    rows: int = config.training.epochs // config.training.log_interval + SPARE_ROWS
    return len(",".join(headers)) + 1 + rows * len(headers) * VALUE_LENGTH
