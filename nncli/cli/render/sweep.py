"""How the trials of a group ended, in the terminal."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.format import direction
from nncli.cli.render.table import Table
from nncli.config.diagnostics import counted, sanitized_line

if TYPE_CHECKING:
    from nncli.sweep.results import GroupResults

TOP = 10  # points that are shown
MOST_REASONS = 5  # messages of failures that are shown


def show_group(
    directory: Path, keys: Sequence[str], results: "GroupResults", trained: int, seconds: float | None
) -> None:
    """Print a row for each of the best points, the counts of trials, why some failed, and the command that compares.

    Args:
        directory: the directory of the group.
        keys: what varies between the points.
        results: how the trials ended.
        trained: the number of trials that were trained now.
        seconds: the time that it took; None if none was trained.
    """
    out = Output()
    if results.points and results.metric:
        _points_table(directory, results).print(out)
        if len(results.points) > TOP:
            out.print(f"and {counted(len(results.points) - TOP, 'more point')}")
        out.print()
    out.print_text(Text(_counts(results)))
    for message, count in results.reasons[:MOST_REASONS]:
        out.print_text(Text(f"  {count}× {sanitized_line(message)}", "red"))
    if results.reasons[MOST_REASONS:]:
        out.print(f"  and {counted(len(results.reasons) - MOST_REASONS, 'other message')}")
    if seconds is not None:
        out.print(f"{counted(trained, 'trial')} trained in {seconds:.1f} s")
    out.print(Text.assemble("saved in ", (str(directory), "bold")), soft_wrap=True)
    out.print(_next_command(directory, keys, results), soft_wrap=True)


def _next_command(directory: Path, keys: Sequence[str], results: "GroupResults") -> str:
    """The command that trains what is left, or compares the points."""
    if results.counts["left"]:
        return f"train with: nncli worker {quote(str(directory))}"
    by = f" --by {quote(keys[0])}" if len(keys) == 1 else ""  # several keys are those that compare takes anyway
    return f"compare with: nncli compare {quote(str(directory))}{by}"


def _points_table(directory: Path, results: "GroupResults") -> Table:
    """One row per point: the values of the keys that vary, its mean, and of several runs their spread and number."""
    points, columns = results.points[:TOP], results.table(TOP) or {"group": [sanitized_line(directory.name)]}
    has_epochs, has_spread = points[0].epochs is not None, any(len(each.values) > 1 for each in points)
    metric = f"{results.metric}{direction(results.is_higher_better)}"
    headings = [*columns, *(["epochs"] * has_epochs), metric, *(["± std", "runs"] if has_spread else [])]
    table = Table(*headings, text_columns=len(columns))
    for index, each in enumerate(points):
        values = [each.epochs] * has_epochs + [each.mean]
        values += [each.deviation, len(each.values)] if has_spread else []
        texts = [column[index] for column in columns.values()]
        table.add_row(*texts, *values, style="bold" if each is points[0] else "")
    return table


def _counts(results: "GroupResults") -> str:
    """The number of trials in each state."""
    shown = [f"{count:,} {state}" for state, count in results.counts.items() if count]
    return f"trials: {', '.join(shown) or 'none'}"
