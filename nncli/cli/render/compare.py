"""Results as rich draws them, on standard output."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.format import cell_text, direction
from nncli.cli.render.table import table

if TYPE_CHECKING:
    from nncli.analysis.comparison import Comparison

BEST = "bold green"
DRAWABLE = 1e100  # plotext's own arithmetic overflows where a run was about to diverge
MOST_CURVES = 8  # more cannot be told apart
NARROWEST = 15  # characters that a run's column may always have; what is longer is folded where space is short


def show_comparison(comparison: "Comparison", curve: str | None) -> None:
    """What differs, the metrics with the best of each row marked, who overfits, the curves, the verdict."""
    out = Output()
    name, curves = comparison.curve(curve)
    labels = [entry.label for entry in comparison.entries]
    if comparison.differences:
        _print_in_parts(
            out,
            "spec",
            labels,
            [(key, None, list(map(cell_text, values)), []) for key, values in comparison.differences.items()],
        )
    else:
        out.print("the specs are the same\n")
    rows: list[tuple[str, bool | None, list[str], list[int]]] = [
        ("status", None, [str(entry.progress) for entry in comparison.entries], []),
        ("measured at epoch", None, [str(entry.epoch) for entry in comparison.entries], []),
    ]
    rows += [(row.name, row.higher, list(map(cell_text, row.values)), row.best) for row in comparison.rows]
    _print_in_parts(out, "metric", labels, rows)
    for entry in comparison.entries:
        out.print(Text.assemble((entry.label, "bold"), f" {entry.description}"))
    if verdict := comparison.verdict():
        out.print(Text(f"\n{verdict}", style="bold"))
    out.print()
    _print_curves(out, name, curves)


def _print_in_parts(
    out: Console, corner: str, labels: Sequence[str], rows: Sequence[tuple[str, bool | None, list[str], list[int]]]
) -> None:
    """A table with a column a run; where they do not fit side by side, several tables."""
    first = max(len(f"{name}{direction(higher)}") for name, higher, _, _ in rows) + 2
    widest = [max(len(label), *(len(row[2][i]) + 2 for row in rows)) for i, label in enumerate(labels)]
    fold = max(NARROWEST, (out.width - first) // len(labels) - 3)
    widths = [min(width, fold) + 3 for width in widest]
    start = 0
    while start < len(labels):
        stop, used = start + 1, first + widths[start]
        while stop < len(labels) and used + widths[stop] <= out.width:
            used += widths[stop]
            stop += 1
        made = table(corner, *labels[start:stop])
        for column in made.columns[1:]:
            column.max_width = fold
        for name, higher, values, best in rows:
            cells = [Text(f"* {values[i]}", style=BEST) if i in best else Text(values[i]) for i in range(start, stop)]
            made.add_row(f"{name}{direction(higher)}", *cells)
        out.print(made)
        out.print()
        start = stop


def _print_curves(out: Console, name: str, curves: list[tuple[str, list[float], list[float]]]) -> None:
    """The curves overlaid; in colour where there is any, else each with a sign of its own."""
    import plotext

    colour = out.color_system is not None and not out.no_color
    plotext.clear_figure()
    plotext.theme("pro" if colour else "clear")
    signs = ["braille"] * len(curves) if colour else [chr(ord("a") + index % 26) for index in range(len(curves))]
    for (label, epochs, values), sign in zip(curves[:MOST_CURVES], signs, strict=False):
        if values and max(map(abs, values)) < DRAWABLE:
            plotext.plot(epochs, values, label=label, marker=sign)
    last = max((epochs[-1] for _, epochs, _ in curves if epochs), default=0)
    ticks = sorted({round(last * part / 4) for part in range(5)})
    plotext.xticks(ticks, [str(tick) for tick in ticks])
    plotext.title(f"{name} by epoch")
    if len(curves) > MOST_CURVES:
        out.print(f"the first {MOST_CURVES} of {len(curves)} runs are drawn; --sort decides which those are")
    plotext.plotsize(min(out.width, 120), 16)
    out.print(Text.from_ansi(plotext.build()) if colour else plotext.uncolorize(plotext.build()), soft_wrap=True)
