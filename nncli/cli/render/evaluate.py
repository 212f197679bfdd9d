"""An evaluation in the terminal."""

from typing import Any

from rich.table import Table
from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.metrics_table import _print_splits
from nncli.cli.render.table import table

SCORES_WIDTH = 40  # characters of a class's number and its three scores


def show_assessment(assessment: dict[str, Any]) -> None:
    """Metrics of each split, then, where there are classes, its confusion matrix with the scores of each."""
    out = Output()
    where = f"{assessment['run']}  ({assessment['status']}, weights of epoch {assessment['epoch']})"
    out.print(where, soft_wrap=True, style="bold")
    out.print()
    _print_splits(out, {name: part["metrics"] for name, part in assessment["splits"].items()}, exact=True)
    for name, part in assessment["splits"].items():
        if "confusion" not in part:
            continue
        decided = f", class 1 where the output is over {part['threshold']:g}" if "threshold" in part else ""
        shown = _shown_classes(part, out.width)
        meaning = (
            "a row is a class, a column what it was taken for" if shown else "what was taken for what is in --json"
        )
        out.print(f"\n{name}, {part['rows']} rows{decided}: {meaning}", soft_wrap=True)
        out.print(_classes_table(part, shown))


def _shown_classes(part: dict[str, Any], width: int) -> range:
    """The classes that have a column: all of them, or none where they do not fit side by side."""
    matrix = part["confusion"]
    count_width = 3 + max(len(str(count)) for row in matrix for count in row)
    return range(len(matrix) if SCORES_WIDTH + len(matrix) * count_width <= width else 0)


def _classes_table(part: dict[str, Any], classes: range) -> Table:
    """The columns of these classes, and the scores of each class."""
    made = table("class", *map(str, classes), "precision", "recall", "F1")
    for number, (row, scores) in enumerate(zip(part["confusion"], part["classes"], strict=True)):
        counts = [
            Text(str(count), style="bold" if number == index else "") for index, count in enumerate(row[: len(classes)])
        ]
        rates = [f"{scores[name]:.3f}" if scores[name] is not None else "–" for name in ("precision", "recall", "f1")]
        made.add_row(str(number), *counts, *rates)
    return made
