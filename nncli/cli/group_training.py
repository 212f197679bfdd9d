"""Work on a group of runs, with a display, as ``sweep``, ``worker`` and ``train --seeds`` do."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from shlex import quote
from signal import SIGINT, Signals
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from nncli.cli.interrupts import raised_on_ctrl_c
from nncli.cli.options import Integer
from nncli.cli.output import has_cursor, print_json
from nncli.cli.paths import RUNS
from nncli.errors import CommandLineError, DivergedError, InterruptionError, NncliError, StorageError

if TYPE_CHECKING:
    from nncli.store.group_files import GroupRecord
    from nncli.sweep.overview import Overview
    from nncli.sweep.plan import Plan
    from nncli.sweep.progress import Progress
    from nncli.sweep.results import GroupResults
    from nncli.sweep.worker import Ending

_JOBS = click.option(
    "-j", "--jobs", type=Integer(min=1, max=1024), metavar="N", help="Number of processes that train.  [default: 1]"
)
_ENGINE = click.option("--engine", metavar="ENGINE", help="Train on a Dask cluster: dask://HOST:PORT, its scheduler.")
_SEEDS = click.option("--seeds", metavar="SEEDS", help="Seeds of a group of runs: 10 for 0 to 9, or 0..9, or 1,2,5.")
_VARY = click.option(
    "--vary",
    metavar="PARTS",
    help="What a seed varies: some of data, split, weights, order, dropout; or all.  [default: weights,order,dropout]",
)
_FOLDS = click.option("--folds", type=Integer(min=2), metavar="K", help="Cross-validate with this number of folds.")


def workers_options(command: "Callable[..., Any]") -> "Callable[..., Any]":
    """The options that say where trials are trained: ``jobs`` and ``engine``."""
    return _JOBS(_ENGINE(command))


def replicates_options(command: "Callable[..., Any]") -> "Callable[..., Any]":
    """The options that train a config several times: ``seeds``, ``vary`` and ``folds``."""
    return _SEEDS(_VARY(_FOLDS(command)))


def has_replicates(
    seeds: str | None, vary: str | None, folds: int | None, jobs: int | None, engine: str | None, is_new: bool
) -> bool:
    """Whether options ask for a group of runs of one config; ``is_new`` says whether a config is trained anew.

    Raises:
        click.UsageError: they do not, but one of them is for a group; or nothing is trained anew.
    """
    if seeds is not None or folds is not None:
        if not is_new:
            raise click.UsageError("--seeds and --folds train new runs of a CONFIG, without --resume and --watch.")
        return True
    given = {"--vary": vary, "--jobs": jobs, "--engine": engine}
    option = next((name for name, value in given.items() if value), None)
    if option:
        raise click.UsageError(f"{option} is for a group of runs, as with --seeds 10.")
    return False


class Workers:
    """How a group is worked on.

    Args:
        jobs: the number of processes; None for the default.
        engine: the cluster; None for this machine.
        is_silent: whether no progress is shown.

    Raises:
        CommandLineError: there are both jobs and a cluster, or the cluster has no valid address.
    """

    def __init__(self, jobs: int | None, engine: str | None, is_silent: bool) -> None:
        if engine and jobs:
            raise CommandLineError("--jobs is for this machine, and --engine names a cluster; use one of them")
        if engine:
            from nncli.sweep.dask_cluster import address_of

            address_of(engine)
        self.jobs, self.engine, self.is_silent = jobs or 1, engine, is_silent

    @property
    def options(self) -> str:
        """The options of the command line that give these workers."""
        return f" --engine {quote(self.engine)}" if self.engine else f" -j {self.jobs}" if self.jobs > 1 else ""


class GroupReport(NamedTuple):
    """The end of work on a group.

    Args:
        plan: the plan of the group.
        results: how its trials ended.
        trained: the number of trials that were trained now.
        seconds: the time that it took; None if none was trained.
    """

    plan: "Plan"
    results: "GroupResults"
    trained: int
    seconds: float | None

    def to_json(self) -> dict[str, Any]:
        """The document that ``--json`` prints."""
        group = str(self.plan.directory)
        return {"group": group, **self.results.to_json(), "trained": self.trained, "seconds": self.seconds}

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


def train_replicates(
    config: str,
    overrides: tuple[str, ...],
    replicates: tuple[str | None, str | None, int | None],
    name: str | None,
    runs: Path | None,
    workers: Workers,
) -> GroupReport:
    """Train a config with several seeds, folds, or both.

    Args:
        config: the config, or a run.
        overrides: values replaced in it.
        replicates: the options ``seeds``, ``vary`` and ``folds``.
        name: the name of the group; None for that of the config.
        runs: the directory of runs.
        workers: what trains.

    Raises:
        CommandLineError: an override has several values.
        NncliError: as for ``train_group``.
    """
    from nncli.sweep.plan import record_from_command_line
    from nncli.sweep.settings import SweepOptions

    seeds, vary, folds = replicates
    base, base_name = base_config(Path(config), runs)
    options = SweepOptions(seeds=seeds, vary=vary, folds=folds, runs=runs or RUNS)
    record = record_from_command_line(base, overrides, options)
    if record.axes:
        raise CommandLineError(f"{record.axes[0].key} has several values; 'nncli sweep' trains a run with each")
    return train_group(record, f"{base_name}-{'folds' if seeds is None else 'seeds'}", name, runs, workers)


def train_group(
    record: "GroupRecord", default_name: str, name: str | None, runs: Path | None, workers: Workers
) -> GroupReport:
    """Create a group or continue it, and train its trials.

    Raises:
        NncliError: as for ``open_group`` and ``work_on``.
    """
    from nncli.cli.render.progress import note
    from nncli.config.diagnostics import counted
    from nncli.sweep.group import open_group

    group = open_group(runs or RUNS, default_name, record, name)
    if group.is_new and not workers.is_silent:
        note(f"{group.plan.directory}: new group of {counted(len(group.plan), 'trial')}")
    return continue_group(group.plan, workers) if not group.is_new else work_on(group.plan, workers)


def continue_group(plan: "Plan", workers: Workers) -> GroupReport:
    """Train the trials of a group that have not ended, or say that all have.

    Raises:
        NncliError: as for ``work_on``.
    """
    from nncli.cli.render.progress import note
    from nncli.sweep.group import is_finished
    from nncli.sweep.results import results_of

    if is_finished(plan):
        note(f"{plan.directory}: already finished")
        return GroupReport(plan, results_of(plan), 0, None)
    if not workers.is_silent:
        note(f"{plan.directory}: continues")
    return work_on(plan, workers)


def base_config(config: Path, runs: Path | None) -> tuple[Path, str]:
    """The file of a config, or of the config of a run, with the name that its group begins with.

    Raises:
        CommandLineError: there is neither such a config nor such a run.
        RunError: the run is damaged.
    """
    from nncli.runner.run_config import config_path, run_of
    from nncli.store.run_reader import Run
    from nncli.store.run_writer import name_from

    run = run_of(config, runs)
    return (config, name_from(config)) if run is None else (config_path(Run(run)), run.name)


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
    from nncli.sweep.results import results_of
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
    return GroupReport(plan, results_of(plan), overview.trained, seconds and round(seconds, 3))


def _error_of(ending: "Ending", overview: "Overview", plan: "Plan", workers: Workers, signum: int | None) -> NncliError:
    """The error of a group that is not finished."""
    from nncli.sweep.worker import Ending

    if ending is Ending.TOO_MANY_FAILURES:
        wrong = f"{overview.counts['failed']} failed and {overview.counts['diverged']} diverged trials"
        error: NncliError = DivergedError(
            f"{plan.directory}: {wrong} are more than max_failures {plan.record.max_failures}; no further trial starts"
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
