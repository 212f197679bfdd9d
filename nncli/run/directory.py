"""What a run leaves behind, and in which order it is written."""

import hashlib
import io
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from nncli.errors import BusyError, CommandLineError, DivergedError
from nncli.nn.parameters import Parameters
from nncli.run import storage
from nncli.run.assembly import Experiment, LoadedSpec
from nncli.run.checkpoint import Checkpoint, Position
from nncli.run.environment import environment
from nncli.run.evaluation import examples, measure
from nncli.run.training import Epoch, Training

FORMAT = 1
KEPT_CHECKPOINTS = 2
NAME = re.compile(r"\w[\w.-]{0,99}")


class RunDirectory:
    """The directory of one training: made whole, filled in a fixed order, locked as long as the training lives.

    Order: metrics are synced, then the checkpoint that counts on them is put, then the oldest is removed; at the end
    weights.npz, then evaluation.json, whose presence means "finished".
    """

    def __init__(self, path: Path, lock: storage.Lock, training: Training) -> None:
        self.path, self._lock, self._training = path, lock, training
        self._metrics = storage.Log(path / "metrics.csv")
        self._saved = time.monotonic()

    @classmethod
    def create(cls, runs: Path, name: str, loaded: LoadedSpec, training: Training, numbered: bool = True) -> Self:
        """Make the directory: filled under a hidden name, synced, renamed.

        Args:
            runs: the folder of all runs.
            name: what the run is called; where it is taken, and ``numbered``, the next of name-2, name-3, ...
            loaded: the spec and the bytes that it was read from.
            training: what will be recorded, at its start.
            numbered: whether another name will do.

        Raises:
            BusyError: the name is taken, and no other will do.
            CommandLineError: the name cannot be a directory's.
        """
        if not NAME.fullmatch(name):
            raise CommandLineError(f"{name!r} is no name for a run; use letters, digits, '.', '_' and '-'")
        if not numbered and (runs / name).exists():
            raise BusyError(f"{runs / name}: exists already; choose another --name")
        folder = storage.hidden_folder(runs)
        try:
            lock = storage.Lock(folder / "lock")
            _fill(folder, loaded, training)
            for candidate in _candidates(runs, name, numbered):
                if storage.publish(folder, candidate):
                    return cls(candidate, lock, training)
        except BaseException:
            storage.discard(folder)
            raise
        storage.discard(folder)
        raise BusyError(f"{runs / name}: exists already; choose another --name")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._metrics.close()
        self._lock.release()

    def record(self) -> Iterator[Epoch]:
        """Train, write what happens, and hand each epoch on.

        A training that diverges leaves a last row without numbers, and no checkpoint of it.
        """
        seconds = self._training.settings.checkpoint_seconds
        try:
            for epoch in self._training.epochs():
                if epoch.metrics is not None:
                    self._append(epoch.number, [epoch.metrics[name] for name in self._training.columns])
                if time.monotonic() - self._saved >= seconds:
                    self.save()
                yield epoch
        except DivergedError:
            self._append(self._training.epoch, [float("nan")] * len(self._training.columns))
            self._metrics.sync()
            raise

    def save(self) -> None:
        """Sync the metrics, put a checkpoint of this moment, remove the oldest."""
        self._metrics.sync()
        _put_checkpoint(self.path, self._training, self._metrics.size)
        kept = sorted((self.path / "checkpoints").glob("*.ckpt"))
        for old in kept[:-KEPT_CHECKPOINTS]:
            storage.remove(old)
        self._saved = time.monotonic()

    def finish(self) -> dict[str, Any]:
        """Write the weights that are kept and what they are worth on every split; returns evaluation.json's content."""
        self.save()
        training, experiment = self._training, self._training.experiment
        weights = packed_weights(training.network.parameters)
        storage.put(self.path / "weights.npz", weights)
        splits = {
            name: measure(training.network, name, examples(data, training.network))
            for name, data in experiment.data.items()
        }
        evaluation = {
            "format": FORMAT,
            "epoch": training.kept_epoch,
            "epochs_trained": training.epoch,
            "weights": {"bytes": len(weights), "sha256": hashlib.sha256(weights).hexdigest()},
            "splits": splits,
        }
        storage.put(self.path / "evaluation.json", as_json(evaluation))
        return evaluation

    def _append(self, epoch: int, values: list[float]) -> None:
        self._metrics.append(",".join([str(epoch), *map(repr, values)]).encode() + b"\n")


def name_from(config: Path) -> str:
    """A run's name after its config: the stem, with '-' for whatever a name may not hold."""
    return re.sub(r"[^\w.-]+", "-", config.stem).lstrip(".-")[:80] or "run"


def packed_weights(parameters: Parameters) -> bytes:
    """The arrays under their plain names, as an NPZ file; equal arrays give equal bytes."""
    file = io.BytesIO()
    np.savez(file, **parameters.views(parameters.values))  # type: ignore[arg-type]
    return file.getvalue()


def as_json(value: Any) -> bytes:
    """Strict JSON, indented, with a last newline."""
    return json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False).encode() + b"\n"


def _fill(folder: Path, loaded: LoadedSpec, training: Training) -> None:
    experiment = training.experiment
    storage.put(folder / "spec.yaml", loaded.text)
    storage.put(folder / "run.json", as_json(_description(experiment, loaded)))
    storage.put(folder / "metrics.csv", ",".join(("epoch", *training.columns)).encode() + b"\n")
    storage.make_folder(folder / "checkpoints")
    _put_checkpoint(folder, training, (folder / "metrics.csv").stat().st_size)


def _description(experiment: Experiment, loaded: LoadedSpec) -> dict[str, Any]:
    parameters = experiment.network.parameters
    return {
        "format": FORMAT,
        "spec": experiment.spec.model_dump(mode="json"),
        "overrides": list(loaded.overrides),
        "parameters": [
            {"name": name, "shape": list(shape), "dtype": parameters.values.dtype.str}
            for name, shape in parameters.shapes.items()
        ],
        "data": {
            name: {
                "rows": len(data),
                "columns": data.inputs.shape[1],
                "classes": data.classes,
                "sha256": data.fingerprint(),
            }
            for name, data in experiment.data.items()
        },
        **environment(),
    }


def _put_checkpoint(folder: Path, training: Training, metrics_bytes: int) -> None:
    best = training.stopping.best
    position = Position(
        training.epoch,
        training.batch,
        training.optimizer.updates,
        metrics_bytes,
        best.epoch if best else None,
        best.value if best else None,
    )
    vectors = {"values": training.network.parameters.values, **training.optimizer.memory}
    if best:
        vectors["best"] = best.values
    storage.put(folder / "checkpoints" / f"{position.updates:08}.ckpt", Checkpoint(position, vectors).pack())


def _candidates(runs: Path, name: str, numbered: bool) -> Iterator[Path]:
    yield runs / name
    number = 2
    while numbered:
        yield runs / f"{name}-{number}"
        number += 1
