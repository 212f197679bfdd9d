"""What a worker of a Dask cluster does: it trains one trial, and reports its progress to the process that asked."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from nncli.errors import NncliError
from nncli.store.group_files import is_group, read_group
from nncli.sweep.error_report import ErrorReport
from nncli.sweep.execution import Execution
from nncli.sweep.plan import Plan
from nncli.sweep.progress import Progress
from nncli.sweep.trials import Task
from nncli.version import __version__


class Ended(NamedTuple):
    """The end of a task on a worker.

    Args:
        task: the task.
        progress: how the trial ended, or that it was stopped; None if another process trains it.
        error: the error that ended the task instead.
        is_lost: whether its workers were lost.
    """

    task: Task
    progress: Progress | None = None
    error: ErrorReport | None = None
    is_lost: bool = False


_stopped: set[str] = set()  # the tokens of the tasks on this worker that were asked to stop


def request_stop(token: str) -> None:
    """Ask the tasks on this worker to stop."""
    _stopped.add(token)


def seen_by(group: str) -> tuple[str, bool]:
    """The version of nncli on this worker, and whether it sees a group."""
    return __version__, is_group(Path(group))


@lru_cache(maxsize=4)
def _plan(group: str, token: str) -> Plan:
    """The plan of a group, which this worker keeps from one task to the next."""
    return Plan(read_group(Path(group)), Path(group))


def perform(group: str, task: Task, token: str) -> Ended:
    """Train a trial on a worker of the cluster.

    Args:
        group: the directory of the group.
        task: the trial.
        token: names the progress of these tasks, and the request to stop them.
    """
    from distributed import get_worker

    worker, last = get_worker(), list[Progress]()

    def report(progress: Progress) -> None:
        if progress.state == "running":
            worker.log_event(token, tuple(progress))
        else:
            last.append(progress)

    try:
        execution = Execution(_plan(group, token), lambda: token in _stopped, report)
        if not execution.ended(task):
            execution.perform(task)
    except NncliError as error:
        return Ended(task, error=ErrorReport(error.exit_code, str(error)))
    return Ended(task, next(iter(last), None))
