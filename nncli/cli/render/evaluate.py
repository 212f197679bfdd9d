"""An evaluation in the terminal."""

from typing import Any

from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.format import figure, warning_text
from nncli.cli.render.metrics_table import print_metrics
from nncli.cli.render.table import Cell, Table
from nncli.config.diagnostics import sanitized_line

SCORES = {"precision": "precision", "recall": "recall", "f1": "F1", "rows": "support"}


def show_assessment(assessment: dict[str, Any], digits: int | None) -> None:
    """Print the metrics of each split, for a classifier its confusion matrix and scores per class, and warnings.

    Args:
        assessment: the document of the evaluation.
        digits: significant digits; all of them if None.
    """
    out, splits = Output(), assessment["splits"]
    heading = f"{assessment['run']}  ({assessment['status']}, weights of epoch {assessment['epoch']})"
    if "file" in assessment:
        heading += f" on {sanitized_line(assessment['file'])}"
    out.print(heading, soft_wrap=True, style="bold")
    out.print()
    print_metrics(out, {name: _metrics(split, digits) for name, split in splits.items()}, digits)
    out.print_text(f"\nbaseline: {_baseline_text(next(iter(splits.values())), digits)}")
    for name, split in splits.items():
        if "confusion" in split:
            _print_classes(out, name, split, digits)
    if assessment["warnings"]:
        out.print()
    for warning in assessment["warnings"]:
        out.print_text(Text(warning_text(warning), style="yellow"))


def _metrics(split: dict[str, Any], digits: int | None) -> dict[str, Any]:
    """The metrics of a split, the interval of its accuracy, and the metrics of the baseline."""
    interval = {}
    if "accuracy_interval" in split:
        interval["accuracy, 95% interval"] = "–".join(figure(end, digits and 3) for end in split["accuracy_interval"])
    baseline = {f"baseline {name}": value for name, value in split["baseline"]["metrics"].items()}
    return {**split["metrics"], **interval, **baseline}


def _baseline_text(split: dict[str, Any], digits: int | None) -> str:
    """What the baseline predicts for every row."""
    baseline = split["baseline"]
    if "class" in baseline:
        name = sanitized_line(split["classes"][baseline["class"]]["name"])
        return f"class {name} for every row, the most frequent one in the training set"
    return (
        f"{', '.join(figure(value, digits) for value in baseline['mean'])} for every row, the mean in the training set"
    )


def _print_classes(out: Output, name: str, split: dict[str, Any], digits: int | None) -> None:
    """The confusion matrix with the scores of each class beside it, below it, or alone, as the width allows."""
    scores = _classes_table(split, digits, with_counts=False)
    counts = _classes_table(split, digits, with_scores=False)
    both = _classes_table(split, digits)
    tables = [both] if both.fits(out) else [counts, scores] if counts.fits(out) else [scores]
    names = [sanitized_line(each["name"]) for each in split["classes"]]
    threshold = f", class {names[1]} if the output is above {split['threshold']:g}" if "threshold" in split else ""
    missing = "the confusion matrix does not fit: widen the terminal, or use --json"
    heading = missing if tables == [scores] else "confusion matrix (rows: actual, columns: predicted)"
    out.print_text(f"\n{name}, {split['rows']} rows{threshold}: {heading}")
    for index, table in enumerate(tables):
        if index:
            out.print()
        table.print(out)


def _classes_table(
    split: dict[str, Any], digits: int | None, with_counts: bool = True, with_scores: bool = True
) -> Table:
    """One row per class, with the row of the confusion matrix, the scores and their averages, or both."""
    scores = SCORES if with_scores else {}
    columns = range(len(split["confusion"]) if with_counts else 0)
    names = [each["name"] for each in split["classes"]]
    table = Table("class", *(names[column] for column in columns), *scores.values(), digits=digits)
    for actual, (row, rates) in enumerate(zip(split["confusion"], split["classes"], strict=True)):
        counts = [Cell(row[predicted], "bold" if actual == predicted else "") for predicted in columns]
        table.add_row(names[actual], *counts, *(rates[name] for name in scores))
    if with_scores:
        table.add_section()
        for name, average in split["averages"].items():
            table.add_row(f"{name} average", *("" for _ in columns), *(average[score] for score in scores))
    return table
