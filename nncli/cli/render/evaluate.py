"""An evaluation in the terminal."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.format import warning_text
from nncli.cli.render.metrics_table import print_metrics
from nncli.cli.render.table import table

LABEL_WIDTH = 8  # characters of a class and the space after it
SCORES_WIDTH = 32  # characters of the three scores of a class
SCORES = {"precision": "precision", "recall": "recall", "f1": "F1"}


def show_assessment(assessment: dict[str, Any]) -> None:
    """Print the metrics of each split, for a classifier its confusion matrix and scores per class, and warnings."""
    out = Output()
    heading = f"{assessment['run']}  ({assessment['status']}, weights of epoch {assessment['epoch']})"
    out.print(heading, soft_wrap=True, style="bold")
    out.print()
    print_metrics(out, {name: split["metrics"] for name, split in assessment["splits"].items()}, exact=True)
    for name, split in assessment["splits"].items():
        if "confusion" in split:
            _print_classes(out, name, split)
    if assessment["warnings"]:
        out.print()
    for warning in assessment["warnings"]:
        out.print(Text(warning_text(warning), style="yellow"), soft_wrap=True)


def _print_classes(out: Console, name: str, split: dict[str, Any]) -> None:
    """The confusion matrix with the scores of each class beside it, below it, or alone, as the width allows."""
    matrix = split["confusion"]
    columns = len(matrix) * (3 + max(len(str(count)) for row in matrix for count in row))
    threshold = f", class 1 if the output is above {split['threshold']:g}" if "threshold" in split else ""
    fits = LABEL_WIDTH + columns <= out.width
    heading = (
        "confusion matrix (rows: actual, columns: predicted)"
        if fits
        else "the confusion matrix is too wide for this terminal; see --json"
    )
    out.print(f"\n{name}, {split['rows']} rows{threshold}: {heading}", soft_wrap=True)
    is_beside = LABEL_WIDTH + columns + SCORES_WIDTH <= out.width
    if fits and not is_beside:
        out.print(_classes_table(split, with_counts=True, with_scores=False))
        out.print()
    out.print(_classes_table(split, with_counts=is_beside, with_scores=True))


def _classes_table(split: dict[str, Any], with_counts: bool, with_scores: bool) -> Table:
    """One row per class, with the row of the confusion matrix, the scores, or both."""
    scores = SCORES if with_scores else {}
    classes = table("class", *map(str, range(len(split["confusion"]) if with_counts else 0)), *scores.values())
    for actual, (row, rates) in enumerate(zip(split["confusion"], split["classes"], strict=True)):
        counts = [Text(str(count), "bold" if actual == predicted else "") for predicted, count in enumerate(row)]
        cells = [f"{rates[name]:.3f}" if rates[name] is not None else "–" for name in scores]
        classes.add_row(str(actual), *(counts if with_counts else []), *cells)
    return classes
