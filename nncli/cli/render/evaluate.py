"""An evaluation in the terminal."""

from typing import Any

from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.format import warning_text
from nncli.cli.render.metrics_table import print_metrics
from nncli.cli.render.table import Cell, Table

SCORES = {"precision": "precision", "recall": "recall", "f1": "F1"}


def show_assessment(assessment: dict[str, Any], digits: int | None) -> None:
    """Print the metrics of each split, for a classifier its confusion matrix and scores per class, and warnings.

    Args:
        assessment: the document of the evaluation.
        digits: significant digits; all of them if None.
    """
    out = Output()
    heading = f"{assessment['run']}  ({assessment['status']}, weights of epoch {assessment['epoch']})"
    out.print(heading, soft_wrap=True, style="bold")
    out.print()
    print_metrics(out, {name: split["metrics"] for name, split in assessment["splits"].items()}, digits)
    for name, split in assessment["splits"].items():
        if "confusion" in split:
            _print_classes(out, name, split, digits)
    if assessment["warnings"]:
        out.print()
    for warning in assessment["warnings"]:
        out.print_text(Text(warning_text(warning), style="yellow"))


def _print_classes(out: Output, name: str, split: dict[str, Any], digits: int | None) -> None:
    """The confusion matrix with the scores of each class beside it, below it, or alone, as the width allows."""
    scores = _classes_table(split, digits, with_counts=False)
    counts = _classes_table(split, digits, with_scores=False)
    both = _classes_table(split, digits)
    tables = [both] if both.fits(out) else [counts, scores] if counts.fits(out) else [scores]
    threshold = f", class 1 if the output is above {split['threshold']:g}" if "threshold" in split else ""
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
    """One row per class, with the row of the confusion matrix, the scores, or both."""
    scores = SCORES if with_scores else {}
    predicted_classes = range(len(split["confusion"]) if with_counts else 0)
    classes = Table("class", *map(str, predicted_classes), *scores.values(), digits=digits)
    for actual, (row, rates) in enumerate(zip(split["confusion"], split["classes"], strict=True)):
        counts = [Cell(row[predicted], "bold" if actual == predicted else "") for predicted in predicted_classes]
        classes.add_row(str(actual), *counts, *(rates[name] for name in scores))
    return classes
