"""The loop of a worker: it trains the trials of a group that no other worker trains, until all have ended."""

import time
from collections.abc import Callable, Sequence
from enum import Enum

from nncli.store import atomic_write
from nncli.store.group_files import trial_name
from nncli.store.safe_read import exists
from nncli.sweep.execution import Execution
from nncli.sweep.outcomes import GroupOutcomes
from nncli.sweep.plan import Plan
from nncli.sweep.progress import Progress, Report
from nncli.sweep.search import stages
from nncli.sweep.trials import Task
from nncli.training.loop import never

MIN_WAIT, MAX_WAIT = 0.02, 1.0  # seconds between two polls of trials that others train
BACKOFF = 1.5  # the factor from one to the next
UNSUCCESSFUL = {"failed", "diverged"}


class Ending(Enum):
    """Why a worker ends."""

    FINISHED = "all trials have ended"
    STOPPED = "a stop was requested"
    TOO_MANY_FAILURES = "too many trials failed or diverged"


def ignore(progress: Progress) -> None:
    """Take what is reported, and do nothing."""


def work(plan: Plan, stop: Callable[[], bool] = never, report: Report = ignore) -> Ending:
    """Train the trials of a group that no other worker trains; wait for those of others, and resume what they leave.

    Args:
        plan: the plan of the group.
        stop: polled after each batch; if it returns True, the worker ends after a checkpoint.
        report: called when a trial begins, while it trains, and when it ends.

    Raises:
        MissingExtraError: a package that a trial needs is not installed here.
        StorageError: a file cannot be read or written.
        UnsupportedVersionError: a newer version of nncli trains the group.
    """
    return Worker(plan, stop, report).work()


class Worker:
    """One worker of a group; the arguments are those of ``work``."""

    def __init__(self, plan: Plan, stop: Callable[[], bool], report: Report) -> None:
        self.plan, self.stop = plan, stop
        self._report = report
        self._failures: set[int] = set()
        self._execution = Execution(plan, stop, self._counted)

    def work(self) -> Ending:
        """Perform the tasks of all stages."""
        for tasks in stages(self.plan, GroupOutcomes(self.plan.directory, self.plan.record)):
            ending = self._stage(tasks)
            if ending is not Ending.FINISHED:
                return ending
        atomic_write.remove_orphaned_staging(self.plan.directory)
        return Ending.FINISHED

    def _stage(self, tasks: Sequence[Task]) -> Ending:
        """Perform the tasks of a stage that no other worker performs, until all have ended."""
        seconds = MIN_WAIT
        while True:
            busy: list[Task] = []
            for task in tasks:
                if self.stop():
                    return Ending.STOPPED
                if self._execution.ended(task):
                    continue
                if self._has_too_many_failures(busy) and not self._was_started(task):
                    return Ending.TOO_MANY_FAILURES
                if not self._execution.perform(task):
                    busy.append(task)
            seconds = MIN_WAIT if len(busy) < len(tasks) else min(BACKOFF * seconds, MAX_WAIT)
            tasks = busy
            if not tasks:
                return Ending.FINISHED
            self._wait(seconds)

    def _wait(self, seconds: float) -> None:
        """Wait until others may have ended a trial, or a stop is requested."""
        until = time.monotonic() + seconds
        while not self.stop() and (rest := until - time.monotonic()) > 0:
            time.sleep(min(rest, MIN_WAIT))

    def _counted(self, progress: Progress) -> None:
        """Count a failure, and report the progress."""
        if progress.state in UNSUCCESSFUL:
            self._failures.add(progress.number)
        self._report(progress)

    def _has_too_many_failures(self, busy: Sequence[Task]) -> bool:
        """Whether no further trial may start; the ends of trials that others train are read again."""
        most = self.plan.record.max_failures
        if most is None:
            return False
        for task in busy:
            self._execution.ended(task)
        return len(self._failures) > most

    def _was_started(self, task: Task) -> bool:
        return exists(self.plan.directory / trial_name(task.trial.number))
