"""A run directory as its readers see it: nothing is taken on trust, nothing is written, no lock is held."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nncli.config.diagnostics import path_text, sanitized_line
from nncli.config.model import Config
from nncli.errors import RunError, UnsupportedVersionError
from nncli.experiment.checks import NEW_RUN, THIS_MACHINE, cross_check
from nncli.experiment.data_plan import CheckedConfig, DataPlan, fractions, open_data
from nncli.experiment.defaults import resolve
from nncli.experiment.metric_columns import columns, measured_names, metrics_bytes, plausible
from nncli.nn.parameters import Parameters
from nncli.nn.shapes import shapes, statistics
from nncli.registry import names
from nncli.store import metrics_csv
from nncli.store import safe_read as files
from nncli.store import size_limits as limits
from nncli.store.checkpoint import Checkpoint, checkpoints, unpack
from nncli.store.lock import is_locked
from nncli.store.metrics_csv import Metrics
from nncli.store.npz import forms, read_npz, require_same_arrays
from nncli.store.records import DataRecord, EvaluationRecord, Known, RunRecord, identity, parsed, unsealed
from nncli.train.early_stopping import has_ended

METRICS_OF_VERSION_0_1 = [
    names("metric")["accuracy"].model.model_validate({})
]  # all that version 0.1 knew, and did not write
SPLIT_METHOD_OF_VERSION_0_4 = "consecutive"  # all that version 0.4 knew, and did not write


class Run:
    """One run directory.

    Args:
        path: the directory.

    Raises:
        RunError: it is missing, or is no run directory.
        StorageError: the system refuses to read it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with files.failures(path):
            is_folder = files.is_there(path) and path.is_dir()
        if not is_folder:
            raise RunError(f"{path}: no such run directory, nor is there one of that name in runs")
        if not files.is_there(path / "run.json"):
            if is_run(path):
                raise RunError(f"{path / 'run.json'}: missing, though the other files of a run are there")
            raise RunError(f"{path}: no run directory: it has no run.json")

    @property
    def name(self) -> str:
        """The directory's own name."""
        return sanitized_line(self.path.resolve().name)

    @cached_property
    def record(self) -> RunRecord:
        """What run.json says."""
        return self._record("run.json", RunRecord)

    @property
    def description(self) -> dict[str, Any]:
        """The value in run.json as it stands there, once it is known to be right."""
        self._record("run.json", RunRecord)
        return unsealed(self.read("run.json"))

    @cached_property
    def identity(self) -> str:
        """What tells its files from those of other runs."""
        return identity(self.description)

    @cached_property
    def plan(self) -> DataPlan:
        """The recorded schemas of the data; of a run that recorded none those that its config has now."""
        return DataPlan(self.record.schema) if self.record.schema else open_data(self.record.spec)

    @property
    def checked(self) -> CheckedConfig:
        """The resolved config with its data plan."""
        return CheckedConfig(self.config, self.plan)

    @cached_property
    def config(self) -> Config:
        """The resolved config, in which everything fits together."""
        config = resolve(_with_defaults_of_its_version(self.record.spec), self.plan)
        wrong = next(cross_check(config, self.plan, {NEW_RUN, THIS_MACHINE}), None)
        if wrong:
            raise RunError(f"{self.path / 'run.json'}: damaged: config.{path_text(wrong[0])}: {wrong[1]}")
        layers, inputs = [layer.build() for layer in config.layers], self.plan.schema.columns
        implied, dtype = {**shapes(layers, inputs), **statistics(layers, inputs)}, np.dtype(config.dtype).str
        told = [(each.name, tuple(each.shape), each.dtype) for each in self.record.parameters]
        if told != [(name, shape, dtype) for name, shape in implied.items()]:
            raise RunError(f"{self.path / 'run.json'}: damaged: its parameters are not those of its config")
        if not data_matches_config(self.plan, self.record.data):
            raise RunError(f"{self.path / 'run.json'}: damaged: its data is not what its config draws")
        return config

    @property
    def fingerprints(self) -> dict[str, str]:
        """The fingerprint of each split's data."""
        return {name: data.sha256 for name, data in self.data.items()}

    @property
    def data(self) -> dict[str, DataRecord]:
        """What is known of each split's data, that which was drawn after training included."""
        return {**self.record.data, **(self.evaluation.data if self.evaluation else {})}

    @cached_property
    def evaluation(self) -> EvaluationRecord | None:
        """What evaluation.json says; None where the run is not finished, or is to be trained further since.

        Raises:
            RunError: it is damaged, or weights.npz, which is written before it, is missing.
        """
        if not files.is_there(self.path / "evaluation.json"):
            return None
        evaluation = self._record("evaluation.json", EvaluationRecord)
        wrong = self._wrong_with(evaluation)
        if wrong:
            raise RunError(f"{self.path / 'evaluation.json'}: damaged: {wrong}")
        if not has_ended(self.record.spec.training, evaluation.epochs_trained, evaluation.epoch):
            return None
        if not files.is_there(self.path / "weights.npz"):
            raise RunError(f"{self.path / 'weights.npz'}: missing, though evaluation.json is there")
        return evaluation

    def _wrong_with(self, evaluation: EvaluationRecord) -> str | None:
        """In which respect an evaluation cannot be one of this run, if in any."""
        training, late = (
            self.record.spec.training,
            {"test"} if self.record.spec.test_sampled_after_training else set[str](),
        )
        if set(evaluation.data) != late or set(evaluation.splits) != {*self.record.data, *late}:
            return "it has other splits than run.json"
        for split, metrics in evaluation.splits.items():
            if set(metrics) != set(measured_names(self.config, split)) or not plausible(metrics):
                return f"splits.{split} is not what is measured"
        if evaluation.identity not in {None, self.identity}:
            return "it is that of another run"
        if not evaluation.epoch <= evaluation.epochs_trained <= training.epochs:
            return "it has more epochs than the config"
        if training.early_stopping is None and evaluation.epoch < evaluation.epochs_trained:
            return f"it keeps epoch {evaluation.epoch} of {evaluation.epochs_trained}, but there is no early stopping"
        return None

    @cached_property
    def metrics(self) -> Metrics:
        """The rows of metrics.csv; of a run that is not finished those before the first invalid one.

        What follows the last checkpoint was not synced: a power cut may have torn it.
        """
        path, names = self.path / "metrics.csv", ("epoch", *columns(self.config))
        try:
            metrics = metrics_csv.parse(self.read("metrics.csv"), names, self.record.spec.training.epochs)
        except ValueError as error:
            raise RunError(f"{path}: damaged: {error}") from None
        if metrics.problem and self.evaluation is not None:
            raise RunError(f"{path}: damaged: {metrics.problem}")
        return metrics

    def release(self) -> None:
        """Drop the cached metrics and checkpoint, which may be large; they are read again when they are needed."""
        for name in ("metrics", "checkpoint"):
            vars(self).pop(name, None)

    @property
    def status(self) -> str:
        """In words, from the lock and the files alone: running, finished, diverged or interrupted."""
        if is_locked(self.path / "lock"):
            return "running"
        if self.evaluation is not None:
            return "finished"
        if self.metrics.diverged_at is not None:
            return f"diverged at epoch {self.metrics.diverged_at}"
        return f"interrupted at epoch {self.checkpoint.state.epoch}"

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The newest checkpoint.

        Raises:
            RunError: there is none, or it is damaged.
        """
        while found := checkpoints(self.path):
            try:
                return self.read_checkpoint(found[-1])
            except RunError:
                if checkpoints(self.path) == found:  # else newer ones have taken its place meanwhile
                    raise
        raise RunError(f"{self.path}: neither finished nor with a checkpoint")

    def read_checkpoint(self, path: Path) -> Checkpoint:
        """One of its checkpoints.

        Raises:
            RunError: it is damaged, or that of another run.
        """
        data = self.read(f"checkpoints/{path.name}")
        try:
            checkpoint = unpack(data)
        except RunError as error:
            raise type(error)(f"{path}: {error}") from None
        if checkpoint.identity not in {None, self.identity}:
            raise RunError(f"{path}: the checkpoint is that of another run")
        state = checkpoint.state
        if f"{state.updates:08}.ckpt" != path.name:
            raise RunError(f"{path}: damaged: it is the checkpoint after {state.updates} updates")
        if state.epoch > self.config.training.epochs:
            raise RunError(f"{path}: damaged: it has more epochs than the config")
        return checkpoint

    def require_parameters(self) -> None:
        """Compare the parameters in run.json with the sizes of files, before arrays of their size are allocated.

        Raises:
            RunError: neither weights.npz nor a checkpoint is large enough.
        """
        needed = limits.parameter_bytes(self.config, self.record.parameters)
        if all(files.size(path) < needed for path in (self.path / "weights.npz", *checkpoints(self.path))):
            raise RunError(f"{self.path}: run.json lists {needed:,} bytes of parameters, and no file holds as many")

    def load_weights(self, parameters: Parameters) -> int:
        """Fill ``parameters`` with the run's weights; returns the epoch that they are of.

        Raises:
            RunError: the weights are damaged, or are those of another network.
        """
        if self.evaluation is None:
            checkpoint = self.checkpoint
            held = {"values": checkpoint.state.vectors.get("values", np.empty(0))}
            try:
                require_same_arrays(forms(held), forms({"values": parameters.values}))
            except ValueError as error:
                raise RunError(f"{self.path}: {error}") from None
            parameters.values[...] = held["values"]
            return checkpoint.state.epoch
        views = parameters.views(parameters.values)
        try:
            arrays = read_npz(self.read_weights(self.evaluation), forms(views))
        except ValueError as error:
            raise RunError(f"{self.path / 'weights.npz'}: damaged: {error}") from None
        for name, view in views.items():
            view[...] = arrays[name]
        return self.evaluation.epoch

    def read_weights(self, evaluation: EvaluationRecord) -> bytes:
        """The bytes of weights.npz.

        Raises:
            RunError: they are not those that the evaluation is of.
        """
        data, told = self.read("weights.npz"), evaluation.weights
        if len(data) != told.bytes or hashlib.sha256(data).hexdigest() != told.sha256:
            raise RunError(f"{self.path / 'weights.npz'}: damaged: its digest is not the one in evaluation.json")
        return data

    def read(self, name: str) -> bytes:
        """One of the run's files, named from its directory.

        Raises:
            RunError: it is missing, is no file of the run's own, or is larger than this run can have it.
        """
        return files.read(self.path, name, self._most(name))

    def _most(self, name: str) -> int:
        """How many bytes a file of this run can have."""
        if name in {"run.json", "evaluation.json"}:
            return limits.RECORD
        if name == "spec.yaml":
            return limits.SPEC
        if name == "metrics.csv":
            return metrics_bytes(self.config)
        if name == "weights.npz":
            return limits.weights_bytes(self.config, self.record.parameters)
        return limits.checkpoint_bytes(self.config, self.record.parameters)

    def _record(self, name: str, model: type[Known]) -> Known:
        try:
            return parsed(unsealed(self.read(name)), model)
        except UnsupportedVersionError as error:
            raise UnsupportedVersionError(f"{self.path / name}: {error}") from None
        except ValueError as error:
            raise RunError(f"{self.path / name}: damaged: {error}") from None


def is_run(path: Path) -> bool:
    """Whether a directory is a run's, a damaged one's too: run.json is there, or two others of its files are.

    Raises:
        StorageError: the system refuses to say.
    """
    others = ("spec.yaml", "metrics.csv", "checkpoints", "weights.npz", "evaluation.json")
    return files.is_there(path / "run.json") or sum(files.is_there(path / name) for name in others) > 1


def data_matches_config(plan: DataPlan, data: Mapping[str, DataRecord]) -> bool:
    """Whether data sets have as many rows, columns and classes as their sources, which is known before any is drawn."""
    schemas = [schema for name, schema in plan.schemas.items() if name == "data" or name in data]
    forms = {(schema.columns, schema.classes) for schema in schemas}
    rows = sum(schema.rows for schema in schemas)
    return forms == {(each.columns, each.classes) for each in data.values()} and rows == sum(
        each.rows for each in data.values()
    )


def _with_defaults_of_its_version(config: Config) -> Config:
    """The config of a run with the defaults of the version that wrote it, which are others today."""
    values: dict[str, Any] = {"metrics": METRICS_OF_VERSION_0_1} if config.metrics is None else {}
    if config.split_method is None and "test" in fractions(config):
        values["split_method"] = SPLIT_METHOD_OF_VERSION_0_4
    return config.model_copy(values)


def read_valid(run: Run, path: Path) -> tuple[Checkpoint, bytes]:
    """A checkpoint of a run from which it can go on, and the metrics that belong to it.

    Raises:
        RunError: it is damaged, or that of another run or version, or metrics.csv is no longer what it counts on.
    """
    checkpoint = run.read_checkpoint(path)
    if checkpoint.metrics_sha256 is None:
        raise RunError(f"{path}: was written by an nncli before 0.4, which did not keep all that is needed to go on")
    metrics = run.read("metrics.csv")[: checkpoint.metrics_bytes]
    if hashlib.sha256(metrics).hexdigest() != checkpoint.metrics_sha256:
        raise RunError(f"{path}: metrics.csv no longer begins with what the checkpoint counts on")
    return checkpoint, metrics


def latest_valid(run: Run) -> Checkpoint | None:
    """The checkpoint from which a run would go on, if there is one."""
    for path in reversed(checkpoints(run.path)):
        with suppress(RunError):
            return read_valid(run, path)[0]
    return None
