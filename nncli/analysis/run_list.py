"""The list of the runs in a directory: status, metrics, and how each config differs from the majority."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nncli.analysis.compared_run import ComparedRun, compared_run, sorted_by_metric
from nncli.analysis.config_table import config_table
from nncli.errors import CommandLineError, RunError, StorageError, UnsupportedVersionError
from nncli.experiment.metric_columns import SPLITS, Role, column, find_column
from nncli.store import safe_read as files
from nncli.store.run_checkpoints import latest_valid
from nncli.store.run_files import is_run
from nncli.store.run_reader import Run
from nncli.store.run_status import RunProgress, RunStatus

SHOWN_METRICS = 2  # per split: the loss and the first metric


@dataclass(frozen=True)
class RunListing:
    """One run of a directory.

    Args:
        path: its directory.
        progress: its status.
        epoch: the epoch of its metrics; None if it has none.
        epochs: the number of epochs of its config.
        metrics: the final metrics by column; the last logged ones if it is not finished.
        differences: the keys of its config whose values differ from those of most runs.
        problem: what is wrong with it, if anything.
        warnings: the recorded warnings that its training learned nothing, as JSON values.
    """

    path: Path
    progress: RunProgress
    epoch: int | None = None
    epochs: int | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    differences: dict[str, Any] = field(default_factory=dict)
    problem: str | None = None
    warnings: list[dict[str, Any]] = field(default_factory=list)

    @property
    def main_metrics(self) -> list[str]:
        """The most important columns: loss and first metric of the training set and of the validation set."""
        training = [each for each in map(find_column, self.metrics) if each.split == "training"]
        names = [each.name for each in training if each.role in {Role.OBJECTIVE, Role.METRIC}][:SHOWN_METRICS]
        columns = [column(split, name) for split in SPLITS[:2] for name in names]
        return [header for header in columns if header in self.metrics]

    def to_json(self) -> dict[str, Any]:
        """The listing as JSON values."""
        values = {key: value for key, value in vars(self).items() if key not in {"path", "progress"}}
        return {"path": str(self.path), "status": str(self.progress), **values}


def runs_in(directory: Path, sort: str | None = None) -> list[RunListing]:
    """All runs in a directory sorted by name, or by a metric, best first; those that cannot be read are last.

    Raises:
        CommandLineError: there is no such directory, or no run has the metric to sort by.
        StorageError: the directory cannot be read.
    """
    entries: list[ComparedRun] = []
    unreadable: list[RunListing] = []
    problems: dict[Path, str] = {}
    for path in _visible_paths(directory):
        progress: RunProgress | None = None
        try:
            if not is_run(path):
                continue
            run = Run(path)
            progress, problem = _progress(run)
            entries.append(compared_run(run, run.name, progress))
            run.release()
            problems |= {path: problem} if problem else {}
        except UnsupportedVersionError as error:
            unreadable.append(RunListing(path, progress or RunProgress(RunStatus.UNSUPPORTED), problem=str(error)))
        except RunError as error:
            unreadable.append(RunListing(path, progress or RunProgress(RunStatus.DAMAGED), problem=str(error)))
        except StorageError as error:
            unreadable.append(RunListing(path, RunProgress(RunStatus.UNREADABLE), problem=str(error)))
    return _listings(sorted_by_metric(entries, sort) if entries else [], problems) + unreadable


def _listings(entries: Sequence[ComparedRun], problems: dict[Path, str]) -> list[RunListing]:
    """The readable runs, with the keys in which each differs from the majority."""
    configs = config_table([each.run for each in entries])
    table = {key: (values, _most_frequent(values)) for key, values in configs.items()}
    return [
        RunListing(
            path=each.run.path,
            progress=each.progress,
            epoch=each.epoch if each.metrics else None,
            epochs=each.run.config.training.epochs,
            metrics=each.metrics,
            differences={key: values[index] for key, (values, usual) in table.items() if values[index] != usual},
            problem=problems.get(each.run.path),
            warnings=each.run.warnings,
        )
        for index, each in enumerate(entries)
    ]


def _visible_paths(directory: Path) -> list[Path]:
    """The entries of a directory that are not hidden."""
    with files.storage_errors(directory):
        try:
            return sorted(path for path in directory.iterdir() if not path.name.startswith("."))
        except NotADirectoryError:
            raise CommandLineError(f"{directory}: not a directory") from None
        except FileNotFoundError:
            raise CommandLineError(
                f"{directory}: no such directory; 'nncli train CONFIG --runs-dir {directory}' creates it"
            ) from None


def _most_frequent(values: list[Any]) -> Any:
    """The most frequent value; the first of them if several are equally frequent."""
    return max(values, key=values.count)


def _progress(run: Run) -> tuple[RunProgress, str | None]:
    """The status, and what is wrong; a damaged checkpoint does not matter if an older one is valid.

    Raises:
        UnsupportedVersionError: a newer version made the run, and this one cannot tell its status.
    """
    try:
        progress, problem = run.progress, None
    except UnsupportedVersionError:
        raise
    except RunError as error:
        progress, problem = RunProgress(RunStatus.DAMAGED), str(error)
    if progress.status not in {RunStatus.DAMAGED, RunStatus.UNEVALUATED, RunStatus.INTERRUPTED}:
        return progress, problem
    try:
        checkpoint = latest_valid(run)
    except UnsupportedVersionError as error:
        if progress.status is RunStatus.DAMAGED:
            raise
        return progress, str(error)  # only a newer version can resume it
    if checkpoint is None:
        return progress, problem or f"{run.path}: no valid checkpoint to resume from"
    if progress.status is RunStatus.UNEVALUATED or run.was_finished:  # a resume writes both files again
        return progress._replace(is_resumable=True), problem
    return RunProgress(RunStatus.INTERRUPTED, checkpoint.state.epoch, is_resumable=True), problem
