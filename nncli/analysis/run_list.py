"""The list of the runs in a directory: status, metrics, notes, and how each config differs from the majority."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nncli.analysis.config_table import differing_keys, flat_configs
from nncli.analysis.final_metrics import final_metrics
from nncli.config.diagnostics import sanitized_line
from nncli.errors import CommandLineError, NncliError, RunError, StorageError, UnsupportedVersionError
from nncli.experiment.metric_columns import SPLITS, Role, column, find_column
from nncli.store import safe_read as files
from nncli.store.notes import Notes, read_notes
from nncli.store.run_checkpoints import latest_valid
from nncli.store.run_files import is_run
from nncli.store.run_reader import Run
from nncli.store.run_status import RunProgress, RunStatus

SHOWN_METRICS = 2  # per split: the loss and the first metric
INTERNAL = {"path", "progress", "config"}  # fields that the JSON document does not have, or has in another form


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
        note: its note, if it has one.
        tags: its tags.
        config: the keys of its config in one level; empty if it cannot be read.
    """

    path: Path
    progress: RunProgress
    epoch: int | None = None
    epochs: int | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    differences: dict[str, Any] = field(default_factory=dict)
    problem: str | None = None
    warnings: list[dict[str, Any]] = field(default_factory=list)
    note: str | None = None
    tags: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the directory."""
        return sanitized_line(self.path.name)

    @property
    def is_finished(self) -> bool:
        """Whether its metrics are final."""
        return self.progress.status is RunStatus.FINISHED

    @property
    def main_metrics(self) -> list[str]:
        """The most important columns: loss and first metric of the training set and of the validation set."""
        training = [each for each in map(find_column, self.metrics) if each.split == "training"]
        names = [each.name for each in training if each.role in {Role.OBJECTIVE, Role.METRIC}][:SHOWN_METRICS]
        columns = [column(split, name) for split in SPLITS[:2] for name in names]
        return [header for header in columns if header in self.metrics]

    def to_json(self) -> dict[str, Any]:
        """The listing as JSON values."""
        values = {key: value for key, value in vars(self).items() if key not in INTERNAL}
        return {"path": str(self.path), "status": str(self.progress), **values}


def runs_in(directory: Path) -> list[RunListing]:
    """All runs in a directory sorted by name; those that cannot be read are last.

    Raises:
        CommandLineError: there is no such directory.
        StorageError: the directory cannot be read.
    """
    return in_order([each for each in map(run_listing, visible_paths(directory)) if each])


def in_order(listed: Sequence[RunListing]) -> list[RunListing]:
    """The runs with their differences, those that cannot be read last."""
    return sorted(with_differences(listed), key=lambda run: not run.config)


def run_listing(path: Path) -> RunListing | None:
    """A run as a row of a list, without its differences from others; None if the path is not a run."""
    progress: RunProgress | None = None
    try:
        if not is_run(path):
            return None
        run = Run(path)
        progress, problem = _progress(run)
        return _listing(run, progress, problem)
    except UnsupportedVersionError as error:
        return RunListing(path, progress or RunProgress(RunStatus.UNSUPPORTED), problem=str(error))
    except RunError as error:
        return RunListing(path, progress or RunProgress(RunStatus.DAMAGED), problem=str(error))
    except StorageError as error:
        return RunListing(path, RunProgress(RunStatus.UNREADABLE), problem=str(error))


def _listing(run: Run, progress: RunProgress, problem: str | None) -> RunListing:
    """A run that can be read; damaged notes are its problem if there is no other."""
    epoch, metrics = final_metrics(run)
    notes, unread = notes_of(run.path)
    return RunListing(
        path=run.path,
        progress=progress,
        epoch=epoch if metrics else None,
        epochs=run.config.training.epochs,
        metrics=metrics,
        problem=problem or unread,
        warnings=run.warnings,
        note=notes.note,
        tags=notes.tags,
        config=run.config.model_dump(),
    )


def notes_of(path: Path) -> tuple[Notes, str | None]:
    """The notes of a run or a group, and why they cannot be read, if so."""
    try:
        return read_notes(path), None
    except NncliError as error:
        return Notes(), str(error)


def with_differences(listed: Sequence[RunListing]) -> list[RunListing]:
    """The runs with their configs in one level, and the keys in which each differs from the majority."""
    flat = iter(flat_configs([each.config for each in listed if each.config]))
    runs = [replace(each, config=next(flat) if each.config else {}) for each in listed]
    readable = [each for each in runs if each.config]
    usual = {key: _most_frequent(values) for key, values in differing_keys([run.config for run in readable]).items()}
    for run in readable:
        run.differences.update({key: run.config.get(key) for key in usual if run.config.get(key) != usual[key]})
    return runs


def visible_paths(directory: Path) -> list[Path]:
    """The entries of a directory that are not hidden, sorted by name.

    Raises:
        CommandLineError: there is no such directory.
        StorageError: it cannot be read.
    """
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
    texts = [json.dumps(value) for value in values]
    return values[texts.index(Counter(texts).most_common(1)[0][0])]


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
