"""All runs of a folder, one line each: how far each is, what it reached, and what sets it apart."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nncli.analysis.comparison import ComparedRun, entry, sorted_by_metric
from nncli.analysis.config_table import config_table
from nncli.errors import CommandLineError, RunError, StorageError
from nncli.store import safe_read as files
from nncli.store.run_reader import Run, is_run, latest_valid


@dataclass(frozen=True)
class RunListing:
    """One run of a folder.

    Args:
        path: its directory.
        status: in words: running, finished, interrupted at an epoch, diverged at one, damaged, unreadable.
        epoch: of which its metrics are; None where it has none.
        epochs: how many it is to be trained.
        metrics: the final ones by column, or the last ones where it is not finished.
        differences: the keys of its config with another value than most runs of the folder have.
        problem: what is wrong with it, if anything.
    """

    path: Path
    status: str
    epoch: int | None = None
    epochs: int | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    differences: dict[str, Any] = field(default_factory=dict)
    problem: str | None = None


def runs_in(folder: Path, sort: str | None = None) -> list[RunListing]:
    """All runs in a folder by name, or by a metric, the best first; those that cannot be read are last.

    Raises:
        CommandLineError: there is no such folder, or no run has the metric to sort by.
        StorageError: the folder cannot be read.
    """
    entries: list[ComparedRun] = []
    damaged: list[RunListing] = []
    problems: dict[Path, str] = {}
    for path in _paths(folder):
        status = "damaged"
        try:
            if not is_run(path):
                continue
            run = Run(path)
            status, problem = _status(run)
            entries.append(entry(run, run.name, status))
            run.release()
            problems |= {path: problem} if problem else {}
        except RunError as error:
            damaged.append(RunListing(path, status, problem=str(error)))
        except StorageError as error:
            damaged.append(RunListing(path, "unreadable", problem=str(error)))
    entries = sorted_by_metric(entries, sort) if entries else []
    table = {key: (values, _usual(values)) for key, values in config_table([each.run for each in entries]).items()}
    listed = [
        RunListing(
            path=each.run.path,
            status=each.status,
            epoch=each.epoch if each.metrics else None,
            epochs=each.run.config.training.epochs,
            metrics=each.metrics,
            differences={key: values[index] for key, (values, usual) in table.items() if values[index] != usual},
            problem=problems.get(each.run.path),
        )
        for index, each in enumerate(entries)
    ]
    return listed + damaged


def _paths(folder: Path) -> list[Path]:
    """What may be runs: all but what is hidden."""
    with files.failures(folder):
        try:
            return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        except (FileNotFoundError, NotADirectoryError):
            raise CommandLineError(f"{folder}: no such folder; 'nncli train' makes it, or name another") from None


def _usual(values: list[Any]) -> Any:
    """The value that most have, the first of them where several are equally frequent."""
    return max(values, key=values.count)


def _status(run: Run) -> tuple[str, str | None]:
    """In words, and what is wrong: a checkpoint that is damaged, where an older one is whole, ends nothing."""
    try:
        status, problem = run.status, None
    except RunError as error:
        status, problem = "damaged", str(error)
    if status != "damaged" and not status.startswith("interrupted"):
        return status, problem
    checkpoint = latest_valid(run)
    if checkpoint is None:
        return status, problem or f"{run.path}: no checkpoint is whole from which it could go on"
    return f"interrupted at epoch {checkpoint.state.epoch}, resumable", problem
