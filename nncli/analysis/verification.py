"""A run held against all that it says of itself: digests, positions, data, and what its weights are worth."""

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nncli.analysis.evaluation import assess
from nncli.config.diagnostics import format_diagnostics
from nncli.errors import NncliError, RunError, StorageError
from nncli.experiment.checks import NEW_RUN
from nncli.experiment.config_diff import differences
from nncli.experiment.defaults import resolve
from nncli.experiment.loading import checked, parse
from nncli.experiment.metric_columns import column
from nncli.experiment.numerics import RELATIVE_ROUNDING
from nncli.runner.reload import assembled, require_same_data
from nncli.store import safe_read as files
from nncli.store.checkpoint import checkpoints
from nncli.store.environment import environment_differences
from nncli.store.metrics_csv import without_last_row
from nncli.store.run_reader import Run, read_valid
from nncli.train.early_stopping import has_ended


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: ``what``, ``words`` on what was found, and whether that is right.

    ``holds`` is None where the system refuses to read it, which says nothing about the run.
    """

    what: str
    words: str
    holds: bool | None


def verify(run: Run) -> Iterator[Check]:
    """Everything that can be checked of a run, part by part; a part that cannot be read fails, and ends nothing."""
    parts: dict[str, Callable[[], str]] = {"run.json": partial(_description, run), "spec.yaml": partial(_spec, run)}
    parts["metrics.csv"] = partial(_metrics, run)
    parts["checkpoints"] = partial(_checkpoints, run)
    with suppress(RunError):  # which the part "checkpoints" reports
        parts |= {f"checkpoints/{path.name}": partial(_checkpoint, run, path) for path in checkpoints(run.path)}
    if files.is_there(run.path / "evaluation.json"):
        parts["weights.npz"] = partial(_weights, run)
    parts |= {"data": partial(_data, run), "evaluation": partial(_evaluation, run)}
    for what, look in parts.items():
        try:
            yield Check(what, look(), holds=True)
        except StorageError as error:
            yield Check(what, str(error), holds=None)
        except NncliError as error:
            if not _is_replaced(run, what):
                yield Check(what, str(error), holds=False)


def _is_replaced(run: Run, what: str) -> bool:
    """Whether a checkpoint has gone because newer ones have come, from somebody who trains in the run."""
    if not what.startswith("checkpoints/"):
        return False
    there = [f"checkpoints/{path.name}" for path in checkpoints(run.path)]
    return bool(there) and what not in there


def _description(run: Run) -> str:
    numbers = sum(math.prod(each.shape) for each in run.record.parameters)
    return f"fits together, {len(run.config.layers)} layers, {numbers:,} numbers"


def _spec(run: Run) -> str:
    document = parse(str(run.path / "spec.yaml"), run.read("spec.yaml"), tuple(run.record.overrides))
    given = checked(document, {NEW_RUN}, run.checked)
    diagnostics = list(differences(document, given, run.config))
    if diagnostics:
        raise RunError(format_diagnostics(diagnostics))
    config = given.config.model_copy({"split_method": given.config.split_method or run.config.split_method})
    if resolve(config, given.plan) != run.config:
        raise RunError(f"{run.path / 'spec.yaml'}: with its overrides it is trained longer, or measured at other times")
    return "says what was trained"


def _metrics(run: Run) -> str:
    return f"{len(run.metrics)} rows"


def _checkpoints(run: Run) -> str:
    """There are some; in a finished run the last one is that of its end, with all metrics.

    A raise of the number of epochs that was not committed leaves the last row for the resumed training to write.
    """
    found = checkpoints(run.path)
    if not found:
        raise RunError(f"{run.path}: has no checkpoint")
    if run.evaluation is None:
        missing = f"; training is complete, and 'nncli train --resume {run.path}' writes the missing evaluation.json"
        return f"{len(found)} of them{missing if _is_complete(run) else ''}"
    last, metrics = run.read_checkpoint(found[-1]), run.read("metrics.csv")
    end = last.state
    has_all = end.is_logged or last.metrics_sha256 is None  # which nncli before 0.4 did not record
    counted = metrics if has_all else without_last_row(metrics)
    if end.epoch != run.evaluation.epochs_trained or last.metrics_bytes != len(counted):
        raise RunError(f"{found[-1]}: is not of the end of the run, with all of metrics.csv")
    best = end.epoch if end.best_epoch is None else end.best_epoch
    if run.evaluation.epoch != best:
        raise RunError(f"{found[-1]}: its best epoch is {best}, and evaluation.json has {run.evaluation.epoch}")
    return f"{len(found)} of them, the last one of the end"


def _checkpoint(run: Run, path: Path) -> str:
    if run.read_checkpoint(path).metrics_sha256 is None:
        return "whole; of an nncli before 0.4, it cannot be resumed"
    try:
        checkpoint, metrics = read_valid(run, path)
    except RunError:
        if not _is_superseded(run, path):
            raise
        return "whole; superseded when training.epochs was raised"
    state = checkpoint.state
    return f"whole, epoch {state.epoch}, batch {state.batch}, {len(metrics):,} bytes of metrics"


def _is_superseded(run: Run, path: Path) -> bool:
    """Whether a checkpoint counts on the row of a former last epoch, which nncli before 0.5 removed under it."""
    training, state = run.config.training, run.read_checkpoint(path).state
    had_extra_row = state.is_logged and state.epoch % training.log_interval > 0
    return had_extra_row and state.epoch < training.epochs and path != checkpoints(run.path)[-1]


def _weights(run: Run) -> str:
    if run.evaluation is None:
        return "not looked at: training.epochs was raised since evaluation.json was written"
    run.load_weights(assembled(run, run.config).network.parameters)
    return f"whole, sha256 {run.evaluation.weights.sha256[:16]}…"


def _data(run: Run) -> str:
    require_same_data(run, assembled(run, run.config))
    return ", ".join(f"{data.rows:,} rows of {name}" for name, data in run.record.data.items()) + ", as recorded"


def _evaluation(run: Run) -> str:
    """What the weights are worth, held against what was recorded of them."""
    measured = {name: part["metrics"] for name, part in assess(run)["splits"].items()}
    recorded = _recorded(run)
    if recorded is None:
        return "can be measured; nothing was recorded at this moment of training"
    pairs = [
        (column(split, name), value, recorded[column(split, name)])
        for split, metrics in measured.items()
        for name, value in metrics.items()
        if column(split, name) in recorded
    ]
    off = [pair for pair in pairs if pair[1] != pair[2]]
    others = environment_differences(run.record)
    if not off:
        return f"{len(pairs)} metrics, equal to the last bit"
    if others and all(math.isclose(now, before, rel_tol=RELATIVE_ROUNDING) for _, now, before in off):
        return f"{len(pairs)} metrics, equal but for rounding, with another {', '.join(others)}"
    name, now, before = off[0]
    raise RunError(f"{name} is {now!r} now, {before!r} was recorded")


def _is_complete(run: Run) -> bool:
    """Whether the newest checkpoint is that of the end of training."""
    state = run.checkpoint.state
    return state.is_logged and has_ended(run.config.training, state.epoch, state.best_epoch)


def _recorded(run: Run) -> dict[str, float] | None:
    """The metrics of the weights that are measured: of the end, or of the newest checkpoint where it has a row."""
    if run.evaluation is not None:
        splits = run.evaluation.splits
        return {column(split, name): value for split, metrics in splits.items() for name, value in metrics.items()}
    state = run.checkpoint.state
    return run.metrics.row_of(state.epoch) if state.is_logged and state.batch == 0 else None
