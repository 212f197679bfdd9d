"""Results as rich draws them, on standard output."""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import prod
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from nncli.cli.console import Output
from nncli.cli.reference import in_words
from nncli.cli.tables import cell_text, direction, figure

if TYPE_CHECKING:
    from nncli.nn.gradcheck import ArrayCheck, GradientCheck
    from nncli.registry import Component
    from nncli.run.comparison import Comparison

BEST = "bold green"
DRAWABLE = 1e100  # plotext's own arithmetic overflows where a run was about to diverge
MOST_CURVES = 8  # more cannot be told apart
SCORES_WIDTH = 40  # characters of a class's number and its three scores
NARROWEST = 15  # characters that a run's column may always have; what is longer is folded where space is short


def table(*headings: str, numbers: bool = True) -> Table:
    """A plain table; all columns but the first are numbers, to the right."""
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for index, heading in enumerate(headings):
        made.add_column(heading, justify="right" if numbers and index else "left", overflow="fold")
    return made


def show_result(result: dict[str, Any]) -> None:
    """What a training ended with: a row a split, and the run's path."""
    out = Output()
    _print_splits(out, result["splits"])
    kept = result["epoch"]
    trained = result["epochs_trained"]
    note = f"{trained} epochs" if kept == trained else f"{trained} epochs, weights of epoch {kept} kept"
    note += ", untrained ones," if kept == 0 else ""
    out.print(f"\n{note} in {result['seconds']:.1f} s", soft_wrap=True)
    out.print(Text.assemble("run ", (result["run"], "bold")), soft_wrap=True)


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


def show_summary(document: dict[str, Any]) -> None:
    """A resolved spec as YAML, and the network in figures."""
    import yaml

    out = Output()
    written = yaml.safe_dump(document["spec"], sort_keys=False, default_flow_style=None, width=76)
    out.print(written.rstrip(), soft_wrap=True)
    out.print()
    made = table("layer", "output", "parameters", "multiply-adds per row")
    for index, layer in enumerate(document["layers"]):
        made.add_row(
            f"{index} {layer['type']}",
            f"(N, {layer['outputs']})",
            f"{layer['parameters']:,}",
            f"{layer['multiply_adds']:,}",
        )
    out.print(made)
    out.print(
        f"\n{document['parameters']:,} parameters, about {document['memory_bytes'] / 2**20:,.1f} MiB of arrays; "
        f"{document['multiply_adds_a_step']:,} multiply-adds a training step of {document['rows_a_step']:,} rows",
        soft_wrap=True,
    )


def show_gradients(check: "GradientCheck", tolerance: float) -> None:
    """The largest error of each array, what could not be compared, and the verdict."""
    out = Output()
    made = table("array", "shape", "compared", "near a kink", "largest error", "at")
    for each in check.arrays:
        size = prod(each.shape)
        made.add_row(
            each.name,
            " × ".join(map(str, each.shape)),
            f"{each.compared:,}" if each.compared == size else f"{each.compared:,} of {size:,}",
            f"{each.near_kinks:,}",
            Text(_error_words(each), style="" if each.error < tolerance else "bold red"),
            ", ".join(map(str, each.place)) if each.place else "–",
        )
    out.print(made)
    left_out = {"near a kink": check.rows_near_kinks, "where the loss is clipped": check.rows_clipped}
    told = [f"{count} more {where} left out" for where, count in left_out.items() if count]
    out.print("\n" + ", ".join([f"{check.rows} row{'' if check.rows == 1 else 's'}", *told]), soft_wrap=True)
    worst = check.worst
    if worst.place:
        place = f"{worst.name} at {', '.join(map(str, worst.place))}"
        values = f"backward {worst.backward:.9g}, central difference {worst.difference:.9g}"
        out.print(f"{place}: {values}", soft_wrap=True)
    if any(each.too_small for each in check.arrays):
        out.print("where it is too small, the gradient is so small against the loss that rounding would hide a fault")
    for step in check.steps:
        off = f"largest error {step.worst.error:.1e} where rounding explains {step.worst.tolerance:.1e}"
        style = "" if step.passes else "bold red"
        out.print(
            Text(f"{step.dtype} step on batch {step.batch}, {step.rows} rows: {off}", style=style), soft_wrap=True
        )
    if check.passes(tolerance):
        out.print(f"backward is the slope of the loss: the largest error {worst.error:.1e} is under {tolerance:g}")


def _error_words(each: "ArrayCheck") -> str:
    if each.too_small:
        return "too small"
    return f"{each.error:.1e}" if each.compared else "–"


def show_components(components: Iterable["Component"]) -> None:
    """Every component with its parameters, a table a kind."""
    out = Output()
    kind = ""
    for entry in components:
        if entry.kind != kind:
            kind = entry.kind
            out.print(Text(f"{kind}", style="bold underline"))
        known = f"  (in the book {entry.alias})" if entry.alias else ""
        out.print(Text.assemble((f"  {entry.name}", "bold"), (known, "dim")))
        out.print(Padding(Text(entry.summary), (0, 0, 0, 4)))
        if entry.parameters:
            made = Table.grid(padding=(0, 2))
            for each in map(in_words, entry.parameters):
                given = f"= {each.default}" if each.default else "required"
                made.add_row("   ", each.name, each.type, given, each.range)
            out.print(made)
    out.print()


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
        ("status", None, [entry.status for entry in comparison.entries], []),
        ("measured at epoch", None, [str(entry.epoch) for entry in comparison.entries], []),
    ]
    rows += [(row.name, row.higher, list(map(cell_text, row.values)), row.best) for row in comparison.rows]
    _print_in_parts(out, "metric", labels, rows)
    for entry in comparison.entries:
        out.print(Text.assemble((entry.label, "bold"), f" {entry.words}"))
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
