"""Groups of runs side by side in the terminal."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.diagram import HEIGHT, Line, print_diagram
from nncli.cli.render.format import direction, figure
from nncli.cli.render.table import Table
from nncli.config.diagnostics import counted

if TYPE_CHECKING:
    from nncli.analysis.compared_groups import ComparedGroups
    from nncli.analysis.group_curves import GroupCurve
    from nncli.analysis.group_results import GroupResult, Statistics

DEVIATION_DIGITS = 2
MAX_ROWS = 24  # groups in the table
MAX_SENTENCES = 6
MAX_GROUP_CURVES = 5  # bands of more groups cannot be told apart
MIN_HEIGHT = 10  # of the plot
TITLE_MARGIN = 12  # columns of a plot that its title cannot take
LINES_AROUND = 3  # an empty line before the plot, and the legend and the prompt after it


def show_groups(
    compared: "ComparedGroups",
    sentences: Sequence[str],
    curves: "Callable[[], list[GroupCurve]]",
    curve: str,
    digits: int | None,
) -> None:
    """Print the table of groups, best first, the verdicts, what they are based on, and the curves.

    Args:
        compared: the groups side by side.
        sentences: the verdicts.
        curves: reads the curves.
        curve: the column of metrics.csv that they show.
        digits: significant digits of the metrics; all of them if None.
    """
    out = Output()
    used = _print_lines(out, compared, sentences, digits)
    found = curves()
    drawn = found[:MAX_GROUP_CURVES]
    if drawn:
        height = max(MIN_HEIGHT, min(HEIGHT, out.height - used - LINES_AROUND)) if out.file.isatty() else HEIGHT
        out.print()
        title = f"{curve} by epoch"
        full = f"{title}, mean ± standard deviation"
        is_wide = out.width > len(full) + TITLE_MARGIN
        print_diagram(out, [_line(each) for each in drawn], full if is_wide else title, None, height)
    if len(found) > len(drawn):
        out.print(f"plotting the best {len(drawn)} of {len(found)} groups")


def _print_lines(out: Output, compared: "ComparedGroups", sentences: Sequence[str], digits: int | None) -> int:
    """Print all but the plot; returns the number of lines."""
    groups_table(compared.metric, compared.groups[:MAX_ROWS], digits).print(out)
    lines = min(len(compared.groups), MAX_ROWS) + 2
    hidden = len(compared.groups) - MAX_ROWS
    blocks = [f"and {counted(hidden, 'more group')}: --json has all"] if hidden > 0 else []
    blocks += [*compared.basis, *compared.notes]
    for block, style in ((blocks, ""), (shortened(sentences), "bold")):
        out.print() if block else None
        for text in block:
            out.print_text(Text(text, style=style))
            lines += -(-len(text) // out.width)
        lines += 1
    return lines


def shortened(sentences: Sequence[str]) -> list[str]:
    """The first sentences, and how many more there are."""
    hidden = len(sentences) - MAX_SENTENCES
    more = [f"and {counted(hidden, 'more verdict')}: --json has all"] if hidden > 0 else []
    return [*sentences[:MAX_SENTENCES], *more]


def groups_table(metric: str, groups: "Sequence[GroupResult]", digits: int | None) -> Table:
    """One row per group; columns of failed, diverged and unfinished runs only if there are any."""
    lost = {name: [getattr(group, name) for group in groups] for name in ("failed", "diverged", "unfinished")}
    shown = {name: counts for name, counts in lost.items() if any(counts)}
    higher = groups[0].higher_is_better
    table = Table(f"{metric}{direction(higher)}", "n", "mean ± std", "min", "max", *shown, digits=digits)
    for index, group in enumerate(groups):
        numbers = _numbers(group.statistics, digits)
        table.add_row(group.label, len(group.finished), *numbers, *(counts[index] for counts in shown.values()))
    return table


def _numbers(statistics: "Statistics | None", digits: int | None) -> list[float | str | None]:
    """Mean and standard deviation, smallest and largest value; the mean alone of one run."""
    if statistics is None:
        return [None, None, None]
    return [mean_text(statistics, digits), statistics.lowest, statistics.highest]


def mean_text(statistics: "Statistics", digits: int | None) -> str:
    """The mean with the standard deviation, which is unknown for one run."""
    mean = figure(statistics.mean, digits)
    if statistics.deviation is None:
        return mean
    return f"{mean} ± {figure(statistics.deviation, digits and DEVIATION_DIGITS)}"


def _line(curve: "GroupCurve") -> Line:
    """The mean as a curve with its band."""
    low, high = curve.mean - curve.deviation, curve.mean + curve.deviation
    band = (low.tolist(), high.tolist()) if curve.deviation.any() else None
    return Line.of(curve.label, curve.epochs, curve.mean)._replace(band=band)
