"""How good a network is on held-out rows: confusion matrix, thresholds, calibration, residuals, largest errors."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np

from nncli.nn.parameters import Array
from nncli.report.calibration import Calibration, calibration_of
from nncli.report.confusion import Confusion, confusion_of
from nncli.report.largest_errors import ErrorRow, largest_errors
from nncli.report.page.blocks import Block, Chart, Column, Mark, Matrix, Series, Table
from nncli.report.page.overview import evaluated
from nncli.report.page.words import figure, listed
from nncli.report.residuals import Residuals, residuals_of
from nncli.report.thresholds import Thresholds, thresholds_of
from nncli.report.trained_run import TrainedRun

MAX_CLASSES = 40  # of a confusion matrix
MAX_CURVES = 10  # classes whose ROC curves are drawn together, those with the smallest areas
FEW = 4  # classes whose values a message lists
MAX_POINTS = 1000  # of a scatter plot
MAX_INPUTS = 12  # columns of a row in the table of errors


def results(trained: TrainedRun, prefix: str = "") -> list[Block]:
    """The plots and tables of the held-out split."""
    confusion, calibration = confusion_of(trained), calibration_of(trained)
    blocks: list[Block] = []
    if confusion and len(confusion.class_names) <= MAX_CLASSES:
        blocks += [_matrix(confusion), _classes(trained)]
    thresholds = thresholds_of(trained)
    if thresholds:
        blocks += [_roc(thresholds), _precision_recall(thresholds)]
        blocks += [_sweep(each) for each in thresholds if len(thresholds) == 1]
    if calibration:
        blocks += [_reliability(calibration)]
    for each in residuals_of(trained):
        blocks += [_scatter(each), _histogram(each)]
    return [*blocks, errors_table(largest_errors(trained), trained.held_out)]


def _matrix(confusion: Confusion) -> Matrix:
    """The confusion matrix, with its largest error in words."""
    counts, names = confusion.matrix, confusion.class_names
    wrong = counts - np.diag(np.diag(counts))
    actual, predicted = np.unravel_index(int(wrong.argmax()), wrong.shape)
    right = int(np.trace(counts))
    text = f"{right:,} of {int(counts.sum()):,} {confusion.split} rows are predicted correctly"
    if wrong.any():
        most = f"{int(wrong.max()):,} rows of class {names[actual]} predicted as {names[predicted]}"
        text += f"; the most frequent error: {most}"
    return Matrix("Confusion matrix", f"{text}. Rows are actual classes, columns predicted ones.", names, counts)


def _classes(trained: TrainedRun) -> Table:
    """Precision, recall and F1 of each class."""
    document = evaluated(trained, trained.held_out)
    keys = ("precision", "recall", "f1", "rows")
    rows = [[each["name"], *(each[key] for key in keys)] for each in document["classes"]]
    rows += [[f"{name} average", *(each[key] for key in keys)] for name, each in document["averages"].items()]
    scored = [each for each in document["classes"] if each["f1"] is not None]
    worst = min(scored, key=lambda each: each["f1"], default=None)
    message = f"Class {worst['name']} has the lowest F1: {figure(worst['f1'])}." if worst else ""
    columns = [Column("class"), *(Column(name, "number") for name in ("precision", "recall", "F1", "rows"))]
    return Table("Scores of the classes", message, columns, rows)


def _shown(thresholds: Sequence[Thresholds]) -> Sequence[Thresholds]:
    """The classes to draw, those with the smallest areas if there are many."""
    return sorted(thresholds, key=lambda each: each.area)[:MAX_CURVES] if len(thresholds) > MAX_CURVES else thresholds


def _of_classes(values: dict[str, float]) -> str:
    """A value of each class; of many classes the lowest and the highest one."""
    texts = {name: f"{value:.3f} (class {name})" for name, value in values.items()}
    if len(texts) <= FEW:
        return listed(list(texts.values()))
    low, high = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
    return f"{len(texts)} classes, from {texts[low]} to {texts[high]}"


def _styled(thresholds: Sequence[Thresholds]) -> Iterator[tuple[Thresholds, tuple[Literal["line"], int, int]]]:
    """The classes that are shown, each with the kind, the color and the dash of its line."""
    return ((each, ("line", index, index // 8)) for index, each in enumerate(_shown(thresholds)))


def _roc(thresholds: Sequence[Thresholds]) -> Chart:
    series = [
        Series(f"{each.class_name} (area {each.area:.3f})", each.false_positive_rate, each.true_positive_rate, *style)
        for each, style in _styled(thresholds)
    ]
    areas = _of_classes({each.class_name: each.area for each in thresholds})
    message = f"Area under the curve: {areas}. 1 is perfect, 0.5 is random guessing (dotted)."
    return Chart("ROC", message, "false positive rate", "true positive rate", series, diagonal=True, unit=True)


def _precision_recall(thresholds: Sequence[Thresholds]) -> Chart:
    series = [
        Series(f"{each.class_name} ({each.average_precision:.3f})", each.true_positive_rate, each.precision, *style)
        for each, style in _styled(thresholds)
    ]
    means = _of_classes({each.class_name: each.average_precision for each in thresholds})
    message = (
        f"Average precision: {means}. Precision: the share of rows predicted as a class that belong to it; "
        "recall: the share of rows of a class that are predicted as it."
    )
    return Chart("Precision and recall", message, "recall", "precision", series, unit=True)


def _sweep(thresholds: Thresholds) -> Chart:
    series = [
        Series(name.replace("f1", "F1"), thresholds.sweep, values, "line", index, index)
        for index, (name, values) in enumerate(thresholds.scores.items())
    ]
    f1 = thresholds.scores["f1"]
    best = int(np.argmax(f1))
    message = (
        f"F1 of class {thresholds.class_name} is highest ({f1[best]:.3f}) at threshold {thresholds.sweep[best]:.2f}."
    )
    marks = [] if thresholds.threshold is None else [Mark(thresholds.threshold, "threshold")]
    return Chart("Decision threshold", message, "threshold", "score", series, marks, unit=True)


def _reliability(calibration: Calibration) -> Chart:
    known = calibration.rows > 0
    x, y = calibration.confidence[known], calibration.accuracy[known]
    series = [Series("accuracy of the rows of a bin", x, y, "marked", 0, 0)]
    sides = float(np.sum(calibration.rows[known] * (x - y)))
    direction = "overconfident" if sides > 0 else "underconfident"
    message = (
        f"Expected calibration error {calibration.error:.3f}: on average the network is {direction}. "
        "On the dotted line, confidence equals accuracy."
    )
    return Chart("Calibration", message, "confidence", "accuracy", series, diagonal=True, unit=True)


def _thinned(*arrays: Array) -> Iterator[Array]:
    """Arrays of rows; of many rows, those at equal distances."""
    step = max(1, -(-len(arrays[0]) // MAX_POINTS))
    return (each[::step] for each in arrays)


def _scatter(residuals: Residuals) -> Chart:
    targets, predictions = _thinned(residuals.targets, residuals.predictions)
    series = [Series(f"{residuals.split} rows", targets, predictions, "points", 0, 0)]
    spread = f"The predictions are wrong by {figure(residuals.deviation)} (standard deviation)"
    message = f"{spread}; on the dotted line they are exact."
    return Chart(
        f"Predictions of {residuals.target}", message, f"actual {residuals.target}", "predicted", series, diagonal=True
    )


def _histogram(residuals: Residuals) -> Chart:
    series = [Series("rows", residuals.edges, residuals.counts, "bars", 0, 0)]
    side = "too low" if residuals.mean > 0 else "too high"
    message = f"The mean residual is {figure(residuals.mean)}: predictions are {side} on average."
    return Chart(f"Residuals of {residuals.target}", message, "actual − predicted", "rows", series)


def errors_table(errors: Sequence[ErrorRow], split: str) -> Table:
    """The rows with the largest losses, with their inputs as far as they are numbers or categories."""
    named = bool(errors) and isinstance(errors[0].inputs, dict)
    names = list(errors[0].inputs)[:MAX_INPUTS] if named else []
    has_lines, has_probability = (
        any(each.line is not None for each in errors),
        any(each.probability is not None for each in errors),
    )
    columns = [
        Column("line" if has_lines else "row", "number"),
        Column("loss", "number"),
        Column("actual"),
        Column("predicted"),
        *(
            [Column("probability", "number"), Column("probability of actual class", "number")]
            if has_probability
            else []
        ),
        *(Column(name, "number") for name in names),
    ]
    rows = [_error_row(each, has_lines, has_probability, names) for each in errors]
    share = f" The first {MAX_INPUTS} columns are shown." if named and len(errors[0].inputs) > MAX_INPUTS else ""
    message = f"The {len(errors)} rows of the {split} set with the largest loss, largest first.{share}"
    return Table("Largest errors", message, columns, rows)


def _error_row(error: ErrorRow, has_lines: bool, has_probability: bool, names: Sequence[str]) -> list[Any]:
    probabilities = [error.probability, error.target_probability] if has_probability else []
    place = error.line if has_lines else error.row
    return [
        place,
        error.loss,
        _value(error.target),
        _value(error.prediction),
        *probabilities,
        *(error.inputs[name] for name in names),
    ]


def _value(value: Any) -> str:
    return ", ".join(map(figure, value)) if isinstance(value, list) else str(value)
