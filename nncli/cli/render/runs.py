"""The runs in a directory, in the terminal."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.format import cell_text, warning_text
from nncli.cli.render.table import Cell, Table
from nncli.config.diagnostics import sanitized_line
from nncli.store.run_status import RunStatus, how_to_evaluate

if TYPE_CHECKING:
    from nncli.analysis.run_list import RunListing

COLORS = {
    RunStatus.RUNNING: "cyan",
    RunStatus.FINISHED: "green",
    RunStatus.INTERRUPTED: "yellow",
    RunStatus.UNEVALUATED: "yellow",
    RunStatus.DIVERGED: "red",
    RunStatus.DAMAGED: "bold red",
    RunStatus.UNREADABLE: "red",
    RunStatus.UNSUPPORTED: "magenta",
}
WARNING = "yellow"
MAX_KEYS = 12  # differing keys that are shown of a run; --json has all of them


def show_runs(directory: Path, listed: Sequence["RunListing"], sort: str | None, digits: int | None) -> None:
    """Print one row per run, then the keys in which its config differs from most others, and its problems.

    Args:
        directory: where the runs are.
        listed: the runs.
        sort: the metric by which they are sorted, which is the first column of metrics; None if they are not.
        digits: significant digits of the metrics; all of them if None.
    """
    out = Output()
    if not listed:
        out.print(f"{directory}: no runs; 'nncli train config.yaml' creates one", soft_wrap=True)
        return
    _runs_table(listed, sort, digits).print(out)
    differing = [run for run in listed if run.differences]
    if differing:
        out.print("\nDifferences from the most frequent values:")
    for run in differing:
        keys = [f"{key} {cell_text(value)}" for key, value in run.differences.items()]
        more = f", and {len(keys) - MAX_KEYS} more" if len(keys) > MAX_KEYS else ""
        out.print(Text.assemble((_name(run), "bold"), f": {', '.join(keys[:MAX_KEYS])}{more}"))
    warnings = [(_name(run), warning_text(warning)) for run in listed for warning in run.warnings]
    if warnings:
        out.print()
    for name, text in warnings:
        out.print_text(Text.assemble((name, "bold"), (f": {text}", WARNING)))
    for problem in filter(None, (run.problem for run in listed)):
        out.print_text(Text(f"\n{problem}", style="red"))
    for run in listed:
        if run.progress.status is RunStatus.UNEVALUATED and run.progress.is_resumable:
            out.print_text(Text(f"\n{run.path}: {how_to_evaluate(run.path)}", style=WARNING))


def _runs_table(listed: Sequence["RunListing"], sort: str | None, digits: int | None) -> Table:
    """One row per run, with its main metrics."""
    metrics = list(dict.fromkeys([*([sort] if sort else []), *(name for run in listed for name in run.main_metrics)]))
    rows = Table("run", "status", "epoch", *metrics, text_columns=2, digits=digits)
    for run in listed:
        status = Cell(_status(run), WARNING if run.warnings else COLORS[run.progress.status])
        rows.add_row(_name(run), status, _epoch(run), *(run.metrics.get(name) for name in metrics))
    return rows


def _name(run: "RunListing") -> str:
    return sanitized_line(run.path.name)


def _status(run: "RunListing") -> str:
    """The status, with the number of warnings that are printed below the table."""
    count = len(run.warnings)
    return f"{run.progress}{f', {count} warning' if count else ''}{'s' if count > 1 else ''}"


def _epoch(run: "RunListing") -> str:
    """The epoch of the metrics, and the total number of epochs while the run is training."""
    if run.epoch is None:
        return "–"
    return f"{run.epoch}/{run.epochs}" if run.progress.status is RunStatus.RUNNING else str(run.epoch)
