"""What is recorded while training, for plots and reports: snapshots.npz and health.csv.

Results do not depend on these files. Their content follows from the logged epochs, which are those of metrics.csv, so
that a checkpoint does not record it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nncli.config.diagnostics import counted
from nncli.errors import RunError, UnsupportedVersionError
from nncli.nn.parameters import Array
from nncli.store import atomic_write as storage
from nncli.store import health_csv
from nncli.store.append_log import AppendLog
from nncli.store.records import HEALTH, SNAPSHOTS
from nncli.store.run_files import RunFiles
from nncli.store.run_recording import read_health, read_snapshots
from nncli.store.safe_read import exists
from nncli.store.snapshots import SnapshotWriter, vector
from nncli.training.health import health_columns
from nncli.training.loop import Trainer


class Recorded(NamedTuple):
    """What has been recorded of the epochs up to a checkpoint.

    Args:
        logged: the logged epochs.
        health: the beginning of health.csv that is kept.
        snapshots: weights by epoch.
        damaged: files that are not valid, which are quarantined.
        messages: messages to the user, one sentence each.
    """

    logged: Sequence[int]
    health: bytes
    snapshots: dict[int, Array]
    damaged: tuple[Path, ...] = ()
    messages: tuple[str, ...] = ()


def nothing_recorded(trainer: Trainer) -> Recorded:
    """The recording at the start of a training."""
    layers, inputs = trainer.network.layers, trainer.network.widths[0]
    return Recorded((), health_csv.header(health_columns(layers, inputs)), {})


class Recording:
    """Records the logged epochs of a training.

    Args:
        path: the run directory, which has health.csv.
        trainer: the training.
        recorded: what is kept of the files.
    """

    def __init__(self, path: Path, trainer: Trainer, recorded: Recorded) -> None:
        self._path, self._health = path / SNAPSHOTS, trainer.observe_health()
        self._log, self._rows = AppendLog(path / HEALTH, recorded.health), b""
        limit, parameters = trainer.settings.snapshots or 0, trainer.network.parameters
        self._snapshots = SnapshotWriter(limit, parameters, recorded.logged, recorded.snapshots)

    def add(self, epoch: int) -> None:
        """Record an epoch that was logged just now; it is written by ``save``."""
        self._rows += health_csv.line(epoch, self._health.columns, self._health.row())
        self._snapshots.add(epoch)

    def save(self) -> None:
        """Write what was recorded, and make it durable."""
        self._log.append(self._rows)
        self._rows = b""
        self._log.sync()
        if self._snapshots.is_changed:
            storage.write_atomic(self._path, self._snapshots.pack())

    def close(self) -> None:
        """Close health.csv."""
        self._log.close()


def read_recorded(run: RunFiles, trainer: Trainer, logged: Sequence[int]) -> Recorded | None:
    """What the files of a run have of these epochs; None if the version that made the run recorded nothing.

    The run can be resumed without a file that is missing or damaged; its content is lost.

    Raises:
        StorageError: a file cannot be read.
        UnsupportedVersionError: a newer version wrote one.
    """
    if not run.record.has_health:
        return None
    recorded = nothing_recorded(trainer)._replace(logged=logged)
    for name, read in {HEALTH: _with_health, SNAPSHOTS: _with_snapshots}.items():
        try:
            recorded = read(recorded, run, trainer)
        except UnsupportedVersionError:
            raise
        except RunError as error:
            path, message = run.path / name, f"{error}; training continues without what was recorded there"
            damaged = (*recorded.damaged, path) if exists(path) else recorded.damaged
            recorded = recorded._replace(damaged=damaged, messages=(*recorded.messages, message))
    return recorded


def _with_health(recorded: Recorded, run: RunFiles, trainer: Trainer) -> Recorded:
    """With the rows of the logged epochs in health.csv.

    Raises:
        RunError: the file is missing or damaged.
    """
    table, logged = read_health(run, trainer.network.widths[0]), set(recorded.logged)
    names, columns = tuple(table.columns), (values.tolist() for values in table.columns.values())
    lines = [
        health_csv.line(epoch, names, dict(zip(names, values, strict=True)))
        for epoch, *values in zip(table.epochs.tolist(), *columns, strict=True)
        if epoch in logged
    ]
    missing = len(logged) - len(lines)
    why = f": {table.problem}" if table.problem else ""
    rows = counted(missing, "logged epoch")
    text = f"{run.path / HEALTH}: has no rows of {rows}{why}; training continues without them"
    messages = (*recorded.messages, text) if missing else recorded.messages
    return recorded._replace(health=b"".join((recorded.health, *lines)), messages=messages)


def _with_snapshots(recorded: Recorded, run: RunFiles, trainer: Trainer) -> Recorded:
    """With the weights of the logged epochs in snapshots.npz, which is written with the first of them.

    Raises:
        RunError: the file is missing or damaged.
    """
    if not recorded.logged or not run.record.has_snapshots:
        return recorded
    found, parameters = read_snapshots(run), trainer.network.parameters
    kept = {epoch: vector(found[epoch], parameters) for epoch in recorded.logged if epoch in found}
    return recorded._replace(snapshots=kept)
