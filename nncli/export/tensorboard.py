"""Runs as event files of TensorBoard: one directory per run, with its metrics as scalars and its parameters."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from nncli.export.change import Change
from nncli.export.event_file import (
    FAILURE,
    RUNNING,
    SUCCESS,
    end_event,
    event_file,
    scalars_event,
    start_event,
    version_event,
)
from nncli.export.exported_run import ExportedRun
from nncli.store.atomic_write import make_directories, write_atomic
from nncli.store.run_status import RunStatus

FILE = "events.out.tfevents.0.nncli"  # one name, so that a second export replaces the file
SESSIONS = {RunStatus.FINISHED: SUCCESS, RunStatus.RUNNING: RUNNING}


def write_events(directory: Path, run: ExportedRun) -> Change:
    """Write the event file of a run, or replace it; the same run gives the same bytes.

    Args:
        directory: the log directory of TensorBoard, in which the run gets a directory of its name.
        run: the run.

    Raises:
        StorageError: it cannot be written.
    """
    path = directory / run.name / FILE
    make_directories(path.parent, "choose another directory for --export tensorboard")
    content, before = event_file(_events(run)), _content(path)
    if content == before:
        return Change.UNCHANGED
    write_atomic(path, content)
    return Change.CREATED if before is None else Change.UPDATED


def _content(path: Path) -> bytes | None:
    """The file of an earlier export; None if there is none, or it cannot be read."""
    with suppress(OSError):
        return path.read_bytes()
    return None


def _events(run: ExportedRun) -> Iterator[bytes]:
    """The events of a run: parameters, the metrics of each epoch, and how it ended."""
    yield version_event(run.started)
    yield start_event(run.started, run.name, {**run.parameters, "training.epochs": run.epochs})
    for epoch, metrics in run.rows:
        yield scalars_event(run.time(epoch), epoch, metrics)
    epoch, metrics = run.final
    if metrics:
        yield scalars_event(run.time(epoch), epoch, metrics)
    yield end_event(run.ended, SESSIONS.get(run.status, FAILURE))
