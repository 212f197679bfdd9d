"""Several runs side by side: the verdict, what differs in their configs, their metrics, and their curves overlaid."""

from collections.abc import Sequence

from nncli.analysis.comparison import Comparison
from nncli.experiment.metric_columns import SPLITS
from nncli.report.curves import Curve, RunCurves, run_curves
from nncli.report.page.blocks import Block, Chart, Column, Mark, Table, Text, epoch_series
from nncli.report.page.overview import ARROWS, described
from nncli.report.page.words import listed

MANY = 12  # runs whose training and validation curves are not shown together


def compared(comparison: Comparison) -> list[Block]:
    """The verdict on several runs, and their metrics."""
    verdict = comparison.verdict()
    sentences = [
        *([f"Verdict: {verdict}."] if verdict else []),
        *(f"{sentence[0].upper()}{sentence[1:]}." for sentence in comparison.not_compared),
        *(f"{each.label} {each.description}." for each in comparison.entries),
    ]
    warnings = [f"{each.label}: {warning['message']}" for each in comparison.entries for warning in each.run.warnings]
    described_runs = [described(each) for each in comparison.entries]
    return [
        Text("", sentences, warnings),
        Text("The runs", described_runs),
        _metrics(comparison),
        _differences(comparison),
    ]


def _metrics(comparison: Comparison) -> Table:
    """Metrics by run; the best value of each is named in words too."""
    labels = [each.label for each in comparison.entries]
    rows = [
        [f"{row.name}{ARROWS[row.higher]}", *row.values, listed([labels[index] for index in row.best])]
        for row in comparison.rows
    ]
    columns = [Column("metric"), *(Column(label, "number") for label in labels), Column("best")]
    return Table("Metrics", "Final metrics, or the last logged ones; arrows point to better values.", columns, rows)


def _differences(comparison: Comparison) -> Table:
    rows = [
        [key, *(None if value is None else str(value) for value in values)]
        for key, values in comparison.differences.items()
    ]
    message = "The keys in which the configs differ." if rows else "The configs do not differ."
    columns = [Column("key"), *(Column(each.label, "code") for each in comparison.entries)]
    return Table("Settings", message, columns, rows)


def overlaid_curves(comparison: Comparison) -> list[Block]:
    """The curves of each metric that a run has, those of all runs over each other: a color for each run."""
    curves = {each.label: run_curves(each.run) for each in comparison.entries}
    metrics = dict.fromkeys(curve.metric for each in curves.values() for curve in each.curves)
    return [overlaid(metric, curves) for metric in metrics]


def overlaid(metric: str, curves: dict[str, RunCurves]) -> Chart:
    """The curves of a metric; a color for each run, a dash for each split."""
    found = {label: curve for label, each in curves.items() if (curve := each.of(metric))}
    colors = {label: color for color, label in enumerate(curves)}
    series = [
        epoch_series(
            f"{label}, {each.split}" if each.split else label,
            curve.epochs,
            each.values,
            colors[label],
            _dash(each.split),
        )
        for label, curve in found.items()
        for each in curve.series
        if len(found) <= MANY or each.split != "training" or len(curve.series) == 1
    ]
    is_logarithmic = any(curve.is_logarithmic for curve in found.values())
    dashes = " Solid lines are training, dashed ones validation." if any(each.dash for each in series) else ""
    return Chart(metric, _best(found) + dashes, "epoch", metric, series, is_logarithmic=is_logarithmic)


def _best(found: dict[str, Curve]) -> str:
    """The best value of each run, or else its first and its last one, in a sentence."""
    texts = []
    for label, curve in found.items():
        if curve.best_epoch is not None and curve.higher_is_better is not None:
            values = curve.series[-1].values
            best = float(values.max() if curve.higher_is_better else values.min())
            texts.append(f"{label} {best:.4g} at epoch {curve.best_epoch:,}")
    if texts:
        return f"Best values: {listed(texts)}."
    last = {label: curve.series[-1].values for label, curve in found.items() if len(curve.epochs)}
    ends = [f"{label} from {values[0]:.4g} to {values[-1]:.4g}" for label, values in last.items()]
    return f"{listed(ends)}." if ends else "Nothing is logged yet."


def _dash(split: str | None) -> int:
    return SPLITS.index(split) if split else 0


def run_charts(curves: RunCurves) -> list[Block]:
    """The curves of one run, a chart for each metric: a color and a dash for each split."""
    return [_run_chart(curves, curve) for curve in curves.curves]


def _run_chart(curves: RunCurves, curve: Curve) -> Chart:
    series = [
        epoch_series(each.split or each.column, curve.epochs, each.values, _dash(each.split), _dash(each.split))
        for each in curve.series
    ]
    return Chart(curve.metric, message_of(curve), "epoch", curve.metric, series, marks_of(curves), curve.is_logarithmic)


def marks_of(curves: RunCurves) -> Sequence[Mark]:
    """The epoch of the kept weights if training went on after it, and that of a divergence."""
    last = max((int(curve.epochs[-1]) for curve in curves.curves if len(curve.epochs)), default=0)
    marks = (
        [Mark(curves.kept_epoch, "kept weights")] if curves.kept_epoch is not None and curves.kept_epoch < last else []
    )
    return [*marks, *([Mark(curves.diverged_epoch, "diverged")] if curves.diverged_epoch is not None else [])]


def message_of(curve: Curve) -> str:
    """Where each series begins and ends, and its best value, in words."""
    if not len(curve.epochs):
        return "Nothing is logged yet."
    texts = [f"{each.split or each.column} from {each.values[0]:.4g} to {each.values[-1]:.4g}" for each in curve.series]
    best = ""
    if curve.best_epoch is not None and curve.higher_is_better is not None:
        values = curve.series[-1].values
        value = float(values.max() if curve.higher_is_better else values.min())
        best = f"; best {curve.series[-1].split} value {value:.4g} at epoch {curve.best_epoch:,}"
    return f"{listed(texts)}{best}."
