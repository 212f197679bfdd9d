"""Metrics of splits as a table in the terminal."""

from itertools import accumulate

from rich.console import Console

from nncli.cli.render.format import figure
from nncli.cli.render.table import table


def _print_splits(out: Console, splits: dict[str, dict[str, float]], exact: bool = False) -> None:
    """A row a metric, a column a split, below each other where they do not fit; with ``exact`` numbers in full."""
    told = {
        split: {name: repr(value) if exact else figure(value) for name, value in metrics.items()}
        for split, metrics in splits.items()
    }
    room = out.width - max(len(name) for metrics in told.values() for name in metrics)
    while told:
        widths = [max(map(len, (split, *metrics.values()))) + 3 for split, metrics in told.items()]
        fitting = max(1, sum(total <= room for total in accumulate(widths)))
        shown = dict(list(told.items())[:fitting])
        made = table("", *shown)
        for name in dict.fromkeys(name for metrics in shown.values() for name in metrics):
            made.add_row(name, *(metrics.get(name, "–") for metrics in shown.values()))
        out.print(made)
        told = dict(list(told.items())[fitting:])
        if told:
            out.print()
