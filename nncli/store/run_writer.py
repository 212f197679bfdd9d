"""What a run leaves behind, and in which order it is written."""

import hashlib
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from signal import Signals
from types import TracebackType
from typing import Self

from nncli.config.diagnostics import shown
from nncli.data.dataset import Dataset
from nncli.errors import BusyError, CommandLineError, DivergedError, InterruptionError, StorageError
from nncli.experiment.assembly import Experiment
from nncli.experiment.loading import LoadedConfig
from nncli.experiment.metric_columns import columns
from nncli.store import atomic_write as storage
from nncli.store.append_log import AppendLog
from nncli.store.checkpoint import checkpoints, pack
from nncli.store.environment import environment
from nncli.store.lock import Lock
from nncli.store.metrics_csv import headers
from nncli.store.npz import pack_npz
from nncli.store.records import (
    FORMATS,
    ArrayRecord,
    DataRecord,
    EvaluationRecord,
    FileRecord,
    RunRecord,
    identity,
    to_json,
)
from nncli.train.loop import Epoch, Trainer

KEPT_CHECKPOINTS = 2
NAME = re.compile(r"\w[\w.-]*")
LONGEST_NAME = 200


class RunWriter:
    """The directory of one training: made whole, filled in a fixed order, locked as long as the training lives.

    Order: metrics are synced, then the checkpoint that counts on them is put, then the oldest is removed; at the end
    weights.npz, then evaluation.json, whose presence means "finished".
    """

    def __init__(self, path: Path, lock: Lock, training: Trainer, run: str, metrics: bytes) -> None:
        self.path, self.training, self._lock, self._run = path, training, lock, run
        self._columns = headers(metrics)[1:]
        with lock.moves_reported(path / "lock"):
            self._metrics = AppendLog(path / "metrics.csv", metrics)
        self._saved = time.monotonic()

    @classmethod
    def create(cls, runs: Path, name: str, loaded: LoadedConfig, training: Trainer, numbered: bool = True) -> Self:
        """Make the directory: filled under a hidden name, synced, renamed.

        Args:
            runs: the folder of all runs.
            name: what the run is called; where it is taken, and ``numbered``, the next of name-2, name-3, ...
            loaded: the config and the bytes that it was read from.
            training: what will be recorded, at its start.
            numbered: whether another name will do.

        Raises:
            BusyError: the name is taken, and no other will do.
            CommandLineError: the name cannot be a directory's.
            DivergedError: the first weights are not finite.
        """
        if not NAME.fullmatch(name) or len(name.encode()) > LONGEST_NAME:
            rule = f"letters, digits, '.', '_' and '-', a letter or digit first, at most {LONGEST_NAME} bytes"
            raise CommandLineError(f"{shown(name)} cannot be the name of a run; use {rule}")
        training.require_finite()
        record, header = _description(training.experiment, loaded).model_dump(), _first_line(training)
        folder, lock = storage.staging_directory(runs)
        try:
            run = identity(record)
            _fill(folder, {"spec.yaml": loaded.content, "run.json": to_json(record), "metrics.csv": header})
            write_checkpoint(folder, training, run, len(header), hashlib.sha256(header).hexdigest())
            return cls(_published(folder, runs, name, numbered), lock, training, run, header)
        except BaseException:
            storage.discard(folder)
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
                if isinstance(error, StorageError):
                    raise error
        finally:
            self._lock.release()

    def record(self) -> Iterator[Epoch]:
        """Train, write what happens, and hand each epoch on.

        A training that diverges leaves a last row without numbers, and no checkpoint of it.
        """
        seconds = self.training.settings.checkpoint_seconds
        with self._divergence_recorded():
            for epoch in self.training.epochs():
                if epoch.metrics is not None:
                    self._append(epoch.number, [epoch.metrics[name] for name in self._columns])
                if time.monotonic() - self._saved >= seconds:
                    self.save()
                yield epoch

    def save(self) -> None:
        """Sync the metrics, put a checkpoint of this moment, remove the oldest.

        Raises:
            DivergedError: this moment is not worth one.
        """
        self.training.require_finite()
        self._lock.require_held(self.path / "lock")
        self._metrics.sync()
        write_checkpoint(self.path, self.training, self._run, self._metrics.size, self._metrics.sha256)
        for old in checkpoints(self.path)[:-KEPT_CHECKPOINTS]:
            storage.remove(old)
        self._saved = time.monotonic()

    def interrupt(self, signum: int) -> InterruptionError:
        """Write a checkpoint of what was progress_text; returns the error that says so."""
        with self._divergence_recorded():
            self.save()
        told = f"{self.path}: interrupted by {Signals(signum).name} at {progress_text(self.training)}"
        return InterruptionError(f"{told}; {self.cure}", signum)

    @property
    def cure(self) -> str:
        """How to go on with what the last checkpoint holds."""
        return f"go on with: nncli train --resume {quote(str(self.path))}"

    def finish(self) -> EvaluationRecord:
        """Write a last checkpoint, the weights that are kept, and what these are worth on every split."""
        self.save()
        training, data = self.training, self.training.experiment.data
        kept, before = training.keep_best(), set(data)
        training.experiment.sample_test_set()
        with self._divergence_recorded():
            splits = {name: training.measured(name) for name in data}
        weights = pack_npz(training.network.parameters)
        self._lock.require_held(self.path / "lock")
        storage.write_atomic(self.path / "weights.npz", weights)
        evaluation = EvaluationRecord(
            identity=self._run,
            epoch=kept,
            epochs_trained=training.epoch,
            weights=FileRecord(bytes=len(weights), sha256=hashlib.sha256(weights).hexdigest()),
            splits=splits,
            data={name: data_record(data[name]) for name in data if name not in before},
        )
        storage.write_atomic(self.path / "evaluation.json", to_json(evaluation.model_dump()))
        return evaluation

    @contextmanager
    def _divergence_recorded(self) -> Iterator[None]:
        """Mark the run as diverged, by a last row without numbers, where training says so."""
        try:
            yield
        except DivergedError as error:
            self._append(self.training.epoch, [float("nan")] * len(self._columns))
            self._metrics.sync()
            raise DivergedError(f"{error}; what was measured before is in {self.path}") from None

    def _append(self, epoch: int, values: list[float]) -> None:
        self._metrics.append(",".join([str(epoch), *map(repr, values)]).encode() + b"\n")


def progress_text(training: Trainer) -> str:
    """How far a training is, in words."""
    return f"epoch {training.epoch}" + (f", batch {training.batch}" if training.batch else "")


def name_from(path: Path) -> str:
    """A run's name after its config: the stem, with '-' for whatever a name may not hold."""
    name = re.sub(r"[^\w.-]+", "-", path.stem).lstrip(".-").encode()[: LONGEST_NAME - 20]
    return name.decode(errors="ignore") or "run"


def _first_line(training: Trainer) -> bytes:
    """That of metrics.csv."""
    return ",".join(("epoch", *columns(training.experiment.config))).encode() + b"\n"


def _fill(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        storage.write_atomic(folder / name, data)
    storage.make_directory(folder / "checkpoints")


def _description(experiment: Experiment, loaded: LoadedConfig) -> RunRecord:
    parameters = experiment.network.parameters
    dtype = parameters.values.dtype.str
    return RunRecord(
        spec=experiment.config,
        overrides=list(loaded.overrides),
        parameters=[
            ArrayRecord(name=name, shape=list(shape), dtype=dtype) for name, shape in parameters.shapes.items()
        ],
        data={name: data_record(data) for name, data in experiment.data.items()},
        **environment(),
        formats=FORMATS,
    )


def data_record(data: Dataset) -> DataRecord:
    """A data set as run.json has it."""
    rows, columns = data.inputs.shape
    return DataRecord(rows=rows, columns=columns, classes=data.classes, sha256=data.fingerprint())


def write_checkpoint(folder: Path, training: Trainer, run: str, metrics_bytes: int, metrics_sha256: str) -> None:
    """Write a checkpoint of this moment, which counts on the first bytes of metrics.csv, and on their digest."""
    position = training.position(metrics_bytes, metrics_sha256)
    storage.write_atomic(
        folder / "checkpoints" / f"{position.updates:08}.ckpt", pack(position, training.vectors(), run)
    )


def _published(folder: Path, runs: Path, name: str, numbered: bool) -> Path:
    """The folder under its name, or under the first free numbered one."""
    path, number = runs / name, 1
    while not storage.commit(folder, path):
        if not numbered:
            raise BusyError(f"{path}: already exists; choose another --name")
        number += 1
        path = runs / f"{name}-{number}"
    return path
