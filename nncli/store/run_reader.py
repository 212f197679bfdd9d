"""A run: config, metrics, evaluation, status, checkpoint and weights, read from its directory as untrusted input."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from nncli.config.diagnostics import path_text
from nncli.config.model import Config
from nncli.errors import RunError, UnsupportedVersionError
from nncli.experiment.checks import NEW_RUN, THIS_MACHINE, cross_check
from nncli.experiment.data_plan import CheckedConfig, DataPlan, open_data
from nncli.experiment.defaults import resolve
from nncli.experiment.metric_columns import METRICS_FORMAT, column, columns, is_unknown, measured_names, plausible
from nncli.experiment.sections import fractions
from nncli.nn.parameters import Array, Parameters
from nncli.nn.shapes import shapes, statistics
from nncli.registry import names
from nncli.store import metrics_csv, run_weights
from nncli.store import safe_read as files
from nncli.store.checkpoint import Checkpoint
from nncli.store.health_csv import Health
from nncli.store.lock import is_locked
from nncli.store.metrics_csv import Metrics
from nncli.store.records import HEALTH, SNAPSHOTS, DataRecord, EvaluationRecord
from nncli.store.run_checkpoints import newest_checkpoint
from nncli.store.run_files import RunFiles, how_to_write_again
from nncli.store.run_recording import load_snapshot, read_health, read_snapshots
from nncli.store.run_status import RunProgress, RunStatus, how_to_evaluate
from nncli.training.early_stopping import has_ended
from nncli.version import __version__

# The values of keys that these versions did not have, and did not record.
METRICS_OF_VERSION_0_1 = [names("metric")["accuracy"].model.model_validate({})]
SPLIT_METHOD_OF_VERSION_0_4 = "consecutive"


class Run(RunFiles):
    """One run: its config, metrics, evaluation, status, checkpoint and weights.

    Reading is lazy and cached, except for the status.
    """

    @cached_property
    def plan(self) -> DataPlan:
        """The recorded schemas of the data; if the run recorded none, its data sources are opened."""
        if not self.record.schema:
            return open_data(self.record.spec)
        rows = {name: data.rows for name, data in self.record.data.items()} if self.record.preprocessing else None
        return DataPlan(self.record.schema, rows=rows)

    @property
    def checked(self) -> CheckedConfig:
        """The resolved config with its data plan."""
        return CheckedConfig(self.config, self.plan)

    @cached_property
    def config(self) -> Config:
        """The resolved config, checked against the recorded parameters and data.

        Raises:
            RunError: it is invalid, or does not match them.
        """
        config = resolve(_with_defaults_of_its_version(self.record.spec), self.plan)
        wrong = next(cross_check(config, self.plan, {NEW_RUN, THIS_MACHINE}), None)
        if wrong:
            raise RunError(f"{self.path / 'run.json'}: damaged: config.{path_text(wrong[0])}: {wrong[1]}")
        layers, inputs = [layer.build() for layer in config.layers], self.plan.schema.columns
        implied, dtype = {**shapes(layers, inputs), **statistics(layers, inputs)}, np.dtype(config.dtype).str
        recorded = [(each.name, tuple(each.shape), each.dtype) for each in self.record.parameters]
        if recorded != [(name, shape, dtype) for name, shape in implied.items()]:
            raise RunError(f"{self.path / 'run.json'}: damaged: its parameters are not those of its config")
        if not data_matches_config(self.plan, self.record.data):
            raise RunError(f"{self.path / 'run.json'}: damaged: its data is not what its config draws")
        return config

    @property
    def fingerprints(self) -> dict[str, str]:
        """The SHA-256 of each split's data."""
        return {name: data.sha256 for name, data in self.data.items()}

    @property
    def data(self) -> dict[str, DataRecord]:
        """The description of each split's data, a test set sampled after training included."""
        return {**self.record.data, **(self.evaluation.data if self.evaluation else {})}

    @cached_property
    def evaluation(self) -> EvaluationRecord | None:
        """The content of evaluation.json; None if the run is not finished, or its number of epochs was raised since.

        Raises:
            RunError: it is damaged, or weights.npz, which is written before it, is missing.
        """
        evaluation = self.evaluation_record
        if not evaluation or not has_ended(self.record.spec.training, evaluation.epochs_trained, evaluation.epoch):
            return None
        if not files.exists(self.path / "weights.npz"):
            fix = how_to_write_again(self.path)
            raise RunError(f"{self.path / 'weights.npz'}: missing, although evaluation.json exists{fix}")
        return evaluation

    @property
    def was_finished(self) -> bool:
        """Whether training has finished, even if evaluation.json or weights.npz is damaged or missing since."""
        try:
            return self.evaluation is not None
        except RunError:
            return True

    @cached_property
    def evaluation_record(self) -> EvaluationRecord | None:
        """The content of evaluation.json, whatever the number of epochs is now; None if there is no such file.

        Raises:
            RunError: it is damaged.
        """
        if not files.exists(self.path / "evaluation.json"):
            return None
        evaluation = self.read_record("evaluation.json", EvaluationRecord)
        wrong = self._wrong_with(evaluation)
        if wrong:
            raise RunError(f"{self.path / 'evaluation.json'}: damaged: {wrong}{how_to_write_again(self.path)}")
        return evaluation

    @property
    def warnings(self) -> list[dict[str, Any]]:
        """The recorded warnings that the training learned nothing, as JSON values; none if it is not finished."""
        return self.evaluation.model_dump()["warnings"] if self.evaluation else []

    def _wrong_with(self, evaluation: EvaluationRecord) -> str | None:
        """Why an evaluation cannot belong to this run; None if it can."""
        spec = self.record.spec
        sampled_late = {"test"} if spec.test_sampled_after_training else set[str]()
        if set(evaluation.data) != sampled_late or set(evaluation.splits) != {*self.record.data, *sampled_late}:
            return "it has other splits than run.json"
        for split, metrics in evaluation.splits.items():
            if not self._can_be_measured(split, metrics):
                return f"splits.{split} has other metrics than the config, or impossible values"
        if evaluation.identity not in {None, self.identity}:
            return "it belongs to another run"
        if not evaluation.epoch <= evaluation.epochs_trained <= spec.training.epochs:
            return "it has more epochs than the config"
        if spec.training.early_stopping is None and evaluation.epoch < evaluation.epochs_trained:
            return (
                f"it has the weights of epoch {evaluation.epoch} of {evaluation.epochs_trained} without early stopping"
            )
        return None

    def _can_be_measured(self, split: str, metrics: Mapping[str, float]) -> bool:
        """Whether all metrics of the config are there with possible values; a newer version may have added others."""
        headers = {column(split, name): value for name, value in metrics.items()}
        expected = {column(split, name) for name in measured_names(self.config, split)}
        return expected <= set(headers) and all(map(is_unknown, set(headers) - expected)) and plausible(headers)

    @cached_property
    def metrics(self) -> Metrics:
        """The rows of metrics.csv; if the run is not finished, those before the first invalid one.

        Rows after the last checkpoint were not synced, and a power failure may have torn them.

        Raises:
            RunError: the file is damaged.
            UnsupportedVersionError: a newer version of nncli wrote it, without columns that this one needs.
        """
        path, version = self.path / "metrics.csv", self.record.file_format("metrics.csv")
        expected = ("epoch", *columns(self.config, version))
        try:
            metrics = metrics_csv.parse(self.read("metrics.csv"), expected, self.record.spec.training.epochs)
        except ValueError as error:
            if version > METRICS_FORMAT:
                reason = f"has format version {version}, which nncli {__version__} cannot read"
                raise UnsupportedVersionError(f"{path}: {reason}: {error}") from None
            raise RunError(f"{path}: damaged: {error}") from None
        if metrics.problem and self.evaluation is not None:
            raise RunError(f"{path}: damaged: {metrics.problem}")
        return metrics

    @cached_property
    def health(self) -> Health:
        """The rows of health.csv; if the run is not finished, those before the first invalid one.

        Raises:
            RunError, UnsupportedVersionError: as for ``read_health``; RunError also if a row is invalid.
        """
        health = read_health(self, self.plan.schema.columns)
        if health.problem and self.evaluation is not None:
            raise RunError(f"{self.path / HEALTH}: damaged: {health.problem}")
        return health

    @cached_property
    def snapshots(self) -> dict[int, dict[str, Array]]:
        """The weights by epoch and by name: those in snapshots.npz, if there are any, and the final ones.

        Raises:
            RunError, UnsupportedVersionError: as for ``read_snapshots``, and for the final weights.
        """
        is_there = self.record.has_snapshots and (self.evaluation or files.exists(self.path / SNAPSHOTS))
        weights = read_snapshots(self) if is_there else {}
        if self.evaluation:
            weights[self.evaluation.epoch] = run_weights.read_arrays(self, self.evaluation)
        return dict(sorted(weights.items()))

    @property
    def status(self) -> RunStatus:
        """Whether the run is running, finished, diverged, not evaluated or interrupted."""
        return self.progress.status

    @property
    def progress(self) -> RunProgress:
        """The status with its epoch, which follows from the lock and the files alone."""
        if is_locked(self.path / "lock"):
            return RunProgress(RunStatus.RUNNING)
        if self.evaluation is not None:
            return RunProgress(RunStatus.FINISHED)
        if self.metrics.diverged_at is not None:
            return RunProgress(RunStatus.DIVERGED, self.metrics.diverged_at)
        if self.has_ended:
            return RunProgress(RunStatus.UNEVALUATED)
        return RunProgress(RunStatus.INTERRUPTED, self.checkpoint.state.epoch)

    @property
    def missing_evaluation(self) -> str | None:
        """What to do if training is complete, but evaluation.json is missing; None in any other case."""
        if self.evaluation is not None or not self.has_ended or is_locked(self.path / "lock"):
            return None
        return how_to_evaluate(self.path)

    @property
    def has_ended(self) -> bool:
        """Whether the newest checkpoint is that of the end of training.

        Raises:
            RunError: there is no checkpoint, or it is damaged.
        """
        state = self.checkpoint.state
        return state.is_logged and has_ended(self.config.training, state.epoch, state.best_epoch)

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The newest checkpoint.

        Raises:
            RunError: there is none, or it is damaged.
        """
        return newest_checkpoint(self)

    def release(self) -> None:
        """Drop what is cached and may be large: metrics, checkpoint, snapshots; it is read again when it is needed."""
        for name in ("metrics", "checkpoint", "health", "snapshots"):
            vars(self).pop(name, None)

    def load_weights(self, parameters: Parameters, epoch: int | None = None) -> int:
        """Copy the run's weights into ``parameters``; returns the epoch that they are of.

        Args:
            parameters: those of the network.
            epoch: one of ``snapshots``; by default the final weights, or those of the newest checkpoint.

        Raises:
            CommandLineError: there are no weights of this epoch.
            RunError: the weights are damaged, or belong to another network.
        """
        if epoch is not None:
            load_snapshot(self, self.snapshots, epoch, parameters)
            return epoch
        if self.evaluation is None:
            run_weights.load_checkpoint_weights(self, self.checkpoint, parameters)
            return self.checkpoint.state.epoch
        run_weights.load_final_weights(self, self.evaluation, parameters)
        return self.evaluation.epoch


def data_matches_config(plan: DataPlan, data: Mapping[str, DataRecord]) -> bool:
    """Whether data sets have as many rows, columns and classes as their sources, which is known before any is drawn."""
    schemas = [schema for name, schema in plan.schemas.items() if name == "data" or name in data]
    forms = {(schema.columns, schema.classes) for schema in schemas}
    rows = sum(schema.rows for schema in schemas)
    return forms == {(each.columns, each.classes) for each in data.values()} and rows == sum(
        each.rows for each in data.values()
    )


def _with_defaults_of_its_version(config: Config) -> Config:
    """The config of a run with the defaults of the version that wrote it, where those of this version differ."""
    values: dict[str, Any] = {"metrics": METRICS_OF_VERSION_0_1} if config.metrics is None else {}
    if config.split_method is None and "test" in fractions(config):
        values["split_method"] = SPLIT_METHOD_OF_VERSION_0_4
    return config.model_copy(values)
