"""Predictions out of fold: for each row of the data, that of the run which had the row in its validation fold."""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from nncli.analysis.evaluation import restored
from nncli.data.table import Table
from nncli.errors import RunError
from nncli.experiment.data_plan import open_data
from nncli.experiment.preparation import part_indices
from nncli.experiment.rng import Purpose, rngs
from nncli.experiment.sections import validation_fold
from nncli.nn.metrics.classification import decision_threshold, predicted_classes
from nncli.nn.parameters import Array
from nncli.report.trained_run import probabilities
from nncli.store.atomic_write import write_atomic
from nncli.store.group_files import OUT_OF_FOLD, GroupRecord, read_group, trial_paths
from nncli.store.run_reader import Run
from nncli.training.evaluate import examples, predict

VALIDATION = "validation"


class TrialNumbers(NamedTuple):
    """The indices of the point and of the seed of a trial, and its fold."""

    point: int
    seed: int
    fold: int


class Rows(NamedTuple):
    """The validation rows of a run with its predictions.

    Args:
        numbers: those of the trial.
        rows: the indices (N,) of the rows in the data.
        lines: the lines of the file where they begin; None if the data is no table.
        names: the names of the columns of ``values``.
        values: the values of targets and predictions, row by row.
    """

    numbers: TrialNumbers
    rows: Array
    lines: list[int] | None
    names: list[str]
    values: list[tuple[Any, ...]]


def write_out_of_fold(group: Path) -> Path | None:
    """Write out_of_fold.csv of a group of folds, and return its path; None if no run with a fold is finished.

    For each point and seed, the file has a line for each row of the data that is in the validation fold of a finished
    run, in the order of the data: the index of the point if a key varies, the seed if there are several, the number of
    the row from 1, its line in the file of a table, the fold, the target, and the prediction of that run with the
    probability of each class. Rows of trials that have failed, diverged or not ended are missing.

    Raises:
        DivergedError, RunError, SourceError, StorageError: a file of the group cannot be read, a run cannot be
            evaluated again, or the file cannot be written.
    """
    record = read_group(group)
    if record.folds is None:
        return None
    runs = [Run(path) for path in trial_paths(group)]
    found = [
        _predicted(run, numbers_of(record, int(run.path.name))) for run in runs if run.evaluation and _has_fold(run)
    ]
    if not found:
        return None
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(_table(record, found))
    write_atomic(group / OUT_OF_FOLD, text.getvalue().encode())
    return group / OUT_OF_FOLD


def numbers_of(record: GroupRecord, trial: int) -> TrialNumbers:
    """The numbers of the point, the seed and the fold of a trial, which follow from its own number."""
    point, replicate = divmod(trial, record.replicates)
    return TrialNumbers(point, *divmod(replicate, record.folds or 1))


def _has_fold(run: Run) -> bool:
    return validation_fold(run.config) is not None


def _predicted(run: Run, numbers: TrialNumbers) -> Rows:
    """The validation rows of a run, with their targets and predictions.

    Raises:
        RunError: the data differs from that of the training.
    """
    config, plan = run.config, open_data(run.config)
    experiment, _ = restored(run, config, (VALIDATION,), plan)
    streams, class_names = rngs(config), plan.schema.class_names
    drawn = plan.sources["data"].draw(streams.of(Purpose.TRAINING))
    indices = part_indices(config, drawn, streams, class_names)[VALIDATION]
    if drawn.targets[indices].tobytes() != experiment.data[VALIDATION].targets.tobytes():
        raise RunError(f"{run.path}: the rows of the validation fold are not those of the training")
    rows = examples(experiment.data[VALIDATION], experiment.network)
    outputs = predict(experiment.network, rows)
    threshold = decision_threshold(experiment.metrics.values())
    names, columns = (
        _of_classes(outputs, rows.targets, class_names, threshold)
        if class_names
        else _of_values(rows.in_target_units(outputs), rows.targets, plan.schema.targets)
    )
    lines = [drawn.inputs.line(row) for row in indices.tolist()] if isinstance(drawn.inputs, Table) else None
    return Rows(numbers, indices, lines, names, list(zip(*columns, strict=True)))


def _of_classes(
    outputs: Array, targets: Array, class_names: Sequence[str], threshold: float
) -> tuple[list[str], list[list[Any]]]:
    """The columns of a classification: names of classes, and the probability of each."""
    labels = predicted_classes(outputs, threshold)
    columns: list[list[Any]] = [[class_names[label] for label in each.tolist()] for each in (targets, labels)]
    each = [f"probability_{name}" for name in class_names]
    return ["target", "prediction", *each], [*columns, *probabilities(outputs).T.tolist()]


def _of_values(values: Array, targets: Array, names: Sequence[str]) -> tuple[list[str], list[list[Any]]]:
    """The columns of a regression, in the unit of the targets."""
    ends = [""] if len(names) == 1 else [f"_{name}" for name in names]
    heads = [f"{kind}{end}" for kind in ("target", "prediction") for end in ends]
    return heads, [*targets.T.tolist(), *values.T.tolist()]


def _table(record: GroupRecord, found: Sequence[Rows]) -> Iterator[list[Any]]:
    """The header, and the lines of each point and seed in the order of the data."""
    has_points = bool(record.axes)
    has_seeds, has_lines = len(record.seeds) > 1, found[0].lines is not None
    first = [*(["point"] * has_points), *(["seed"] * has_seeds), "row", *(["line"] * has_lines), "fold"]
    yield [*first, *found[0].names]
    for (point, seed), group in groupby(found, key=lambda each: each.numbers[:2]):
        before = [*([point] * has_points), *([record.seeds[seed]] if has_seeds else [])]
        of_group = [
            (row, each.lines[index] if each.lines else 0, each.numbers.fold, each.values[index])
            for each in group
            for index, row in enumerate(each.rows.tolist())
        ]
        for row, line, fold, values in sorted(of_group, key=lambda each: each[0]):
            yield [*before, row + 1, *([line] * has_lines), fold, *values]
