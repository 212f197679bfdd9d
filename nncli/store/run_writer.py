"""Writing a run directory: which files, and in which order."""

import hashlib
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from nncli.config.diagnostics import shown
from nncli.errors import CommandLineError, DivergedError, StorageError
from nncli.experiment.assembly import Experiment
from nncli.experiment.loading import LoadedConfig
from nncli.experiment.metric_columns import columns
from nncli.store import atomic_write as storage
from nncli.store.append_log import AppendLog
from nncli.store.checkpoint import Checkpoint, checkpoints, pack
from nncli.store.environment import environment
from nncli.store.lock import Lock
from nncli.store.metrics_csv import headers, parse
from nncli.store.npz import pack_npz
from nncli.store.recording import Recorded, Recording, nothing_recorded
from nncli.store.records import (
    CONFIG,
    FORMATS,
    HEALTH,
    ArrayRecord,
    EvaluationRecord,
    RunRecord,
    WarningRecord,
    data_record,
    file_record,
    identity,
    to_json,
)
from nncli.store.run_files import ORIGINAL, PREPROCESSING
from nncli.training.learning import LearningCheck, LossHistory
from nncli.training.loop import Epoch, Trainer
from nncli.training.state import TrainingState

KEPT_CHECKPOINTS = 2
NAME = re.compile(r"\w[\w.-]*")
LONGEST_NAME = 200


class RunWriter:
    """The run directory of one training: created atomically, written in a fixed order, locked while training runs.

    Order: metrics.csv and health.csv are synced and snapshots.npz is written, then the checkpoint that depends on them,
    then the oldest one is removed; at the end weights.npz is written, then evaluation.json, whose presence means
    "finished".

    Args:
        path: the directory.
        lock: its lock, which is released on exit.
        trainer: the training to record.
        identity: the identity of the run.
        metrics: the beginning of metrics.csv that is kept.
        recorded: what is kept of snapshots.npz and health.csv; None if the run has neither.
    """

    def __init__(
        self, path: Path, lock: Lock, trainer: Trainer, identity: str, metrics: bytes, recorded: Recorded | None
    ) -> None:
        self.path, self.trainer, self._lock, self._identity = path, trainer, lock, identity
        self._columns, self._history = headers(metrics)[1:], _loss_history(metrics, trainer.settings.epochs)
        with lock.moves_reported(path / "lock"):
            self._metrics = AppendLog(path / "metrics.csv", metrics)
            self._recording = Recording(path, trainer, recorded) if recorded else None
        self._saved = time.monotonic()

    @classmethod
    def create(cls, runs: Path, name: str, loaded: LoadedConfig, trainer: Trainer, numbered: bool = True) -> Self:
        """Create the directory: fill it under a hidden name, sync it, rename it.

        Args:
            runs: the directory that holds the runs.
            name: the name of the run; if it is taken and ``numbered``, the next of name-2, name-3, ...
            loaded: the config and the bytes that it was read from.
            trainer: the training to record, at its start.
            numbered: whether a number may be appended to the name.

        Raises:
            BusyError: the name is taken.
            CommandLineError: the name is not valid.
            DivergedError: the initial weights are not finite.
        """
        require_name(name)
        trainer.require_finite()
        record, header = _run_record(trainer.experiment, loaded).model_dump(), _header(trainer)
        directory, lock = storage.staging_directory(runs)
        try:
            run_identity = identity(record)
            files = {CONFIG: loaded.trained_content, ORIGINAL: loaded.content, **_preprocessing(trainer.experiment)}
            recorded = nothing_recorded(trainer)
            _fill(directory, {**files, "run.json": to_json(record), "metrics.csv": header, HEALTH: recorded.health})
            digest = hashlib.sha256(header).hexdigest()
            write_checkpoint(directory, trainer.state(), run_identity, len(header), digest)
            return cls(storage.publish(directory, runs, name, numbered), lock, trainer, run_identity, header, recorded)
        except BaseException:
            storage.discard(directory)
            lock.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._lock.moves_reported(self.path / "lock"):
                self._metrics.close()
                if self._recording:
                    self._recording.close()
                if isinstance(error, StorageError):
                    raise error
        finally:
            self._lock.release()

    def record(self) -> Iterator[Epoch]:
        """Train, write metrics and checkpoints, and yield each epoch.

        A training that diverges ends with a row of NaN, and without a checkpoint of the diverged state.
        """
        seconds = self.trainer.settings.checkpoint_seconds
        with self._divergence_recorded():
            for epoch in self.trainer.epochs():
                if epoch.metrics is not None:
                    self._append(epoch.number, [epoch.metrics[name] for name in self._columns])
                    self._history.add(epoch.number, epoch.metrics["data_loss"], epoch.metrics.get("validation_loss"))
                    if self._recording:
                        self._recording.add(epoch.number)
                if time.monotonic() - self._saved >= seconds:
                    self.save()
                yield epoch

    def save(self) -> None:
        """Sync the metrics and what is recorded, write a checkpoint, remove the oldest one.

        Raises:
            DivergedError: the state is not finite.
        """
        self.trainer.require_finite()
        self._lock.require_held(self.path / "lock")
        self._sync()
        write_checkpoint(self.path, self.trainer.state(), self._identity, self._metrics.size, self._metrics.sha256)
        for old in checkpoints(self.path)[:-KEPT_CHECKPOINTS]:
            storage.remove(old)
        self._saved = time.monotonic()

    def interrupt(self) -> None:
        """Write a checkpoint of a training that a stop request has ended."""
        with self._divergence_recorded():
            self.save()

    def finish(self) -> EvaluationRecord:
        """Write the last checkpoint, the final weights, and their metrics on every split.

        Raises:
            DivergedError: the state or a metric is not finite.
        """
        self.save()
        trainer, data = self.trainer, self.trainer.experiment.data
        best_epoch, recorded = trainer.keep_best(), set(data)
        trainer.experiment.sample_test_set()
        with self._divergence_recorded():
            splits = {name: trainer.measured(name) for name in data}
        check = LearningCheck(trainer.experiment, splits, best_epoch, self._history, trainer.rows_of)
        warnings = check.warnings()
        weights = pack_npz(trainer.network.parameters)
        self._lock.require_held(self.path / "lock")
        storage.write_atomic(self.path / "weights.npz", weights)
        evaluation = EvaluationRecord(
            identity=self._identity,
            epoch=best_epoch,
            epochs_trained=trainer.epoch,
            weights=file_record(weights),
            splits=splits,
            data={name: data_record(data[name]) for name in data if name not in recorded},
            warnings=[WarningRecord(**warning._asdict()) for warning in warnings],
        )
        storage.write_atomic(self.path / "evaluation.json", to_json(evaluation.model_dump()))
        return evaluation

    @contextmanager
    def _divergence_recorded(self) -> Iterator[None]:
        """Mark the run as diverged by a last row of NaN."""
        try:
            yield
        except DivergedError as error:
            self._append(self.trainer.epoch, [float("nan")] * len(self._columns))
            self._sync()
            error.path, error.args = self.path, (f"{error}; metrics up to then: {self.path / 'metrics.csv'}",)
            raise

    def _sync(self) -> None:
        """Make metrics.csv, health.csv and snapshots.npz durable."""
        self._metrics.sync()
        if self._recording:
            self._recording.save()

    def _append(self, epoch: int, values: list[float]) -> None:
        self._metrics.append(",".join([str(epoch), *map(repr, values)]).encode() + b"\n")


def require_name(name: str) -> None:
    """Require a valid name of a run.

    Raises:
        CommandLineError: it is not valid.
    """
    if not NAME.fullmatch(name) or len(name.encode()) > LONGEST_NAME:
        rule = f"letters, digits, '.', '_' and '-', starting with a letter or digit, at most {LONGEST_NAME} bytes"
        raise CommandLineError(f"invalid run name {shown(name)}: use {rule}")


def name_from(path: Path) -> str:
    """The default name of a run: the stem of its config's path, with '-' for characters that a name cannot have."""
    name = re.sub(r"[^\w.-]+", "-", path.stem).lstrip(".-").encode()[: LONGEST_NAME - 20]
    return name.decode(errors="ignore") or "run"


def _header(trainer: Trainer) -> bytes:
    """The first line of metrics.csv."""
    return ",".join(("epoch", *columns(trainer.experiment.config))).encode() + b"\n"


def _loss_history(metrics: bytes, epochs: int) -> LossHistory:
    """The losses in the beginning of metrics.csv."""
    history, names = LossHistory(), headers(metrics)
    rows = parse(metrics, names, epochs)
    columns = [rows.column(name) for name in ("epoch", "data_loss", "validation_loss") if name in names]
    for epoch, *losses in zip(*columns, strict=True):
        history.add(int(epoch), *map(float, losses))
    return history


def _fill(directory: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        storage.write_atomic(directory / name, data)
    storage.make_directory(directory / "checkpoints")


def _preprocessing(experiment: Experiment) -> dict[str, bytes]:
    """The content of preprocessing.json, if there is preprocessing."""
    return {PREPROCESSING: to_json(experiment.preprocessing.state())} if experiment.preprocessing else {}


def _run_record(experiment: Experiment, loaded: LoadedConfig) -> RunRecord:
    parameters = experiment.network.parameters
    dtype = parameters.values.dtype.str
    return RunRecord(
        spec=experiment.config,
        overrides=list(loaded.overrides),
        parameters=[
            ArrayRecord(name=name, shape=list(shape), dtype=dtype) for name, shape in parameters.shapes.items()
        ],
        data={name: data_record(data) for name, data in experiment.data.items()},
        preprocessing=next(map(file_record, _preprocessing(experiment).values()), None),
        **environment(),
        formats=FORMATS,
        schema=dict(loaded.plan.schemas),
    )


def write_checkpoint(
    directory: Path, state: TrainingState, run_identity: str, metrics_bytes: int, metrics_sha256: str
) -> None:
    """Write a checkpoint that depends on the first bytes of metrics.csv.

    Args:
        directory: the run directory.
        state: the training state.
        run_identity: the identity of the run.
        metrics_bytes: the number of these bytes.
        metrics_sha256: their SHA-256.
    """
    data = pack(Checkpoint(state, metrics_bytes, metrics_sha256, run_identity))
    storage.write_atomic(directory / "checkpoints" / f"{state.updates:08}.ckpt", data)
