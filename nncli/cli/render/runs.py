"""A folder of runs, and the checks of one, as rich draws them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.format import cell_text, figure
from nncli.cli.render.table import table
from nncli.config.diagnostics import sanitized_line
from nncli.store.run_status import RunStatus

if TYPE_CHECKING:
    from nncli.analysis.run_list import RunListing

COLOURS = {
    RunStatus.RUNNING: "cyan",
    RunStatus.FINISHED: "green",
    RunStatus.INTERRUPTED: "yellow",
    RunStatus.DIVERGED: "red",
    RunStatus.DAMAGED: "bold red",
    RunStatus.UNREADABLE: "red",
}
ENDLESS = 10_000  # characters, more than any table is wide
MOST_KEYS = 12  # that are told of a run; --json has them all


def show_runs(folder: Path, listed: Sequence["RunListing"]) -> None:
    """A row a run: status, loss and first metric of each split; then what sets it apart, and what is wrong."""
    out = Output()
    if not listed:
        out.print(f"{folder}: no runs; 'nncli train config.yaml' makes one", soft_wrap=True)
        return
    columns = list(dict.fromkeys(name for each in listed for name in each.main_metrics))
    made = _runs_table(listed, columns)
    endless = out.options.update(max_width=ENDLESS)
    while columns and Measurement.get(out, endless, made).maximum > out.width:  # no number is broken
        made = _runs_table(listed, columns[: len(columns) - 1])
        columns.pop()
    out.print(made)
    apart = {sanitized_line(each.path.name): each.differences for each in listed if each.differences}
    if apart:
        out.print("\nunlike most:")
    for name, differences in apart.items():
        told = [f"{key} {cell_text(value)}" for key, value in differences.items()]
        more = f", and {len(told) - MOST_KEYS} more" if len(told) > MOST_KEYS else ""
        out.print(Text.assemble((name, "bold"), f" {', '.join(told[:MOST_KEYS])}{more}"))
    for problem in filter(None, (each.problem for each in listed)):
        out.print(Text(f"\n{problem}", style="red"), soft_wrap=True)


def _runs_table(listed: Sequence["RunListing"], columns: Sequence[str]) -> Table:
    """A row a run, with these metrics."""
    made = table("run", "status", "epoch", *(name.replace("_", "\n", 1) for name in columns))
    made.columns[1].justify = "left"
    for each in listed:
        status = Text(str(each.progress).replace(", ", ",\n"), style=COLOURS[each.progress.status])
        values = [figure(each.metrics[name]) if name in each.metrics else "–" for name in columns]
        made.add_row(sanitized_line(each.path.name), status, _epoch(each), *values)
    return made


def _epoch(each: "RunListing") -> str:
    """Of which its metrics are, and of how many where more are to come."""
    if each.epoch is None:
        return "–"
    return f"{each.epoch}/{each.epochs}" if each.progress.status is RunStatus.RUNNING else str(each.epoch)
