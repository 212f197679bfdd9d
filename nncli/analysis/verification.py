"""Verification of a run: checksums, consistency of its files, data, and recomputed metrics."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from nncli.analysis.evaluation import assess
from nncli.config.diagnostics import counted, path_text
from nncli.config.document import Document
from nncli.data.source import SourceError
from nncli.errors import NncliError, RunError, StorageError
from nncli.experiment.checks import NEW_RUN
from nncli.experiment.config_diff import differences, overrides_between
from nncli.experiment.defaults import resolve
from nncli.experiment.loading import checked
from nncli.experiment.metric_columns import column
from nncli.experiment.numerics import RELATIVE_ROUNDING
from nncli.experiment.sections import without_path_overrides
from nncli.nn.parameters import Array
from nncli.runner.reload import assembled, require_same_data
from nncli.runner.run_config import given_document, recorded_document
from nncli.store import safe_read as files
from nncli.store.checkpoint import checkpoints
from nncli.store.environment import described_differences, environment_differences
from nncli.store.metrics_csv import without_last_row
from nncli.store.records import CONFIG, HEALTH, SNAPSHOTS
from nncli.store.run_checkpoints import read_checkpoint, read_with_metrics
from nncli.store.run_files import GIVEN, ORIGINAL
from nncli.store.run_reader import Run
from nncli.store.run_recording import read_snapshots
from nncli.store.run_weights import read_arrays
from nncli.store.snapshots import kept

MAX_KEYS = 4  # keys of an edited config that are listed


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Args:
        subject: the file or property that was checked.
        description: what was found.
        holds: whether it is right; None if the operating system refuses to read it, or a data source cannot be opened,
            which is no fault of the run.
    """

    subject: str
    description: str
    holds: bool | None

    def to_json(self) -> dict[str, Any]:
        """The check as JSON values."""
        return {"what": self.subject, "words": self.description, "holds": self.holds}


def verify(run: Run) -> Iterator[Check]:
    """Check everything that can be checked of a run; a check that fails does not end the others.

    A check that fails for the same reason as one before it is left out: one cause is reported once.
    """
    checks: dict[str, Callable[[], str]] = {"run.json": partial(_run_json, run), **_configs(run)}
    checks["metrics.csv"] = partial(_metrics, run)
    if files.exists(run.path / "evaluation.json"):
        checks |= {"evaluation.json": partial(_evaluation_json, run), "weights.npz": partial(_weights, run)}
    with suppress(NncliError):  # which the check "run.json" reports
        checks |= {SNAPSHOTS: partial(_snapshots, run)} if run.record.has_snapshots else {}
        checks |= {HEALTH: partial(_health, run)} if run.record.has_health else {}
    with suppress(RunError):  # which the check "checkpoints" reports
        checks |= {f"checkpoints/{path.name}": partial(_checkpoint, run, path) for path in checkpoints(run.path)}
    checks["checkpoints"] = partial(_checkpoints, run)
    checks |= {"data": partial(_data, run), "evaluation": partial(_evaluation, run)}
    reported: set[str] = set()
    for subject, check in checks.items():
        try:
            yield Check(subject, check(), holds=True)
        except (StorageError, SourceError) as error:
            yield Check(subject, str(error), holds=None)
        except NncliError as error:
            if str(error) not in reported and not _was_replaced(run, subject):
                reported.add(str(error))
                yield Check(subject, str(error), holds=False)


def obstacles(run: Run, checks: Sequence[Check]) -> list[str]:
    """Why training the run again might not give the same bytes on this machine; empty if it would.

    Args:
        run: the run.
        checks: the results of ``verify``.
    """
    needed = {"run.json", CONFIG, "data"} if run.record.has_config_file else {"run.json", GIVEN, "data"}
    wrong = [f"{check.subject} is not ok" for check in checks if check.subject in needed and not check.holds]
    return wrong + described_differences(run.record)


def _was_replaced(run: Run, subject: str) -> bool:
    """Whether a checkpoint was removed because training in another process has written newer ones."""
    if not subject.startswith("checkpoints/"):
        return False
    existing = [f"checkpoints/{path.name}" for path in checkpoints(run.path)]
    return bool(existing) and subject not in existing


def _run_json(run: Run) -> str:
    parameters = sum(math.prod(each.shape) for each in run.record.parameters)
    return f"consistent: {counted(len(run.config.layers), 'layer')}, {counted(parameters, 'parameter')}"


def _configs(run: Run) -> dict[str, Callable[[], str]]:
    """The checks of the files with the config of the run."""
    try:
        has_config_file = run.record.has_config_file
    except NncliError:  # which the check "run.json" reports
        return {}
    if not has_config_file:
        return {GIVEN: partial(_given_config, run, run.path / GIVEN)}
    return {CONFIG: partial(_trained_config, run), ORIGINAL: partial(_given_config, run, run.path / ORIGINAL)}


def _trained_config(run: Run) -> str:
    """config.yaml has the values of run.json."""
    if not files.exists(run.path / CONFIG):
        used = "; commands use config.original.yaml with the recorded overrides"
        raise RunError(f"{run.path / CONFIG}: missing{used if files.exists(run.path / ORIGINAL) else ''}")
    if _changes(run, recorded_document(run)):
        raise RunError(f"{run.path / CONFIG}: epochs or log_every differ from run.json")
    return "matches run.json"


def _given_config(run: Run, path: Path) -> str:
    """The config that was given has the values of run.json if the recorded overrides are applied to it."""
    if _changes(run, given_document(run)):
        raise RunError(f"{path}: with its overrides, epochs or log_every differ from run.json")
    overrides = len(without_path_overrides(run.record.overrides, run.config))
    return "matches run.json" + (f" (with {counted(overrides, 'override')})" if overrides else "")


def _changes(run: Run, document: Document) -> list[str]:
    """The overrides that give a config the values of the run, none of which it may state otherwise except for epochs.

    Raises:
        ConfigError: the config is not valid.
        RunError: it states other values than those of the run.
    """
    given = checked(document, {NEW_RUN}, run.checked)
    diagnostics = list(differences(document, given, run.config))
    if diagnostics:
        keys = ", ".join(f"{path_text(each.path)} ({each.location})" for each in diagnostics[:MAX_KEYS])
        more = f" and {len(diagnostics) - MAX_KEYS} more" if len(diagnostics) > MAX_KEYS else ""
        raise RunError(f"not what the run was trained with: {keys}{more}")
    config = given.config.model_copy({"split_method": given.config.split_method or run.config.split_method})
    return overrides_between(resolve(config, given.plan), run.config)


def _metrics(run: Run) -> str:
    return counted(len(run.metrics), "row")


def _snapshots(run: Run) -> str:
    """All snapshots of a finished run are there, and that of the final epoch is what weights.npz has."""
    path, evaluation = run.path / SNAPSHOTS, run.evaluation
    if evaluation is None and not files.exists(path):
        return "not written yet"
    weights = read_snapshots(run)
    if evaluation is not None:
        logged = run.metrics.column("epoch").astype(int).tolist()
        _require_epochs(path, set(weights), kept(logged, run.config.training.snapshots or 0))
        is_same = True
        with suppress(NncliError):  # which the check "weights.npz" reports
            final = read_arrays(run, evaluation)
            is_same = evaluation.epoch not in weights or _are_same(weights[evaluation.epoch], final)
        if not is_same:
            raise RunError(f"{path}: the weights of epoch {evaluation.epoch} are not those in weights.npz")
    return f"{counted(len(weights), 'snapshot')}, epochs {min(weights)} to {max(weights)}"


def _are_same(one: Mapping[str, Array], other: Mapping[str, Array]) -> bool:
    return all(array.tobytes() == other[name].tobytes() for name, array in one.items())


def _health(run: Run) -> str:
    """A finished run has a row for each logged epoch."""
    if run.evaluation is not None:
        logged = run.metrics.column("epoch").astype(int).tolist()
        _require_epochs(run.path / HEALTH, set(run.health.epochs.tolist()), logged)
    return counted(len(run.health.epochs), "row")


def _require_epochs(path: Path, found: set[int], expected: Sequence[int]) -> None:
    """Require that a file has the epochs that training records."""
    missing = [epoch for epoch in expected if epoch not in found]
    if missing:
        lost = f"{counted(len(missing), 'logged epoch')} from epoch {missing[0]} on"
        raise RunError(f"{path}: lacks {lost}; training has lost the file before it was resumed")
    if len(found) > len(expected):
        raise RunError(f"{path}: has epochs that training does not record, such as {min(found - set(expected))}")


def _checkpoints(run: Run) -> str:
    """There is a checkpoint; the last one of a finished run is that of the end of training, with all metrics.

    If the number of epochs was raised but this was not committed, the resumed training will write the last row again.
    """
    paths = checkpoints(run.path)
    if not paths:
        raise RunError(f"{run.path}: has no checkpoint")
    count = counted(len(paths), "checkpoint")
    if run.evaluation is None:
        return "; ".join(filter(None, (count, run.missing_evaluation)))
    last, metrics = read_checkpoint(run, paths[-1]), run.read("metrics.csv")
    state = last.state
    has_all_rows = state.is_logged or last.metrics_sha256 is None  # nncli before 0.4 did not record it
    covered = metrics if has_all_rows else without_last_row(metrics)
    if state.epoch != run.evaluation.epochs_trained or last.metrics_bytes != len(covered):
        raise RunError(f"{paths[-1]}: is not the checkpoint of the end of training, or metrics.csv has other rows")
    best = state.epoch if state.best_epoch is None else state.best_epoch
    if run.evaluation.epoch != best:
        raise RunError(f"{paths[-1]}: its best epoch is {best}, but that in evaluation.json is {run.evaluation.epoch}")
    return f"{count}, the last is final"


def _checkpoint(run: Run, path: Path) -> str:
    if read_checkpoint(run, path).metrics_sha256 is None:
        return "intact (SHA-256 ok), but written by nncli before 0.4, so it cannot be resumed"
    try:
        checkpoint, metrics = read_with_metrics(run, path)
    except RunError:
        if not _is_superseded(run, path):
            raise
        return "intact (SHA-256 ok), superseded when training.epochs was raised"
    state = checkpoint.state
    return f"intact (SHA-256 ok): epoch {state.epoch}, batch {state.batch}, {len(metrics):,} bytes of metrics"


def _is_superseded(run: Run, path: Path) -> bool:
    """Whether a checkpoint refers to the row of a former last epoch, which nncli before 0.5 removed."""
    training, state = run.config.training, read_checkpoint(run, path).state
    had_extra_row = state.is_logged and state.epoch % training.log_interval > 0
    return had_extra_row and state.epoch < training.epochs and path != checkpoints(run.path)[-1]


def _evaluation_json(run: Run) -> str:
    recorded = run.evaluation_record
    return f"metrics of {', '.join(recorded.splits) if recorded else 'no split'}"


def _weights(run: Run) -> str:
    if run.evaluation is None:
        return "not checked: training.epochs was raised after evaluation.json was written"
    read_arrays(run, run.evaluation)
    return f"intact (SHA-256 ok): {run.evaluation.weights.sha256[:16]}…"


def _data(run: Run) -> str:
    require_same_data(run, assembled(run, run.config))
    rows = ", ".join(f"{data.rows:,} rows of {split}" for split, data in run.record.data.items())
    return f"{rows}: same SHA-256 as recorded"


def _evaluation(run: Run) -> str:
    """The metrics of the weights, compared with the recorded ones."""
    measured = {split: each["metrics"] for split, each in assess(run)["splits"].items()}
    recorded = _recorded(run)
    if recorded is None:
        return "can be evaluated; no metrics were recorded at this point of training"
    pairs = [
        (column(split, name), value, recorded[column(split, name)])
        for split, metrics in measured.items()
        for name, value in metrics.items()
        if column(split, name) in recorded
    ]
    different = [pair for pair in pairs if pair[1] != pair[2]]
    environment = environment_differences(run.record)
    if not different:
        return f"{counted(len(pairs), 'metric')} reproduced bit for bit"
    if environment and all(math.isclose(new, old, rel_tol=RELATIVE_ROUNDING) for _, new, old in different):
        return f"{counted(len(pairs), 'metric')} reproduced except for rounding, with another {', '.join(environment)}"
    name, new, old = different[0]
    raise RunError(f"{name} is {new!r}, but {old!r} was recorded")


def _recorded(run: Run) -> dict[str, float] | None:
    """The recorded metrics of the weights: the final ones, or those of the newest checkpoint if it was logged."""
    if run.evaluation is not None:
        splits = run.evaluation.splits
        return {column(split, name): value for split, metrics in splits.items() for name, value in metrics.items()}
    state = run.checkpoint.state
    return run.metrics.row_of(state.epoch) if state.is_logged and state.batch == 0 else None
