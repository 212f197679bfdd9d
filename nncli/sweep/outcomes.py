"""How the trials of a group ended, read from their run directories and the files of failed trials."""

from collections.abc import Sequence
from pathlib import Path

from nncli.errors import RunError
from nncli.experiment.metric_columns import find_column, higher_is_better
from nncli.store.group_files import GroupRecord, failures, trial_name
from nncli.store.run_files import is_run
from nncli.store.run_reader import Run
from nncli.sweep.trials import Outcome


class GroupOutcomes:
    """Reads how trials ended.

    The metric of a finished trial is that of its final weights, in evaluation.json, unless a number of epochs is given.
    Then it is that of the weights which training to this epoch would have ended with: a trial that has been trained for
    more epochs since, diverged or failed has the same outcome as at that time.

    Args:
        directory: the directory of the group.
        record: its description.
    """

    def __init__(self, directory: Path, record: GroupRecord) -> None:
        self.directory, self.metric = directory, record.metric

    def __call__(self, numbers: Sequence[int], epochs: int | None = None) -> list[Outcome]:
        """How the trials ended, in the order of their numbers.

        Raises:
            RunError: a trial has neither ended nor failed, or its run is damaged.
            StorageError: a file cannot be read.
        """
        failed = failures(self.directory)
        return [self._outcome(number, epochs, number in failed) for number in sorted(numbers)]

    def _outcome(self, number: int, epochs: int | None, has_failed: bool) -> Outcome:
        path = self.directory / trial_name(number)
        try:
            if not has_failed or (epochs is not None and is_run(path)):
                found = _outcome_of_run(Run(path), number, self.metric, epochs)
                if found:
                    return found
        except RunError:
            if not has_failed:
                raise
        if not has_failed:
            raise RunError(f"{path}: has not ended", path)
        return Outcome(number, "failed")


def _outcome_of_run(run: Run, number: int, metric: str | None, epochs: int | None) -> Outcome | None:
    """How a run ended; None if it has not."""
    if epochs is not None and metric:
        value = value_at(run, metric, epochs)
        if value is not None:
            return Outcome(number, "finished", value)
    if run.evaluation is not None:
        return Outcome(number, "finished", final_value(run, metric) if metric else None)
    return Outcome(number, "diverged") if run.metrics.diverged_at is not None else None


def final_value(run: Run, metric: str) -> float | None:
    """The metric of the final weights, which are the best ones under early stopping; None if it was not measured."""
    column = find_column(metric)
    splits = run.evaluation.splits if run.evaluation else {}
    return splits.get(column.split or "", {}).get(column.name)


def value_at(run: Run, metric: str, epochs: int) -> float | None:
    """The metric of the weights that training to an epoch ends with; None if the epoch was not reached.

    Under early stopping these are the best weights until then. The row is the last one at a multiple of the log
    interval, since a row at another epoch is removed when training is resumed.
    """
    stopping, interval = run.config.training.early_stopping, run.config.training.log_interval
    last = epochs // interval * interval
    rows = [row for row in map(run.metrics.row, range(len(run.metrics))) if row["epoch"] <= last]
    if not rows or metric not in rows[-1] or rows[-1]["epoch"] < last:
        return None
    if stopping is None:
        return rows[-1][metric]
    sign = -1 if higher_is_better(stopping.metric) else 1
    return min(rows, key=lambda row: sign * row[stopping.metric])[metric]
