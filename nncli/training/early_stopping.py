"""Early stopping: when training ends before its last epoch, and which weights are kept."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from nncli.config.model import EarlyStoppingConfig, TrainingConfig
from nncli.experiment.metric_columns import higher_is_better
from nncli.nn.parameters import Array


class Best(NamedTuple):
    """The best epoch so far, its value of the monitored metric, and a copy of its weights (P,)."""

    epoch: int
    value: float
    values: Array


class EarlyStopping:
    """Monitors one metric; without a config it never stops, and the last weights are kept.

    Args:
        config: ``training.early_stopping``, if any.
    """

    def __init__(self, config: EarlyStoppingConfig | None) -> None:
        self.config = config
        self.best: Best | None = None

    def observe(self, epoch: int, metrics: Mapping[str, float], values: Array) -> None:
        """Copy the weights if the metric has improved on the best value by more than ``min_delta``."""
        if self.config is None:
            return
        value = metrics[self.config.metric]
        if self.best is None or self._gain(value, self.best.value) > self.config.min_delta:
            copy = self.best.values if self.best else np.empty_like(values)
            copy[...] = values
            self.best = Best(epoch, value, copy)

    def is_due(self, epoch: int) -> bool:
        """Whether ``patience`` epochs have passed since the best one."""
        return _is_due(self.config, epoch, self.best.epoch if self.best else None)

    def _gain(self, value: float, best: float) -> float:
        return value - best if self.config and higher_is_better(self.config.metric) else best - value


def has_ended(training: TrainingConfig, epoch: int, best_epoch: int | None) -> bool:
    """Whether training ends with this epoch: it is the last one, or a logged one at which early stopping is due.

    Only multiples of the log interval count as logged: a row that was logged because its epoch used to be the last is
    dropped when the number of epochs is raised.

    Args:
        training: ``training`` of a resolved config.
        epoch: completed epochs.
        best_epoch: the best epoch of early stopping so far, if any.
    """
    is_logged = epoch % training.log_interval == 0
    return epoch == training.epochs or (is_logged and _is_due(training.early_stopping, epoch, best_epoch))


def _is_due(config: EarlyStoppingConfig | None, epoch: int, best_epoch: int | None) -> bool:
    return config is not None and best_epoch is not None and epoch - best_epoch >= config.patience
