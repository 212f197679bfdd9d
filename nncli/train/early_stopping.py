"""When training ends before its last epoch, and which weights are kept."""

from collections.abc import Mapping
from dataclasses import dataclass

from nncli.config.model import EarlyStoppingConfig, TrainingConfig
from nncli.experiment.metric_columns import higher_is_better
from nncli.nn.parameters import Array


@dataclass
class Best:
    """The best state so far: after how many epochs, with which value of the watched metric, and its weights (P,)."""

    epoch: int
    value: float
    values: Array


class EarlyStopping:
    """Watches one metric; without a section it never stops, and the last weights are the ones that are kept.

    Args:
        section: ``training.early_stopping`` of a config.
    """

    def __init__(self, section: EarlyStoppingConfig | None) -> None:
        self.section = section
        self.best: Best | None = None

    def observe(self, epoch: int, metrics: Mapping[str, float], values: Array) -> None:
        """Take a copy of the weights where the metric is better than ever by more than ``min_delta``."""
        if self.section is None:
            return
        value = metrics[self.section.metric]
        if self.best is None or self._gain(value, self.best.value) > self.section.min_delta:
            self.best = Best(epoch, value, values.copy())

    def is_due(self, epoch: int) -> bool:
        """Whether ``patience`` epochs have passed since the best one."""
        return _is_due(self.section, epoch, self.best.epoch if self.best else None)

    def _gain(self, value: float, before: float) -> float:
        return value - before if self.section and higher_is_better(self.section.metric) else before - value


def has_ended(training: TrainingConfig, epoch: int, best_epoch: int | None) -> bool:
    """Whether training ends with this epoch: the last one, or a logged one at which early stopping is due.

    A last epoch that is off the log interval is logged no more once the number of epochs is raised.

    Args:
        training: the section of a resolved config.
        epoch: epochs trained.
        best_epoch: the best one of early stopping so far, if any.
    """
    is_logged = epoch % training.log_interval == 0
    return epoch == training.epochs or (is_logged and _is_due(training.early_stopping, epoch, best_epoch))


def _is_due(section: EarlyStoppingConfig | None, epoch: int, best_epoch: int | None) -> bool:
    return section is not None and best_epoch is not None and epoch - best_epoch >= section.patience
