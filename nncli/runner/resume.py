"""Going on with a run, from the newest checkpoint that is whole, as if nothing had been between."""

import hashlib
from pathlib import Path
from types import TracebackType
from typing import Self

from nncli.config.diagnostics import report
from nncli.config.model import Config
from nncli.errors import ConfigError, RunError
from nncli.experiment.checks import NEW_RUN
from nncli.experiment.config_diff import differences, epoch_dependent_overrides
from nncli.experiment.loading import checked, parse, read_config_file
from nncli.runner.reload import require_same_data
from nncli.store import atomic_write as storage
from nncli.store.checkpoint import checkpoints
from nncli.store.environment import environment_differences
from nncli.store.lock import Lock
from nncli.store.metrics_csv import without_last_row
from nncli.store.records import EvaluationRecord, to_json
from nncli.store.run_checkpoints import read_valid
from nncli.store.run_reader import Run
from nncli.store.run_writer import RunWriter, progress_text, write_checkpoint
from nncli.store.safe_read import storage_errors
from nncli.train.loop import Trainer


class Resumption:
    """A run that is to go on: nobody else trains in it meanwhile, and nothing is changed before ``reopen``.

    ``told`` is what the user should know, a sentence each.

    Args:
        path: the run's directory.

    Raises:
        BusyError: another process is training in it.
        RunError: it is no run directory.
    """

    def __init__(self, path: Path) -> None:
        self.run, self.told = Run(path), list[str]()
        self._lock = Lock(path / "lock")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def resolve_config(self, path: Path | None, overrides: tuple[str, ...]) -> Config:
        """The run's config, resolved; with more epochs, where config or overrides ask for them.

        Args:
            path: a config that must equal the run's, but for more epochs; the run's own where it is None.
            overrides: values replaced in it.

        Raises:
            ConfigError: it says something else; every key that differs is listed.
        """
        if path is None and not overrides:
            return self.run.config
        if path is None:
            own = str(self.run.path / "spec.yaml")
            document = parse(own, self.run.read("spec.yaml"), (*self.run.record.overrides, *overrides))
        else:
            document = parse(str(path), read_config_file(path), overrides)
        given = checked(document, {NEW_RUN})
        diagnostics = list(differences(document, given, self.run.config))
        if diagnostics:
            raise ConfigError(report(diagnostics))
        return _with_epochs(self.run.config, given.training.epochs)

    def finished(self, config: Config) -> EvaluationRecord | None:
        """What a run was worth that has nothing left to do; None where it has, or where its end is damaged."""
        try:
            evaluation = self.run.evaluation
            if evaluation is not None:
                self.run.read_weights(evaluation)
        except RunError as error:
            self.told.append(f"{error}; it is made anew")
            return None
        if evaluation is None:
            return None
        trained, training = evaluation.epochs_trained, self.run.config.training
        was_stopped_early = training.early_stopping is not None and trained < training.epochs
        return evaluation if trained == config.training.epochs or was_stopped_early else None

    def reopen(self, training: Trainer) -> RunWriter:
        """The run's directory, with the training where its newest valid checkpoint has it.

        Damaged checkpoints are renamed, more epochs are recorded, and rows of metrics after the checkpoint are cut off.
        A raise of the number of epochs writes the checkpoint first, which proves that the disk can take it; run.json
        commits the raise: before it the run is as finished as it was, after it the run is one to be resumed. Nothing
        is cut off metrics.csv before the checkpoint on disk counts on the shorter file.

        Raises:
            RunError: no checkpoint is valid, or the data is no longer that of the run.
            StorageError: the disk refuses.
        """
        require_same_data(self.run, training.experiment)
        path, epochs = self.run.path, training.settings.epochs
        damaged, metrics = self._restored(training)
        is_raised, has_extra_row = epochs > self.run.config.training.epochs, training.drop_extra_row()
        if has_extra_row:
            metrics = without_last_row(metrics)
        for each in damaged:
            storage.quarantine(each)
        if is_raised or has_extra_row:
            write_checkpoint(path, training, self.run.identity, len(metrics), hashlib.sha256(metrics).hexdigest())
        if is_raised:
            self._commit_epochs(epochs)
        with storage_errors(path / "metrics.csv"):
            is_linked = (path / "metrics.csv").stat().st_nlink > 1
        if is_linked:  # of a copy by hard links, which stays as it is
            storage.write_atomic(path / "metrics.csv", metrics)
        for folder in (path, path / "checkpoints"):
            storage.remove_orphans(folder)
        self.told.append(f"{path}: resumed at {progress_text(training)}{self._raised(epochs)}")
        others = environment_differences(self.run.record)
        if others:
            why = f"another {', '.join(others)} than at its start"
            self.told.append(f"{path}: the last bits may differ from those of an uninterrupted run: {why}")
        return RunWriter(path, self._lock, training, self.run.identity, metrics)

    def _restored(self, training: Trainer) -> tuple[list[Path], bytes]:
        """Restore the newest checkpoint that is whole; returns those that are not, and its metrics."""
        damaged: dict[Path, str] = {}
        for path in reversed(checkpoints(self.run.path)):
            try:
                checkpoint, metrics = read_valid(self.run, path)
                training.restore(checkpoint)
            except (RunError, ValueError) as error:
                told = str(error) if isinstance(error, RunError) else f"{path}: {error}"
                damaged[path] = told
            else:
                self.told += [
                    f"{told}; it is skipped, and kept as {path.name}.damaged" for path, told in damaged.items()
                ]
                return list(damaged), metrics
        raise RunError("\n".join([f"{self.run.path}: no checkpoint is whole to go on from", *damaged.values()]))

    def _raised(self, epochs: int) -> str:
        """That there are more epochs now, in words; nothing where there are not."""
        before = self.run.config.training.epochs
        if epochs == before:
            return ""
        schedule = "; the schedule ends where it did" if self.run.config.schedule else ""
        return f"; {before} epochs become {epochs}{schedule}"

    def _commit_epochs(self, epochs: int) -> None:
        """Record the number of epochs in run.json; an evaluation of fewer epochs is void from then on, and removed."""
        record = self.run.description
        record["spec"]["training"]["epochs"] = epochs
        raised = [f"training.epochs={epochs}", *epoch_dependent_overrides(self.run.config)]
        keys = {override.partition("=")[0] for override in raised}
        kept = [override for override in record["overrides"] if override.partition("=")[0] not in keys]
        record["overrides"] = kept + raised
        storage.write_atomic(self.run.path / "run.json", to_json(record))
        storage.remove(self.run.path / "evaluation.json", durable=True)


def _with_epochs(config: Config, epochs: int) -> Config:
    return config.model_copy({"training": config.training.model_copy({"epochs": epochs})})
