"""The checkpoints of a run: reading, validating, and finding the latest one to resume from."""

import hashlib
from pathlib import Path

from nncli.errors import RunError, UnsupportedVersionError
from nncli.experiment.metric_columns import is_unknown
from nncli.store.checkpoint import Checkpoint, checkpoints, unpack
from nncli.store.metrics_csv import headers
from nncli.store.run_files import RunFiles
from nncli.version import __version__


def read_checkpoint(run: RunFiles, path: Path) -> Checkpoint:
    """One of a run's checkpoints.

    Raises:
        RunError: it is damaged, or belongs to another run.
        UnsupportedVersionError: only a newer version of nncli reads it.
    """
    data = run.read(f"checkpoints/{path.name}")
    try:
        checkpoint = unpack(data)
    except RunError as error:
        raise type(error)(f"{path}: {error}") from None
    if checkpoint.identity not in {None, run.identity}:
        raise RunError(f"{path}: the checkpoint belongs to another run")
    state = checkpoint.state
    if f"{state.updates:08}.ckpt" != path.name:
        raise RunError(f"{path}: damaged: it is the checkpoint after {state.updates} updates")
    if state.epoch > run.record.spec.training.epochs:
        raise RunError(f"{path}: damaged: it has more epochs than the config")
    return checkpoint


def newest_checkpoint(run: RunFiles) -> Checkpoint:
    """The newest checkpoint of a run.

    Raises:
        RunError: there is none, or it is damaged.
    """
    while paths := checkpoints(run.path):
        try:
            return read_checkpoint(run, paths[-1])
        except RunError:
            if checkpoints(run.path) == paths:  # otherwise training has replaced it meanwhile
                raise
    raise RunError(f"{run.path}: the run is not finished and has no checkpoint")


def read_with_metrics(run: RunFiles, path: Path) -> tuple[Checkpoint, bytes]:
    """A checkpoint, and the beginning of metrics.csv that belongs to it.

    Raises:
        RunError: the checkpoint is damaged, belongs to another run or version, or metrics.csv does not match it.
    """
    checkpoint = read_checkpoint(run, path)
    if checkpoint.metrics_sha256 is None:
        raise RunError(f"{path}: was written by nncli before 0.4, which did not save all that resuming needs")
    metrics = run.read("metrics.csv")[: checkpoint.metrics_bytes]
    if hashlib.sha256(metrics).hexdigest() != checkpoint.metrics_sha256:
        raise RunError(f"{path}: checksum mismatch: metrics.csv does not begin with the rows before the checkpoint")
    return checkpoint, metrics


def read_valid(run: RunFiles, path: Path) -> tuple[Checkpoint, bytes]:
    """A checkpoint from which this version can resume a run, and the metrics that belong to it.

    Raises:
        RunError: as for ``read_with_metrics``.
        UnsupportedVersionError: metrics.csv has a column that this version does not write.
    """
    checkpoint, metrics = read_with_metrics(run, path)
    unknown = [name for name in headers(metrics)[1:] if is_unknown(name)]
    if unknown:
        maker = run.record.versions.get("nncli", "a newer version")
        raise UnsupportedVersionError(
            f"{run.path / 'metrics.csv'}: has columns that nncli {__version__} does not write: {', '.join(unknown)};"
            f" resume the run with nncli {maker}"
        )
    return checkpoint, metrics


def latest_valid(run: RunFiles) -> Checkpoint | None:
    """The latest checkpoint from which a run can be resumed, if there is one.

    Raises:
        UnsupportedVersionError: a newer version can resume it from a later checkpoint.
    """
    for path in reversed(checkpoints(run.path)):
        try:
            return read_valid(run, path)[0]
        except UnsupportedVersionError:
            raise
        except RunError:
            continue
    return None
