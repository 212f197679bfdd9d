"""Whether a trial has ended, and how: read from its files alone, so that every process on every machine agrees."""

from pathlib import Path

from nncli.errors import RunError, UnsupportedVersionError
from nncli.experiment.metric_columns import find_column
from nncli.store import safe_read
from nncli.store.group_files import failure_path, trial_name
from nncli.store.lock import is_locked
from nncli.store.records import EvaluationRecord
from nncli.store.run_files import RunFiles
from nncli.store.run_reader import Run
from nncli.sweep.trials import Outcome, Task
from nncli.training.early_stopping import has_ended


def end_of(group: Path, task: Task, metric: str | None = None) -> Outcome | None:
    """How the trial of a task ended; None if it was not started, is being trained, or has to be resumed.

    The trials of a finished group are looked at in turn, so no more is read than is necessary.

    Args:
        group: the directory of the group.
        task: the trial, and the number of epochs up to which it is trained.
        metric: the column whose value is wanted.

    Raises:
        StorageError: the operating system refuses to read a file.
        UnsupportedVersionError: a newer version of nncli made the run.
    """
    number = task.trial.number
    path = group / trial_name(number)
    if safe_read.exists(failure_path(group, number)):
        return Outcome(number, "failed")
    if not safe_read.exists(path):
        return None
    try:
        return _end_of_run(path, task, metric)
    except UnsupportedVersionError:
        raise
    except RunError:  # whoever locks it finds out what is wrong
        return None


def has_diverged(run: Run) -> bool:
    """Whether a run that is not finished has diverged.

    Raises:
        RunError: it is damaged.
    """
    return run.metrics.diverged_at is not None


def value_of(evaluation: EvaluationRecord, metric: str | None) -> float | None:
    """A column of metrics in an evaluation; None if it was not measured."""
    if metric is None:
        return None
    found = find_column(metric)
    return evaluation.splits.get(found.split or "", {}).get(found.name)


def _end_of_run(path: Path, task: Task, metric: str | None) -> Outcome | None:
    """How a run ended; None if it has not.

    Raises:
        RunError: it is damaged.
    """
    number, run = task.trial.number, RunFiles(path)
    if task.epochs and run.record.spec.training.epochs > task.epochs:  # raised after it had reached the former number
        return Outcome(number, "finished")
    if safe_read.exists(path / "evaluation.json"):
        return _end_of_evaluated(run, task, metric)
    if not is_locked(path / "lock") and has_diverged(Run(path)):
        return Outcome(number, "diverged")
    return None


def _end_of_evaluated(run: RunFiles, task: Task, metric: str | None) -> Outcome | None:
    """How a run with evaluation.json ended; None if its epochs were raised since, or a file is missing."""
    training, evaluation = run.record.spec.training, run.read_record("evaluation.json", EvaluationRecord)
    wanted = training.model_copy(
        {"epochs": max(training.epochs, task.epochs or 0)}
    )  # more change nothing if it stopped
    is_final = has_ended(wanted, evaluation.epochs_trained, evaluation.epoch)
    if not (is_final and safe_read.exists(run.path / "weights.npz")):
        return None
    return Outcome(task.trial.number, "finished", value_of(evaluation, metric))
