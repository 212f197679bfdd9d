"""Metrics of splits as a table in the terminal."""

from collections.abc import Mapping

from nncli.cli.render.console import Output
from nncli.cli.render.format import DIGITS
from nncli.cli.render.table import Table


def print_metrics(out: Output, splits: Mapping[str, Mapping[str, float | str]], digits: int | None = DIGITS) -> None:
    """Print one row per metric and one column per split; columns that do not fit follow in another table.

    Args:
        out: where to print.
        splits: the metrics of each split, by name.
        digits: significant digits; all of them if None.
    """
    metrics_table = Table("", *splits, digits=digits)
    for name in dict.fromkeys(name for metrics in splits.values() for name in metrics):
        metrics_table.add_row(name, *(metrics.get(name) for metrics in splits.values()))
    metrics_table.print_in_parts(out)
