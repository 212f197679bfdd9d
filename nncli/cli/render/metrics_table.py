"""Metrics of splits as a table in the terminal."""

from itertools import accumulate

from rich.console import Console

from nncli.cli.render.format import figure
from nncli.cli.render.table import table


def print_metrics(out: Console, splits: dict[str, dict[str, float]], exact: bool = False) -> None:
    """Print one row per metric and one column per split; columns that do not fit follow in another table.

    Args:
        out: where to print.
        splits: the metrics of each split, by name.
        exact: print all digits.
    """
    columns = {
        split: {name: repr(value) if exact else figure(value) for name, value in metrics.items()}
        for split, metrics in splits.items()
    }
    available = out.width - max(len(name) for metrics in columns.values() for name in metrics)
    while columns:
        widths = [max(map(len, (split, *metrics.values()))) + 3 for split, metrics in columns.items()]
        fitting = max(1, sum(total <= available for total in accumulate(widths)))
        shown = dict(list(columns.items())[:fitting])
        metrics_table = table("", *shown)
        for name in dict.fromkeys(name for metrics in shown.values() for name in metrics):
            metrics_table.add_row(name, *(metrics.get(name, "–") for metrics in shown.values()))
        out.print(metrics_table)
        columns = dict(list(columns.items())[fitting:])
        if columns:
            out.print()
