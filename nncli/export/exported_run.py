"""What is exported of a run: parameters, the metrics of each logged epoch, its status, note and tags."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nncli.analysis.final_metrics import final_metrics
from nncli.analysis.run_list import RunListing
from nncli.errors import RunError
from nncli.store.group_files import is_group
from nncli.store.run_files import ORIGINAL
from nncli.store.run_reader import Run
from nncli.store.run_status import RunStatus

RESUMABLE = "training.epochs"  # may be raised when a run is resumed
NOT_ALLOWED = re.compile(r"[^\w./: -]")  # in names of parameters


@dataclass(frozen=True)
class ExportedRun:
    """A run as other tools see it.

    Args:
        name: its name, after that of its group if it is a trial.
        group: the name of the directory that it is in: its group, or the directory of runs.
        identity: the SHA-256 that identifies its files.
        parameters: the values of its config by key: numbers, booleans and strings.
        epochs: the number of epochs of its config.
        rows: the metrics of each logged epoch, in order.
        final: the epoch of the final weights, and the metrics that only they have: those of the test set.
        status: its status.
        note: its note, if it has one.
        tags: its tags.
        started: when training began, in seconds since 1970; as the files of the run say.
        ended: when its metrics were last written.
    """

    name: str
    group: str
    identity: str
    parameters: dict[str, Any]
    epochs: int
    rows: list[tuple[int, dict[str, float]]]
    final: tuple[int, dict[str, float]]
    status: RunStatus
    note: str | None
    tags: list[str]
    started: float
    ended: float

    def time(self, epoch: int) -> float:
        """The time of an epoch, in seconds since 1970: evenly between the start and the end."""
        last = max(1, self.rows[-1][0] if self.rows else 1)
        return self.started + (self.ended - self.started) * epoch / last


def exported_run(listed: RunListing) -> ExportedRun:
    """A listed run with all of its logged metrics.

    Raises:
        RunError: it cannot be read, or has ended without a run directory.
        StorageError: the operating system refuses to read it.
    """
    run, parent = Run(listed.path), listed.path.parent
    table, (epoch, metrics) = run.metrics, final_metrics(run)
    started, ended = _times(listed.path)
    exported = ExportedRun(
        name=f"{parent.resolve().name}/{listed.path.name}" if is_group(parent) else listed.path.name,
        group=parent.resolve().name,
        identity=run.identity,
        parameters=dict(_parameters(run.config.model_dump(), "")),
        epochs=run.config.training.epochs,
        rows=[(int(row[0]), dict(zip(table.names[1:], row[1:], strict=True))) for row in table.values.tolist()],
        final=(epoch, {name: value for name, value in metrics.items() if name not in table.names}),
        status=listed.progress.status,
        note=listed.note,
        tags=listed.tags,
        started=started,
        ended=ended,
    )
    run.release()
    return exported


def _times(path: Path) -> tuple[float, float]:
    """When training began and when its metrics were last written, by the times of the files."""
    times = []
    for name in (ORIGINAL, "run.json", "metrics.csv"):
        with suppress(OSError):
            times.append((path / name).stat().st_mtime)
    if not times:
        raise RunError(f"{path}: run not found: it was removed", path)
    return min(times), max(times)


def _parameters(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    """The values of a config in one level: numbers, booleans and strings; items of lists are numbered from 0."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _parameters(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _parameters(inner, f"{key}.{index}")
    elif value is not None and key != RESUMABLE:
        yield NOT_ALLOWED.sub("_", key), value
