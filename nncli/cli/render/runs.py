"""The runs and groups in a directory, in the terminal and as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.format import cell_text, figure, warning_text
from nncli.cli.render.table import Cell, Table
from nncli.config.diagnostics import sanitized_line
from nncli.store.run_status import RunStatus, how_to_evaluate

if TYPE_CHECKING:
    from nncli.analysis.group_list import GroupListing, Listing
    from nncli.analysis.run_list import RunListing

COLORS = {
    RunStatus.RUNNING: "cyan",
    RunStatus.FINISHED: "green",
    RunStatus.INTERRUPTED: "yellow",
    RunStatus.UNEVALUATED: "yellow",
    RunStatus.DIVERGED: "red",
    RunStatus.FAILED: "red",
    RunStatus.DAMAGED: "bold red",
    RunStatus.UNREADABLE: "red",
    RunStatus.UNSUPPORTED: "magenta",
}
WARNING = "yellow"
MAX_KEYS = 12  # differing keys that are shown of a run; --json has all of them


def show_runs(
    found: "Listing", varied: Mapping[str, Sequence[Any]], sort: str | None, digits: int | None, is_filtered: bool
) -> None:
    """Print one row per group and per run, the keys in which configs differ, and problems.

    Args:
        found: the runs and groups.
        varied: of the trials of a group, the values of the keys in which they differ.
        sort: the key by which they are sorted; a metric is the first column of metrics. None if they are not.
        digits: significant digits of the metrics; all of them if None.
        is_filtered: whether only some of the runs are listed.
    """
    out = Output()
    if not found.runs and not found.groups:
        hint = "no run meets the conditions" if is_filtered else "no runs; 'nncli train config.yaml' creates one"
        out.print(f"{found.directory}: {hint}", soft_wrap=True)
        return
    if found.groups:
        _groups_table(found.groups, digits).print(out)
    if found.groups and found.runs:
        out.print()
    if found.runs:
        _runs_table(found, varied, sort, digits).print(out)
    if not found.is_group:
        _show_differences(out, found.runs)
    _show_notes(out, [*found.groups, *found.runs])
    _show_problems(out, found)


def csv_text(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table as CSV, at full precision."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows(rows)
    return text.getvalue()


def export_text(document: Mapping[str, Any]) -> str:
    """What was exported, in one line."""
    counts = [f"{document[name]} {name}" for name in ("created", "updated", "unchanged")]
    skipped = [f"{len(document['skipped'])} skipped"] if document["skipped"] else []
    return f"{sanitized_line(document['target'])}: runs: {', '.join([*counts, *skipped])}"


def _groups_table(groups: Sequence["GroupListing"], digits: int | None) -> Table:
    """One row per group: how many trials have ended and how, and the result."""
    rows = Table("group", "method", "trials", "result", text_columns=4)
    for group in groups:
        style = "red" if group.problem else ""
        rows.add_row(group.name, group.method, Cell(_trials(group), style), _result(group, digits))
    return rows


def _trials(group: "GroupListing") -> str:
    """The trials by status, and how many are planned."""
    if group.record is None:
        return "damaged"
    planned = f" of {group.planned}" if group.planned is not None else ""
    counts = dict(group.counts)
    finished = f"{counts.pop('finished', 0)}{planned} finished"
    return ", ".join([finished, *(f"{count} {status}" for status, count in counts.items())])


def _result(group: "GroupListing", digits: int | None) -> str:
    """The metric of the best point, or its mean; a single run has no standard deviation."""
    result = group.result
    if result is None:
        return "–"
    deviation = "" if result.deviation is None else f" ± {figure(result.deviation, digits and 2)}"
    best = "" if result.point is None else "best "
    return f"{best}{result.metric} {figure(result.mean, digits)}{deviation}"


def _runs_table(found: "Listing", varied: Mapping[str, Sequence[Any]], sort: str | None, digits: int | None) -> Table:
    """One row per run: the metric that ranks it, the keys in which the trials of a group differ, other metrics.

    A narrow terminal leaves out the last columns, so that the metric is always shown.
    """
    runs = found.runs
    first = [name for name in (sort, found.metric) if name and any(name in run.metrics for run in runs)]
    first = list(dict.fromkeys(first))
    others = list(dict.fromkeys(name for run in runs for name in run.main_metrics if name not in first))
    heading = "trial" if found.is_group else "run"
    rows = Table(heading, "status", "epoch", *first, *varied, *others, text_columns=2, digits=digits)
    for index, run in enumerate(runs):
        status = Cell(_status(run), WARNING if run.warnings else COLORS[run.progress.status])
        keys = [cell_text(values[index]) for values in varied.values()]
        ranking, values = ([run.metrics.get(name) for name in names] for names in (first, others))
        rows.add_row(run.name, status, _epoch(run), *ranking, *keys, *values)
    return rows


def _show_differences(out: Output, runs: Sequence["RunListing"]) -> None:
    """Print the keys in which the config of each run differs from most others."""
    lines = []
    for run in runs:
        keys = [f"{key} {cell_text(value)}" for key, value in run.differences.items()]
        more = f", and {len(keys) - MAX_KEYS} more" if len(keys) > MAX_KEYS else ""
        lines += [Text.assemble((run.name, "bold"), f": {', '.join(keys[:MAX_KEYS])}{more}")] if keys else []
    _show_block(out, "Differences from the most frequent values:", lines)


def _show_notes(out: Output, listed: "Sequence[RunListing | GroupListing]") -> None:
    """Print the tags and the first line of the note of each run and group that has some."""
    lines = []
    for each in (each for each in listed if each.note or each.tags):
        line = sanitized_line(next(iter((each.note or "").splitlines()), ""))
        words = [*(f"#{sanitized_line(tag)}" for tag in each.tags), *([line] if line else [])]
        lines.append(Text.assemble((each.name, "bold"), f": {' '.join(words)}"))
    _show_block(out, "Notes:", lines)


def _show_problems(out: Output, found: "Listing") -> None:
    """Print warnings, what is wrong with runs and groups, and how to write a missing evaluation."""
    warnings = [(run.name, warning_text(warning)) for run in found.runs for warning in run.warnings]
    _show_block(out, "", [Text.assemble((name, "bold"), (f": {text}", WARNING)) for name, text in warnings])
    problems = [*(group.problem for group in found.groups), *(run.problem for run in found.runs)]
    for problem in filter(None, problems):
        out.print_text(Text(f"\n{problem}", style="red"))
    for run in found.runs:
        if run.progress.status is RunStatus.UNEVALUATED and run.progress.is_resumable:
            out.print_text(Text(f"\n{run.path}: {how_to_evaluate(run.path)}", style=WARNING))


def _show_block(out: Output, heading: str, lines: Sequence[Text]) -> None:
    """Print lines after an empty one and their heading, if there are any; at once, which is faster."""
    if lines:
        out.print_text(Text("\n").join([Text(f"\n{heading}" if heading else ""), *lines]))


def _status(run: "RunListing") -> str:
    """The status, with the number of warnings that are printed below the table."""
    count = len(run.warnings)
    return f"{run.progress}{f', {count} warning' if count else ''}{'s' if count > 1 else ''}"


def _epoch(run: "RunListing") -> str:
    """The epoch of the metrics, and the total number of epochs while the run is training."""
    if run.epoch is None:
        return "–"
    return f"{run.epoch}/{run.epochs}" if run.progress.status is RunStatus.RUNNING else str(run.epoch)
