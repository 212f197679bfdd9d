"""The training of one trial of a group: it is claimed, trained or resumed, and its end is reported."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nncli.errors import BusyError, DivergedError, MissingExtraError, NncliError, StorageError, UnsupportedVersionError
from nncli.runner.resume import plan_resume, resume_as_planned
from nncli.runner.train import Observer, Result, train
from nncli.store.group_files import FailureRecord, trial_name, write_failure
from nncli.store.lock import Lock
from nncli.store.run_reader import Run
from nncli.store.run_writer import RunWriter
from nncli.store.safe_read import exists
from nncli.sweep.outcomes import end_of, has_diverged, value_of
from nncli.sweep.plan import Plan
from nncli.sweep.progress import Progress, Report, State
from nncli.sweep.trials import Task
from nncli.training.loop import Epoch

# They concern this process or its machine, and another one may be able to train the trial.
NOT_OF_THE_TRIAL = (StorageError, UnsupportedVersionError, MissingExtraError)
OUT_OF_MEMORY = "out of memory; use fewer units, fewer rows or a smaller batch_size"
INTERVAL = 0.2  # seconds between two reports of a trial


class Execution:
    """Trains tasks of a group in this process.

    Args:
        plan: the plan of the group.
        stop: polled after each batch; if it returns True, training ends after a checkpoint.
        report: called when a trial begins, while it trains, and when it ends.
    """

    def __init__(self, plan: Plan, stop: Callable[[], bool], report: Report) -> None:
        self.plan, self.stop, self.report = plan, stop, report
        self.group, self.metric = plan.directory, plan.record.metric

    def ended(self, task: Task) -> bool:
        """Whether a trial has ended; its end is reported, also if another worker trained it.

        Raises:
            StorageError, UnsupportedVersionError: as for ``end_of``.
        """
        outcome = end_of(self.group, task, self.metric)
        if outcome:
            self.report(_progress(task, outcome.status, value=outcome.value, is_new=False))
        return outcome is not None

    def perform(self, task: Task) -> bool:
        """Train a trial that has not ended; return False if another process trains it, or it was stopped.

        A trial that fails or diverges is a result, which is recorded and reported.

        Raises:
            MissingExtraError: a package is not installed here.
            StorageError: a file cannot be read or written.
            UnsupportedVersionError: a newer version of nncli made the run.
        """
        try:
            result = self._trained(task)
        except BusyError:
            return False
        except NOT_OF_THE_TRIAL:
            raise
        except DivergedError as error:
            if error.path is None:  # before the first epoch, so that there is no run
                self._record_failure(task, error.exit_code, str(error))
            else:
                self.report(_progress(task, "diverged", message=str(error)))
        except MemoryError:
            self._record_failure(task, 3, OUT_OF_MEMORY)
        except NncliError as error:
            self._record_failure(task, error.exit_code, str(error))
        else:
            return self._is_reported(task, result)
        return True

    def _trained(self, task: Task) -> Result:
        """Train a new run, or resume the one that there is, from its newest checkpoint.

        Raises:
            BusyError: another process trains it, or has ended it meanwhile.
            NncliError: the trial fails.
        """
        name = trial_name(task.trial.number)
        if exists(self.group / name):
            return self._resumed(self.group / name, task)
        loaded = self.plan.loaded(task.trial, task.epochs)
        return train(loaded, name, runs=self.group, name=name, observer=self._observer(task), stop=self.stop)

    def _resumed(self, path: Path, task: Task) -> Result:
        lock = Lock(path / "lock")
        try:
            run = Run(path)
            recorded = run.record.spec.training.epochs
            if end_of(self.group, task) or (not run.was_finished and has_diverged(run)):
                raise BusyError(f"{path}: another process has ended it")
            overrides = (f"training.epochs={task.epochs}",) if task.epochs and task.epochs > recorded else ()
            plan = plan_resume(run, None, overrides, self.stop)
            return resume_as_planned(plan, run, lock, self._observer(task))
        finally:
            lock.release()

    def _observer(self, task: Task) -> Observer:
        """The observer of a training, which reports the part of its epochs that is done."""
        return lambda writer: _observed(task, writer, self.report)

    def _is_reported(self, task: Task, result: Result) -> bool:
        """Report the end of a training, or that it was stopped; return whether it has ended."""
        if result.evaluation is None:
            self.report(_progress(task, "stopped"))
            return False
        self.report(_progress(task, "finished", part=1.0, value=value_of(result.evaluation, self.metric)))
        return True

    def _record_failure(self, task: Task, exit_code: int, message: str) -> None:
        write_failure(self.group, task.trial.number, FailureRecord(exit_code=exit_code, message=message))
        self.report(_progress(task, "failed", message=message))


@contextmanager
def _observed(task: Task, writer: RunWriter, report: Report) -> Iterator[Callable[[Epoch], None]]:
    """Report the start of a training, and then from time to time how much of it is done."""
    epochs, due = writer.trainer.settings.epochs, time.monotonic() + INTERVAL
    report(_progress(task, "running", part=writer.trainer.epoch / epochs))

    def show(epoch: Epoch) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + INTERVAL
            report(_progress(task, "running", part=epoch.number / epochs))

    yield show


def _progress(
    task: Task,
    state: State,
    *,
    part: float = 0.0,
    value: float | None = None,
    message: str | None = None,
    is_new: bool = True,
) -> Progress:
    """What is reported about a task."""
    return Progress(task.trial.number, state, task.trial.overrides, part, value, message, is_new)
