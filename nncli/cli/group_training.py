"""Work on a group of runs, with a display, as ``sweep``, ``worker`` and ``train --seeds`` do."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from shlex import quote
from signal import SIGINT, Signals
from typing import TYPE_CHECKING, Any, NamedTuple

from nncli.cli.group_options import Workers
from nncli.cli.interrupts import raised_on_ctrl_c
from nncli.cli.note_options import NoteOptions
from nncli.cli.output import has_cursor, print_json
from nncli.cli.paths import RUNS
from nncli.errors import CommandLineError, DivergedError, InterruptionError, NncliError, StorageError

if TYPE_CHECKING:
    from nncli.store.group_files import GroupRecord
    from nncli.sweep.group import Group
    from nncli.sweep.overview import Overview
    from nncli.sweep.plan import Plan
    from nncli.sweep.progress import Progress
    from nncli.sweep.results import GroupResults
    from nncli.sweep.worker import Ending


class GroupReport(NamedTuple):
    """The end of work on a group.

    Args:
        plan: the plan of the group.
        results: how its trials ended.
        trained: the number of trials that were trained now.
        seconds: the time that it took; None if none was trained.
        out_of_fold: the file of the predictions out of fold; None without folds.
    """

    plan: "Plan"
    results: "GroupResults"
    trained: int
    seconds: float | None
    out_of_fold: Path | None

    def to_json(self) -> dict[str, Any]:
        """The document that ``--json`` prints."""
        return {
            "group": str(self.plan.directory),
            **self.results.to_json(),
            "out_of_fold": None if self.out_of_fold is None else str(self.out_of_fold),
            "trained": self.trained,
            "seconds": self.seconds,
        }

    def print(self, is_quiet: bool, as_json: bool) -> None:
        """Print a summary, only the path of the group, or the document."""
        if as_json:
            print_json(self.to_json())
        elif is_quiet:
            print(self.plan.directory)
        else:
            from nncli.cli.render.sweep import show_group

            keys = [axis.key for axis in self.plan.record.axes]
            show_group(self.plan.directory, keys, self.results, self.trained, self.seconds)
            if self.out_of_fold:
                print(f"predictions out of fold: {self.out_of_fold}")


def train_replicates(
    config: str,
    overrides: tuple[str, ...],
    replicates: tuple[str | None, str | None, int | None],
    name: str | None,
    runs: Path | None,
    workers: Workers,
    notes: NoteOptions,
) -> GroupReport:
    """Train a config with several seeds, folds, or both.

    Args:
        config: the config, or a run.
        overrides: values replaced in it.
        replicates: the options ``seeds``, ``vary`` and ``folds``.
        name: the name of the group; None for that of the config.
        runs: the directory of runs.
        workers: what trains.
        notes: the note and the tags of the group.

    Raises:
        CommandLineError: an override has several values.
        NncliError: as for ``train_group``.
    """
    from nncli.sweep.plan import record_from_command_line
    from nncli.sweep.sweep_config import SweepOptions

    seeds, vary, folds = replicates
    base, base_name = base_config(Path(config), runs)
    options = SweepOptions(seeds=seeds, vary=vary, folds=folds, runs=runs or RUNS)
    record = record_from_command_line(base, overrides, options)
    if record.axes:
        raise CommandLineError(f"{record.axes[0].key} has several values; 'nncli sweep' trains a run with each")
    return train_group(record, f"{base_name}-{'folds' if seeds is None else 'seeds'}", name, runs, workers, notes)


def train_group(
    record: "GroupRecord", default_name: str, name: str | None, runs: Path | None, workers: Workers, notes: NoteOptions
) -> GroupReport:
    """Create a group or continue it, and train its trials.

    Raises:
        NncliError: as for ``open_group`` and ``work_on``.
    """
    from nncli.cli.render.progress import note
    from nncli.config.diagnostics import counted

    group = _opened(record, default_name, name, runs, notes)
    if group.is_new and not workers.is_silent:
        note(f"{group.plan.directory}: new group of {counted(len(group.plan), 'trial')}")
    return continue_group(group.plan, workers) if not group.is_new else work_on(group.plan, workers)


def plan_group(
    record: "GroupRecord", default_name: str, name: str | None, runs: Path | None, notes: NoteOptions
) -> GroupReport:
    """Create a group, or find the one that ``train_group`` would continue, without training a trial.

    Raises:
        NncliError: as for ``open_group``.
    """
    from nncli.sweep.results import results_of

    plan = _opened(record, default_name, name, runs, notes).plan
    return GroupReport(plan, results_of(plan), 0, None, None)


def _opened(
    record: "GroupRecord", default_name: str, name: str | None, runs: Path | None, notes: NoteOptions
) -> "Group":
    """A new group, or one to continue, with the notes that are given."""
    from nncli.sweep.group import open_group

    group = open_group(runs or RUNS, default_name, record, name)
    notes.write(group.plan.directory)
    return group


def continue_group(plan: "Plan", workers: Workers) -> GroupReport:
    """Train the trials of a group that have not ended, or say that all have.

    Raises:
        NncliError: as for ``work_on``.
    """
    from nncli.cli.render.progress import note
    from nncli.sweep.group import is_finished

    if is_finished(plan):
        note(f"{plan.directory}: already finished")
        return _report(plan, 0, None)
    if not workers.is_silent:
        note(f"{plan.directory}: continues")
    return work_on(plan, workers)


def base_config(config: Path, runs: Path | None) -> tuple[Path, str]:
    """The file of a config, or of the config of a run, with the name that its group begins with.

    Raises:
        CommandLineError: there is neither such a config nor such a run.
        RunError: the run is damaged, or is a group of runs.
    """
    from nncli.runner.run_config import config_path, run_of
    from nncli.store.find_run import reject_group
    from nncli.store.run_reader import Run
    from nncli.store.run_writer import name_from

    run = run_of(config, runs)
    if run is not None:
        return config_path(Run(run)), run.name
    if not config.is_file():
        reject_group(config, runs)
    return config, name_from(config)


def work_on(plan: "Plan", workers: Workers) -> GroupReport:
    """Train the trials of a group.

    Raises:
        DivergedError: more trials failed or diverged than ``max_failures``.
        InterruptionError: a signal has stopped the workers.
        NncliError: as for ``work``.
    """
    from nncli.runner.signals import stop_on_signals
    from nncli.store.lock_check import require_locks
    from nncli.sweep.local import work_locally
    from nncli.sweep.overview import Overview
    from nncli.sweep.worker import Ending

    require_locks(plan.directory)
    overview, started = Overview(plan), time.monotonic()
    with raised_on_ctrl_c(), stop_on_signals() as stop, _continued(plan, workers):
        with _display(overview, workers.is_silent) as report:
            if workers.engine:
                from nncli.sweep.dask_cluster import work_on_cluster

                ending = work_on_cluster(plan, workers.engine, stop, report)
            else:
                ending = work_locally(plan, min(workers.jobs, len(plan)), stop, report)
        if ending is not Ending.FINISHED:
            raise _error_of(ending, overview, plan, workers, stop.signum)
    seconds = time.monotonic() - started if overview.trained else None
    return _report(plan, overview.trained, seconds and round(seconds, 3))


def _report(plan: "Plan", trained: int, seconds: float | None) -> GroupReport:
    """The end of work on a group whose trials have all ended; of folds, the predictions are written."""
    from nncli.cli.render.progress import note
    from nncli.errors import RunError
    from nncli.store.group_files import OUT_OF_FOLD
    from nncli.sweep.out_of_fold import write_out_of_fold
    from nncli.sweep.results import results_of

    path = plan.directory / OUT_OF_FOLD
    try:
        if trained or not path.exists():
            write_out_of_fold(plan.directory)
    except (DivergedError, RunError) as error:  # a run is damaged; the others are shown
        note(f"warning: {path}: not written: {error}")
    return GroupReport(plan, results_of(plan), trained, seconds, path if path.exists() else None)


def _error_of(ending: "Ending", overview: "Overview", plan: "Plan", workers: Workers, signum: int | None) -> NncliError:
    """The error of a group that is not finished."""
    from nncli.sweep.worker import Ending

    if ending is Ending.TOO_MANY_FAILURES:
        wrong = f"{overview.counts['failed']} failed and {overview.counts['diverged']} diverged trials"
        error: NncliError = DivergedError(
            f"{plan.directory}: {wrong} are more than max_failures {plan.record.max_failures}; no further trial starts;"
            " a new group can have a larger one"
        )
        error.path = plan.directory
        return error
    signum = SIGINT if signum is None else signum
    ended = f"{overview.ended} of {overview.total} trials have ended"
    message = f"{plan.directory}: interrupted by {Signals(signum).name}, {ended}; {_hint(plan, workers)}"
    return InterruptionError(message, signum, plan.directory)


@contextmanager
def _continued(plan: "Plan", workers: Workers) -> Iterator[None]:
    """Add the command that continues the group to the message of an error that ends the work."""
    try:
        yield
    except StorageError as error:
        raise StorageError(f"{error}; {_hint(plan, workers)}") from None
    except KeyboardInterrupt:
        message = f"{plan.directory}: stopped at once, without new checkpoints; {_hint(plan, workers)}"
        raise InterruptionError(message, SIGINT, plan.directory) from None


def _hint(plan: "Plan", workers: Workers) -> str:
    """The command that continues a group."""
    return f"continue with: nncli worker {quote(str(plan.directory))}{workers.options}"


def _display(overview: "Overview", is_silent: bool) -> AbstractContextManager["Callable[[Progress], object]"]:
    """Show the progress of a group: a panel in a terminal, plain lines elsewhere; yields what takes reports."""
    if is_silent:
        return nullcontext(overview.take)
    from nncli.cli.render.group_panel import PlainGroupView, group_shown

    return group_shown(overview) if has_cursor(sys.stderr) else nullcontext(PlainGroupView(overview).show)
