"""Resume a run from its newest valid checkpoint, bit-identical to an uninterrupted run: a plan, then its execution."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from nncli.config.model import Config
from nncli.errors import ConfigError, RunError, UnsupportedVersionError
from nncli.experiment.config_diff import raising_overrides
from nncli.experiment.loading import with_overrides
from nncli.runner.compute_threads import compute_threads
from nncli.runner.reload import assembled, require_same_data
from nncli.runner.run_config import resolve_config, trained_content
from nncli.runner.train import Observer, Result, ignore, run_to_end, unobserved
from nncli.store import atomic_write as storage
from nncli.store import run_weights
from nncli.store.checkpoint import checkpoints
from nncli.store.environment import environment_differences
from nncli.store.lock import Lock
from nncli.store.metrics_csv import logged_epochs, without_last_row
from nncli.store.recording import Recorded, read_recorded
from nncli.store.records import CONFIG, HEALTH, EvaluationRecord, to_json
from nncli.store.run_checkpoints import read_valid
from nncli.store.run_reader import Run
from nncli.store.run_writer import RunWriter, write_checkpoint
from nncli.store.safe_read import storage_errors
from nncli.training.early_stopping import has_ended
from nncli.training.loop import Trainer, never


class Finished(NamedTuple):
    """A run with nothing left to train, and why, as a message."""

    evaluation: EvaluationRecord
    message: str


class ResumePlan(NamedTuple):
    """What resuming a run will change, in the order of ``execute``.

    Args:
        run: the run.
        trainer: the training, restored from the newest valid checkpoint.
        damaged: the newer checkpoints and recorded files that are damaged, which are quarantined.
        raises_epochs: whether run.json gets more epochs.
        config: the new content of config.yaml, with more epochs; None if it stays as it is.
        drops_row: whether the last row of metrics is removed, since it was logged only as that of a former last epoch.
        metrics: the beginning of metrics.csv that is kept.
        recorded: what is kept of snapshots.npz and health.csv; None if the run has neither.
        is_linked: whether metrics.csv shares its data with a copy of the run made of hard links.
        messages: what the user should know, one sentence each.
    """

    run: Run
    trainer: Trainer
    damaged: tuple[Path, ...]
    raises_epochs: bool
    config: bytes | None
    drops_row: bool
    metrics: bytes
    recorded: Recorded | None
    is_linked: bool
    messages: tuple[str, ...]


def resume(
    path: Path,
    overrides: tuple[str, ...] = (),
    *,
    config: Path | None = None,
    observer: Observer = unobserved,
    stop: Callable[[], bool] = never,
    report: Callable[[str], object] = ignore,
) -> Result:
    """Resume a run, or report that it is finished.

    Args:
        path: the run directory.
        overrides: values replaced in the config; only ``training.epochs`` may change, and only grow.
        config: a config that must equal the run's, except for more epochs.
        observer: called when training begins.
        stop: polled after each batch; if it returns True, training ends after a checkpoint.
        report: called with each message for the user, before training begins.

    Raises:
        BusyError: the run is being trained.
        ConfigError: the config differs in more than a higher number of epochs.
        DivergedError: a value became NaN or infinite.
        RunError: the run is missing or damaged, no checkpoint is valid, or the data differs.
        StorageError: a file cannot be read or written.
        WorkerError: a process among which steps are divided has ended, such as by a signal.
    """
    run, lock = Run(path), Lock(path / "lock")
    try:
        plan = plan_resume(run, config, overrides, stop)
        return resume_as_planned(plan, run, lock, observer, report)
    finally:
        lock.release()


def resume_as_planned(
    plan: ResumePlan | Finished, run: Run, lock: Lock, observer: Observer, report: Callable[[str], object] = ignore
) -> Result:
    """Execute a plan and train to the end; ``report`` is called with each message for the user.

    Raises:
        BusyError, DivergedError, StorageError: as for ``resume``.
    """
    if isinstance(plan, Finished):
        report(plan.message)
        return Result(run.path, plan.evaluation, f"epoch {plan.evaluation.epochs_trained}")
    with compute_threads(plan.trainer.settings.threads), execute(plan, lock) as writer:
        for message in plan.messages:
            report(message)
        return run_to_end(writer, observer)


def plan_resume(
    run: Run, config: Path | None = None, overrides: tuple[str, ...] = (), stop: Callable[[], bool] = never
) -> ResumePlan | Finished:
    """Decide how to resume a run whose lock is held; nothing is written.

    Args:
        run: the run.
        config: a config that must equal the run's, except for more epochs; None for the run's own.
        overrides: values replaced in it.
        stop: polled by the training after each batch.

    Raises:
        ConfigError: the config differs in other keys; each one is listed.
        RunError: no checkpoint is valid, or the data is not what the run was trained on.
        UnsupportedVersionError: the run was made by a newer version.
    """
    resolved = resolve_config(run, config, overrides)
    evaluation, messages = _evaluation(run)
    if evaluation and _is_finished(run.config, resolved.training.epochs, evaluation):
        return Finished(evaluation, f"{run.path}: {_why_finished(evaluation, resolved)}")
    trainer = Trainer(assembled(run, resolved), stop)
    require_same_data(run, trainer.experiment)
    damaged, metrics = _restore_newest(run, trainer)
    drops_row = trainer.drop_extra_row()
    with storage_errors(run.path / "metrics.csv"):
        is_linked = (run.path / "metrics.csv").stat().st_nlink > 1
    kept = without_last_row(metrics) if drops_row else metrics
    recorded = read_recorded(run, trainer, logged_epochs(kept))
    skipped = [f"{reason}; skipped, and renamed to {path.name}.damaged" for path, reason in damaged.items()]
    return ResumePlan(
        run=run,
        trainer=trainer,
        damaged=(*damaged, *(recorded.damaged if recorded else ())),
        raises_epochs=resolved.training.epochs > run.config.training.epochs,
        config=_config_to_write(run, resolved.training.epochs),
        drops_row=drops_row,
        metrics=kept,
        recorded=recorded,
        is_linked=is_linked,
        messages=(
            *messages,
            *skipped,
            *(recorded.messages if recorded else ()),
            _resumed(run, trainer),
            *_rounding(run),
        ),
    )


def execute(plan: ResumePlan, lock: Lock) -> RunWriter:
    """Bring the run directory to the state in which training continues; a crash after any write leaves a valid run.

    The checkpoint is written first, which proves that the disk has room for it. Writing run.json commits the raised
    number of epochs: before it, the run is as finished as it was; after it, the run can be resumed, which writes
    config.yaml if that is behind. metrics.csv is truncated last, by the RunWriter, once the checkpoint on disk depends
    on the shorter file.

    Raises:
        StorageError: a write failed.
    """
    run, trainer, metrics = plan.run, plan.trainer, plan.metrics
    for path in plan.damaged:
        storage.quarantine(path)
    if plan.raises_epochs or plan.drops_row:
        digest = hashlib.sha256(metrics).hexdigest()
        write_checkpoint(run.path, trainer.state(), run.identity, len(metrics), digest)
    if plan.raises_epochs:
        _commit_epochs(run, trainer.settings.epochs)
    if plan.config is not None:
        storage.write_atomic(run.path / CONFIG, plan.config)
    if plan.is_linked:  # so that the copy does not change
        storage.write_atomic(run.path / "metrics.csv", metrics)
    for directory in (run.path, run.path / "checkpoints"):
        storage.remove_orphans(directory)
    if plan.recorded:
        storage.write_atomic(run.path / HEALTH, plan.recorded.health)
    return RunWriter(run.path, lock, trainer, run.identity, metrics, plan.recorded)


def _evaluation(run: Run) -> tuple[EvaluationRecord | None, list[str]]:
    """The evaluation of a finished run, if it and the weights are valid, with a message if they are damaged."""
    try:
        if run.evaluation is not None:
            run_weights.read_weights(run, run.evaluation)
    except UnsupportedVersionError:
        raise
    except RunError as error:
        return None, [f"{str(error).partition('; ')[0]}; it is written again"]
    return run.evaluation, []


def _is_finished(config: Config, epochs: int, evaluation: EvaluationRecord) -> bool:
    """Whether nothing is left to train until this number of epochs; a run that stopped early stays finished."""
    return evaluation.epochs_trained == epochs or _stopped_early(config, evaluation)


def _stopped_early(config: Config, evaluation: EvaluationRecord) -> bool:
    """Whether early stopping has ended the training, perhaps at its last epoch, so that more epochs change nothing."""
    trained = evaluation.epochs_trained
    return has_ended(config.training.model_copy({"epochs": trained + 1}), trained, evaluation.epoch)


def _why_finished(evaluation: EvaluationRecord, config: Config) -> str:
    trained = evaluation.epochs_trained
    if _stopped_early(config, evaluation):
        return f"already finished: stopped early at epoch {trained}, which more epochs do not change"
    more = f"to continue, set a larger number, such as training.epochs={2 * trained}"
    return f"already finished ({trained} epochs); {more}"


def _restore_newest(run: Run, trainer: Trainer) -> tuple[dict[Path, str], bytes]:
    """Restore the newest valid checkpoint; return the newer ones with what is wrong, and the metrics that it keeps.

    Raises:
        RunError: none is valid.
        UnsupportedVersionError: one was written by a newer version.
    """
    damaged: dict[Path, str] = {}
    for path in reversed(checkpoints(run.path)):
        try:
            checkpoint, metrics = read_valid(run, path)
            trainer.restore(checkpoint.state)
        except UnsupportedVersionError:
            raise
        except RunError as error:
            damaged[path] = str(error)
        except ValueError as error:
            damaged[path] = f"{path}: {error}"
        else:
            return damaged, metrics
    message = f"{run.path}: no valid checkpoint to resume from; train it again: nncli train {quote(str(run.path))}"
    raise RunError("\n".join([message, *dict.fromkeys(damaged.values())]), run.path)


def _resumed(run: Run, trainer: Trainer) -> str:
    """Where training resumes, and how many epochs it has now if they were raised."""
    recorded, epochs = run.config.training.epochs, trainer.settings.epochs
    text = f"{run.path}: resumed at {trainer.state().progress}"
    if epochs == recorded:
        return text
    schedule = "; the schedule still ends at its former last update" if run.config.schedule else ""
    return f"{text}; epochs raised from {recorded} to {epochs}{schedule}"


def _rounding(run: Run) -> list[str]:
    """A warning if results may be rounded differently than at the start of the run."""
    changed = ", ".join(environment_differences(run.record))
    if not changed:
        return []
    text = "results may differ in the last bits from an uninterrupted run"
    return [f"{run.path}: {text}: other {changed} than at its start"]


def _config_to_write(run: Run, epochs: int) -> bytes | None:
    """The content of config.yaml with the raised number of epochs; None if it stays, or the run has no such file."""
    if not run.record.has_config_file:
        return None
    if epochs > run.config.training.epochs:
        return with_overrides(trained_content(run), tuple(raising_overrides(run.config, epochs)))
    with suppress(ConfigError, RunError):  # resuming needs no config.yaml
        content = trained_content(run)
        return content if content != run.read(CONFIG) else None
    return None


def _commit_epochs(run: Run, epochs: int) -> None:
    """Record the raised number of epochs in run.json, then remove evaluation.json, which belongs to fewer epochs."""
    record = run.raw_record
    record["spec"]["training"]["epochs"] = epochs
    raised = raising_overrides(run.config, epochs)
    keys = {override.partition("=")[0] for override in raised}
    unchanged = [override for override in record["overrides"] if override.partition("=")[0] not in keys]
    record["overrides"] = unchanged + raised
    storage.write_atomic(run.path / "run.json", to_json(record))
    storage.remove(run.path / "evaluation.json", durable=True)
