"""Whether and how trials have ended: read from their files alone, so that every process on every machine agrees."""

from collections.abc import Sequence
from pathlib import Path

from nncli.errors import RunError, UnsupportedVersionError
from nncli.experiment.metric_columns import find_column, higher_is_better
from nncli.store import safe_read
from nncli.store.group_files import GroupRecord, failure_path, trial_name
from nncli.store.lock import is_locked
from nncli.store.records import EvaluationRecord
from nncli.store.run_files import RunFiles, is_run
from nncli.store.run_reader import Run
from nncli.sweep.trials import Outcome, Task
from nncli.training.early_stopping import has_ended


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
        return [self._outcome(number, epochs) for number in sorted(numbers)]

    def _outcome(self, number: int, epochs: int | None) -> Outcome:
        value = None if epochs is None else self._value_at(number, epochs)
        if value is not None:
            return Outcome(number, "finished", value)
        found = _end_of(self.directory, number, None, self.metric)  # at an earlier epoch, whatever the wanted one
        if found is None:
            path = self.directory / trial_name(number)
            raise RunError(f"{path}: has not ended", path)
        return found

    def _value_at(self, number: int, epochs: int) -> float | None:
        """The metric of a trial at an epoch; None if it has none, or its run is damaged and it has failed.

        Raises:
            RunError: its run is damaged.
        """
        path = self.directory / trial_name(number)
        try:
            return value_at(Run(path), self.metric, epochs) if self.metric and is_run(path) else None
        except RunError:
            if safe_read.exists(failure_path(self.directory, number)):
                return None
            raise


def end_of(group: Path, task: Task, metric: str | None = None) -> Outcome | None:
    """How the trial of a task ended; None if it was not started, is being trained, or has to be resumed.

    All trials of a finished group are checked one after the other, so as few files as possible are read.

    Args:
        group: the directory of the group.
        task: the trial, and the number of epochs up to which it is trained.
        metric: the column whose value is wanted.

    Raises:
        StorageError: the operating system refuses to read a file.
        UnsupportedVersionError: a newer version of nncli made the run.
    """
    return _end_of(group, task.trial.number, task.epochs, metric)


def has_diverged(run: Run) -> bool:
    """Whether a run that is not finished has diverged.

    Raises:
        RunError: it is damaged.
    """
    return run.metrics.diverged_at is not None


def value_of(evaluation: EvaluationRecord, metric: str | None) -> float | None:
    """A column of metrics in an evaluation, which is of the final weights; None if it was not measured."""
    if metric is None:
        return None
    found = find_column(metric)
    return evaluation.splits.get(found.split or "", {}).get(found.name)


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


def _end_of(group: Path, number: int, epochs: int | None, metric: str | None) -> Outcome | None:
    """How a trial ended that is trained up to a number of epochs; None if it has not."""
    path = group / trial_name(number)
    if safe_read.exists(failure_path(group, number)):
        return Outcome(number, "failed")
    if not safe_read.exists(path):
        return None
    try:
        return _end_of_run(path, number, epochs, metric)
    except UnsupportedVersionError:
        raise
    except RunError:  # the worker that locks it reports what is wrong
        return None


def _end_of_run(path: Path, number: int, epochs: int | None, metric: str | None) -> Outcome | None:
    """How a run ended; None if it has not.

    Raises:
        RunError: it is damaged.
    """
    run = RunFiles(path)
    if epochs and run.record.spec.training.epochs > epochs:  # raised after it had reached the former number
        return Outcome(number, "finished")
    if safe_read.exists(path / "evaluation.json"):
        evaluation = run.read_record("evaluation.json", EvaluationRecord)
        is_final = _is_final(run, evaluation, epochs)
        return Outcome(number, "finished", value_of(evaluation, metric)) if is_final else None
    if not is_locked(path / "lock") and has_diverged(Run(path)):
        return Outcome(number, "diverged")
    return None


def _is_final(run: RunFiles, evaluation: EvaluationRecord, epochs: int | None) -> bool:
    """Whether an evaluation is the end of a run; not if its epochs were raised since, or a file is missing.

    A run that stopped early has ended, whatever the number of epochs.
    """
    training = run.record.spec.training
    wanted = training.model_copy({"epochs": max(training.epochs, epochs or 0)})
    has_weights = safe_read.exists(run.path / "weights.npz")
    return has_weights and has_ended(wanted, evaluation.epochs_trained, evaluation.epoch)
